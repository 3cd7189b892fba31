"""The distance of two signals in an embedding as a loss, to train with or to optimise a signal."""

from __future__ import annotations

import warnings
from typing import Any, Self

import torch
from torch import Tensor, nn

from skperceptual.functional.embedding_distance import FRAME_POOLINGS, embedding_distance

_REDUCTIONS = ("mean", "sum", "none")


class EmbeddingLoss(nn.Module):
    """One less the similarity of signals in an embedding, differentiable.

    The value is ``1 - EmbeddingSimilarity(...)`` of the same embedding, pooling and centre for
    signals at the embedding's sampling rate. It is computed in the precision of the embedding's
    parameters, single as a rule; ``loss.double()`` gives more digits. A module that turns signals
    into images first says by ``signal_dtype`` in which precision it reads them; VGGish and OpenL3
    read double precision, as the metric does, but on Apple's GPU.

    Parameters
    ----------
    embedding : embedding or torch.nn.Module
        Anything with ``to_module()``, such as an embedding of :mod:`skperceptual.embeddings`; or a
        module that maps tensors (n_signals, n_times) to (n_signals, n_frames, dim). It is kept in
        evaluation mode, also when the loss is part of a model in training.
    pooling : {"frame_mean", "mean_pool"}, default="frame_mean"
        Frames compared one by one or as their mean; see :func:`embedding_distance`.
    center : array-like of shape (dim,), default=None
        Subtracted from every frame first; ``EmbeddingSimilarity.center_`` where that was learned.
    reduction : {"mean", "sum", "none"}, default="mean"
        Whether to average over the items, to add them up, or to give one value an item.

    Raises
    ------
    TypeError
        When the embedding is neither a module nor has ``to_module``.
    ValueError
        When ``pooling`` or ``reduction`` is unknown.

    See Also
    --------
    embedding_distance : The same for frames.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import EmbeddingLoss
    >>> class Patches(torch.nn.Module):
    ...     def forward(self, signals):
    ...         return signals.unfold(-1, 4, 2)
    >>> loss = EmbeddingLoss(Patches())
    >>> reference = torch.sin(torch.arange(32.0))
    >>> degraded = (reference + 0.1).requires_grad_()
    >>> loss(reference, degraded).backward()
    >>> degraded.grad.shape
    torch.Size([32])
    """

    def __init__(
        self,
        embedding: Any,
        *,
        pooling: str = "frame_mean",
        center: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("pooling", pooling, FRAME_POOLINGS),
            ("reduction", reduction, _REDUCTIONS),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown. Use one of {', '.join(known)}.")
        module = embedding.to_module() if hasattr(embedding, "to_module") else embedding
        if not isinstance(module, nn.Module):
            raise TypeError(
                "embedding should have to_module() or be a torch.nn.Module, got "
                f"{type(embedding).__name__}. Use skperceptual.embeddings.resolve_embedding for "
                "the name of one, and TorchEmbedding for a module with a rate of its own."
            )
        self.embedding = module.eval()
        self.pooling = pooling
        self.reduction = reduction
        self.min_samples = int(getattr(embedding, "min_samples", 1))
        self.center: Tensor | None
        self.register_buffer(
            "center", None if center is None else torch.as_tensor(center, dtype=torch.float64)
        )

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the loss; the embedding stays in evaluation mode.

        Parameters
        ----------
        mode : bool, default=True
            Whether the loss is said to be training, which changes nothing that it gives.

        Returns
        -------
        self
            The loss itself.
        """
        super().train(mode)
        self.embedding.eval()
        return self

    def forward(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Compare signals.

        Parameters
        ----------
        reference : Tensor of shape (..., n_reference_times)
            References at the embedding's sampling rate.
        degraded : Tensor of shape (..., n_times)
            Degraded signals at that rate.

        Returns
        -------
        Tensor of shape () or (...)
            The loss; one value an item with ``reduction="none"``. It has the type of ``degraded``.

        Raises
        ------
        TypeError
            When an argument is not a floating-point tensor.
        ValueError
            When the leading axes differ, or a signal is empty or not finite.

        Warns
        -----
        UserWarning
            When signals are shorter than the embedding reads, and filled with zeros.
        """
        for name, signals in (("reference", reference), ("degraded", degraded)):
            _check_signals(name, signals)
        if reference.shape[:-1] != degraded.shape[:-1]:
            raise ValueError(
                "reference and degraded should have the same leading axes, got shapes "
                f"{tuple(reference.shape)} and {tuple(degraded.shape)}. Expand one of them."
            )
        distances = embedding_distance(
            self._frames(reference),
            self._frames(degraded),
            pooling=self.pooling,
            center=self.center,
        )
        distances = distances.to(degraded.dtype)
        if self.reduction == "none":
            return distances
        return distances.mean() if self.reduction == "mean" else distances.sum()

    def _frames(self, signals: Tensor) -> Tensor:
        n_missing = self.min_samples - signals.shape[-1]
        if n_missing > 0:
            warnings.warn(
                f"Signals of {signals.shape[-1]} samples are shorter than the {self.min_samples} "
                "that the embedding reads at least, and filled with zeros. Give longer ones.",
                UserWarning,
                stacklevel=5,
            )
            signals = nn.functional.pad(signals, (0, n_missing))
        like = next((p for p in self.embedding.parameters() if p.is_floating_point()), signals)
        dtype = getattr(self.embedding, "signal_dtype", like.dtype)
        if signals.device.type == "mps":  # it has no double precision
            dtype = like.dtype
        frames = self.embedding(signals.reshape(-1, signals.shape[-1]).to(dtype))
        if frames.ndim != 3 or len(frames) != signals[..., 0].numel():
            raise ValueError(
                f"The embedding gave shape {tuple(frames.shape)} for {signals[..., 0].numel()} "
                "signals. Expected (n_signals, n_frames, dim)."
            )
        return frames.double().reshape(*signals.shape[:-1], *frames.shape[1:])


def _check_signals(name: str, signals: Tensor) -> None:
    if not isinstance(signals, Tensor) or not signals.is_floating_point():
        came = signals.dtype if isinstance(signals, Tensor) else type(signals).__name__
        raise TypeError(
            f"{name} should be a floating-point torch.Tensor, full scale 1, got {came}. Convert it "
            "with torch.as_tensor, or use EmbeddingSimilarity, which takes NumPy arrays."
        )
    if signals.ndim < 1 or signals.numel() == 0:
        raise ValueError(
            f"{name} should have shape (..., n_times) with at least one sample, got "
            f"{tuple(signals.shape)}."
        )
    if not torch.isfinite(signals.detach()).all():
        raise ValueError(f"{name} holds NaN or infinity. Repair or leave out that recording.")
