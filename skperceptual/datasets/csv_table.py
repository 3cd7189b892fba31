"""Tables as people write them: by hand, from pandas, from spreadsheets of any country."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.utils.messages import as_list, counted

_MAX_BYTES = 2**26
_SUGGESTED = 3
_SEPARATORS = (",", ";", "\t", "|")
# Spreadsheets may name the separator in a first line of its own.
_NAMED_SEPARATOR = re.compile(r'"?sep=([^\w"\r\n])"?(?:\r\n|\r|\n)')
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


class Loader(NamedTuple):
    """The function that reads a table, by its name and its parameters that name columns."""

    name: str
    columns: tuple[str, ...]


RATED_PAIRS = Loader("load_rated_pairs", ("reference", "degraded", "rating", "group", "condition"))


class _Record(NamedTuple):
    line: int
    cells: list[str]


def read_csv_table(
    path: str | os.PathLike[str],
    *,
    names: Sequence[str],
    labels: Sequence[str],
    rating: str,
    loader: Loader = RATED_PAIRS,
) -> tuple[pd.DataFrame, list[int]]:
    """Read a CSV file from an untrusted source, whatever its separator and decimal sign.

    The separator (comma, semicolon, tab or bar) is the one that finds the columns asked for; the
    decimal sign is the comma if ratings have one. Empty lines, and blanks around cells, go.

    Parameters
    ----------
    path : path-like
        The file, in UTF-8, or in UTF-16 with a byte-order mark.
    names : sequence of str
        Columns of file names: text, whatever it looks like.
    labels : sequence of str
        Columns of labels, in which ``NA`` or ``None`` are words and only an empty cell is missing.
    rating : str
        The column of numbers that is to be read, among which ``NA`` is a missing one. Where it may
        hold words instead, it is among the labels too.
    loader : Loader, default=RATED_PAIRS
        What reads the table, for messages.

    Returns
    -------
    table : DataFrame
        The table, types as pandas infers them.
    lines : list of int
        The line of the file on which each row ends, counted from 1.

    Raises
    ------
    ValueError
        When the file is no such table, or lacks columns.
    """
    text = _decode(Path(path), loader)
    wanted = [*names, *labels, rating]
    header, records = _split(text, wanted)
    check_columns(header, wanted, loader)
    rows = [record.cells + [""] * (len(header) - len(record.cells)) for record in records]
    ratings = header.index(rating)
    decimal = "," if any(_DECIMAL_COMMA.fullmatch(row[ratings]) for row in rows) else "."
    clean = io.StringIO(newline="")
    csv.writer(clean).writerows([header, *rows])
    clean.seek(0)
    table = pd.read_csv(clean, decimal=decimal, index_col=False, low_memory=False)
    has_numbers = pd.api.types.is_numeric_dtype(table[rating]) and table[rating].notna().any()
    if not has_numbers:
        # Something in it is no number; that the rest is remains to be seen.
        table[rating] = table[rating].map(_with_point)
    words = [label for label in labels if not (has_numbers and label == rating)]
    for name in [*names, *words]:
        place = header.index(name)
        cells = pd.Series([row[place] for row in rows], index=table.index, dtype=object)
        cells = cells.where(cells != "")
        if name in names or (table[name].isna() & cells.notna()).any():
            table[name] = cells
    return table, [record.line for record in records]


def _with_point(cell: object) -> object:
    return str(cell).replace(",", ".") if is_decimal_comma(cell) else cell


def check_columns(
    columns: Collection[object], wanted: Sequence[str], loader: Loader = RATED_PAIRS
) -> None:
    """Refuse a table without the columns asked for, or with two of the same name."""
    present = list(columns)
    missing = [name for name in dict.fromkeys(wanted) if name not in present]
    if missing:
        lines = [f"{name!r}{_suggest(name, present)}" for name in missing]
        raise ValueError(
            f"The table has no column {', '.join(lines)}. Its columns are "
            f"{', '.join(map(repr, present))}. Name those that hold the file names, ratings and "
            f"labels: {', '.join(f'{name}=' for name in loader.columns)}."
        )
    repeated = [name for name in dict.fromkeys(wanted) if present.count(name) > 1]
    if repeated:
        raise ValueError(
            f"The table has several columns called {', '.join(map(repr, repeated))}. Rename all "
            "but one."
        )


def is_empty(column: pd.Series) -> NDArray[np.bool_]:
    """Mark the cells that hold nothing, or nothing but blanks."""
    blank = column.map(lambda cell: isinstance(cell, str) and not cell.strip())
    return (column.isna() | blank).to_numpy(dtype=bool)


def is_decimal_comma(cell: object) -> bool:
    """Say whether a cell is the text of a number with a decimal comma."""
    return isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell.strip()) is not None


def describe_omissions(left_out: dict[str, int], n_rows: int) -> str:
    """Say how many rows were left out, and why."""
    if not left_out:
        return f"All {n_rows} rows of the table are here."
    reasons = "; ".join(f"{number} {reason}" for reason, number in left_out.items())
    return f"Left out of the {counted(n_rows, 'row')} of the table: {reasons}."


def _suggest(name: str, present: Sequence[object]) -> str:
    """Ask whether a column of a similar name is meant, or one that has the name in it."""
    columns = {str(column).casefold(): str(column) for column in present}
    word = name.casefold()
    close = [*get_close_matches(word, columns), *(column for column in columns if word in column)]
    names = [repr(columns[column]) for column in dict.fromkeys(close)]
    return f" (did you mean {' or '.join(names[:_SUGGESTED])}?)" if names else ""


def _decode(path: Path, loader: Loader) -> str:
    if path.is_dir():
        raise IsADirectoryError(
            f"{str(path)!r} is a folder. Name the CSV file in it; load_audio_folder reads folders "
            "of recordings without ratings."
        )
    if not path.exists():
        raise FileNotFoundError(f"The table {str(path)!r} does not exist.")
    if not path.is_file():  # a named pipe would block for ever
        raise ValueError(f"{str(path)!r} is not a regular file.")
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    instead = (
        f"or pass {loader.name}, with folder={str(path.parent)!r}, the DataFrame that comes "
        "from pandas.read_"
    )
    if len(data) > _MAX_BYTES:
        raise ValueError(
            f"{str(path)!r} has more than the {_MAX_BYTES} bytes that are read at once. Leave out "
            f"what is not needed, {instead}csv(..., usecols=...)."
        )
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError(f"{str(path)!r} is a workbook. Save it as CSV, {instead}excel(...).")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{str(path)!r} is not in UTF-8 (line {line}). Save it as 'CSV UTF-8', {instead}csv"
            "(..., encoding='cp1252'), which is what Excel on Windows calls plain CSV."
        ) from error
    if "\0" in text:
        raise ValueError(f"{str(path)!r} holds NUL characters: it is not a text file.")
    return text


def _split(text: str, wanted: Sequence[str]) -> tuple[list[str], list[_Record]]:
    """Cut the text into a header and rows, at the separator that finds the most columns."""
    skipped = 0
    separators: Sequence[str] = _SEPARATORS
    if named := _NAMED_SEPARATOR.match(text):
        separators = (named[1],)
        text = text[named.end() :]
        skipped = 1

    def quality(separator: str) -> tuple[int, int]:
        header = next(_records(text, separator, skipped), _Record(0, [])).cells
        return len(set(wanted) & set(header)), len(header)

    records = _records(text, max(separators, key=quality), skipped)
    header = next(records, None)
    if header is None:
        raise ValueError("The table is empty. Its first line must name the columns.")
    rows = list(records)
    if not rows:
        raise ValueError(f"The table has no rows, only the columns {', '.join(header.cells)}.")
    too_long = [row.line for row in rows if len(row.cells) > len(header.cells)]
    if too_long:
        raise ValueError(
            f"The first line of the table names {counted(len(header.cells), 'column')}, but there "
            f"are more cells in {counted(len(too_long), 'row')}:\n"
            f"{as_list([f'line {line}' for line in too_long], 'rows')}\n"
            "Put quotes around cells that hold the separator, or a decimal comma."
        )
    return header.cells, rows


def _records(text: str, separator: str, skipped: int) -> Iterator[_Record]:
    """Give the lines that are not blank, without the blanks around cells and behind the last."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield _Record(reader.line_num + skipped, cells)
    except csv.Error as error:
        raise ValueError(
            f"The table cannot be read beyond line {reader.line_num + skipped} ({error})."
        ) from error
