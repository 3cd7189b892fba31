"""Degradations of signals, graded by severity; those of the PMQD test as functions too."""

from skperceptual.degradations.base import Degradation
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

__all__ = [
    "Degradation",
    "PMQDDistortion",
    "PMQDLimiter",
    "PMQDLowpass",
    "PMQDNoise",
    "pmqd_cutoff_hz",
    "pmqd_distortion",
    "pmqd_drive",
    "pmqd_limiter",
    "pmqd_lowpass",
    "pmqd_noise",
    "pmqd_noise_db",
    "pmqd_threshold_db",
]
