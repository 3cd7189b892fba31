"""How far apart two signals are in the direction of their embeddings: one less the cosine."""

from __future__ import annotations

import torch
from torch import Tensor

from skperceptual.functional._frames import check_frames

FRAME_POOLINGS = ("frame_mean", "mean_pool")


def embedding_distance(
    reference: Tensor,
    degraded: Tensor,
    *,
    pooling: str = "frame_mean",
    center: Tensor | None = None,
) -> Tensor:
    """Compare the frames of two signals by the cosine of the angle between them.

    Parameters
    ----------
    reference : Tensor of shape (..., n_reference_frames, dim)
        Frames of the references.
    degraded : Tensor of shape (..., n_frames, dim)
        Frames of the degraded signals.
    pooling : {"frame_mean", "mean_pool"}, default="frame_mean"
        ``"frame_mean"`` compares each frame with the one of the same time and averages; where one
        signal has more frames, those beyond the end of the other are left out. ``"mean_pool"``
        averages the frames of each signal, all of them, and compares the two means.
    center : Tensor of shape (dim,), default=None
        Subtracted from every frame first, such as the mean frame of clean recordings.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, from 0 to 2: one less the cosine. It is computed in double precision
        and has the type of the frames.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When dimensions differ, a value is not finite, or the pooling is unknown.

    Notes
    -----
    A vector of zeros has no direction: its cosine with another vector of zeros is taken as 1, with
    any other as 0. There, and where two frames are the same, the gradient is 0.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import embedding_distance
    >>> reference = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> degraded = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> embedding_distance(reference, degraded)
    tensor(0.5000)
    >>> embedding_distance(reference, degraded, pooling="mean_pool")
    tensor(0.1056)
    """
    check_frames(reference, degraded)
    dtype = reference.dtype
    reference, degraded = reference.double(), degraded.double()
    if center is not None:
        if center.shape != reference.shape[-1:]:
            raise ValueError(
                f"Expected center to be of shape ({reference.shape[-1]},), one number a dimension "
                f"of the frames, got {tuple(center.shape)}."
            )
        center = center.to(reference)
        reference, degraded = reference - center, degraded - center
    if pooling == "mean_pool":
        distances = _angular(reference.mean(dim=-2), degraded.mean(dim=-2))
    elif pooling == "frame_mean":
        n_frames = min(reference.shape[-2], degraded.shape[-2])
        frames = reference[..., :n_frames, :], degraded[..., :n_frames, :]
        distances = _angular(*frames).mean(dim=-1)
    else:
        raise ValueError(f"pooling={pooling!r} is unknown. Use one of {', '.join(FRAME_POOLINGS)}.")
    return distances.to(dtype)


def _angular(one: Tensor, other: Tensor) -> Tensor:
    """Give one less the cosine of each pair of vectors.

    As half the squared distance of unit vectors, which keeps all digits where the two are close.
    """
    (first, first_empty), (second, second_empty) = _unit(one), _unit(other)
    distances = (first - second).square().sum(-1) / 2
    # Half of a unit vector's square is what is left where one of them is empty.
    return torch.where(first_empty ^ second_empty, torch.ones_like(distances), distances)


def _unit(vectors: Tensor) -> tuple[Tensor, Tensor]:
    # By the largest part first: squares of very small or large numbers leave the range of doubles.
    largest = vectors.detach().abs().amax(dim=-1, keepdim=True)
    empty = largest == 0
    scaled = vectors / torch.where(empty, torch.ones_like(largest), largest)
    energy = scaled.square().sum(-1, keepdim=True)
    norm = torch.where(empty, torch.ones_like(energy), energy).sqrt()
    return scaled / norm, empty.squeeze(-1)
