"""Significance of differences between two sets of different items.

The tests of ITU-T P.1401, clause 7.6, are for models judged on different files. On the same
files they ignore that both models err together: use ``compare_correlations`` there.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.stats import f as f_distribution, norm
from sklearn.exceptions import UndefinedMetricWarning

__all__ = [
    "Significance",
    "compare_independent_correlations",
    "compare_outlier_ratios",
    "compare_rmse",
]


class Significance(NamedTuple):
    """A test statistic and how likely chance makes it as large.

    Parameters
    ----------
    statistic : float
        The statistic.
    p_value : float
        Its p-value.

    Examples
    --------
    >>> from skperceptual.metrics import compare_rmse
    >>> compare_rmse(0.4, 59, 0.3, 59).p_value < 0.05
    True
    """

    statistic: float
    p_value: float


def compare_independent_correlations(
    correlation: float, n_samples: int, correlation_other: float, n_samples_other: int
) -> Significance:
    """Compare two Pearson correlations of different items (ITU-T P.1401, clause 7.6.1).

    Parameters
    ----------
    correlation : float
        Of the first set, between -1 and 1.
    n_samples : int
        Its number of items, 4 or more.
    correlation_other : float
        Of the second set, which shares no item with the first.
    n_samples_other : int
        Its number of items.

    Returns
    -------
    Significance
        The statistic is (artanh(r) - artanh(r_other)) / sqrt(1 / (n - 3) + 1 / (n_other - 3)),
        a z; the p-value is two-sided. NaN, with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`, for a perfect correlation.

    Raises
    ------
    ValueError
        For correlations beyond ±1 and sets too small.

    See Also
    --------
    compare_correlations : For two metrics on the same items.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import compare_independent_correlations
    >>> z, p_value = compare_independent_correlations(0.95, 100, 0.90, 80)
    >>> print(f"z = {z:.2f}, p = {p_value:.3f}")
    z = 2.36, p = 0.018
    """
    zs, variance = [], 0.0
    for r, n in ((correlation, n_samples), (correlation_other, n_samples_other)):
        _check_number(r, "correlation", -1, 1)
        _check_count(n, "n_samples", 4)
        zs.append(np.arctanh(r) if abs(r) < 1 else np.nan)
        variance += 1 / (n - 3)
    if np.isnan(zs).any():
        return _undefined("a correlation is perfect")
    statistic = float((zs[0] - zs[1]) / np.sqrt(variance))
    return Significance(statistic, float(2 * norm.sf(abs(statistic))))


def compare_outlier_ratios(
    outlier_ratio: float, n_samples: int, outlier_ratio_other: float, n_samples_other: int
) -> Significance:
    """Compare two outlier ratios of different items (ITU-T P.1401, clause 7.6.2).

    Parameters
    ----------
    outlier_ratio : float
        Of the first set, between 0 and 1.
    n_samples : int
        Its number of items.
    outlier_ratio_other : float
        Of the second set, which shares no item with the first.
    n_samples_other : int
        Its number of items.

    Returns
    -------
    Significance
        The z of two binomial shares with their pooled variance, and its two-sided p-value. NaN,
        with an :class:`~sklearn.exceptions.UndefinedMetricWarning`, where both are 0 or both 1.

    Raises
    ------
    ValueError
        For ratios outside 0 to 1 and empty sets.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import compare_outlier_ratios
    >>> z, p_value = compare_outlier_ratios(0.2, 60, 0.4, 60)
    >>> print(f"z = {z:.2f}, p = {p_value:.3f}")
    z = -2.39, p = 0.017
    """
    for ratio, n in ((outlier_ratio, n_samples), (outlier_ratio_other, n_samples_other)):
        _check_number(ratio, "outlier_ratio", 0, 1)
        _check_count(n, "n_samples", 1)
    outliers = outlier_ratio * n_samples + outlier_ratio_other * n_samples_other
    pooled = outliers / (n_samples + n_samples_other)
    if not 0 < pooled < 1:
        return _undefined(f"both outlier ratios are {pooled:.0f}")
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_samples + 1 / n_samples_other))
    statistic = float((outlier_ratio - outlier_ratio_other) / error)
    return Significance(statistic, float(2 * norm.sf(abs(statistic))))


def compare_rmse(
    rmse: float, degrees_of_freedom: int, rmse_other: float, degrees_of_freedom_other: int
) -> Significance:
    """Compare two root mean square errors of different items (ITU-T P.1401, clause 7.6.4).

    Parameters
    ----------
    rmse : float
        Of the first set, above zero.
    degrees_of_freedom : int
        Its number of items less the ``ddof`` that the error was computed with.
    rmse_other : float
        Of the second set, which shares no item with the first.
    degrees_of_freedom_other : int
        Its degrees of freedom.

    Returns
    -------
    Significance
        F = (larger / smaller)**2, and its one-sided p-value, which P.1401 holds against 0.05.
        NaN, with an :class:`~sklearn.exceptions.UndefinedMetricWarning`, where one is zero.

    Raises
    ------
    ValueError
        For errors that are negative or not finite, and fewer than one degree of freedom.

    Notes
    -----
    Since the larger error is always on top, the larger of two equally good models' errors is
    called significantly larger at 0.05 in 10 % of cases; double the p-value for a two-sided
    test.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> from skperceptual.metrics import compare_rmse
    >>> f, p_value = compare_rmse(0.4, 59, 0.3, 59)
    >>> print(f"F = {f:.3f}, p = {p_value:.3f}")
    F = 1.778, p = 0.015
    """
    for error, freedom in ((rmse, degrees_of_freedom), (rmse_other, degrees_of_freedom_other)):
        _check_number(error, "rmse", 0, np.inf)
        _check_count(freedom, "degrees_of_freedom", 1)
    (smaller, below), (larger, above) = sorted(
        [(rmse, degrees_of_freedom), (rmse_other, degrees_of_freedom_other)]
    )
    if smaller == 0:
        return _undefined("an error is zero")
    statistic = float((larger / smaller) ** 2)
    return Significance(statistic, float(f_distribution.sf(statistic, above, below)))


def _undefined(reason: str) -> Significance:
    warnings.warn(f"The test is NaN: {reason}.", UndefinedMetricWarning, stacklevel=3)
    return Significance(np.nan, np.nan)


def _check_number(value: float, name: str, low: float, high: float) -> None:
    if not (isinstance(value, Real) and low <= value <= high and np.isfinite(value)):
        raise ValueError(f"{name} should be a number from {low} to {high}, got {value!r}.")


def _check_count(value: int, name: str, fewest: int) -> None:
    if not (isinstance(value, Integral) and value >= fewest):
        raise ValueError(f"{name} should be a whole number of {fewest} or more, got {value!r}.")
