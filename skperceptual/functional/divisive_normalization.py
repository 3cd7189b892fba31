"""Divisive normalisation: each coefficient divided by the activity around it.

``y = z / (sigma + sum_j p_j |z_j|)`` with the sum over a k x k neighbourhood of the coefficient
(Laparra et al. 2016; Namgyal et al. 2023, figure 1). Weights are kept in the orientation of a
correlation: ``filters[level][i, j]`` weighs the neighbour ``i - k // 2`` bands above and
``j - k // 2`` frames later. The centre weights of the filters that this package learns are 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

Normalization = str | tuple[ArrayLike, ArrayLike] | None

# Laparra et al. (2016), learned from natural photographs in [0, 1]: the weights of the
# neighbours up, left, right and down as printed in the authors' code, and sigma.
_IMAGE_2016 = (
    (0.1011, 0.1493, 0.1460, 0.1015, 0.0248),
    (0.0757, 0.1986, 0.1846, 0.0837, 0.0185),
    (0.0477, 0.2138, 0.2243, 0.0467, 0.0179),
    (0.0, 0.2503, 0.2616, 0.0, 0.0191),
    (0.0, 0.2598, 0.2552, 0.0, 0.0220),
    (0.0, 0.2215, 0.0717, 0.0, 0.2782),
)
# The first level has one more weight, two columns to the right, which 3 x 3 ports lose.
_IMAGE_2016_FAR_RIGHT = 0.0072

# Laparra et al. (2017): one symmetric filter for every band, the residual divided by itself.
_IMAGE_2017_ROWS = (
    (0.04, 0.04, 0.05, 0.04, 0.04),
    (0.04, 0.03, 0.04, 0.03, 0.04),
    (0.05, 0.04, 0.05, 0.04, 0.05),
)
_IMAGE_2017_SIGMAS = (0.17, 4.86)


def divisive_normalization(
    band: Tensor, weights: Tensor, sigma: Tensor | float, *, border: str = "zeros"
) -> Tensor:
    """Normalise one level of a pyramid.

    Parameters
    ----------
    band : Tensor of shape (..., n_bands, n_frames)
        Coefficients z of one level.
    weights : Tensor of shape (kernel_size, kernel_size)
        Weights p of the neighbours, in the orientation of a correlation, ``kernel_size`` odd.
    sigma : Tensor or float
        The constant that keeps the denominator positive.
    border : {"zeros", "reflect"}, default="zeros"
        What lies beyond the edge: nothing, or the mirrored neighbourhood.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        ``band / (sigma + weighted sum of |band| around each coefficient)``.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import divisive_normalization
    >>> divisive_normalization(torch.ones(1, 3), torch.ones(3, 3), 1.0)
    tensor([[0.3333, 0.2500, 0.3333]])
    """
    return band / (sigma + neighborhood_sum(band.abs(), weights, border=border))


def neighborhood_sum(magnitude: Tensor, weights: Tensor, *, border: str = "zeros") -> Tensor:
    """Sum each coefficient's weighted neighbourhood.

    Parameters
    ----------
    magnitude : Tensor of shape (..., n_bands, n_frames)
        Absolute coefficients.
    weights : Tensor of shape (kernel_size, kernel_size)
        Weights in the orientation of a correlation.
    border : {"zeros", "reflect"}, default="zeros"
        What lies beyond the edge.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        The weighted sums.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import neighborhood_sum
    >>> neighborhood_sum(torch.eye(2), torch.tensor([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]]))
    tensor([[0., 0.],
            [1., 0.]])
    """
    padded = pad_neighborhood(magnitude, weights.shape[-1] // 2, border=border)
    if weights.requires_grad:
        stacked = padded.reshape(-1, 1, *padded.shape[-2:])
        return functional.conv2d(stacked, weights[None, None]).reshape(magnitude.shape)
    # Shifted copies skip the weights that are 0, which most published ones are, and give the
    # same bits on any number of threads.
    n_bands, n_frames = magnitude.shape[-2:]
    total = torch.zeros_like(magnitude)
    for row, line in enumerate(weights.tolist()):
        for column, weight in enumerate(line):
            if weight != 0:
                shifted = padded[..., row : row + n_bands, column : column + n_frames]
                total = total.add_(shifted, alpha=weight)
    return total


def pad_neighborhood(magnitude: Tensor, margin: int, *, border: str) -> Tensor:
    """Extend both image axes by ``margin`` as the border rule says.

    Parameters
    ----------
    magnitude : Tensor of shape (..., n_bands, n_frames)
        Absolute coefficients.
    margin : int
        Coefficients to add on each side.
    border : {"zeros", "reflect"}
        What lies beyond the edge.

    Returns
    -------
    Tensor of shape (..., n_bands + 2 * margin, n_frames + 2 * margin)
        The extended images.

    Raises
    ------
    ValueError
        When the border is unknown, or the image too small to be mirrored.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import pad_neighborhood
    >>> pad_neighborhood(torch.ones(1, 1), 1, border="zeros").sum()
    tensor(1.)
    """
    if border not in ("zeros", "reflect"):
        raise ValueError(f"border={border!r} is unknown. Use 'zeros' or 'reflect'.")
    if border == "reflect" and margin >= min(magnitude.shape[-2:]):
        raise ValueError(
            f"A neighbourhood of {2 * margin + 1} coefficients cannot be mirrored at the border of "
            f"a level of {magnitude.shape[-2]} x {magnitude.shape[-1]}. Use a smaller kernel_size, "
            "fewer levels or larger images."
        )
    stacked = magnitude.reshape(-1, 1, *magnitude.shape[-2:])
    mode = "constant" if border == "zeros" else "reflect"
    padded = functional.pad(stacked, (margin,) * 4, mode=mode)
    return padded.reshape(*magnitude.shape[:-2], *padded.shape[-2:])


def normalization_border(convention: str) -> str:
    """Give the border rule of a convention's divisive normalisation.

    Parameters
    ----------
    convention : {"laparra2016", "laparra2017", "hepburn"}
        Form of the pyramid.

    Returns
    -------
    str
        ``"reflect"`` for ``"hepburn"``, else ``"zeros"``.

    Examples
    --------
    >>> from skperceptual.functional import normalization_border
    >>> normalization_border("laparra2016")
    'zeros'
    """
    return "reflect" if convention == "hepburn" else "zeros"


def resolve_normalization(
    normalization: Normalization,
    n_levels: int,
    *,
    kernel_size: int = 5,
    convention: str = "laparra2016",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn the normalisations that need no data into filters and sigmas.

    Parameters
    ----------
    normalization : {"image"}, None or (filters, sigmas)
        ``"image"`` takes the published weights for photographs; None divides by 1; a pair gives
        the weights, of shape (n_levels, k, k) with k odd, and the constants, (n_levels,).
    n_levels : int
        Number of levels.
    kernel_size : int, default=5
        Side of the neighbourhood, odd and at least 3; 3 drops the one published weight that lies
        further out, as every 3 x 3 port of the 2016 code does.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid, which decides the published weights. With another number of levels
        than the published six, the fifth band's weights repeat and the residual keeps its own.

    Returns
    -------
    filters : ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights in the orientation of a correlation.
    sigmas : ndarray of shape (n_levels,)
        Constants.

    Raises
    ------
    ValueError
        When the normalisation is unknown, or the given arrays do not fit.

    Examples
    --------
    >>> from skperceptual.functional import resolve_normalization
    >>> filters, sigmas = resolve_normalization("image", 6)
    >>> filters.shape, float(sigmas[5])
    ((6, 5, 5), 0.2782)
    """
    if kernel_size < 3 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size} should be odd and at least 3.")
    if normalization is None:
        return np.zeros((n_levels, kernel_size, kernel_size)), np.ones(n_levels)
    if isinstance(normalization, str):
        if normalization != "image":
            raise ValueError(
                f"normalization={normalization!r} is unknown here. Use 'image', None or a pair "
                "(filters, sigmas)."
            )
        if convention == "laparra2017":
            return _image_2017(n_levels, kernel_size)
        return _image_2016(n_levels, kernel_size, convention)
    return _given(normalization, n_levels)


def _image_2016(
    n_levels: int, kernel_size: int, convention: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    center = kernel_size // 2
    filters, sigmas = np.zeros((n_levels, kernel_size, kernel_size)), np.zeros(n_levels)
    for level in range(n_levels):
        if convention == "hepburn":
            source = min(level, 5)  # its last band gets what was fitted to the residual
        else:
            source = 5 if level == n_levels - 1 else min(level, 4)
        up, left, right, down, sigmas[level] = _IMAGE_2016[source]
        weights = filters[level]
        weights[center - 1, center], weights[center + 1, center] = up, down
        weights[center, center - 1], weights[center, center + 1] = left, right
        if source == 0 and kernel_size > 3 and convention == "laparra2016":
            weights[center, center + 2] = _IMAGE_2016_FAR_RIGHT
    if convention == "laparra2016":
        # The original convolves, which turns the printed weights by 180 degrees; the torch
        # class of "hepburn" correlates and leaves them.
        filters = filters[:, ::-1, ::-1].copy()
    return filters, sigmas


def _image_2017(n_levels: int, kernel_size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if kernel_size != 5:
        raise ValueError(
            f"The published weights of convention='laparra2017' are 5 x 5, got kernel_size="
            f"{kernel_size}. Use kernel_size=5."
        )
    rows = np.array(_IMAGE_2017_ROWS)
    filters = np.tile(np.concatenate([rows, rows[1::-1]]), (n_levels, 1, 1))
    filters[-1] = 0.0
    filters[-1, 2, 2] = 1.0
    sigmas = np.full(n_levels, _IMAGE_2017_SIGMAS[0])
    sigmas[-1] = _IMAGE_2017_SIGMAS[1]
    return filters, sigmas


def _given(
    normalization: Sequence[ArrayLike], n_levels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        filters, sigmas = (np.asarray(part, dtype=np.float64) for part in normalization)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "normalization must be 'image', 'ones', 'statistical', None or a pair (filters, "
            f"sigmas) of arrays, got {normalization!r}."
        ) from error
    square = filters.ndim == 3 and filters.shape[1] == filters.shape[2] and filters.shape[1] % 2
    if not square or len(filters) != n_levels or sigmas.shape != (n_levels,):
        raise ValueError(
            f"Expected filters of shape (n_levels, k, k) with k odd and sigmas of shape "
            f"(n_levels,) for n_levels={n_levels}, got {filters.shape} and {sigmas.shape}."
        )
    finite = np.isfinite(filters).all() and np.isfinite(sigmas).all()
    if not (finite and (filters >= 0).all() and (sigmas > 0).all()):
        raise ValueError(
            "Expected weights >= 0 and sigmas > 0, which keep every denominator positive; got a "
            f"smallest weight of {filters.min():g} and a smallest sigma of {sigmas.min():g}."
        )
    return filters, sigmas


def normalization_tensors(
    filters: NDArray[np.float64], sigmas: NDArray[np.float64], like: Tensor
) -> tuple[Tensor, Tensor]:
    """Move filters and sigmas to the type and device of the images.

    Parameters
    ----------
    filters : ndarray of shape (n_levels, k, k)
        Weights.
    sigmas : ndarray of shape (n_levels,)
        Constants.
    like : Tensor
        Whose type and device to take.

    Returns
    -------
    tuple of Tensor
        The same numbers.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import normalization_tensors, resolve_normalization
    >>> normalization_tensors(*resolve_normalization("image", 6), like=torch.ones(1))[0].dtype
    torch.float32
    """
    # Copies: what came from a memory-mapped file cannot be written to, which torch warns of.
    return (
        torch.tensor(filters, dtype=like.dtype, device=like.device),
        torch.tensor(sigmas, dtype=like.dtype, device=like.device),
    )
