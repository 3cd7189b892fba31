"""Gammatone filters (Slaney 1993) on the scale of Glasberg and Moore (1990), and band levels.

Frequencies and filters are constants, in NumPy; the levels are torch, differentiable.

References
----------
.. [1] M. Slaney, "An efficient implementation of the Patterson-Holdsworth auditory filter bank",
   Apple Computer technical report 35, 1993.
.. [2] B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise
   data", Hearing Research 47, 103-138, 1990.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

# Of an auditory filter at high frequencies the centre over the bandwidth, and the narrowest
# bandwidth in Hz (Glasberg and Moore; as Slaney writes it).
_EAR_Q, _MIN_BANDWIDTH = 9.26449, 24.7
# By how much a gammatone filter of fourth order is wider than its equivalent rectangle.
_WIDTH = 1.019
# Nepers after which the response of a filter is less than the last bit of a number.
_DECAY = 60.0

FILTERINGS = ("frame", "signal")


def gammatone_frequencies(*, n_bands: int, fmin: float, fmax: float) -> NDArray[np.float64]:
    """Give the centre frequencies of a gammatone filterbank.

    They are equally spaced on the scale of equivalent rectangular bandwidths, from ``fmin`` up
    to one step below ``fmax``.

    Parameters
    ----------
    n_bands : int
        Number of bands.
    fmin : float
        The lowest centre frequency in Hz.
    fmax : float
        The frequency in Hz that would be the centre of the next band.

    Returns
    -------
    ndarray of shape (n_bands,)
        Frequencies in Hz, rising.

    Raises
    ------
    ValueError
        When the frequencies do not rise.

    Examples
    --------
    >>> from skperceptual.functional import gammatone_frequencies
    >>> gammatone_frequencies(n_bands=4, fmin=50.0, fmax=8000.0).round(1)
    array([  50. ,  421.1, 1285.9, 3301.7])
    """
    if not 0 <= fmin < fmax:
        raise ValueError(
            f"Expected frequencies with 0 <= fmin < fmax, got fmin={fmin:g} and fmax={fmax:g} Hz. "
            "fmax is half the sampling rate where it is not given."
        )
    corner = _EAR_Q * _MIN_BANDWIDTH
    step = (math.log(fmin + corner) - math.log(fmax + corner)) / n_bands
    return -corner + (fmax + corner) * np.exp(np.arange(n_bands, 0, -1) * step)


def gammatone_filters(frequencies: ArrayLike, *, sr: float) -> NDArray[np.float64]:
    """Design gammatone filters of fourth order, with a gain of 1 at their centres.

    Each is a cascade of four sections ``(1 + c_k / z) / (1 + a_1 / z + a_2 / z**2)`` with the
    same poles, and a gain.

    Parameters
    ----------
    frequencies : array-like of shape (n_bands,)
        Centre frequencies in Hz.
    sr : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_bands, 7)
        Of each filter ``a_1, a_2, c_1, c_2, c_3, c_4`` and the gain.

    Raises
    ------
    ValueError
        When a frequency is not between 0 and half the sampling rate.

    Examples
    --------
    >>> from skperceptual.functional import gammatone_filters
    >>> gammatone_filters([1000.0], sr=16000).round(3)
    array([[-1.752,  0.899, -1.752, -0.   , -1.026, -0.726,  0.   ]])
    """
    frequencies = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    if not ((frequencies > 0) & (frequencies < sr / 2)).all():
        raise ValueError(
            f"Expected centre frequencies above 0 and below sr / 2 = {sr / 2:g} Hz, got "
            f"{frequencies.min():g} to {frequencies.max():g} Hz. Lower fmax, or correct sr."
        )
    angle = 2 * np.pi * frequencies / sr
    bandwidth = 2 * np.pi * _WIDTH * (frequencies / _EAR_Q + _MIN_BANDWIDTH)
    decay = np.exp(-bandwidth / sr)
    a1, a2 = -2 * np.cos(angle) * decay, decay**2
    outer, inner = math.sqrt(3 + 2**1.5), math.sqrt(3 - 2**1.5)
    zeros = [
        -decay * (np.cos(angle) + turn * np.sin(angle)) for turn in (outer, -outer, inner, -inner)
    ]
    delay = np.exp(-1j * angle)
    response = np.prod([1 + zero * delay for zero in zeros], axis=0)
    response /= (1 + a1 * delay + a2 * delay**2) ** 4
    return np.stack([a1, a2, *zeros, 1 / np.abs(response)], axis=1)


def gammatone_levels(
    signal: Tensor,
    *,
    sr: float,
    n_bands: int = 32,
    fmin: float = 50.0,
    fmax: float | None = None,
    win_length: int,
    hop_length: int,
    filtering: str = "frame",
) -> Tensor:
    """Give the root mean square of each gammatone band, frame by frame.

    Parameters
    ----------
    signal : Tensor of shape (..., n_times)
        Signals, at least ``win_length`` samples.
    sr : float
        Sampling rate in Hz.
    n_bands : int, default=32
        Number of bands.
    fmin : float, default=50.0
        The lowest centre frequency in Hz.
    fmax : float or None, default=None
        The frequency in Hz one step above the highest centre; None means half the sampling rate.
    win_length : int
        Length of a frame in samples.
    hop_length : int
        Distance between frames in samples.
    filtering : {"frame", "signal"}, default="frame"
        ``"frame"`` multiplies every frame by a symmetric Hann window and filters it by itself,
        from rest, as ViSQOL does [1]_. ``"signal"`` filters the signal as a whole, and frames
        have no window.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        Levels, with ``1 + (n_times - win_length) // hop_length`` frames.

    Raises
    ------
    ValueError
        When the signal is shorter than a frame, or a parameter is out of range.

    References
    ----------
    .. [1] M. Chinen, F. S. C. Lim, J. Skoglund, N. Gureev, F. O'Gorman, A. Hines, "ViSQOL v3: an
       open source production ready objective speech and audio metric", QoMEX 2020.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import gammatone_levels
    >>> tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000)
    >>> levels = gammatone_levels(tone, sr=16000, n_bands=8, win_length=1280, hop_length=320)
    >>> levels.shape, int(levels[:, 10].argmax())
    (torch.Size([8, 47]), 4)
    """
    if filtering not in FILTERINGS:
        raise ValueError(f"filtering={filtering!r} is unknown. Use 'frame' or 'signal'.")
    if win_length < (2 if filtering == "frame" else 1) or hop_length < 1:
        raise ValueError(
            f"Expected frames of at least 2 samples, or 1 with filtering='signal', and at least 1 "
            f"between them, got win_length={win_length} and hop_length={hop_length}."
        )
    n_times = signal.shape[-1]
    if n_times < win_length:
        raise ValueError(
            f"Expected at least win_length={win_length} samples, got {n_times}. Use a longer "
            "signal or shorter frames."
        )
    fmax = sr / 2 if fmax is None else fmax
    frequencies = gammatone_frequencies(n_bands=n_bands, fmin=fmin, fmax=fmax)
    filters = gammatone_filters(frequencies, sr=sr)
    if filtering == "frame":
        window = torch.tensor(symmetric_hann(win_length), dtype=signal.dtype, device=signal.device)
        signal = signal.unfold(-1, win_length, hop_length) * window
    n_longest = signal.shape[-1]
    n_fft = 2 ** (2 * n_longest - 2).bit_length()
    spectrum = torch.fft.rfft(signal, n_fft)
    levels = []
    for coefficients in filters:
        response = torch.tensor(
            _impulse_response(coefficients, n_longest),
            dtype=signal.dtype,
            device=signal.device,
        )
        band = torch.fft.irfft(spectrum * torch.fft.rfft(response, n_fft), n_fft)[..., :n_longest]
        if filtering == "signal":
            band = band.unfold(-1, win_length, hop_length)
        power = band.square().mean(dim=-1)
        sounds = power > 0  # the root has no gradient at silence
        levels.append(torch.where(sounds, torch.where(sounds, power, 1.0).sqrt(), 0.0))
    return torch.stack(levels, dim=-2)


def symmetric_hann(n: int) -> NDArray[np.float64]:
    """Give a Hann window that is 0 at both ends.

    Parameters
    ----------
    n : int
        Its length in samples, at least 2.

    Returns
    -------
    ndarray of shape (n,)
        The window.
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / (n - 1))


def _impulse_response(coefficients: NDArray[np.float64], n_times: int) -> NDArray[np.float64]:
    """Give the first samples of a filter's response to an impulse, until it has died away."""
    from scipy.signal import sosfilt

    a1, a2, *zeros, gain = coefficients
    impulse = np.zeros(min(n_times, math.ceil(_DECAY / (-0.5 * math.log(a2)))))
    impulse[0] = gain
    return sosfilt([[1, zero, 0, 1, a1, a2] for zero in zeros], impulse)
