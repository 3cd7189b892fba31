"""OpenL3 as an embedding."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import partial
from numbers import Real
from typing import Any, ClassVar

from torch import nn

from skperceptual.embeddings.pretrained import PretrainedEmbedding
from skperceptual.functional.openl3 import (
    OPENL3_BANDS,
    OPENL3_FRONTENDS,
    OPENL3_SR,
    openl3_spectrogram,
    openl3_windows,
)
from skperceptual.networks import OpenL3Network, WindowedEmbedder
from skperceptual.utils._sklearn import Interval, Options, StrOptions

_BLOCK = 8


class OpenL3(PretrainedEmbedding):
    """OpenL3: vectors of 512 or 6144 numbers, trained to tell which sounds belong to a picture.

    The audio network of Cramer et al. [1]_ on windows of one second at 48 kHz, with the weights
    that its authors published for music and for environmental sounds. The weights are a file of
    about 19 MB that is not part of this package; see Notes.

    Parameters
    ----------
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        What the network reads: a linear frequency axis, or 128 or 256 mel bands. Each has weights
        of its own.
    content_type : {"music", "env"}, default="music"
        Which videos it was trained on, those with music or those of the environment.
    embedding_size : {512, 6144}, default=512
        Length of a vector. Each number of 512 is the largest of 12 of 6144, of the same weights.
    frontend : {"kapre-0.1", "openl3-0.4"}, default="kapre-0.1"
        How mel bands are computed: as in the training and in OpenL3 up to its version 0.3, or as
        in OpenL3 since 0.4. The vectors of the two differ by more than most degradations change
        them, so compare scores of one front end alone, and name it. No difference for
        ``"linear"``.
    center : bool, default=True
        Put half a second of silence in front, so that frames are centred on multiples of the hop.
    hop_seconds : float, default=0.1
        Distance between frames. A frame takes about 0.3 s on one core of a CPU: 0.5 or 1.0 is five
        or ten times as fast.
    weights : path-like, default=None
        The file of weights, ``.h5.gz``, ``.h5`` or ``.npz``. None looks for it in the folder that
        the environment variable ``SKPERCEPTUAL_WEIGHTS_DIR`` names and in that of
        :func:`skperceptual.datasets.fetch_openl3_weights`.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.

    Attributes
    ----------
    sr : int
        48000 Hz, the rate of the signals that it reads.
    min_samples : int
        1: zeros fill the last window, as in the original, so that any clip gives a frame.
    n_dims : int
        The same as ``embedding_size``.
    weights_sha256_ : dict of str to str
        SHA-256 of each file of weights, after ``fit``. ``transform`` then refuses other files.

    See Also
    --------
    VGGish : At 16 kHz.
    skperceptual.datasets.fetch_openl3_weights : Downloads the weights.

    Notes
    -----
    The original resamples by resampy before 0.3, and metrics of this package by soxr, so vectors
    of recordings at other rates than 48 kHz differ a little from published ones.

    Nothing is downloaded unless asked. A file of a published name is checked against the identity
    of the published one before it is opened. ``.h5`` files need the extra ``openl3`` (h5py);
    :func:`convert_weights` turns one into an ``.npz`` file, which does not.

    The weights are published under CC BY 4.0, which asks you to name their authors.

    References
    ----------
    .. [1] J. Cramer, H.-H. Wu, J. Salamon, J. P. Bello, "Look, listen, and learn more: design
       choices for deep audio embeddings", ICASSP 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets import fetch_openl3_weights
    >>> from skperceptual.embeddings import OpenL3
    >>> embedding = OpenL3(weights=fetch_openl3_weights(), hop_seconds=0.5)  # doctest: +SKIP
    >>> embedding.fit_transform(np.zeros((2, 96000))).shape  # doctest: +SKIP
    (2, 4, 512)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "input_repr": [StrOptions(set(OPENL3_BANDS))],
        "content_type": [StrOptions({"music", "env"})],
        "embedding_size": [Options(int, {512, 6144})],
        "frontend": [StrOptions(set(OPENL3_FRONTENDS))],
        "center": ["boolean"],
        "hop_seconds": [Interval(Real, 1 / OPENL3_SR, None, closed="left")],
        "weights": [str, os.PathLike, None],
        "device": [str],
    }

    sr = OPENL3_SR
    min_samples = 1
    hop_seconds: float

    def __init__(
        self,
        *,
        input_repr: str = "mel256",
        content_type: str = "music",
        embedding_size: int = 512,
        frontend: str = "kapre-0.1",
        center: bool = True,
        hop_seconds: float = 0.1,
        weights: str | os.PathLike[str] | None = None,
        device: str = "auto",
    ) -> None:
        self.input_repr = input_repr
        self.content_type = content_type
        self.embedding_size = embedding_size
        self.frontend = frontend
        self.center = center
        self.hop_seconds = hop_seconds
        self.weights = weights
        self.device = device

    @property
    def n_dims(self) -> int:  # type: ignore[override]
        """The same as ``embedding_size``."""
        return self.embedding_size

    def _fetch_call(self, model: str) -> str:
        kind = f"{self.input_repr!r}, {self.content_type!r}"
        return f"skperceptual.datasets.fetch_openl3_weights({kind})"

    def _weight_files(self) -> dict[str, str | os.PathLike[str] | None]:
        return {f"openl3_{self.input_repr}_{self.content_type}": self.weights}

    def _network_parameters(self) -> tuple[Hashable, ...]:
        return (self.input_repr, self.embedding_size)

    @staticmethod
    def _make_network(*parameters: Any) -> nn.Module:
        return OpenL3Network(*parameters)

    def _make_module(self, network: nn.Module) -> nn.Module:
        return WindowedEmbedder(
            cut=partial(openl3_windows, hop_seconds=self.hop_seconds, center=self.center),
            to_image=partial(
                openl3_spectrogram, input_repr=self.input_repr, frontend=self.frontend
            ),
            network=network,
            to_vector=nn.Identity(),
            block_size=_BLOCK,
        )
