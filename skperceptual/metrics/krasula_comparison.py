"""Whether one metric tells pairs of items apart better than another."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm, t as student_t
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.cluster_bootstrap import ClusterDraws, draw_clusters
from skperceptual.metrics.group_counts import enough_groups_to_draw
from skperceptual.metrics.rated_pairs import (
    CRITERIA,
    Z_THRESHOLD,
    CorrectClassification,
    RatedPairs,
    pair_items,
    warn_of_missing_pairs,
)

__all__ = ["compare_krasula"]

_METHODS = ("bootstrap", "delong")


def compare_krasula(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_pred_other: ArrayLike,
    standard_error: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    method: str = "bootstrap",
    z_threshold: float = Z_THRESHOLD,
    higher_is_better: bool | tuple[bool, bool] = True,
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> pd.DataFrame:
    """Compare two metrics by the criteria of :func:`krasula_analysis`, on the same items.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Ratings (MOS).
    y_pred : array-like of shape (n_samples,)
        Values of the first metric.
    y_pred_other : array-like of shape (n_samples,)
        Values of the second metric.
    standard_error : array-like of shape (n_samples,) or float
        Standard error of each rating.
    groups : array-like of shape (n_samples,), default=None
        Source recording of each item, which ``method="bootstrap"`` draws with all its items.
        None draws items.
    method : {"bootstrap", "delong"}, default="bootstrap"
        ``"bootstrap"`` draws groups with replacement, the same ones for both metrics, and takes
        the deviation of the difference over draws for its standard error, and Student's t with one
        degree of freedom less than there are groups. ``"delong"``, what the literature reports,
        takes DeLong's covariance for the areas and McNemar's exact test for C0: both take pairs for
        independent of each other, which those with an item in common are not, and find too many
        differences significant.
    z_threshold : float, default=1.959963984540054
        As in :func:`krasula_analysis`.
    higher_is_better : bool or tuple of (bool, bool), default=True
        Of both metrics, or of each.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=1000
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    DataFrame, one row a criterion
        Indexed by ``auc_different_similar``, ``auc_better_worse`` and
        ``correct_classification``: ``value`` of the first metric, ``other`` of the second,
        ``difference`` (first less second), its interval from ``low`` to ``high``, and ``p_value``
        of no difference. The exact test of C0 has no interval: NaN.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, and parameters out of
        range.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups, and when ``method="delong"`` ignores groups.
    UndefinedMetricWarning
        Where a criterion or its p-value is undefined, or there are fewer than two groups to draw
        from.

    Notes
    -----
    Draws in which a criterion is undefined, for want of pairs of a kind, are left out. The time
    that draws take grows with the number of pairs: half a minute for 1000 items. Both
    directions of a pair that differs enter the area of better against worse, so that its variance
    is twice what DeLong's formula gives for independent halves.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or
       more correlated receiver operating characteristic curves", Biometrics 44, 1988.
    .. [2] Q. McNemar, "Note on the sampling error of the difference between correlated proportions
       or percentages", Psychometrika 12, 1947.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import compare_krasula
    >>> rng = np.random.default_rng(0)
    >>> rating = rng.uniform(1, 5, 40)
    >>> good, poor = rating + rng.normal(0, 0.4, 40), rating + rng.normal(0, 1.5, 40)
    >>> table = compare_krasula(rating, good, poor, 0.25)
    >>> table[["value", "other", "p_value"]].round(2)
                            value  other  p_value
    criterion
    auc_different_similar    0.88   0.65     0.00
    auc_better_worse         1.00   0.91     0.03
    correct_classification   0.98   0.83     0.00
    """
    if method not in _METHODS:
        raise ValueError(f"method={method!r} is unknown. Use one of {_METHODS}.")
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} should lie between 0 and 1, such as 0.95."
        )
    if not (isinstance(n_resamples, Integral) and n_resamples >= 2):
        raise ValueError(f"n_resamples={n_resamples!r} should be a whole number of 2 or more.")
    predictions = {"y_pred": y_pred, "y_pred_other": y_pred_other}
    pairs = pair_items(y_true, predictions, standard_error, z_threshold)
    if np.shape(higher_is_better) not in ((), (2,)):
        raise ValueError(f"higher_is_better={higher_is_better!r} should be one bool, or two.")
    both = np.broadcast_to(higher_is_better, 2)
    for difference, rises in zip(pairs.differences, both, strict=True):
        difference *= 1 if rises else -1
    warn_of_missing_pairs(pairs)
    draws = draw_clusters(groups, pairs.n_items, n_resamples=n_resamples, random_state=random_state)
    if method == "delong":
        if draws.counts.shape[1] < pairs.n_items:
            warnings.warn(
                "method='delong' takes all pairs for independent, and ignores groups: it finds too "
                "many differences significant. Use method='bootstrap'.",
                UserWarning,
                stacklevel=2,
            )
        rows = _compare_pairs(pairs, confidence_level)
    else:
        rows = _compare_draws(pairs, draws, confidence_level)
    columns = ["value", "other", "difference", "low", "high", "p_value"]
    return pd.DataFrame(rows, index=pd.Index(list(CRITERIA), name="criterion"), columns=columns)


def _compare_draws(
    pairs: RatedPairs, draws: ClusterDraws, confidence_level: float
) -> list[tuple[float, ...]]:
    n_groups = draws.counts.shape[1]
    enough = enough_groups_to_draw(n_groups, stacklevel=3)
    every = np.ones(pairs.n_items)
    criteria = [
        [criterion(difference, pairs) for difference in pairs.differences]
        for criterion in CRITERIA.values()
    ]
    values = np.array([[metric(every) for metric in metrics] for metrics in criteria])
    drawn = np.full((len(draws.counts), len(criteria)), np.nan)
    if enough:
        for row, counts in zip(drawn, draws.counts, strict=True):
            # An item and its own copy are no pair, so that copies count by their product alone.
            weights = counts[draws.labels]
            row[:] = [metrics[0](weights) - metrics[1](weights) for metrics in criteria]
    rows = []
    for (value, other), differences in zip(values, drawn.T, strict=True):
        defined = differences[~np.isnan(differences)]
        error = defined.std(ddof=1) if len(defined) > 1 else np.nan
        freedom = max(n_groups - 1, 1)
        rows.append(_row(value, other, error, student_t(freedom), confidence_level))
    return rows


def _compare_pairs(pairs: RatedPairs, confidence_level: float) -> list[tuple[float, ...]]:
    every = np.ones(pairs.n_items)
    rows = []
    for name in ("auc_different_similar", "auc_better_worse"):
        first, second = (CRITERIA[name](difference, pairs) for difference in pairs.differences)
        value, other = first(every), second(every)
        error = np.nan
        if not np.isnan(value):
            error = float(np.linalg.norm(first.influences() - second.influences()))
        rows.append(_row(value, other, error, norm, confidence_level))
    first, second = (CorrectClassification(difference, pairs) for difference in pairs.differences)
    value, other = first(every), second(every)
    p_value = np.nan
    if not np.isnan(value):
        # Where one metric is right and the other wrong; a tie of one of them decides nothing.
        gain = first.right - second.right
        better, worse = int((gain == 1).sum()), int((gain == -1).sum())
        p_value = binomtest(better, better + worse).pvalue if better + worse else 1.0
    rows.append((value, other, value - other, np.nan, np.nan, p_value))
    return rows


def _row(
    value: float, other: float, error: float, distribution: Any, confidence_level: float
) -> tuple[float, ...]:
    difference = value - other
    margin = distribution.ppf((1 + confidence_level) / 2) * error
    p_value = np.nan
    if error > 0:
        p_value = 2 * distribution.sf(abs(difference) / error)
    elif difference == 0 and error == 0:
        p_value = 1.0
    elif error == 0:
        warnings.warn(
            f"A p-value is NaN: the metrics differ by {difference:.3g} in every draw or pair, so "
            "that nothing says how much that is due to chance.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
    return value, other, difference, difference - margin, difference + margin, float(p_value)
