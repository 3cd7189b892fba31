"""What the headers of audio files say, before anything is decoded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from skperceptual.cli.options import Reading
from skperceptual.io import AudioFileError
from skperceptual.utils.audio_files import AudioHeader, read_header

__all__ = ["FileProblem", "look_at", "look_at_pairs"]

_INSTANT = 0.001


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
    pairs: Sequence[tuple[str, str]], reading: Reading
) -> tuple[list[tuple[AudioHeader | None, AudioHeader | None]], list[FileProblem]]:
    """Look at every file of a table, once.

    Parameters
    ----------
    pairs : sequence of (str, str)
        File names, the reference first.
    reading : Reading
        What is going to be read of each.

    Returns
    -------
    headers : list of tuple
        What the headers of each pair say, None for a file that cannot be used.
    problems : list of FileProblem
        The files that cannot be used.
    """
    seen: dict[str, AudioHeader | FileProblem] = {}
    headers = []
    for row, pair in enumerate(pairs):
        found: list[AudioHeader | None] = []
        for role, file in zip(("reference", "degraded"), pair, strict=True):
            key = os.path.realpath(file) if "\0" not in file else file
            if key not in seen:
                try:
                    seen[key] = look_at(file, reading)
                except AudioFileError as error:
                    seen[key] = FileProblem(str(error), {})
            known = seen[key]
            if isinstance(known, FileProblem):
                known.rows.setdefault(row, role)
                found.append(None)
            else:
                found.append(known)
        headers.append((found[0], found[1]))
    return headers, [known for known in seen.values() if isinstance(known, FileProblem)]
