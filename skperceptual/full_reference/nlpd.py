"""The normalised Laplacian pyramid distance as an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import PairMetric
from skperceptual.full_reference.contributions import spread_over_bands
from skperceptual.full_reference.images import warn_beyond_data_range
from skperceptual.functional.divisive_normalization import Normalization, resolve_normalization
from skperceptual.functional.nlpd import POOLINGS, level_distances, nlpd_differences, pool_levels
from skperceptual.functional.pyramid import CONVENTIONS, laplacian_pyramid, minimum_side
from skperceptual.functional.statistical_fit import fit_normalization
from skperceptual.utils._sklearn import Interval, Options, StrOptions, _fit_context
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import ImageBatch

__all__ = ["NLPD"]

# Of the levels' distances, with pooling="norm0.6".
_EXPONENT = 0.6


class NLPD(PairMetric):
    """Normalised Laplacian pyramid distance between pairs of images in [0, 1].

    Both images are split into a Laplacian pyramid, each coefficient is divided by the activity
    around it, and the root mean square differences of the levels are averaged (equation 1 of
    [1]_). 0 means identical; the distance falls with quality.

    Parameters
    ----------
    n_levels : int, default=6
        Number of levels.
    normalization : {"image", "ones", "statistical"}, None or (filters, sigmas), default="image"
        Divisive normalisation, as in :class:`DivisiveNorm`; ``"ones"`` and ``"statistical"``
        learn from the references in ``fit``.
    kernel_size : int, default=5
        Side of the neighbourhood, odd and at least 3. With ``"image"``, 3 drops the one published
        weight that lies further out, as pyiqa and other 3 x 3 ports do (0.1 % on spectrograms).
    pooling : {"mean", "norm0.6"}, default="mean"
        How levels are pooled; see :func:`skperceptual.functional.pool_levels`.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Which published form to compute: the authors' reference code of 2016, the form of 2017
        on display luminance, or the torch class of the audio papers' co-author. They differ by
        tens of percent on spectrograms, so say which one you report.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.

    Attributes
    ----------
    filters_ : ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights of the neighbours.
    sigmas_ : ndarray of shape (n_levels,)
        Constants of the denominators.
    convention_ : str
        Form of the pyramids that the normalisation was learned on.

    See Also
    --------
    NLPDRegressor : The same distance, fitted to ratings.
    skperceptual.functional.nlpd : The function, differentiable.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023.
    .. [2] V. Laparra, J. Ballé, A. Berardino, E. P. Simoncelli, "Perceptual image quality
       assessment using a normalized Laplacian pyramid", Electronic Imaging 2016(16), 1-6.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import NLPD
    >>> reference = np.random.default_rng(0).random((64, 64))
    >>> pairs = np.array([[reference, reference], [reference, 0.5 * reference]])
    >>> NLPD().fit_transform(pairs).round(3)
    array([[0.   ],
           [0.422]])
    """

    higher_is_better: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_levels": [Interval(Integral, 1, 16, closed="both")],
        "normalization": [StrOptions({"image", "ones", "statistical"}), tuple, list, None],
        "kernel_size": [Options(Integral, set(range(3, 33, 2)))],
        "pooling": [StrOptions(set(POOLINGS))],
        "convention": [StrOptions(set(CONVENTIONS))],
        "device": [str],
    }

    def __init__(
        self,
        *,
        n_levels: int = 6,
        normalization: Normalization = "image",
        kernel_size: int = 5,
        pooling: str = "mean",
        convention: str = "laparra2016",
        device: str = "auto",
    ) -> None:
        self.n_levels = n_levels
        self.normalization = normalization
        self.kernel_size = kernel_size
        self.pooling = pooling
        self.convention = convention
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Learn, or look up, the divisive normalisation.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first; only the references are learned from.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The fitted metric.
        """
        batch = self._validate_pairs(X, reset=True)
        self.convention_ = self.convention
        with single_threaded():
            self.filters_, self.sigmas_ = fit_normalization(
                reference_pyramids(batch, self.n_levels, self.convention),
                self.normalization,
                self.n_levels,
                kernel_size=self.kernel_size,
                convention=self.convention,
            )
        return self

    def _min_side(self) -> int:
        return minimum_side(self.n_levels, self.convention)

    def _learns(self) -> bool:
        return isinstance(self.normalization, str) and self.normalization != "image"

    def _start(self, X: Any) -> ImageBatch:
        self._validate_params()
        if self._learns():
            check_is_fitted(self)
            if (self.convention_, len(self.sigmas_)) != (self.convention, self.n_levels):
                raise ValueError(
                    f"The normalisation was learned with convention={self.convention_!r} and "
                    f"n_levels={len(self.sigmas_)}, which have changed since. Call fit again."
                )
        return self._validate_pairs(X, reset=False)

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = super()._validate_pairs(X, reset=reset)
        if not reset:
            warn_beyond_data_range(batch, 1.0)
        return batch

    def _releases_gil(self, batch: ImageBatch) -> bool:
        return self._is_compiled_for(batch[0].dtype)

    def _is_compiled_for(self, dtype: np.dtype[Any]) -> bool:
        return (
            self.convention == "laparra2016"
            and dtype == np.float32
            and resolve_device(self.device).type == "cpu"
        )

    def _normalization_arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._learns():
            return self.filters_, self.sigmas_
        return resolve_normalization(
            self.normalization,
            self.n_levels,
            kernel_size=self.kernel_size,
            convention=self.convention,
        )

    def _differences(self, reference: NDArray, degraded: NDArray) -> list[torch.Tensor]:
        return pair_differences(
            reference,
            degraded,
            *self._normalization_arrays(),
            convention=self.convention,
            device=self.device,
        )

    def _compiled_distances(
        self, reference: NDArray, degraded: NDArray
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the distance of each level and the energy of each of its rows, without torch."""
        # By name and in here: passed on or kept, a kernel is pickled without its cache.
        from skperceptual.kernels.nlpd import nlpd_energies

        arrays = (
            np.ascontiguousarray(part, dtype=np.float32) for part in self._normalization_arrays()
        )
        mean_squares, row_energies = nlpd_energies(reference, degraded, *arrays)
        return np.sqrt(mean_squares), row_energies

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        if self._is_compiled_for(reference.dtype):
            return _pool(self._compiled_distances(reference, degraded)[0], self.pooling)
        with torch.inference_mode():
            distances = level_distances(self._differences(reference, degraded))
            return pool_levels(distances, pooling=self.pooling, convention=self.convention).item()

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        if self._is_compiled_for(reference.dtype):
            distances, row_energies = self._compiled_distances(reference, degraded)
            total = _pool(distances, self.pooling)
            return _share(total, distances, list(row_energies), len(reference), self.pooling)
        with torch.inference_mode():
            differences = self._differences(reference, degraded)
            return split_distance(differences, pooling=self.pooling, convention=self.convention)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = self._learns()
        return tags


def reference_pyramids(
    pairs: ImageBatch, n_levels: int, convention: str
) -> Iterator[list[torch.Tensor]]:
    """Give the pyramid of each distinct reference, one at a time.

    A reference that is in several pairs counts once, however many versions of it were rated.

    Parameters
    ----------
    pairs : ndarray or list
        Checked pairs of images.
    n_levels : int
        Number of levels.
    convention : str
        Form of the pyramid.

    Yields
    ------
    list of Tensor
        The levels of one reference.
    """
    seen = set()
    for pair in pairs:
        key = fingerprint(pair[0])
        if key in seen:
            continue
        seen.add(key)
        # Entered anew for each: a generator that is never exhausted must not leave them on.
        with single_threaded(), torch.inference_mode():
            bands = laplacian_pyramid(torch.tensor(pair[0]), n_levels, convention=convention)
        yield bands


def pair_differences(
    reference: NDArray,
    degraded: NDArray,
    filters: NDArray[np.float64],
    sigmas: NDArray[np.float64],
    *,
    convention: str,
    device: str,
) -> list[torch.Tensor]:
    """Subtract the normalised pyramids of one pair on the device asked for.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames)
        The pair.
    filters : ndarray of shape (n_levels, k, k)
        Weights.
    sigmas : ndarray of shape (n_levels,)
        Constants.
    convention : str
        Form of the pyramid.
    device : str
        ``"auto"`` or a torch device.

    Returns
    -------
    list of Tensor
        One difference a level.
    """
    where = resolve_device(device)
    # The Metal backend knows no float64.
    dtype = torch.float32 if where.type == "mps" else None
    return nlpd_differences(
        torch.tensor(reference, device=where, dtype=dtype),
        torch.tensor(degraded, device=where, dtype=dtype),
        n_levels=len(sigmas),
        normalization=(filters, sigmas),
        convention=convention,
    )


def split_distance(
    differences: list[torch.Tensor], *, pooling: str, convention: str
) -> tuple[NDArray, NDArray]:
    """Split one pair's distance into parts by level and by band.

    A level's part is its term of the mean or, with ``pooling="norm0.6"``, its share of the sum
    under the root; a band's part of it is the band's share of the squared difference.

    Parameters
    ----------
    differences : list of Tensor of shape (n_bands_k, n_frames_k)
        What :func:`skperceptual.functional.nlpd_differences` gave.
    pooling : str
        How levels are pooled.
    convention : str
        Form of the pyramid.

    Returns
    -------
    by_level : ndarray of shape (n_levels,)
        Parts that add up to the distance.
    by_band : ndarray of shape (n_bands,)
        Parts that add up to the distance.
    """
    distances = level_distances(differences)
    total = pool_levels(distances, pooling=pooling, convention=convention).item()
    row_energies = [
        difference.double().square().sum(dim=-1).cpu().numpy() for difference in differences
    ]
    n_bands = differences[0].shape[-2]
    return _share(total, distances.double().cpu().numpy(), row_energies, n_bands, pooling)


def _share(
    total: float,
    distances: NDArray[np.float64],
    row_energies: list[NDArray[np.float64]],
    n_bands: int,
    pooling: str,
) -> tuple[NDArray, NDArray]:
    """Share a distance between its levels, and each level's part between the bands."""
    weights = distances ** (1.0 if pooling == "mean" else _EXPONENT)
    by_level = total * weights / weights.sum() if total > 0 else np.zeros(len(weights))
    by_band = np.zeros(n_bands)
    for level, (energy, part) in enumerate(zip(row_energies, by_level, strict=True)):
        if part > 0:
            by_band += spread_over_bands(part * energy / energy.sum(), n_bands, level)
    return by_level, by_band


def _pool(distances: NDArray[np.float64], pooling: str) -> float:
    """Pool as ``functional.pool_levels`` does for "laparra2016", but without torch.

    Threads that score pairs side by side must not use it, nor a process forked from one that did.
    """
    if pooling == "mean":
        return float(distances.mean())
    return float(np.mean(distances**_EXPONENT) ** (1 / _EXPONENT))
