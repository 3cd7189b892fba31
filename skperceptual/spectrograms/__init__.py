"""Front ends: transformers from signals to spectrograms, and back."""

from skperceptual.spectrograms.gammatone import GammatoneSpectrogram
from skperceptual.spectrograms.mel import MelSpectrogram
from skperceptual.spectrograms.spectrogram import Spectrogram

__all__ = ["GammatoneSpectrogram", "MelSpectrogram", "Spectrogram"]
