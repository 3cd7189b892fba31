"""A user's own listening test: a table of pairs of recordings and what people said of them."""

from __future__ import annotations

import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skperceptual.datasets.csv_table import check_columns, describe_omissions, read_csv_table
from skperceptual.datasets.file_headers import common_rate, describe_audio
from skperceptual.datasets.named_files import name_unusable
from skperceptual.datasets.pair_checks import (
    check_labels,
    check_ratings,
    check_unrepeated,
    split_references,
    unequal_lengths,
)
from skperceptual.datasets.pair_files import SIDES, Pair, find_pairs
from skperceptual.utils._sklearn import StrOptions, validate_params
from skperceptual.utils.audio_files import AudioFileError, AudioHeader
from skperceptual.utils.messages import as_list, counted, warn_caller


@validate_params(
    {
        "csv": [str, os.PathLike, pd.DataFrame],
        "reference": [str],
        "degraded": [str],
        "rating": [str],
        "group": [str, None],
        "condition": [str, None],
        "scale": [tuple, list, None],
        "folder": [str, os.PathLike, None],
        "hidden_references": [StrOptions({"exclude", "include"})],
        "unusable_files": [StrOptions({"raise", "exclude"})],
        "repeated_pairs": [StrOptions({"raise", "keep"})],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_rated_pairs(
    csv: str | os.PathLike[str] | pd.DataFrame,
    *,
    reference: str = "reference",
    degraded: str = "degraded",
    rating: str = "rating",
    group: str | None = None,
    condition: str | None = None,
    scale: tuple[float, float] | None = None,
    folder: str | os.PathLike[str] | None = None,
    hidden_references: str = "exclude",
    unusable_files: str = "raise",
    repeated_pairs: str = "raise",
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    r"""Load a table of your own: pairs of recordings and how people rated them.

    The recordings are named, not loaded: ``pairs`` is what :class:`~skperceptual.LoadAudio`
    takes, the first step of a pipeline. Of every file the header is read, so that whatever is
    missing or is no audio comes to light here, all of it at once.

    Parameters
    ----------
    csv : path-like or DataFrame
        The table, one pair a row. A CSV file may come from a text editor, pandas or a
        spreadsheet: comma, semicolon, tab or bar between the cells, decimal point or comma,
        UTF-8 or UTF-16, any line ends. For anything else read it yourself and pass the
        DataFrame.
    reference : str, default="reference"
        Column with the name of the reference's file.
    degraded : str, default="degraded"
        Column with the name of the degraded file.
    rating : str, default="rating"
        Column with the rating, mostly a mean opinion score. Rows without one are left out, with
        a warning.
    group : str, default=None
        Column with what must stay together in cross-validation: the song, the talker. None
        makes all versions of one reference a group.
    condition : str, default=None
        Column with the type of degradation.
    scale : (float, float), default=None
        The lowest and the highest rating there can be, such as (1, 5) or (0, 100). A rating
        outside is refused. None takes every finite number.
    folder : path-like, default=None
        The folder that relative file names start from. None means the CSV file's own, for a
        DataFrame the current one. As in :class:`~skperceptual.LoadAudio`, ``..`` leads out of
        the folder and absolute names pass it by.
    hidden_references : {"exclude", "include"}, default="exclude"
        What to do with rows whose degraded file is their reference, by name or byte for byte.
        Listeners hide them in a test to check on the raters; any metric tells them apart.
    unusable_files : {"raise", "exclude"}, default="raise"
        What to do with rows that name no file, or one that cannot be used: refuse the table, or
        leave those rows out with a warning that names them.
    repeated_pairs : {"raise", "keep"}, default="raise"
        What to do with a pair in several rows: refuse the table, as each row may be one
        listener's vote, to be averaged first; or keep every row as a sample of its own.
    n_jobs : int, default=None
        Number of headers that are read at the same time, in threads: it helps where files lie
        on a network. None means 1, -1 as many as there are processors.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``pairs``
            DataFrame with the columns ``reference`` and ``degraded``: absolute file names.
        ``target``
            The ratings, float64 of shape (n_pairs,).
        ``groups``
            Array of shape (n_pairs,): the column ``group``, or, without one, the first name
            that the table gives the reference.
        ``condition``
            Array of shape (n_pairs,), or None without the column.
        ``sr``
            The sampling rate in Hz if all files share one, else None.
        ``frame``
            DataFrame with all columns of the table and what the headers say, in the columns
            ``reference_duration_seconds``, ``reference_sr``, ``reference_channels``, and the
            same three for ``degraded``.
        ``DESCR``
            How many pairs, references, groups and conditions there are, the range of the
            ratings and the recordings, and which rows were left out.

        Row ``i`` is the same pair in all of them, in the order of the table.

    Raises
    ------
    AudioFileError
        A ValueError that lists all files that cannot be used, with their rows and the reason. Its
        attribute ``rows`` has the positions of the rows in the table, from 0.
    ValueError
        When columns are missing, ratings are not numbers or outside the scale, groups or
        conditions are missing, pairs are repeated, or no row is left.

    Warns
    -----
    UserWarning
        When rows are left out for want of a rating or a file; when reference and degraded
        differ in length by more than 50 ms; and when one reference is in several groups, whose
        cross-validation would test on recordings that it has trained on.

    See Also
    --------
    load_audio_folder : Finds the recordings in a folder.
    skperceptual.LoadAudio : Turns the names into pairs of signals.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import save_audio
    >>> from skperceptual.datasets import load_rated_pairs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("clean", "hiss"):
    ...         save_audio(Path(folder, f"{name}.wav"), np.zeros(16000), 16000)
    ...     table = Path(folder, "ratings.csv")
    ...     _ = table.write_text("file;ref;MOS\nhiss.wav;clean.wav;2,5\n")
    ...     data = load_rated_pairs(
    ...         table, reference="ref", degraded="file", rating="MOS", hidden_references="include"
    ...     )
    >>> data.target, data.groups, data.sr
    (array([2.5]), array(['clean.wav'], dtype=object), 16000)
    """
    limits = _check_scale(scale)
    if reference == degraded:
        raise ValueError(f"reference and degraded are the same column, {reference!r}. Name two.")
    labels = [name for name in (group, condition) if name is not None]
    table, places, title, folder = _read(csv, [reference, degraded], labels, rating, folder)
    left_out: dict[str, int] = {}
    notices: list[str] = []

    ratings = check_ratings(table[rating], limits, places)
    unrated = np.flatnonzero(np.isnan(ratings))
    if len(unrated):
        left_out["without a rating"] = len(unrated)
        notices.append(
            f"{len(unrated)} of {counted(len(table), 'row')} left out, as the column {rating!r} "
            f"is empty there:\n{as_list([places[row] for row in unrated], 'rows')}"
        )
    pairs = find_pairs(
        table.loc[~np.isnan(ratings), [reference, degraded]],
        folder,
        n_jobs=n_jobs,
        verbose=verbose,
        caller="load_rated_pairs",
    )
    if at_fault := [pair for pair in pairs if not pair.is_usable()]:
        files = [
            (getattr(pair, side), f"{places[pair.row]}, {side}") for pair in pairs for side in SIDES
        ]
        found = name_unusable(files, len(at_fault), len(pairs), "rated row", folder)
        if unusable_files == "raise":
            raise AudioFileError(
                f"{found}\nRepair the table or the files, or leave these rows out with "
                "unusable_files='exclude'. The attribute `rows` of this error has their positions.",
                [pair.row for pair in at_fault],
            )
        left_out["with files that cannot be used"] = len(at_fault)
        notices.append(f"{found}\nThese rows are left out.")
        pairs = [pair for pair in pairs if pair.is_usable()]
    hidden = {pair.row for pair in pairs if pair.is_hidden_reference()}
    if hidden and hidden_references == "exclude":
        left_out["with a hidden reference (the degraded file is the reference)"] = len(hidden)
        pairs = [pair for pair in pairs if pair.row not in hidden]
    if not pairs:
        raise ValueError(f"No pair is left. {describe_omissions(left_out, len(table))}")
    if repeated_pairs == "raise":
        by = [reference, degraded, *labels]
        check_unrepeated(pairs, places, f"groupby({by}, as_index=False)[{rating!r}].mean()")

    rows = [pair.row for pair in pairs]
    places = [places[row] for row in rows]
    frame = table.iloc[rows].reset_index(drop=True)
    for label in labels:
        check_labels(frame[label], places)
    groups = _references(pairs, frame[reference]) if group is None else np.asarray(frame[group])
    notices.append(split_references(pairs, groups, group))
    for side in SIDES:
        _add_headers(frame, side, [getattr(pair, side).header for pair in pairs])
    notices.append(unequal_lengths(frame, places))
    for notice in filter(None, notices):
        warn_caller(notice)

    headers = list({file.real: file.header for pair in pairs for file in pair.files}.values())
    target = ratings[rows]
    conditions = None if condition is None else np.asarray(frame[condition])
    n_references = len({pair.reference.real for pair in pairs})
    n_hidden = len(hidden.intersection(rows))
    description = [
        title,
        "-" * len(title),
        f"{counted(len(pairs), 'pair')} of {counted(n_references, 'reference')}"
        + (f", {n_hidden} of them hidden references." if n_hidden else "."),
        f"Groups: {len(set(groups))} "
        + ("(the references)." if group is None else f"(column {group!r})."),
    ]
    if conditions is not None:
        description.append(f"Conditions: {len(set(conditions))} (column {condition!r}).")
    description += [
        f"Ratings (column {rating!r}): {target.min():g} to {target.max():g}, mean "
        f"{target.mean():.4g}"
        + ("." if limits is None else f", on a scale from {limits[0]:g} to {limits[1]:g}."),
        f"Recordings: {describe_audio(headers)}",
        describe_omissions(left_out, len(table)),
    ]
    return Bunch(
        pairs=pd.DataFrame(
            {side: [getattr(pair, side).name for pair in pairs] for side in SIDES}, dtype=object
        ),
        target=target,
        groups=groups,
        condition=conditions,
        sr=common_rate(headers),
        frame=frame,
        DESCR="\n".join(description) + "\n",
    )


def _read(
    csv: Any, names: list[str], labels: list[str], rating: str, folder: Any
) -> tuple[pd.DataFrame, list[str], str, str]:
    """Give the table, where in it a row is, its title, and the folder of relative names."""
    if isinstance(csv, pd.DataFrame):
        check_columns(csv.columns, [*names, *labels, rating])
        if csv.empty:
            raise ValueError("The table has no rows. Expected one rated pair a row.")
        table = csv.reset_index(drop=True)
        places = [f"row {label!r}" for label in csv.index.tolist()]
        title = "A table of rated pairs"
    else:
        table, lines = read_csv_table(csv, names=names, labels=labels, rating=rating)
        places = [f"line {line}" for line in lines]
        title = f"Rated pairs of {Path(csv).name}"
        folder = Path(csv).parent if folder is None else folder
    return table, places, title, str(Path("" if folder is None else folder).absolute())


def _add_headers(frame: pd.DataFrame, side: str, headers: list[AudioHeader]) -> None:
    frame[f"{side}_duration_seconds"] = [header.duration_seconds for header in headers]
    frame[f"{side}_sr"] = [header.sr for header in headers]
    frame[f"{side}_channels"] = [header.channels for header in headers]


def _check_scale(scale: Any) -> tuple[float, float] | None:
    if scale is None:
        return None
    if not (
        len(scale) == 2
        and all(isinstance(end, Real) and np.isfinite(float(end)) for end in scale)
        and scale[0] < scale[1]
    ):
        raise ValueError(
            f"scale={scale!r} is no range. Give the lowest and the highest rating there can be, "
            "such as (1, 5) or (0, 100)."
        )
    return float(scale[0]), float(scale[1])


def _references(pairs: list[Pair], names: pd.Series) -> NDArray[Any]:
    """Give every reference its first name in the table, whatever it is called further on."""
    first: dict[str, str] = {}
    labels = [
        first.setdefault(pair.reference.real, os.fspath(name))
        for pair, name in zip(pairs, names, strict=True)
    ]
    return np.array(labels, dtype=object)
