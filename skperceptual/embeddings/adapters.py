"""Embeddings made of what people have: a module of torch, a function, a HEAR module."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skperceptual.embeddings.base import Embedding
from skperceptual.utils._sklearn import Interval

_PROTOCOL: dict[str, list[Any]] = {
    "min_samples": [Interval(Integral, 1, None, closed="left")],
    "hop_seconds": [Interval(Real, 0, None, closed="neither"), None],
    "n_dims": [Interval(Integral, 1, None, closed="left"), None],
}
_RATE = [Interval(Integral, 1, None, closed="left")]


class TorchEmbedding(Embedding):
    """An embedding that is a module of torch.

    Parameters
    ----------
    module : torch.nn.Module
        Maps floating-point tensors (n_signals, n_times) to (n_signals, n_frames, n_dims). It
        computes where its parameters are and in their precision, in evaluation mode, without
        gradients, one clip at a time.
    sr : int
        Sampling rate in Hz of the signals that it reads.
    min_samples : int, default=1
        The shortest clip that it reads, in samples.
    hop_seconds : float, default=None
        Distance between its frames; with it, swapped axes are noticed.
    n_dims : int, default=None
        Length of its vectors; with it, swapped axes are noticed.

    See Also
    --------
    FunctionEmbedding : For functions of arrays.

    Notes
    -----
    The module is part of the estimator: a pickle holds it, and a cached pipeline computes anew for
    every copy of it.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skperceptual.embeddings import TorchEmbedding
    >>> class Patches(torch.nn.Module):
    ...     def forward(self, signals):
    ...         return signals.unfold(-1, 400, 160)
    >>> embedding = TorchEmbedding(Patches(), sr=16000, min_samples=400, hop_seconds=0.01)
    >>> embedding.fit_transform(np.zeros((2, 16000))).shape
    (2, 98, 400)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "module": [nn.Module],
        "sr": _RATE,
        **_PROTOCOL,
    }

    def __init__(
        self,
        module: nn.Module,
        *,
        sr: int,
        min_samples: int = 1,
        hop_seconds: float | None = None,
        n_dims: int | None = None,
    ) -> None:
        self.module = module
        self.sr = sr
        self.min_samples = min_samples
        self.hop_seconds = hop_seconds
        self.n_dims = n_dims

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        like = _first_tensor(self.module)

        def embed(clip: NDArray) -> NDArray:
            signals = torch.tensor(clip[np.newaxis], dtype=like.dtype, device=like.device)
            with _evaluation_mode(self.module), torch.no_grad():
                frames = self.module(signals)
            return _frames_of_one(frames, "The module of TorchEmbedding").cpu().numpy()

        return embed

    def to_module(self) -> nn.Module:
        """Give a copy of the module, for losses.

        Returns
        -------
        torch.nn.Module
            In evaluation mode; its parameters do not ask for gradients.
        """
        return copy.deepcopy(self.module).eval().requires_grad_(False)


class FunctionEmbedding(Embedding):
    """An embedding that is a function of one clip.

    Parameters
    ----------
    function : callable
        Maps an array (n_times,) to one of shape (n_frames, n_dims). A function of a module can be
        pickled, a lambda cannot.
    sr : int
        Sampling rate in Hz of the signals that it reads.
    min_samples : int, default=1
        The shortest clip that it reads, in samples.
    hop_seconds : float, default=None
        Distance between its frames; with it, swapped axes are noticed.
    n_dims : int, default=None
        Length of its vectors; with it, swapped axes are noticed.

    See Also
    --------
    TorchEmbedding : For modules of torch, which losses can use.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import MelSpectrogram
    >>> from skperceptual.embeddings import FunctionEmbedding
    >>> bands = MelSpectrogram(n_mels=40)
    >>> def log_mel(clip):
    ...     return bands.transform(clip[np.newaxis])[0].T
    >>> embedding = FunctionEmbedding(log_mel, sr=16000, min_samples=1024, n_dims=40)
    >>> embedding.fit_transform(np.zeros((2, 16000))).shape
    (2, 58, 40)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "function": [callable],
        "sr": _RATE,
        **_PROTOCOL,
    }

    def __init__(
        self,
        function: Callable[[NDArray], NDArray],
        *,
        sr: int,
        min_samples: int = 1,
        hop_seconds: float | None = None,
        n_dims: int | None = None,
    ) -> None:
        self.function = function
        self.sr = sr
        self.min_samples = min_samples
        self.hop_seconds = hop_seconds
        self.n_dims = n_dims

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        # What the function does to its clip in place is not done to the user's.
        return lambda clip: self.function(clip.copy())


class HEAREmbedding(Embedding):
    """An embedding that keeps the common interface of the HEAR benchmark.

    Such a module has ``load_model(path)``, which gives a model with ``sample_rate`` and
    ``timestamp_embedding_size``, and ``get_timestamp_embeddings(audio, model)``, which gives
    frames and their times [1]_.

    Parameters
    ----------
    module : str
        The name under which the module is imported at first use, such as ``"hearbaseline"``.
    weights : str, default=""
        What ``load_model`` is given: the path of the model's file, or nothing. The module opens
        that file by itself, so trust both as you would a program.
    min_samples : int, default=1
        The shortest clip that it reads, in samples.
    hop_seconds : float, default=None
        Distance between its frames.

    Attributes
    ----------
    sr : int
        The model's sampling rate in Hz.
    n_dims : int
        The model's length of a frame's vector.

    References
    ----------
    .. [1] J. Turian et al., "HEAR: Holistic Evaluation of Audio Representations", Proceedings of
       Machine Learning Research 176, 125-145, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import HEAREmbedding
    >>> embedding = HEAREmbedding("hearbaseline.torchcrepe")  # doctest: +SKIP
    >>> embedding.fit_transform(np.zeros((2, embedding.sr)))  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "module": [str],
        "weights": [str],
        "min_samples": _PROTOCOL["min_samples"],
        "hop_seconds": _PROTOCOL["hop_seconds"],
    }

    def __init__(
        self,
        module: str,
        *,
        weights: str = "",
        min_samples: int = 1,
        hop_seconds: float | None = None,
    ) -> None:
        self.module = module
        self.weights = weights
        self.min_samples = min_samples
        self.hop_seconds = hop_seconds

    @property
    def sr(self) -> int:  # type: ignore[override]
        """The model's sampling rate in Hz."""
        return int(self._model().sample_rate)

    @property
    def n_dims(self) -> int:  # type: ignore[override]
        """The model's length of a frame's vector."""
        return int(self._model().timestamp_embedding_size)

    def _model(self) -> Any:
        return _load_hear(self.module, self.weights)[1]

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        module, model = _load_hear(self.module, self.weights)
        device = _first_tensor(model).device

        def embed(clip: NDArray) -> NDArray:
            signals = torch.tensor(clip[np.newaxis], dtype=torch.float32, device=device)
            with torch.no_grad():
                frames, _ = module.get_timestamp_embeddings(signals, model)
            return _frames_of_one(frames, self.module).cpu().numpy()

        return embed

    def to_module(self) -> nn.Module:
        """Give a copy of the model, for losses.

        Returns
        -------
        torch.nn.Module
            Maps tensors (n_signals, n_times) to (n_signals, n_frames, n_dims). Whether gradients
            pass through it is up to the HEAR module.
        """
        return _HEARModule(*_load_hear(self.module, self.weights)).eval().requires_grad_(False)


class _HEARModule(nn.Module):
    """The frames of a HEAR model as a module; the model is a part of it if it is one itself."""

    def __init__(self, module: Any, model: Any) -> None:
        super().__init__()
        self._hear = module
        self.model = copy.deepcopy(model)

    def forward(self, signals: Tensor) -> Tensor:
        return self._hear.get_timestamp_embeddings(signals, self.model)[0]


@lru_cache(maxsize=4)
def _load_hear(name: str, weights: str) -> tuple[Any, Any]:
    module = import_module(name)
    missing = [
        part for part in ("load_model", "get_timestamp_embeddings") if not hasattr(module, part)
    ]
    if missing:
        raise TypeError(
            f"The module {name} has no {' and no '.join(missing)}, so it does not keep HEAR's "
            "common interface. Wrap what it has by TorchEmbedding or FunctionEmbedding."
        )
    model = module.load_model(weights)
    if isinstance(model, nn.Module):
        model.eval()
    return module, model


def _first_tensor(module: Any) -> Tensor:
    """Give a floating-point parameter or buffer, which says where and in what precision to work."""
    if isinstance(module, nn.Module):
        for tensors in (module.parameters(), module.buffers()):
            for tensor in tensors:
                if tensor.is_floating_point():
                    return tensor
    return torch.zeros((), dtype=torch.float32)


def _frames_of_one(frames: Any, name: str) -> Tensor:
    if not isinstance(frames, Tensor):
        raise ValueError(
            f"{name} gave a {type(frames).__name__}. Expected one tensor of shape (n_signals, "
            "n_frames, n_dims): wrap it in a module that picks it out."
        )
    if frames.ndim != 3 or len(frames) != 1:
        raise ValueError(
            f"{name} gave shape {tuple(frames.shape)} for one signal. Expected (1, n_frames, "
            "n_dims): give a single vector as a single frame by unsqueeze(1)."
        )
    return frames[0]


@contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Turn dropout and batch statistics off for a while, where they were on."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
