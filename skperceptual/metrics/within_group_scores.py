"""Correlations within each group, averaged: how a metric orders versions of one recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.metrics.cluster_bootstrap import ClusterScores, draw_clusters, number_groups
from skperceptual.metrics.correlations import is_constant

__all__ = ["rows_with_scores", "score_within_groups"]

Floats = NDArray[np.float64]

# Two items always correlate perfectly.
_FEWEST_ROWS = 3


def rows_with_scores(y_true: Floats, predictions: Floats, groups: ArrayLike) -> NDArray[np.bool_]:
    """Find the groups in which a metric has a correlation.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Ratings.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions; NaN where there are none.
    groups : array-like of shape (n_samples,)
        Source recording of each row.

    Returns
    -------
    ndarray of shape (n_samples, n_metrics)
        True for the rows of groups with three predictions or more, in which neither these nor
        their ratings are all equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.within_group_scores import rows_with_scores
    >>> rating, group = np.array([1.0, 2, 3, 1, 2, 3]), [0, 0, 0, 1, 1, 1]
    >>> rows_with_scores(rating, np.array([[1.0, 3, 2, 5, 5, 5]]).T, group).ravel()
    array([ True,  True,  True, False, False, False])
    """
    labels = number_groups(groups, len(y_true))
    kept = np.zeros(predictions.shape, dtype=bool)
    for group in range(labels.max(initial=-1) + 1):
        rows = np.flatnonzero(labels == group)
        for column, values in enumerate(predictions[rows].T):
            known = rows[~np.isnan(values)]
            kept[known, column] = len(known) >= _FEWEST_ROWS and not (
                is_constant(y_true[known]) or is_constant(predictions[known, column])
            )
    return kept


def score_within_groups(
    score: Callable[..., float],
    y_true: Floats,
    predictions: Floats,
    *,
    groups: ArrayLike,
    leave_out: bool = True,
    n_resamples: int = 0,
    random_state: Any = 0,
) -> ClusterScores:
    """Average the correlations within each group, by Fisher's z.

    Parameters
    ----------
    score : callable
        A correlation, called as ``score(y_true, y_pred)``.
    y_true : ndarray of shape (n_samples,)
        Ratings.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions; one metric a column, none constant in any group.
    groups : array-like of shape (n_samples,)
        Source recording of each row.
    leave_out : bool, default=True
        Whether to score without each group.
    n_resamples : int, default=0
        Number of draws of groups.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    ClusterScores
        tanh of the mean of artanh(correlation), each group counting once.

    Notes
    -----
    A perfect correlation has no Fisher's z. In a group of n items it counts as P / (P + 1), with P
    = n (n - 1) / 2 the number of pairs, which is what Kendall's tau would be had one pair in P + 1
    been a half right one: four items in order say less than twenty.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import pearson_score
    >>> from skperceptual.metrics.within_group_scores import score_within_groups
    >>> rating = np.array([1.0, 2, 3, 1, 2, 3])
    >>> offset = np.array([[1.0, 3, 2, 11, 13, 12]]).T
    >>> score_within_groups(pearson_score, rating, offset, groups=[0, 0, 0, 1, 1, 1]).values
    array([0.5])
    """
    labels = number_groups(groups, len(y_true))
    n_groups, n_metrics = int(labels.max(initial=-1)) + 1, predictions.shape[1]
    z = np.empty((n_groups, n_metrics))
    for group in range(n_groups):
        rows = labels == group
        n_pairs = rows.sum() * (rows.sum() - 1) / 2
        found = np.array([score(y_true[rows], column) for column in predictions[rows].T])
        perfect = np.abs(found) > 1 - 1e-12
        z[group] = np.arctanh(np.where(perfect, np.sign(found) * n_pairs / (n_pairs + 1), found))
    left_out = drawn = np.empty((0, n_metrics))
    if leave_out and n_groups > 1:
        left_out = np.tanh((z.sum(axis=0) - z) / (n_groups - 1))
    if n_resamples and n_groups:
        draws = draw_clusters(
            labels, len(labels), n_resamples=n_resamples, random_state=random_state
        )
        drawn = np.tanh(draws.counts @ z / n_groups)
    values = np.tanh(z.mean(axis=0)) if n_groups else np.full(n_metrics, np.nan)
    return ClusterScores(values, left_out, drawn, n_groups, len(labels))
