"""What VGGish sees of a signal, and what becomes of its vectors: all but the network.

References
----------
.. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
.. [2] Google's code beside the weights: tensorflow/models, research/audioset/vggish.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.spectrogram import spectrogram

VGGISH_SR = 16000
VGGISH_FRAMES, VGGISH_BANDS = 96, 64

_WIN_LENGTH, _HOP_LENGTH, _N_FFT = 400, 160, 512
_FMIN, _FMAX = 125.0, 7500.0
_OFFSET = 0.01
# An example: 96 windows of 25 ms, 10 ms apart.
VGGISH_SAMPLES = _WIN_LENGTH + _HOP_LENGTH * (VGGISH_FRAMES - 1)
# What eight bits hold of a whitened value.
_LARGEST = 2.0
_STEPS = 255.0


def vggish_windows(signals: Tensor, *, hop_seconds: float = 0.96) -> Tensor:
    """Cut signals into the pieces that VGGish makes an example of.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals at 16 kHz, 15600 samples (0.975 s) at least.
    hop_seconds : float, default=0.96
        Distance between examples, rounded to the 10 ms between frames. With 0.96 their frames
        follow one another.

    Returns
    -------
    Tensor of shape (..., n_examples, 15600)
        A view. What is left at the end is dropped.

    Raises
    ------
    ValueError
        When the signals are shorter than an example, or the distance is less than a frame.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import vggish_windows
    >>> vggish_windows(torch.zeros(2, 48000)).shape
    torch.Size([2, 3, 15600])
    """
    hop = round(hop_seconds * VGGISH_SR / _HOP_LENGTH) * _HOP_LENGTH
    if hop < _HOP_LENGTH:
        raise ValueError(
            f"hop_seconds={hop_seconds} is less than the 0.01 s between frames of VGGish. Give "
            "0.01 at least; 0.96 puts examples side by side."
        )
    if signals.shape[-1] < VGGISH_SAMPLES:
        raise ValueError(
            f"Expected signals of at least {VGGISH_SAMPLES} samples at {VGGISH_SR} Hz (0.975 s), "
            f"got {signals.shape[-1]}. Fill them with zeros at the end."
        )
    return signals.unfold(-1, VGGISH_SAMPLES, hop)


def vggish_log_mel(signals: Tensor) -> Tensor:
    """Compute the log-mel spectrogram that VGGish reads.

    Magnitudes of 25 ms every 10 ms, without padding; 64 bands from 125 to 7500 Hz, triangular in
    mels (not in Hz, as librosa's are); ``ln(mel + 0.01)``.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals at 16 kHz, 400 samples at least.

    Returns
    -------
    Tensor of shape (..., n_frames, 64)
        Time first, as the network reads it; ``n_frames = 1 + (n_times - 400) // 160``, 96 for a
        piece of 15600 samples.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import vggish_log_mel
    >>> vggish_log_mel(torch.zeros(15600))[0, 0]
    tensor(-4.6052)
    """
    # spectrogram puts the window in the middle of the frame, where the original puts it first;
    # the magnitude is the same.
    margin = (_N_FFT - _WIN_LENGTH) // 2
    padded = torch.nn.functional.pad(signals, (margin, margin))
    magnitudes = spectrogram(padded, n_fft=_N_FFT, hop_length=_HOP_LENGTH, win_length=_WIN_LENGTH)
    bank = torch.tensor(vggish_mel_matrix(), dtype=signals.dtype, device=signals.device)
    return (magnitudes.transpose(-1, -2) @ bank + _OFFSET).log()


@lru_cache(maxsize=1)
def vggish_mel_matrix() -> NDArray[np.float64]:
    """Give the mel filters of VGGish, which are triangles on the axis of mels.

    Returns
    -------
    ndarray of shape (257, 64)
        Weights of 257 bins for 64 bands, read-only; the lowest bin has none.

    Examples
    --------
    >>> from skperceptual.functional import vggish_mel_matrix
    >>> round(float(vggish_mel_matrix().sum()), 4)
    230.9136
    """
    mels = _to_mels(np.linspace(0.0, VGGISH_SR / 2, _N_FFT // 2 + 1))[:, np.newaxis]
    edges = np.linspace(_to_mels(_FMIN), _to_mels(_FMAX), VGGISH_BANDS + 2)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (mels - lower) / (center - lower)
    falling = (upper - mels) / (upper - center)
    bank = np.minimum(rising, falling).clip(min=0.0)
    bank[0] = 0.0
    bank.flags.writeable = False
    return bank


def _to_mels(frequencies: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(np.asarray(frequencies) / 700.0)


def vggish_postprocess(vectors: Tensor, *, eigenvectors: Tensor, means: Tensor) -> Tensor:
    """Whiten the vectors of VGGish and quantise them to eight bits, as in AudioSet's release.

    ``E (x - m)``, clipped to [-2, 2] and brought to the integers 0 to 255. They are rounded, as
    torchvggish does it; Google's own code drops the fraction.

    Parameters
    ----------
    vectors : Tensor of shape (..., n_dims)
        Vectors.
    eigenvectors : Tensor of shape (n_dims, n_dims)
        ``E``, whitening included.
    means : Tensor of shape (n_dims,)
        ``m``.

    Returns
    -------
    Tensor of shape (..., n_dims)
        Integers in the floating-point type of the vectors. The gradient passes through the
        rounding as if it were not there.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import vggish_postprocess
    >>> vectors = torch.tensor([[-9.0, 0.25, 2.0]])
    >>> vggish_postprocess(vectors, eigenvectors=torch.eye(3), means=torch.zeros(3))
    tensor([[  0., 143., 255.]])
    """
    whitened = (vectors - means) @ eigenvectors.transpose(-1, -2)
    scaled = (whitened.clamp(-_LARGEST, _LARGEST) + _LARGEST) * (_STEPS / (2 * _LARGEST))
    rounded = scaled.round()
    return scaled + (rounded - scaled).detach() if scaled.requires_grad else rounded
