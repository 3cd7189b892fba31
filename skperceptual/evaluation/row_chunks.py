"""X a few rows at a time, whatever it is, and how to know those rows again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from skperceptual.utils.fingerprint import fingerprint

__all__ = ["Rows", "digest_rows"]


class Rows:
    """X, taken from the front a few rows at a time.

    Parameters
    ----------
    X : array, list, DataFrame, Series, Pyramid, or any iterable of rows
        What the user gave. What can be sliced is, so that a memory-mapped array stays on disk;
        of anything else no more than one chunk is held.

    Attributes
    ----------
    n_rows : int or None
        How many there are, None where only the end will tell.

    Raises
    ------
    TypeError
        When X is not made of rows.
    """

    def __init__(self, X: Any) -> None:
        if isinstance(X, (str, bytes, os.PathLike, dict, set)) or not (
            hasattr(X, "__len__") or isinstance(X, Iterable)
        ):
            raise TypeError(
                "Expected X to be what the estimator reads, or an iterable of its rows, got "
                f"{type(X).__name__}. Use [X] if it is a single row."
            )
        self._X = X
        self._position = 0
        self._iterator: Iterator[Any] | None = None
        self.n_rows: int | None = None
        if hasattr(X, "shape") or hasattr(X, "__len__"):
            self.n_rows = int(X.shape[0]) if hasattr(X, "shape") else len(X)
        if self.n_rows is None or not hasattr(X, "__getitem__"):
            self._iterator = iter(X)

    def take(self, n_rows: int) -> Any:
        """Give the next rows, fewer or none at the end."""
        if self._iterator is not None:
            return list(islice(self._iterator, n_rows))
        rows = slice(self._position, self._position + n_rows)
        self._position += n_rows
        return self._X.iloc[rows] if hasattr(self._X, "iloc") else self._X[rows]


def digest_rows(rows: Any) -> str:
    """Give a digest of some rows that is the same in every process.

    A list and an array of the same rows are the same. File names count by their text; the index
    of a table does not count.

    Parameters
    ----------
    rows : array, list, DataFrame, Series or Pyramid
        What :meth:`Rows.take` gave.

    Returns
    -------
    str
        128 bits in hexadecimal.
    """
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(rows, np.ndarray) and rows.ndim > 1:
        rows = list(rows)  # as an iterator gives them
    for part in _parts(rows):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if hasattr(value, "columns"):
        for name in value.columns:
            yield f"column {name!r}".encode()
            yield from _parts(value[name])
    elif hasattr(value, "levels") and hasattr(value, "convention"):  # a Pyramid
        yield f"pyramid {value.convention}".encode()
        yield from _parts(list(value.levels))
    elif isinstance(value, (str, bytes, os.PathLike)):
        yield os.fsencode(value)
    elif isinstance(value, (list, tuple)):
        yield f"{len(value)} parts".encode()
        for part in value:
            yield from _parts(part)
    elif hasattr(value, "dtype") or hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            yield fingerprint(array)
        else:
            yield from _parts(array.tolist())
    else:
        yield repr(value).encode()
