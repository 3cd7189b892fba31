"""The envelope of a peak limiter, compiled: each value depends on the one before."""

from __future__ import annotations

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_MAGNITUDES = types.Array(types.float64, 1, "C", readonly=True)
_SCALAR = types.float64


@compiled(types.float64[::1](_MAGNITUDES, _SCALAR, _SCALAR, _SCALAR, _SCALAR))
def limiter_gain(magnitude, threshold, makeup, release, hold):
    """Give the gain of a limiter with instant attack, a hold, and an exponential release.

    Two running maxima, each started anew after ``hold`` samples, half of that apart, hold the
    peaks: the larger one never forgets a peak within half a hold, nor keeps it beyond a whole one.

    Parameters
    ----------
    magnitude : ndarray of shape (n_times,), float64
        Largest magnitude of all channels at each time.
    threshold : float64
        Envelope above which the gain falls.
    makeup : float64
        Gain below the threshold.
    release : float64
        What is left of the excess of the envelope from one sample to the next.
    hold : float64
        Samples, not necessarily a whole number.

    Returns
    -------
    ndarray of shape (n_times,), float64
        The gain at each time.
    """
    gain = np.empty(magnitude.size)
    first_age, second_age = 0.0, hold / 2
    first_peak = second_peak = envelope = 0.0
    for time in range(magnitude.size):
        first_age += 1
        if first_age > hold:
            first_age = 0.0
            first_peak = 0.0
        second_age += 1
        if second_age > hold:
            second_age = 0.0
            second_peak = 0.0
        first_peak = max(first_peak, magnitude[time])
        second_peak = max(second_peak, magnitude[time])
        peak = max(first_peak, second_peak)
        envelope = peak if envelope < peak else peak + release * (envelope - peak)
        gain[time] = makeup * (threshold / envelope) if envelope > threshold else makeup
    return gain
