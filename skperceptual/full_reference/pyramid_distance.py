"""The last step of an NLPD taken apart: pairs of pyramids to a distance."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator, contribution_table
from skperceptual.full_reference.nlpd import split_distance
from skperceptual.functional.nlpd import POOLINGS, level_distances, pool_levels
from skperceptual.pyramids.container import Pyramid, check_pyramid
from skperceptual.utils._sklearn import StrOptions, _fit_context
from skperceptual.utils.threads import single_threaded

__all__ = ["PyramidDistance"]


class PyramidDistance(TransformerMixin, PerceptualEstimator):
    """Distance between the two pyramids of each pair.

    The root mean square difference of each level, pooled over levels (equation 1 of [1]_).

    Parameters
    ----------
    pooling : {"mean", "norm0.6"}, default="mean"
        How levels are pooled; see :func:`skperceptual.functional.pool_levels`.

    See Also
    --------
    NLPD : Pyramid, normalisation and distance in one step, in less memory.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import NLPD, DivisiveNorm, LaplacianPyramid, PyramidDistance
    >>> pairs = np.random.default_rng(0).random((3, 2, 64, 64))
    >>> apart = make_pipeline(LaplacianPyramid(), DivisiveNorm("image"), PyramidDistance())
    >>> np.allclose(apart.fit_transform(pairs), NLPD().fit_transform(pairs))
    True
    """

    higher_is_better: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "pooling": [StrOptions(set(POOLINGS))],
    }

    def __init__(self, *, pooling: str = "mean") -> None:
        self.pooling = pooling

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Pyramid, y: ArrayLike | None = None) -> Self:
        """Check the pyramids; there is nothing to learn.

        Parameters
        ----------
        X : Pyramid
            Pyramids of pairs of images.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        self._validate_pyramid(X, reset=True)
        return self

    def transform(self, X: Pyramid) -> NDArray[np.floating]:
        """Compare the two pyramids of each pair.

        Parameters
        ----------
        X : Pyramid
            Pyramids of pairs of images.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            One distance a pair.
        """
        self._validate_params()
        X = self._validate_pyramid(X, reset=False)
        distances = []
        with single_threaded(), torch.inference_mode():
            for bands in X:
                pooled = pool_levels(
                    level_distances(_differences(bands)),
                    pooling=self.pooling,
                    convention=X.convention,
                )
                distances.append([pooled.item()])
        return np.asarray(distances, dtype=X.dtype)

    def contributions(self, X: Pyramid, *, by: str = "level") -> NDArray[np.floating]:
        """Split each pair's distance into parts that add up to it.

        Parameters
        ----------
        X : Pyramid
            Pyramids of pairs of images.
        by : {"level", "band"}, default="level"
            What to split by, as in :meth:`NLPD.contributions`.

        Returns
        -------
        ndarray of shape (n_pairs, n_levels) or (n_pairs, n_bands)
            The parts of the distance.
        """
        self._validate_params()
        X = self._validate_pyramid(X, reset=False)
        with single_threaded(), torch.inference_mode():
            parts = (
                split_distance(_differences(bands), pooling=self.pooling, convention=X.convention)
                for bands in X
            )
            return contribution_table(parts, by).astype(X.dtype)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output feature.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            ``["pyramiddistance"]``.
        """
        return np.asarray([type(self).__name__.lower()], dtype=object)

    def _validate_pyramid(self, X: Any, *, reset: bool) -> Pyramid:
        return check_pyramid(X, pairs=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.pyramid_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _differences(bands: list[NDArray[np.floating]]) -> list[torch.Tensor]:
    return [torch.tensor(band[0] - band[1]) for band in bands]
