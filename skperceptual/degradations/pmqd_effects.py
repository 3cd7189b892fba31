"""The four effects of the PMQD listening test, on arrays of any number of channels.

The Perceived Music Quality Dataset (Hilmkil, Thomé and Arpteg, 2020, arXiv:2006.06287) degraded
48 kHz stereo clips with four plugins of the REAPER workstation, each driven by an *intensity* from
0 to 100. The formulas here are those of the plugins; their authors are named with each effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.degradations.pmqd_processing import (
    Signal,
    add_pink_noise,
    highest_cutoff_hz,
    limit,
    lowpass,
    pink_rms,
    saturate,
)
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils.validation import check_signals

# --- Distortion: waveShapingDstr -----------------------------------------------------------------


def pmqd_drive(intensity: float) -> float:
    """Give the drive of PMQD's distortion.

    Parameters
    ----------
    intensity : float
        From 0 to 100.

    Returns
    -------
    float
        The drive k, from 2 to 1998; quiet sounds are amplified by 1 + k. It is hyperbolic in the
        intensity: half of its range in dB lies above 95.

    Examples
    --------
    >>> from skperceptual.degradations import pmqd_drive
    >>> pmqd_drive(0), pmqd_drive(50), round(pmqd_drive(100))
    (2.0, 6.0, 1998)
    """
    share = min(0.5 + _checked_intensity(intensity) / 200, 0.999)
    return 2 * share / (1 - share)


def pmqd_distortion(signal: ArrayLike, intensity: float, *, oversample: int = 1) -> NDArray[Any]:
    """Distort a signal as PMQD did: a memoryless soft saturation.

    Parameters
    ----------
    signal : array of shape (channels, n_times) or (n_times,)
        Floating-point, full scale ±1; what exceeds it is clipped.
    intensity : float
        From 0 to 100. 0 is no identity: it amplifies quiet sounds by 9.5 dB and gives a
        full-scale sine 17 % of harmonic distortion.
    oversample : int, default=1
        Rate at which to distort, as a multiple of the signal's own. 1 folds the harmonics above
        half the rate back into the band, as the plugin does; 4 or more leaves most of that out.

    Returns
    -------
    ndarray
        Of the shape and floating-point type of the signal. Within ±1 unless oversampled.

    Raises
    ------
    ValueError
        For an intensity out of range, or a signal that is none.

    Notes
    -----
    With the drive k of :func:`pmqd_drive`, x clipped to ±1 becomes (1 + k) x / (1 + k abs(x)). The
    plugin is ``waveShapingDstr`` by Michael Gruhn (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import pmqd_distortion
    >>> pmqd_distortion(np.array([-1.0, 0.0, 0.01, 0.1, 1.0]), 50)
    array([-1. , 0. , 0.06603774, 0.4375 , 1. ])
    """
    _check_positive_integer("oversample", oversample)
    drive = pmqd_drive(intensity)
    return _apply(lambda x: saturate(x, drive, oversample=oversample), signal)


# --- Low-pass: butterworth24db -------------------------------------------------------------------


def pmqd_cutoff_hz(intensity: float) -> float:
    """Give the cutoff frequency of PMQD's low-pass.

    Parameters
    ----------
    intensity : float
        From 0 to 100.

    Returns
    -------
    float
        From 20000 to 1000 Hz, a whole number: equal steps of intensity are equal intervals, up to
        the floor that the plugin takes.

    Examples
    --------
    >>> from skperceptual.degradations import pmqd_cutoff_hz
    >>> pmqd_cutoff_hz(0), pmqd_cutoff_hz(50), pmqd_cutoff_hz(100)
    (20000.0, 4473.0, 1000.0)
    """
    slider = 100 - 0.435 * _checked_intensity(intensity)
    return float(math.floor(8.17742 * math.exp((16 + 1.20103 * slider) * math.log(1.059))))


def check_cutoff(cutoff_hz: float, sr: int) -> None:
    """Refuse a cutoff that the sampling rate cannot hold."""
    highest = highest_cutoff_hz(sr)
    if cutoff_hz < highest:
        return
    mildest = next((step for step in range(101) if pmqd_cutoff_hz(step) < highest), None)
    intensities = (
        f" (intensities from {mildest}, severities from {mildest / 100:g})" if mildest else ""
    )
    raise ValueError(
        f"A cutoff of {cutoff_hz:g} Hz does not fit into half of the sampling rate, sr={sr}. Use "
        f"signals of a rate of {math.ceil(2.001 * cutoff_hz)} Hz or more, or a cutoff below "
        f"{math.floor(highest)} Hz{intensities}."
    )


def pmqd_lowpass(signal: ArrayLike, intensity: float, *, sr: int) -> NDArray[Any]:
    """Take the treble from a signal as PMQD did: 24 dB an octave, then a hard clip.

    Parameters
    ----------
    signal : array of shape (channels, n_times) or (n_times,)
        Floating-point, full scale ±1.
    intensity : float
        From 0 (cutoff at 20 kHz) to 100 (1 kHz). 0 is no identity: peaks above -0.2 dB are
        clipped, and the filter delays.
    sr : int
        Sampling rate of the signal in Hz; PMQD's is 48000.

    Returns
    -------
    ndarray
        Of the shape and floating-point type of the signal, within ±0.977.

    Raises
    ------
    ValueError
        When the rate cannot hold the cutoff, for an intensity out of range, or a signal that is
        none.

    Notes
    -----
    A Butterworth filter of fourth order, by the bilinear transform, that starts from silence. The
    plugin is ``butterworth24db`` by Lubomir Ivanov (2008-09). It takes 22/7 for pi when it warps
    the cutoff, which moves the response there by less than 0.05 dB at 48 kHz, and it clips at
    -0.2 dB.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import pmqd_lowpass
    >>> pmqd_lowpass(np.array([0.5, 0, 0, 0]), 50, sr=48000).round(4)
    array([0.0019, 0.0123, 0.0371, 0.0712])
    """
    _check_positive_integer("sr", sr)
    cutoff_hz = pmqd_cutoff_hz(intensity)
    check_cutoff(cutoff_hz, sr)
    return _apply(lambda x: lowpass(x, cutoff_hz, sr), signal)


# --- Limiter: MGA_JSLimiter ----------------------------------------------------------------------


def pmqd_threshold_db(intensity: float) -> float:
    """Give the threshold of PMQD's limiter.

    Parameters
    ----------
    intensity : float
        From 0 to 100.

    Returns
    -------
    float
        From 0 to -30 dB relative to full scale.

    Examples
    --------
    >>> from skperceptual.degradations import pmqd_threshold_db
    >>> pmqd_threshold_db(0), pmqd_threshold_db(50), pmqd_threshold_db(100)
    (0.0, -15.0, -30.0)
    """
    return 0.0 - 0.3 * _checked_intensity(intensity)


def pmqd_limiter(signal: ArrayLike, intensity: float, *, sr: int) -> NDArray[Any]:
    """Limit a signal as PMQD did: a fast peak limiter with make-up gain.

    Parameters
    ----------
    signal : array of shape (channels, n_times) or (n_times,)
        Floating-point, full scale ±1. All channels share one gain.
    intensity : float
        From 0 to 100: the threshold falls from 0 to -30 dB. 0 is a plain gain of -0.1 dB.
    sr : int
        Sampling rate of the signal in Hz; PMQD's is 48000.

    Returns
    -------
    ndarray
        Of the shape and floating-point type of the signal, within ±0.9886 (-0.1 dB).

    Raises
    ------
    ValueError
        For an intensity out of range, or a signal that is none.

    Notes
    -----
    Attack is instant, peaks are held for 4 to 8 ms, and the release decays within 50 ms. Nothing
    is ever clipped; what is heard is the gain moving fast. Wherever the envelope exceeds the
    threshold, the gain brings it to the ceiling and no longer depends on the threshold. High
    intensities therefore differ in quiet passages only. The plugin is ``MGA_JSLimiter`` by
    Michael Gruhn (2008).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import pmqd_limiter
    >>> pmqd_limiter(np.array([0.01, 0.01, 1.0, 0.01]), 50, sr=48000).round(4)
    array([0.0556, 0.0556, 0.9886, 0.0099])
    """
    _check_positive_integer("sr", sr)
    threshold_db = pmqd_threshold_db(intensity)
    return _apply(lambda x: limit(x, threshold_db, sr), signal)


# --- Noise: pinknoisegen -------------------------------------------------------------------------


def pmqd_noise_db(intensity: float, *, sr: int = 48000) -> float:
    """Give the level of PMQD's noise.

    Parameters
    ----------
    intensity : float
        From 0 to 100.
    sr : int, default=48000
        Sampling rate in Hz. The plugin sets the level of the white noise that it filters; that of
        the pink noise depends on the filter, and that on the rate.

    Returns
    -------
    float
        Root mean square of the noise in dB relative to full scale: at 48 kHz from -39.2 to -14.2.

    Examples
    --------
    >>> from skperceptual.degradations import pmqd_noise_db
    >>> [round(pmqd_noise_db(intensity), 1) for intensity in (0, 50, 100)]
    [-39.2, -26.7, -14.2]
    """
    _check_positive_integer("sr", sr)
    gain_db = -25 + 0.25 * _checked_intensity(intensity) - 28
    return gain_db + 20 * math.log10(pink_rms(sr))


def pmqd_noise(
    signal: ArrayLike, intensity: float, *, sr: int, random_state: Any = None
) -> NDArray[Any]:
    """Add pink noise to a signal as PMQD did: of an absolute level, and in mono.

    Parameters
    ----------
    signal : array of shape (channels, n_times) or (n_times,)
        Floating-point, full scale ±1. Channels are averaged: all of those of the result are
        equal.
    intensity : float
        From 0 to 100, see :func:`pmqd_noise_db`: a level relative to full scale, not to the
        signal. 0 is no identity: it adds noise of -39 dB.
    sr : int
        Sampling rate of the signal in Hz; PMQD's is 48000.
    random_state : int, RandomState or None, default=None
        With an int, the noise depends on it and on the content of the signal alone. None gives
        other noise in each call.

    Returns
    -------
    ndarray
        Of the shape and floating-point type of the signal. It may exceed ±1.

    Raises
    ------
    ValueError
        For an intensity out of range, a wrong ``random_state``, or a signal that is none.

    Notes
    -----
    White noise, uniform on [-1, 1), goes through seven first-order filters. The plugin is
    ``pinknoisegen`` by Lubomir Ivanov (2008-09), in its mono mode; its offset of some 0.00001 of
    the white noise is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import pmqd_noise
    >>> noise = pmqd_noise(np.zeros((2, 48000)), 100, sr=48000, random_state=0)
    >>> bool((noise[0] == noise[1]).all())
    True
    """
    _check_positive_integer("sr", sr)
    noise_db = pmqd_noise_db(intensity, sr=sr)
    seed = draw_seed(random_state)
    return _apply(
        lambda x: add_pink_noise(x, noise_db, sr, clip_generator(seed, np.atleast_2d(x))), signal
    )


# --- Checks of what users give -------------------------------------------------------------------


def _apply(effect: Callable[[Signal], Signal], signal: ArrayLike) -> NDArray[Any]:
    """Check a signal, compute in float64, and give its shape and floating-point type back."""
    given = np.asarray(signal)
    if given.ndim not in (1, 2) or (given.ndim == 2 and given.shape[0] > given.shape[1] > 0):
        turn = " Time belongs on the last axis: use signal.T." if given.ndim == 2 else ""
        raise ValueError(
            "Expected a signal of shape (channels, n_times) or (n_times,), got an array of shape "
            f"{given.shape}.{turn}"
        )
    channels = np.asarray(check_signals(np.atleast_2d(given)))
    checked = channels.reshape(given.shape)
    return effect(checked.astype(np.float64)).astype(checked.dtype)


def _checked_intensity(intensity: float) -> float:
    if isinstance(intensity, Real) and 0 <= intensity <= 100:
        return float(intensity)
    raise ValueError(
        f"intensity={intensity!r} is out of range. PMQD's intensity goes from 0 to 100; it is 100 "
        "times a severity."
    )


def _check_positive_integer(name: str, value: int) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name}={value!r} is no whole number of 1 or more.")
