"""Every pair of rated items, and three criteria of how a metric treats them."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.correlations import check_column

Floats = NDArray[np.float64]

Z_THRESHOLD = 1.959963984540054  # the normal quantile of 97.5 %


class RatedPairs(NamedTuple):
    """Every pair of items, once.

    Parameters
    ----------
    n_items : int
        Number of items.
    first, second : ndarray of shape (n_pairs,)
        The items of each pair.
    is_different : ndarray of shape (n_pairs,)
        Whether raters tell them apart.
    differences : list of ndarray of shape (n_pairs,)
        Differences of each metric: the item with the higher rating less the other.
    """

    n_items: int
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    is_different: NDArray[np.bool_]
    differences: list[Floats]


def pair_items(
    y_true: ArrayLike, predictions: dict[str, Any], standard_error: Any, z_threshold: float
) -> RatedPairs:
    """Check ratings and metrics, and pair the items.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Ratings.
    predictions : dict of str to array-like of shape (n_samples,)
        Values of metrics, by what errors call them.
    standard_error : array-like of shape (n_samples,) or float
        Standard error of each rating.
    z_threshold : float
        Differences of ratings beyond so many of their standard errors tell items apart.

    Returns
    -------
    RatedPairs
        The pairs.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, negative standard errors
        and a threshold that is not above zero.
    """
    if not (isinstance(z_threshold, Real) and z_threshold > 0):
        raise ValueError(f"z_threshold={z_threshold!r} should be above 0, such as 1.96.")
    ratings = check_column(y_true, "y_true")
    if np.ndim(standard_error) == 0:
        standard_error = np.full(len(ratings), standard_error)
    given = {"standard_error": standard_error, **predictions}
    columns = {name: check_column(values, name) for name, values in given.items()}
    for name, column in columns.items():
        if len(column) != len(ratings):
            raise ValueError(
                f"{name} has {len(column)} rows and y_true has {len(ratings)}: give one of the "
                "same samples, in the same order."
            )
    errors = columns.pop("standard_error")
    if (errors < 0).any():
        raise ValueError("standard_error should not be negative: it is sd / sqrt(n_votes).")
    first, second = np.triu_indices(len(ratings), k=1)
    gap = ratings[first] - ratings[second]
    is_different = np.abs(gap) > z_threshold * np.hypot(errors[first], errors[second])
    sign = np.where(gap < 0, -1.0, 1.0)
    differences = [sign * (column[first] - column[second]) for column in columns.values()]
    return RatedPairs(len(ratings), first, second, is_different, differences)


class _Area:
    """Area under the ROC curve of pairs that should have large values against others.

    Parameters
    ----------
    high, low : ndarray
        Values of the pairs that should have large ones, and of the others.
    items : tuple of ndarray
        The two items of each pair, those of ``high`` first.
    """

    def __init__(self, high: Floats, low: Floats, items: tuple[Any, Any]) -> None:
        values = np.concatenate([high, low])
        self.n_high = len(high)
        self.order = np.argsort(values, kind="stable")
        self.is_high = self.order < len(high)
        # In the order of values, so that summing up what lies below runs through memory once.
        self.first, self.second = (item[self.order] for item in items)
        values = values[self.order]
        self.starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)

    def _by_level(self, weights: Floats) -> Floats:
        if len(self.starts) == len(weights):
            return weights
        return np.add.reduceat(weights, self.starts)

    def __call__(self, item_weights: Floats) -> float:
        """Compute the area; a pair counts by the product of the weights of its items."""
        weights = item_weights[self.first] * item_weights[self.second]
        above = weights * self.is_high
        high, low = self._by_level(above), self._by_level(weights - above)
        mass = high.sum() * low.sum()
        return float(high @ (np.cumsum(low) - low / 2) / mass) if mass > 0 else np.nan

    def placements(self) -> tuple[Floats, Floats]:
        """Give, for each pair of either kind, the share of the other that is where it should be."""
        level = np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=len(self.order)))

        def below(chosen: NDArray[np.bool_]) -> Floats:
            mass = self._by_level(chosen.astype(np.float64))
            shares = np.empty(len(self.order))
            shares[self.order] = (np.cumsum(mass) - mass / 2)[level] / chosen.sum()
            return shares

        return below(~self.is_high)[: self.n_high], 1 - below(self.is_high)[self.n_high :]


class DifferentSimilar:
    """Area of absolute differences, of pairs that differ against pairs that do not."""

    def __init__(self, difference: Floats, pairs: RatedPairs) -> None:
        self.is_different = pairs.is_different
        order = np.argsort(~self.is_different, kind="stable")
        size, n_different = np.abs(difference[order]), int(self.is_different.sum())
        items = pairs.first[order], pairs.second[order]
        self.area = _Area(size[:n_different], size[n_different:], items)

    def __call__(self, item_weights: Floats) -> float:
        """Compute the area for any weights of items; NaN without pairs of either kind."""
        return self.area(item_weights)

    def influences(self) -> Floats:
        """Give what each pair adds to the area, such that squares add up to its variance."""
        of_different, of_similar = self.area.placements()
        filled = np.empty(len(self.is_different))
        filled[self.is_different] = _scaled_influences(of_different)
        filled[~self.is_different] = _scaled_influences(of_similar)
        return filled


class BetterWorse:
    """Area of differences, better item first against worse item first."""

    def __init__(self, difference: Floats, pairs: RatedPairs) -> None:
        chosen = pairs.is_different
        values = difference[chosen]
        items = np.tile(pairs.first[chosen], 2), np.tile(pairs.second[chosen], 2)
        self.area = _Area(values, -values, items)

    def __call__(self, item_weights: Floats) -> float:
        """Compute the area for any weights of items; NaN without pairs of either kind."""
        return self.area(item_weights)

    def influences(self) -> Floats:
        """Give what each pair that differs adds to the area, as better and as worse."""
        as_better, as_worse = self.area.placements()
        return _scaled_influences(as_better + as_worse)


class CorrectClassification:
    """Share of pairs that differ in which the better item has the higher value."""

    def __init__(self, difference: Floats, pairs: RatedPairs) -> None:
        chosen = pairs.is_different
        self.first, self.second = pairs.first[chosen], pairs.second[chosen]
        self.right = (np.sign(difference[chosen]) + 1) / 2

    def __call__(self, item_weights: Floats) -> float:
        """Compute the share for any weights of items; NaN without pairs that differ."""
        weights = item_weights[self.first] * item_weights[self.second]
        mass = weights.sum()
        return float(weights @ self.right / mass) if mass > 0 else np.nan


CRITERIA: dict[str, Any] = {
    "auc_different_similar": DifferentSimilar,
    "auc_better_worse": BetterWorse,
    "correct_classification": CorrectClassification,
}


def _scaled_influences(values: Floats) -> Floats:
    """Give deviations whose squares add up to the variance of the mean."""
    return (values - values.mean()) / np.sqrt(len(values) * max(len(values) - 1, 1))


def warn_of_missing_pairs(pairs: RatedPairs) -> None:
    """Warn of criteria that need pairs of which there are none."""
    n_pairs, n_different = len(pairs.is_different), int(pairs.is_different.sum())
    if n_different == 0:
        _warn(f"All criteria but threshold95 are NaN: raters tell none of {n_pairs} pairs apart.")
    if n_different == n_pairs:
        _warn(
            "auc_different_similar and threshold95 are NaN: there is no pair that raters do not "
            f"tell apart, of {n_pairs} pairs."
        )


def _warn(message: str) -> None:
    warnings.warn(message, UndefinedMetricWarning, stacklevel=4)
