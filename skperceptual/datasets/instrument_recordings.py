"""A user's own recordings of instruments: a table that says which instrument is heard in which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skperceptual.datasets.csv_table import (
    Loader,
    check_columns,
    describe_omissions,
    is_decimal_comma,
    is_empty,
    read_csv_table,
)
from skperceptual.datasets.file_headers import common_rate, describe_audio
from skperceptual.datasets.named_files import NamedFile, find_files, name_unusable
from skperceptual.datasets.pair_checks import check_labels
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.audio_files import AudioFileError
from skperceptual.utils.messages import as_list, counted, in_a_line, warn_caller

_LOADER = Loader("load_instrument_recordings", ("file", "instrument", "quality", "piece"))
# Whole numbers beyond are not exact as floats.
_LARGEST_INT = 2**53


@validate_params(
    {
        "csv": [str, os.PathLike, pd.DataFrame],
        "file": [str],
        "instrument": [str],
        "quality": [str],
        "piece": [str, None],
        "folder": [str, os.PathLike, None],
        "min_duration_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "unusable_files": [StrOptions({"raise", "exclude"})],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_instrument_recordings(
    csv: str | os.PathLike[str] | pd.DataFrame,
    *,
    file: str = "file",
    instrument: str = "instrument",
    quality: str = "quality",
    piece: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    min_duration_seconds: float | None = None,
    unusable_files: str = "raise",
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    r"""Load a table of your own: recordings of instruments, and how good each instrument is.

    The recordings are named, not loaded: ``signals`` is what :class:`~skperceptual.LoadAudio`
    takes, the first step of a pipeline. Of every file the header is read, so that whatever is
    missing or is no audio comes to light here, all of it at once.

    Parameters
    ----------
    csv : path-like or DataFrame
        The table, one recording a row. A CSV file may come from a text editor, pandas or a
        spreadsheet: comma, semicolon, tab or bar between the cells, decimal point or comma, UTF-8
        or UTF-16, any line ends. For anything else read it yourself and pass the DataFrame.
    file : str, default="file"
        Column with the name of the file.
    instrument : str, default="instrument"
        Column with the instrument: which one, not which kind.
    quality : str, default="quality"
        Column with the class of the instrument, two words or two numbers for
        ``CelloQualityClassifier``, or with a rating. Rows without one are left out, with a
        warning; among numbers ``NA`` says that there is none.
    piece : str, default=None
        Column with what is played.
    folder : path-like, default=None
        The folder that relative file names start from. None means the CSV file's own, for a
        DataFrame the current one. ``..`` leads out of the folder and absolute names pass it by.
    min_duration_seconds : float, default=None
        Leave out shorter recordings.
    unusable_files : {"raise", "exclude"}, default="raise"
        What to do with rows that name no file, or one that cannot be used: refuse the table, or
        leave those rows out with a warning that names them.
    n_jobs : int, default=None
        Number of headers that are read at the same time, in threads: it helps where files lie on a
        network. None means 1, -1 as many as there are processors.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``signals``
            DataFrame with the column ``file``: absolute file names.
        ``target``
            Array of shape (n_signals,): the column ``quality``, text, int or float.
        ``groups``
            Array of shape (n_signals,): the column ``instrument``.
        ``piece``
            Array of shape (n_signals,), or None without the column.
        ``sr``
            The sampling rate in Hz if all files share one, else None.
        ``frame``
            DataFrame with all columns of the table and what the headers say, in the columns
            ``duration_seconds``, ``sr``, ``channels`` and ``format``, whatever the table has there.
        ``DESCR``
            How many recordings, instruments and pieces there are, how they share the classes, and
            which rows were left out.

        Row ``i`` is the same recording in all of them, in the order of the table.

    Raises
    ------
    AudioFileError
        A ValueError that lists all files that cannot be used, with their rows and the reason. Its
        attribute ``rows`` has the positions of the rows in the table, from 0.
    ValueError
        When columns are missing, instruments or pieces are missing, a file stands in several rows,
        or no row is left.

    Warns
    -----
    UserWarning
        When rows are left out for want of a class or a file; when words stand among numbers in
        ``quality``, which makes words of all; when an instrument is in several classes; and when
        the files of each class have a rate, channels or a format of their own, so that a model may
        hear how they were recorded instead of the instrument.

    See Also
    --------
    make_synthetic_cellos : Simulated instruments, whose difference is known.
    load_audio_folder : Finds the recordings in a folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import save_audio
    >>> from skperceptual.datasets import load_instrument_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("suite", "scale"):
    ...         save_audio(Path(folder, f"{name}.wav"), np.zeros(16000), 16000)
    ...     table = Path(folder, "cellos.csv")
    ...     _ = table.write_text("file,cello,class\nsuite.wav,Tyrolean,old\nscale.wav,no. 7,new\n")
    ...     data = load_instrument_recordings(table, instrument="cello", quality="class")
    >>> data.target.tolist(), data.groups.tolist(), data.sr
    (['old', 'new'], ['Tyrolean', 'no. 7'], 16000)
    """
    columns = [file, instrument, quality] + ([] if piece is None else [piece])
    if len(set(columns)) < len(columns):
        raise ValueError(f"Expected columns that differ, got {', '.join(map(repr, columns))}.")
    labels = [instrument] + ([] if piece is None else [piece])
    table, places, title, folder = _read(csv, file, labels, quality, folder)
    left_out: dict[str, int] = {}
    notices: list[str] = []

    unknown = np.flatnonzero(is_empty(table[quality]))
    if len(unknown) == len(table):
        raise ValueError(f"The column {quality!r} is empty: nothing says how good a recording is.")
    if len(unknown):
        left_out[f"without {quality!r}"] = len(unknown)
        notices.append(
            f"{len(unknown)} of {counted(len(table), 'row')} left out, as the column {quality!r} "
            f"is empty there:\n{as_list([places[row] for row in unknown], 'rows')}"
        )
    rows = np.setdiff1d(np.arange(len(table)), unknown).tolist()
    found = find_files(
        [table[file].iloc[row] for row in rows],
        folder,
        n_jobs=n_jobs,
        verbose=verbose,
        caller=_LOADER.name,
    )
    files: dict[int, NamedFile] = dict(zip(rows, found, strict=True))
    if at_fault := [row for row, named in files.items() if named.problem]:
        listed = [(named, places[row]) for row, named in files.items()]
        problem = name_unusable(listed, len(at_fault), len(files), "row", folder)
        if unusable_files == "raise":
            raise AudioFileError(
                f"{problem}\nRepair the table or the files, or leave these rows out with "
                "unusable_files='exclude'. The attribute `rows` of this error has their positions.",
                at_fault,
            )
        left_out["with files that cannot be used"] = len(at_fault)
        notices.append(f"{problem}\nThese rows are left out.")
    files = {row: named for row, named in files.items() if not named.problem}
    _check_unrepeated(files, places)
    if min_duration_seconds is not None:
        long = {
            row: named
            for row, named in files.items()
            if named.header.duration_seconds >= min_duration_seconds
        }
        if short := len(files) - len(long):
            left_out[f"shorter than {min_duration_seconds:g} s"] = short
        files = long
    if not files:
        raise ValueError(f"No recording is left. {describe_omissions(left_out, len(table))}")

    places = [places[row] for row in files]
    frame = table.iloc[list(files)].reset_index(drop=True)
    for label in labels:
        check_labels(frame[label], places)
    target = _as_target(frame[quality])
    notices.append(_words_among_numbers(frame[quality], target, places))
    groups = _as_labels(frame[instrument])
    pieces = None if piece is None else _as_labels(frame[piece])
    headers = [named.header for named in files.values()]
    frame["duration_seconds"] = [header.duration_seconds for header in headers]
    frame["sr"] = [header.sr for header in headers]
    frame["channels"] = [header.channels for header in headers]
    frame["format"] = [header.format for header in headers]
    if _has_classes(target):
        notices += [_split_instruments(target, groups, quality), _recorded_apart(target, frame)]
    for notice in filter(None, notices):
        warn_caller(notice)
    n_recordings = counted(len(target), "recording")
    n_instruments = counted(len(set(groups)), "instrument")
    return Bunch(
        signals=pd.DataFrame({"file": [named.name for named in files.values()]}, dtype=object),
        target=target,
        groups=groups,
        piece=pieces,
        sr=common_rate(headers),
        frame=frame,
        DESCR="\n".join(
            [
                title,
                "-" * len(title),
                f"{n_recordings} of {n_instruments} (column {instrument!r}).",
                *([] if pieces is None else [f"Pieces: {len(set(pieces))} (column {piece!r})."]),
                *_describe_target(target, groups, quality),
                f"Recordings: {describe_audio(headers)}",
                describe_omissions(left_out, len(table)),
            ]
        )
        + "\n",
    )


def _read(
    csv: Any, file: str, labels: list[str], quality: str, folder: Any
) -> tuple[pd.DataFrame, list[str], str, str]:
    """Give the table, where in it a row is, its title, and the folder of relative names."""
    if isinstance(csv, pd.DataFrame):
        check_columns(csv.columns, [file, *labels, quality], _LOADER)
        if csv.empty:
            raise ValueError("The table has no rows. Expected one recording a row.")
        table = csv.reset_index(drop=True)
        places = [f"row {label!r}" for label in csv.index.tolist()]
        title = "A table of recordings"
    else:
        table, lines = read_csv_table(
            csv, names=[file], labels=[*labels, quality], rating=quality, loader=_LOADER
        )
        places = [f"line {line}" for line in lines]
        title = f"Recordings of {Path(csv).name}"
        folder = Path(csv).parent if folder is None else folder
    return table, places, title, str(Path("" if folder is None else folder).absolute())


def _as_target(column: pd.Series) -> NDArray[Any]:
    """Give numbers as float, or int where all are whole, and anything else as text."""
    numbers = _as_numbers(column)
    if not np.isfinite(numbers).all():
        return column.map(str).to_numpy(dtype=str)
    is_whole = (numbers == np.rint(numbers)) & (np.abs(numbers) < _LARGEST_INT)
    return numbers.astype(int) if is_whole.all() else numbers


def _as_numbers(column: pd.Series) -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _as_labels(column: pd.Series) -> NDArray[Any]:
    """Give labels that can be sorted: numbers among words are words as well."""
    types = set(map(type, column))
    return np.asarray(column if len(types) == 1 else column.map(str))


def _words_among_numbers(column: pd.Series, target: NDArray[Any], places: list[str]) -> str:
    """Say which cells make words of all, where others look like numbers."""
    if target.dtype.kind != "U":
        return ""
    is_number = np.isfinite(_as_numbers(column))
    if not is_number.any() and not column.map(is_decimal_comma).any():
        return ""
    cells = column.tolist()
    entries = [f"{places[row]}: {cells[row]!r}" for row in np.flatnonzero(~is_number)]
    return (
        f"{len(entries)} of {counted(len(cells), 'cell')} in the column {column.name!r} "
        f"{'is no finite number' if len(entries) == 1 else 'are no finite numbers'}, so that all "
        f"are taken for names of classes:\n{as_list(entries, 'rows')}\nCorrect them if these are "
        "ratings. For decimal commas in a DataFrame, read it with decimal=','."
    )


def _has_classes(target: NDArray[Any]) -> bool:
    """Say whether the target is a matter of classes: words, or two numbers at most."""
    return target.dtype.kind == "U" or len(np.unique(target)) <= 2


def _check_unrepeated(files: dict[int, NamedFile], places: Sequence[str]) -> None:
    rows: dict[str, list[int]] = {}
    for row, named in files.items():
        rows.setdefault(named.real, []).append(row)
    entries = [
        f"{files[repeats[0]].name!r}: {in_a_line(places[row] for row in repeats)}"
        for repeats in rows.values()
        if len(repeats) > 1
    ]
    if entries:
        raise ValueError(
            f"{counted(len(entries), 'file')} of {len(rows)} "
            f"{'stands' if len(entries) == 1 else 'stand'} in several rows:\n"
            f"{as_list(entries, 'files')}\nLeave one row for each recording."
        )


def _split_instruments(target: NDArray[Any], groups: NDArray[Any], quality: str) -> str:
    """Say which instruments are in several classes."""
    found = pd.Series(target).groupby(groups).unique()
    entries = [
        f"{name!r}: {', '.join(map(repr, sorted(classes.tolist())))}"
        for name, classes in found.items()
        if len(classes) > 1
    ]
    if not entries:
        return ""
    return (
        f"{len(entries)} of {counted(len(found), 'instrument')} in several classes of the column "
        f"{quality!r}:\n{as_list(entries, 'instruments')}\nAn instrument has one quality; check "
        "the table."
    )


def _recorded_apart(target: NDArray[Any], frame: pd.DataFrame) -> str:
    """Say in what the files of the classes differ, where each class has its own kind."""
    classes = np.unique(target)
    if len(classes) < 2:
        return ""
    entries = []
    for column in ("sr", "channels", "format"):
        kinds = [set(frame[column][target == label]) for label in classes]
        if sum(map(len, kinds)) == len(set.union(*kinds)):
            each = [
                f"{label!r}: {in_a_line(sorted(kind, key=str))}"
                for label, kind in zip(classes.tolist(), kinds, strict=True)
            ]
            entries.append(f"{column}: {'; '.join(each)}")
    if not entries:
        return ""
    return (
        "The classes were recorded in ways of their own:\n"
        f"{as_list(entries, 'differences')}\nA model can hear that instead of the instrument. "
        "Record all of them alike, or band-limit and resample all of them."
    )


def _describe_target(target: NDArray[Any], groups: NDArray[Any], quality: str) -> list[str]:
    if not _has_classes(target):
        return [f"Ratings (column {quality!r}): {target.min():g} to {target.max():g}."]
    n_owners = {label: len(set(groups[target == label])) for label in np.unique(target).tolist()}
    shares = (
        f"{label} ({counted(int((target == label).sum()), 'recording')} of "
        f"{counted(n_instruments, 'instrument')})"
        for label, n_instruments in n_owners.items()
    )
    lines = [f"Classes (column {quality!r}): {', '.join(shares)}."]
    if len(n_owners) > 1 and min(n_owners.values()) == 1:
        lines.append("Where a class is one instrument, quality cannot be told from identity.")
    return lines
