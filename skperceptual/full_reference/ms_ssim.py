"""The multi-scale structural similarity of pairs of images as an estimator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.base import PairMetric
from skperceptual.full_reference.contributions import spread_over_bands, spread_window
from skperceptual.full_reference.images import pair_tensors, warn_beyond_data_range
from skperceptual.full_reference.ssim import row_losses
from skperceptual.functional.ms_ssim import (
    WANG_2003_WEIGHTS,
    combine_terms,
    fit_scales,
    scale_terms,
)
from skperceptual.utils._sklearn import Interval, Options
from skperceptual.utils.validation import ImageBatch

__all__ = ["MSSSIM"]


class MSSSIM(PairMetric):
    """Multi-scale structural similarity between pairs of images.

    Contrast and structure are compared at each scale, luminance at the coarsest only, and the
    means are multiplied, each raised to the weight of its scale [1]_. 1 means identical; the
    score rises with quality and is never negative. Equal to the package pytorch-msssim, to its
    float32 window, on sides that halve evenly. float64 images are computed in float64; float32
    images in float32, to its seven digits, many times faster.

    Parameters
    ----------
    data_range : float, default=1.0
        Largest possible value of the images less the smallest: 1.0 for images in [0, 1].
    window_size : int, default=11
        Side of the window, odd.
    sigma : float, default=1.5
        Standard deviation of the window.
    weights : sequence of float, default=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
        One positive exponent a scale, the finest first. n scales need more than
        ``(window_size - 1) * 2**(n - 1)`` bands and frames: 160 for the defaults. Smaller images
        use the scales that fit, their weights divided by their sum, with a warning; such values
        do not compare with those of larger images.

    See Also
    --------
    SSIM : The same at one scale.
    skperceptual.functional.ms_ssim : The function, differentiable.

    Notes
    -----
    ``contributions`` divides one minus the score among the scales in proportion to minus the
    logarithm of their factors (terms that are clipped to 0 share it equally), and a scale's
    part among the bands in proportion to what each row lacks to 1.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale structural similarity for image
       quality assessment", Asilomar Conference on Signals, Systems and Computers, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import MSSSIM
    >>> reference = np.random.default_rng(0).random((176, 176))
    >>> pairs = np.array([[reference, reference], [reference, 0.5 * reference]])
    >>> MSSSIM().fit_transform(pairs).round(3)
    array([[1.   ],
           [0.821]])
    """

    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "data_range": [Interval(Real, 0, None, closed="neither")],
        "window_size": [Options(Integral, set(range(1, 65, 2)))],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "weights": ["array-like"],
    }

    def __init__(
        self,
        *,
        data_range: float = 1.0,
        window_size: int = 11,
        sigma: float = 1.5,
        weights: Sequence[float] = WANG_2003_WEIGHTS,
    ) -> None:
        self.data_range = data_range
        self.window_size = window_size
        self.sigma = sigma
        self.weights = weights

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = super()._validate_pairs(X, reset=reset)
        fit_scales(1, self.window_size, self.sigma, self.weights)  # refuses wrong weights
        if not reset:
            self._report(batch)
        return batch

    def _report(self, batch: ImageBatch) -> None:
        """Warn once a call, not once a pair."""
        warn_beyond_data_range(batch, self.data_range)
        used = sorted({self._scales(pair) for pair in batch})
        if used != [(self.window_size, len(self.weights))]:
            found = ", ".join(f"{scales} with a window of {window}" for window, scales in used)
            warnings.warn(
                f"Some images are too small for window_size={self.window_size} at "
                f"{len(self.weights)} scales: {found} are used"
                + (", and values do not compare between them." if len(used) > 1 else "."),
                UserWarning,
                stacklevel=6,
            )

    def _scales(self, pair: NDArray) -> tuple[int, int]:
        """Give the window and the number of scales that fit on a pair."""
        taps, exponents = fit_scales(
            min(pair.shape[-2:]), self.window_size, self.sigma, self.weights
        )
        return len(taps), len(exponents)

    def _terms(self, reference: NDArray, degraded: NDArray) -> _Terms:
        taps, weights = fit_scales(min(reference.shape), self.window_size, self.sigma, self.weights)
        if reference.dtype == np.float32:
            lacking = row_losses(reference, degraded, taps, len(weights), self.data_range)
            means = np.array([1 - rows.mean() for rows in lacking])
            vanished = means <= np.finfo(np.float64).tiny  # not NaN, which is passed on
            score = float(np.prod(np.where(vanished, 0, means) ** np.array(weights)))
            return _Terms(score, means, lacking, weights, taps)
        pair = pair_tensors(reference, degraded)
        with torch.inference_mode():
            terms = scale_terms(*pair, taps, weights, self.data_range)
            score = combine_terms(terms).item()
        lacking = [1 - rows.numpy() for rows in terms.band_means]
        return _Terms(score, terms.means.numpy(), lacking, weights, taps)

    def _releases_gil(self, batch: ImageBatch) -> bool:
        return bool(batch[0].dtype == np.float32)

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        return self._terms(reference, degraded).score

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        terms = self._terms(reference, degraded)
        levels = (1 - terms.score) * _shares(terms.means, np.array(terms.weights))
        bands = np.zeros(len(reference))
        for level, rows in enumerate(terms.lacking):
            if levels[level] > 0:
                parts = spread_window(levels[level] * rows / rows.sum(), np.array(terms.taps))
                bands += spread_over_bands(parts, len(bands), level)
        return levels, bands


class _Terms(NamedTuple):
    """The score of a pair and what it was made of, one item a scale."""

    score: float
    means: NDArray[np.float64]
    lacking: list[NDArray[np.float64]]  # one minus the mean of each row
    weights: tuple[float, ...]
    taps: list[float]


def _shares(means: NDArray, weights: NDArray) -> NDArray:
    """Divide the loss of a product among its factors."""
    clipped = means <= np.finfo(np.float64).tiny
    if clipped.any():
        return clipped / clipped.sum()
    losses = -weights * np.log(np.minimum(means, 1.0))
    total = losses.sum()
    return losses / total if total > 0 else losses
