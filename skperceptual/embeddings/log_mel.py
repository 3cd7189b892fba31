"""The embedding that nobody had to train: the mel bands of each frame, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skperceptual.embeddings.base import Embedding
from skperceptual.functional.spectrogram import mel_spectrogram
from skperceptual.utils._sklearn import Interval


class LogMelEmbedding(Embedding):
    """Mel bands as an embedding: ``ln(1 + S / eps)`` of each frame.

    Nothing in it was learned from data, which makes it the baseline that a trained embedding has to
    beat. Silence is the vector of zeros.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate in Hz of the signals that it reads.
    n_fft : int, default=1024
        Length of a frame and of its Fourier transform in samples.
    hop_length : int, default=512
        Distance between frames in samples.
    n_mels : int, default=64
        Number of bands, the length of a frame's vector.
    fmin : float, default=0.0
        Lowest corner of the filters in Hz.
    fmax : float, default=None
        Highest corner in Hz; None means half the sampling rate.
    eps : float, default=1e-3
        Magnitude at which the scale turns from linear to logarithmic, above 0. A full-scale sine
        gives about 1 to 10.
    center : bool, default=False
        Pad signals by half a frame of zeros on both sides, so that any signal has a frame.

    Attributes
    ----------
    min_samples : int
        ``n_fft``, or 1 with ``center``.
    hop_seconds : float
        ``hop_length / sr``.
    n_dims : int
        ``n_mels``.

    See Also
    --------
    skperceptual.MelSpectrogram : The same as images, bands first.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import LogMelEmbedding
    >>> LogMelEmbedding().fit_transform(np.zeros((2, 16000))).shape
    (2, 30, 64)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sr": [Interval(Integral, 1, None, closed="left")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "center": ["boolean"],
    }

    def __init__(
        self,
        *,
        sr: int = 16000,
        n_fft: int = 1024,
        hop_length: int = 512,
        n_mels: int = 64,
        fmin: float = 0.0,
        fmax: float | None = None,
        eps: float = 1e-3,
        center: bool = False,
    ) -> None:
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.eps = eps
        self.center = center

    @property
    def min_samples(self) -> int:  # type: ignore[override]
        """The shortest clip that gives a frame, in samples."""
        return 1 if self.center else self.n_fft

    @property
    def hop_seconds(self) -> float:  # type: ignore[override]
        """Distance between frames."""
        return self.hop_length / self.sr

    @property
    def n_dims(self) -> int:  # type: ignore[override]
        """Length of the vector of a frame."""
        return self.n_mels

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        module = self.to_module()

        def embed(clip: NDArray) -> NDArray:
            with torch.inference_mode():
                return module(torch.tensor(clip[np.newaxis], dtype=torch.float64))[0].numpy()

        return embed

    def to_module(self) -> nn.Module:
        """Give the same mapping for tensors.

        Returns
        -------
        torch.nn.Module
            Maps floating-point tensors (n_signals, n_times), at ``sr``, to (n_signals, n_frames,
            n_mels), in their precision.
        """
        return _LogMel(
            self.eps,
            sr=self.sr,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            fmin=self.fmin,
            fmax=self.fmax,
            center=self.center,
        )


class _LogMel(nn.Module):
    def __init__(self, eps: float, **parameters: Any) -> None:
        super().__init__()
        self.eps = eps
        self.parameters_of_mel = parameters

    def forward(self, signals: Tensor) -> Tensor:
        bands = mel_spectrogram(signals, **self.parameters_of_mel)
        return torch.log1p(bands / self.eps).mT
