"""Scores of an instrument's sound, and an equaliser that follows them."""

from skperceptual.cello.classifier import CelloQualityClassifier
from skperceptual.cello.equalizer import SpectralMaskEqualizer
from skperceptual.cello.regressor import InstrumentQualityRegressor

__all__ = ["CelloQualityClassifier", "InstrumentQualityRegressor", "SpectralMaskEqualizer"]
