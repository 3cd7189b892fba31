"""The mel scale and its bank of triangular filters, in NumPy: constants, whatever the device."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Slaney's scale: 200/3 Hz a mel up to 1 kHz, then 27 mels for each factor of 6.4.
_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


def hz_to_mel(frequencies: ArrayLike, *, htk: bool = False) -> NDArray[np.float64]:
    """Convert frequencies in Hz to mels.

    Slaney's scale [1]_ is linear below 1 kHz and logarithmic above; the HTK scale [2]_ is
    ``2595 log10(1 + f / 700)``.

    Parameters
    ----------
    frequencies : array-like
        Frequencies in Hz, not negative.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.

    Returns
    -------
    ndarray
        Mels, in the shape of the frequencies.

    References
    ----------
    .. [1] M. Slaney, "Auditory toolbox, version 2", Interval Research Corporation, 1998.
    .. [2] S. Young et al., "The HTK book", Cambridge University, 2006, equation 5.13.

    Examples
    --------
    >>> from skperceptual.functional import hz_to_mel
    >>> hz_to_mel([500.0, 1000.0, 6400.0])
    array([ 7.5, 15. , 42. ])
    """
    frequencies = np.asarray(frequencies, dtype=np.float64)
    if htk:
        return 2595.0 * np.log10(1.0 + frequencies / 700.0)
    above = np.log(np.maximum(frequencies, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.minimum(frequencies, _BREAK_HZ) / _HZ_PER_MEL + above


def mel_to_hz(mels: ArrayLike, *, htk: bool = False) -> NDArray[np.float64]:
    """Convert mels to frequencies in Hz.

    Parameters
    ----------
    mels : array-like
        Mels, not negative.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's; see :func:`hz_to_mel`.

    Returns
    -------
    ndarray
        Frequencies in Hz, in the shape of the mels.

    Examples
    --------
    >>> from skperceptual.functional import mel_to_hz
    >>> mel_to_hz([7.5, 15.0, 42.0])
    array([ 500., 1000., 6400.])
    """
    mels = np.asarray(mels, dtype=np.float64)
    if htk:
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    above = np.exp(_LOG_STEP * np.maximum(mels - _BREAK_MEL, 0.0))
    return np.minimum(mels, _BREAK_MEL) * _HZ_PER_MEL * above


def mel_edges(
    *, sr: float, n_mels: int, fmin: float = 0.0, fmax: float | None = None, htk: bool = False
) -> NDArray[np.float64]:
    """Give the corners of the triangular filters, equally spaced in mels.

    Filter ``k`` rises from corner ``k`` to its centre, corner ``k + 1``, and falls to corner
    ``k + 2``.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_mels : int
        Number of filters.
    fmin : float, default=0.0
        Lowest corner in Hz.
    fmax : float or None, default=None
        Highest corner in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.

    Returns
    -------
    ndarray of shape (n_mels + 2,)
        Frequencies in Hz.

    Raises
    ------
    ValueError
        When the corners do not lie between 0 and half the sampling rate in rising order.

    Examples
    --------
    >>> from skperceptual.functional import mel_edges
    >>> mel_edges(sr=16000, n_mels=3, fmax=800.0)
    array([  0., 200., 400., 600., 800.])
    """
    nyquist = sr / 2
    fmax = nyquist if fmax is None else fmax
    if not 0 <= fmin < fmax <= nyquist:
        raise ValueError(
            f"Expected 0 <= fmin < fmax <= sr / 2, got fmin={fmin} and fmax={fmax} Hz with "
            f"sr={sr} Hz, whose half is {nyquist:g} Hz. Lower fmax, or check sr."
        )
    low, high = hz_to_mel([fmin, fmax], htk=htk)
    return mel_to_hz(np.linspace(low, high, n_mels + 2), htk=htk)


def mel_filterbank(
    *,
    sr: float,
    n_fft: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
) -> NDArray[np.float64]:
    """Give the triangular mel filters as a matrix, with librosa's values.

    Almost all of it is zero: use :func:`mel_spectrogram`, which multiplies by the rest. Filters
    narrower than the distance of two bins may hold no bin at all and are then zero.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the Fourier transform in samples.
    n_mels : int
        Number of filters.
    fmin : float, default=0.0
        Lowest corner in Hz.
    fmax : float or None, default=None
        Highest corner in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        ``"slaney"`` gives every triangle the area 1 (in 1/Hz times Hz), None the height 1.

    Returns
    -------
    ndarray of shape (n_mels, n_fft // 2 + 1)
        The filters, read-only: every call with the same parameters returns the same array.

    Examples
    --------
    >>> from skperceptual.functional import mel_filterbank
    >>> mel_filterbank(sr=8000, n_fft=8, n_mels=2, norm=None).round(3)
    array([[0.   , 0.783, 0.   , 0.   , 0.   ],
           [0.   , 0.217, 0.904, 0.452, 0.   ]])
    """
    return _filterbank(sr, n_fft, n_mels, fmin, fmax, htk, norm)


@lru_cache(maxsize=16)
def _filterbank(
    sr: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float | None,
    htk: bool,
    norm: str | None,
) -> NDArray[np.float64]:
    edges = mel_edges(sr=sr, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk)
    widths = np.diff(edges)[:, np.newaxis]
    distance = np.fft.rfftfreq(n_fft, d=1 / sr) - edges[:, np.newaxis]
    bank = np.minimum(distance[:-2] / widths[:-1], -distance[2:] / widths[1:]).clip(min=0.0)
    if norm == "slaney":
        bank *= 2.0 / (edges[2:] - edges[:-2])[:, np.newaxis]
    bank.flags.writeable = False
    return bank


@lru_cache(maxsize=16)
def nonzero_weights(**parameters: Any) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Give the weights of a mel filterbank that are not zero, and where they stand.

    Parameters
    ----------
    **parameters : dict
        The parameters of :func:`mel_filterbank`.

    Returns
    -------
    indices : ndarray of shape (2, n_weights)
        Filter and bin of each weight, in order.
    weights : ndarray of shape (n_weights,)
        The weights. Both arrays are read-only.
    """
    bank = mel_filterbank(**parameters)
    indices = np.stack(np.nonzero(bank))
    weights = bank[tuple(indices)]
    indices.flags.writeable = weights.flags.writeable = False
    return indices, weights
