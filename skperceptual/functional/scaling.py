"""From spectrograms to the values of images and back: logarithm, decibels, the unit interval."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.mel import mel_filterbank
from skperceptual.functional.spectrogram import padded_window

# librosa's floor: a magnitude of 1e-5, a power of 1e-10, -100 dB.
QUIETEST_MAGNITUDE = 1e-5
# Steps between bins when looking for the frequency that excites a band most: the loudness of the
# best of them lies within 0.1 % of the maximum.
_STEPS_PER_BIN = 32


def to_log(spectrogram: Tensor, *, eps: float = 1e-3) -> Tensor:
    """Compress a spectrogram to ``ln(S + eps)``.

    Parameters
    ----------
    spectrogram : Tensor
        Spectrogram, not negative.
    eps : float, default=1e-3
        What is added, the floor of the logarithm.

    Returns
    -------
    Tensor
        The natural logarithm, in the shape of the spectrogram.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import to_log
    >>> to_log(torch.tensor([0.0, 0.999]))
    tensor([-6.9078,  0.0000])
    """
    return torch.log(spectrogram + eps)


def from_log(image: Tensor, *, eps: float = 1e-3) -> Tensor:
    """Undo :func:`to_log`; what lies below the floor gives 0.

    Parameters
    ----------
    image : Tensor
        Natural logarithm of a spectrogram.
    eps : float, default=1e-3
        What was added.

    Returns
    -------
    Tensor
        The spectrogram, not negative.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import from_log
    >>> from_log(torch.tensor([-10.0, 0.0]))
    tensor([0.0000, 0.9990])
    """
    return (torch.exp(image) - eps).clamp(min=0.0)


def to_log01(spectrogram: Tensor, *, data_range: tuple[float, float], eps: float = 1e-3) -> Tensor:
    """Map ``ln(S + eps)`` linearly from a range to [0, 1] and clip what lies outside.

    Parameters
    ----------
    spectrogram : Tensor
        Spectrogram, not negative.
    data_range : (float, float)
        The natural logarithms that become 0 and 1.
    eps : float, default=1e-3
        What is added, the floor of the logarithm.

    Returns
    -------
    Tensor
        Values in [0, 1], in the shape of the spectrogram.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import to_log01
    >>> to_log01(torch.tensor([0.0, 0.999, 9.0]), data_range=(-2.0, 2.0))
    tensor([0.0000, 0.5000, 1.0000])
    """
    low, high = data_range
    return ((to_log(spectrogram, eps=eps) - low) / (high - low)).clamp(0.0, 1.0)


def from_log01(image: Tensor, *, data_range: tuple[float, float], eps: float = 1e-3) -> Tensor:
    """Undo :func:`to_log01`, but for what was clipped.

    Parameters
    ----------
    image : Tensor
        Image in [0, 1].
    data_range : (float, float)
        The natural logarithms that became 0 and 1.
    eps : float, default=1e-3
        What was added.

    Returns
    -------
    Tensor
        The spectrogram, not negative.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import from_log01
    >>> from_log01(torch.tensor([0.5]), data_range=(-2.0, 2.0))
    tensor([0.9990])
    """
    low, high = data_range
    return from_log(low + image * (high - low), eps=eps)


def to_decibels(spectrogram: Tensor, *, power: float = 1.0, top_db: float | None = 80.0) -> Tensor:
    """Convert a spectrogram to decibels re 1, as librosa does.

    Magnitudes below 1e-5 count as 1e-5, -100 dB.

    Parameters
    ----------
    spectrogram : Tensor of shape (..., n_bands, n_frames)
        Spectrogram, not negative.
    power : float, default=1.0
        Exponent that the magnitudes were raised to; decibels are of the power, exponent 2.
    top_db : float or None, default=80.0
        Raise everything that lies further below the image's own maximum; None leaves it.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        Decibels.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import to_decibels
    >>> to_decibels(torch.tensor([[1e-3, 10.0, 0.0]]))
    tensor([[-60.,  20., -60.]])
    """
    floor = QUIETEST_MAGNITUDE**power
    decibels = 20.0 / power * torch.log10(spectrogram.clamp(min=floor))
    if top_db is None:
        return decibels
    return torch.maximum(decibels, decibels.amax(dim=(-2, -1), keepdim=True) - top_db)


def from_decibels(image: Tensor, *, power: float = 1.0) -> Tensor:
    """Undo :func:`to_decibels`, but for what was raised to its floor.

    Parameters
    ----------
    image : Tensor
        Decibels re 1.
    power : float, default=1.0
        Exponent of the magnitudes that the spectrogram is to hold.

    Returns
    -------
    Tensor
        The spectrogram.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import from_decibels
    >>> from_decibels(torch.tensor([20.0]), power=2.0)
    tensor([100.])
    """
    return 10.0 ** (image * (power / 20.0))


def full_scale_peak(
    *,
    sr: float,
    n_fft: int,
    n_mels: int,
    win_length: int | None = None,
    window: str | tuple[Any, ...] = "hann",
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    power: float = 1.0,
) -> float:
    """Give the largest value that a full-scale sine puts into any band of a mel spectrogram.

    A steady sine of frequency ``f``, in bins, and amplitude 1 gives the coefficients
    ``|X_k| <= (|W(k - f)| + |W(k + f)|) / 2`` with the spectrum ``W`` of the window, reached when
    both parts are in phase; the second matters next to 0 Hz and half the sampling rate only. The
    value of a band is the weighted sum of ``|X_k|**power``. Its maximum is taken over all bands
    and over frequencies 1/32 of a bin apart: from the parameters alone, never from data.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of a frame in samples.
    n_mels : int
        Number of bands.
    win_length : int or None, default=None
        Length of the window; None means ``n_fft``.
    window : str or tuple, default="hann"
        Window; see :func:`stft`.
    fmin : float, default=0.0
        Lowest corner of the filters in Hz; see :func:`mel_filterbank`.
    fmax : float or None, default=None
        Highest corner in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        Area 1 or height 1.
    power : float, default=1.0
        Exponent of the magnitude.

    Returns
    -------
    float
        The value; 0 when no filter holds a bin.

    Examples
    --------
    A filter of height 1 that holds one bin alone: half the sum of the window.

    >>> from skperceptual.functional import full_scale_peak
    >>> round(full_scale_peak(sr=16000, n_fft=512, n_mels=1, fmin=480.0, fmax=520.0, norm=None), 2)
    128.0
    """
    return _full_scale_peak(sr, n_fft, n_mels, win_length, window, fmin, fmax, htk, norm, power)


@lru_cache(maxsize=64)
def _full_scale_peak(
    sr: float,
    n_fft: int,
    n_mels: int,
    win_length: int | None,
    window: str | tuple[Any, ...],
    fmin: float,
    fmax: float | None,
    htk: bool,
    norm: str | None,
    power: float,
) -> float:
    bank = mel_filterbank(
        sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm
    )
    leakage = np.abs(np.fft.fft(padded_window(window, win_length, n_fft), _STEPS_PER_BIN * n_fft))
    # A quarter of a bin apart no maximum is more than 1/8 of a bin away, where even the narrowest
    # spectrum of a window, the boxcar's, has lost less than 3 %: look closer from there up.
    coarse_step = _STEPS_PER_BIN // 4
    nearby = np.arange(-coarse_step // 2, coarse_step // 2 + 1)
    peak = 0.0
    for weights in bank:
        bins = np.flatnonzero(weights)
        if not bins.size:
            continue
        first, last = _STEPS_PER_BIN * (bins[0] - 1), _STEPS_PER_BIN * (bins[-1] + 1)
        coarse = np.arange(max(first, 0), min(last, len(leakage) // 2) + 1, coarse_step)
        values = _sine_response(coarse, bins, weights[bins], leakage, power)
        close = coarse[values > (1 - 0.03 * power) * max(peak, values.max())]
        if close.size:
            fine = np.unique(np.abs(close[:, np.newaxis] + nearby))
            peak = max(peak, _sine_response(fine, bins, weights[bins], leakage, power).max())
    return float(peak)


def _sine_response(
    frequencies: NDArray[np.intp],
    bins: NDArray[np.intp],
    weights: NDArray[np.float64],
    leakage: NDArray[np.float64],
    power: float,
) -> NDArray[np.float64]:
    """Give a band's response to full-scale sines, whose frequencies count 1/32 of a bin."""
    centers = _STEPS_PER_BIN * bins[:, np.newaxis]
    parts = []
    for block in np.array_split(frequencies, 1 + bins.size * frequencies.size // 2**20):
        image = leakage[(centers + block) % len(leakage)]
        parts.append(weights @ ((leakage[centers - block] + image) / 2) ** power)
    return np.concatenate(parts)
