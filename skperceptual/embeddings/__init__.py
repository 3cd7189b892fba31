"""Signals to vectors that were learned, and distances between such vectors."""

from skperceptual.embeddings.adapters import FunctionEmbedding, HEAREmbedding, TorchEmbedding
from skperceptual.embeddings.base import Embedding
from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.embeddings.frechet import FrechetAudioDistance
from skperceptual.embeddings.frechet_extrapolation import FrechetExtrapolation
from skperceptual.embeddings.kernel_distance import KernelAudioDistance
from skperceptual.embeddings.log_mel import LogMelEmbedding
from skperceptual.embeddings.openl3 import OpenL3
from skperceptual.embeddings.resolution import resolve_embedding
from skperceptual.embeddings.shipped import AuditoryEmbedding
from skperceptual.embeddings.similarity import EmbeddingSimilarity
from skperceptual.embeddings.vggish import VGGish
from skperceptual.embeddings.weights import MissingWeightsError, WeightsError
from skperceptual.embeddings.weights.conversion import convert_weights

__all__ = [
    "AuditoryEmbedding",
    "Embedding",
    "EmbeddingSimilarity",
    "FrameStatistics",
    "FrechetAudioDistance",
    "FrechetExtrapolation",
    "FunctionEmbedding",
    "HEAREmbedding",
    "KernelAudioDistance",
    "LogMelEmbedding",
    "MissingWeightsError",
    "OpenL3",
    "TorchEmbedding",
    "VGGish",
    "WeightsError",
    "convert_weights",
    "resolve_embedding",
]
