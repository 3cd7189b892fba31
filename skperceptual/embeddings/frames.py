"""What an embedding gave for a clip, looked at before anything is computed from it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

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
    min_seconds: float = 0.0,
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
    min_seconds : float, default=0.0
        Duration of the shortest clip that gives a frame, by which frames may be fewer than the
        duration over the hop.

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
    if _is_swapped(array.shape, n_dims, hop_seconds, duration_seconds, min_seconds):
        _refuse_swapped(array.shape, n_dims, name)
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
    min_seconds: float,
) -> bool:
    rows, columns = shape
    if n_dims is not None:
        return columns != n_dims and rows == n_dims
    if hop_seconds is None:
        return False
    # Without padding a frame needs its whole window; with it there is one a hop.
    fewest = (duration_seconds - min_seconds) / hop_seconds - _FRAMES_BESIDE
    most = duration_seconds / hop_seconds + _FRAMES_BESIDE
    return fewest <= columns <= most and not fewest <= rows <= most


def check_axes(
    shape: tuple[int, ...],
    *,
    clip: NDArray[np.floating],
    embed: Callable[[NDArray], Any],
    name: str,
) -> None:
    """Check that frames come first where neither ``n_dims`` nor ``hop_seconds`` is known.

    The clip is embedded once more, half as long: the axis that changes is the frames. Where that
    says nothing (a single frame, or a clip that is too short) or speaks for swapped axes, it is
    embedded with as many zeros again at its end, and that decides.

    Parameters
    ----------
    shape : tuple of int
        What the embedding gave for the clip.
    clip : ndarray of shape (n_times,)
        The clip.
    embed : callable
        Maps a clip to its frames.
    name : str
        How to name the embedding in a message.

    Raises
    ------
    ValueError
        When the vectors grow with the clip and their number does not.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings.frames import check_axes
    >>> check_axes((5, 2), clip=np.ones(10), embed=lambda clip: clip.reshape(-1, 2), name="mine")
    >>> check_axes((2, 5), clip=np.ones(10), embed=lambda clip: clip.reshape(2, -1), name="mine")
    Traceback (most recent call last):
    ValueError: mine gave shape (2, 5) ... frames first, (n_frames, n_dims): ...
    """
    shorter = _shape_of(embed, clip[: len(clip) // 2])
    if shorter is not None and shorter[0] != shape[0]:
        return
    # Halves may be shorter than a window, which some functions then shorten.
    longer = _shape_of(embed, np.pad(clip, (0, len(clip))))
    if longer is not None and longer[0] == shape[0] and longer[1] > shape[1]:
        _refuse_swapped(shape, None, name)


def _shape_of(embed: Callable[[NDArray], Any], clip: NDArray[np.floating]) -> Any:
    """Give the shape for a clip that nobody asked for, of which nothing else may be noticed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = np.shape(embed(clip))
    except Exception:  # of any kind: it may read clips of one length only
        return None
    return shape if len(shape) == 2 else None


def _refuse_swapped(shape: tuple[int, ...], n_dims: int | None, name: str) -> NoReturn:
    way_out = "" if n_dims is not None else " If frames do come first, say so by giving its n_dims."
    raise ValueError(
        f"{name} gave shape {shape} for one clip. Expected frames first, (n_frames, "
        f"{n_dims or 'n_dims'}): swap its last two axes (transpose(-1, -2)).{way_out}"
    )
