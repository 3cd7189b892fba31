"""A user's own recordings: all audio files in a folder."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from numbers import Integral, Real
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile
from sklearn.utils import Bunch

from skperceptual.datasets.file_headers import (
    Unusable,
    common_rate,
    describe_audio,
    read_headers,
)
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.audio_files import AudioFileError, AudioHeader
from skperceptual.utils.messages import as_list, counted

# libsndfile goes by what is in a file; these are other endings of the formats it names.
_OTHER_SUFFIXES = ("aif", "aifc", "oga", "opus", "snd", "sph", "wave")
# Headerless files say nothing of their rate; the others are tables of numbers far more often.
_NO_AUDIO = ("raw", "mat4", "mat5")
_MOST_COMMON = 5


@validate_params(
    {
        "path": [str, os.PathLike],
        "pattern": [str, None],
        "recursive": ["boolean"],
        "group": [StrOptions({"folder"}), None],
        "min_duration_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "unusable_files": [StrOptions({"raise", "exclude"})],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_audio_folder(
    path: str | os.PathLike[str],
    *,
    pattern: str | None = None,
    recursive: bool = True,
    group: str | None = "folder",
    min_duration_seconds: float | None = None,
    unusable_files: str = "raise",
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    """Load a folder of your own recordings.

    The recordings are named, not loaded: ``signals`` is what :class:`~skperceptual.LoadAudio`
    takes, the first step of a pipeline. Of every file the header is read, so that whatever
    cannot be used comes to light here, all of it at once.

    Parameters
    ----------
    path : path-like
        The folder.
    pattern : str, default=None
        Which files to take: a name with the wildcards ``*``, ``?`` and ``[...]``, as
        :meth:`pathlib.PurePath.match` reads it, case and all. ``"*_clean.wav"`` goes by the
        file's name in every folder, ``"violin/*.wav"`` also by the folder it lies in. None takes
        every file with the suffix of a format that libsndfile reads.
    recursive : bool, default=True
        Whether to look into sub-folders. Links to folders are followed, but no folder is read
        twice.
    group : {"folder"} or None, default="folder"
        What ``groups`` holds: the name of the first sub-folder, ``"."`` for files that lie in
        no sub-folder; or nothing.
    min_duration_seconds : float, default=None
        Leave out shorter recordings: ``LoadAudio(duration_seconds=...)`` needs them that long.
    unusable_files : {"raise", "exclude"}, default="raise"
        What to do with files that cannot be used: refuse the folder, or leave them out with a
        warning that names them.
    n_jobs : int, default=None
        Number of headers that are read at the same time, in threads: it helps where files lie
        on a network. None means 1, -1 as many as there are processors.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``signals``
            DataFrame with the column ``file``: absolute file names.
        ``groups``
            Array of shape (n_signals,), or None.
        ``sr``
            The sampling rate in Hz if all files share one, else None.
        ``frame``
            DataFrame with the columns ``file`` (the name within the folder, ``/`` between its
            parts), ``duration_seconds``, ``sr``, ``channels``, ``format`` and ``subtype``.
        ``DESCR``
            How many recordings there are, of what length and rate, and what was left out.

        Row ``i`` is the same file in all of them. Files are in the order of their names, folder
        by folder, by the numbers of the characters: the same on every system.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        When there is no such folder.
    AudioFileError
        A ValueError that lists all files that cannot be used and the reason.
    ValueError
        When there are no such files in the folder, or all are left out.

    Warns
    -----
    UserWarning
        When files are left out because they cannot be used.

    See Also
    --------
    load_rated_pairs : Reads a table of pairs of recordings and ratings.
    skperceptual.LoadAudio : Turns the names into signals.

    Notes
    -----
    Files and folders whose names begin with a dot are passed over. The length of an MP3 file
    without a table of its frames is an estimate; a FLAC file whose header leaves its length
    open is decoded for it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import save_audio
    >>> from skperceptual.datasets import load_audio_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for instrument in ("viola", "cello"):
    ...         Path(folder, instrument).mkdir()
    ...         save_audio(Path(folder, instrument, "open.wav"), np.zeros(24000), 16000)
    ...     data = load_audio_folder(folder)
    >>> data.frame[["file", "duration_seconds"]]
                 file  duration_seconds
    0  cello/open.wav               1.5
    1  viola/open.wav               1.5
    >>> data.groups
    array(['cello', 'viola'], dtype=object)
    """
    if pattern == "":
        raise ValueError("pattern='' matches no file. Leave it out, or use '*' for all files.")
    root = Path(path).absolute()
    if not root.exists():
        raise FileNotFoundError(f"The folder {str(root)!r} does not exist.")
    if not root.is_dir():
        raise NotADirectoryError(f"{str(root)!r} is no folder. LoadAudio reads single files.")
    names, locked = _find_files(root, recursive=recursive)
    suffixes = _suffixes()
    if pattern is None:
        chosen = [name for name in names if PurePosixPath(name).suffix.lower() in suffixes]
        wanted = f"files that end in {', '.join(suffixes)}"
    else:
        chosen = [name for name in names if PurePosixPath(name).match(pattern)]
        wanted = f"files that match {pattern!r}"
    others = sorted(set(names) - set(chosen))
    omitted = "" if recursive else ", its sub-folders left aside"
    if not (chosen or locked):
        raise ValueError(
            f"{str(root)!r} holds no {wanted}{omitted}. "
            f"There {'is' if len(others) == 1 else 'are'} {_count_suffixes(others)}. LoadAudio "
            "reads what libsndfile reads; convert other formats first."
        )
    files = [str(root / name) for name in chosen]
    headers = read_headers(files, n_jobs=n_jobs, verbose=verbose, caller="load_audio_folder")
    unusable = [*locked]
    recordings = []
    for name, file, header in zip(chosen, files, headers, strict=True):
        if isinstance(header, AudioFileError):
            unusable.append(Unusable([], file, str(header)))
        else:
            recordings.append(_Recording(name, file, header))
    left_out = []
    if unusable:
        found = (
            f"{len(unusable)} of {counted(len(chosen) + len(locked), 'file')} cannot be used:\n"
            f"{as_list(unusable, 'files')}"
        )
        if unusable_files == "raise":
            raise AudioFileError(
                f"{found}\nRepair or move them, choose others with `pattern`, or leave them out "
                "with unusable_files='exclude'."
            )
        # validate_params stands in between
        warnings.warn(f"{found}\nThey are left out.", UserWarning, stacklevel=3)
        left_out.append(f"{len(unusable)} that cannot be used")
    if min_duration_seconds is not None:
        n_recordings = len(recordings)
        recordings = [
            recording
            for recording in recordings
            if recording.header.duration_seconds >= min_duration_seconds
        ]
        if short := n_recordings - len(recordings):
            left_out.append(f"{short} shorter than {min_duration_seconds:g} s")
    omissions = f"Left out: {'; '.join(left_out)}." if left_out else "None is left out."
    if not recordings:
        raise ValueError(f"No recording of {str(root)!r} is left. {omissions}")
    return _as_bunch(
        recordings, root, group, f"{omissions} Passed over: {_count_suffixes(others)}."
    )


class _Recording(NamedTuple):
    name: str
    file: str
    header: AudioHeader


def _as_bunch(recordings: list[_Recording], root: Path, group: str | None, omissions: str) -> Bunch:
    headers = [recording.header for recording in recordings]
    frame = pd.DataFrame(
        {
            "file": [recording.name for recording in recordings],
            "duration_seconds": [header.duration_seconds for header in headers],
            "sr": [header.sr for header in headers],
            "channels": [header.channels for header in headers],
            "format": [header.format for header in headers],
            "subtype": [header.subtype for header in headers],
        }
    )
    title = f"Recordings of {root.name or root}"
    lines = [title, "-" * len(title), describe_audio(headers)]
    groups = None
    if group is not None:
        first = [recording.name.rpartition("/")[0].split("/")[0] or "." for recording in recordings]
        groups = np.array(first, dtype=object)
        lines.append(f"Groups: {len(set(first))} (the first sub-folders).")
    return Bunch(
        signals=pd.DataFrame({"file": [recording.file for recording in recordings]}, dtype=object),
        groups=groups,
        sr=common_rate(headers),
        frame=frame,
        DESCR="\n".join([*lines, omissions]) + "\n",
    )


def _suffixes() -> list[str]:
    formats = [name.lower() for name in soundfile.available_formats()]
    known = [*formats, *_OTHER_SUFFIXES]
    return sorted(f".{name}" for name in known if name not in _NO_AUDIO)


def _count_suffixes(names: list[str]) -> str:
    if not names:
        return "no other files"
    counts = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in names)
    listed = [f"{suffix} ({number})" for suffix, number in counts.most_common(_MOST_COMMON)]
    more = [] if len(counts) <= _MOST_COMMON else ["..."]
    return f"{counted(len(names), 'other file')}: {', '.join([*listed, *more])}"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to itself, in Python 3.11 and 3.12
        return False


def _find_files(root: Path, *, recursive: bool) -> tuple[list[str], list[Unusable]]:
    """Give the names of all files within a folder, in order, and the folders that stay shut.

    Links to folders come after all real folders, and what was read once is not read again: so
    loops end, and a file's name does not depend on which link was met first.
    """
    names, locked = [], []
    seen = set()
    pending, links = [root], list[Path]()
    while pending or links:
        folder = (pending or links).pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            locked.append(Unusable([], str(folder), f"cannot be opened ({error.strerror})"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                names.append(entry.relative_to(root).as_posix())
            elif recursive:
                (links if entry.is_symlink() else pending).append(entry)
        links.sort(reverse=True)
    return sorted(names, key=lambda name: name.split("/")), locked
