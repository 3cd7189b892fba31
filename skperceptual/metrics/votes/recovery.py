"""Ratings, biases of raters and how sure each rater is, all estimated together."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from skperceptual.metrics.votes.matrix import Scale, VoteMatrix, check_votes
from skperceptual.metrics.votes.opinion_table import check_interval, item_means, opinion_table

__all__ = ["recover_opinion_scores"]

Floats = NDArray[np.float64]

# Keeps weights finite in the Recommendation's procedure.
_LEAST_VARIANCE = 1e-8
# An inconsistency below this share of the pooled one is no fit but a collapse.
_COLLAPSED = 1e-3


def recover_opinion_scores(
    votes: Any,
    *,
    nu: float = 5.0,
    confidence_level: float = 0.95,
    max_iter: int = 1000,
    tol: float = 1e-8,
    scale: Scale | None = None,
) -> Bunch:
    """Estimate ratings together with what each rater adds (ITU-T P.910 annex E, P.913 12.6).

    A vote is taken for the rating of the item, plus the bias of the rater, plus chance, whose
    deviation, the rater's inconsistency, differs between raters. Raters who vote at random weigh
    little, without anyone having to be rejected.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    nu : float, default=5.0
        How many votes' worth the inconsistency of all raters together counts in that of each. 0
        is the Recommendation's own procedure, which can collapse: its likelihood grows without
        bound as one rater is fitted exactly, and then the ratings are the votes of that rater.
    confidence_level : float, default=0.95
        Between 0 and 1.
    max_iter : int, default=1000
        Largest number of iterations.
    tol : float, default=1e-8
        Ends the iterations, when the ratings together (the root of the sum of squares) change by
        less.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error. Ratings may lie
        outside.

    Returns
    -------
    Bunch
        With the fields

        ratings : DataFrame, one row an item
            ``rating`` and the other columns of :func:`mean_opinion_scores`; ``sd`` is the
            deviation of the votes from rating plus bias.
        raters : DataFrame, one row a rater
            ``bias``, whose mean over raters is 0; ``inconsistency``; ``n_votes``. NaN for a rater
            without votes.
        n_iter : int
            Number of iterations.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, unknown parameters, and votes
        in which sets of raters share no item, so that no bias can be told from quality.

    Warns
    -----
    UserWarning
        With ``nu=0``, when the estimate has collapsed onto one rater.
    ConvergenceWarning
        When ``max_iter`` is too small.
    UndefinedMetricWarning
        For items without votes, whose rating is NaN.

    See Also
    --------
    zrec_opinion_scores : With the same aim, in closed form.
    remove_rater_bias : Biases only.

    Notes
    -----
    The iterations alternate (alternating projection): the variance of each rater is
    ``(sum r² + nu s²) / (n + nu)``, r being the residuals of their n votes and s² the mean square
    of all residuals; each rating is the mean of the item's votes less bias, weighted by the
    inverse of these variances; each bias the mean of vote less rating. The standard error of a
    rating is that of the weighted mean, ``1 / sqrt(sum of weights)``, the variances being raised by
    the number of votes over that of the degrees of freedom that ratings and biases leave. With
    ``nu=0`` it is the Recommendation's, sd / sqrt(n).

    References
    ----------
    .. [1] ITU-T Recommendation P.910, "Subjective video quality assessment methods for multimedia
       applications", 2022, annex E.
    .. [2] Z. Li, C. G. Bampis, L. Krasula, L. Janowski and I. Katsavounidis, "A simple model for
       subject behavior in subjective experiments", Human Vision and Electronic Imaging 2020.

    Examples
    --------
    The last rater votes the other way round, and counts least:

    >>> from skperceptual.metrics import recover_opinion_scores
    >>> votes = [[5, 4, 5, 1], [4, 4, 4, 2], [3, 2, 3, 3], [2, 2, 3, 4], [1, 1, 2, 5]]
    >>> recovered = recover_opinion_scores(votes)
    >>> recovered.ratings["rating"].round(1).tolist()
    [4.4, 3.9, 2.7, 2.5, 1.6]
    >>> recovered.raters["inconsistency"].round(1).tolist()
    [0.9, 0.9, 0.9, 1.9]
    """
    check_interval("normal", confidence_level)
    _check_parameters(nu, max_iter, tol)
    matrix = check_votes(votes, scale=scale)
    rated, voting = matrix.n_by_item > 0, matrix.n_by_rater > 0
    core = VoteMatrix(
        matrix.values[np.ix_(rated, voting)], matrix.items[rated], matrix.raters[voting]
    )
    _check_connected(core)
    estimate = _alternate(core, nu, max_iter, tol)
    if nu == 0:
        _warn_of_collapse(core, estimate)
    n = core.n_by_item
    sd = np.sqrt(_mean_squares(estimate.residual, core.given, axis=1))
    if nu == 0:
        error = np.where(n > 1, sd / np.sqrt(n), np.nan)
    else:
        freedom = n.sum() - len(core.items) - len(core.raters) + 1
        raised = n.sum() / freedom if freedom > 0 else np.nan
        with np.errstate(divide="ignore"):  # raters who all agree are sure
            precision = np.where(core.given, 1 / estimate.variance, 0).sum(axis=1)
        error = np.sqrt(raised / precision)
    half_width = error * norm.ppf((1 + confidence_level) / 2)

    columns = (_fill(values, rated) for values in (estimate.rating, sd, error, half_width))
    advice = "since there are no more votes than ratings and biases to estimate."
    if nu == 0:
        advice = "since they have one vote."
    ratings = opinion_table(matrix, *columns, advice=advice)
    raters = pd.DataFrame(
        {
            "bias": _fill(estimate.bias, voting),
            "inconsistency": _fill(np.sqrt(estimate.variance), voting),
            "n_votes": matrix.n_by_rater,
        },
        index=matrix.raters,
    )
    return Bunch(ratings=ratings, raters=raters, n_iter=estimate.n_iter)


class _Estimate(NamedTuple):
    rating: Floats
    bias: Floats
    variance: Floats
    residual: Floats
    n_iter: int


def _alternate(matrix: VoteMatrix, nu: float, max_iter: int, tol: float) -> _Estimate:
    """Alternate between ratings, biases and variances until the ratings stay."""
    given = matrix.given
    votes = np.where(given, matrix.values, 0)
    n_by_rater = matrix.n_by_rater

    def biases(rating: Floats) -> Floats:
        return np.where(given, votes - rating[:, np.newaxis], 0).sum(axis=0) / n_by_rater

    rating = item_means(matrix)
    bias = biases(rating)
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        residual = np.where(given, votes - rating[:, np.newaxis] - bias, 0)
        squares = np.sum(residual**2, axis=0)
        pooled = squares.sum() / given.sum()
        variance = (squares + nu * pooled) / (n_by_rater + nu)
        weights = given / (variance + _LEAST_VARIANCE)
        previous = rating
        rating = np.sum(weights * (votes - bias), axis=1) / weights.sum(axis=1)
        bias = biases(rating)
        if np.linalg.norm(rating - previous) < tol:
            break
    else:
        warnings.warn(
            f"The ratings still change after {max_iter} iterations. Raise max_iter, or nu.",
            ConvergenceWarning,
            stacklevel=3,
        )
    shift = bias.mean()
    return _Estimate(rating + shift, bias - shift, variance, residual, n_iter)


def _fill(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Put values where they belong, and NaN elsewhere."""
    filled = np.full(len(where), np.nan)
    filled[where] = values
    return filled


def _mean_squares(residual: Floats, given: NDArray[np.bool_], axis: int) -> Floats:
    """Give the variance of residuals about their mean."""
    count = given.sum(axis=axis, keepdims=True)
    mean = residual.sum(axis=axis, keepdims=True) / count
    return np.sum(np.where(given, residual - mean, 0) ** 2, axis=axis) / np.squeeze(count, axis)


def _check_connected(matrix: VoteMatrix) -> None:
    """Refuse votes that fall into parts without a rater in common."""
    item, rater = np.nonzero(matrix.given)
    n_items, n_raters = matrix.values.shape
    n_nodes = n_items + n_raters
    edges = coo_array((np.ones(len(item)), (item, n_items + rater)), shape=(n_nodes, n_nodes))
    n_parts, part = connected_components(edges, directed=False)
    if n_parts > 1:
        sizes = np.bincount(part[:n_items], minlength=n_parts)
        raise ValueError(
            f"The votes fall into {n_parts} parts without a rater in common, of {sizes.tolist()} "
            "items: whether items of different parts differ, or their raters, cannot be told. "
            "Recover the ratings of each part by itself, or use mean_opinion_scores."
        )


def _warn_of_collapse(matrix: VoteMatrix, estimate: _Estimate) -> None:
    inconsistency = np.sqrt(estimate.variance)
    pooled = np.sqrt(np.sum(estimate.residual**2) / matrix.given.sum())
    least = int(np.argmin(inconsistency))
    if inconsistency[least] < _COLLAPSED * pooled:
        warnings.warn(
            f"The estimate has collapsed: the ratings are the votes of rater "
            f"{matrix.raters[least]!r} less a constant, and the other raters count for nothing. "
            "Use nu=5, which keeps every rater's inconsistency above zero.",
            UserWarning,
            stacklevel=3,
        )


def _check_parameters(nu: float, max_iter: int, tol: float) -> None:
    if not (isinstance(nu, Real) and nu >= 0 and np.isfinite(nu)):
        raise ValueError(f"nu={nu!r} should be a number of votes, 0 or more, such as 5.")
    if not (isinstance(max_iter, Integral) and max_iter >= 1):
        raise ValueError(f"max_iter={max_iter!r} should be a whole number of 1 or more.")
    if not (isinstance(tol, Real) and tol > 0):
        raise ValueError(f"tol={tol!r} should be above 0, such as 1e-8.")
