"""Pearson's correlation as a training loss."""

from __future__ import annotations

import torch
from torch import Tensor


def pearson_correlation(x: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Correlate two tensors along their last axis, differentiably.

    Parameters
    ----------
    x, y : Tensor of shape (..., n)
        Floating-point tensors whose shapes broadcast, for instance distances and ratings.
    weight : Tensor of shape (..., n), default=None
        Weights, not negative; an entry of zero leaves its sample out.

    Returns
    -------
    Tensor of shape (...)
        Correlations from -1 to 1. Where x or y is constant (over the samples that have weight,
        up to the rounding of their floating-point type) the correlation is undefined: it is 0
        here, with a gradient of 0, so that one such batch cannot turn a training run into NaN.
        To report a correlation use :func:`skperceptual.metrics.pearson_score`, which gives NaN
        there.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When the shapes do not broadcast, or the last axes differ or are empty.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import pearson_correlation
    >>> distance = torch.tensor([0.1, 0.2, 0.4], requires_grad=True)
    >>> correlation = pearson_correlation(distance, torch.tensor([5.0, 4.0, 2.0]))
    >>> correlation.item()
    -1.0
    >>> pearson_correlation(torch.ones(3), torch.rand(3))
    tensor(0.)
    """
    given = {"x": x, "y": y} if weight is None else {"x": x, "y": y, "weight": weight}
    _check(given)
    weight = torch.ones_like(x) if weight is None else weight.to(x)
    x, y, weight = torch.broadcast_tensors(x, y, weight)
    total = weight.sum(-1, keepdim=True)
    share = weight / torch.where(total > 0, total, torch.ones_like(total))
    # A side without variation comes back as zeros, and the correlation is 0 with it.
    return (share * _standardize(x, share) * _standardize(y, share)).sum(-1).clamp(-1, 1)


def _check(given: dict[str, Tensor]) -> None:
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise TypeError(
                f"{name} should be a floating-point torch.Tensor, got {kind}. Convert it with "
                "torch.as_tensor(..., dtype=torch.float32)."
            )
    shapes = {name: tuple(tensor.shape) for name, tensor in given.items()}
    lengths = {shape[-1] if shape else 0 for shape in shapes.values()}
    try:
        torch.broadcast_shapes(*shapes.values())
    except RuntimeError:
        lengths = {0}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(
            "Expected one value a sample on the last axis of every argument, and leading axes "
            f"that broadcast, got the shapes {shapes}."
        )


def _standardize(x: Tensor, share: Tensor) -> Tensor:
    """Bring x to weighted mean 0 and variance 1, or to zeros where it does not vary."""
    counted = share > 0
    low = torch.where(counted, x, torch.full_like(x, torch.inf)).amin(-1, keepdim=True)
    high = torch.where(counted, x, torch.full_like(x, -torch.inf)).amax(-1, keepdim=True)
    spread = (high / 2 - low / 2).detach()
    magnitude = torch.maximum(low.abs(), high.abs()).detach()
    limits = torch.finfo(x.dtype)
    # Differences that are nothing but rounding, or whose reciprocal overflows, do not count as
    # variation. The comparisons are written so that NaN does, and is passed on.
    still = spread <= torch.clamp(4 * limits.eps * magnitude, min=limits.tiny / limits.eps)
    # The correlation does not change with scale; dividing by a constant keeps squares in range.
    # Everything is replaced before it is divided, so that no gradient meets a NaN on its way.
    x = torch.where(counted & ~still, x, torch.zeros_like(x))
    x = x / torch.where(still, torch.ones_like(spread), spread)
    x = x - (share * x).sum(-1, keepdim=True)
    variance = (share * x.square()).sum(-1, keepdim=True)
    still = still | (variance <= 0)
    scaled = x / torch.where(still, torch.ones_like(variance), variance).sqrt()
    return torch.where(still, torch.zeros_like(scaled), scaled)
