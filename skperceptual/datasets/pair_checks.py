"""What is refused in a table of rated pairs, and what its user should know."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.datasets.csv_table import is_empty
from skperceptual.datasets.pair_files import SIDES, Pair
from skperceptual.utils.messages import as_list, counted

_TOLERATED_SECONDS = 0.05
_ROWS_LISTED = 5


def check_ratings(
    column: pd.Series, limits: tuple[float, float] | None, places: list[str]
) -> NDArray[np.float64]:
    """Give the ratings as numbers, NaN where there is none."""
    blank = is_empty(column)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~blank)
    if len(wrong):
        cells = column.tolist()
        entries = [f"{places[row]}: {cells[row]!r}" for row in wrong]
        raise ValueError(
            f"{counted(len(wrong), 'rating')} in the column {column.name!r} "
            f"{'is no finite number' if len(wrong) == 1 else 'are no finite numbers'}:\n"
            f"{as_list(entries, 'rows')}\nLeave cells empty where there is no rating. For "
            "decimal commas in a DataFrame, read it with decimal=','."
        )
    if blank.all():
        raise ValueError(f"The column {column.name!r} is empty: there are no ratings.")
    if limits is not None:
        wrong = np.flatnonzero((numbers < limits[0]) | (numbers > limits[1]))
        if len(wrong):
            entries = [f"{places[row]}: {numbers[row]:g}" for row in wrong]
            raise ValueError(
                f"{counted(len(wrong), 'rating')} in the column {column.name!r} "
                f"{'lies' if len(wrong) == 1 else 'lie'} outside scale=({limits[0]:g}, "
                f"{limits[1]:g}):\n{as_list(entries, 'rows')}\nCorrect them or the scale."
            )
    return numbers


def check_unrepeated(pairs: list[Pair], places: list[str], averaging: str) -> None:
    """Refuse pairs that stand in several rows; ``averaging`` makes one row of them."""
    rows = defaultdict(list)
    for pair in pairs:
        rows[pair.reference.real, pair.degraded.real].append(pair)
    entries = [
        f"{repeats[0].degraded.name!r}: "
        + ", ".join(places[pair.row] for pair in repeats[:_ROWS_LISTED])
        + ", ..." * (len(repeats) > _ROWS_LISTED)
        for repeats in rows.values()
        if len(repeats) > 1
    ]
    if entries:
        raise ValueError(
            f"{counted(len(entries), 'pair')} of {len(rows)} "
            f"{'stands' if len(entries) == 1 else 'stand'} in several rows:\n"
            f"{as_list(entries, 'pairs')}\n"
            "Where every row is the vote of one listener, average them and pass the result with "
            f"folder=...: votes.{averaging}. Otherwise leave out all but one, or keep every row "
            "as a sample of its own with repeated_pairs='keep'."
        )


def check_labels(column: pd.Series, places: list[str]) -> None:
    """Refuse rows without a label."""
    entries = [places[row] for row in np.flatnonzero(is_empty(column))]
    if entries:
        raise ValueError(
            f"The column {column.name!r} is empty in {counted(len(entries), 'row')}:\n"
            f"{as_list(entries, 'rows')}\nFill these cells in, or leave the rows out."
        )


def split_references(pairs: list[Pair], groups: NDArray[Any], group: str | None) -> str:
    """Say which references are in several groups."""
    found = defaultdict(set)
    for pair, label in zip(pairs, groups, strict=True):
        found[pair.reference.name].add(label)
    entries = [
        f"{name!r}: {', '.join(map(repr, sorted(labels, key=str)))}"
        for name, labels in found.items()
        if len(labels) > 1
    ]
    if not entries:
        return ""
    return (
        f"{len(entries)} of {counted(len(found), 'reference')} in several groups of the "
        f"column {group!r}, so that cross-validation by group tests on recordings that it has "
        f"trained on:\n{as_list(entries, 'references')}"
    )


def unequal_lengths(frame: pd.DataFrame, places: list[str]) -> str:
    """Say which pairs differ in length by more than files of one recording do."""
    seconds = [frame[f"{side}_duration_seconds"].to_numpy() for side in SIDES]
    entries = [
        f"{places[row]}: the reference lasts {seconds[0][row]:.3f} s, the degraded file "
        f"{seconds[1][row]:.3f} s"
        for row in np.flatnonzero(np.abs(seconds[0] - seconds[1]) > _TOLERATED_SECONDS)
    ]
    if not entries:
        return ""
    return (
        f"{len(entries)} of {counted(len(frame), 'pair')} differ in length by more than "
        f"{_TOLERATED_SECONDS * 1000:g} ms:\n{as_list(entries, 'pairs')}\n"
        "Check that they belong together. LoadAudio(duration_seconds=...) reads the same part "
        "of both."
    )
