"""From arrays of any rank, or Pyramids, to the plain features of other estimators and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skperceptual.base import PerceptualEstimator
from skperceptual.utils._sklearn import _check_feature_names_in
from skperceptual.utils.other_kinds import is_pyramid, refuse_other_kinds
from skperceptual.utils.validation import FLOATS, is_ragged

Shape = tuple[int, ...]

_EXPECTED = "an array of shape (n_samples, ...), a list of arrays of one shape, or a Pyramid"


class Vectorizer(TransformerMixin, PerceptualEstimator):
    """Flatten samples of any shape to rows of features, and bring rows back to that shape.

    With it every estimator that wants a plain matrix (PCA, StandardScaler, NMF ...) works on
    signals, pairs, images and Pyramids.

    Attributes
    ----------
    features_shape_ : tuple of int, or list of tuple of int
        Shape of one sample; for a Pyramid the shape of each of its levels.
    n_features_in_ : int
        Length of the second axis of X, as in scikit-learn; for a Pyramid the number of its
        coefficients.
    feature_names_in_ : ndarray of str
        Names of the columns, where X was a DataFrame.
    convention_ : str or None
        Convention of the Pyramid; None for arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import Vectorizer
    >>> images = np.random.default_rng(0).random((10, 8, 5))
    >>> smooth = make_pipeline(Vectorizer(), PCA(2)).fit(images)
    >>> smooth.transform(images).shape
    (10, 2)
    >>> smooth.inverse_transform(smooth.transform(images)).shape
    (10, 8, 5)
    """

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Remember the shape of a sample.

        Parameters
        ----------
        X : array of shape (n_samples, ...), list of arrays of one shape, or Pyramid
            The samples.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The fitted step.
        """
        _, self.features_shape_, self.convention_ = self._validate(X, reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Flatten every sample.

        Parameters
        ----------
        X : array of shape (n_samples, ...), list of arrays of one shape, or Pyramid
            The samples, of the shape that ``fit`` saw.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            One row a sample; the levels of a Pyramid follow one another, the finest first.
        """
        check_is_fitted(self)
        array, shape, convention = self._validate(X, reset=False)
        if (shape, convention) != (self.features_shape_, self.convention_):
            raise ValueError(
                f"Expected {_describe(self.features_shape_, self.convention_)}, as in fit; got "
                f"{_describe(shape, convention)}. Bring clips to one length with FixDuration() "
                "before the front end, and use the same steps as in fit."
            )
        return array.reshape(len(array), -1)

    def inverse_transform(self, X: ArrayLike) -> Any:
        """Give every row the shape of a sample again.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows as ``transform`` gives them.

        Returns
        -------
        ndarray of shape (n_samples, ...), or Pyramid
            The samples; what was a list comes back as one array.
        """
        check_is_fitted(self)
        rows = check_array(X, dtype=FLOATS)
        shapes = self._level_shapes()
        sizes = [prod(shape) for shape in shapes]
        if rows.shape[1] != sum(sizes):
            raise ValueError(
                f"X has {rows.shape[1]} features, but {_describe(self.features_shape_)} need "
                f"{sum(sizes)}. Give rows as transform returned them."
            )
        parts = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
        levels = [
            part.reshape(len(rows), *shape) for part, shape in zip(parts, shapes, strict=True)
        ]
        if self.convention_ is None:
            return levels[0]
        # Here, so that those who flatten arrays need not import torch.
        from skperceptual.pyramids import Pyramid

        return Pyramid(levels, convention=self.convention_)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the features.

        Parameters
        ----------
        input_features : array of str, default=None
            Names of the columns where samples are rows already; None takes those that ``fit``
            saw. Without use for other samples.

        Returns
        -------
        ndarray of str
            The names of the columns; ``x<i>_<j>...`` by position in the sample; for a Pyramid
            ``level<k>_<i>_<j>...``.
        """
        check_is_fitted(self)
        shapes = self._level_shapes()
        if self.convention_ is None and len(shapes[0]) == 1:
            return _check_feature_names_in(self, input_features)
        names = [
            ("x" if self.convention_ is None else f"level{level}_") + "_".join(map(str, place))
            for level, shape in enumerate(shapes)
            for place in product(*map(range, shape))
        ]
        return np.asarray(names, dtype=object)

    def _level_shapes(self) -> list[Shape]:
        shape = self.features_shape_
        return [shape] if isinstance(shape, tuple) else shape

    def _validate(
        self, X: Any, *, reset: bool
    ) -> tuple[NDArray[np.floating], Shape | list[Shape], str | None]:
        """Give X as one array, with the shape of its samples and the Pyramid's convention."""
        if is_pyramid(X):
            array = self._validate_array(np.asarray(X), reset=reset)
            return array, [np.shape(level)[1:] for level in X.levels], X.convention
        refuse_other_kinds(
            X,
            _EXPECTED,
            files_fix="Put LoadAudio(sr=..., duration_seconds=...) first to read files.",
        )
        array = self._validate_array(_stack(X) if is_ragged(X) else X, reset=reset)
        return array, array.shape[1:], None

    def _validate_array(self, X: Any, *, reset: bool) -> NDArray[np.floating]:
        return validate_data(self, X, reset=reset, dtype=FLOATS, allow_nd=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.any_shape = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _stack(items: Sequence[Any]) -> NDArray[Any]:
    arrays = [np.stack(item) if isinstance(item, tuple) else item for item in items]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(
            f"Expected samples of one shape, got {len(shapes)} shapes from {shapes[0]} to "
            f"{shapes[-1]}. Bring clips to one length with FixDuration() before the front end."
        )
    return np.stack(arrays)


def _describe(shape: Shape | list[Shape], convention: str | None = None) -> str:
    if isinstance(shape, tuple):
        return f"samples of shape {shape}"
    of = f" of convention {convention!r}" if convention else ""
    return f"a Pyramid{of} with levels of shape {', '.join(map(str, shape))}"
