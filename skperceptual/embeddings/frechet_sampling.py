"""How much a Fréchet distance would differ on other clips of the same kind."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.embeddings.frame_sums import FrameSums
from skperceptual.embeddings.precomputed import Frames

# What the sums of drawn sets take in memory at a time, and those of the clips they are drawn from.
_DRAWN_BYTES = 2**29
_CLIP_BYTES = 2**26


def check_sampling(confidence_level: float, n_resamples: int) -> None:
    """Refuse parameters of an interval that make no sense.

    Parameters
    ----------
    confidence_level : float
        Should lie between 0 and 1.
    n_resamples : int
        Should be 1 or more.

    Raises
    ------
    ValueError
        When they do not.
    """
    if not 0 < confidence_level < 1:
        raise ValueError(f"Expected confidence_level between 0 and 1, got {confidence_level!r}.")
    if not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(f"Expected n_resamples to be a whole number from 1, got {n_resamples!r}.")


def bootstrap_distances(
    reference: FrameStatistics,
    per_clip: list[Frames],
    *,
    n_resamples: int,
    random_state: np.random.RandomState,
) -> NDArray[np.float64]:
    """Give the distances of sets of as many clips, drawn with replacement.

    Parameters
    ----------
    reference : FrameStatistics
        Of the reference set.
    per_clip : list of ndarray of shape (n_frames_i, dim)
        The frames of each clip.
    n_resamples : int
        How many sets are drawn.
    random_state : RandomState
        Draws them.

    Returns
    -------
    ndarray of shape (n_resamples,)
        One distance a set.
    """
    n_clips = len(per_clip)
    drawn = random_state.randint(n_clips, size=(n_resamples, n_clips))
    counts = np.stack([np.bincount(clips, minlength=n_clips) for clips in drawn])
    weights = torch.tensor(counts, dtype=torch.float64)
    ends = np.cumsum([len(frames) for frames in per_clip])
    clips = [slice(end - len(frames), end) for end, frames in zip(ends, per_clip, strict=True)]
    distances: list[float] = []
    with FrameSums.over(reference, np.concatenate(per_clip)) as sums:
        n_drawn, n_together = (
            max(1, n_bytes // (8 * sums.width)) for n_bytes in (_DRAWN_BYTES, _CLIP_BYTES)
        )
        for some in weights.split(n_drawn):
            # The clips' sums anew for every few sets: they are cheap, and all of them too large.
            total = torch.zeros(len(some), sums.width, dtype=torch.float64)
            for start in range(0, n_clips, n_together):
                part = [sums.of(clip) for clip in clips[start : start + n_together]]
                total.addmm_(some[:, start : start + n_together], torch.stack(part))
            distances += [sums.distance(row) for row in total]
    return np.asarray(distances)
