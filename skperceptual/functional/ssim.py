"""The structural similarity of two images (Wang et al. 2004), at one scale.

Local means, variances and the covariance are taken under a Gaussian window, only where the
window lies inside the image. Everything is built from elementwise operations in a fixed order:
an item gives the same bits alone, in a batch, and on any number of threads, and identical
images give exactly 1.

References
----------
.. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from
   error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.
"""

from __future__ import annotations

import math
import warnings

from torch import Tensor

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.reduction import stable_mean

# Wang et al. (2004), section III-C: the stabilising constants, in units of the data range.
LUMINANCE_CONSTANT, CONTRAST_CONSTANT = 0.01, 0.03


def ssim(
    reference: Tensor,
    degraded: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
) -> Tensor:
    """Compare the local structure of two images.

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

    Returns
    -------
    Tensor of shape (...)
        The mean of :func:`ssim_map` for each item: 1 for identical images, down to -1.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or a parameter is out of range.

    See Also
    --------
    ms_ssim : The same over several scales.

    Notes
    -----
    Agrees with scikit-image's ``structural_similarity(gaussian_weights=True,
    use_sample_covariance=False)``.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from
       error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ssim
    >>> image = torch.rand(2, 32, 32)
    >>> ssim(image, image)
    tensor([1., 1.])
    """
    similarity = _similarity(reference, degraded, data_range, window_size, sigma)
    return stable_mean(stable_mean(similarity))


def ssim_map(
    reference: Tensor,
    degraded: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
) -> Tensor:
    """Map the structural similarity around every pixel at which the window fits.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Images.
    data_range : float, default=1.0
        Largest possible value less the smallest.
    window_size : int, default=11
        Side of the window, as in :func:`ssim`.
    sigma : float, default=1.5
        Standard deviation of the window.

    Returns
    -------
    Tensor of shape (..., n_bands - window_size + 1, n_frames - window_size + 1)
        Equation 13 of Wang et al. (2004). Element (0, 0) belongs to the pixel in the middle of
        the first window, ``(window_size // 2, window_size // 2)``.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images, or a parameter is out of range.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ssim_map
    >>> ssim_map(torch.rand(3, 40, 30), torch.rand(3, 40, 30)).shape
    torch.Size([3, 30, 20])
    """
    return _similarity(reference, degraded, data_range, window_size, sigma)


def _similarity(
    reference: Tensor, degraded: Tensor, data_range: float, window_size: int, sigma: float
) -> Tensor:
    check_image_pair(reference, degraded)
    check_window(data_range, window_size, sigma)
    taps = fit_window(window_size, sigma, min(reference.shape[-2:]))
    if len(taps) < window_size:
        warnings.warn(
            f"Images of {reference.shape[-2]} bands and {reference.shape[-1]} frames are smaller "
            f"than window_size={window_size}: a window of {len(taps)} is used, whose values do "
            "not compare with those of larger images.",
            UserWarning,
            stacklevel=3,
        )
    luminance, contrast_structure = ssim_factors(reference, degraded, taps, data_range)
    return luminance * contrast_structure


def check_window(data_range: float, window_size: int, sigma: float) -> None:
    """Refuse a data range, window or sigma that the similarity is not defined for."""
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(
            f"data_range should be a positive number, got {data_range!r}. It is the largest "
            "possible value of the images less the smallest: 1.0 for images in [0, 1]."
        )
    if window_size != int(window_size) or window_size < 1 or window_size % 2 == 0:
        raise ValueError(
            f"window_size should be an odd whole number, got {window_size!r}. Wang et al. use 11."
        )
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma should be a positive number, got {sigma!r}. Wang et al. use 1.5.")


def fit_window(window_size: int, sigma: float, side: int) -> list[float]:
    """Give the taps of the Gaussian window, cut to the largest odd size that fits the side.

    A smaller window is the same window drawn smaller: its sigma shrinks in proportion.
    """
    fitted = min(window_size, side if side % 2 else side - 1)
    sigma = sigma * fitted / window_size
    center = fitted // 2
    taps = [math.exp(-((k - center) ** 2) / (2 * sigma**2)) for k in range(fitted)]
    total = math.fsum(taps)
    return [tap / total for tap in taps]


def ssim_factors(
    reference: Tensor, degraded: Tensor, taps: list[float], data_range: float
) -> tuple[Tensor, Tensor]:
    """Give the luminance factor and the product of contrast and structure, as maps.

    Each is symmetric in its two images, at most 1, and exactly 1 where they are identical.
    """
    mean_r, mean_d = _blur(reference, taps), _blur(degraded, taps)
    square_r, square_d, product = mean_r * mean_r, mean_d * mean_d, mean_r * mean_d
    variance_r = _blur(reference * reference, taps) - square_r
    variance_d = _blur(degraded * degraded, taps) - square_d
    covariance = _blur(reference * degraded, taps) - product
    luminance = _agreement(product, square_r + square_d, (LUMINANCE_CONSTANT * data_range) ** 2)
    contrast_structure = _agreement(
        covariance, variance_r + variance_d, (CONTRAST_CONSTANT * data_range) ** 2
    )
    return luminance, contrast_structure


def _agreement(product: Tensor, squares: Tensor, constant: float) -> Tensor:
    """Divide ``2 a b + constant`` by ``a**2 + b**2 + constant``.

    The sum of squares is not negative and bounds the product, save for rounding; with images
    far larger than the data range that rounding could pass the constant and divide by zero.
    """
    squares = squares.clamp(min=0)
    return ((2 * product).clamp(-squares, squares) + constant) / (squares + constant)


def _blur(x: Tensor, taps: list[float]) -> Tensor:
    """Filter both image axes with a symmetric window, where it lies inside the image."""
    last = len(taps) - 1
    for axis in (-2, -1):
        n = x.shape[axis] - last
        blurred = x.narrow(axis, last // 2, n) * taps[last // 2]
        for k in range(last // 2):
            # Multiplied, then added: a fused operation would round differently in the
            # vectorised and the scalar part of a loop, and so depend on the batch.
            mirrored = x.narrow(axis, k, n) + x.narrow(axis, last - k, n)
            blurred.add_(mirrored.mul_(taps[k]))
        x = blurred
    return x
