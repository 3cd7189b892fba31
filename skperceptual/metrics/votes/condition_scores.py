"""One rating a condition, from the votes of all its items: P.1401's, and CrowdMOS's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skperceptual.metrics.votes.matrix import Scale, VoteMatrix, check_votes, warn_of
from skperceptual.metrics.votes.opinion_table import (
    Interval,
    check_interval,
    divide,
    item_deviations,
    item_means,
    pooled_deviation,
    quantile,
)

__all__ = ["condition_opinion_scores", "crowd_opinion_scores"]

Floats = NDArray[np.float64]


def condition_opinion_scores(
    votes: Any,
    condition: ArrayLike,
    *,
    average: str = "items",
    interval: Interval = "t",
    confidence_level: float = 0.95,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Average the votes of each condition over its items (ITU-T P.1401, appendix III.2).

    The deviation of a condition is pooled over its items, so that items of different quality do
    not count as disagreement between raters: the interval says how sure the mean of these very
    items is. How much it would differ with other items and raters,
    :func:`crowd_opinion_scores` says.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    condition : array-like of shape (n_items,)
        Condition of each item, text or numbers.
    average : {"items", "votes"}, default="items"
        Whether every item counts once, or every vote. It differs where items have different
        numbers of votes.
    interval : {"t", "normal"} or float, default="t"
        Student's t, with as many degrees of freedom as the pooled deviation has (votes less
        items), the normal distribution, or a number of standard errors, such as 1.96.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row a condition
        In the order of their first items: ``rating``, ``n_items``, ``n_votes``, ``sd`` (pooled),
        ``standard_error``, ``half_width``, ``low`` and ``high``. Items without votes count
        nowhere.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, another number of conditions
        than of items, empty ones, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For conditions without votes, whose rating is NaN, and those none of whose items has two,
        which have no interval.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020,
       appendix III.2.

    Examples
    --------
    >>> from skperceptual.metrics import condition_opinion_scores
    >>> votes = [[5, 4, 5], [4, 3, 4], [2, 2, 1], [1, 2, 1]]
    >>> scores = condition_opinion_scores(votes, ["clean", "clean", "noise", "noise"])
    >>> scores[["rating", "n_items", "n_votes", "low", "high"]].round(2)
               rating  n_items  n_votes   low  high
    condition
    clean        4.17        2        6  3.51  4.82
    noise        1.50        2        6  0.85  2.15
    """
    check_interval(interval, confidence_level)
    if average not in ("items", "votes"):
        raise ValueError(f"average={average!r} is unknown. Use 'items' or 'votes'.")
    matrix = check_votes(votes, scale=scale)
    rows = []
    for part in _conditions(matrix, condition):
        n = part.n_by_item
        means = item_means(part)
        pooled, freedom = pooled_deviation(item_deviations(part), n)
        n_items, n_votes = len(n), int(n.sum())
        if average == "items":
            rating, spread = divide(means.sum(), n_items), np.sqrt(np.sum(1 / n)) / max(n_items, 1)
        else:
            rating, spread = divide(np.sum(n * means), n_votes), divide(1.0, np.sqrt(n_votes))
        error = pooled * spread
        half_width = error * quantile(freedom, interval, confidence_level)
        rows.append([float(rating), n_items, n_votes, pooled, float(error), float(half_width)])
    columns = ["rating", "n_items", "n_votes", "sd", "standard_error", "half_width"]
    table = pd.DataFrame(rows, index=_labels(condition), columns=columns)
    return _with_ends(table, "since none of their items has two votes.")


def crowd_opinion_scores(
    votes: Any,
    condition: ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Average the votes of each condition, with CrowdMOS's interval for other items and raters.

    A vote is taken for the mean of its condition, plus what the item adds, plus what the rater
    adds, plus chance. The interval says how much the mean would differ had other items and other
    raters been drawn; where raters are few or gave many votes each, it is much wider than votes
    taken for independent would make it.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    condition : array-like of shape (n_items,), default=None
        Condition (system) of each item. None takes all for one.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row a condition
        In the order of their first items: ``rating``, the mean over all votes; ``n_items``,
        ``n_raters``, ``n_votes``; ``item_sd``, ``rater_sd`` and ``residual_sd``, the standard
        deviations of the three parts; ``standard_error``, ``half_width``, ``low`` and ``high``.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, another number of conditions
        than of items, empty ones, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For conditions without votes, whose rating is NaN, and those with votes on a single item
        or by a single rater, which have no interval.

    Notes
    -----
    The mean variance within items is that of raters and chance together, the mean variance within
    raters that of items and chance, and the variance of all votes that of all three; a part that
    comes out negative counts as 0. The variances are divided by n, as in the authors' program, so
    that with few votes of an item or rater some chance is taken for items and raters, and the
    interval is somewhat wide. Where no rater voted twice, what raters add cannot be told
    from chance and is counted there, and likewise for items with one vote each. Student's t has
    one degree of freedom less than there are items or raters, whichever are fewer.

    References
    ----------
    .. [1] F. Ribeiro, D. Florêncio, C. Zhang and M. Seltzer, "CrowdMOS: An approach for
       crowdsourcing mean opinion score studies", ICASSP 2011.

    Examples
    --------
    >>> from skperceptual.metrics import crowd_opinion_scores
    >>> votes = [[4, 4, None], [5, 4, 3], [None, 4, 5], [4, 5, 4], [3, 4, 1]]
    >>> crowd_opinion_scores(votes)[["rating", "item_sd", "rater_sd", "half_width"]].round(2)
               rating  item_sd  rater_sd  half_width
    condition
    all          3.85     0.72      0.32         1.8
    """
    check_interval("t", confidence_level)
    matrix = check_votes(votes, scale=scale)
    labels = np.full(len(matrix.items), "all") if condition is None else condition
    rows = []
    for part in _conditions(matrix, labels):
        by_rater = part.n_by_rater[part.n_by_rater > 0]
        n_items, n_raters, n_votes = len(part.items), len(by_rater), int(by_rater.sum())
        parts = _variance_parts(part)
        variance = (
            parts.item * np.sum(part.n_by_item.astype(np.float64) ** 2)
            + parts.rater * np.sum(by_rater.astype(np.float64) ** 2)
            + parts.residual * n_votes
        )
        error = np.sqrt(divide(variance, n_votes**2))
        half_width = error * quantile(min(n_items, n_raters) - 1, "t", confidence_level)
        rating = divide(np.nansum(part.values), n_votes)
        counts = [n_items, n_raters, n_votes]
        rows.append([float(rating), *counts, *np.sqrt(parts), float(error), float(half_width)])
    columns = ["rating", "n_items", "n_raters", "n_votes", "item_sd", "rater_sd", "residual_sd"]
    columns += ["standard_error", "half_width"]
    table = pd.DataFrame(rows, index=_labels(labels), columns=columns)
    return _with_ends(table, "since it takes two items and two raters.")


class _VarianceParts(NamedTuple):
    item: float
    rater: float
    residual: float


def _variance_parts(matrix: VoteMatrix) -> _VarianceParts:
    """Divide the variance of votes by the method of moments."""
    if len(matrix.items) == 0:
        return _VarianceParts(np.nan, np.nan, np.nan)
    whole = float(np.nanvar(matrix.values))
    within_item = _mean_variance(matrix)
    within_rater = _mean_variance(VoteMatrix(matrix.values.T, matrix.raters, matrix.items))
    if np.isnan(within_item):  # no item has two votes: what items add stays with chance
        residual = whole if np.isnan(within_rater) else within_rater
        return _VarianceParts(0.0, max(whole - residual, 0.0), residual)
    if np.isnan(within_rater):
        return _VarianceParts(max(whole - within_item, 0.0), 0.0, within_item)
    item, rater = whole - within_item, whole - within_rater
    residual = within_item + within_rater - whole
    return _VarianceParts(max(item, 0.0), max(rater, 0.0), max(residual, 0.0))


def _mean_variance(matrix: VoteMatrix) -> float:
    several = matrix.n_by_item > 1
    variances = item_deviations(matrix, ddof=0)[several] ** 2
    return float(variances.mean()) if len(variances) else np.nan


def _labels(condition: ArrayLike) -> pd.Index:
    """Give every condition once, in the order of their first items."""
    return pd.Index(pd.unique(pd.Series(np.asarray(condition))), name="condition")


def _conditions(matrix: VoteMatrix, condition: ArrayLike) -> Iterator[VoteMatrix]:
    """Give the items of each condition that have votes."""
    labels = np.asarray(condition)
    if labels.shape != (len(matrix.items),):
        raise ValueError(
            f"condition should have shape ({len(matrix.items)},), one label an item (a row of "
            f"votes), got {labels.shape}."
        )
    if pd.isna(labels).any():
        raise ValueError(
            f"condition is empty for {pd.isna(labels).sum()} items, the first in row "
            f"{np.flatnonzero(pd.isna(labels))[0]}. Name the condition of every item, or leave "
            "these items out."
        )
    numbers = _labels(labels).get_indexer(pd.Index(labels))
    for number in range(numbers.max() + 1):
        chosen = (numbers == number) & (matrix.n_by_item > 0)
        yield VoteMatrix(matrix.values[chosen], matrix.items[chosen], matrix.raters)


def _with_ends(table: pd.DataFrame, why_no_interval: str) -> pd.DataFrame:
    """Add the ends of the intervals, and warn where a rating or its interval is undefined."""
    empty = (table["n_votes"] == 0).to_numpy()
    none = "have no vote: their rating is NaN."
    warn_of(empty, table.index, "conditions", none, stacklevel=3)
    unsure = ~empty & table["half_width"].isna().to_numpy()
    consequence = f"have no interval, {why_no_interval}"
    warn_of(unsure, table.index, "conditions", consequence, stacklevel=3)
    return table.assign(
        low=table["rating"] - table["half_width"], high=table["rating"] + table["half_width"]
    )
