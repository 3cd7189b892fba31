"""The table of ratings: what of it is judged, and what is left out and why."""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_request import Columns, Request
from skperceptual.datasets.csv_table import check_columns, read_csv_table
from skperceptual.datasets.pair_checks import check_labels, check_ratings
from skperceptual.metrics import mean_opinion_scores
from skperceptual.utils.messages import as_list, counted

__all__ = ["FAILED", "HIDDEN", "UNRATED", "RatedTable", "read_rated_table"]

Floats = NDArray[np.float64]
Labels = NDArray[np.object_]

#: Why rows are left out.
UNRATED = "no rating"
HIDDEN = "hidden reference"
FAILED = "no score"

# What functions advise, as an option.
_ADVICE = (
    ("reference=, degraded=, rating=, group=, condition=", "--rating, --group and so on"),
    (" For decimal commas in a DataFrame, read it with decimal=','.", ""),
    ("outside scale=(", "outside --scale ("),
)


@dataclass(frozen=True)
class RatedTable:
    """A table of rated pairs, or of ratings and scores; rows in their order.

    Parameters
    ----------
    columns : Columns
        Where what comes from; names of columns that the table does not have are None.
    digest : str
        SHA-256 of the file.
    lines : ndarray of int
        The line of the file that each row ends in.
    names : DataFrame
        The columns of file names, those of them that there are, as text.
    ratings : ndarray
        NaN where there is none.
    half_width : ndarray or None
        Half the interval of each rating.
    votes : ndarray of shape (n_rows, n_raters) or None
        Single votes.
    groups, condition, level : ndarray or None
        Labels.
    scores : dict of str to ndarray
        The columns of scores; NaN where there is none, or an infinite one.
    left_out : ndarray of str
        Why a row is not judged; empty where it is.
    """

    columns: Columns
    digest: str
    lines: NDArray[np.intp]
    names: pd.DataFrame
    ratings: Floats
    half_width: Floats | None
    votes: Floats | None
    groups: Labels | None
    condition: Labels | None
    level: Labels | None
    scores: dict[str, Floats]
    left_out: Labels

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which rows are judged."""
        return self.left_out == ""


def read_rated_table(request: Request) -> RatedTable:
    """Read the table of a request.

    Parameters
    ----------
    request : Request
        What to read.

    Returns
    -------
    RatedTable
        Its rows, those without a rating and hidden references left out.

    Raises
    ------
    CommandError
        When it is no such table.
    """
    try:
        return _read(request)
    except ValueError as error:
        text = re.sub(r", or pass load_rated_pairs,.*", ".", str(error), flags=re.DOTALL)
        for said, meant in _ADVICE:
            text = text.replace(said, meant)
        raise CommandError(f"the table {str(request.table)!r}: {text}") from error


def _read(request: Request) -> RatedTable:
    columns = request.columns
    frame, lines, columns = _read_columns(request)
    places = [f"line {line}" for line in lines]
    votes, half_width = None, None
    if columns.votes:
        given = [_numbers(frame, name, places, request.scale) for name in columns.votes]
        votes = np.column_stack(given)
        ratings = _mean(votes)
    else:
        ratings = check_ratings(frame[columns.rating], request.scale, places)
    if columns.half_width is not None:
        half_width = _numbers(frame, columns.half_width, places)
        if (half_width < 0).any():
            raise ValueError(f"the column {columns.half_width!r} has widths below 0.")
    left_out = np.where(np.isnan(ratings), UNRATED, "").astype(object)
    scores = {}
    for column in request.score_columns:
        values = _numbers(frame, column.name, places, allow_infinite=True)
        scores[column.name] = np.where(np.isfinite(values), values, np.nan)
    sides = [name for name in (columns.reference, columns.degraded) if name is not None]
    names = frame[sides].fillna("").astype(str)
    folder = (request.folder or request.table.parent).absolute()
    if len(sides) == 2:
        _look_at_pairs(names, folder, left_out, places, request)
    judged = np.flatnonzero(left_out == "")
    for name in (columns.group, columns.condition, columns.level):
        if name is not None:
            check_labels(frame[name].iloc[judged], [places[row] for row in judged])
    groups = None
    if columns.group is not None:
        groups = _labels(frame[columns.group])
    elif columns.reference is not None:
        files = names[columns.reference]
        groups = np.array([_real(name, folder) for name in files], dtype=object)
    return RatedTable(
        columns=columns,
        digest=hashlib.sha256(request.table.read_bytes()).hexdigest(),
        lines=np.array(lines, dtype=np.intp),
        names=names,
        ratings=ratings,
        half_width=half_width,
        votes=votes,
        groups=groups,
        condition=None if columns.condition is None else _labels(frame[columns.condition]),
        level=None if columns.level is None else frame[columns.level].to_numpy(dtype=object),
        scores=scores,
        left_out=left_out,
    )


def _read_columns(request: Request) -> tuple[pd.DataFrame, list[int], Columns]:
    """Read the file; file names are asked for where metrics read files, and taken if there."""
    columns = request.columns
    sides = [columns.reference, columns.degraded]
    labels = [name for name in (columns.group, columns.condition, columns.level) if name]
    rating = columns.votes[0] if columns.votes else columns.rating
    needed = sides if request.metrics else []
    frame, lines = read_csv_table(request.table, names=needed, labels=labels, rating=rating)
    numbers = [*columns.votes, *(column.name for column in request.score_columns)]
    check_columns(frame.columns, [*numbers, *([columns.half_width] if columns.half_width else [])])
    if not request.metrics:
        there = [name if list(frame.columns).count(name) == 1 else None for name in sides]
        columns = columns._replace(reference=there[0], degraded=there[1])  # type: ignore[arg-type]
    if request.metrics and sides[0] == sides[1]:
        raise ValueError(f"reference and degraded are the same column, {sides[0]!r}.")
    return frame, lines, columns


def _numbers(
    frame: pd.DataFrame,
    name: str,
    places: list[str],
    limits: tuple[float, float] | None = None,
    *,
    allow_infinite: bool = False,
) -> Floats:
    column = frame[name]
    if column.isna().all():
        return np.full(len(column), np.nan)
    if allow_infinite:
        infinite = column.map(lambda cell: cell in (np.inf, -np.inf))
        column = column.mask(infinite)
    try:
        return check_ratings(column, limits, places)
    except ValueError as error:
        raise ValueError(str(error).replace(" rating", " number", 1)) from error


def _mean(votes: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows without votes are told of as without a rating
        return mean_opinion_scores(votes)["rating"].to_numpy()


def _labels(column: pd.Series) -> Labels:
    """Give labels as words; numbers lose the .0 that empty cells bring."""

    def word(cell: Any) -> str:
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        return str(cell)

    return np.array([word(cell) for cell in column], dtype=object)


# -- pairs of files ------------------------------------------------------------------------------


def _real(name: str, folder: Path) -> str:
    return os.path.realpath(folder / name) if name and "\0" not in name else name


def _look_at_pairs(
    names: pd.DataFrame, folder: Path, left_out: Labels, places: list[str], request: Request
) -> None:
    """Leave hidden references out, and refuse pairs that stand in several rows."""
    is_same: Callable[[str, str], bool] = _same if request.metrics else str.__eq__
    rows = defaultdict(list)
    for row in np.flatnonzero(left_out == "").tolist():
        reference, degraded = (_real(name, folder) for name in names.iloc[row])
        if not request.keep_hidden_references and reference and is_same(reference, degraded):
            left_out[row] = HIDDEN
        elif reference and degraded:
            rows[reference, degraded].append(row)
    repeated = [same for same in rows.values() if len(same) > 1]
    if repeated and not request.keep_repeated_pairs:
        entries = [", ".join(places[row] for row in same[:5]) for same in repeated]
        raise ValueError(
            f"{counted(len(repeated), 'pair')} of {len(rows)} "
            f"{'stands' if len(repeated) == 1 else 'stand'} in several rows:\n"
            f"{as_list(entries, 'pairs')}\n"
            "Where each row is the vote of one listener, put all votes on a pair into one row, a "
            "column a listener, and name these columns with --votes. Otherwise leave out all but "
            "one, or take every row for an item of its own with --repeated-pairs keep."
        )


def _same(reference: str, degraded: str) -> bool:
    if reference == degraded:
        return True
    try:
        # Files of different size are not opened, others up to their first difference.
        return filecmp.cmp(reference, degraded, shallow=False)
    except OSError:  # which scoring tells of
        return False
