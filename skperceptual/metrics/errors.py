"""Errors of predictions that are on the scale of the ratings: ITU-T P.1401, clauses 7.5 and 7.7."""

from __future__ import annotations

import warnings
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.cluster_bootstrap import score_clusters
from skperceptual.metrics.correlations import check_column, check_ratings
from skperceptual.metrics.score_intervals import (
    check_interval_parameters,
    score_interval,
    warn_of_groups,
)

__all__ = ["outlier_ratio", "rmse", "rmse_interval", "rmse_star"]

Floats = NDArray[np.float64]


def rmse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    ddof: float = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the root mean square error of predictions (ITU-T P.1401, clause 7.5.1).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions on the same scale, so of a mapping such as :class:`skperceptual.RatingMapping`
        where a metric has a scale of its own.
    ddof : float, default=1
        What the number of samples is reduced by in the mean. P.1401 takes the number of
        parameters of a mapping that was fitted to these ratings (``n_parameters_`` of
        :class:`skperceptual.RatingMapping`: 2 of first order, 4 of third), and 1 without one.
        With 0 it is the plain mean of other fields, right for predictions of items that no
        fit has seen.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative. They count repetitions: scale weights of another kind to a mean
        of 1, so that ``ddof`` keeps its meaning.

    Returns
    -------
    float
        The error, sqrt(sum of squared errors / (n_samples - ddof)). NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, where there are not more samples
        than ``ddof``.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length.

    See Also
    --------
    rmse_star : Forgives errors within the uncertainty of ratings.
    rmse_interval : How sure it is.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import rmse
    >>> rmse([1.0, 2.0, 3.0], [1.4, 2.4, 3.4], ddof=0)
    0.4
    """
    ratings, predictions, weights = check_ratings(y_true, y_pred, sample_weight)
    return _root_mean_square(np.abs(ratings - predictions), weights, ddof, "The rmse")


def rmse_star(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    half_width: ArrayLike,
    *,
    ddof: float = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the rmse of what errors exceed the uncertainty of ratings by (P.1401, clause 7.7).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions on the same scale.
    half_width : float or array-like of shape (n_samples,)
        Half the 95 % confidence interval of each rating, such as
        t(0.975, votes - 1) sd / sqrt(votes).
    ddof : float, default=1
        What the number of samples is reduced by in the mean; see :func:`rmse`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative; they count repetitions.

    Returns
    -------
    float
        The error, sqrt(sum of max(0, abs(error) - half_width)**2 / (n_samples - ddof)). NaN, with
        an :class:`~sklearn.exceptions.UndefinedMetricWarning`, where there are not more samples
        than ``ddof``.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, and negative half
        widths.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import rmse_star
    >>> rmse_star([1.0, 2.0, 3.0], [1.4, 2.4, 3.4], 0.3)
    0.12247448...
    """
    errors, widths, weights = _errors_and_widths(y_true, y_pred, half_width, sample_weight)
    return _root_mean_square(np.maximum(errors - widths, 0.0), weights, ddof, "The rmse*")


def outlier_ratio(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    half_width: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Give the share of predictions that are further off than a rating is uncertain.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions on the same scale.
    half_width : float or array-like of shape (n_samples,)
        The largest error that is no outlier: for ITU-T P.1401, clause 7.5.2, half the 95 %
        confidence interval of each rating. Older test plans take twice the standard error of
        the rating, or twice the standard deviation of its votes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative; they count repetitions.

    Returns
    -------
    float
        From 0 to 1. Its standard error is sqrt(ratio (1 - ratio) / n_samples). NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, without samples.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, and negative half
        widths.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import outlier_ratio
    >>> outlier_ratio([1.0, 2.0, 3.0, 4.0], [1.4, 2.1, 3.3, 4.0], 0.25)
    0.5
    """
    errors, widths, weights = _errors_and_widths(y_true, y_pred, half_width, sample_weight)
    if not len(errors):
        warnings.warn(
            "The outlier ratio is NaN: there is no sample with a weight above zero.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan
    return float(weights[errors > widths].sum() / weights.sum())


def rmse_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    ddof: float = 1,
    method: str = "jackknife",
    confidence_level: float = 0.95,
) -> tuple[float, float]:
    """Give the confidence interval of the root mean square error.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions on the same scale. Where they come from a mapping fitted to these ratings,
        the interval does not know how much the mapping would change.
    groups : array-like of shape (n_samples,), default=None
        Source recording of each row. None takes every row for one of its own.
    ddof : float, default=1
        As in :func:`rmse`.
    method : {"jackknife", "chi2"}, default="jackknife"
        ``"jackknife"`` leaves out each group in turn, as :func:`correlation_interval` does, and
        averages logarithms. ``"chi2"`` is the formula of ITU-T P.1401 for independent, normal
        errors: it ignores groups, with a warning where there are any.
    confidence_level : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    low : float
        The lower end of the interval; NaN where it is undefined, as for errors that are all
        zero.
    high : float
        The upper end.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, and parameters out of
        range.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups, and when ``"chi2"`` ignores groups.
    UndefinedMetricWarning
        When the interval is NaN.

    Examples
    --------
    >>> from skperceptual.metrics import rmse_interval
    >>> rating = [1.4, 1.9, 2.3, 2.7, 3.1, 3.5, 3.9, 4.3, 4.5, 2.0]
    >>> predicted = [1.1, 1.7, 2.9, 2.6, 3.6, 3.4, 4.3, 4.2, 4.6, 3.0]
    >>> low, high = rmse_interval(rating, predicted, method="chi2")
    >>> print(f"from {low:.2f} to {high:.2f}")
    from 0.32 to 0.85
    """
    check_interval_parameters(method, ("jackknife", "chi2"), confidence_level, 2)
    ratings, predictions, weights = check_ratings(y_true, y_pred)
    errors = np.abs(ratings - predictions)
    value = _root_mean_square(errors, weights, ddof, "The rmse")
    if value == 0:
        warnings.warn(
            "The interval is NaN: all errors are zero.", UndefinedMetricWarning, stacklevel=2
        )
    if np.isnan(value) or value == 0:
        return np.nan, np.nan
    if method == "chi2":
        warn_of_groups(groups, len(errors), "method='chi2'")
        freedom = len(errors) - ddof
        quantiles = chi2.ppf(0.5 + np.array([0.5, -0.5]) * confidence_level, freedom)
        low, high = value * np.sqrt(freedom / quantiles)
        return float(low), float(high)

    scores = score_clusters(_plain_rmse, ratings, predictions[:, np.newaxis], groups=groups)
    ends = score_interval(scores, confidence_level=confidence_level, scale="log")
    low, high = (float(end[0]) * value / float(scores.values[0]) for end in ends)
    return low, high


def _plain_rmse(y_true: Floats, y_pred: Floats, *, sample_weight: Floats | None = None) -> float:
    return float(np.sqrt(np.average((y_true - y_pred) ** 2, weights=sample_weight)))


def _errors_and_widths(
    y_true: ArrayLike, y_pred: ArrayLike, half_width: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Check everything; rows without weight are left out."""
    n_samples = len(check_column(y_true, "y_true"))
    width = np.asarray(half_width)
    widths = check_column(np.full(n_samples, width) if width.ndim == 0 else width, "half_width")
    if len(widths) != n_samples:
        raise ValueError(
            f"half_width has {len(widths)} rows for {n_samples} samples: give one number, or one "
            "a sample."
        )
    if (widths < 0).any():
        raise ValueError(
            f"half_width has {(widths < 0).sum()} negative values. It is half the width of each "
            "rating's confidence interval."
        )
    ratings, predictions, weights = check_ratings(y_true, y_pred, sample_weight)
    if sample_weight is not None:
        widths = widths[check_column(sample_weight, "sample_weight") > 0]
    return np.abs(ratings - predictions), widths, weights


def _root_mean_square(errors: Floats, weights: Floats, ddof: float, name: str) -> float:
    if not (isinstance(ddof, Real) and np.isfinite(ddof) and ddof >= 0):
        raise ValueError(f"ddof={ddof!r} should be a number of 0 or more.")
    freedom = weights.sum() - ddof
    if freedom <= 0:
        warnings.warn(
            f"{name} is NaN: it needs more than ddof={ddof:g} samples, and there are "
            f"{weights.sum():g}.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
        return np.nan
    return float(np.sqrt(np.sum(weights * errors**2) / freedom))
