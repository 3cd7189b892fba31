"""What every way from votes to ratings shares: means, deviations, and the table they end in."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, t as student_t

from skperceptual.metrics.votes.matrix import VoteMatrix, warn_of

Floats = NDArray[np.float64]

Interval = str | float

_INTERVALS = ("t", "normal")


def check_interval(interval: Interval, confidence_level: float) -> None:
    """Check which interval is asked for."""
    is_multiple = isinstance(interval, Real) and 0 < interval < np.inf
    if interval not in _INTERVALS and not is_multiple:
        raise ValueError(
            f"interval={interval!r} is unknown. Use one of {_INTERVALS}, or how many standard "
            "errors half the interval is, such as 1.96."
        )
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} should lie between 0 and 1, such as 0.95."
        )


def quantile(freedom: Any, interval: Interval, confidence_level: float) -> Any:
    """Give the quantile by which standard errors become half widths; NaN without freedom."""
    upper = (1 + confidence_level) / 2
    enough = np.where(np.asarray(freedom) >= 1, freedom, np.nan)
    if interval == "t":
        return student_t.ppf(upper, enough)
    multiple = norm.ppf(upper) if interval == "normal" else interval
    return np.where(np.isnan(enough), np.nan, multiple)


def item_means(matrix: VoteMatrix) -> Floats:
    """Average the votes of each item; NaN without votes."""
    return divide(np.where(matrix.given, matrix.values, 0).sum(axis=1), matrix.n_by_item)


def item_deviations(matrix: VoteMatrix, ddof: int = 1) -> Floats:
    """Give the standard deviation of the votes of each item; NaN with too few."""
    deviations = matrix.values - item_means(matrix)[:, np.newaxis]
    squares = np.where(matrix.given, deviations, 0) ** 2
    return np.sqrt(divide(squares.sum(axis=1), np.maximum(matrix.n_by_item - ddof, 0)))


def pooled_deviation(sd: Floats, n: NDArray[Any]) -> tuple[float, int]:
    """Pool the deviations of items, and give their degrees of freedom; NaN without any."""
    freedom = np.maximum(n - 1, 0)
    total = int(freedom.sum())
    variance = np.sum(np.where(freedom > 0, freedom * np.square(sd), 0))
    return (float(np.sqrt(variance / total)) if total else np.nan), total


def opinion_table(
    matrix: VoteMatrix,
    rating: Floats,
    sd: Floats,
    error: Floats,
    half_width: Floats,
    *,
    advice: str,
) -> pd.DataFrame:
    """Lay out the ratings of items, and warn where they or their intervals are undefined.

    Parameters
    ----------
    matrix : VoteMatrix
        The votes.
    rating, sd, error, half_width : ndarray of shape (n_items,)
        What came of them.
    advice : str
        Why items with a rating can have no interval, and what to do.

    Returns
    -------
    DataFrame
        The columns that every function from votes to ratings gives.
    """
    n = matrix.n_by_item
    none = "have no vote: their rating is NaN."
    warn_of(n == 0, matrix.items, "items", none, stacklevel=3)
    unsure = (n > 0) & np.isnan(half_width)
    warn_of(unsure, matrix.items, "items", f"have no interval, {advice}", stacklevel=3)
    return pd.DataFrame(
        {
            "rating": rating,
            "n_votes": n,
            "sd": sd,
            "standard_error": error,
            "half_width": half_width,
            "low": rating - half_width,
            "high": rating + half_width,
        },
        index=matrix.items,
    )


def divide(numerator: Any, denominator: Any) -> Floats:
    """Divide; by what is not above zero, NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)
