"""The normalised Laplacian pyramid distance (Namgyal et al. 2023, equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.divisive_normalization import (
    Normalization,
    divisive_normalization,
    normalization_border,
    normalization_tensors,
    resolve_normalization,
)
from skperceptual.functional.pyramid import laplacian_pyramid
from skperceptual.functional.reduction import stable_mean

POOLINGS = ("mean", "norm0.6")

_EXPONENT = 0.6


def nlpd(
    reference: Tensor,
    degraded: Tensor,
    *,
    n_levels: int = 6,
    normalization: Normalization = "image",
    kernel_size: int = 5,
    pooling: str = "mean",
    convention: str = "laparra2016",
) -> Tensor:
    """Compare images by their normalised Laplacian pyramids.

    Parameters
    ----------
    reference : Tensor of shape (..., n_bands, n_frames)
        Reference images in [0, 1].
    degraded : Tensor of shape (..., n_bands, n_frames)
        Degraded images.
    n_levels : int, default=6
        Number of levels.
    normalization : {"image"}, None or (filters, sigmas), default="image"
        Divisive normalisation; see :func:`resolve_normalization`. A pair of tensors is used as
        it is, so that weights and constants can be learned.
    kernel_size : int, default=5
        Side of the neighbourhood of ``"image"``.
    pooling : {"mean", "norm0.6"}, default="mean"
        How levels are pooled; see :func:`pool_levels`.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid; see :mod:`skperceptual.functional.pyramid`.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, 0 for identical images. Its gradient is finite everywhere.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023, equation 1.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import nlpd
    >>> images = torch.rand(2, 64, 64)
    >>> nlpd(images, images)
    tensor([0., 0.])
    """
    differences = nlpd_differences(
        reference,
        degraded,
        n_levels=n_levels,
        normalization=normalization,
        kernel_size=kernel_size,
        convention=convention,
    )
    return pool_levels(level_distances(differences), pooling=pooling, convention=convention)


def nlpd_differences(
    reference: Tensor,
    degraded: Tensor,
    *,
    n_levels: int = 6,
    normalization: Normalization = "image",
    kernel_size: int = 5,
    convention: str = "laparra2016",
) -> list[Tensor]:
    """Subtract the normalised pyramids of two images, level by level.

    Parameters
    ----------
    reference : Tensor of shape (..., n_bands, n_frames)
        Reference images in [0, 1].
    degraded : Tensor of shape (..., n_bands, n_frames)
        Degraded images.
    n_levels : int, default=6
        Number of levels.
    normalization : {"image"}, None or (filters, sigmas), default="image"
        Divisive normalisation; see :func:`resolve_normalization`. A pair of tensors is used as
        it is, so that weights and constants can be learned.
    kernel_size : int, default=5
        Side of the neighbourhood of ``"image"``.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid; see :mod:`skperceptual.functional.pyramid`.

    Returns
    -------
    list of Tensor
        The differences of each level, the finest first.

    Raises
    ------
    TypeError
        When an image is not a floating-point tensor.
    ValueError
        When the two differ in shape, type or device, or are too small.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import nlpd_differences
    >>> len(nlpd_differences(torch.rand(64, 64), torch.rand(64, 64), n_levels=4))
    4
    """
    check_image_pair(reference, degraded)
    filters, sigmas = _tensors_of(normalization, n_levels, kernel_size, convention, reference)
    border = normalization_border(convention)
    # One image after the other: powers may round differently at different places of a tensor,
    # and identical images are to be exactly 0 apart.
    pyramids = [
        laplacian_pyramid(x, n_levels, convention=convention) for x in (reference, degraded)
    ]
    differences = []
    for level, bands in enumerate(zip(*pyramids, strict=True)):
        one, other = (
            divisive_normalization(band, filters[level], sigmas[level], border=border)
            for band in bands
        )
        differences.append(one - other)
    return differences


def _tensors_of(
    normalization: Normalization, n_levels: int, kernel_size: int, convention: str, like: Tensor
) -> tuple[Tensor, Tensor]:
    if isinstance(normalization, tuple) and len(normalization) == 2:
        filters, sigmas = normalization
        if isinstance(filters, Tensor) and isinstance(sigmas, Tensor):
            return filters, sigmas  # as they are: their gradient may be wanted
    arrays = resolve_normalization(
        normalization, n_levels, kernel_size=kernel_size, convention=convention
    )
    return normalization_tensors(*arrays, like=like)


def level_distances(differences: list[Tensor]) -> Tensor:
    """Give the root mean square of each level's difference.

    Parameters
    ----------
    differences : list of Tensor of shape (..., n_bands_k, n_frames_k)
        One tensor a level.

    Returns
    -------
    Tensor of shape (..., n_levels)
        One distance a level. The gradient at an all-zero difference is 0, not NaN.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import level_distances
    >>> level_distances([torch.full((4, 4), 3.0), torch.zeros(2, 2)])
    tensor([3., 0.])
    """
    energies = [stable_mean(difference.square().flatten(-2)) for difference in differences]
    return safe_power(torch.stack(energies, dim=-1), 0.5)


def pool_levels(
    distances: Tensor, *, pooling: str = "mean", convention: str = "laparra2016"
) -> Tensor:
    """Pool the distances of the levels into one.

    Parameters
    ----------
    distances : Tensor of shape (..., n_levels)
        Root mean square difference of each level.
    pooling : {"mean", "norm0.6"}, default="mean"
        ``"mean"`` is equation 1 of the paper. ``"norm0.6"`` is the power mean with exponent 0.6
        of the 2017 code; with ``convention="hepburn"`` it is that code's norm, which does not
        divide by the number of levels and so is ``n_levels ** (1 / 0.6)`` times larger (19.81
        for six levels).
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Whose form of ``"norm0.6"`` to take.

    Returns
    -------
    Tensor of shape (...)
        One distance an item.

    Raises
    ------
    ValueError
        When the pooling is unknown.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import pool_levels
    >>> pool_levels(torch.tensor([1.0, 3.0]))
    tensor(2.)
    >>> pool_levels(torch.ones(6), pooling="norm0.6", convention="hepburn")
    tensor(19.8116)
    """
    if pooling not in POOLINGS:
        raise ValueError(f"pooling={pooling!r} is unknown. Use one of {', '.join(POOLINGS)}.")
    if pooling == "mean":
        return distances.mean(-1)
    powers = safe_power(distances, _EXPONENT)
    pooled = powers.sum(-1) if convention == "hepburn" else powers.mean(-1)
    return safe_power(pooled, 1 / _EXPONENT)


def safe_power(x: Tensor, exponent: float) -> Tensor:
    """Raise to a power with gradient 0, instead of infinity or NaN, where x is 0.

    Parameters
    ----------
    x : Tensor
        Numbers that are not negative.
    exponent : float
        The power, above 0.

    Returns
    -------
    Tensor
        ``x ** exponent``.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import safe_power
    >>> x = torch.zeros(1, requires_grad=True)
    >>> safe_power(x, 0.5).backward()
    >>> x.grad
    tensor([0.])
    """
    empty = x <= 0  # not NaN, which is passed on
    safe = torch.where(empty, torch.ones_like(x), x)
    return torch.where(empty, torch.zeros_like(x), safe**exponent)
