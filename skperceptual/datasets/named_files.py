"""The files that the cells of a table name: where they are, and what their headers say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import pandas as pd

from skperceptual.datasets.file_headers import Unusable, read_headers
from skperceptual.utils.audio_files import AudioFileError
from skperceptual.utils.messages import as_list, counted


class NamedFile(NamedTuple):
    """What a cell of the table names: the name in full, the file behind it, its AudioHeader.

    Where the cell is no name these are empty, and where the file cannot be used the header is
    None. The problem says why; it is empty too where there is none.
    """

    name: str
    real: str
    header: Any
    problem: str


def find_files(
    cells: Sequence[Any], folder: str, *, n_jobs: int | None, verbose: bool | int, caller: str
) -> list[NamedFile]:
    """Find the files that cells of a table name, and read their headers.

    Parameters
    ----------
    cells : sequence
        What a column holds; a file may be named more than once.
    folder : str
        Where relative names start from, absolute.
    n_jobs, verbose, caller : Any
        As :func:`~skperceptual.datasets.file_headers.read_headers` takes them.

    Returns
    -------
    list of NamedFile
        One entry a cell.
    """
    names = {
        cell: _locate(os.fspath(cell), folder)
        for cell in dict.fromkeys(cell for cell in cells if not _why_no_name(cell))
    }
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

    return [named_file(cell) for cell in cells]


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


def list_unusable(files: Iterable[tuple[NamedFile, str]]) -> list[Unusable]:
    """Name every file that cannot be used once, with the places of the table that name it.

    Parameters
    ----------
    files : iterable of (NamedFile, str)
        Files and their places.

    Returns
    -------
    list of Unusable
        Those with a problem.
    """
    found: dict[str | int, Unusable] = {}
    for position, (file, place) in enumerate(files):
        if file.problem:
            # A cell that names no file is an entry of its own.
            key = file.real or position
            entry = found.setdefault(key, Unusable([], file.name, file.problem))
            entry.places.append(place)
    return list(found.values())


def name_unusable(
    files: Sequence[tuple[NamedFile, str]], n_at_fault: int, n_rows: int, rows: str, folder: str
) -> str:
    """List the files that cannot be used, and where relative names start if none was found.

    Parameters
    ----------
    files : sequence of (NamedFile, str)
        All files of the table and their places.
    n_at_fault, n_rows : int
        How many of how many rows name such files.
    rows : str
        What a row is called.
    folder : str
        Where relative names start from.

    Returns
    -------
    str
        What to tell the user.
    """
    unusable = list_unusable(files)
    named = [file for file, _ in files if file.name]
    nowhere = named and all(file.problem == "does not exist" for file in named)
    return (
        f"{n_at_fault} of {counted(n_rows, rows)} "
        f"{'names a file' if n_at_fault == 1 else 'name files'} that cannot be used:\n"
        f"{as_list(unusable, 'files')}"
        + (
            f"\nNone of the files is there. Relative names start from {folder!r}; `folder` says "
            "where else."
            if nowhere
            else ""
        )
    )
