"""The structural similarity of pairs of images as an estimator."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.base import PairMetric
from skperceptual.full_reference.contributions import spread_window
from skperceptual.full_reference.images import pair_tensors, warn_beyond_data_range
from skperceptual.functional.reduction import stable_mean
from skperceptual.functional.ssim import fit_window, ssim_factors
from skperceptual.utils._sklearn import Interval, Options
from skperceptual.utils.validation import ImageBatch

__all__ = ["SSIM"]


class SSIM(PairMetric):
    """Structural similarity between pairs of images.

    Local means, variances and the covariance under a Gaussian window are compared wherever the
    window lies inside the image, and the result is averaged [1]_. 1 means identical; the score
    rises with quality. Computed in float64; equal to scikit-image's ``structural_similarity``
    with ``gaussian_weights=True, use_sample_covariance=False``.

    Parameters
    ----------
    data_range : float, default=1.0
        Largest possible value of the images less the smallest: 1.0 for images in [0, 1].
    window_size : int, default=11
        Side of the window, odd. An image smaller than the window is compared under the largest
        odd window that fits, its ``sigma`` scaled in proportion, with a warning.
    sigma : float, default=1.5
        Standard deviation of the window.

    See Also
    --------
    MSSSIM : The same over several scales.
    skperceptual.functional.ssim : The function, differentiable.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from
       error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import SSIM
    >>> reference = np.random.default_rng(0).random((64, 64))
    >>> pairs = np.array([[reference, reference], [reference, 0.5 * reference]])
    >>> SSIM().fit_transform(pairs).round(3)
    array([[1.   ],
           [0.642]])
    """

    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "data_range": [Interval(Real, 0, None, closed="neither")],
        "window_size": [Options(Integral, set(range(1, 65, 2)))],
        "sigma": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, *, data_range: float = 1.0, window_size: int = 11, sigma: float = 1.5
    ) -> None:
        self.data_range = data_range
        self.window_size = window_size
        self.sigma = sigma

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = super()._validate_pairs(X, reset=reset)
        if not reset:
            self._report(batch)
        return batch

    def _report(self, batch: ImageBatch) -> None:
        """Warn once a call, not once a pair."""
        warn_beyond_data_range(batch, self.data_range)
        side = min(min(pair.shape[-2:]) for pair in batch)
        if side < self.window_size:
            warnings.warn(
                f"The smallest image has a side of {side}, less than window_size="
                f"{self.window_size}: a window that fits is used there, whose values do not "
                "compare with those of larger images.",
                UserWarning,
                stacklevel=6,
            )

    def _map(self, reference: NDArray, degraded: NDArray) -> tuple[torch.Tensor, list[float]]:
        taps = fit_window(self.window_size, self.sigma, min(reference.shape))
        pair = pair_tensors(reference, degraded)
        luminance, contrast_structure = ssim_factors(*pair, taps, self.data_range)
        return luminance * contrast_structure, taps

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        with torch.inference_mode():
            similarity, _ = self._map(reference, degraded)
            return stable_mean(stable_mean(similarity)).item()

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        with torch.inference_mode():
            similarity, taps = self._map(reference, degraded)
            losses = 1 - stable_mean(similarity).numpy()
        bands = spread_window(losses / len(losses), np.array(taps))
        return bands.sum(keepdims=True), bands
