"""Front ends: transformers from signals to spectrograms, and back."""

from skperceptual.spectrograms.mel import MelSpectrogram
from skperceptual.spectrograms.spectrogram import Spectrogram

__all__ = ["MelSpectrogram", "Spectrogram"]
