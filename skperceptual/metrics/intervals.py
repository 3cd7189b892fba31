"""How sure a correlation with ratings is, had other recordings of the same kind been rated."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.cluster_bootstrap import score_clusters
from skperceptual.metrics.correlations import (
    check_ratings,
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.score_intervals import (
    check_interval_parameters,
    fisher_z,
    score_interval,
    warn_of_groups,
)

__all__ = ["correlation_interval"]

Score = Callable[..., float]

_METHODS = ("jackknife", "fisher", "percentile", "bca", "bonett_wright")


def correlation_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    score: Score = spearman_score,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
) -> tuple[float, float]:
    """Give the confidence interval of a correlation, with whole groups left out or drawn anew.

    Versions of one recording are not independent: a recording that a metric misjudges is
    misjudged in all of them. Groups are therefore left out, or drawn with replacement, each with
    all its rows, and how much the correlation changes says how much it would differ on other
    recordings of the same kind.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    groups : array-like of shape (n_samples,), default=None
        Source recording of each row. None takes every row for one of its own.
    score : callable, default=spearman_score
        Correlation, called as ``score(y_true, y_pred, sample_weight=...)``, from -1 to 1;
        or :func:`concordance_index`, from 0 to 1.
    method : {"jackknife", "fisher", "percentile", "bca", "bonett_wright"}, default="jackknife"
        How the interval comes about; z is Fisher's z = artanh(correlation), in which the first
        two and the last are computed.

        ``"jackknife"``
            Tukey's jackknife of z: each group is left out in turn, and the interval is the mean
            of the pseudo-values ± Student's t times their standard error [1]_, widened by
            G / (G - 1) for G groups. The degrees of freedom are Johnson and Rust's [2]_: fewer
            than G - 1 where few groups say much, as large ones do. Nothing is drawn.
        ``"fisher"``
            z ± Student's t of G - 1 degrees of freedom times the standard deviation of z over
            bootstrap draws of groups. With few groups it is too narrow.
        ``"percentile"``
            Quantiles of the draws. With few groups it is far too narrow.
        ``"bca"``
            Quantiles of the draws, corrected for bias and acceleration, the latter from leaving
            out groups [3]_. With few groups it is too narrow.
        ``"bonett_wright"``
            The formulas for independent rows [4]_: z with a variance of 1 / (n - 3) for
            Pearson's correlation, (1 + r**2 / 2) / (n - 3) for Spearman's and 0.437 / (n - 4)
            for Kendall's. It ignores groups, with a warning where there are any.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=2000
        Number of draws, for ``"fisher"``, ``"percentile"`` and ``"bca"``.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    low : float
        The lower end of the interval; NaN where the correlation is undefined, or where fewer
        than two groups or four rows leave nothing to judge by.
    high : float
        The upper end.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, parameters out of
        range, and a score for which ``"bonett_wright"`` has no formula.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups: how much they differ is then itself a guess.
    UndefinedMetricWarning
        When the interval is NaN.

    See Also
    --------
    compare_correlations : The interval of the difference between two metrics.

    Notes
    -----
    In simulations with 13, 30 and 65 recordings in many versions, intervals at 95 % hold the true
    correlation in 94 to 96 % of cases by ``"jackknife"``, 89 to 95 % by ``"fisher"``, 84 to 94 %
    by ``"bca"`` and 82 to 94 % by ``"percentile"``, the lower numbers being those of 13
    (``benchmarks/statistics/interval_coverage.py``). None of them holds what it promises for
    Pearson's correlation with a metric whose values are very skewed, such as an unlimited ratio:
    take its logarithm, or Spearman's correlation.

    Draws in which all ratings or all predictions are equal have no correlation and are left out;
    in Fisher's z, correlations beyond ±0.999 count as ±0.999. Of more than 1000 groups, several
    are left out together. For :func:`concordance_index`, z is that of Somers' D.

    References
    ----------
    .. [1] J. W. Tukey, "Bias and confidence in not-quite large samples", Annals of Mathematical
       Statistics 29, 1958; R. G. Miller, "The jackknife: a review", Biometrika 61, 1974.
    .. [2] E. G. Johnson and K. F. Rust, "Population inferences and variance estimation for NAEP
       data", Journal of Educational Statistics 17, 1992.
    .. [3] B. Efron and R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall,
       1993, chapters 8, 12 and 14.
    .. [4] D. G. Bonett and T. A. Wright, "Sample size requirements for estimating Pearson,
       Kendall and Spearman correlations", Psychometrika 65, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import correlation_interval, spearman_score
    >>> rng = np.random.default_rng(0)
    >>> song = np.repeat(np.arange(20), 4)
    >>> rating = rng.normal(size=80)
    >>> predicted = rating + rng.normal(size=80) + rng.normal(size=20)[song]
    >>> spearman_score(rating, predicted)
    0.559...
    >>> low, high = correlation_interval(rating, predicted, groups=song)
    >>> print(f"from {low:.2f} to {high:.2f}")
    from 0.30 to 0.73
    """
    check_interval_parameters(method, _METHODS, confidence_level, n_resamples)
    ratings, predictions, _ = check_ratings(y_true, y_pred)
    if method == "bonett_wright":
        warn_of_groups(groups, len(ratings), f"method={method!r}")
        return _bonett_wright(score, score(ratings, predictions), len(ratings), confidence_level)
    low, high = score_interval(
        score_clusters(
            score,
            ratings,
            predictions[:, np.newaxis],
            groups=groups,
            leave_out=method in ("jackknife", "bca"),
            n_resamples=0 if method == "jackknife" else n_resamples,
            random_state=random_state,
        ),
        method=method,
        confidence_level=confidence_level,
        scale="concordance" if score is concordance_index else "correlation",
    )
    return float(low[0]), float(high[0])


def _bonett_wright(
    score: Score, value: float, n_samples: int, confidence_level: float
) -> tuple[float, float]:
    if score not in (pearson_score, spearman_score, kendall_score):
        raise ValueError(
            "method='bonett_wright' has formulas for pearson_score, spearman_score and "
            f"kendall_score, not for {getattr(score, '__name__', score)}. Use method='jackknife'."
        )
    fewest = 5 if score is kendall_score else 4
    if n_samples < fewest and not np.isnan(value):
        warnings.warn(
            f"The interval is NaN: it needs at least {fewest} rows, and there are {n_samples}.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    if n_samples < fewest or np.isnan(value):
        return np.nan, np.nan
    variance = {
        pearson_score: 1 / (n_samples - 3),
        spearman_score: (1 + value**2 / 2) / (n_samples - 3),
        kendall_score: 0.437 / max(n_samples - 4, 1),
    }[score]
    margin = norm.ppf(0.5 + confidence_level / 2) * np.sqrt(variance)
    low, high = np.tanh(fisher_z(value) + np.array([-margin, margin]))
    return float(min(low, value)), float(max(high, value))
