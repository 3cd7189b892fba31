"""Degradations of signals, graded by severity: one class each, by name, and in grids."""

from skperceptual.degradations.aliasing import Aliasing
from skperceptual.degradations.base import Degradation
from skperceptual.degradations.clipping import HardClipping, PercentileClipping, SoftClipping
from skperceptual.degradations.codecs import MP3Codec, OpusCodec, VorbisCodec
from skperceptual.degradations.companding import ADPCM, ALaw, MuLaw
from skperceptual.degradations.degrade import Degrade
from skperceptual.degradations.dropouts import Dropouts
from skperceptual.degradations.dynamics import Compressor, Limiter
from skperceptual.degradations.filters import Bandpass, Highpass, Lowpass
from skperceptual.degradations.ghosh import GhoshNoise, GhoshQuantization, GhoshResampling
from skperceptual.degradations.grid import degradation_grid
from skperceptual.degradations.lazy_pairs import LazyPairs
from skperceptual.degradations.noise import ColoredNoise, PinkNoise, WhiteNoise
from skperceptual.degradations.packet_loss import PacketLoss
from skperceptual.degradations.pmqd import (
    PMQDDistortion,
    PMQDLimiter,
    PMQDLowpass,
    PMQDNoise,
)
from skperceptual.degradations.pmqd_effects import (
    pmqd_cutoff_hz,
    pmqd_distortion,
    pmqd_drive,
    pmqd_limiter,
    pmqd_lowpass,
    pmqd_noise,
    pmqd_noise_db,
    pmqd_threshold_db,
)
from skperceptual.degradations.quantization import Quantization
from skperceptual.degradations.registry import degradation_names, get_degradation
from skperceptual.degradations.reverberation import Reverberation
from skperceptual.degradations.speed import ClockJitter, Flutter, Wow
from skperceptual.degradations.time_stretch import TimeStretch

__all__ = [
    "ADPCM",
    "ALaw",
    "Aliasing",
    "Bandpass",
    "ClockJitter",
    "ColoredNoise",
    "Compressor",
    "Degradation",
    "Degrade",
    "Dropouts",
    "Flutter",
    "GhoshNoise",
    "GhoshQuantization",
    "GhoshResampling",
    "HardClipping",
    "Highpass",
    "LazyPairs",
    "Limiter",
    "Lowpass",
    "MP3Codec",
    "MuLaw",
    "OpusCodec",
    "PMQDDistortion",
    "PMQDLimiter",
    "PMQDLowpass",
    "PMQDNoise",
    "PacketLoss",
    "PercentileClipping",
    "PinkNoise",
    "Quantization",
    "Reverberation",
    "SoftClipping",
    "TimeStretch",
    "VorbisCodec",
    "WhiteNoise",
    "Wow",
    "degradation_grid",
    "degradation_names",
    "get_degradation",
    "pmqd_cutoff_hz",
    "pmqd_distortion",
    "pmqd_drive",
    "pmqd_limiter",
    "pmqd_lowpass",
    "pmqd_noise",
    "pmqd_noise_db",
    "pmqd_threshold_db",
]
