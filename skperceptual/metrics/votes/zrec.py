"""ZREC: biases and inconsistencies of raters from standardised votes, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.utils import Bunch

from skperceptual.metrics.votes.matrix import Scale, check_votes, warn_of
from skperceptual.metrics.votes.opinion_table import (
    check_interval,
    item_deviations,
    item_means,
    opinion_table,
)

__all__ = ["zrec_opinion_scores"]


def zrec_opinion_scores(
    votes: Any, *, confidence_level: float = 0.95, scale: Scale | None = None
) -> Bunch:
    """Correct votes for how far raters vote from the mean, and weigh raters (ZREC).

    Each vote less its item's mean, divided by the deviation of the item's votes, is a z score.
    The mean of a rater's z scores is their bias factor, the deviation their inconsistency.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error. Ratings may lie
        outside.

    Returns
    -------
    Bunch
        With the fields

        ratings : DataFrame, one row an item
            ``rating``, the mean of votes less bias, weighted by the inverse squares of the raters'
            inconsistencies, and the other columns of :func:`mean_opinion_scores`. The standard
            error is the weighted deviation, ``sd``, over sqrt(n_votes); the interval takes the
            normal distribution.
        raters : DataFrame, one row a rater
            ``bias_factor`` and ``inconsistency``, in deviations of an item's votes; ``n_votes``.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale.

    Warns
    -----
    UndefinedMetricWarning
        For items without votes, whose rating is NaN; for items with one vote, which have no
        interval; and for raters whose inconsistency is undefined or zero.

    See Also
    --------
    recover_opinion_scores : Also for raters with few votes.

    Notes
    -----
    An item whose votes are all equal has no z scores: it says nothing of its raters, and its
    rating is what they said. A rater with fewer than two z scores, or whose z scores are all
    equal, would have an undefined or infinite weight, and gets the inconsistency of the others
    together (their root mean square).

    References
    ----------
    .. [1] J. Zhu, A. Ak, P. Le Callet, S. Sethuraman and K. Rahul, "ZREC: robust recovery of mean
       and percentile opinion scores", ICIP 2023.

    Examples
    --------
    >>> from skperceptual.metrics import zrec_opinion_scores
    >>> votes = [[5, 4, 5, 1], [4, 4, 4, 2], [3, 2, 3, 3], [2, 2, 3, 4], [1, 1, 2, 5]]
    >>> zrec_opinion_scores(votes).ratings["rating"].round(1).tolist()
    [4.4, 3.7, 2.8, 2.6, 1.4]
    """
    check_interval("normal", confidence_level)
    matrix = check_votes(votes, scale=scale)
    given = matrix.given
    mean, sd = item_means(matrix)[:, np.newaxis], item_deviations(matrix, ddof=0)[:, np.newaxis]
    # Equal votes differ from their mean by rounding only.
    tells = given & (sd > 1e-12 * np.nanmax(np.abs(matrix.values), initial=1.0))
    z = np.divide(matrix.values - mean, sd, where=tells, out=np.zeros(given.shape))
    n_scores = tells.sum(axis=0)
    factor = z.sum(axis=0) / np.maximum(n_scores, 1)
    spread = np.where(tells, z - factor, 0)
    inconsistency = np.sqrt(np.sum(spread**2, axis=0) / np.maximum(n_scores, 1))

    voting = matrix.n_by_rater > 0
    usable = (n_scores > 1) & (inconsistency > 1e-12)
    if not usable.all():
        others = np.sqrt(np.mean(inconsistency[usable] ** 2)) if usable.any() else 1.0
        inconsistency = np.where(usable, inconsistency, others)
        consequence = (
            "have no inconsistency of their own (fewer than two votes on items about which raters "
            "differ, or all equally far from the mean): they count as the others do together."
        )
        if tells.any():
            warn_of(voting & ~usable, matrix.raters, "raters", consequence, stacklevel=2)

    corrected = np.where(given, matrix.values - np.where(tells, sd * factor, 0), 0)
    weights = given / inconsistency**2
    total = np.where(matrix.n_by_item > 0, weights.sum(axis=1), np.nan)
    rating = np.sum(weights * corrected, axis=1) / total
    squares = np.where(given, corrected - rating[:, np.newaxis], 0) ** 2
    deviation = np.sqrt(np.sum(weights * squares, axis=1) / total)
    deviation = np.where(matrix.n_by_item > 1, deviation, np.nan)
    error = deviation / np.sqrt(np.maximum(matrix.n_by_item, 1))
    half_width = error * norm.ppf((1 + confidence_level) / 2)
    advice = "since they have one vote."
    ratings = opinion_table(matrix, rating, deviation, error, half_width, advice=advice)
    raters = pd.DataFrame(
        {
            "bias_factor": np.where(voting, factor, np.nan),
            "inconsistency": np.where(voting, inconsistency, np.nan),
            "n_votes": matrix.n_by_rater,
        },
        index=matrix.raters,
    )
    return Bunch(ratings=ratings, raters=raters)
