"""Signals made ready: rate, duration, level, alignment; and images as plain features."""

from skperceptual.preprocessing.alignment import AlignPairs
from skperceptual.preprocessing.clips import FixDuration, Normalize, Resample
from skperceptual.preprocessing.vectorizer import Vectorizer

__all__ = ["AlignPairs", "FixDuration", "Normalize", "Resample", "Vectorizer"]
