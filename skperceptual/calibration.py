"""From a metric's value to the rating scale: maps fitted to ratings, monotone but for one."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import RegressorMixin
from sklearn.isotonic import IsotonicRegression
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skperceptual.base import PerceptualEstimator
from skperceptual.metrics.correlations import check_column, check_weights, is_constant, spearman
from skperceptual.metrics.monotone_fit import (
    fit_cubic,
    fit_line,
    fit_logistic,
    fit_logistic5,
)
from skperceptual.utils._sklearn import StrOptions, _fit_context

__all__ = ["RatingMapping"]

Floats = NDArray[np.float64]

# A map with p parameters needs p different metric values.
_N_VALUES = {"linear": 1, "cubic": 4, "logistic": 4, "logistic5": 5, "isotonic": 1}
# Halvings after which an interval of float64 numbers cannot get smaller.
_N_BISECTIONS = 64
_MIN_SAMPLES = {"linear": 2, "cubic": 4, "logistic": 4, "logistic5": 5, "isotonic": 2}


class RatingMapping(RegressorMixin, PerceptualEstimator):
    """Map one metric's values to ratings by a monotone curve.

    The last step of a pipeline that predicts ratings from a metric, and the mapping that
    ITU-T P.1401 asks for before errors are computed. Except for ``"logistic5"``, it never changes
    the order of the values (save for reversing it), so rank correlations stay what they are.

    Parameters
    ----------
    kind : {"linear", "cubic", "logistic", "logistic5", "isotonic"}, default="linear"
        The family of curves, each fitted by (weighted) least squares:

        ``"linear"``
            A straight line, P.1401's first-order mapping.
        ``"cubic"``
            P.1401's third-order polynomial, monotone between the smallest and the largest
            metric value of the training data [1]_. Beyond them it goes on as a straight line
            with the slope it ends with.
        ``"logistic"``
            The four-parameter logistic of the Video Quality Experts Group [2]_, which levels
            off at both ends. Its midpoint is sought up to one range of the training values
            beyond either end, its width between 1/200 and 5 ranges.
        ``"logistic5"``
            The five-parameter logistic that is common in the comparison of image metrics, a
            logistic plus a straight line. The line may run against the logistic: the curve
            need then not be monotone, changes the order of values, and so makes Pearson's
            correlation larger than any monotone map could. Prefer ``"logistic"``, and if
            results of others ask for this one, fit it to other items than those it is judged
            on. It has no inverse.
        ``"isotonic"``
            The best monotone curve of any shape, as
            :class:`~sklearn.isotonic.IsotonicRegression` finds it: straight between training
            values, constant beyond them.
    increasing : {"auto"} or bool, default="auto"
        Whether ratings rise with the metric (a similarity) or fall (a distance). ``"auto"``
        decides from the training data: by the sign of the (weighted) Spearman correlation, as
        increasing where that is zero; ``"linear"`` by the sign of its own slope. With True or
        False, data that say the opposite give a constant, with a warning; for ``"logistic5"``,
        which has a line of any slope, it is the direction of the logistic alone.

    Attributes
    ----------
    increasing_ : bool
        The direction of the curve.
    n_parameters_ : int
        Number of fitted parameters, which :func:`skperceptual.metrics.rmse` takes as ``ddof``: 2
        of ``"linear"``, 4 of ``"cubic"`` and ``"logistic"``, 5 of ``"logistic5"``, and as many as
        there are different levels of ``"isotonic"``.
    x_range_ : ndarray of shape (2,)
        Smallest and largest metric value of the training data.
    center_ : float
        The middle of ``x_range_``; for ``"linear"`` and ``"cubic"``.
    coef_ : ndarray of shape (n_coefficients,)
        For ``"linear"`` and ``"cubic"``, the polynomial's coefficients in rising powers of
        ``x - center_``. For ``"logistic"``, ``(b1, b2, b3, b4)`` of
        ``b2 + (b1 - b2) / (1 + exp(-(x - b3) / b4))`` with ``b4 > 0``: the ratings approached
        for large and for small x, the midpoint and the width. For ``"logistic5"``,
        ``(b1, b2, b3, b4, b5)`` of ``b1 * (1 / 2 - 1 / (1 + exp(b2 * (x - b3)))) + b4 * x + b5``
        with ``b2 > 0``.
    x_thresholds_, y_thresholds_ : ndarray of shape (n_thresholds,)
        Corners of the curve; for ``"isotonic"``.
    n_features_in_ : int
        Always 1.
    feature_names_in_ : ndarray of shape (1,)
        Name of the metric's column; only where X had one.

    See Also
    --------
    sklearn.isotonic.IsotonicRegression : The same as ``kind="isotonic"``, without an inverse.

    Notes
    -----
    Predictions are not cut to the ends of the rating scale, which the mapping does not know.
    Training samples whose weight is zero count nowhere, ``x_range_`` included.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020,
       clause 7.3 and appendix I.
    .. [2] Video Quality Experts Group, "Final report on the validation of objective models of
       video quality assessment", 2000.

    Examples
    --------
    >>> from skperceptual import RatingMapping
    >>> distance = [0.1, 0.2, 0.3, 0.4, 0.5]
    >>> ratings = [4.8, 4.1, 2.9, 2.2, 1.5]
    >>> mapping = RatingMapping().fit(distance, ratings)
    >>> mapping.increasing_, mapping.predict([0.15]).round(3)
    (False, array([4.375]))
    >>> mapping.inverse([3.1]).round(3)
    array([0.3])
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"sample_weight": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [StrOptions(set(_N_VALUES))],
        "increasing": ["boolean", StrOptions({"auto"})],
    }

    def __init__(self, kind: str = "linear", *, increasing: bool | str = "auto") -> None:
        self.kind = kind
        self.increasing = increasing

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the curve to ratings.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1)
            Values of one metric.
        y : array-like of shape (n_samples,)
            Ratings.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative; integer weights count as repetitions.

        Returns
        -------
        self
            The fitted mapping.

        Raises
        ------
        ValueError
            When X has several columns, or too few samples or different values for the kind.
        """
        values, ratings = self._validate_values(
            X, y, reset=True, ensure_min_samples=_MIN_SAMPLES[self.kind], y_numeric=True
        )
        weights = check_weights(sample_weight, len(values))
        counted = weights > 0
        x, weights = values[counted].astype(np.float64), weights[counted]
        rated = ratings[counted].astype(np.float64)
        n_values = len(np.unique(x))
        if len(x) < _MIN_SAMPLES[self.kind] or n_values < _N_VALUES[self.kind]:
            raise ValueError(
                f"RatingMapping(kind={self.kind!r}) needs at least {_MIN_SAMPLES[self.kind]} "
                f"samples with a weight above zero and {_N_VALUES[self.kind]} different metric "
                f"values, got {len(x)} samples and {n_values} values. Give it more, or use "
                "kind='linear'."
            )
        self.x_range_ = np.array([x.min(), x.max()])
        self._fit_curve(x, rated, weights)
        self.n_parameters_ = (
            len(np.unique(self.y_thresholds_)) if self.kind == "isotonic" else len(self.coef_)
        )
        self._warn_if_flat(x, rated)
        return self

    def predict(self, X: Any) -> NDArray[np.floating]:
        """Map metric values to ratings.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1)
            Values of the metric.

        Returns
        -------
        ndarray of shape (n_samples,)
            Ratings, in the floating-point type of X.
        """
        check_is_fitted(self)
        x = self._validate_values(X, reset=False)
        return self._curve(x.astype(np.float64)).astype(x.dtype)

    def inverse(self, y: ArrayLike) -> NDArray[np.floating]:
        """Find the metric values that are mapped to given ratings.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, 1)
            Ratings.

        Returns
        -------
        ndarray of shape (n_samples,)
            Metric values, beyond ``x_range_`` too where the curve goes on rising or falling.
            A rating at which the curve is flat gives the middle of that part of ``x_range_``.
            A rating that the curve does not reach gives NaN, with a warning: no value of the
            metric is predicted to be rated so.

        Raises
        ------
        ValueError
            For ``kind="logistic5"``, which may give several values the same rating.
        """
        check_is_fitted(self)
        if self.kind == "logistic5":
            raise ValueError(
                "RatingMapping(kind='logistic5') has no inverse: its curve may rise and fall. "
                "Use kind='logistic'."
            )
        ratings = check_column(y, "y")
        dtype = getattr(y, "dtype", None)
        dtype = np.float32 if dtype == np.float32 else np.float64
        # What was predicted in float32 may have been rounded to just beyond an end.
        ends = self._reach()
        near = 4 * np.finfo(dtype).eps * np.abs(self._curve(self.x_range_)).max()
        for end in ends:
            ratings = np.where(np.abs(ratings - end) <= near, end, ratings)
        reached = (ratings >= ends[0]) & (ratings <= ends[1])
        if self.kind == "logistic" and ends[0] < ends[1]:  # levels approached, never reached
            reached = (ratings > ends[0]) & (ratings < ends[1])
        if not reached.all():
            warnings.warn(
                f"{np.sum(~reached)} of {len(ratings)} ratings give NaN: the mapping reaches "
                f"{ends[0]:.4g} to {ends[1]:.4g} only.",
                UserWarning,
                stacklevel=2,
            )
        values = np.full(len(ratings), np.nan)
        values[reached] = self._inverse_curve(ratings[reached])
        return values.astype(dtype)

    def _fit_curve(self, x: Floats, y: Floats, weights: Floats) -> None:
        free = isinstance(self.increasing, str)
        # The correlation of a constant is NaN, which is not below zero.
        self.increasing_ = not spearman(y, x, weights) < 0 if free else bool(self.increasing)
        # Fitting what exceeds the first rating makes the curve of equal ratings exactly constant.
        offset = y[0]
        y = y - offset
        if self.kind == "isotonic":
            isotonic = IsotonicRegression(increasing=self.increasing_).fit(x, y, weights)
            self.x_thresholds_ = np.asarray(isotonic.X_thresholds_, dtype=np.float64)
            self.y_thresholds_ = offset + np.asarray(isotonic.y_thresholds_, dtype=np.float64)
            return
        # The curves rise with z, which runs from -1 to 1 and turns a falling metric around.
        center = self.x_range_[0] / 2 + self.x_range_[1] / 2
        scale = self.x_range_[1] / 2 - self.x_range_[0] / 2 or 1.0
        scale = scale if self.increasing_ else -scale
        z = (x - center) / scale
        if self.kind == "logistic":
            low, high, midpoint, width = fit_logistic(z, y, weights)
            low, high = low + offset, high + offset
            ends = (high, low) if self.increasing_ else (low, high)
            self.coef_ = np.array([*ends, center + scale * midpoint, abs(scale) * width])
            return
        if self.kind == "logistic5":
            rise, steepness, midpoint, slope, level = fit_logistic5(z, y, weights)
            rise, slope = np.sign(scale) * rise, slope / scale
            midpoint = center + scale * midpoint
            level += offset - slope * center
            self.coef_ = np.array([rise, steepness / abs(scale), midpoint, slope, level])
            return
        if self.kind == "cubic":
            scaled = fit_cubic(z, y, weights)
        else:
            scaled = fit_line(z, y, weights, rising=not free)
            self.increasing_ = bool(self.increasing_ == (scaled[1] >= 0))
        self.center_ = float(center)
        self.coef_ = scaled / scale ** np.arange(len(scaled))
        self.coef_[0] += offset

    def _curve(self, x: Floats) -> Floats:
        """Evaluate the fitted curve."""
        if self.kind == "isotonic":
            return np.interp(x, self.x_thresholds_, self.y_thresholds_)
        if self.kind == "logistic":
            right, left, midpoint, width = self.coef_
            return left + (right - left) * expit((x - midpoint) / width)
        if self.kind == "logistic5":
            rise, steepness, midpoint, slope, level = self.coef_
            return rise * (expit(steepness * (x - midpoint)) - 0.5) + slope * x + level
        inside = np.clip(x, *self.x_range_)
        beyond = x - inside
        values = np.polynomial.polynomial.polyval(inside - self.center_, self.coef_)
        return values + np.where(beyond < 0, self._end_slopes()[0], self._end_slopes()[1]) * beyond

    def _end_slopes(self) -> Floats:
        """Give the polynomial's slopes at both ends, exactly 0 where rounding left a trace."""
        derivative = np.polynomial.polynomial.polyder(self.coef_)
        ends = self.x_range_ - self.center_
        slopes = np.polynomial.polynomial.polyval(ends, derivative)
        largest = np.polynomial.polynomial.polyval(np.abs(ends).max(), np.abs(derivative))
        return np.where(np.abs(slopes) <= 1e-10 * largest, 0.0, slopes)

    def _reach(self) -> tuple[float, float]:
        """Give the lowest and the highest rating that the curve takes anywhere."""
        ends = self._curve(self.x_range_)
        if self.kind == "logistic":
            ends = self.coef_[[1, 0]]
        elif self.kind in ("linear", "cubic"):
            infinite = np.array([-np.inf, np.inf]) * (1 if self.increasing_ else -1)
            ends = np.where(self._end_slopes() == 0, ends, infinite)
        return float(ends.min()), float(ends.max())

    def _inverse_curve(self, y: Floats) -> Floats:
        """Invert the fitted curve at ratings that it reaches."""
        ends = self._curve(self.x_range_)
        if ends[0] == ends[1]:
            return np.full_like(y, self.x_range_.mean())
        if self.kind == "isotonic":
            return self._inverse_corners(y)
        if self.kind == "logistic":
            right, left, midpoint, width = self.coef_
            return midpoint + width * logit((y - left) / (right - left))
        # Bisection in the range; then straight on, where the slope at that end is not zero.
        low, high = (np.full_like(y, end) for end in self.x_range_)
        for _ in range(_N_BISECTIONS):
            middle = low / 2 + high / 2
            right_of_middle = (self._curve(middle) < y) == self.increasing_
            low, high = (
                np.where(right_of_middle, middle, low),
                np.where(right_of_middle, high, middle),
            )
        values = low / 2 + high / 2
        slopes = self._end_slopes()
        for end, slope, side in ((0, slopes[0], -1), (1, slopes[1], 1)):
            beyond = (y - ends[end]) * (side if self.increasing_ else -side) >= 0
            step = (y - ends[end]) / slope if slope else 0.0
            values = np.where(beyond, self.x_range_[end] + step, values)
        return values

    def _inverse_corners(self, y: Floats) -> Floats:
        """Invert the piecewise straight curve, a flat part at its middle."""
        sign = 1 if self.increasing_ else -1
        order = slice(None, None, sign)
        x, rising = self.x_thresholds_[order], self.y_thresholds_[order]
        levels, first = np.unique(rising, return_index=True)
        last = np.append(first[1:], len(rising)) - 1
        below = np.clip(np.searchsorted(levels, y, side="right") - 1, 0, len(levels) - 2)
        start, stop = x[last[below]], x[first[below + 1]]
        share = (y - levels[below]) / (levels[below + 1] - levels[below])
        values = start + share * (stop - start)
        middle = x[first] / 2 + x[last] / 2
        nearest = np.minimum(np.searchsorted(levels, y), len(levels) - 1)
        return np.where(levels[nearest] == y, middle[nearest], values)

    def _validate_values(
        self, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any
    ) -> Any:
        """Check one column of metric values, and ratings where there are some."""
        if np.ndim(X) == 1:
            X = np.reshape(np.asarray(X), (-1, 1))
        checked = validate_data(self, X, y, reset=reset, dtype=[np.float64, np.float32], **checks)
        X, *rest = checked if isinstance(checked, tuple) else (checked,)
        if X.shape[1] != 1:
            raise ValueError(
                f"RatingMapping maps one number to a rating, got X with {X.shape[1]} columns. "
                "Choose one of them, X[:, [0]], or fit a regressor such as "
                "sklearn.svm.SVR to several metrics at once."
            )
        return (X[:, 0], *rest) if rest else X[:, 0]

    def _warn_if_flat(self, x: Floats, y: Floats) -> None:
        if np.ptp(self._curve(self.x_range_)) > 0:
            return
        if is_constant(y):
            reason = "all ratings are equal"
        elif is_constant(x):
            reason = "all metric values are equal"
        else:
            direction = "rising" if self.increasing_ else "falling"
            reason = f"no {direction} {self.kind} curve fits better (see the parameter increasing)"
        warnings.warn(
            f"The mapping is constant, {y.mean():.4g} or close to it, because {reason}.",
            UserWarning,
            stacklevel=4,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags
