"""The matrix of votes: items by raters, NaN where there is no vote."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

__all__ = ["votes_from_table"]

Floats = NDArray[np.float64]
Scale = tuple[float, float]

_LARGEST_MATRIX = 2**28


class VoteMatrix(NamedTuple):
    """Checked votes, and the names of items and raters.

    Parameters
    ----------
    values : ndarray of shape (n_items, n_raters)
        Votes in float64; NaN where there is none.
    items : Index of length n_items
        Names of the items, or their numbers.
    raters : Index of length n_raters
        Names of the raters, or their numbers.
    """

    values: Floats
    items: pd.Index
    raters: pd.Index

    @property
    def given(self) -> NDArray[np.bool_]:
        """Where there is a vote."""
        return ~np.isnan(self.values)

    @property
    def n_by_item(self) -> NDArray[np.intp]:
        """Number of votes that each item has."""
        return self.given.sum(axis=1)

    @property
    def n_by_rater(self) -> NDArray[np.intp]:
        """Number of votes that each rater gave."""
        return self.given.sum(axis=0)


def votes_from_table(
    table: pd.DataFrame,
    *,
    item: str = "item",
    rater: str = "rater",
    vote: str = "vote",
    duplicates: str = "error",
) -> pd.DataFrame:
    """Lay out a table with one vote a row as the matrix of votes by item and rater.

    Parameters
    ----------
    table : DataFrame
        One row a vote.
    item : str, default="item"
        Column that names what was rated.
    rater : str, default="rater"
        Column that names who rated it.
    vote : str, default="vote"
        Column of the votes. Rows where it is empty (NaN) are no votes.
    duplicates : {"error", "mean", "last"}, default="error"
        What becomes of several votes of one rater on one item.

    Returns
    -------
    DataFrame of shape (n_items, n_raters)
        The votes; NaN where a rater did not vote. Items and raters come in the order in which
        the table first names them.

    Raises
    ------
    ValueError
        For missing columns, votes that are not numbers, empty names, several votes of one rater
        on one item (with ``duplicates="error"``), and tables whose matrix would not fit into
        memory.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.metrics import votes_from_table
    >>> table = pd.DataFrame(
    ...     {"item": ["a", "a", "b"], "rater": ["Ada", "Ben", "Ada"], "vote": [5, 4, 2]}
    ... )
    >>> votes_from_table(table)
    rater  Ada  Ben
    item
    a      5.0  4.0
    b      2.0  NaN
    """
    if duplicates not in ("error", "mean", "last"):
        raise ValueError(f"duplicates={duplicates!r} is unknown. Use 'error', 'mean' or 'last'.")
    missing = [name for name in (item, rater, vote) if name not in table.columns]
    if missing:
        raise ValueError(
            f"The table has no column {missing}; its columns are {list(table.columns)}. Name those "
            "to use: votes_from_table(table, item=..., rater=..., vote=...)."
        )
    rows = pd.DataFrame({"item": table[item], "rater": table[rater]})
    rows["vote"] = _numbers(table[vote].to_numpy(), f"column {vote!r}")
    for name, column in (("item", item), ("rater", rater)):
        if rows[name].isna().any():
            raise ValueError(
                f"Column {column!r} is empty in {rows[name].isna().sum()} rows, the first being "
                f"row {np.flatnonzero(rows[name].isna())[0]}. Name every {name}, or leave these "
                "rows out."
            )
    rows_of_votes = rows[rows["vote"].notna()]
    repeated = rows_of_votes.duplicated(["item", "rater"], keep=False)
    if duplicates == "error" and repeated.any():
        first = rows_of_votes[repeated].iloc[0]
        raise ValueError(
            f"{repeated.sum()} votes are of a rater who rated the same item more than once, such "
            f"as rater {first['rater']!r} on item {first['item']!r}. Keep one of them, or choose "
            "duplicates='mean' or duplicates='last'."
        )
    items = pd.Index(rows["item"].unique(), name=item)
    raters = pd.Index(rows["rater"].unique(), name=rater)
    if len(items) * len(raters) > _LARGEST_MATRIX:
        raise ValueError(
            f"{len(items)} items by {len(raters)} raters are too many for one matrix. Lay out the "
            "votes of one experiment or condition at a time."
        )
    cells = rows_of_votes.groupby(["item", "rater"], sort=False, observed=True)["vote"]
    chosen = (cells.mean() if duplicates == "mean" else cells.last()).reset_index()
    matrix = np.full((len(items), len(raters)), np.nan)
    matrix[items.get_indexer(chosen["item"]), raters.get_indexer(chosen["rater"])] = chosen["vote"]
    return pd.DataFrame(matrix, index=items, columns=raters)


def check_votes(votes: Any, *, scale: Scale | None = None, name: str = "votes") -> VoteMatrix:
    """Check a matrix of votes.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        What the user gave; NaN where there is no vote.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is; None does not check.
    name : str, default="votes"
        What errors call it.

    Returns
    -------
    VoteMatrix
        The votes in float64, with names.

    Raises
    ------
    ValueError
        For another shape, votes that are not numbers, infinite ones, ones outside the scale, and
        a matrix without a vote.
    """
    is_masked = np.ma.isMaskedArray(votes)
    array: Any = np.ma.filled(votes.astype(np.float64), np.nan) if is_masked else votes
    is_frame = isinstance(array, pd.DataFrame)
    if np.ndim(array) != 2:
        raise ValueError(
            f"{name} should have shape (n_items, n_raters), NaN where a rater did not vote, got "
            f"{np.shape(array)}. A table with one vote a row becomes such a matrix by "
            "votes_from_table(table)."
        )
    values = _numbers(array.to_numpy() if is_frame else np.asarray(array), name)
    if not (~np.isnan(values)).any():
        raise ValueError(f"{name} of shape {values.shape} holds no vote: all values are NaN.")
    if is_frame:
        matrix = VoteMatrix(values, array.index, array.columns)
    else:
        items, raters = (pd.RangeIndex(length) for length in values.shape)
        matrix = VoteMatrix(values, items.rename("item"), raters.rename("rater"))
    if scale is not None:
        _check_on_scale(matrix, check_scale(scale), name)
    return matrix


def check_scale(scale: Any) -> Scale:
    """Check the lowest and highest vote of a scale."""
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            f"scale={scale!r} should be the lowest and the highest vote, such as (1, 5)."
        )
    return low, high


def _check_on_scale(matrix: VoteMatrix, scale: Scale, name: str) -> None:
    low, high = scale
    outside = np.argwhere((matrix.values < low) | (matrix.values > high))
    if len(outside):
        i, j = outside[0]
        raise ValueError(
            f"{len(outside)} {name} lie outside the scale from {low:g} to {high:g}, the first "
            f"being {matrix.values[i, j]:g}, of rater {matrix.raters[j]!r} on item "
            f"{matrix.items[i]!r}. Correct them, set them to NaN if they are no votes, or give the "
            "scale that was used, scale=(low, high)."
        )


def _numbers(values: NDArray[Any], name: str) -> Floats:
    """Convert to float64, None being NaN; text is refused even where it looks like numbers."""
    kinds = {type(value) for value in values.ravel()} if values.dtype == object else set()
    if values.dtype.kind not in "biufO" or any(issubclass(kind, (str, bytes)) for kind in kinds):
        raise ValueError(
            f"{name} should be numbers, NaN where there is no vote, got {values.dtype}. Convert "
            "them first, for text with pandas.to_numeric."
        )
    try:
        # pandas writes a missing whole number as pd.NA, which is no float.
        array = np.where(pd.isna(values), np.nan, values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} should be numbers, NaN where there is no vote ({error})."
        ) from None
    if np.isinf(array).any():
        raise ValueError(
            f"{name} has {np.isinf(array).sum()} infinite values. Votes are finite; write NaN "
            "where there is none."
        )
    return array


def warn_of(
    which: ArrayLike, names: pd.Index, kind: str, consequence: str, *, stacklevel: int
) -> None:
    """Warn that something is undefined for some items, raters or conditions; name a few.

    Parameters
    ----------
    which : array-like of bool of shape (len(names),)
        For which of them; none does not warn.
    names : Index
        All of them.
    kind : str
        What they are, in the plural.
    consequence : str
        What the sentence goes on with.
    stacklevel : int
        As in :func:`warnings.warn`, were it called in place of this.
    """
    concerned = names[np.asarray(which)]
    if len(concerned):
        shown = ", ".join(str(name) for name in concerned[:5])
        more = ", ..." if len(concerned) > 5 else ""
        warnings.warn(
            f"{len(concerned)} of {len(names)} {kind} ({shown}{more}) {consequence}",
            UndefinedMetricWarning,
            stacklevel=stacklevel + 1,
        )
