"""Signals made ready: rate, duration, level, alignment; images aligned, or as plain features."""

from skperceptual.preprocessing.alignment import AlignPairs
from skperceptual.preprocessing.clips import FixDuration, Normalize, Resample
from skperceptual.preprocessing.time_warping import align
from skperceptual.preprocessing.vectorizer import Vectorizer

__all__ = ["AlignPairs", "FixDuration", "Normalize", "Resample", "Vectorizer", "align"]
