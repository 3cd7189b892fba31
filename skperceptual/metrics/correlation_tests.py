"""Tests between two correlations that share the ratings, from the correlations alone."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t as student_t

__all__ = ["meng_rosenthal_rubin_test", "steiger_test", "williams_test", "zou_interval"]


def williams_test(
    r: float, r_other: float, r_between: float, n_samples: int
) -> tuple[float, float]:
    """Compute Williams' t for the difference of two correlations that share a variable.

    Parameters
    ----------
    r, r_other : float
        Correlations of ratings with each of two metrics.
    r_between : float
        Correlation of the metrics with each other.
    n_samples : int
        Number of items, more than 3.

    Returns
    -------
    statistic : float
        Student's t with n_samples - 3 degrees of freedom.
    p_value : float
        Two-sided.

    References
    ----------
    .. [1] E. J. Williams, "The comparison of regression variables", Journal of the Royal
       Statistical Society B 21, 1959.

    Examples
    --------
    >>> from skperceptual.metrics.correlation_tests import williams_test
    >>> t, p_value = williams_test(0.4, 0.5, 0.1, 103)
    >>> print(f"t = {t:.3f}, p = {p_value:.3f}")
    t = -0.891, p = 0.375
    """
    determinant = 1 - r**2 - r_other**2 - r_between**2 + 2 * r * r_other * r_between
    mean = (r + r_other) / 2
    spread = 2 * max(determinant, 0.0) * (n_samples - 1) / (n_samples - 3)
    spread += mean**2 * (1 - r_between) ** 3
    statistic = _divide((r - r_other) * np.sqrt((n_samples - 1) * (1 + r_between)), np.sqrt(spread))
    return statistic, float(2 * student_t.sf(abs(statistic), n_samples - 3))


def steiger_test(r: float, r_other: float, r_between: float, n_samples: int) -> tuple[float, float]:
    """Compute Steiger's z for the difference of two correlations that share a variable.

    Parameters
    ----------
    r, r_other : float
        Correlations of ratings with each of two metrics.
    r_between : float
        Correlation of the metrics with each other.
    n_samples : int
        Number of items, more than 3.

    Returns
    -------
    statistic : float
        Of the standard normal distribution.
    p_value : float
        Two-sided.

    References
    ----------
    .. [1] J. H. Steiger, "Tests for comparing elements of a correlation matrix", Psychological
       Bulletin 87, 1980, equation 14.

    Examples
    --------
    >>> from skperceptual.metrics.correlation_tests import steiger_test
    >>> z, p_value = steiger_test(0.4, 0.5, 0.1, 103)
    >>> print(f"z = {z:.3f}, p = {p_value:.3f}")
    z = -0.889, p = 0.374
    """
    mean = (r + r_other) / 2
    shared = _shared(mean, mean, r_between)
    difference = _artanh(r) - _artanh(r_other)
    statistic = _divide(difference * np.sqrt(n_samples - 3), np.sqrt(2 - 2 * shared))
    return statistic, float(2 * norm.sf(abs(statistic)))


def meng_rosenthal_rubin_test(
    r: float, r_other: float, r_between: float, n_samples: int, *, confidence_level: float = 0.95
) -> tuple[float, float, float, float]:
    """Compute the z of Meng, Rosenthal and Rubin, and their interval.

    Parameters
    ----------
    r, r_other : float
        Correlations of ratings with each of two metrics.
    r_between : float
        Correlation of the metrics with each other.
    n_samples : int
        Number of items, more than 3.
    confidence_level : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    statistic : float
        Of the standard normal distribution.
    p_value : float
        Two-sided.
    low, high : float
        Ends of the interval of artanh(r) - artanh(r_other).

    References
    ----------
    .. [1] X.-L. Meng, R. Rosenthal and D. B. Rubin, "Comparing correlated correlation
       coefficients", Psychological Bulletin 111, 1992, equations 1 to 3.

    Examples
    --------
    >>> from skperceptual.metrics.correlation_tests import meng_rosenthal_rubin_test
    >>> z, p_value, low, high = meng_rosenthal_rubin_test(0.4, 0.5, 0.1, 103)
    >>> print(f"z = {z:.3f}, p = {p_value:.3f}, from {low:.3f} to {high:.3f}")
    z = -0.888, p = 0.374, from -0.403 to 0.152
    """
    square = (r**2 + r_other**2) / 2
    f = min(1.0, _divide(1 - r_between, 2 * (1 - square)))
    h = _divide(1 - f * square, 1 - square)
    difference = _artanh(r) - _artanh(r_other)
    error = np.sqrt(2 * (1 - r_between) * h / (n_samples - 3))
    statistic = _divide(difference, error)
    margin = norm.ppf(0.5 + confidence_level / 2) * error
    return (
        statistic,
        float(2 * norm.sf(abs(statistic))),
        float(difference - margin),
        float(difference + margin),
    )


def zou_interval(
    r: float, r_other: float, r_between: float, n_samples: int, *, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Compute Zou's interval for the difference of two correlations that share a variable.

    Parameters
    ----------
    r, r_other : float
        Correlations of ratings with each of two metrics.
    r_between : float
        Correlation of the metrics with each other.
    n_samples : int
        Number of items, more than 3.
    confidence_level : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    low, high : float
        Ends of the interval of r - r_other.

    References
    ----------
    .. [1] G. Y. Zou, "Toward using confidence intervals to compare correlations",
       Psychological Methods 12, 2007, equation 15.

    Examples
    --------
    >>> from skperceptual.metrics.correlation_tests import zou_interval
    >>> low, high = zou_interval(0.4, 0.5, 0.1, 103)
    >>> print(f"from {low:.3f} to {high:.3f}")
    from -0.320 to 0.120
    """
    margin = norm.ppf(0.5 + confidence_level / 2) / np.sqrt(n_samples - 3)
    low, high = (np.tanh(_artanh(r) + sign * margin) for sign in (-1, 1))
    low_other, high_other = (np.tanh(_artanh(r_other) + sign * margin) for sign in (-1, 1))
    shared = _shared(r, r_other, r_between)

    def reach(one: float, two: float) -> float:
        return float(np.sqrt(max(one**2 + two**2 - 2 * shared * one * two, 0.0)))

    difference = r - r_other
    return (
        float(difference - reach(r - low, high_other - r_other)),
        float(difference + reach(high - r, r_other - low_other)),
    )


def _shared(r: float, r_other: float, r_between: float) -> float:
    """Give the correlation between the two estimated correlations (Dunn and Clark, 1969)."""
    rest = 1 - r**2 - r_other**2
    covariance = r_between * rest - r * r_other * (rest - r_between**2) / 2
    return _divide(covariance, (1 - r**2) * (1 - r_other**2))


def _artanh(r: float) -> float:
    with np.errstate(divide="ignore"):
        return float(np.arctanh(r))


def _divide(dividend: float, divisor: float) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.divide(dividend, divisor))
