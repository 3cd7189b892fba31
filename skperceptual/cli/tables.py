"""Tables of pairs: CSV in, CSV out, every other cell kept as it is."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from skperceptual.cli.errors import CommandError

__all__ = ["PairTable", "read_table", "write_table"]

_ROLES = ("reference", "degraded")
_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class PairTable:
    r"""A table with one pair of files a row; all cells are text.

    What is kept is what the file held, and not its cells, which take ten times as much memory:
    each pass over the rows takes it apart anew.

    Parameters
    ----------
    content : bytes
        What the file held.
    separator : str
        What stands between cells.
    header : list of str
        The names of the columns.
    lines : array of int
        The line of the file that each row ends in.

    Examples
    --------
    >>> from array import array
    >>> from skperceptual.cli.tables import PairTable
    >>> content = b"degraded,reference\nb.wav,a.wav\n"
    >>> table = PairTable(content, ",", ["degraded", "reference"], array("Q", [2]))
    >>> list(table.pairs())
    [('a.wav', 'b.wav')]
    """

    content: bytes
    separator: str
    header: list[str]
    lines: array[int]

    def rows(self) -> Iterator[list[str]]:
        """Give the cells of each row.

        Yields
        ------
        list of str
            One cell a column.
        """
        rows = _rows(self.content, self.separator)
        next(rows)  # the header
        yield from (row for _, row in rows)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give the two file names of each row.

        Yields
        ------
        (str, str)
            The reference first.
        """
        reference, degraded = (self.header.index(role) for role in _ROLES)
        yield from ((row[reference], row[degraded]) for row in self.rows())


def read_table(path: Path) -> PairTable:
    """Read a table of pairs.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8, which names its columns in its first line. They are separated by
        commas, semicolons, tabs or bars: whatever finds the two columns.

    Returns
    -------
    PairTable
        Its rows; empty lines are left out.

    Raises
    ------
    CommandError
        When it is no such table.
    """
    what = f"the table {str(path)!r}"
    content = path.read_bytes()
    lines = array("Q")
    uneven: list[tuple[int, int]] = []
    try:
        separator = max(_SEPARATORS, key=lambda separator: _n_roles(content, separator))
        rows = _rows(content, separator)
        _, header = next(rows, (0, []))
        for line, row in rows:
            lines.append(line)
            if len(row) != len(header):
                uneven.append((line, len(row)))
    except UnicodeDecodeError as error:
        raise CommandError(f"{what} is no text in UTF-8. Save it as 'CSV UTF-8'.") from error
    except csv.Error as error:
        raise CommandError(f"{what} is no CSV file: {error}.") from error
    if not header:
        raise CommandError(f"{what} is empty. Its first line names the columns.")
    for role in _ROLES:
        if header.count(role) != 1:
            found = f"{header.count(role)} columns" if role in header else "no column"
            raise CommandError(
                f"{what} has {found} {role!r}. Its first line names the columns, two of which "
                f"are 'reference' and 'degraded'; it holds {', '.join(map(repr, header))}."
            )
    if not lines:
        raise CommandError(f"{what} has no rows below its header.")
    if uneven:
        line, n_cells = uneven[0]
        raise CommandError(
            f"{what} has {len(uneven)} rows of another length than its header: line {line} "
            f"holds {n_cells} cells, the header {len(header)}. Put cells that hold "
            f"{separator!r} in double quotes."
        )
    return PairTable(content, separator, header, lines)


def _rows(content: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give the lines that rows end in, and their cells; the header is a row."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if any(row))
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from error


def _n_roles(content: bytes, separator: str) -> int:
    try:
        _, header = next(_rows(content, separator), (0, []))
    except csv.Error:
        return 0
    return len(set(_ROLES).intersection(header))


def write_table(
    file: IO[str], table: PairTable, names: Sequence[str], scores: Iterable[Sequence[float]]
) -> None:
    """Write a table with one column more for each metric.

    Parameters
    ----------
    file : text file
        Where to write.
    table : PairTable
        What was read.
    names : sequence of str
        The names of the new columns.
    scores : iterable of sequence of float
        Their values, row by row. Numbers are written in full, so that reading them gives the
        same; NaN becomes an empty cell.
    """
    writer = csv.writer(file, delimiter=table.separator, lineterminator="\n")
    writer.writerow([*table.header, *names])
    for row, values in zip(table.rows(), scores, strict=True):
        writer.writerow([*row, *map(_cell, values)])


def _cell(value: float) -> str:
    return "" if value != value else repr(float(value))
