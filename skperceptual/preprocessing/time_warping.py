"""Two performances of the same music, frame by frame."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.utils._sklearn import Interval, validate_params
from skperceptual.utils.validation import check_images

__all__ = ["align"]

# Where both stand still, as in a held note, one frame is as good as the next: going on in both at
# once costs least.
_STALL_COST = 0.01
# Cells of the matrix of costs; dynamic time warping takes some 20 bytes for each.
_MOST_CELLS = 2**26


@validate_params(
    {
        "reference": ["array-like"],
        "other": ["array-like"],
        "max_shift_frames": [Interval(Integral, 0, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def align(
    reference: ArrayLike, other: ArrayLike, *, max_shift_frames: int | None = None
) -> NDArray[np.intp]:
    """Find which frame of one performance belongs with each frame of another.

    Two players, or one player twice, hold their notes for longer or shorter. Dynamic time warping
    finds the way through both that keeps them together; what is compared after that is how they
    sound, and no longer when.

    Parameters
    ----------
    reference : array-like of shape (n_bands, n_frames)
        Log-magnitude spectrogram that keeps its time, as ``Spectrogram(output="log")`` gives it.
    other : array-like of shape (n_bands, n_other_frames)
        Spectrogram of the same music that is moved.
    max_shift_frames : int, default=None
        How far a frame may lie from the straight line between the beginnings and the ends of both,
        in frames of the longer; 0 keeps to the line. None sets no limit.

    Returns
    -------
    ndarray of shape (n_frames,)
        Positions of frames of ``other``, never decreasing: ``other[:, frames]`` is in time with
        ``reference``, and so is anything else that has the frames of ``other``, such as the same
        spectrogram with a mask on it.

    Raises
    ------
    ValueError
        When the two differ in bands, are too long to align at once, or either is no image.

    See Also
    --------
    AlignPairs : Removes a constant delay between two versions of one recording.
    skperceptual.functional.log_spectral_distance : Compares the two once they are in time.

    Notes
    -----
    What instruments differ in should not lead the search: from each band its mean over time is
    taken away, and frames are compared by the angle between them, so that neither the level nor a
    filter that stays as it is makes a difference. Steps lead on in both by one frame, or in one of
    them, which costs 0.01 more (on a scale from 0 to 2). Where several frames of ``other`` belong
    with one of the reference, the middle one is given.

    Beginnings belong together and so do ends, so both have to be cut to the same music before.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.preprocessing import align
    >>> score = np.random.default_rng(0).normal(size=(20, 5))
    >>> quick, slow = score[:, [0, 1, 2, 3, 4]], score[:, [0, 0, 1, 1, 2, 3, 3, 3, 4]]
    >>> frames = align(quick, slow)
    >>> frames
    array([0, 2, 4, 6, 8])
    >>> bool((slow[:, frames] == quick).all())
    True
    """
    from librosa.sequence import dtw

    named = {"reference": reference, "other": other}
    images = [_check_image(image, name) for name, image in named.items()]
    if images[0].shape[0] != images[1].shape[0]:
        raise ValueError(
            f"reference has {images[0].shape[0]} bands and other {images[1].shape[0]}. Use one "
            "front end for both."
        )
    n_frames, n_other = (image.shape[1] for image in images)
    if n_frames * n_other > _MOST_CELLS:
        raise ValueError(
            f"{n_frames} and {n_other} frames are too many to align at once. Cut both to the same "
            "passages first, and align these one by one."
        )
    first, second = (_directions(image) for image in images)
    costs = 1 - first.T @ second
    if max_shift_frames is not None:
        costs[_beyond(n_frames, n_other, max_shift_frames)] = np.inf
    _, path = dtw(C=costs, weights_add=np.array([0, _STALL_COST, _STALL_COST]))
    rows, columns = path[::-1].T
    # The first and the last place of each row in the path.
    begins = np.searchsorted(rows, np.arange(n_frames), side="left")
    ends = np.searchsorted(rows, np.arange(n_frames), side="right") - 1
    return (columns[begins] + columns[ends]) // 2


def _check_image(image: Any, name: str) -> NDArray[np.float64]:
    image = np.asarray(image)
    if image.ndim != 2:
        raise ValueError(
            f"Expected {name} to be one image of shape (n_bands, n_frames), got shape "
            f"{image.shape}. Align one pair at a time, after a front end such as Spectrogram()."
        )
    return np.asarray(check_images([image])[0], dtype=np.float64)


def _directions(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each frame, without what is there all the time, at length 1."""
    moving = image - image.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(moving, axis=0)
    # A frame that does not differ from the mean has no direction, and fits any other as well.
    return moving / np.where(lengths > 1e-9 * (1 + np.abs(image).max()), lengths, np.inf)


def _beyond(n_frames: int, n_other: int, most: int) -> NDArray[np.bool_]:
    """Mark what lies too far from the straight line, but never the line itself."""
    rows, columns = np.linspace(0, 1, n_frames)[:, np.newaxis], np.linspace(0, 1, n_other)
    longer = max(n_frames, n_other)
    beyond = np.abs(rows - columns) * (longer - 1) > most + 1e-6
    # Where one is longer, a frame of the other has several on the line, however few are allowed.
    line = [np.rint(np.linspace(0, n - 1, longer)).astype(int) for n in (n_frames, n_other)]
    beyond[line[0], line[1]] = False
    return beyond
