"""Scores over draws of whole groups, and without each group: all draws and metrics at once.

A draw counts how often each group was taken, and a row weighs what its group counts. The same
draws serve any number of metrics, so that their scores may be compared draw by draw. Leaving
each group out in turn (the jackknife) is a set of draws as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.correlations import (
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.weighted_scores import (
    pair_scores_of_draws,
    pearson_of_draws,
    spearman_of_draws,
)
from skperceptual.utils.random_states import own_random_state

__all__ = [
    "ClusterDraws",
    "ClusterScores",
    "draw_clusters",
    "leave_clusters_out",
    "score_clusters",
    "score_draws",
]

Floats = NDArray[np.float64]

# Beyond so many rows, comparing all pairs once costs more than sorting them in every draw.
_MOST_PAIRED_ROWS = 2048
# Of more groups than this, several are left out together.
_MOST_LEFT_OUT = 1000


@dataclass(frozen=True)
class ClusterDraws:
    """How often each group was drawn, for a number of draws.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        The number of each row's group, from 0 on.
    counts : ndarray of shape (n_draws, n_groups)
        How often each draw takes each group.

    Examples
    --------
    >>> from skperceptual.metrics.cluster_bootstrap import draw_clusters
    >>> draws = draw_clusters(["a", "a", "b", "c"], 4, n_resamples=100)
    >>> draws.counts.shape, draws.counts.sum(axis=1).max()
    ((100, 3), np.float64(3.0))
    """

    labels: NDArray[np.intp]
    counts: Floats


@dataclass(frozen=True)
class ClusterScores:
    """The scores of several metrics: of all rows, of every draw and without each group.

    Parameters
    ----------
    values : ndarray of shape (n_metrics,)
        Scores of all rows; NaN where undefined.
    left_out : ndarray of shape (n_left_out, n_metrics)
        Scores without each group, or without each bundle of groups; NaN where undefined. None
        of a single group.
    drawn : ndarray of shape (n_resamples, n_metrics)
        Scores of every draw, which is the same for all metrics; NaN where undefined.
    n_groups : int
        Number of groups.
    n_samples : int
        Number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import spearman_score
    >>> from skperceptual.metrics.cluster_bootstrap import score_clusters
    >>> rating = np.arange(20.0)
    >>> metrics = np.column_stack([rating**2, -rating])
    >>> scores = score_clusters(spearman_score, rating, metrics, n_resamples=100)
    >>> scores.values, scores.left_out.shape, scores.drawn.shape
    (array([ 1., -1.]), (20, 2), (100, 2))
    """

    values: Floats
    left_out: Floats
    drawn: Floats
    n_groups: int
    n_samples: int


def score_clusters(
    score: Callable[..., float],
    y_true: Floats,
    predictions: Floats,
    *,
    groups: ArrayLike | None = None,
    leave_out: bool = True,
    n_resamples: int = 0,
    random_state: Any = 0,
) -> ClusterScores:
    """Score several metrics on all rows, without each group, and on the same draws of groups.

    Parameters
    ----------
    score : callable
        Called as ``score(y_true, y_pred, sample_weight=...)``.
    y_true : ndarray of shape (n_samples,)
        Ratings, finite.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions, finite; one metric a column.
    groups : array-like of shape (n_samples,), default=None
        Source recording of each row. None takes every row for one of its own.
    leave_out : bool, default=True
        Whether to score without each group.
    n_resamples : int, default=0
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    ClusterScores
        All scores. Only those of all rows warn where they are undefined.

    Raises
    ------
    ValueError
        For groups that are not one label a row, or labels that cannot be told apart.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import pearson_score
    >>> from skperceptual.metrics.cluster_bootstrap import score_clusters
    >>> rating, predicted = np.arange(6.0), np.array([[0.0, 2, 1, 3, 5, 4]]).T
    >>> scores = score_clusters(pearson_score, rating, predicted, groups=[0, 0, 1, 1, 2, 2])
    >>> scores.left_out.round(3).ravel()
    array([0.832, 0.916, 0.8  ])
    """
    labels = number_groups(groups, len(y_true))
    rng = own_random_state(random_state)
    values = np.array([score(y_true, column) for column in predictions.T])
    defined = np.flatnonzero(~np.isnan(values))

    def fill(draws: ClusterDraws) -> Floats:
        scores = np.full((len(draws.counts), len(values)), np.nan)
        if len(defined):
            scores[:, defined] = score_draws(score, y_true, predictions[:, defined], draws)
        return scores

    n_groups = int(labels.max(initial=-1)) + 1
    left_out = drawn = np.empty((0, len(values)))
    if n_resamples and n_groups:
        draws = draw_clusters(labels, len(labels), n_resamples=n_resamples, random_state=rng)
        drawn = fill(draws)
    if leave_out and n_groups > 1:
        left_out = fill(leave_clusters_out(labels, len(labels), random_state=rng))
    return ClusterScores(values, left_out, drawn, n_groups, len(labels))


def draw_clusters(
    groups: ArrayLike | None, n_samples: int, *, n_resamples: int = 2000, random_state: Any = 0
) -> ClusterDraws:
    """Draw as many groups as there are, with replacement, again and again.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Source recording of each row. None takes every row for one of its own.
    n_samples : int
        Number of rows.
    n_resamples : int, default=2000
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    ClusterDraws
        The draws.

    Raises
    ------
    ValueError
        For groups that are not one label a row, or labels that cannot be told apart.

    Examples
    --------
    >>> from skperceptual.metrics.cluster_bootstrap import draw_clusters
    >>> draw_clusters([7, 7, 9], 3, n_resamples=4).counts.sum(axis=1)
    array([2., 2., 2., 2.])
    """
    labels = number_groups(groups, n_samples)
    n_groups = int(labels.max(initial=-1)) + 1
    if n_groups == 0:
        return ClusterDraws(labels, np.zeros((n_resamples, 0)))
    rng = own_random_state(random_state)
    counts = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    return ClusterDraws(labels, counts.astype(np.float64))


def leave_clusters_out(
    groups: ArrayLike | None, n_samples: int, *, random_state: Any = 0
) -> ClusterDraws:
    """Leave out each group in turn (the jackknife).

    Of more than 1000 groups, several chosen at random are left out together, in 1000 bundles
    (the delete-a-group jackknife of survey statistics [1]_).

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Source recording of each row. None takes every row for one of its own.
    n_samples : int
        Number of rows.
    random_state : int, RandomState instance or None, default=0
        What bundles groups, where there are more than 1000.

    Returns
    -------
    ClusterDraws
        As many draws as there are groups or bundles.

    Raises
    ------
    ValueError
        For groups that are not one label a row, or labels that cannot be told apart.

    References
    ----------
    .. [1] P. S. Kott, "The delete-a-group jackknife", Journal of Official Statistics 17, 2001.

    Examples
    --------
    >>> from skperceptual.metrics.cluster_bootstrap import leave_clusters_out
    >>> leave_clusters_out(["a", "a", "b"], 3).counts
    array([[0., 1.],
           [1., 0.]])
    """
    labels = number_groups(groups, n_samples)
    n_groups = int(labels.max(initial=-1)) + 1
    if n_groups > _MOST_LEFT_OUT:
        bundles = own_random_state(random_state).permutation(n_groups) % _MOST_LEFT_OUT
        labels, n_groups = bundles[labels], _MOST_LEFT_OUT
    return ClusterDraws(labels, 1 - np.eye(n_groups))


def score_draws(
    score: Callable[..., float], y_true: Floats, predictions: Floats, draws: ClusterDraws
) -> Floats:
    """Score several metrics on the same draws.

    Parameters
    ----------
    score : callable
        Called as ``score(y_true, y_pred, sample_weight=...)``. The four scores of this package
        are computed for all draws at once, any other one draw at a time.
    y_true : ndarray of shape (n_samples,)
        Ratings, finite and not all equal.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions, finite; one metric a column, none of them constant.
    draws : ClusterDraws
        What was drawn.

    Returns
    -------
    ndarray of shape (n_draws, n_metrics)
        Scores; NaN, without a warning, where a draw leaves them undefined.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import kendall_score
    >>> from skperceptual.metrics.cluster_bootstrap import leave_clusters_out, score_draws
    >>> rating, predicted = np.arange(4.0), np.array([[0.0, 2, 1, 3]]).T
    >>> score_draws(kendall_score, rating, predicted, leave_clusters_out(None, 4)).ravel().round(2)
    array([0.33, 1.  , 1.  , 0.33])
    """
    data = (y_true, predictions, draws.labels, draws.counts)
    if score is pearson_score:
        return pearson_of_draws(*data)
    if score is spearman_score:
        return spearman_of_draws(*data)
    if score in (kendall_score, concordance_index) and len(y_true) <= _MOST_PAIRED_ROWS:
        return pair_scores_of_draws(*data, is_kendall=score is kendall_score)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return np.array(
            [
                [score(y_true, column, sample_weight=weights) for column in predictions.T]
                for weights in (counts[draws.labels] for counts in draws.counts)
            ]
        )


def number_groups(groups: ArrayLike | None, n_samples: int) -> NDArray[np.intp]:
    """Give each row the number of its group, from 0 on.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or (n_samples, 1), or None
        Labels, all text or all numbers. None gives every row a number of its own.
    n_samples : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        The numbers.

    Raises
    ------
    ValueError
        For groups that are not one label a row, missing labels, or labels of several kinds.
    """
    if groups is None:
        return np.arange(n_samples)
    labels = np.asarray(groups)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (n_samples,):
        raise ValueError(
            f"groups should have shape ({n_samples},), one label a row of y_true, got "
            f"{labels.shape}."
        )
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(
            f"groups has no label in row {np.flatnonzero(np.isnan(labels))[0]} (NaN). Name it, or "
            "leave the row out."
        )
    try:
        return np.unique(labels, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(
            f"groups holds labels of several kinds, which cannot be told apart ({error}). Make "
            "them all text, or all numbers, and leave none empty."
        ) from error
