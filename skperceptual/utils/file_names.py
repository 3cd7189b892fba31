"""Tables of file names, in any of the forms that users have them in."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

FileNames = list[tuple[str, ...]]

_EXPECTED = (
    "file names of shape (n_files,), or of shape (n_pairs, 2) with the reference first: an array, "
    "a list (of names, or of (reference, degraded) tuples), a Series, or a DataFrame with the "
    "columns 'reference' and 'degraded', or 'file'"
)


def check_file_names(X: Any) -> FileNames:
    """Check the form of a table of file names, without looking at the files.

    Parameters
    ----------
    X : array, list, Series or DataFrame
        What the user gave.

    Returns
    -------
    list of tuple
        One tuple a row: the name, or the names of the reference and the degraded version.

    Raises
    ------
    ValueError
        When X has another form, is empty, or names are missing.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise ValueError(f"Expected {_EXPECTED}; got the single name {X!r}. Use [name].")
    if hasattr(X, "columns"):
        X = _table_columns(X)
    names = np.asarray(X, dtype=object)
    if names.ndim == 1 and any(isinstance(entry, (tuple, list)) for entry in names):
        raise ValueError(f"Expected {_EXPECTED}; got rows that differ in length.")
    if names.ndim not in (1, 2) or (names.ndim == 2 and names.shape[1] != 2):
        raise ValueError(f"Expected {_EXPECTED}; got an array of shape {names.shape}.")
    if len(names) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={names.shape}) while a minimum of 1 is required."
        )
    rows = names.reshape(len(names), -1).tolist()
    bad = [
        (row, name) for row, entries in enumerate(rows) for name in entries if not _is_name(name)
    ]
    if bad:
        raise ValueError(
            f"Expected {_EXPECTED}; but {len(bad)} of the {names.size} entries are no file names, "
            f"the first in row {bad[0][0]}: {bad[0][1]!r}. Leave such rows out; audio that is in "
            "memory already needs no LoadAudio."
        )
    return [tuple(os.fspath(name) for name in entries) for entries in rows]


def _is_name(entry: Any) -> bool:
    name = os.fspath(entry) if isinstance(entry, os.PathLike) else entry
    return isinstance(name, str) and name != "" and "\0" not in name


def _table_columns(table: Any) -> NDArray[np.object_]:
    columns = list(table.columns)
    if {"reference", "degraded"} <= set(columns):
        pair = [np.asarray(table[name], dtype=object) for name in ("reference", "degraded")]
        return np.stack(pair, axis=1)
    if "file" in columns:
        return np.asarray(table["file"], dtype=object)
    raise ValueError(
        "Expected a DataFrame with the columns 'reference' and 'degraded', or 'file'; got the "
        f"columns {columns}. Rename them, or select the file names yourself."
    )
