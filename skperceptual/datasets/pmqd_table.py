"""The table of PMQD: checked, split, and every degraded clip paired with its original."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import NoReturn

import pandas as pd

from skperceptual.utils.messages import in_a_line

ORIGINAL = "original"
CONDITIONS = ("distortion", "limiter", "lowpass", "noise")

_COLUMNS = [
    "id",
    "genre",
    "artist",
    "title",
    "degradation_type",
    "degradation_intensity",
    "rating",
    "sample_start",
    "sample_filename",
]
_RANGES = {
    "id": (0, 10**6),
    "degradation_intensity": (0, 100),
    "rating": (1, 5),
    "sample_start": (0, 10**6),
}
_WHOLE_NUMBERS = ["id", "sample_start"]
_SONG = ["genre", "artist", "title"]
_EXCERPT = [*_SONG, "sample_start"]
_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.wav", re.ASCII | re.IGNORECASE)


def read_table(data: bytes) -> pd.DataFrame:
    """Read the table and check everything that is used of it.

    Parameters
    ----------
    data : bytes
        What is in ``pmqd.csv``.

    Returns
    -------
    DataFrame
        Its columns, numbers as numbers, in the order of ``id``.

    Raises
    ------
    ValueError
        Which lists every problem, with the rows that have it.
    """
    table = _parse(data)
    problems = []
    numbers = {}
    for column, (low, high) in _RANGES.items():
        values = pd.to_numeric(table[column], errors="coerce")
        bad = ~values.between(low, high)
        kind = "number"
        if column in _WHOLE_NUMBERS:
            kind = "whole number"
            bad |= values % 1 != 0
        problems += _problem(bad, table[column], f"{column} is no {kind} from {low} to {high}")
        numbers[column] = values
    kinds = table["degradation_type"]
    known = (ORIGINAL, *CONDITIONS)
    problems += _problem(~kinds.isin(known), kinds, f"degradation_type is none of {known}")
    names = table["sample_filename"]
    unusable = ~names.map(lambda name: _FILE_NAME.fullmatch(name) is not None)
    problems += _problem(unusable, names, "sample_filename is no plain name of a WAV file")
    problems += _problem(
        names.str.lower().duplicated(keep=False) & ~unusable, names, "sample_filename occurs twice"
    )
    problems += _problem(numbers["id"].duplicated(keep=False), table["id"], "id occurs twice")
    if problems:
        _refuse(problems)
    table = table.assign(**numbers).astype(dict.fromkeys(_WHOLE_NUMBERS, int))
    return table.sort_values("id", ignore_index=True)


def pair_clips(table: pd.DataFrame) -> pd.DataFrame:
    """Pair every clip with the original of its excerpt, and originals with themselves.

    Parameters
    ----------
    table : DataFrame
        What ``read_table`` gives.

    Returns
    -------
    DataFrame
        One row a clip, in the order of ``id``: ``id``, ``song``, ``genre``, ``artist``,
        ``title``, ``sample_start``, ``condition``, ``intensity``, ``severity``, ``rating``,
        ``reference_id``, ``reference_rating``, ``split``, and the file names ``reference`` and
        ``degraded``.

    Raises
    ------
    ValueError
        When a degraded clip has no original.

    Warns
    -----
    UserWarning
        When a song has several excerpts from the same place.
    """
    # Excerpts of one song from the same place are told apart by their order.
    excerpt = [*_EXCERPT, "turn"]
    clips = table.assign(turn=table.groupby([*_EXCERPT, "degradation_type"]).cumcount())
    references = clips.loc[clips["degradation_type"] == ORIGINAL]
    pairs = clips.merge(
        references[[*excerpt, "id", "rating", "sample_filename"]],
        on=excerpt,
        how="left",
        suffixes=("", "_of_reference"),
        validate="many_to_one",
    )
    lonely = pairs["id_of_reference"].isna()
    if lonely.any():
        _refuse(_problem(lonely, pairs["sample_filename"], f"no original has the same {_EXCERPT}"))
    repeated = references["turn"] > 0
    if repeated.any():
        warnings.warn(
            f"{repeated.sum()} originals start at the same second of the same song as another "
            f"one (id {in_a_line(references.loc[repeated, 'id'])}). Clips of the two are paired in "
            "the order of their ids; should the two differ, leave their rows out.",
            UserWarning,
            stacklevel=4,  # scikit-learn wraps fetch_pmqd
        )
    return pd.DataFrame(
        {
            "id": pairs["id"],
            "song": pairs["genre"] + " / " + pairs["artist"] + " / " + pairs["title"],
            **{column: pairs[column] for column in _EXCERPT},
            "condition": pairs["degradation_type"],
            "intensity": pairs["degradation_intensity"],
            "severity": pairs["degradation_intensity"] / 100,
            "rating": pairs["rating"],
            "reference_id": pairs["id_of_reference"].astype(int),
            "reference_rating": pairs["rating_of_reference"],
            "split": _split(table),
            "reference": pairs["sample_filename_of_reference"],
            "degraded": pairs["sample_filename"],
        }
    )


def _split(table: pd.DataFrame) -> pd.Series:
    """Say which clips are of the last song of a genre: those are for testing."""
    songs = table[_SONG].drop_duplicates()
    last = pd.MultiIndex.from_frame(songs.groupby("genre").tail(1))
    tested = pd.MultiIndex.from_frame(table[_SONG]).isin(last)
    return pd.Series(tested, index=table.index).map({True: "test", False: "train"})


def _parse(data: bytes) -> pd.DataFrame:
    try:
        # Text as it stands: a song may be called None, or 1999.
        table = pd.read_csv(BytesIO(data), dtype=str, keep_default_na=False, index_col=False)
    except ValueError as error:  # what pandas raises are such, bad UTF-8 too
        _refuse([f"it is no table: {error}"])
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        _refuse([f"it lacks the columns {missing}; it has {list(table)}"])
    table = table[_COLUMNS]
    if not len(table):
        _refuse(["it has no rows"])
    return table


def _problem(rows: pd.Series, values: pd.Series, problem: str) -> list[str]:
    """Give one line about the rows that have a problem, none where there are none."""
    if not rows.any():
        return []
    first = values[rows].iloc[0]
    return [f"row {in_a_line(values.index[rows])}: {problem} (the first: {first!r})"]


def _refuse(problems: list[str]) -> NoReturn:
    raise ValueError("The table of PMQD cannot be used:\n  " + "\n  ".join(problems))
