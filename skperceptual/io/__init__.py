"""Audio files in and out: file names to signals or pairs, and signals to files."""

from skperceptual.io.single_files import load_audio, save_audio
from skperceptual.io.table import LoadAudio
from skperceptual.utils.audio_files import AudioFileError

__all__ = ["AudioFileError", "LoadAudio", "load_audio", "save_audio"]
