"""From mel bands back to the bins of the Fourier transform."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from skperceptual.functional.spectrogram import sparse_filterbank


def mel_to_spectrogram(
    mel: Tensor,
    *,
    sr: float,
    n_fft: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    max_iter: int = 100,
) -> Tensor:
    """Find the non-negative spectrogram whose mel bands come closest to those given.

    The least-squares problem ``min ||M S - mel||`` subject to ``S >= 0`` is solved by
    accelerated projected gradient steps [1]_ from 0, each bin with its own step, the inverse of
    ``M'M 1`` (a diagonal that bounds the curvature because no weight of ``M`` is negative [2]_).
    Banks with narrow filters are nearly singular: an unconstrained solution, the pseudo-inverse
    clipped at 0, blows up by factors of hundreds on bands that no signal could have, such as
    those of a generated or compressed image, which this solution fits as well as can be.

    Parameters
    ----------
    mel : Tensor of shape (..., n_mels, n_frames)
        Mel bands.
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the Fourier transform in samples.
    fmin : float, default=0.0
        Lowest corner of the filters in Hz; see :func:`mel_filterbank`.
    fmax : float or None, default=None
        Highest corner in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        Area 1 or height 1.
    max_iter : int, default=100
        Number of steps. With 100 the residual ends within 0.002 of the bands' norm above the
        smallest one on full banks, and within 0.025 on sparse ones.

    Returns
    -------
    Tensor of shape (..., n_fft // 2 + 1, n_frames)
        The spectrogram, to the power that the bands were formed of. Bins that no filter holds
        are 0.

    References
    ----------
    .. [1] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
       inverse problems", SIAM Journal on Imaging Sciences 2(1), 183-202, 2009.
    .. [2] H. Erdogan, J. A. Fessler, "Ordered subsets algorithms for transmission tomography",
       Physics in Medicine & Biology 44(11), 2835-2851, 1999.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import mel_to_spectrogram
    >>> mel_to_spectrogram(torch.ones(40, 10), sr=16000, n_fft=512).shape
    torch.Size([257, 10])
    """
    bank = sparse_filterbank(
        mel, sr=sr, n_fft=n_fft, n_mels=mel.shape[-2], fmin=fmin, fmax=fmax, htk=htk, norm=norm
    )
    adjoint = bank.mT.coalesce() if bank.is_sparse else bank.mT
    curvature = adjoint @ (bank @ mel.new_ones(bank.shape[1], 1))
    step = torch.where(curvature > 0, 1 / curvature, torch.zeros_like(curvature))
    target = mel.movedim(-2, 0).reshape(mel.shape[-2], -1)
    solution = look_ahead = mel.new_zeros(bank.shape[1], target.shape[1])
    inertia = 1.0
    for _ in range(max_iter):
        gradient = adjoint @ (bank @ look_ahead - target)
        previous, solution = solution, (look_ahead - step * gradient).clamp(min=0.0)
        before, inertia = inertia, (1 + math.sqrt(1 + 4 * inertia**2)) / 2
        look_ahead = solution + (before - 1) / inertia * (solution - previous)
    return solution.unflatten(-1, (*mel.shape[:-2], mel.shape[-1])).movedim(0, -2)
