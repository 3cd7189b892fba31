"""Intervals of many metrics' scores from what leaving groups out, or drawing them, did to them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t as student_t
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.cluster_bootstrap import ClusterScores, number_groups
from skperceptual.metrics.group_counts import enough_groups_to_draw

__all__ = [
    "check_interval_parameters",
    "enough_groups",
    "fisher_z",
    "jackknife",
    "score_interval",
    "warn_of_groups",
]

Floats = NDArray[np.float64]

_FEWEST_ROWS = 4
# A handful of resampled groups can correlate perfectly, which Fisher's z has no number for.
_LARGEST = 0.999
# Differences between scores that are smaller than this are rounding.
_ROUNDING = 1e-12


def score_interval(
    scores: ClusterScores,
    *,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    scale: str = "correlation",
) -> tuple[Floats, Floats]:
    """Give the confidence intervals of several metrics' scores.

    Parameters
    ----------
    scores : ClusterScores
        What the method needs: scores without each group for ``"jackknife"``, scores of draws
        for ``"fisher"`` and ``"percentile"``, both for ``"bca"``.
    method : {"jackknife", "fisher", "percentile", "bca"}, default="jackknife"
        See :func:`correlation_interval`.
    confidence_level : float, default=0.95
        Between 0 and 1.
    scale : {"correlation", "concordance", "log"}, default="correlation"
        What scores are turned into before they are averaged: artanh(score),
        artanh(2 score - 1), or the logarithm of an error.

    Returns
    -------
    low, high : ndarray of shape (n_metrics,)
        Ends of the intervals, NaN where undefined.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups.
    UndefinedMetricWarning
        When an interval is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import pearson_score
    >>> from skperceptual.metrics.cluster_bootstrap import score_clusters
    >>> from skperceptual.metrics.score_intervals import score_interval
    >>> rng = np.random.default_rng(0)
    >>> rating = rng.normal(size=100)
    >>> metrics = rating[:, np.newaxis] + rng.normal(size=(100, 2))
    >>> low, high = score_interval(score_clusters(pearson_score, rating, metrics))
    >>> low.round(2), high.round(2)
    (array([0.6 , 0.61]), array([0.79, 0.82]))
    """
    tail = (1 - confidence_level) / 2
    if not enough_groups(scores, stacklevel=4):
        return np.full_like(scores.values, np.nan), np.full_like(scores.values, np.nan)
    forward, backward = _SCALES[scale]
    if method == "jackknife":
        center, error, freedom = jackknife(forward(scores.values), forward(scores.left_out))
        margin = student_t.ppf(1 - tail, freedom) * error
        low, high = backward(center - margin), backward(center + margin)
    else:
        drawn = np.where(_defined_twice(scores.drawn), scores.drawn, np.nan)
        if method == "fisher":
            error = _over_defined(np.std, forward(drawn), ddof=1)
            margin = student_t.ppf(1 - tail, scores.n_groups - 1) * error
            center = forward(scores.values)
            low, high = backward(center - margin), backward(center + margin)
        elif method == "percentile":
            low, high = (_over_defined(np.quantile, drawn, q=q) for q in (tail, 1 - tail))
        else:
            low, high = _bca(scores, drawn, tail)
    if method != "percentile":
        # A score beyond what the scale has a number for belongs to its interval as well.
        low, high = np.minimum(low, scores.values), np.maximum(high, scores.values)
    _warn_of_undefined(scores, np.isnan(low) | np.isnan(high), method)
    return low, high


def jackknife(values: Floats, left_out: Floats) -> tuple[Floats, Floats, Floats]:
    """Estimate statistics and their standard errors from leaving out each group.

    Parameters
    ----------
    values : ndarray of shape (n_metrics,)
        Statistics of all rows.
    left_out : ndarray of shape (n_groups, n_metrics)
        Statistics without each group.

    Returns
    -------
    center : ndarray of shape (n_metrics,)
        Means of the pseudo-values, which are the statistics less their bias.
    error : ndarray of shape (n_metrics,)
        Standard errors: those of the means, times G / (G - 1) for G groups, since taking the
        bias off makes the mean vary more than its pseudo-values tell, by about so much in
        simulations. 0 where leaving out groups changes nothing but rounding.
    freedom : ndarray of shape (n_metrics,)
        Degrees of freedom, (3.16 - 2.77 / sqrt(G)) (sum d**2)**2 / sum d**4 with d the
        deviations of the pseudo-values, from 1 to G - 1.

    References
    ----------
    .. [1] E. G. Johnson and K. F. Rust, "Population inferences and variance estimation for NAEP
       data", Journal of Educational Statistics 17, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.score_intervals import jackknife
    >>> x = np.array([1.0, 2.0, 3.0, 6.0])
    >>> means = np.array([[np.delete(x, row).mean()] for row in range(4)])
    >>> center, error, freedom = jackknife(np.array([x.mean()]), means)
    >>> center[0], error[0], x.std(ddof=1) / 2 * 4 / 3, freedom[0].round(2)
    (np.float64(3.0), np.float64(1.440...), np.float64(1.440...), np.float64(3.0))
    """
    n_groups = len(left_out)
    mean = left_out.mean(axis=0)
    deviations = (n_groups - 1) * (mean - left_out)
    squares = np.sum(deviations**2, axis=0)
    error = np.sqrt(squares / (n_groups * (n_groups - 1))) * n_groups / (n_groups - 1)
    error = np.where(error <= _ROUNDING, 0.0, error)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = squares**2 / np.sum(deviations**4, axis=0)
    freedom = (3.16 - 2.77 / np.sqrt(n_groups)) * np.where(error > 0, spread, n_groups)
    center = n_groups * values - (n_groups - 1) * mean
    return center, error, np.clip(freedom, 1.0, n_groups - 1)


def enough_groups(scores: ClusterScores, *, stacklevel: int = 3) -> bool:
    """Warn of few groups, and say whether there are enough for an interval.

    Parameters
    ----------
    scores : ClusterScores
        Scores whose number of groups and rows is looked at.
    stacklevel : int, default=3
        Whom the warning names, counted from here.

    Returns
    -------
    bool
        False for fewer than two groups or four rows.
    """
    if scores.n_groups >= 2 and scores.n_samples < _FEWEST_ROWS:
        warnings.warn(
            f"The interval is NaN: it needs at least {_FEWEST_ROWS} rows, and there are "
            f"{scores.n_samples}.",
            UndefinedMetricWarning,
            stacklevel=stacklevel,
        )
        return False
    return enough_groups_to_draw(scores.n_groups, stacklevel=stacklevel)


def warn_of_groups(groups: ArrayLike | None, n_samples: int, what: str) -> None:
    """Warn where groups have several rows, of a formula that takes rows for independent.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Source recording of each row.
    n_samples : int
        Number of rows.
    what : str
        Name of the formula.
    """
    n_groups = len(np.unique(number_groups(groups, n_samples)))
    if n_groups < n_samples:
        warnings.warn(
            f"{what} takes the {n_samples} rows for independent, but they come from {n_groups} "
            "groups. Its intervals are then too narrow and its p-values too small: use "
            "method='jackknife'.",
            UserWarning,
            stacklevel=3,
        )


def check_interval_parameters(
    method: str, methods: tuple[str, ...], confidence_level: float, n_resamples: int
) -> None:
    """Check what all functions that give intervals are given.

    Parameters
    ----------
    method : str
        What the user chose.
    methods : tuple of str
        What there is to choose from.
    confidence_level : float
        Between 0 and 1.
    n_resamples : int
        2 or more.

    Raises
    ------
    ValueError
        For anything else.
    """
    if method not in methods:
        raise ValueError(f"method={method!r} is unknown. Use one of {methods}.")
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} should lie between 0 and 1, such as 0.95."
        )
    if not (isinstance(n_resamples, Integral) and n_resamples >= 2):
        raise ValueError(
            f"n_resamples={n_resamples!r} should be a whole number of 2 or more, such as 2000."
        )


def fisher_z(correlation: Any) -> Any:
    """Give artanh(correlation), correlations beyond ±0.999 counting as ±0.999.

    Parameters
    ----------
    correlation : float or ndarray
        From -1 to 1.

    Returns
    -------
    float or ndarray
        Fisher's z.
    """
    return np.arctanh(np.clip(correlation, -_LARGEST, _LARGEST))


def _logarithm(error: Floats) -> Floats:
    return np.log(np.where(error > 0, error, np.nan))


_SCALES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "correlation": (fisher_z, np.tanh),
    "concordance": (lambda c: fisher_z(2 * c - 1), lambda z: 0.5 + 0.5 * np.tanh(z)),
    "log": (_logarithm, np.exp),
}


def _bca(scores: ClusterScores, drawn: Floats, tail: float) -> tuple[Floats, Floats]:
    """Take the quantiles of each metric's draws that bias and acceleration call for."""
    below = (drawn < scores.values).sum(axis=0) + (drawn == scores.values).sum(axis=0) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        bias = norm.ppf(below / (~np.isnan(drawn)).sum(axis=0))
        deviations = scores.left_out.mean(axis=0) - scores.left_out
        squares = np.sum(deviations**2, axis=0)
        skewness = np.sum(deviations**3, axis=0) / (6 * squares**1.5)
    skewness = np.where(squares <= _ROUNDING**2, 0.0, skewness)
    ends = []
    for z in norm.ppf([tail, 1 - tail]):
        # Where all draws lie on one side of the score, the bias is infinite.
        with np.errstate(invalid="ignore"):
            shifted = bias + (bias + z) / (1 - skewness * (bias + z))
        shifted = np.where(np.isfinite(bias), shifted, np.nan)
        shares = norm.cdf(shifted)
        ends.append(
            np.array(
                [
                    np.nan if np.isnan(share) else np.quantile(column[~np.isnan(column)], share)
                    for share, column in zip(shares, drawn.T, strict=True)
                ]
            )
        )
    return ends[0], ends[1]


def _defined_twice(drawn: Floats) -> NDArray[np.bool_]:
    """Whether a metric has two draws or more that are defined."""
    return (~np.isnan(drawn)).sum(axis=0) >= 2


def _over_defined(statistic: Callable[..., Any], drawn: Floats, **parameters: Any) -> Floats:
    """Compute a statistic of each metric's defined draws, NaN where there are none."""
    columns = [column[~np.isnan(column)] for column in drawn.T]
    return np.array([statistic(c, **parameters) if len(c) else np.nan for c in columns])


def _warn_of_undefined(scores: ClusterScores, undefined: NDArray[np.bool_], method: str) -> None:
    """Say why intervals are NaN; where the score itself is, it has said so."""
    undefined = undefined & ~np.isnan(scores.values)
    if not undefined.any():
        return
    equal = "ratings or predictions are all equal, or all errors zero,"
    drawn = scores.drawn[:, undefined]
    if method == "jackknife" or (method == "bca" and np.isnan(scores.left_out[:, undefined]).any()):
        reason = f"{equal} without one of the groups"
    elif not _defined_twice(drawn).all():
        n_defined = (~np.isnan(drawn)).sum(axis=0).min()
        reason = f"{equal} in every draw but {n_defined} of {len(drawn)}"
    else:
        reason = "the scores of all draws lie on one side of the score of all rows"
    warnings.warn(
        f"The interval is NaN: {reason}. Groups that differ are too few.",
        UndefinedMetricWarning,
        stacklevel=4,
    )
