"""Embeddings whose weights are in a file that is not part of the package."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.base import map_clips
from skperceptual.embeddings.base import Embedding
from skperceptual.embeddings.naming import describe
from skperceptual.embeddings.weights.identity import WeightsError, digests_of, stamp_of
from skperceptual.embeddings.weights.loading import load_weights
from skperceptual.embeddings.weights.location import locate
from skperceptual.embeddings.weights.shapes import shapes_of_network
from skperceptual.embeddings.weights.source import source_sha256
from skperceptual.utils._sklearn import _fit_context
from skperceptual.utils.devices import resolve_device

if TYPE_CHECKING:
    import torch
    from torch import nn

# Parameters that say where weights are, whose hashes stand for them.
_WEIGHT_PARAMETERS = ("weights", "pca")


class PretrainedEmbedding(Embedding):
    """Base of the embeddings whose weights are a file of their own.

    Networks are loaded at first use and kept for the process, so that clones and the folds of a
    cross-validation share one. A pickle holds the path of the file and, after ``fit``, its SHA-256,
    never the weights.

    A subclass defines the parameters ``weights`` and ``device``, and the methods without a body.

    Attributes
    ----------
    weights_sha256_ : dict of str to str
        SHA-256 of each file of weights, after ``fit``. ``transform`` then refuses other files.

    Examples
    --------
    >>> from skperceptual.embeddings import OpenL3, VGGish
    >>> from skperceptual.embeddings.pretrained import PretrainedEmbedding
    >>> issubclass(VGGish, PretrainedEmbedding), issubclass(OpenL3, PretrainedEmbedding)
    (True, True)
    """

    device: str

    @abstractmethod
    def _fetch_call(self, model: str) -> str:
        """Give the call that downloads the weights of a model, for messages."""

    @abstractmethod
    def _weight_files(self) -> dict[str, str | os.PathLike[str] | None]:
        """Give the models whose weights are needed, the network's first, each with its path.

        The path is what the user says, None where the usual folders are to be searched.
        """

    @abstractmethod
    def _network_parameters(self) -> tuple[Hashable, ...]:
        """Give what ``_make_network`` is called with, which says apart what is kept."""

    @staticmethod
    @abstractmethod
    def _make_network(*parameters: Any) -> nn.Module:
        """Make the network, without its weights."""

    @abstractmethod
    def _make_module(self, network: nn.Module) -> nn.Module:
        """Make of a network with its weights the module from signals to frames."""

    def _locate(self) -> dict[str, Path]:
        return {
            model: locate(model, given, fetch=self._fetch_call(model))
            for model, given in self._weight_files().items()
        }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the signals, and find and check the files of weights; there is nothing to learn.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), pairs of shape (n_pairs, 2, n_times), or a
            list of either where lengths differ.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The embedding itself.

        Raises
        ------
        MissingWeightsError
            When there are no weights; the message says how they get there.
        WeightsError
            When the file is not what it should be.
        """
        self._validate_signals(X, reset=True)
        self._make_module(self._network())  # reads the other files as well
        self.weights_sha256_ = {
            model: digests_of(path).sha256 for model, path in self._locate().items()
        }
        return self

    def transform(self, X: Any) -> Any:
        """Embed every clip, each by itself, on all threads that torch may use.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times) at ``sr``, pairs of shape (n_pairs, 2, n_times),
            or a list of either where lengths differ.

        Returns
        -------
        ndarray or list
            Frames of shape (n_signals, n_frames, n_dims) or (n_pairs, 2, n_frames, n_dims), in
            the floating-point type of the signals; a list for a list.

        Raises
        ------
        MissingWeightsError
            When there are no weights; the message says how they get there.
        WeightsError
            When the file is not what it should be, or not the one of ``fit``.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        return map_clips(self._prepare(), batch)

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        import torch

        network = self._network()
        module = self._make_module(network).eval()
        device = next(network.parameters()).device
        # Images are computed in double precision, which Apple's GPU does not have.
        dtype = torch.float32 if device.type == "mps" else torch.float64

        def embed(clip: NDArray) -> NDArray:
            signals = torch.tensor(clip[np.newaxis], dtype=dtype, device=device)
            with torch.no_grad():
                return module(signals)[0].cpu().numpy()

        return embed

    def to_module(self) -> nn.Module:
        """Give the embedding as a module, for losses and for signals that are optimised.

        Returns
        -------
        torch.nn.Module
            Maps floating-point tensors (n_signals, n_times), at ``sr``, to (n_signals, n_frames,
            n_dims), differentiable with respect to the signals. A copy on the CPU or on
            ``device``, in evaluation mode, whose parameters do not ask for gradients.
        """
        self._validate_params()
        return self._make_module(copy.deepcopy(self._network())).eval().requires_grad_(False)

    def identity(self) -> str:
        """Name the embedding by what decides its vectors, alike in every process.

        Returns
        -------
        str
            The class, its parameters but for device and paths, and of each file of weights the
            beginning of its SHA-256, of a converted one that of the file it was converted from.

        Raises
        ------
        MissingWeightsError
            When there are no weights.
        """
        sources = {model: source_sha256(path) for model, path in self._locate().items()}
        return describe(self, leave_out=_WEIGHT_PARAMETERS, **sources)

    def _network(self) -> nn.Module:
        paths = self._locate()
        expected = getattr(self, "weights_sha256_", {})
        for model, path in paths.items():
            if model in expected and digests_of(path).sha256 != expected[model]:
                raise WeightsError(
                    f"This {type(self).__name__} was fitted with other weights of {model} than "
                    f"those in {path}: expected SHA-256 {expected[model]}, got "
                    f"{digests_of(path).sha256}. Put back that file, or fit again."
                )
        model, path = next(iter(paths.items()))
        return _load_network(
            type(self),  # type: ignore[arg-type]
            self._network_parameters(),
            model,
            path,
            stamp_of(path),
            resolve_device(self.device),
        )


@lru_cache(maxsize=4)
def _load_network(
    cls: type[PretrainedEmbedding],
    parameters: tuple[Hashable, ...],
    model: str,
    path: Path,
    stamp: tuple[int, int],
    device: torch.device,
) -> nn.Module:
    import torch

    with torch.device("meta"):  # no memory, and no random numbers, for what is to be replaced
        network = cls._make_network(*parameters)
    arrays = load_weights(path, model, shapes_of_network(network))
    state = {
        name: torch.from_numpy(arrays[name]) if name in arrays else torch.zeros(tensor.shape)
        for name, tensor in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    network = network.to(device).eval().requires_grad_(False)
    # Convolutions are half as fast again with channels last.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
