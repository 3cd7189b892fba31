"""Displays: what people would rather look at than read, one a file.

They follow scikit-learn's convention: a display holds the data that it draws, ``from_estimator``
and its siblings compute them, ``plot`` draws them and returns the display. Matplotlib is needed
for ``plot`` alone; the ``plot`` extra brings it.
"""

from skperceptual.plotting.contributions import ContributionsDisplay
from skperceptual.plotting.correlations import CorrelationsDisplay
from skperceptual.plotting.degradation_bars import DegradationBarsDisplay
from skperceptual.plotting.divisive_norm import DivisiveNormDisplay
from skperceptual.plotting.equalizer import EqualizerDisplay
from skperceptual.plotting.mask_smoothing import MaskSmoothingDisplay
from skperceptual.plotting.metric_correlations import MetricCorrelationsDisplay
from skperceptual.plotting.patch_similarity import PatchSimilarityDisplay
from skperceptual.plotting.rating import RatingDisplay
from skperceptual.plotting.reconstruction import ReconstructionDisplay
from skperceptual.plotting.saliency import SaliencyDisplay
from skperceptual.plotting.severity_curves import SeverityCurvesDisplay
from skperceptual.plotting.significance_matrix import SignificanceMatrixDisplay
from skperceptual.plotting.spectrogram import SpectrogramDisplay

__all__ = [
    "ContributionsDisplay",
    "CorrelationsDisplay",
    "DegradationBarsDisplay",
    "DivisiveNormDisplay",
    "EqualizerDisplay",
    "MaskSmoothingDisplay",
    "MetricCorrelationsDisplay",
    "PatchSimilarityDisplay",
    "RatingDisplay",
    "ReconstructionDisplay",
    "SaliencyDisplay",
    "SeverityCurvesDisplay",
    "SignificanceMatrixDisplay",
    "SpectrogramDisplay",
]
