"""Embeddings that were computed before: ``embedding="precomputed"`` reads frames, not signals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.other_kinds import refuse_other_kinds
from skperceptual.utils.validation import FLOATS, is_ragged

Frames = NDArray[np.floating]
FramesOrPair = Frames | tuple[Frames, Frames]

_SINGLE = (
    "embeddings of shape (n_clips, n_frames, dim), or a list of (n_frames, dim) arrays, since "
    "embedding='precomputed'"
)
_PAIRS = (
    "pairs of embeddings of shape (n_pairs, 2, n_frames, dim), reference first, or a list of "
    "(reference, degraded) tuples of (n_frames, dim) arrays, since embedding='precomputed'"
)


def check_precomputed(X: Any, *, pairs: bool | None) -> list[FramesOrPair]:
    """Check embeddings that the user computed.

    Parameters
    ----------
    X : array or list
        What the user gave.
    pairs : bool or None
        True accepts pairs only, False single clips only, None both.

    Returns
    -------
    list
        For each clip its frames of shape (n_frames, dim), for each pair a tuple of two such arrays.

    Raises
    ------
    ValueError
        For another rank, vectors of more than one length, no frames, NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings.precomputed import check_precomputed
    >>> check_precomputed(np.ones((3, 128, 7))[0], pairs=False)
    Traceback (most recent call last):
    ValueError: Expected embeddings of shape ..., got an array of shape (128, 7). Reshape ...
    """
    expected = {True: _PAIRS, False: _SINGLE, None: f"{_SINGLE}; or {_PAIRS}"}[pairs]
    refuse_other_kinds(X, expected, files_fix="Load the arrays with np.load(...) first.")
    if not is_ragged(X):
        array = np.asarray(X)
        _check_rank(array, {True: (4,), False: (3,), None: (3, 4)}[pairs], expected)
        if array.ndim == 4 and array.shape[1] != 2:
            raise ValueError(
                f"Expected {expected}, got an array of shape {array.shape}, whose second axis is "
                "not (reference, degraded)."
            )
        X = list(array)
    items = [_check_item(item, row, pairs, expected) for row, item in enumerate(X)]
    if len({isinstance(item, tuple) for item in items}) > 1:
        raise ValueError(f"Expected {expected}, got single embeddings and pairs in one list.")
    _check_dimensions(items, expected)
    return items


def _check_rank(array: NDArray[Any], ranks: tuple[int, ...], expected: str) -> None:
    if array.shape[:1] == (0,):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required. "
            f"Expected {expected}."
        )
    if array.ndim not in ranks:
        advice = (
            " Reshape the frames of a single clip with X[np.newaxis]; signals need an embedding "
            "by its name or as an object."
            if array.ndim == 2
            else ""
        )
        raise ValueError(f"Expected {expected}, got an array of shape {array.shape}.{advice}")


def _check_item(item: Any, row: int, pairs: bool | None, expected: str) -> FramesOrPair:
    is_pair = isinstance(item, tuple) or np.ndim(item) == 3
    if (pairs is not None and is_pair is not pairs) or (is_pair and len(item) != 2):
        came = f"a tuple of {len(item)}" if isinstance(item, tuple) else f"shape {np.shape(item)}"
        raise ValueError(f"Expected {expected}, but item {row} has {came}.")
    if not is_pair:
        return _check_frames(item, row, expected)
    return _check_frames(item[0], row, expected), _check_frames(item[1], row, expected)


def _check_frames(frames: Any, row: int, expected: str) -> Frames:
    array = np.asarray(frames)
    if array.dtype.kind not in "fiu" or array.ndim != 2:
        raise ValueError(
            f"Expected {expected}, but item {row} has shape {array.shape} and type {array.dtype}."
        )
    if 0 in array.shape:
        raise ValueError(
            f"Found an embedding with 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            f"required: item {row} is empty."
        )
    if array.dtype not in FLOATS:
        # Integers have no scale to be guessed here: a vector's numbers mean what they are.
        is_small = array.dtype.kind == "f" and array.dtype.itemsize < 4
        array = array.astype(np.float32 if is_small else np.float64)
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(
            f"Input X contains NaN or infinity: the embedding of item {row} does, first in frame "
            f"{bad}. Look at that clip, or leave it out."
        )
    return array


def _check_dimensions(items: list[FramesOrPair], expected: str) -> None:
    shapes = [
        (row, frames.shape)
        for row, item in enumerate(items)
        for frames in (item if isinstance(item, tuple) else (item,))
    ]
    first = shapes[0][1]
    other = next(((row, shape) for row, shape in shapes if shape[1] != first[1]), None)
    if other is None:
        return
    advice = (
        "The axes are swapped, frames come first: use frames.T."
        if other[1][0] == first[1]
        else "Take all of them from one embedding."
    )
    raise ValueError(
        f"Expected {expected}, got vectors of {first[1]} numbers for item 0 and of {other[1][1]} "
        f"for item {other[0]}, whose shape is {other[1]}. {advice}"
    )
