"""What a report is about: rated items and the values of metrics, checked and laid out alike."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.cluster_bootstrap import number_groups
from skperceptual.metrics.correlations import check_column
from skperceptual.metrics.votes import mean_opinion_scores
from skperceptual.metrics.votes.matrix import check_votes
from skperceptual.utils.messages import as_list, in_a_line

__all__ = ["ALL", "RatedItems", "average_items", "lay_out"]

Floats = NDArray[np.float64]

#: Condition of the rows that are about all items.
ALL = "all"
_NAN_POLICIES = ("raise", "omit", "propagate")


@dataclass(frozen=True)
class RatedItems:
    """Ratings, the values of several metrics, and what else is known of each item.

    Parameters
    ----------
    names : list of str
        Names of the metrics.
    ratings : ndarray of shape (n_items,)
        Ratings, all finite.
    values : ndarray of shape (n_items, n_metrics)
        What each metric gives; NaN where it gives nothing.
    mapped : ndarray of shape (n_items, n_metrics) or None
        The same on the scale of the ratings, where that is known already.
    groups : ndarray of shape (n_items,)
        Number of each item's source recording.
    condition : ndarray of shape (n_items,) or None
        Number of each item's condition.
    condition_names : list
        The conditions, in order of appearance.
    pools : ndarray of shape (n_items,) or None
        Number of what each item is to be averaged into.
    half_width : ndarray of shape (n_items,) or None
        Half the 95 % interval of each rating.
    votes : ndarray of shape (n_items, n_votes) or None
        Single votes, NaN where there is none.
    """

    names: list[str]
    ratings: Floats
    values: Floats
    mapped: Floats | None
    groups: NDArray[np.intp]
    condition: NDArray[np.intp] | None
    condition_names: list[Any]
    pools: NDArray[np.intp] | None
    half_width: Floats | None
    votes: Floats | None

    @property
    def given(self) -> NDArray[np.bool_]:
        """Which metric gives something for which item."""
        return ~np.isnan(self.values)

    def take(self, rows: Any) -> RatedItems:
        """Select items."""
        return replace(
            self,
            ratings=self.ratings[rows],
            values=self.values[rows],
            groups=self.groups[rows],
            mapped=None if self.mapped is None else self.mapped[rows],
            condition=None if self.condition is None else self.condition[rows],
            pools=None if self.pools is None else self.pools[rows],
            half_width=None if self.half_width is None else self.half_width[rows],
            votes=None if self.votes is None else self.votes[rows],
        )


def lay_out(
    y_true: ArrayLike,
    predictions: Mapping[str, ArrayLike] | pd.DataFrame,
    *,
    mapped: Mapping[str, ArrayLike] | pd.DataFrame | None = None,
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    pools: ArrayLike | None = None,
    half_width: ArrayLike | None = None,
    votes: Any = None,
    nan_policy: str = "raise",
) -> RatedItems:
    """Check what a report is made of.

    Parameters
    ----------
    y_true : array-like of shape (n_items,)
        Ratings.
    predictions : dict of str to array-like of shape (n_items,), or DataFrame
        What each metric gives.
    mapped : dict or DataFrame, default=None
        The same on the scale of the ratings.
    groups, condition : array-like of shape (n_items,), default=None
        Source recording and condition of each item.
    pools : array-like of shape (n_items,), default=None
        Label of what each item is to be averaged into.
    half_width : float or array-like of shape (n_items,), default=None
        Half the 95 % interval of each rating; None takes it from votes, where there are any.
    votes : array-like or DataFrame of shape (n_items, n_raters), default=None
        Single votes.
    nan_policy : {"raise", "omit", "propagate"}, default="raise"
        What NaN in ratings and predictions lead to.

    Returns
    -------
    RatedItems
        Without items that have no rating.

    Raises
    ------
    ValueError
        For what does not fit together, and NaN with ``nan_policy="raise"``.
    """
    if nan_policy not in _NAN_POLICIES:
        raise ValueError(f"nan_policy={nan_policy!r} is unknown. Use one of {_NAN_POLICIES}.")
    if not isinstance(predictions, (Mapping, pd.DataFrame)):
        raise TypeError(
            "Expected the values of metrics as a dict of names and arrays, or as a DataFrame with "
            f"a column a metric, got {type(predictions).__name__}. Use {{'name': values}}."
        )
    ratings = _check_values(y_true, "y_true")
    names = [str(name) for name in predictions]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Expected one metric or more, each with a name of its own, got {names}.")
    values = _columns(predictions, names, ratings, "y_pred")
    on_scale = None
    if mapped is not None:
        if sorted(map(str, mapped)) != sorted(names):
            raise ValueError(
                f"mapped has {in_a_line(map(str, mapped))}, and the metrics are "
                f"{in_a_line(names)}: give the mapped values of each."
            )
        on_scale = _columns(mapped, names, ratings, "mapped")
        # What is not known on the scale of the ratings is judged nowhere.
        values = np.where(np.isnan(on_scale), np.nan, values)
    unrated = np.isnan(ratings)
    if nan_policy == "raise":
        _refuse_missing(ratings, values, names)
    elif nan_policy == "propagate":
        lost = np.isnan(values).any(axis=0) | unrated.any()
        values = np.where(lost, np.nan, values)
    labels, condition_names = _number_labels(condition, "condition", len(ratings))
    if ALL in condition_names:
        raise ValueError(
            f"A condition is called {ALL!r}, as are the rows about all items. Call it otherwise."
        )
    items = RatedItems(
        names=names,
        ratings=ratings,
        values=values,
        mapped=on_scale,
        groups=number_groups(groups, len(ratings)),
        condition=labels,
        condition_names=condition_names,
        pools=_number_labels(pools, "per", len(ratings))[0],
        half_width=_check_half_width(half_width, len(ratings)),
        votes=None if votes is None else check_votes(votes).values,
    )
    if items.votes is not None:
        if len(items.votes) != len(ratings):
            raise ValueError(
                f"votes has {len(items.votes)} rows for {len(ratings)} items: give the votes of "
                "each item in its row."
            )
        if half_width is None:
            items = replace(items, half_width=_half_width_of_votes(items.votes))
    return items.take(~unrated) if unrated.any() else items


def average_items(items: RatedItems) -> RatedItems:
    """Average ratings and values over all items of one pool (ITU-T P.1401, clause 7.2).

    Parameters
    ----------
    items : RatedItems
        Single files, say, with their pools.

    Returns
    -------
    RatedItems
        A value is NaN where it is for one of the items averaged. The items are their own groups
        unless each comes from one group.

    Raises
    ------
    ValueError
        For a pool that has items of several conditions.
    """
    assert items.pools is not None
    numbers, number = np.unique(items.pools, return_inverse=True)
    condition = _one_label_each(items.condition, number)
    if items.condition is not None and condition is None:
        raise ValueError(
            "A label of per has items of several conditions, whose mean is in none of them. Make "
            "the condition a part of the labels, or leave out condition."
        )
    n_items = len(numbers)
    count = np.bincount(number, minlength=n_items)

    def mean(values: Floats | None) -> Any:
        if values is None:
            return None
        total = np.zeros((n_items, *values.shape[1:]))
        np.add.at(total, number, values)
        return total / count.reshape(-1, *(1,) * (values.ndim - 1))

    groups = _one_label_each(items.groups, number)
    squares = mean(None if items.half_width is None else items.half_width**2)
    return RatedItems(
        names=items.names,
        ratings=mean(items.ratings),
        values=mean(items.values),
        mapped=mean(items.mapped),
        groups=np.arange(n_items) if groups is None else groups,
        condition=condition,
        condition_names=items.condition_names,
        pools=None,
        half_width=None if squares is None else np.sqrt(squares / count),
        votes=None if items.votes is None else _join_votes(items.votes, number, count),
    )


def _columns(given: Any, names: list[str], ratings: Floats, what: str) -> Floats:
    columns = {str(name): _check_values(given[name], f"{what}[{name!r}]") for name in given}
    for name, column in columns.items():
        if len(column) != len(ratings):
            raise ValueError(
                f"{what}[{name!r}] has {len(column)} rows and y_true has {len(ratings)}: give the "
                "values of the same items, in the same order."
            )
    return np.column_stack([columns[name] for name in names])


def _check_values(values: Any, name: str) -> Floats:
    """Check numbers that may be NaN, but not infinite."""
    array = np.asarray(values)
    missing = pd.isna(array) if array.dtype.kind in "fO" else np.zeros(array.shape, dtype=bool)
    filled = np.where(missing, 0, array) if missing.any() else array
    infinite = np.isinf(filled) if filled.dtype.kind == "f" else np.zeros(filled.shape, dtype=bool)
    if infinite.any():
        raise ValueError(
            f"{name} has {infinite.sum()} infinite values, the first in row "
            f"{np.argwhere(infinite)[0][0]}. Limit them, as by np.clip(values, -100, 100), or make "
            "them NaN and choose nan_policy='omit'."
        )
    filled = check_column(filled, name)
    return np.where(missing.reshape(filled.shape), np.nan, filled)


def _refuse_missing(ratings: Floats, values: Floats, names: list[str]) -> None:
    columns = {"y_true": ratings} | dict(zip(names, values.T, strict=True))
    lines = []
    for name, column in columns.items():
        rows = np.flatnonzero(np.isnan(column))
        if len(rows):
            lines.append(f"{name}: {len(rows)} of {len(column)}, the first in row {rows[0]}")
    if lines:
        raise ValueError(
            f"There are NaN:\n{as_list(lines, 'columns')}\nnan_policy='omit' judges each metric on "
            "the items it has a value for, and compares two on those that both have; 'propagate' "
            "makes its results NaN. A metric that fails on hard items looks better without them."
        )


def _number_labels(
    labels: ArrayLike | None, name: str, n_items: int
) -> tuple[NDArray[np.intp] | None, list[Any]]:
    """Number labels in order of appearance."""
    if labels is None:
        return None, []
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n_items,):
        raise ValueError(
            f"{name} should hold one label for each of the {n_items} items, got an array of shape "
            f"{array.shape}."
        )
    numbers, found = pd.factorize(array.astype(object))
    if (numbers < 0).any():
        raise ValueError(
            f"{name} has no label in row {np.flatnonzero(numbers < 0)[0]}. Name it, or leave the "
            "row out."
        )
    return numbers.astype(np.intp), list(found)


def _one_label_each(
    labels: NDArray[np.intp] | None, number: NDArray[np.intp]
) -> NDArray[np.intp] | None:
    """Give the label of each number, None where some number has several."""
    if labels is None:
        return None
    of_each = labels[np.unique(number, return_index=True)[1]]
    return of_each if (of_each[number] == labels).all() else None


def _check_half_width(half_width: ArrayLike | None, n_items: int) -> Floats | None:
    if half_width is None:
        return None
    width = np.asarray(half_width)
    widths = check_column(np.full(n_items, width) if width.ndim == 0 else width, "half_width")
    if len(widths) != n_items or (widths < 0).any():
        raise ValueError(
            f"half_width should be one number of 0 or more, or one for each of the {n_items} "
            f"items, got {len(widths)} from {widths.min():g} to {widths.max():g}."
        )
    return widths


def _half_width_of_votes(votes: Floats) -> Floats | None:
    """Give half the interval of each mean, of the pooled deviation where one vote has none."""
    n_votes = np.isfinite(votes).sum(axis=1)
    if (n_votes == 0).any():
        raise ValueError(
            f"votes has none in row {np.flatnonzero(n_votes == 0)[0]}. Leave out items that nobody "
            "rated."
        )
    if (n_votes < 2).all():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # the pooled one steps in
        own = mean_opinion_scores(votes)["half_width"].to_numpy()
    pooled = mean_opinion_scores(votes, pool_sd=True)["half_width"].to_numpy()
    return np.where(np.isnan(own), pooled, own)


def _join_votes(votes: Floats, number: NDArray[np.intp], count: NDArray[np.intp]) -> Floats:
    """Put the votes of all rows of an item into one row."""
    n_raters = votes.shape[1]
    joined = np.full((len(count), count.max(initial=0) * n_raters), np.nan)
    for item in range(len(count)):
        own = votes[number == item].ravel()
        joined[item, : len(own)] = own
    return joined
