"""VGGish as an embedding."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import lru_cache, partial
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from skperceptual.embeddings.pretrained import PretrainedEmbedding
from skperceptual.embeddings.weights.identity import stamp_of
from skperceptual.embeddings.weights.loading import load_weights
from skperceptual.embeddings.weights.shapes import VGGISH_PCA_SHAPES
from skperceptual.functional.vggish import (
    VGGISH_SAMPLES,
    VGGISH_SR,
    vggish_log_mel,
    vggish_postprocess,
    vggish_windows,
)
from skperceptual.networks import VGGishNetwork, WindowedEmbedder
from skperceptual.utils._sklearn import Interval, StrOptions

if TYPE_CHECKING:
    from skperceptual.embeddings.weights.formats import Arrays

_MODEL, _PCA_MODEL = "vggish", "vggish_pca"
_BLOCK = 32


class VGGish(PretrainedEmbedding):
    """VGGish: vectors of 128 numbers, one for each 0.96 s, trained on the sounds of videos.

    The network of Hershey et al. [1]_, trained on YouTube-8M, with the weights that Google
    published and torchvggish converted. The weights are a file of 289 MB that is not part of this
    package; see Notes.

    Parameters
    ----------
    activation : {"pre", "post"}, default="pre"
        What is taken of the last layer: its values as they are, as in Google's code since 2020 and
        as Fréchet audio distances use them, or after a rectifier, as torchvggish gives them.
    pca : bool or path-like, default=False
        Whiten the vectors and quantise them to the integers 0 to 255, as in AudioSet's release
        (and torchvggish's default, with ``activation="post"``). Needs a file of its own; True
        looks for it where weights are looked for.
    hop_seconds : float, default=0.96
        Distance between frames, in steps of 0.01 s. A frame is 0.975 s long.
    weights : path-like, default=None
        The file of weights, ``.pth`` or ``.npz``. None looks for it in the folder that the
        environment variable ``SKPERCEPTUAL_WEIGHTS_DIR`` names and in that of
        :func:`skperceptual.datasets.fetch_vggish_weights`.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.

    Attributes
    ----------
    sr : int
        16000 Hz, the rate of the signals that it reads.
    min_samples : int
        15600, the samples of a frame. Shorter clips are refused; metrics fill them with zeros.
    n_dims : int
        128.
    weights_sha256_ : dict of str to str
        SHA-256 of each file of weights, after ``fit``. ``transform`` then refuses other files.

    See Also
    --------
    OpenL3 : At 48 kHz.
    skperceptual.datasets.fetch_vggish_weights : Downloads the weights.

    Notes
    -----
    Samples that are left at the end of a clip, less than a frame, are dropped. Nothing is
    downloaded unless asked. A file of a published name is checked against its published hash
    before it is opened, ``vggish_pca_params.npz`` against its size alone, as no hash of it was
    published; every file is opened by means that execute nothing in it.

    Code and weights are published under the Apache License 2.0 (tensorflow/models and
    torchvggish).

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP
       2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets import fetch_vggish_weights
    >>> from skperceptual.embeddings import VGGish
    >>> embedding = VGGish(weights=fetch_vggish_weights())  # doctest: +SKIP
    >>> embedding.fit_transform(np.zeros((2, 48000))).shape  # doctest: +SKIP
    (2, 3, 128)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "activation": [StrOptions({"pre", "post"})],
        "pca": ["boolean", str, os.PathLike],
        "hop_seconds": [Interval(Real, 0.01, None, closed="left")],
        "weights": [str, os.PathLike, None],
        "device": [str],
    }

    sr = VGGISH_SR
    min_samples = VGGISH_SAMPLES
    n_dims = 128
    hop_seconds: float

    def __init__(
        self,
        *,
        activation: str = "pre",
        pca: bool | str | os.PathLike[str] = False,
        hop_seconds: float = 0.96,
        weights: str | os.PathLike[str] | None = None,
        device: str = "auto",
    ) -> None:
        self.activation = activation
        self.pca = pca
        self.hop_seconds = hop_seconds
        self.weights = weights
        self.device = device

    def _fetch_call(self, model: str) -> str:
        part = "part='pca'" if model == _PCA_MODEL else ""
        return f"skperceptual.datasets.fetch_vggish_weights({part})"

    def _weight_files(self) -> dict[str, str | os.PathLike[str] | None]:
        files: dict[str, str | os.PathLike[str] | None] = {_MODEL: self.weights}
        if isinstance(self.pca, (str, os.PathLike)):
            files[_PCA_MODEL] = self.pca
        elif self.pca:
            files[_PCA_MODEL] = None
        return files

    def _network_parameters(self) -> tuple[Hashable, ...]:
        return ()

    @staticmethod
    def _make_network(*parameters: Any) -> nn.Module:
        return VGGishNetwork(*parameters)

    def _make_module(self, network: nn.Module) -> nn.Module:
        path = self._locate().get(_PCA_MODEL)
        pca = None if path is None else _load_pca(path, stamp_of(path))
        device = next(network.parameters()).device
        return WindowedEmbedder(
            cut=partial(vggish_windows, hop_seconds=self.hop_seconds),
            to_image=vggish_log_mel,
            network=network,
            to_vector=_Head(self.activation, pca).to(device),
            block_size=_BLOCK,
        )


class _Head(nn.Module):
    """What becomes of the vectors of the network; its constants follow it to other devices."""

    eigenvectors: Tensor
    means: Tensor

    def __init__(self, activation: str, pca: Arrays | None) -> None:
        super().__init__()
        self.is_rectified = activation == "post"
        self.has_pca = pca is not None
        if pca is not None:
            self.register_buffer("eigenvectors", torch.tensor(pca["pca_eigen_vectors"]))
            self.register_buffer("means", torch.tensor(pca["pca_means"]))

    def forward(self, vectors: Tensor) -> Tensor:
        vectors = vectors.relu() if self.is_rectified else vectors
        if not self.has_pca:
            return vectors
        return vggish_postprocess(vectors, eigenvectors=self.eigenvectors, means=self.means)


@lru_cache(maxsize=2)
def _load_pca(path: Path, stamp: tuple[int, int]) -> Arrays:
    return load_weights(path, _PCA_MODEL, VGGISH_PCA_SHAPES)
