"""Correlations of many metrics for many sets of weights at once.

Weights come by group: a row weighs what its group counts. Each function gives what the score of
the same name gives draw by draw with these weights, but NaN without a warning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skperceptual.metrics.correlations import pearson

__all__ = ["pair_scores_of_draws", "pearson_of_draws", "spearman_of_draws"]

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

# Numbers held at a time, about what a processor's cache takes.
_CHUNK = 2**17
# A draw whose variance is a smaller share of its mean square is computed again, from its rows.
_CANCELLED = 1e-6


def pearson_of_draws(y_true: Floats, predictions: Floats, labels: Labels, counts: Floats) -> Floats:
    """Compute Pearson's correlations from the sums over each group.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Ratings, not all equal.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions, no column of which is constant.
    labels : ndarray of shape (n_samples,)
        The number of each row's group.
    counts : ndarray of shape (n_draws, n_groups)
        How often each draw takes each group.

    Returns
    -------
    ndarray of shape (n_draws, n_metrics)
        The correlations.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.weighted_scores import pearson_of_draws
    >>> rating, predicted = np.arange(4.0), np.array([[0.0, 1.0, 2.0, 9.0]]).T
    >>> pearson_of_draws(rating, predicted, np.arange(4), np.array([[1.0, 1, 1, 0]]))
    array([[1.]])
    """
    x = np.column_stack([_standardized(column) for column in predictions.T])
    y = _standardized(y_true)[:, np.newaxis]
    order, starts = _by_group(labels, counts)

    def total(rows: Floats) -> Floats:
        return counts @ np.add.reduceat(rows[order], starts, axis=0)

    weight = total(np.ones_like(y))
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may be left without any row
        mean_x, mean_y = total(x) / weight, total(y) / weight
        square_x, square_y = total(x * x) / weight, total(y * y) / weight
        covariance = total(x * y) / weight - mean_x * mean_y
    variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
    scores = _ratio(covariance, variance_x, variance_y)
    kept = (variance_x > _CANCELLED * square_x) & (variance_y > _CANCELLED * square_y)
    for draw, metric in np.argwhere(~kept):
        weights = counts[draw][labels]
        drawn = weights > 0
        scores[draw, metric] = pearson(y_true[drawn], predictions[drawn, metric], weights[drawn])
    return scores


def _standardized(values: Floats) -> Floats:
    # As in the score: scaling keeps differences from overflowing, and the first value comes off
    # before the mean, so that nearly equal values lose no digits.
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])
    values = values - values[0]
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])
    values = values - values.mean()
    return values / np.sqrt(np.mean(values**2))


def spearman_of_draws(
    y_true: Floats, predictions: Floats, labels: Labels, counts: Floats
) -> Floats:
    """Compute Spearman's correlations; the weighted mid-ranks of all draws come in one pass.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Ratings.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions.
    labels : ndarray of shape (n_samples,)
        The number of each row's group.
    counts : ndarray of shape (n_draws, n_groups)
        How often each draw takes each group.

    Returns
    -------
    ndarray of shape (n_draws, n_metrics)
        The correlations.

    Notes
    -----
    With m the weight of all rows of one value and M that of all rows, the weighted mean of
    mid-ranks is M / 2, and the weighted sum of their squared deviations from it
    (M**3 - sum of m**3) / 12, so that one cumulative sum a metric is all there is to compute.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.weighted_scores import spearman_of_draws
    >>> rating, predicted = np.arange(4.0), np.array([[0.0, 1.0, 2.0, -9.0]]).T
    >>> spearman_of_draws(rating, predicted, np.arange(4), np.array([[1.0, 1, 1, 0]]))
    array([[1.]])
    """
    columns = [_Ranks(column) for column in (y_true, *predictions.T)]
    scores = np.empty((len(counts), len(columns) - 1))
    step = max(1, _CHUNK // len(y_true))
    for start in range(0, len(counts), step):
        drawn = np.ascontiguousarray(counts[start : start + step].T)
        weights = drawn[labels]  # (n_samples, n_draws), so that whole rows are copied
        all_weight = weights.sum(axis=0)
        ratings, *metrics = columns
        ranks, variance_y = ratings.of(weights, all_weight)
        weighted = weights * ranks[ratings.level]
        for j, metric in enumerate(metrics):
            ranks, variance_x = metric.of(weights, all_weight)
            covariance = np.einsum("ij,ij->j", ranks, metric.sums(weighted))
            scores[start : start + step, j] = _ratio(covariance, variance_x, variance_y)
    return scores


class _Ranks:
    """The order of a column's values, and which of them are tied."""

    def __init__(self, values: Floats) -> None:
        levels, self.level = np.unique(values, return_inverse=True)
        self.order = np.argsort(self.level, kind="stable")
        self.starts = np.searchsorted(self.level[self.order], np.arange(len(levels)))
        self.tied = len(levels) < len(values)

    def sums(self, rows: Floats) -> Floats:
        """Sum the rows of each level, which come in rising order."""
        rows = rows[self.order]
        return np.add.reduceat(rows, self.starts, axis=0) if self.tied else rows

    def of(self, weights: Floats, all_weight: Floats) -> tuple[Floats, Floats]:
        """Give each level's mid-rank, less the mean rank, and the sum of their squares."""
        mass = self.sums(weights)
        ranks = np.cumsum(mass, axis=0)
        ranks -= mass / 2
        ranks -= all_weight / 2
        cubes = all_weight**3
        squares = (cubes - np.einsum("ij,ij,ij->j", mass, mass, mass)) / 12
        # The smallest sum that is not zero, of one row that differs, is larger by far.
        return ranks, np.where(squares > 1e-12 * cubes, squares, 0.0)


def pair_scores_of_draws(
    y_true: Floats, predictions: Floats, labels: Labels, counts: Floats, *, is_kendall: bool
) -> Floats:
    """Compute Kendall's tau-b or the concordance index from the signs of all pairs.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Ratings.
    predictions : ndarray of shape (n_samples, n_metrics)
        Predictions.
    labels : ndarray of shape (n_samples,)
        The number of each row's group.
    counts : ndarray of shape (n_draws, n_groups)
        How often each draw takes each group.
    is_kendall : bool
        Whether tau-b is asked for.

    Returns
    -------
    ndarray of shape (n_draws, n_metrics)
        The scores.

    Notes
    -----
    Sums over the pairs of a draw are quadratic forms in its counts. It takes the memory of
    n_samples squared.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.weighted_scores import pair_scores_of_draws
    >>> rating, predicted = np.arange(4.0), np.array([[0.0, 1.0, 2.0, -9.0]]).T
    >>> counts = np.array([[1.0, 1, 1, 0], [1, 1, 1, 1]])
    >>> pair_scores_of_draws(rating, predicted, np.arange(4), counts, is_kendall=True)
    array([[1.],
           [0.]])
    """
    order, starts = _by_group(labels, counts)

    def total(pairs: NDArray[np.int8]) -> Floats:
        if counts.shape[1] < len(order):
            by_row = np.add.reduceat(pairs[order], starts, axis=0, dtype=np.float64)
            pairs = np.add.reduceat(by_row[:, order], starts, axis=1)
        else:
            pairs = pairs[np.ix_(order, order)].astype(np.float64)
        return np.einsum("ij,ij->i", counts @ pairs, counts)

    ratings = _signs(y_true)
    untied_true = total(np.abs(ratings))
    scores = np.empty((len(counts), predictions.shape[1]))
    for j, column in enumerate(predictions.T):
        signs = _signs(column)
        net = total(ratings * signs)
        if is_kendall:
            scores[:, j] = _ratio(net, untied_true, total(np.abs(signs)))
        else:
            scores[:, j] = 0.5 + 0.5 * _ratio(net, untied_true, untied_true)
    return scores


def _signs(values: Floats) -> NDArray[np.int8]:
    """Compare every pair of rows: 1 where the first is larger, -1 where it is smaller."""
    larger = np.greater.outer(values, values).view(np.int8)
    return larger - larger.T


def _by_group(labels: Labels, counts: Floats) -> tuple[Labels, Labels]:
    """Give the order that sorts rows by group, and where each group starts in it."""
    order = np.argsort(labels, kind="stable")
    return order, np.searchsorted(labels[order], np.arange(counts.shape[1]))


def _ratio(covariance: Floats, variance_x: Floats, variance_y: Floats) -> Floats:
    """Divide by both standard deviations; NaN where one of them is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = covariance / np.sqrt(variance_x * variance_y)
    return np.where((variance_x > 0) & (variance_y > 0), np.clip(value, -1.0, 1.0), np.nan)
