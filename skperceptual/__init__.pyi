from . import (
    autoencoder as autoencoder,
    base as base,
    calibration as calibration,
    cello as cello,
    datasets as datasets,
    degradations as degradations,
    embeddings as embeddings,
    evaluation as evaluation,
    full_reference as full_reference,
    functional as functional,
    inspection as inspection,
    io as io,
    metrics as metrics,
    networks as networks,
    plotting as plotting,
    preprocessing as preprocessing,
    pyramids as pyramids,
    regression as regression,
    spectrograms as spectrograms,
)
from ._version import __version__ as __version__
from .autoencoder import CompressiveAutoencoder as CompressiveAutoencoder
from .calibration import RatingMapping as RatingMapping
from .cello import (
    CelloQualityClassifier as CelloQualityClassifier,
    InstrumentQualityRegressor as InstrumentQualityRegressor,
    SpectralMaskEqualizer as SpectralMaskEqualizer,
)
from .degradations import (
    PMQDDistortion as PMQDDistortion,
    PMQDLimiter as PMQDLimiter,
    PMQDLowpass as PMQDLowpass,
    PMQDNoise as PMQDNoise,
)
from .embeddings import (
    AuditoryEmbedding as AuditoryEmbedding,
    EmbeddingSimilarity as EmbeddingSimilarity,
    FrechetAudioDistance as FrechetAudioDistance,
    FunctionEmbedding as FunctionEmbedding,
    HEAREmbedding as HEAREmbedding,
    KernelAudioDistance as KernelAudioDistance,
    LogMelEmbedding as LogMelEmbedding,
    OpenL3 as OpenL3,
    TorchEmbedding as TorchEmbedding,
    VGGish as VGGish,
)
from .full_reference import (
    MSE as MSE,
    MSSSIM as MSSSIM,
    NLPD as NLPD,
    NSIM as NSIM,
    PESQ as PESQ,
    SSIM as SSIM,
    STOI as STOI,
    PyramidDistance as PyramidDistance,
    ViSQOL as ViSQOL,
)
from .io import (
    LoadAudio as LoadAudio,
    load_audio as load_audio,
    save_audio as save_audio,
)
from .plotting import (
    ContributionsDisplay as ContributionsDisplay,
    CorrelationsDisplay as CorrelationsDisplay,
    DegradationBarsDisplay as DegradationBarsDisplay,
    DivisiveNormDisplay as DivisiveNormDisplay,
    EqualizerDisplay as EqualizerDisplay,
    MaskSmoothingDisplay as MaskSmoothingDisplay,
    MetricCorrelationsDisplay as MetricCorrelationsDisplay,
    PatchSimilarityDisplay as PatchSimilarityDisplay,
    RatingDisplay as RatingDisplay,
    ReconstructionDisplay as ReconstructionDisplay,
    SaliencyDisplay as SaliencyDisplay,
    SeverityCurvesDisplay as SeverityCurvesDisplay,
    SignificanceMatrixDisplay as SignificanceMatrixDisplay,
    SpectrogramDisplay as SpectrogramDisplay,
)
from .preprocessing import (
    AlignPairs as AlignPairs,
    FixDuration as FixDuration,
    Normalize as Normalize,
    Resample as Resample,
    Vectorizer as Vectorizer,
)
from .pyramids import (
    DivisiveNorm as DivisiveNorm,
    LaplacianPyramid as LaplacianPyramid,
    Pyramid as Pyramid,
)
from .regression import NLPDRegressor as NLPDRegressor
from .spectrograms import (
    GammatoneSpectrogram as GammatoneSpectrogram,
    MelSpectrogram as MelSpectrogram,
    Spectrogram as Spectrogram,
)
