"""The headers of many files, and what is said of those that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from joblib import Parallel, delayed

from skperceptual.utils.audio_files import AudioFileError, AudioHeader, read_header

_LISTED = 20


def read_headers(
    files: Iterable[str], *, n_jobs: int | None, verbose: bool | int, caller: str
) -> list[AudioHeader | AudioFileError]:
    """Read the headers of files, side by side in threads; what fails is given, not raised.

    Parameters
    ----------
    files : iterable of str
        The files.
    n_jobs : int or None
        Number of threads, as joblib counts them.
    verbose : bool or int
        Whether to show a progress bar.
    caller : str
        Whose bar it is.

    Returns
    -------
    list of AudioHeader or AudioFileError
        One entry a file.
    """
    jobs = [delayed(_header_or_error)(file) for file in files]
    headers = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")(jobs)
    if verbose:
        from tqdm import tqdm

        headers = tqdm(headers, total=len(jobs), desc=caller, unit="file")
    return list(headers)


def _header_or_error(file: str) -> AudioHeader | AudioFileError:
    try:
        return read_header(file)
    except AudioFileError as error:
        return error


class Unusable(NamedTuple):
    """A file that cannot be used, the places of a table that name it, and why."""

    places: list[str]
    file: str | None
    reason: str

    def __str__(self) -> str:
        more = f" (and {len(self.places) - 1} more)" if len(self.places) > 1 else ""
        where = [f"{place}{more}:" for place in self.places[:1]]
        which = [] if self.file is None else [repr(self.file)]
        return " ".join([*where, *which, self.reason])


def as_list(entries: Collection[object], things: str) -> str:
    """Give the first of many entries, one a line, and the number of the others."""
    lines = [f"  {entry}" for entry in list(entries)[:_LISTED]]
    if len(entries) > _LISTED:
        lines.append(f"  and {len(entries) - _LISTED} more {things}")
    return "\n".join(lines)


def counted(number: int, thing: str, plural: str | None = None) -> str:
    """Give a number with its noun: 1 pair, 2 pairs."""
    return f"{number} {thing if number == 1 else plural or thing + 's'}"


def describe_audio(headers: Collection[AudioHeader]) -> str:
    """Say in one line how long the files are, and their rates, channels and formats."""
    seconds = [header.duration_seconds for header in headers]
    rates = _shares(f"{header.sr} Hz" for header in headers)
    channels = _shares(
        {1: "mono", 2: "stereo"}.get(header.channels, f"{header.channels} channels")
        for header in headers
    )
    formats = _shares(header.format for header in headers)
    return (
        f"{counted(len(seconds), 'file')} of {min(seconds):.3f} to {max(seconds):.3f} s, "
        f"{sum(seconds) / 60:.1f} min in all; {rates}; {channels}; {formats}."
    )


def _shares(values: Iterable[str]) -> str:
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({number})" for value, number in counts.most_common())


def common_rate(headers: Iterable[AudioHeader]) -> int | None:
    """Give the sampling rate that all files share, or None."""
    rates = {header.sr for header in headers}
    return rates.pop() if len(rates) == 1 else None
