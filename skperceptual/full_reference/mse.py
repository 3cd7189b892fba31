"""The mean squared error of pairs of images as an estimator."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.base import PairMetric
from skperceptual.full_reference.images import pair_tensors
from skperceptual.functional.mse import mse
from skperceptual.functional.reduction import stable_mean

__all__ = ["MSE"]


class MSE(PairMetric):
    """Mean squared error between pairs of images: the baseline of every comparison.

    0 means identical; the distance falls with quality. Computed in float64.

    See Also
    --------
    skperceptual.functional.mse : The function, differentiable.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import MSE
    >>> reference = np.random.default_rng(0).random((8, 8))
    >>> pairs = np.array([[reference, reference], [reference, reference + 0.5]])
    >>> MSE().fit_transform(pairs)
    array([[0.  ],
           [0.25]])
    """

    higher_is_better: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        with torch.inference_mode():
            return mse(*pair_tensors(reference, degraded)).item()

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        with torch.inference_mode():
            first, second = pair_tensors(reference, degraded)
            bands = stable_mean((first - second).square()).numpy() / len(reference)
        return bands.sum(keepdims=True), bands
