"""Recognise what belongs to another part of the package, and say where it goes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np


def refuse_other_kinds(X: Any, expected: str, *, files_fix: str) -> None:
    """Refuse what belongs to another part of the package: file names, Pyramids, tensors.

    Parameters
    ----------
    X : any
        What the user gave.
    expected : str
        What the step reads.
    files_fix : str
        What to do with file names.

    Raises
    ------
    ValueError
        For file names and Pyramids.
    TypeError
        For tensors.
    """
    if _is_tensor(X) or (isinstance(X, (list, tuple)) and any(map(_is_tensor, X))):
        raise TypeError(
            f"Expected {expected}, got torch tensors. Use X.numpy() (X.detach().cpu().numpy() "
            "where gradients or a GPU are involved), or skperceptual.functional for tensors."
        )
    if _is_text(X) or _holds_text(X):
        raise ValueError(f"Expected {expected}, got text or file names. {files_fix}")
    if is_pyramid(X):
        raise ValueError(
            f"Expected {expected}, got a {type(X).__name__}. Steps that read Pyramids are "
            "DivisiveNorm(), PyramidDistance() and Vectorizer(); LaplacianPyramid() turns one "
            "back into images with inverse_transform."
        )


def is_pyramid(X: Any) -> bool:
    """Whether X is a Pyramid, by what it has; a DataFrame may have a column of that name."""
    return hasattr(X, "levels") and not hasattr(X, "columns")


def _is_tensor(X: Any) -> bool:
    # By its name: torch need not be imported for this.
    return hasattr(X, "dtype") and type(X).__module__.partition(".")[0] == "torch"


def _is_text(entry: Any) -> bool:
    return isinstance(entry, (str, bytes, os.PathLike))


def _holds_text(X: Any) -> bool:
    """Whether a table of any kind holds text, in all of its cells or in some."""
    if isinstance(X, (list, tuple)):
        # A row of file names has one or two of them; a row of numbers may have a million.
        return any(
            _is_text(row) or (isinstance(row, (list, tuple)) and any(map(_is_text, row[:2])))
            for row in X
        )
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufc":
        return False
    if not isinstance(X, np.ndarray):
        if not hasattr(X, "columns") and dtype is None:
            return False
        X = np.asarray(X)
    return X.dtype.kind in "SU" or (X.dtype == object and any(map(_is_text, X.flat)))
