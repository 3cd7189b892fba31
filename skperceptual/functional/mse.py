"""The mean squared error of two images."""

from __future__ import annotations

from torch import Tensor

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.reduction import stable_mean


def mse(reference: Tensor, degraded: Tensor) -> Tensor:
    """Average the squared difference of two images.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, 0 for identical images.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import mse
    >>> mse(torch.zeros(2, 8, 8), torch.full((2, 8, 8), 0.5))
    tensor([0.2500, 0.2500])
    """
    check_image_pair(reference, degraded)
    return stable_mean(stable_mean((reference - degraded).square()))
