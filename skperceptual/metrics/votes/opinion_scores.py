"""One rating an item from its votes: mean, median or trimmed mean, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm

from skperceptual.metrics.votes.matrix import Scale, check_votes
from skperceptual.metrics.votes.opinion_table import (
    Interval,
    check_interval,
    divide,
    item_deviations,
    item_means,
    opinion_table,
    pooled_deviation,
    quantile,
)

__all__ = [
    "mean_opinion_scores",
    "median_opinion_scores",
    "mos_half_width",
    "trimmed_mean_opinion_scores",
]

Floats = NDArray[np.float64]


def mean_opinion_scores(
    votes: Any,
    *,
    interval: Interval = "t",
    confidence_level: float = 0.95,
    pool_sd: bool = False,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Average the votes of each item: its MOS, with an interval (ITU-T P.1401, appendix III.1).

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    interval : {"t", "normal"} or float, default="t"
        By which quantile the standard error becomes half an interval: that of Student's t with
        n - 1 degrees of freedom, or of the normal distribution, which is too narrow for fewer
        than about 30 votes. A number is taken itself: many programs have 1.96.
    confidence_level : float, default=0.95
        Between 0 and 1.
    pool_sd : bool, default=False
        Whether all items share one standard deviation, the pooled one. With few votes an item
        this is far surer than the deviation of each item, and gives an interval also to an item
        with one vote; it takes for granted that raters differ as much about one item as about
        another.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row an item
        ``rating``, the mean; ``n_votes``; ``sd``, the standard deviation of the votes (n - 1);
        ``standard_error`` of the rating; ``half_width`` of its interval, and the ends of that,
        ``low`` and ``high``.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For items without votes, whose rating is NaN, and those with too few for an interval.

    See Also
    --------
    condition_opinion_scores : The same for conditions of several items.
    interval_weights : Weights for fitting, from these intervals.

    References
    ----------
    .. [1] ITU-T Recommendation P.800.1, "Mean opinion score (MOS) terminology", 2016.
    .. [2] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import mean_opinion_scores
    >>> mean_opinion_scores([[5, 4, 5, 4, 3], [1, 2, 1, None, 1]]).round(2)
          rating  n_votes    sd  standard_error  half_width   low  high
    item
    0       4.20        5  0.84            0.37        1.04  3.16  5.24
    1       1.25        4  0.50            0.25        0.80  0.45  2.05
    """
    check_interval(interval, confidence_level)
    matrix = check_votes(votes, scale=scale)
    n = matrix.n_by_item
    mean, sd = item_means(matrix), item_deviations(matrix)
    if pool_sd:
        pooled, freedom = pooled_deviation(sd, n)
        error = divide(np.full(len(n), pooled), np.sqrt(n))
        half_width = error * quantile(freedom, interval, confidence_level)
        advice = "since no item has two votes: there is nothing to tell how far votes scatter."
    else:
        error = divide(sd, np.sqrt(n))
        half_width = error * quantile(n - 1, interval, confidence_level)
        advice = "since they have one vote: pool_sd=True takes the scatter of the other items."
    return opinion_table(matrix, mean, sd, error, half_width, advice=advice)


def median_opinion_scores(
    votes: Any, *, confidence_level: float = 0.95, scale: Scale | None = None
) -> pd.DataFrame:
    """Take the median of the votes of each item, with an interval from their order.

    A median is not moved by a single vote that was given without listening, but it is coarse:
    of five votes on a scale of five it is one of five values.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row an item
        ``rating``, the median, and the other columns of :func:`mean_opinion_scores`. The
        standard error is that of Price and Bonett, from the distance between two
        votes equally far from both ends of the order; it is 0 where these votes are equal,
        however far others lie. The interval is the median ± a normal quantile times it; from four
        normal votes on it covers about as often as it says.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For items without votes, whose rating is NaN, and those with too few for an interval.

    See Also
    --------
    trimmed_mean_opinion_scores : As deaf to single votes, and less coarse.

    References
    ----------
    .. [1] R. M. Price and D. G. Bonett, "Estimating the variance of the sample median", Journal of
       Statistical Computation and Simulation 68, 2001.

    Examples
    --------
    >>> from skperceptual.metrics import median_opinion_scores
    >>> median_opinion_scores([[5, 4, 5, 4, 1], [1, 2, 1, None, 1]])["rating"]
    item
    0    4.0
    1    1.0
    Name: rating, dtype: float64
    """
    check_interval("normal", confidence_level)
    matrix = check_votes(votes, scale=scale)
    ordered = np.sort(matrix.values, axis=1)  # NaN comes last
    n = matrix.n_by_item
    rating = _by_item(_median, ordered, n)
    error = _by_item(_median_error, ordered, n)
    half_width = error * norm.ppf((1 + confidence_level) / 2)
    advice = "since they have one vote, which has no spread."
    return opinion_table(matrix, rating, item_deviations(matrix), error, half_width, advice=advice)


def trimmed_mean_opinion_scores(
    votes: Any,
    *,
    proportion: float = 0.2,
    confidence_level: float = 0.95,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Average the votes of each item without the lowest and the highest ones.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    proportion : float, default=0.2
        Share of the votes left out at each end, rounded down to whole votes: of five votes, one.
        From 0, the mean, to below 0.5.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row an item
        ``rating``, the trimmed mean, and the other columns of :func:`mean_opinion_scores`. The
        standard error is Yuen's, from the winsorised deviation; the interval takes Student's t
        with h - 1 degrees of freedom, h being the number of votes that are averaged.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For items without votes, whose rating is NaN, and those with too few for an interval.

    References
    ----------
    .. [1] J. W. Tukey and D. H. McLaughlin, "Less vulnerable confidence and significance
       procedures for location based on a single sample", Sankhya A 25, 1963.
    .. [2] K. K. Yuen, "The two-sample trimmed t for unequal population variances", Biometrika
       61, 1974.

    Examples
    --------
    >>> from skperceptual.metrics import trimmed_mean_opinion_scores
    >>> trimmed_mean_opinion_scores([[5, 4, 5, 4, 1]])["rating"]
    item
    0    4.333333
    Name: rating, dtype: float64
    """
    check_interval("t", confidence_level)
    if not (isinstance(proportion, Real) and 0 <= proportion < 0.5):
        raise ValueError(
            f"proportion={proportion!r} should be the share of votes to leave out at each end, "
            "from 0 to below 0.5, such as 0.2."
        )
    matrix = check_votes(votes, scale=scale)
    ordered = np.sort(matrix.values, axis=1)
    n = matrix.n_by_item
    # 0.3 of ten votes are three, though 0.3 * 10 is a little less.
    trimmed = np.floor(proportion * n + 1e-9).astype(int)

    def mean(item: Floats, g: int) -> float:
        return float(item[g : len(item) - g].mean())

    def error(item: Floats, g: int) -> float:
        kept = len(item) - 2 * g
        if kept < 2:
            return np.nan
        winsorised = np.clip(item, item[g], item[-g - 1])
        return float(np.sqrt(winsorised.var(ddof=1) * (len(item) - 1) / (kept * (kept - 1))))

    rating, errors = (_by_item(statistic, ordered, n, trimmed) for statistic in (mean, error))
    half_width = errors * quantile(n - 2 * trimmed - 1, "t", confidence_level)
    advice = "since they have fewer than two votes that are averaged: choose a smaller proportion."
    return opinion_table(matrix, rating, item_deviations(matrix), errors, half_width, advice=advice)


def mos_half_width(
    sd: ArrayLike, n_votes: ArrayLike, *, interval: Interval = "t", confidence_level: float = 0.95
) -> Floats:
    """Give half the interval of mean opinion scores whose deviations and counts are known.

    Parameters
    ----------
    sd : array-like of shape (n_items,)
        Standard deviation of the votes of each item, with n - 1.
    n_votes : array-like of shape (n_items,) or int
        Number of votes of each item.
    interval : {"t", "normal"} or float, default="t"
        As in :func:`mean_opinion_scores`.
    confidence_level : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_items,)
        The quantile times sd / sqrt(n_votes); NaN for items with fewer than two votes or whose
        sd is NaN.

    Raises
    ------
    ValueError
        For negative deviations, and unknown parameters.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020,
       appendix III.1.

    Examples
    --------
    >>> from skperceptual.metrics import mos_half_width
    >>> mos_half_width([0.6, 0.85], [24, 8])
    array([0.253..., 0.710...])
    """
    check_interval(interval, confidence_level)
    try:
        deviations, counts = np.broadcast_arrays(
            np.asarray(sd, dtype=np.float64), np.asarray(n_votes, dtype=np.float64)
        )
    except ValueError as error:
        raise ValueError(f"sd and n_votes should be one number an item ({error}).") from None
    if (deviations < 0).any() or (counts < 0).any():
        raise ValueError("sd and n_votes should not be negative: sd is a standard deviation.")
    errors = divide(deviations, np.sqrt(counts))
    return errors * quantile(counts - 1, interval, confidence_level)


def _by_item(
    statistic: Callable[..., float], ordered: Floats, n: NDArray[np.intp], *columns: NDArray[Any]
) -> Floats:
    """Compute a statistic from the sorted votes of each item; NaN without votes."""
    rows = zip(ordered, n, *columns, strict=True)
    return np.array([statistic(votes[:k], *extra) if k else np.nan for votes, k, *extra in rows])


def _median(item: Floats) -> float:
    return float(np.median(item))


def _median_error(item: Floats) -> float:
    """Compute the standard error of a median as Price and Bonett do."""
    n = len(item)
    if n < 2:
        return np.nan
    c = max(1, round((n + 1) / 2 - np.sqrt(n)))
    z = norm.isf(binom.cdf(c - 1, n, 0.5))
    return float((item[n - c] - item[c - 1]) / (2 * z))
