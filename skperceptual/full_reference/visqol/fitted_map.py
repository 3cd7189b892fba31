"""Maps from similarities to ratings that are learned from a user's own."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.svm import NuSVR
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from skperceptual.full_reference.visqol.ratings import NU_SVR_PARAMETERS, without_chance
from skperceptual.utils._sklearn import Interval, _fit_context
from skperceptual.utils.messages import warn_caller

# The original's C of 0.4 suits its table, which a smooth map fits without error. People disagree,
# and there are fewer of their ratings: in units of their standard deviation, 5 is better on all
# three rated sets of the benchmarks, out of fold.
_C = 5.0


class RatingSVR(NuSVR):
    """The original's regression, for ratings of any scale.

    Parameters
    ----------
    C : float, default=5.0
        Weight of errors, in units of the standard deviation of the ratings.
    nu : float, default=0.6
        Least share of pairs that become support vectors.
    gamma : float, default=1/32
        How narrow the radial basis is.
    tol : float, default=1e-3
        Tolerance of the solution.

    Attributes
    ----------
    center_, scale_ : float
        Mean and standard deviation of the ratings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**NuSVR._parameter_constraints}

    def __init__(
        self,
        *,
        C: float = _C,
        nu: float = NU_SVR_PARAMETERS["nu"],
        gamma: float = NU_SVR_PARAMETERS["gamma"],
        tol: float = NU_SVR_PARAMETERS["tol"],
    ) -> None:
        super().__init__(C=C, nu=nu, gamma=gamma, tol=tol)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the regression.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_bands)
            Similarities of the bands.
        y : array-like of shape (n_pairs,)
            Ratings.

        Returns
        -------
        self
            The fitted regressor.
        """
        ratings = np.asarray(y, dtype=np.float64)
        self.center_ = float(ratings.mean())
        self.scale_ = float(ratings.std()) or 1.0
        without_chance(self)
        return super().fit(X, (ratings - self.center_) / self.scale_)

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict ratings.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_bands)
            Similarities of the bands.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Ratings.
        """
        return self.center_ + self.scale_ * super().predict(X)


class MonotoneRegressor(RegressorMixin, BaseEstimator):
    """A rating that no loss of similarity raises: a weighted sum, no weight of which is negative.

    Least squares, with a penalty on weights that differ from one another: with few ratings all
    bands count alike.

    Parameters
    ----------
    alpha : float, default=0.3
        Weight of the penalty, in units of the variance of the losses.

    Attributes
    ----------
    coef_ : ndarray of shape (n_bands,)
        What a rating loses with the similarity of each band.
    intercept_ : float
        The rating of two equal recordings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, alpha: float = 0.3) -> None:
        self.alpha = alpha

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit the weights.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_bands)
            Similarities of the bands.
        y : array-like of shape (n_pairs,)
            Ratings.

        Returns
        -------
        self
            The fitted regressor.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        losses, n_bands = 1 - X, X.shape[1]
        penalty = np.sqrt(self.alpha * len(X)) * losses.std()
        unequal = penalty * (np.eye(n_bands) - 1 / n_bands)
        # The intercept is free: the difference of two numbers that are not negative.
        ones = np.ones((len(X), 1))
        system = np.vstack([np.hstack([losses, ones, -ones]), np.pad(unequal, ((0, 0), (0, 2)))])
        top = y.max()
        solution, _ = nnls(system, np.append(top - y, np.zeros(n_bands)))
        self.coef_ = solution[:n_bands]
        if not self.coef_.any() and np.ptp(y):
            warn_caller(
                "The ratings do not rise with the similarities, so that every pair is rated alike. "
                "Turn a scale on which more is worse round: fit to -y."
            )
        self.intercept_ = float(top - (solution[-2] - solution[-1]))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict ratings.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_bands)
            Similarities of the bands.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Ratings.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        # Row by row, so that a rating does not depend on its neighbours in the last bit.
        return np.array([self.intercept_ - np.sum(self.coef_ * (1 - row)) for row in X])


def make_regressor(regressor: str | BaseEstimator) -> BaseEstimator:
    """Give the unfitted regressor that a parameter names, or a clone of it.

    Parameters
    ----------
    regressor : {"nusvr", "monotone"} or estimator
        The parameter.

    Returns
    -------
    estimator
        A regressor on similarities of bands.
    """
    if isinstance(regressor, BaseEstimator):
        return clone(regressor)
    return MonotoneRegressor() if regressor == "monotone" else RatingSVR()


def check_ratings(y: ArrayLike | None, n_pairs: int) -> NDArray[np.float64]:
    """Check ratings.

    Parameters
    ----------
    y : array-like of shape (n_pairs,) or None
        Ratings.
    n_pairs : int
        How many there should be.

    Returns
    -------
    ndarray of shape (n_pairs,)
        The ratings as floating-point numbers.

    Raises
    ------
    ValueError
        When there are none, or not one a pair, or one is missing.
    """
    if y is None:
        raise ValueError(
            "requires y to be passed, but the target y is None: model='fit' learns from ratings "
            "of the pairs."
        )
    ratings = np.asarray(column_or_1d(y, warn=True, dtype=np.float64))
    if len(ratings) != n_pairs:
        raise ValueError(
            f"Expected one rating a pair, got {n_pairs} pairs and {len(ratings)} ratings "
            "(inconsistent numbers of samples)."
        )
    finite = np.isfinite(ratings)
    if not finite.all():
        raise ValueError(
            f"Input y contains NaN or infinity: rating {int(np.argmin(finite))} is missing. "
            "Leave out pairs without a rating."
        )
    return ratings
