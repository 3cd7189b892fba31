"""A signal read between its samples, compiled: at a place of its own for every result."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_VECTOR = types.Array(types.float64, 1, "C", readonly=True)
_TABLE = types.Array(types.float64, 2, "C", readonly=True)


@compiled(types.float64[::1](_VECTOR, _VECTOR, _TABLE))
def interpolate_at(signal, places, taps):
    """Read a band-limited signal between its samples.

    Parameters
    ----------
    signal : ndarray of shape (n_times,), float64
        The signal, which is silent before its beginning and after its end.
    places : ndarray of shape (n_places,), float64
        Where to read it, in samples.
    taps : ndarray of shape (n_phases + 1, n_taps), float64
        The interpolating filter, a row a place between two samples, those at 0 and at 1 included.

    Returns
    -------
    ndarray of shape (n_places,), float64
        The values there.
    """
    n_phases, n_taps = taps.shape[0] - 1, taps.shape[1]
    values = np.empty(places.size)
    for row in range(places.size):
        whole = math.floor(places[row])
        phase = (places[row] - whole) * n_phases
        below = min(int(phase), n_phases - 1)
        share = phase - below
        first = int(whole) - n_taps // 2 + 1
        value = 0.0
        for tap in range(max(0, -first), min(n_taps, signal.size - first)):
            weight = taps[below, tap] + share * (taps[below + 1, tap] - taps[below, tap])
            value += weight * signal[first + tap]
        values[row] = value
    return values
