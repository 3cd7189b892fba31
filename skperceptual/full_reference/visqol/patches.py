"""Where the patches of a reference begin: one after the other, for speech where somebody speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Frames of a patch, by mode.
PATCH_FRAMES = {"audio": 30, "speech": 20}
# A chunk of 16-bit samples is loud from this root mean square on, and speech goes on for two more.
_LOUD = 5000.0
_HANGOVER = 2
_FULL_SCALE = 32768.0


def minimum_frames(mode: str) -> int:
    """Give how many frames a reference needs for one patch.

    Parameters
    ----------
    mode : {"audio", "speech"}
        The mode.

    Returns
    -------
    int
        Frames.
    """
    n_frames = PATCH_FRAMES[mode]
    first = n_frames // 2 - 1
    # The original asks for half a patch before the first one in audio mode, and one frame after.
    return first + 1 + n_frames if mode == "audio" else first + n_frames


def audio_patches(n_frames: int) -> NDArray[np.int64]:
    """Give the first frames of the patches of music and other audio.

    Parameters
    ----------
    n_frames : int
        Frames of the reference, at least 45.

    Returns
    -------
    ndarray of shape (n_patches,)
        Patch after patch from frame 14 on; what is left at the end is not compared.

    Examples
    --------
    >>> from skperceptual.full_reference.visqol.patches import audio_patches
    >>> audio_patches(45), audio_patches(120)
    (array([14]), array([14, 44, 74]))
    """
    length = PATCH_FRAMES["audio"]
    first = length // 2
    stop = n_frames - length if first < n_frames - length else first + 1
    return np.arange(first, stop, length, dtype=np.int64) - 1


def speech_patches(
    reference: NDArray[np.floating], n_frames: int, hop_length: int
) -> NDArray[np.int64]:
    """Give the first frames of the patches of a recording in which somebody speaks.

    Parameters
    ----------
    reference : ndarray of shape (n_times,)
        The reference.
    n_frames : int
        Its frames, at least 29.
    hop_length : int
        Distance between frames in samples.

    Returns
    -------
    ndarray of shape (n_patches,)
        Patch after patch from frame 9 on, without those all of whose chunks are quiet.
    """
    length = PATCH_FRAMES["speech"]
    first = length // 2 - 1
    count = (n_frames - first) // length
    starts = first + length * np.arange(count, dtype=np.int64)
    # The original counts the same 9 in samples here, where it means frames.
    samples = reference[first : first + count * length * hop_length].astype(np.float64)
    peak = float(reference.max())
    scaled = samples / (peak or 1.0) * _FULL_SCALE
    chunks = np.trunc(np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1)).reshape(-1, hop_length)
    active = follow_speech(np.sqrt(np.square(chunks).mean(axis=1)) >= _LOUD)
    return starts[active.reshape(count, length).any(axis=1)]


def follow_speech(is_loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say in which chunks somebody speaks: the loud ones, two more after them, and the first two.

    Parameters
    ----------
    is_loud : ndarray of shape (n_chunks,), bool
        Which chunks are loud.

    Returns
    -------
    ndarray of shape (n_chunks,), bool
        Which belong to speech.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.visqol.patches import follow_speech
    >>> follow_speech(np.array([0, 0, 0, 0, 1, 0, 0, 0], dtype=bool)).astype(int)
    array([1, 1, 0, 0, 1, 1, 1, 0])
    """
    active = is_loud.copy()
    for delay in range(1, _HANGOVER + 1):
        active[delay:] |= is_loud[:-delay]
    active[:_HANGOVER] = True
    return active
