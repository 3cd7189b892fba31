"""The level of a signal of any length."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def rms(signal: NDArray[np.floating]) -> float:
    """Give the root mean square of a signal, in double precision.

    Parameters
    ----------
    signal : ndarray of shape (n_times,)
        The signal.

    Returns
    -------
    float
        Its level.
    """
    total = 0.0
    for start in range(0, len(signal), 2**20):
        block = signal[start : start + 2**20].astype(np.float64, copy=False)
        total += float(block @ block)
    return math.sqrt(total / len(signal))
