"""The headers of many files, and what is said of those that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from joblib import delayed

from skperceptual.utils.audio_files import AudioFileError, AudioHeader, read_header
from skperceptual.utils.messages import counted
from skperceptual.utils.parallel import run_jobs


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
    return list(
        run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller=caller, unit="file", in_threads=True)
    )


def _header_or_error(file: str) -> AudioHeader | AudioFileError:
    try:
        return read_header(file)
    except AudioFileError as error:
        return error


class Unusable(NamedTuple):
    """A file that cannot be used, the places of a table that name it, and why.

    Where the table has no name of a file, that is empty.
    """

    places: list[str]
    file: str
    reason: str

    def __str__(self) -> str:
        more = f" (and {len(self.places) - 1} more)" if len(self.places) > 1 else ""
        where = [f"{place}{more}:" for place in self.places[:1]]
        which = [repr(self.file)] if self.file else []
        return " ".join([*where, *which, self.reason])


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
