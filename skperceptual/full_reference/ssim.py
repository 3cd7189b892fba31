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
from skperceptual.functional.ssim import (
    CONTRAST_CONSTANT,
    LUMINANCE_CONSTANT,
    fit_window,
    ssim_factors,
)
from skperceptual.utils._sklearn import Interval, Options
from skperceptual.utils.validation import ImageBatch

__all__ = ["SSIM", "row_losses"]


def row_losses(
    reference: NDArray[np.float32],
    degraded: NDArray[np.float32],
    taps: list[float],
    n_scales: int,
    data_range: float,
) -> list[NDArray[np.float64]]:
    """Give what each row of a float32 pair lacks to full similarity, at every scale, compiled.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames), float32
        The pair.
    taps : list of float
        The window along one axis, which fits on the images of the last scale.
    n_scales : int
        How many scales, each half as large as the one before.
    data_range : float
        Largest possible value of the images less the smallest.

    Returns
    -------
    list of ndarray of shape (n_rows_k,)
        For each scale, the finest first, one minus the mean similarity of the window's
        positions along every row: of contrast and structure, at the last scale of luminance too.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.ssim import row_losses
    >>> image = np.random.default_rng(0).random((6, 8), dtype=np.float32)
    >>> row_losses(image, image, [0.25, 0.5, 0.25], n_scales=2, data_range=1.0)
    [array([0., 0., 0., 0.]), array([0.])]
    """
    from skperceptual.kernels.ssim import similarity_losses

    half = len(taps) // 2
    losses = similarity_losses(
        np.ascontiguousarray(reference),
        np.ascontiguousarray(degraded),
        np.array(taps[half:], dtype=np.float32),
        n_scales,
        data_range,
        LUMINANCE_CONSTANT**2,
        CONTRAST_CONSTANT**2,
    )
    bands = [-(-len(reference) // 2**scale) for scale in range(n_scales)]
    return np.split(losses, np.cumsum([n - 2 * half for n in bands[:-1]]))


class SSIM(PairMetric):
    """Structural similarity between pairs of images.

    Local means, variances and the covariance under a Gaussian window are compared wherever the
    window lies inside the image, and the result is averaged [1]_. 1 means identical; the score
    rises with quality. Equal to scikit-image's ``structural_similarity`` with
    ``gaussian_weights=True, use_sample_covariance=False``: float64 images to the last few
    digits; float32 images to the seven that float32 has, many times faster.

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

    def _taps(self, reference: NDArray) -> list[float]:
        return fit_window(self.window_size, self.sigma, min(reference.shape))

    def _row_losses(self, reference: NDArray, degraded: NDArray) -> NDArray[np.float64]:
        """Give one minus the mean similarity of each row of positions of the window."""
        if reference.dtype == np.float32:
            return row_losses(reference, degraded, self._taps(reference), 1, self.data_range)[0]
        return 1 - self._row_means(reference, degraded).numpy()

    def _row_means(self, reference: NDArray, degraded: NDArray) -> torch.Tensor:
        pair = pair_tensors(reference, degraded)
        with torch.inference_mode():
            luminance, contrast_structure = ssim_factors(
                *pair, self._taps(reference), self.data_range
            )
            return stable_mean(luminance * contrast_structure)

    def _releases_gil(self, batch: ImageBatch) -> bool:
        return bool(batch[0].dtype == np.float32)

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        if reference.dtype == np.float32:
            return 1 - float(self._row_losses(reference, degraded).mean())
        return stable_mean(self._row_means(reference, degraded)).item()

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        losses = self._row_losses(reference, degraded)
        bands = spread_window(losses / len(losses), np.array(self._taps(reference)))
        return bands.sum(keepdims=True), bands
