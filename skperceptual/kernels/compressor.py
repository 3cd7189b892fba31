"""How the gain of a compressor follows its signal, compiled: each value depends on the last."""

from __future__ import annotations

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_REDUCTIONS = types.Array(types.float64, 1, "C", readonly=True)
_SCALAR = types.float64


@compiled(types.float64[::1](_REDUCTIONS, _SCALAR, _SCALAR))
def smoothed_reduction(wanted, attack, release):
    """Follow the reduction of gain that is wanted, by one pole while it grows, another while not.

    Parameters
    ----------
    wanted : ndarray of shape (n_times,), float64
        Reduction that the level at each time asks for, in dB, 0 or more.
    attack : float64
        What is left of the difference from one sample to the next while the reduction grows.
    release : float64
        The same while it falls.

    Returns
    -------
    ndarray of shape (n_times,), float64
        Reduction at each time, in dB. Before the first there is none.
    """
    followed = np.empty(wanted.size)
    reduction = 0.0
    for time in range(wanted.size):
        left = attack if wanted[time] > reduction else release
        reduction = wanted[time] + left * (reduction - wanted[time])
        followed[time] = reduction
    return followed
