"""What an embedding gave for a clip, looked at before anything is computed from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# How far the number of frames may be from duration over hop, for padding and tails, in frames.
_FRAMES_BESIDE = 2


def check_frames(
    frames: Any,
    *,
    n_dims: int | None,
    hop_seconds: float | None,
    duration_seconds: float,
    name: str,
) -> NDArray[np.floating]:
    """Check what an embedding gave for one clip.

    Parameters
    ----------
    frames : array-like
        Should be of shape (n_frames, n_dims).
    n_dims : int or None
        Length of a frame's vector, where it is known.
    hop_seconds : float or None
        Distance between frames, where it is known.
    duration_seconds : float
        Duration of the clip.
    name : str
        How to name the embedding in a message.

    Returns
    -------
    ndarray of shape (n_frames, n_dims)
        The same, as a floating-point array.

    Raises
    ------
    ValueError
        When the shape is another one, the two axes are swapped, or values are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings.frames import check_frames
    >>> about = {"hop_seconds": None, "duration_seconds": 1.0, "name": "mine"}
    >>> check_frames(np.ones((128, 7)), n_dims=128, **about)
    Traceback (most recent call last):
    ValueError: mine gave shape (128, 7) ... frames first, (n_frames, 128): ...
    """
    array = np.asarray(frames)
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} gave values of type {array.dtype}. Expected real numbers of shape "
            "(n_frames, n_dims)."
        )
    if array.ndim != 2 or 0 in array.shape:
        advice = (
            " Give a single frame as vector[np.newaxis] (unsqueeze(-2) in torch)."
            if array.ndim == 1
            else ""
        )
        raise ValueError(
            f"{name} gave shape {array.shape} for one clip. Expected (n_frames, n_dims), one "
            f"vector a frame and at least one frame.{advice}"
        )
    if _is_swapped(array.shape, n_dims, hop_seconds, duration_seconds):
        raise ValueError(
            f"{name} gave shape {array.shape} for one clip. Expected frames first, "
            f"(n_frames, {n_dims or 'n_dims'}): swap its last two axes (transpose(-1, -2))."
        )
    if n_dims is not None and array.shape[1] != n_dims:
        raise ValueError(
            f"{name} gave shape {array.shape} for one clip. Expected (n_frames, {n_dims}), as its "
            "n_dims says."
        )
    array = array.astype(np.float32) if array.dtype.kind != "f" else array
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(
            f"{name} gave NaN or infinity, first in frame {bad}. Its weights may be damaged, or "
            "the signals far from the full scale of 1 that it expects."
        )
    return array


def _is_swapped(
    shape: tuple[int, ...],
    n_dims: int | None,
    hop_seconds: float | None,
    duration_seconds: float,
) -> bool:
    rows, columns = shape
    if n_dims is not None:
        return columns != n_dims and rows == n_dims
    if hop_seconds is None:
        return False
    expected = duration_seconds / hop_seconds
    return abs(columns - expected) <= _FRAMES_BESIDE < abs(rows - expected)
