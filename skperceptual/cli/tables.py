"""Tables of pairs: CSV in, CSV out, every other cell kept as it is."""

from __future__ import annotations

import csv
import io
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from skperceptual.cli.errors import CommandError

__all__ = ["PairTable", "open_output", "read_table", "write_table"]

_ROLES = ("reference", "degraded")
_SEPARATORS = (",", ";", "\t", "|")


class PairTable(NamedTuple):
    """A table with one pair of files a row; all cells are text.

    Examples
    --------
    >>> from skperceptual.cli.tables import PairTable
    >>> table = PairTable(["degraded", "reference"], [["b.wav", "a.wav"]], [2])
    >>> table.pairs
    [('a.wav', 'b.wav')]
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    separator: str = ","

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The two file names of each row, the reference first."""
        reference, degraded = (self.header.index(role) for role in _ROLES)
        return [(row[reference], row[degraded]) for row in self.rows]


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
        Its rows, and the line of the file that each ends in; empty lines are left out.

    Raises
    ------
    CommandError
        When it is no such table.
    """
    what = f"the table {str(path)!r}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        separator = max(_SEPARATORS, key=lambda separator: _n_roles(text, separator))
        reader = _reader(text, separator)
        content = [(reader.line_num, row) for row in reader if any(row)]
    except UnicodeDecodeError as error:
        raise CommandError(f"{what} is no text in UTF-8. Save it as 'CSV UTF-8'.") from error
    except csv.Error as error:
        raise CommandError(f"{what} is no CSV file: line {reader.line_num}: {error}.") from error
    if not content:
        raise CommandError(f"{what} is empty. Its first line names the columns.")
    header = content.pop(0)[1]
    for role in _ROLES:
        if header.count(role) != 1:
            found = f"{header.count(role)} columns" if role in header else "no column"
            raise CommandError(
                f"{what} has {found} {role!r}. Its first line names the columns, two of which "
                f"are 'reference' and 'degraded'; it holds {', '.join(map(repr, header))}."
            )
    if not content:
        raise CommandError(f"{what} has no rows below its header.")
    uneven = [(line, row) for line, row in content if len(row) != len(header)]
    if uneven:
        line, row = uneven[0]
        raise CommandError(
            f"{what} has {len(uneven)} rows of another length than its header: line {line} "
            f"holds {len(row)} cells, the header {len(header)}. Put cells that hold "
            f"{separator!r} in double quotes."
        )
    lines, rows = [line for line, _ in content], [row for _, row in content]
    return PairTable(header, rows, lines, separator)


def _reader(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _n_roles(text: str, separator: str) -> int:
    try:
        return len(set(_ROLES).intersection(next(_reader(text, separator), [])))
    except csv.Error:
        return 0


def write_table(file: IO[str], table: PairTable, scores: Mapping[str, Sequence[float]]) -> None:
    """Write a table with one column more for each metric.

    Parameters
    ----------
    file : text file
        Where to write.
    table : PairTable
        What was read.
    scores : mapping of str to sequence of float
        The new columns. Numbers are written in full, so that reading them gives the same; NaN
        becomes an empty cell.
    """
    writer = csv.writer(file, delimiter=table.separator, lineterminator="\n")
    writer.writerow([*table.header, *scores])
    for row, values in zip(table.rows, zip(*scores.values(), strict=True), strict=True):
        writer.writerow([*row, *map(_cell, values)])


def _cell(value: float) -> str:
    return "" if value != value else repr(float(value))


@contextmanager
def open_output(path: Path | None) -> Iterator[IO[str]]:
    """Open a file that appears under its name only if all goes well.

    Until then it stands beside its place, under a hidden name; whether it can be written is thus
    known at once. What is no regular file (a device, a pipe) is written to directly.

    Parameters
    ----------
    path : Path or None
        The file; None is the standard output.

    Yields
    ------
    text file
        Where to write.
    """
    if path is None:
        yield sys.stdout
        return
    path = path.resolve()  # a link keeps pointing where it does
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        file = unfinished.open("x", encoding="utf-8", newline="")
    except FileNotFoundError as error:
        raise CommandError(f"the folder of {str(path)!r} does not exist. Make it first.") from error
    except OSError as error:
        raise CommandError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
    try:
        with file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
