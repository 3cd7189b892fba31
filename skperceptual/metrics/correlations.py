"""How well predictions agree with ratings: signed correlations and the concordance index.

All four functions read ``(y_true, y_pred)`` and keep the sign, so that a distance, which falls
with quality, scores below zero. Weights mean repetition: integer weights give what repeating
each row that many times gives, and a weight of zero what leaving the row out gives.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

__all__ = ["concordance_index", "kendall_score", "pearson_score", "spearman_score"]

Floats = NDArray[np.float64]


def pearson_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Correlate predictions with ratings linearly (Pearson; ITU-T P.1401, clause 7.5.3).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative. Means, variances and the covariance are weighted means.

    Returns
    -------
    float
        The correlation, from -1 to 1. NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, where ratings or predictions are
        all equal or fewer than two samples have a weight above zero.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import pearson_score
    >>> pearson_score([1.0, 2.0, 3.0, 4.0], [0.9, 0.7, 0.3, 0.1])
    -0.98994949...
    """
    return _score(pearson, "Pearson's correlation", y_true, y_pred, sample_weight)


def spearman_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Correlate the ranks of predictions and ratings (Spearman), ties at their mid-ranks.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative. The rank of a value is the weight of all smaller values plus half
        the weight of the values equal to it (its own included), and the score is the weighted
        Pearson correlation of these ranks.

    Returns
    -------
    float
        The correlation, from -1 to 1. NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, where ratings or predictions are
        all equal or fewer than two samples have a weight above zero.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length.

    See Also
    --------
    kendall_score : Counts pairs in order instead of comparing ranks.

    Notes
    -----
    Ratings with few distinct values, such as medians of five votes, keep the score below 1
    even for a perfect prediction.

    References
    ----------
    .. [1] C. Spearman, "The proof and measurement of association between two things",
       American Journal of Psychology 15, 1904.

    Examples
    --------
    >>> from skperceptual.metrics import spearman_score
    >>> spearman_score([1.0, 2.0, 3.0, 4.0], [0.9, 0.7, 0.1, 0.3])
    -0.8
    """
    return _score(spearman, "Spearman's correlation", y_true, y_pred, sample_weight)


def kendall_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Compare how predictions and ratings order every pair of samples (Kendall's tau-b).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative. A pair of samples counts with the product of their weights. The
        copies of a sample that a weight stands for are tied with each other in both variables;
        tau-b leaves such pairs out, so they need no counting.

    Returns
    -------
    float
        (concordant - discordant) divided by the geometric mean of the pairs not tied in the
        ratings and those not tied in the predictions, from -1 to 1. NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, where ratings or predictions are
        all equal or fewer than two samples have a weight above zero.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length.

    See Also
    --------
    concordance_index : The share of pairs in order, from 0 to 1.

    References
    ----------
    .. [1] M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.

    Examples
    --------
    >>> from skperceptual.metrics import kendall_score
    >>> kendall_score([1.0, 2.0, 3.0, 4.0], [0.9, 0.7, 0.1, 0.3])
    -0.66666666...
    """
    return _score(kendall, "Kendall's tau-b", y_true, y_pred, sample_weight)


def concordance_index(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Give the share of pairs of different rating that the predictions order alike.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions; equal ones count one half.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative. A pair of samples counts with the product of their weights.

    Returns
    -------
    float
        From 0 to 1, and 0.5 for predictions that say nothing, constant ones included. It is
        (Somers' D + 1) / 2, and the area under the ROC curve where ratings have two values.
        NaN, with an :class:`~sklearn.exceptions.UndefinedMetricWarning`, where all ratings are
        equal or fewer than two samples have a weight above zero.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length.

    References
    ----------
    .. [1] R. H. Somers, "A new asymmetric measure of association for ordinal variables",
       American Sociological Review 27, 1962.

    Examples
    --------
    >>> from skperceptual.metrics import concordance_index
    >>> concordance_index([1.0, 2.0, 2.0, 4.0], [0.1, 0.3, 0.2, 0.3])
    0.9
    """
    return _score(concordance, "The concordance index", y_true, y_pred, sample_weight)


def _score(
    statistic: Callable[[Floats, Floats, Floats], float],
    name: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None,
) -> float:
    """Check the inputs, compute, and say why where the statistic is undefined."""
    ratings, predictions, weights = check_ratings(y_true, y_pred, sample_weight)
    value = statistic(ratings, predictions, weights)
    if np.isnan(value):
        if len(ratings) < 2:
            reason = f"it needs two samples, and there are {len(ratings)} with a weight above zero"
        else:
            reason = f"the {'ratings' if is_constant(ratings) else 'predictions'} are all equal"
        warnings.warn(f"{name} is NaN: {reason}.", UndefinedMetricWarning, stacklevel=3)
    return value


def check_ratings(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Check ratings, predictions and weights; rows without weight are left out.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings and predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative; None counts every row once.

    Returns
    -------
    y_true, y_pred, sample_weight : ndarray of shape (n_kept,)
        In float64.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, and negative weights.
    """
    ratings = check_column(y_true, "y_true")
    predictions = check_column(y_pred, "y_pred")
    if len(predictions) != len(ratings):
        raise ValueError(
            f"y_pred has {len(predictions)} rows and y_true has {len(ratings)}: give the "
            "prediction and the rating of the same samples, in the same order."
        )
    weights = check_weights(sample_weight, len(ratings))
    kept = weights > 0
    return ratings[kept], predictions[kept], weights[kept]


def check_column(values: Any, name: str) -> Floats:
    """Convert numbers of shape (n,) or (n, 1) to finite float64 of shape (n,)."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        fix = f"choose one column, {name}[:, 0]" if array.ndim == 2 else "give one value a row"
        raise ValueError(f"{name} should have shape (n,) or (n, 1), got {array.shape}: {fix}.")
    if array.dtype.kind not in "biuf":
        try:
            if array.dtype.kind != "O" or any(isinstance(item, str) for item in array):
                raise TypeError
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} should be numeric, got {array.dtype}. Convert it to floats first, for "
                f"text with np.asarray({name}, dtype=float)."
            ) from None
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} values that are NaN or infinity, the first in row {bad[0]}. "
            f"Leave these rows out of every argument, with keep = np.isfinite({name})."
        )
    return array


def check_weights(sample_weight: ArrayLike | None, n_samples: int) -> Floats:
    """Check weights that are not negative; None counts every sample once."""
    if sample_weight is None:
        return np.ones(n_samples)
    weights = check_column(sample_weight, "sample_weight")
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight has {len(weights)} rows for {n_samples} samples: give one weight a "
            "sample."
        )
    if (weights < 0).any():
        raise ValueError(
            f"sample_weight has {(weights < 0).sum()} negative values. Weights count repetitions: "
            "use zero to leave a row out."
        )
    return weights


def is_constant(values: Floats) -> bool:
    """Whether all values are equal, none at all included."""
    return len(values) == 0 or bool((values == values[0]).all())


def pearson(y_true: Floats, y_pred: Floats, weights: Floats) -> float:
    """Compute the weighted Pearson correlation of checked columns; NaN where it is undefined."""
    if is_constant(y_true) or is_constant(y_pred):
        return np.nan
    share = _scaled(weights)
    share = share / share.sum()
    x, y = _deviations(y_true, share), _deviations(y_pred, share)
    variance_x, variance_y = np.sum(share * x * x), np.sum(share * y * y)
    # In this order nothing overflows, and equal deviations give exactly 1.
    value = np.sum(share * x * y) / variance_x * np.sqrt(variance_x / variance_y)
    return float(np.clip(value, -1.0, 1.0))


def _deviations(values: Floats, share: Floats) -> Floats:
    # The first value comes off before the mean, so that nearly equal values lose no digits;
    # scaling keeps squares from overflowing and vanishing.
    values = _scaled(values)
    values = _scaled(values - values[0])
    return values - np.sum(share * values)


def _scaled(values: Floats) -> Floats:
    """Bring the largest magnitude near 1, by a power of two, which rounds nothing."""
    return np.ldexp(values, -np.frexp(np.abs(values).max())[1])


def spearman(y_true: Floats, y_pred: Floats, weights: Floats) -> float:
    """Compute the weighted Spearman correlation of checked columns; NaN where undefined."""
    return pearson(_mid_ranks(y_true, weights), _mid_ranks(y_pred, weights), weights)


def _mid_ranks(values: Floats, weights: Floats) -> Floats:
    _, group = np.unique(values, return_inverse=True)
    mass = np.bincount(group, weights)
    return (np.cumsum(mass) - mass / 2)[group]


def kendall(y_true: Floats, y_pred: Floats, weights: Floats) -> float:
    """Compute the weighted tau-b of checked columns; NaN where it is undefined."""
    if is_constant(y_true) or is_constant(y_pred):
        return np.nan
    weights = _scaled(weights)
    untied_true, untied_pred = _untied(y_true, weights), _untied(y_pred, weights)
    net = _net_concordance(y_true, y_pred, weights)
    return float(np.clip(net / untied_true * np.sqrt(untied_true / untied_pred), -1.0, 1.0))


def concordance(y_true: Floats, y_pred: Floats, weights: Floats) -> float:
    """Compute the weighted concordance index of checked columns; NaN where it is undefined."""
    if is_constant(y_true):
        return np.nan
    weights = _scaled(weights)
    somers_d = _net_concordance(y_true, y_pred, weights) / _untied(y_true, weights)
    return float(np.clip(0.5 + 0.5 * somers_d, 0.0, 1.0))


def _untied(values: Floats, weights: Floats) -> float:
    """Sum the weights of all pairs of samples whose values differ."""
    _, group = np.unique(values, return_inverse=True)
    mass = np.bincount(group, weights)
    return float(np.sum(mass[1:] * np.cumsum(mass)[:-1]))


def _net_concordance(x: Floats, y: Floats, weights: Floats) -> float:
    """Sum the weights of concordant pairs, less those of discordant pairs."""
    return _ascending_pairs(x, y, weights) - _ascending_pairs(x, -y, weights)


def _ascending_pairs(x: Floats, y: Floats, weights: Floats) -> float:
    """Sum the weights of all pairs in which both x and y are larger for the same sample.

    In the order of x, the pairs (j before i, y_j < y_i) are counted one binary digit of the rank
    of y at a time: two ranks first differ in exactly one digit, where the smaller one has a 0.
    That takes O(n log n) operations and O(n) memory.
    """
    order = np.lexsort((-y, x))  # within equal x, y falls, so that no such pair ascends
    _, rank = np.unique(y[order], return_inverse=True)
    weights = weights[order]
    total = 0.0
    for digit in range(int(rank.max()).bit_length()):
        prefix = rank >> (digit + 1)
        same_prefix = np.argsort(prefix, kind="stable")
        prefix, mass = prefix[same_prefix], weights[same_prefix]
        is_one = (rank[same_prefix] >> digit & 1).astype(bool)
        zeros_so_far = np.cumsum(np.where(is_one, 0.0, mass))
        starts = np.flatnonzero(np.r_[True, prefix[1:] != prefix[:-1]])
        zeros_before = np.r_[0.0, zeros_so_far][starts]
        lengths = np.diff(np.r_[starts, len(prefix)])
        smaller = zeros_so_far - np.repeat(zeros_before, lengths)
        total += float(np.sum((mass * smaller)[is_one]))
    return total
