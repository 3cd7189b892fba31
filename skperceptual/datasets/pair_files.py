"""The two files of every row in a table of pairs: where they are, and what their headers say."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import pandas as pd

from skperceptual.datasets.file_headers import Unusable, read_headers
from skperceptual.utils.audio_files import AudioFileError

SIDES = ("reference", "degraded")


class NamedFile(NamedTuple):
    """What a cell of the table names: the name in full, the file behind it, its AudioHeader.

    Where the cell is no name these are empty, and where the file cannot be used the header is
    None. The problem says why; it is empty too where there is none.
    """

    name: str
    real: str
    header: Any
    problem: str


class Pair(NamedTuple):
    """A row of the table, by its position, and the files that it names."""

    row: int
    reference: NamedFile
    degraded: NamedFile

    @property
    def files(self) -> tuple[NamedFile, NamedFile]:
        """Both files."""
        return self.reference, self.degraded

    def is_usable(self) -> bool:
        """Whether both files are there and can be read."""
        return not any(file.problem for file in self.files)

    def is_hidden_reference(self) -> bool:
        """Whether the degraded file of a usable pair is the reference, or a copy of it."""
        reference, degraded = self.reference.real, self.degraded.real
        # Files of different size are not opened, others up to their first difference.
        return reference == degraded or filecmp.cmp(reference, degraded, shallow=False)


def find_pairs(
    table: pd.DataFrame, folder: str, *, n_jobs: int | None, verbose: bool | int, caller: str
) -> list[Pair]:
    """Find the files that a table names, and read their headers.

    Parameters
    ----------
    table : DataFrame
        References in the first column, degraded files in the second; the index is the position.
    folder : str
        Where relative names start from, absolute.
    n_jobs, verbose, caller : Any
        As :func:`~skperceptual.datasets.file_headers.read_headers` takes them.

    Returns
    -------
    list of Pair
        One entry a row.
    """
    columns = [table[column].tolist() for column in table.columns]
    cells = (cell for column in columns for cell in column if not _why_no_name(cell))
    names = {cell: _locate(os.fspath(cell), folder) for cell in dict.fromkeys(cells)}
    # One file under two spellings is still one file.
    real = {name: os.path.realpath(name) for name in names.values()}
    files = list(dict.fromkeys(real.values()))
    headers = read_headers(files, n_jobs=n_jobs, verbose=verbose, caller=caller)
    behind = dict(zip(files, headers, strict=True))

    def named_file(cell: Any) -> NamedFile:
        if problem := _why_no_name(cell):
            return NamedFile("", "", None, problem)
        name = names[cell]
        header = behind[real[name]]
        if isinstance(header, AudioFileError):
            return NamedFile(name, real[name], None, str(header))
        return NamedFile(name, real[name], header, "")

    return [
        Pair(row, *map(named_file, cells))
        for row, *cells in zip(table.index.tolist(), *columns, strict=True)
    ]


def _why_no_name(cell: Any) -> str:
    if isinstance(cell, (str, os.PathLike)) and os.fspath(cell):
        return f"{cell!r} is no file name" if "\0" in os.fspath(cell) else ""
    is_empty = pd.api.types.is_scalar(cell) and (pd.isna(cell) or cell == "")
    return "no file is named" if is_empty else f"{cell!r} is no file name"


def _locate(name: str, folder: str) -> str:
    """Make a name absolute, and read one from a table made on Windows as it was meant."""
    path = Path(folder, name)
    if "\\" in name and os.sep == "/" and not os.path.lexists(path):
        path = Path(folder, PureWindowsPath(name).as_posix())
    return str(path)


def list_unusable(pairs: Iterable[Pair], places: Sequence[str]) -> list[Unusable]:
    """Name every file that cannot be used once, with the places of the table that name it."""
    found: dict[str | tuple[int, str], Unusable] = {}
    for pair in pairs:
        for side in SIDES:
            file = getattr(pair, side)
            if file.problem:
                key = file.real or (pair.row, side)
                entry = found.setdefault(key, Unusable([], file.name, file.problem))
                entry.places.append(f"{places[pair.row]}, {side}")
    return list(found.values())
