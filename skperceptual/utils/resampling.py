"""Change of sampling rate, in one place for files and for arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resampled_length(n_times: int, orig_sr: int, target_sr: int) -> int:
    """Give the samples that a clip has after resampling: its duration, rounded up.

    Parameters
    ----------
    n_times : int
        Samples before.
    orig_sr, target_sr : int
        Sampling rates before and after, in Hz.

    Returns
    -------
    int
        Samples after.
    """
    return -(-n_times * target_sr // orig_sr)


def resample(
    clip: NDArray[np.floating], orig_sr: int, target_sr: int, *, quality: str = "HQ"
) -> NDArray[np.floating]:
    """Resample one clip with soxr, to the same numbers as ``librosa.resample``.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        The signal, float32 or float64.
    orig_sr, target_sr : int
        Sampling rates before and after, in Hz.
    quality : {"VHQ", "HQ", "MQ", "LQ", "QQ"}, default="HQ"
        Recipe of soxr.

    Returns
    -------
    ndarray of shape (ceil(n_times * target_sr / orig_sr),)
        The clip itself where the rates agree.
    """
    if orig_sr == target_sr:
        return clip
    import soxr

    resampled = soxr.resample(clip, orig_sr, target_sr, quality=quality)
    n_times = resampled_length(len(clip), orig_sr, target_sr)
    # soxr rounds to the nearest length, so that the last sample may be missing.
    out = np.zeros(n_times, dtype=clip.dtype)
    out[: len(resampled)] = resampled[:n_times]
    return out
