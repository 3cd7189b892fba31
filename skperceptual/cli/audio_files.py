"""What the headers of audio files say, before anything is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from skperceptual.cli.options import Reading
from skperceptual.io import AudioFileError
from skperceptual.utils.audio_files import AudioHeader, read_header

__all__ = ["FileProblem", "look_at", "look_at_pairs"]

_INSTANT = 0.001
# Headers that are not read again, so that as many references may take turns.
_REMEMBERED = 10_000


class FileProblem(NamedTuple):
    """Why a file cannot be used, and where the table names it.

    Examples
    --------
    >>> from skperceptual.cli.audio_files import FileProblem
    >>> FileProblem("does not exist", {3: "reference"}).rows
    {3: 'reference'}
    """

    reason: str
    rows: dict[int, str]


def look_at(file: str, reading: Reading) -> AudioHeader:
    """Read the header of an audio file, and see whether there is enough of it.

    Parameters
    ----------
    file : str
        Its name.
    reading : Reading
        What is going to be read of it.

    Returns
    -------
    AudioHeader
        What the file says of itself.

    Raises
    ------
    AudioFileError
        When the file cannot be used; the message is the reason alone, without its name.
    """
    if not file or "\0" in file:
        raise AudioFileError("is no file name")
    header = read_header(file)
    if reading.duration_seconds is None:
        needed, wanted = reading.offset_seconds, f"--offset {reading.offset_seconds:g}"
    else:
        needed = reading.offset_seconds + reading.duration_seconds
        wanted = f"{reading.duration_seconds:g} s from {reading.offset_seconds:g} s on"
    # What rounding to samples of the one rate or the other decides is left to the reader.
    if header.duration_seconds + _INSTANT < needed:
        raise AudioFileError(f"lasts {header.duration_seconds:g} s, too short for {wanted}")
    return header


def look_at_pairs(
    pairs: Iterable[tuple[str, str]], reading: Reading, problems: dict[str, FileProblem]
) -> Iterator[tuple[AudioHeader, AudioHeader] | None]:
    """Look at every file of a table.

    Parameters
    ----------
    pairs : iterable of (str, str)
        File names, the reference first.
    reading : Reading
        What is going to be read of each.
    problems : dict
        Where the files that cannot be used are added, by what tells them apart.

    Yields
    ------
    (AudioHeader, AudioHeader) or None
        What the headers of each pair say, None where a file cannot be used.
    """

    @lru_cache(_REMEMBERED)
    def look(file: str) -> AudioHeader | str:
        try:
            return look_at(file, reading)
        except AudioFileError as error:
            return str(error)

    for row, pair in enumerate(pairs):
        headers = []
        for role, file in zip(("reference", "degraded"), pair, strict=True):
            # One file under two spellings is still one file.
            key = os.path.realpath(file) if file and "\0" not in file else file
            found = look(key)
            if isinstance(found, str):
                problems.setdefault(key, FileProblem(found, {})).rows.setdefault(row, role)
            else:
                headers.append(found)
        yield (headers[0], headers[1]) if len(headers) == 2 else None
