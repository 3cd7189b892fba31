"""The neurogram similarity index of two images (Hines and Harte 2012), as ViSQOL computes it.

SSIM without its contrast: local means and the local correlation are compared under a 3 x 3 window,
and outside the image its edge goes on.

References
----------
.. [1] A. Hines, N. Harte, "Speech intelligibility prediction using a neurogram similarity index
   measure", Speech Communication 54(2), 306-320, 2012.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.reduction import stable_mean

# A Gaussian of 0.5 pixels as ViSQOL has it: in the middle, at an edge, at a corner.
WINDOW = (0.619485845753726, 0.0838251475442633, 0.0113033910173052)


def nsim(reference: Tensor, degraded: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Compare two images band by band.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.
    data_range : float, default=1.0
        What the stabilising constants are in proportion to. ViSQOL leaves it at 1 for images
        in decibels.

    Returns
    -------
    Tensor of shape (..., n_bands)
        The mean of :func:`nsim_map` over the frames of each band: 1 for identical images.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or ``data_range`` is not positive.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import nsim
    >>> image = torch.arange(12.0).reshape(3, 4)
    >>> nsim(image, image)
    tensor([1., 1., 1.])
    """
    return stable_mean(nsim_map(reference, degraded, data_range=data_range))


def nsim_map(reference: Tensor, degraded: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Compare two images place by place: intensity times structure.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.
    data_range : float, default=1.0
        What the stabilising constants are in proportion to, as in :func:`nsim`.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        Equation 5 of [1]_ with all exponents 1.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or ``data_range`` is not positive.

    References
    ----------
    .. [1] A. Hines, N. Harte, "Speech intelligibility prediction using a neurogram similarity
       index measure", Speech Communication 54(2), 306-320, 2012.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import nsim_map
    >>> nsim_map(torch.rand(2, 8, 9), torch.rand(2, 8, 9)).shape
    torch.Size([2, 8, 9])
    """
    check_image_pair(reference, degraded)
    intensity_constant, structure_constant = nsim_constants(data_range)
    mean_r, mean_d = _blur(reference), _blur(degraded)
    square_r, square_d, product = mean_r * mean_r, mean_d * mean_d, mean_r * mean_d
    variance_r = _blur(reference * reference) - square_r
    variance_d = _blur(degraded * degraded) - square_d
    covariance = _blur(reference * degraded) - product
    variances = variance_r * variance_d
    # Rounding can leave a variance a trace below zero, and the root has no slope at zero.
    positive = variances > 0
    spread = torch.where(positive, torch.where(positive, variances, 1.0).sqrt(), 0.0)
    intensity = (2 * product + intensity_constant) / (square_r + square_d + intensity_constant)
    return intensity * ((covariance + structure_constant) / (spread + structure_constant))


def nsim_constants(data_range: float) -> NDArray[np.float64]:
    """Give the constants that keep the divisions of intensity and structure from zero.

    Parameters
    ----------
    data_range : float
        What they are in proportion to.

    Returns
    -------
    ndarray of shape (2,)
        The constants.

    Raises
    ------
    ValueError
        When it is not a positive number.
    """
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range should be a positive number, got {data_range!r}.")
    return np.array([(0.01 * data_range) ** 2, (0.03 * data_range) ** 2 / 2])


def _blur(x: Tensor) -> Tensor:
    """Weigh each place and its neighbours; the window is not separable, but symmetric."""
    center, edge, corner = WINDOW
    leading = x.shape[:-2]
    x = pad(x.reshape(-1, 1, *x.shape[-2:]), (1, 1, 1, 1), mode="replicate")
    outer = x[..., :-2, :] + x[..., 2:, :]
    here = x[..., 1:-1, :]
    middle = center * here + edge * outer
    side = edge * here + corner * outer
    blurred = middle[..., 1:-1] + (side[..., :-2] + side[..., 2:])
    return blurred.reshape(*leading, *blurred.shape[-2:])
