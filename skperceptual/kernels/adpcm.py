"""ADPCM of the Interactive Multimedia Association, compiled: each code depends on the last."""

from __future__ import annotations

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_SAMPLES = types.Array(types.int64, 1, "C", readonly=True)
_BITS = types.Array(types.int64, 1, "C", readonly=True)
_TABLE = types.Array(types.int64, 1, "C", readonly=True)
_TABLES = types.Array(types.int64, 2, "C", readonly=True)


@compiled(types.int64[::1](_SAMPLES, _BITS, _TABLE, _TABLES))
def adpcm_round_trip(samples, bits, steps, adaptations):
    """Encode 16-bit samples and decode them again.

    Parameters
    ----------
    samples : ndarray of shape (n_times,), int64
        From -32768 to 32767.
    bits : ndarray of shape (n_times,), int64
        Bits of the code of each sample, from 2 to 5. The first sample is stored as it is.
    steps : ndarray of shape (n_steps,), int64
        Sizes of the quantiser's step.
    adaptations : ndarray of shape (6, 16), int64
        How far to move in ``steps`` after a code: a row a number of bits, a column a magnitude.

    Returns
    -------
    ndarray of shape (n_times,), int64
        The decoded samples.
    """
    decoded = np.empty(samples.size, np.int64)
    decoded[0] = samples[0]
    place = 0
    for time in range(1, samples.size):
        n_bits = bits[time]
        step = steps[place]
        difference = samples[time] - decoded[time - 1]
        sign = -1 if difference < 0 else 1
        rest = abs(difference)
        change = step >> (n_bits - 1)
        magnitude = 0
        for _ in range(n_bits - 1):
            magnitude *= 2
            if rest >= step:
                magnitude += 1
                rest -= step
                change += step
            step >>= 1
        decoded[time] = min(max(decoded[time - 1] + sign * change, -32768), 32767)
        place = min(max(place + adaptations[n_bits, magnitude], 0), steps.size - 1)
    return decoded
