"""Peaks and root mean squares, and what brings one clip to the level of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating]

# -200 dB below full scale: what is left below it is rounding, not sound.
_SILENCE = 1e-10


def peak(clip: Signal) -> float:
    """Give the largest magnitude of a clip."""
    return float(np.abs(clip).max())


def rms(clip: Signal) -> float:
    """Give the root mean square of a clip, also where squares would overflow."""
    largest = peak(clip)
    return largest * float(np.sqrt(np.mean(np.square(clip / largest)))) if largest else 0.0


def match_level(degraded: Signal, clip: Signal, match: str) -> Signal:
    """Give a degraded clip the level of the clip that it was made of.

    Parameters
    ----------
    degraded : ndarray of shape (n_times,)
        The degraded clip. It stays as it is where either of the two is silent.
    clip : ndarray of shape (n_times,)
        The clip before.
    match : {"none", "rms", "peak"}
        What to make equal.

    Returns
    -------
    ndarray of shape (n_times,)
        The degraded clip, scaled.
    """
    if match == "none" or min(peak(degraded), peak(clip)) < _SILENCE:
        return degraded
    level = {"rms": rms, "peak": peak}[match]
    return degraded * (level(clip) / level(degraded))


def reference_amplitude(clip: Signal, relative_to: str) -> float:
    """Give the amplitude that 0 dB stands for: that of the clip's peak, or full scale."""
    return peak(clip) if relative_to == "peak" else 1.0
