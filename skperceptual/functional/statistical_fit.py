"""The statistical fit of divisive normalisation (Namgyal et al. 2023, equations 2 to 4).

Each coefficient's magnitude is predicted from the magnitudes around it,
``|z_i| ~ sigma + sum_j p_j |z_j|``, with sigma the mean magnitude of the level (equation 3) and
weights that minimise the squared error (equation 4). The centre is not its own neighbour and
weights are not negative: otherwise the best prediction is the coefficient itself, and
denominators change sign. The problem is then a non-negative least squares problem with
``k**2 - 1`` unknowns, which its normal equations hold whole: they are accumulated image by
image, so memory does not grow with the data, and solved exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from skperceptual.functional.divisive_normalization import (
    Normalization,
    normalization_border,
    pad_neighborhood,
    resolve_normalization,
)

# Relative to the strongest level, what single precision leaves of a level that should be zero.
_EMPTY = 1e-6


class NeighborhoodMoments:
    """First and second moments of the neighbourhoods of every level, added up image by image.

    Parameters
    ----------
    kernel_size : int, default=5
        Side of the neighbourhood, odd.
    border : {"zeros", "reflect"}, default="zeros"
        What lies beyond the edge, as in the normalisation itself.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023, equations 2 to 4.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import NeighborhoodMoments, laplacian_pyramid
    >>> moments = NeighborhoodMoments(kernel_size=3)
    >>> for image in torch.rand(4, 32, 32, generator=torch.manual_seed(0)):
    ...     moments.add(laplacian_pyramid(image, 3))
    >>> filters, sigmas = moments.solve()
    >>> filters.shape, bool((filters >= 0).all()), bool((sigmas > 0).all())
    ((3, 3, 3), True, True)
    """

    def __init__(self, *, kernel_size: int = 5, border: str = "zeros") -> None:
        self.kernel_size = kernel_size
        self.border = border
        self._products: list[NDArray[np.float64]] = []
        self._sums: list[NDArray[np.float64]] = []
        self._counts: list[int] = []

    def add(self, bands: list[Tensor]) -> None:
        """Add the pyramid of one reference image.

        Parameters
        ----------
        bands : list of Tensor of shape (n_bands_k, n_frames_k)
            One tensor a level, the finest first.
        """
        if not self._counts:
            size = self.kernel_size**2
            self._products = [np.zeros((size, size)) for _ in bands]
            self._sums = [np.zeros(size) for _ in bands]
            self._counts = [0 for _ in bands]
        for level, band in enumerate(bands):
            magnitude = band.detach().cpu().double().abs()
            padded = pad_neighborhood(magnitude, self.kernel_size // 2, border=self.border)
            products, sums = _neighborhood_sums(padded.numpy(), self.kernel_size)
            self._products[level] += products
            self._sums[level] += sums
            self._counts[level] += band.numel()

    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the moments so far, per coefficient.

        Returns
        -------
        products : ndarray of shape (n_levels, kernel_size**2, kernel_size**2)
            Mean products of two members of a neighbourhood.
        sums : ndarray of shape (n_levels, kernel_size**2)
            Mean magnitude of each member.
        """
        counts = np.array(self._counts, dtype=np.float64)
        return (
            np.array(self._products) / counts[:, None, None],
            np.array(self._sums) / counts[:, None],
        )

    def mean_magnitudes(self) -> NDArray[np.float64]:
        """Give the mean magnitude of each level, equation 3.

        Returns
        -------
        ndarray of shape (n_levels,)
            The sigmas. A level that holds nothing but rounding noise, such as a band-pass level
            of one pixel, gets the largest sigma of the others, so that noise stays noise.

        Raises
        ------
        ValueError
            When all levels are zero, as they are for silent references.
        """
        sigmas = self.means()[1][:, self.kernel_size**2 // 2]
        largest = sigmas.max()
        if largest == 0:
            raise ValueError(
                "The pyramids of all references are zero, so the normalisation cannot be fitted. "
                "Are the references silent?"
            )
        sigmas[sigmas < _EMPTY * largest] = largest
        return sigmas

    def solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Minimise equation 4 over weights that are not negative, level by level.

        Returns
        -------
        filters : ndarray of shape (n_levels, kernel_size, kernel_size)
            Weights; the centre is 0.
        sigmas : ndarray of shape (n_levels,)
            Mean magnitudes, equation 3.

        Raises
        ------
        ValueError
            When all levels are zero, as they are for silent references.
        """
        sigmas = self.mean_magnitudes()
        k = self.kernel_size
        filters = np.zeros((len(sigmas), k * k))
        center = k * k // 2
        around = np.delete(np.arange(k * k), center)
        products, sums = self.means()
        for level, sigma in enumerate(sigmas):
            right = products[level][around, center] - sigma * sums[level][around]
            filters[level, around] = _nnls_of_normal_equations(
                products[level][np.ix_(around, around)], right
            )
        return filters.reshape(-1, k, k), sigmas

    def loss(
        self, filters: NDArray[np.float64], sigmas: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the mean squared error of equation 4 for any weights.

        Parameters
        ----------
        filters : ndarray of shape (n_levels, kernel_size, kernel_size)
            Weights.
        sigmas : ndarray of shape (n_levels,)
            Constants.

        Returns
        -------
        ndarray of shape (n_levels,)
            Mean squared error of the predicted magnitudes.
        """
        products, sums = self.means()
        residual = -np.asarray(filters, dtype=np.float64).reshape(len(sums), -1)
        residual[:, self.kernel_size**2 // 2] += 1.0
        quadratic = np.einsum("li,lij,lj->l", residual, products, residual)
        return quadratic - 2 * sigmas * np.einsum("li,li->l", residual, sums) + sigmas**2


def _neighborhood_sums(
    padded: NDArray[np.float64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum the products of every two members of a neighbourhood, and the members, over all of them.

    Two members are some rows and some columns apart. What two whole rows of the image contribute
    to such a product is the same for whichever members they are, so it is computed once for each
    two rows and summed over the rows that count.
    """
    n_rows, n_bands, n_frames = len(padded), len(padded) - k + 1, padded.shape[1] - k + 1
    # Row by row, the k columns of the neighbourhoods: (n_rows, k, n_frames).
    columns = np.ascontiguousarray(sliding_window_view(padded, n_frames, axis=1))
    products = np.empty((k, k, k, k))
    for apart in range(k):
        by_row = columns[: n_rows - apart] @ columns[apart:].transpose(0, 2, 1)
        for row in range(k - apart):
            total = by_row[row : row + n_bands].sum(axis=0)
            products[row, :, row + apart, :] = total
            products[row + apart, :, row, :] = total.T
    sums_by_row = columns.sum(axis=2)
    sums = np.stack([sums_by_row[row : row + n_bands].sum(axis=0) for row in range(k)])
    return products.reshape(k * k, k * k), sums.ravel()


def fit_normalization(
    references: Iterable[list[Tensor]],
    normalization: Normalization,
    n_levels: int,
    *,
    kernel_size: int = 5,
    convention: str = "laparra2016",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the filters and sigmas of any normalisation, reading references where it learns.

    Parameters
    ----------
    references : iterable of list of Tensor
        Pyramids of the reference images; read once, and only by what learns from them.
    normalization : {"image", "ones", "statistical"}, None or (filters, sigmas)
        ``"ones"``: all weights 1 and sigma of equation 3. ``"statistical"``: equations 2 to 4.
        The others as in :func:`resolve_normalization`.
    n_levels : int
        Number of levels.
    kernel_size : int, default=5
        Side of the neighbourhood, odd.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid.

    Returns
    -------
    filters : ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights.
    sigmas : ndarray of shape (n_levels,)
        Constants.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import fit_normalization, laplacian_pyramid
    >>> images = torch.rand(4, 32, 32, generator=torch.manual_seed(0))
    >>> filters, sigmas = fit_normalization(
    ...     (laplacian_pyramid(image, 3) for image in images), "ones", 3
    ... )
    >>> filters.shape, sigmas.round(2).tolist()
    ((3, 5, 5), [0.23, 0.06, 0.49])
    """
    if not isinstance(normalization, str) or normalization == "image":
        return resolve_normalization(
            normalization, n_levels, kernel_size=kernel_size, convention=convention
        )
    # Equation 3 alone needs no neighbours.
    moments = NeighborhoodMoments(
        kernel_size=1 if normalization == "ones" else kernel_size,
        border=normalization_border(convention),
    )
    for bands in references:
        moments.add(bands)
    if normalization == "statistical":
        return moments.solve()
    return np.ones((n_levels, kernel_size, kernel_size)), moments.mean_magnitudes()


def _nnls_of_normal_equations(
    products: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve min p'Ap - 2b'p over p >= 0 through a square root of A, which may be singular."""
    values, vectors = np.linalg.eigh(products)
    keep = values > values[-1] * 1e-12
    if not keep.any():  # a level of single pixels has no neighbours
        return np.zeros(len(right))
    root = np.sqrt(values[keep])[:, None] * vectors[:, keep].T
    target = (vectors[:, keep].T @ right) / np.sqrt(values[keep])
    return nnls(root, target)[0]
