"""A scorer without training, for the checks of what follows a scorer."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import Tensor

from skperceptual.utils.validation import ImageBatch, check_images


class TiltScorer(ClassifierMixin, BaseEstimator):
    """Score images of any size by how far their upper half lies above their lower one.

    Parameters
    ----------
    device : str, default="cpu"
        Where to compute.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.utils.estimator_checks.scorers import TiltScorer
    >>> TiltScorer().predict_proba(np.array([[[0.0], [2.0]]])).round(2)
    array([[0.12, 0.88]])
    """

    classes_: ClassVar[NDArray[np.intp]] = np.array([0, 1])

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing."""
        return self

    def check_recordings(self, X: Any) -> ImageBatch:
        """Check images."""
        return check_images(X)

    def score_images(self, images: Tensor) -> Tensor:
        """Score images, with gradients."""
        half = images.shape[-2] // 2
        upper, lower = images[:, half:], images[:, : half or 1]
        return torch.sigmoid(upper.mean(dim=(-2, -1)) - lower.mean(dim=(-2, -1)))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Score images."""
        images = [torch.tensor(image[None], dtype=torch.float64) for image in check_images(X)]
        scores = np.array([self.score_images(image).item() for image in images])
        return np.column_stack([1 - scores, scores])

    def __sklearn_is_fitted__(self) -> bool:
        return True
