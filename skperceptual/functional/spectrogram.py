"""Spectrograms: the short-time Fourier transform, its magnitude, and mel bands of that.

Frames, padding and windows are librosa's. A frame's result does not depend on the frames beside
it, and the mel filters are applied as a sparse matrix, since all but a few weights in a thousand
are zero.

Every function computes in the precision of the signals it is given. In single precision, a
coefficient that lies 60 dB below the strongest one is off by up to 1e-4 of itself; the estimators
convert to double precision first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.mel import nonzero_weights

PAD_MODES = ("constant", "edge", "reflect", "symmetric")

# Values of a block of frames: its windowed copy, spectrum and magnitude stay in the cache, and
# their memory is used again for the next block. A long clip takes half the time that way.
_BLOCK_VALUES = 2**18


def stft(
    signals: Tensor,
    *,
    n_fft: int,
    hop_length: int,
    win_length: int | None = None,
    window: str | tuple[Any, ...] = "hann",
    center: bool = False,
    pad_mode: str = "constant",
) -> Tensor:
    """Compute the short-time Fourier transform.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals.
    n_fft : int
        Length of a frame and of its Fourier transform in samples.
    hop_length : int
        Distance between frames in samples.
    win_length : int or None, default=None
        Length of the window, which zeros on both sides fill up to ``n_fft``; None means
        ``n_fft``.
    window : str or tuple, default="hann"
        Window, periodic, as :func:`scipy.signal.get_window` names it.
    center : bool, default=False
        Pad the signals by ``n_fft // 2`` samples on both sides, so that frame ``t`` is centred
        on sample ``t * hop_length``. Otherwise it starts there.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}, default="constant"
        How to pad, as :func:`numpy.pad` names it; ``"constant"`` pads with zeros.

    Returns
    -------
    Tensor of shape (..., n_fft // 2 + 1, n_frames)
        Complex coefficients, ``n_frames = 1 + n_times // hop_length`` for centred frames of even
        length and ``1 + (n_times - n_fft) // hop_length`` otherwise.

    Raises
    ------
    ValueError
        When the signals are shorter than a frame, or the window is unknown or too long.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import stft
    >>> stft(torch.zeros(2, 16000), n_fft=512, hop_length=160).shape
    torch.Size([2, 257, 97])
    """
    frames = _frames(signals, n_fft, hop_length, center, pad_mode)
    taper = _taper(signals, window, win_length, n_fft)
    return torch.fft.rfft(frames * taper).transpose(-1, -2)


def spectrogram(
    signals: Tensor,
    *,
    n_fft: int,
    hop_length: int,
    win_length: int | None = None,
    window: str | tuple[Any, ...] = "hann",
    center: bool = False,
    pad_mode: str = "constant",
    power: float = 1.0,
) -> Tensor:
    """Compute the magnitude of the short-time Fourier transform, or a power of it.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals.
    n_fft, hop_length : int
        Length and distance of frames in samples; see :func:`stft`.
    win_length : int or None, default=None
        Length of the window; None means ``n_fft``.
    window : str or tuple, default="hann"
        Window.
    center : bool, default=False
        Pad the signals on both sides.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}, default="constant"
        How to pad.
    power : float, default=1.0
        Exponent of the magnitude: 1 for the magnitude, 2 for the power.

    Returns
    -------
    Tensor of shape (..., n_fft // 2 + 1, n_frames)
        The spectrogram. Its gradient is finite everywhere, on silence too, where it is 0.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import spectrogram
    >>> spectrogram(torch.ones(8), n_fft=4, hop_length=4, window="boxcar")
    tensor([[4., 4.],
            [0., 0.],
            [0., 0.]])
    """
    frames = _frames(signals, n_fft, hop_length, center, pad_mode)
    taper = _taper(signals, window, win_length, n_fft)
    return _by_blocks(lambda block: _magnitude(block * taper, power), frames)


def mel_spectrogram(
    signals: Tensor,
    *,
    sr: float,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    win_length: int | None = None,
    window: str | tuple[Any, ...] = "hann",
    center: bool = False,
    pad_mode: str = "constant",
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    power: float = 1.0,
) -> Tensor:
    """Compute the mel spectrogram: mel bands of the magnitude, or of a power of it.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals.
    sr : float
        Sampling rate in Hz.
    n_fft, hop_length : int
        Length and distance of frames in samples; see :func:`stft`.
    n_mels : int
        Number of bands.
    win_length : int or None, default=None
        Length of the window; None means ``n_fft``.
    window : str or tuple, default="hann"
        Window.
    center : bool, default=False
        Pad the signals on both sides.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}, default="constant"
        How to pad.
    fmin : float, default=0.0
        Lowest corner of the filters in Hz; see :func:`mel_filterbank`.
    fmax : float or None, default=None
        Highest corner in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        Area 1 or height 1.
    power : float, default=1.0
        Exponent of the magnitude, before the bands are formed.

    Returns
    -------
    Tensor of shape (..., n_mels, n_frames)
        The mel spectrogram. Its gradient is finite everywhere.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import mel_spectrogram
    >>> noise = torch.randn(2, 67328, generator=torch.Generator().manual_seed(0))
    >>> mel_spectrogram(noise, sr=16000, n_fft=1024, hop_length=260, n_mels=256).shape
    torch.Size([2, 256, 256])
    """
    frames = _frames(signals, n_fft, hop_length, center, pad_mode)
    taper = _taper(signals, window, win_length, n_fft)
    bank = sparse_filterbank(
        signals, sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm
    )
    return _by_blocks(lambda block: multiply_bands(bank, _magnitude(block * taper, power)), frames)


def sparse_filterbank(like: Tensor, **parameters: Any) -> Tensor:
    """Give the mel filterbank as a sparse matrix with the type and on the device of a tensor.

    Parameters
    ----------
    like : Tensor
        The tensor that the matrix is to be multiplied by.
    **parameters : dict
        The parameters of :func:`mel_filterbank`.

    Returns
    -------
    Tensor of shape (n_mels, n_fft // 2 + 1)
        The matrix.
    """
    indices, weights = nonzero_weights(**parameters)
    bank = torch.sparse_coo_tensor(
        torch.tensor(indices),
        torch.tensor(weights),
        (parameters["n_mels"], parameters["n_fft"] // 2 + 1),
        dtype=like.dtype,
        device=like.device,
        check_invariants=False,
        is_coalesced=True,
    )
    # torch has no sparse product on Apple's GPU.
    return bank.to_dense() if like.device.type == "mps" else bank


def multiply_bands(matrix: Tensor, image: Tensor) -> Tensor:
    """Multiply the band axis of images by a sparse matrix.

    Parameters
    ----------
    matrix : Tensor of shape (n_out, n_bands)
        The matrix.
    image : Tensor of shape (..., n_bands, n_frames)
        The images.

    Returns
    -------
    Tensor of shape (..., n_out, n_frames)
        The products.
    """
    columns = image.movedim(-2, 0).reshape(image.shape[-2], -1).contiguous()
    product = (matrix @ columns).unflatten(-1, (*image.shape[:-2], image.shape[-1]))
    return product.movedim(0, -2)


def padded_window(
    window: str | tuple[Any, ...], win_length: int | None, n_fft: int
) -> NDArray[np.float64]:
    """Give the periodic window in the middle of a frame, zeros on both sides.

    Parameters
    ----------
    window : str or tuple
        Window as :func:`scipy.signal.get_window` names it.
    win_length : int or None
        Length of the window in samples; None means ``n_fft``.
    n_fft : int
        Length of the frame in samples.

    Returns
    -------
    ndarray of shape (n_fft,)
        The window, read-only.

    Raises
    ------
    ValueError
        When the window is unknown or longer than the frame.

    Examples
    --------
    >>> from skperceptual.functional import padded_window
    >>> padded_window("hann", 4, 8)
    array([0. , 0. , 0. , 0.5, 1. , 0.5, 0. , 0. ])
    """
    return _padded_window(window, n_fft if win_length is None else win_length, n_fft)


@lru_cache(maxsize=64)
def _padded_window(
    window: str | tuple[Any, ...], win_length: int, n_fft: int
) -> NDArray[np.float64]:
    from scipy.signal import get_window

    if win_length > n_fft:
        raise ValueError(
            f"win_length={win_length} is longer than the frame, n_fft={n_fft}. Raise n_fft or "
            "lower win_length."
        )
    try:
        values = get_window(window, win_length, fftbins=True)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"window={window!r} is not a window that scipy.signal.get_window knows. Use a name "
            "such as 'hann', or a tuple of name and parameters such as ('kaiser', 14.0)."
        ) from error
    left = (n_fft - win_length) // 2
    padded = np.pad(values, (left, n_fft - win_length - left))
    padded.flags.writeable = False
    return padded


def _taper(
    signals: Tensor, window: str | tuple[Any, ...], win_length: int | None, n_fft: int
) -> Tensor:
    values = padded_window(window, win_length, n_fft)
    return torch.tensor(values, dtype=signals.dtype, device=signals.device)


def _frames(signals: Tensor, n_fft: int, hop_length: int, center: bool, pad_mode: str) -> Tensor:
    """Give views (..., n_frames, n_fft) of the padded signals."""
    if not signals.is_floating_point():
        raise TypeError(f"Expected floating-point signals, full scale 1, got {signals.dtype}.")
    n_times = signals.shape[-1]
    needed = 1 if center else n_fft
    if n_times < needed:
        raise ValueError(
            f"Expected signals of at least {needed} samples (n_fft={n_fft}, center={center}), "
            f"got {n_times}. Pad them, lower n_fft, or use center=True."
        )
    if center and pad_mode == "constant":
        signals = torch.nn.functional.pad(signals, (n_fft // 2, n_fft // 2))
    elif center:
        # NumPy reflects as often as a long border needs; torch refuses one longer than the clip.
        source = np.pad(np.arange(n_times), n_fft // 2, mode=pad_mode)  # type: ignore[call-overload]
        signals = signals[..., torch.from_numpy(source).to(signals.device)]
    return signals.unfold(-1, n_fft, hop_length)


def _magnitude(windowed: Tensor, power: float) -> Tensor:
    """Turn windowed frames (..., n_frames, n_fft) into |X|**power, (..., n_bins, n_frames)."""
    coefficients = torch.fft.rfft(windowed).transpose(-1, -2)
    squared = coefficients.real.square() + coefficients.imag.square()
    if power == 2:
        return squared
    root = torch.sqrt if power == 1 else partial(torch.pow, exponent=power / 2)
    if not squared.requires_grad:
        return root(squared)
    # The slope of a root is infinite at 0: silent coefficients go round it, by way of 1.
    silent = (squared == 0).to(squared.dtype)
    return root(squared + silent) - silent


def _by_blocks(function: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    """Apply a function of frames (..., n_frames, n_fft) to a block of them at a time."""
    if frames.device.type != "cpu":
        return function(frames)
    values_per_frame = math.prod(frames.shape[:-2]) * frames.shape[-1]
    size = max(1, _BLOCK_VALUES // values_per_frame)
    return torch.cat([function(block) for block in frames.split(size, dim=-2)], dim=-1)
