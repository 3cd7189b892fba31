"""How sure a correlation with ratings is, when whole recordings are drawn anew."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.correlations import check_ratings, spearman_score
from skperceptual.utils.random_states import own_random_state

Floats = NDArray[np.float64]

_METHODS = ("fisher", "percentile")
_FEW_GROUPS = 10
# A handful of resampled groups can correlate perfectly, which Fisher's z has no number for.
_LARGEST = 0.999


def correlation_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    score: Callable[..., float] = spearman_score,
    method: str = "fisher",
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> tuple[float, float]:
    """Give the confidence interval of a correlation, by a bootstrap of whole groups.

    Versions of one recording are not independent: a recording that a metric misjudges is
    misjudged in all of them. Groups are therefore drawn with replacement, each with all its rows,
    and the spread of the correlation over such draws says how much it would differ on other
    recordings of the same kind.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    groups : array-like of shape (n_samples,), default=None
        Source recording of each row. None takes every row for one of its own.
    score : callable, default=spearman_score
        Correlation, called as ``score(y_true, y_pred, sample_weight=...)``, from -1 to 1.
    method : {"fisher", "percentile"}, default="fisher"
        ``"fisher"`` takes the standard deviation of Fisher's z = artanh(correlation) over the
        draws as its standard error, and Student's t with one degree of freedom less than there
        are groups. ``"percentile"`` takes quantiles of the draws; with few groups it is too
        narrow.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=1000
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    low : float
        The lower end of the interval; NaN where the correlation is undefined, or where fewer
        than two groups leave nothing to draw from.
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
        When there are fewer than 10 groups: the spread over so few is itself a guess.
    UndefinedMetricWarning
        When the correlation is undefined, since ratings or predictions are all equal, of all
        rows or in all draws, or there are fewer than two groups.

    Notes
    -----
    Draws in which all ratings or all predictions are equal have no correlation and are left out;
    in Fisher's z, correlations beyond ±0.999 count as ±0.999.

    References
    ----------
    .. [1] R. A. Fisher, "On the 'probable error' of a coefficient of correlation deduced from a
       small sample", Metron 1, 1921.
    .. [2] B. Efron and R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall,
       1993, chapters 8 and 12.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import correlation_interval, spearman_score
    >>> rng = np.random.default_rng(0)
    >>> song = np.repeat(np.arange(20), 4)
    >>> rating = rng.normal(size=80)
    >>> predicted = rating + rng.normal(size=80) + rng.normal(size=20)[song]
    >>> spearman_score(rating, predicted)
    0.559...
    >>> low, high = correlation_interval(rating, predicted, groups=song)
    >>> print(f"from {low:.2f} to {high:.2f}")
    from 0.36 to 0.71
    """
    _check_parameters(method, confidence_level, n_resamples)
    ratings, predictions, _ = check_ratings(y_true, y_pred)
    labels = _number_groups(groups, len(ratings))
    n_groups = int(labels.max(initial=-1)) + 1
    if n_groups < 2:
        warnings.warn(
            f"The interval is NaN: it needs at least two groups to draw from, and there are "
            f"{n_groups}.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan, np.nan
    if n_groups < _FEW_GROUPS:
        warnings.warn(
            f"The interval rests on {n_groups} groups: how much they differ is known only "
            f"roughly from fewer than {_FEW_GROUPS}.",
            UserWarning,
            stacklevel=2,
        )
    value = score(ratings, predictions)
    if np.isnan(value):
        return np.nan, np.nan
    rng = own_random_state(random_state)
    draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    scores = _defined_scores(score, ratings, predictions, draws, labels)
    tail = (1 - confidence_level) / 2
    if len(scores) < 2:
        warnings.warn(
            "The interval is NaN: ratings or predictions are all equal in every draw but "
            f"{len(scores)} of {n_resamples}. Groups that differ are too few.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan, np.nan
    if method == "percentile":
        low, high = np.quantile(scores, [tail, 1 - tail])
        return float(low), float(high)
    margin = student_t.ppf(1 - tail, n_groups - 1) * _fisher_z(scores).std(ddof=1)
    center = _fisher_z(value)
    # A correlation beyond what z has a number for belongs to its interval as well.
    low, high = np.tanh([center - margin, center + margin])
    return float(min(low, value)), float(max(high, value))


def _check_parameters(method: str, confidence_level: float, n_resamples: int) -> None:
    if method not in _METHODS:
        raise ValueError(f"method={method!r} is unknown. Use one of {_METHODS}.")
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} should lie between 0 and 1, such as 0.95."
        )
    if not (isinstance(n_resamples, Integral) and n_resamples >= 2):
        raise ValueError(
            f"n_resamples={n_resamples!r} should be a whole number of 2 or more, such as 1000."
        )


def _number_groups(groups: ArrayLike | None, n_samples: int) -> NDArray[np.intp]:
    """Give each row the number of its group, from 0 on."""
    if groups is None:
        return np.arange(n_samples)
    labels = np.asarray(groups)
    if labels.shape != (n_samples,):
        raise ValueError(
            f"groups should have shape ({n_samples},), one label a row of y_true, got "
            f"{labels.shape}."
        )
    try:
        return np.unique(labels, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(
            f"groups holds labels of several kinds, which cannot be told apart ({error}). Make "
            "them all text, or all numbers, and leave none empty."
        ) from error


def _defined_scores(
    score: Callable[..., float],
    ratings: Floats,
    predictions: Floats,
    draws: NDArray[np.int64],
    labels: NDArray[np.intp],
) -> Floats:
    """Score every draw, its weights being how often a row was drawn; leave out undefined ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        scores = np.array(
            [
                score(ratings, predictions, sample_weight=draw[labels].astype(np.float64))
                for draw in draws
            ]
        )
    return scores[~np.isnan(scores)]


def _fisher_z(correlation: Any) -> Any:
    return np.arctanh(np.clip(correlation, -_LARGEST, _LARGEST))
