"""The structural similarity of two images over several scales (Wang et al. 2003).

References
----------
.. [1] Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale structural similarity for image
   quality assessment", Asilomar Conference on Signals, Systems and Computers, 2003.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.nlpd import safe_power
from skperceptual.functional.reduction import stable_mean
from skperceptual.functional.ssim import check_window, fit_window, ssim_factors

# Wang et al. (2003), section 3.2, found by matching images across scales; they sum to 1.0001.
WANG_2003_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


class MSSSIMTerms(NamedTuple):
    """What the multi-scale similarity multiplies together.

    Parameters
    ----------
    means : Tensor of shape (..., n_scales)
        Mean of the contrast-structure map of each scale, the finest first; of the full
        similarity map at the last scale. May be negative.
    band_means : list of Tensor of shape (..., n_rows_k)
        The same maps averaged over frames alone: one value for each position of the window.
    weights : tuple of float
        The exponents that are used, one a scale.
    taps : list of float
        The window that is used, along one axis.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ms_ssim_terms
    >>> terms = ms_ssim_terms(torch.rand(176, 176), torch.rand(176, 176))
    >>> terms.weights
    (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    """

    means: Tensor
    band_means: list[Tensor]
    weights: tuple[float, ...]
    taps: list[float]


def ms_ssim(
    reference: Tensor,
    degraded: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    weights: Sequence[float] = WANG_2003_WEIGHTS,
) -> Tensor:
    """Compare the structure of two images at several scales.

    Each scale halves the one before by averaging blocks of 2 x 2. The score is the product of
    the mean contrast-structure terms, and of the full similarity at the last scale, each raised
    to its weight; a negative mean counts as 0.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.
    data_range : float, default=1.0
        Largest possible value less the smallest.
    window_size : int, default=11
        Side of the Gaussian window, odd. Images smaller than the window are compared under the
        largest odd window that fits, its ``sigma`` scaled in proportion, with a warning.
    sigma : float, default=1.5
        Standard deviation of the window.
    weights : sequence of float, default=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
        One positive exponent a scale, the finest first. n scales need a smaller side above
        ``(window_size - 1) * 2**(n - 1)``: 160 for the defaults. Smaller images use the first
        scales that fit, their weights divided by their sum, with a warning.

    Returns
    -------
    Tensor of shape (...)
        One score an item, from 0 to 1 and 1 for identical images. Gradients are finite
        everywhere, and 0 where a clipped term makes the score 0.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or a parameter is out of range.

    Notes
    -----
    Agrees with the package pytorch-msssim (to its float32 window) on sides that halve evenly.
    An odd side ends in a block of what is there, where other packages count zeros, repeat
    the edge or drop it.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale structural similarity for image
       quality assessment", Asilomar Conference on Signals, Systems and Computers, 2003.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ms_ssim
    >>> image = torch.rand(2, 200, 180)
    >>> ms_ssim(image, image)
    tensor([1., 1.])
    """
    return combine_terms(
        _checked_terms(reference, degraded, data_range, window_size, sigma, weights)
    )


def ms_ssim_terms(
    reference: Tensor,
    degraded: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    weights: Sequence[float] = WANG_2003_WEIGHTS,
) -> MSSSIMTerms:
    """Give the terms that :func:`ms_ssim` multiplies, by scale and by band.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.
    data_range : float, default=1.0
        Largest possible value less the smallest.
    window_size : int, default=11
        Side of the window, as in :func:`ms_ssim`.
    sigma : float, default=1.5
        Standard deviation of the window.
    weights : sequence of float, default=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
        One positive exponent a scale, as in :func:`ms_ssim`.

    Returns
    -------
    MSSSIMTerms
        The named tuple ``(means, band_means, weights, taps)``.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or a parameter is out of range.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ms_ssim_terms
    >>> terms = ms_ssim_terms(torch.rand(2, 200, 180), torch.rand(2, 200, 180))
    >>> terms.means.shape, [tuple(band.shape) for band in terms.band_means]
    (torch.Size([2, 5]), [(2, 190), (2, 90), (2, 40), (2, 15), (2, 3)])
    """
    return _checked_terms(reference, degraded, data_range, window_size, sigma, weights)


def combine_terms(terms: MSSSIMTerms) -> Tensor:
    """Multiply the terms, each raised to its weight.

    Parameters
    ----------
    terms : MSSSIMTerms
        What :func:`ms_ssim_terms` gave.

    Returns
    -------
    Tensor of shape (...)
        What :func:`ms_ssim` gives.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import combine_terms, ms_ssim_terms
    >>> image = torch.rand(176, 176)
    >>> combine_terms(ms_ssim_terms(image, image))
    tensor(1.)
    """
    # Below the normal numbers the slope of a power overflows, so there it counts as 0 already.
    vanished = terms.means <= torch.finfo(terms.means.dtype).tiny  # not NaN, which is passed on
    means = torch.where(vanished, torch.zeros_like(terms.means), terms.means)
    score = torch.ones_like(means[..., 0])
    for scale, weight in enumerate(terms.weights):
        score = score * safe_power(means[..., scale], weight)
    return score


def _checked_terms(
    reference: Tensor,
    degraded: Tensor,
    data_range: float,
    window_size: int,
    sigma: float,
    weights: Sequence[float],
) -> MSSSIMTerms:
    check_image_pair(reference, degraded)
    check_window(data_range, window_size, sigma)
    side = min(reference.shape[-2:])
    taps, exponents = fit_scales(side, window_size, sigma, weights)
    if len(exponents) < len(weights) or len(taps) < window_size:
        warnings.warn(
            f"Images of {reference.shape[-2]} bands and {reference.shape[-1]} frames are too "
            f"small for window_size={window_size} at {len(weights)} scales: a window of "
            f"{len(taps)} and weights {tuple(round(weight, 4) for weight in exponents)} are "
            "used, whose values do not compare with those of larger images.",
            UserWarning,
            stacklevel=3,
        )
    return scale_terms(reference, degraded, taps, exponents, data_range)


def fit_scales(
    side: int, window_size: int, sigma: float, weights: Sequence[float]
) -> tuple[list[float], tuple[float, ...]]:
    """Give the window and the weights of the scales that fit on images of this smaller side."""
    exponents = tuple(map(float, weights)) if np.ndim(weights) == 1 else ()
    if not exponents or not all(math.isfinite(weight) and weight > 0 for weight in exponents):
        raise ValueError(
            f"weights should be positive numbers, one a scale, got {weights!r}. Leave out the "
            "scales that should not count."
        )
    taps = fit_window(window_size, sigma, side)
    n_scales = 1
    while n_scales < len(exponents) and side > (len(taps) - 1) * 2**n_scales:
        n_scales += 1
    if len(taps) < window_size:
        n_scales = 1
    if n_scales < len(exponents):
        total = math.fsum(exponents[:n_scales])
        exponents = tuple(weight / total for weight in exponents[:n_scales])
    return taps, exponents


def scale_terms(
    reference: Tensor,
    degraded: Tensor,
    taps: list[float],
    exponents: tuple[float, ...],
    data_range: float,
) -> MSSSIMTerms:
    """Compute the terms with a window and weights that fit the images."""
    means, band_means = [], []
    for scale in range(len(exponents)):
        luminance, similarity = ssim_factors(reference, degraded, taps, data_range)
        if scale == len(exponents) - 1:
            similarity = luminance * similarity
        else:
            reference, degraded = _halve(reference), _halve(degraded)
        band_means.append(stable_mean(similarity))
        means.append(stable_mean(band_means[-1]))
    return MSSSIMTerms(torch.stack(means, dim=-1), band_means, exponents, taps)


def _halve(images: Tensor) -> Tensor:
    """Average blocks of 2 x 2; an odd side ends in a block of the one row or column left."""
    for axis in (-2, -1):
        n = images.shape[axis]
        index = [slice(None)] * images.ndim
        index[axis] = slice(0, n - n % 2, 2)
        even = images[tuple(index)]
        index[axis] = slice(1, n, 2)
        half = (even + images[tuple(index)]) / 2
        images = torch.cat([half, images.narrow(axis, n - 1, 1)], axis) if n % 2 else half
    return images
