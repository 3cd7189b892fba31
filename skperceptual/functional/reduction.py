"""Means whose last bit depends on nothing but the numbers that go into them."""

from __future__ import annotations

import torch
from torch import Tensor


def stable_mean(x: Tensor) -> Tensor:
    """Average the last axis by adding halves, in one fixed order.

    A sum that torch may split between threads changes in its last bits with their number and
    with the batch around it. Here every addition is elementwise, so an item gives the same
    bits alone, in any batch and on any number of threads; adding in pairs is also more exact.

    Parameters
    ----------
    x : Tensor of shape (..., n)
        Numbers, n at least 1.

    Returns
    -------
    Tensor of shape (...)
        Their means.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import stable_mean
    >>> stable_mean(torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]))
    tensor([3., 0.])
    """
    n = x.shape[-1]
    while (length := x.shape[-1]) > 1:
        half = length // 2
        total = x[..., :half] + x[..., half : 2 * half]
        x = torch.cat([total, x[..., -1:]], dim=-1) if length % 2 else total
    return x[..., 0] / n
