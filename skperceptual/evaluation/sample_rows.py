"""Rows of X, whatever it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_rows", "count_rows", "take_rows"]


def as_rows(X: Any) -> Any:
    """Give X in a form whose rows can be taken.

    Parameters
    ----------
    X : array, list, DataFrame, Series, sparse matrix or Pyramid
        What the user gave.

    Returns
    -------
    object
        X itself, or an array of it.

    Raises
    ------
    TypeError
        For what has no rows.
    """
    if hasattr(X, "tocsr"):
        return X.tocsr()
    X = X if hasattr(X, "__getitem__") else np.asarray(X)
    if isinstance(X, (str, dict)) or getattr(X, "shape", None) == ():
        raise TypeError(
            "Expected X to be what the pipeline reads, an array or a list of rows, got "
            f"{type(X).__name__}."
        )
    return X


def count_rows(X: Any) -> int:
    """Count the rows of what :func:`as_rows` gave."""
    return int(X.shape[0]) if hasattr(X, "shape") and len(X.shape) else len(X)


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Give some rows of what :func:`as_rows` gave, as a list of a list."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return [X[row] for row in rows] if isinstance(X, (list, tuple)) else X[rows]
