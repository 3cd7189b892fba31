"""What the number of frames does to a Fréchet distance: intervals, and the limit of many."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.embeddings.precomputed import Frames
from skperceptual.functional.frechet_distance import gaussian_frechet_distance
from skperceptual.utils.threads import single_threaded

_FEWEST_SIZES = 3


@dataclass(frozen=True, eq=False)
class FrechetExtrapolation:
    """A Fréchet distance extrapolated to infinitely many frames.

    Parameters
    ----------
    distance : float
        The intercept of the line.
    slope : float
        By how much the distance rises with one over the number of frames.
    r2 : float
        Share of the variance of the distances that the line explains: below .9 or so, do not trust
        the intercept.
    sizes : ndarray of shape (n_sizes,)
        Numbers of frames, rising.
    distances : ndarray of shape (n_sizes,)
        The distance at each.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FrechetAudioDistance
    >>> frames = np.random.default_rng(0).standard_normal((2, 5000, 8))
    >>> metric = FrechetAudioDistance("precomputed").fit(frames[:1])
    >>> limit = metric.extrapolate(frames[1:, :500] + 0.5)
    >>> round(metric.distance(frames[1:, :500] + 0.5), 2), round(limit.distance, 2)
    (2.02, 1.98)
    """

    distance: float
    slope: float
    r2: float
    sizes: NDArray[np.intp]
    distances: NDArray[np.float64]


def extrapolate_distance(
    reference: FrameStatistics,
    frames: Frames,
    *,
    n_sizes: int,
    n_orders: int,
    random_state: np.random.RandomState,
) -> FrechetExtrapolation:
    """Fit the line over one over the number of frames.

    Parameters
    ----------
    reference : FrameStatistics
        Of the reference set.
    frames : ndarray of shape (n_frames, dim)
        Of the measured set.
    n_sizes : int
        Number of sizes, fewer where they fall on the same number of frames.
    n_orders : int
        Number of orders of the frames.
    random_state : RandomState
        Draws the orders.

    Returns
    -------
    FrechetExtrapolation
        The line and its points.

    Raises
    ------
    ValueError
        When there are fewer frames than twice their dimension, or too few for a line.
    """
    n_frames, dim = frames.shape
    if n_frames < 2 * dim:
        raise ValueError(
            f"The extrapolation needs at least twice as many frames as dimensions, {2 * dim}, got "
            f"{n_frames}: with fewer, distances do not lie on a line. Use more or longer clips, or "
            "KernelAudioDistance, which has no bias to get rid of."
        )
    # Smaller parts bend the line, more the fewer frames they have for their dimensions, and put its
    # intercept too low; their distances scatter no less over the range.
    smallest = max(2, n_frames // 2)
    inverse = np.linspace(1 / smallest, 1 / n_frames, n_sizes)
    sizes = np.unique(np.rint(1 / inverse).astype(int))
    if len(sizes) < _FEWEST_SIZES:
        raise ValueError(
            f"Between {smallest} and {n_frames} frames there are too few sizes for a line. Use "
            "more or longer clips."
        )
    distances = np.mean(
        [
            _nested_distances(reference, frames[random_state.permutation(n_frames)], sizes)
            for _ in range(n_orders)
        ],
        axis=0,
    )
    design = np.stack([np.ones(len(sizes)), 1 / sizes], axis=1)
    (intercept, slope), *_ = np.linalg.lstsq(design, distances, rcond=None)
    residual = distances - intercept - slope / sizes
    spread = np.square(distances - distances.mean()).sum()
    r2 = 1 - np.square(residual).sum() / spread if spread > 0 else np.nan
    return FrechetExtrapolation(float(intercept), float(slope), float(r2), sizes, distances)


def _nested_distances(
    reference: FrameStatistics, frames: Frames, sizes: NDArray[np.intp]
) -> list[float]:
    """Give the distance of the first frames, for each size."""
    distances = []
    total: FrameStatistics | int = 0
    for begin, end in zip([0, *sizes], sizes, strict=False):
        total = total + FrameStatistics.from_frames(frames[begin:end])
        distances.append(frechet_distance_of(reference, total))
    return distances


def frechet_distance_of(reference: FrameStatistics, measured: FrameStatistics) -> float:
    """Give the Fréchet distance of two sets by their statistics.

    Parameters
    ----------
    reference, measured : FrameStatistics
        Of two frames or more each.

    Returns
    -------
    float
        The distance.
    """
    with single_threaded(), torch.inference_mode():
        return gaussian_frechet_distance(
            torch.tensor(reference.mean),
            torch.tensor(reference.covariance_root),
            torch.tensor(measured.mean),
            torch.tensor(measured.covariance_root),
        ).item()


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
    clip_of_frame = np.repeat(np.arange(n_clips), [len(frames) for frames in per_clip])
    drawn = random_state.randint(n_clips, size=(n_resamples, n_clips))
    with single_threaded(), torch.inference_mode():
        # All that a drawn set's distance needs are sums over its frames of these.
        frames = torch.tensor(np.concatenate(per_clip), dtype=torch.float64)
        root = torch.tensor(reference.covariance_root)
        offsets = frames - torch.tensor(reference.mean)
        projected = offsets @ root.mT
        energies = offsets.square().sum(-1)
        distances = []
        for clips in drawn:
            counts = np.bincount(clips, minlength=n_clips)[clip_of_frame]
            there = torch.tensor(np.flatnonzero(counts))
            weights = torch.tensor(counts, dtype=torch.float64)[there]
            n_frames = weights.sum()
            mean = weights @ offsets[there] / n_frames
            trace = weights @ energies[there] - n_frames * mean.square().sum()
            rows = (projected[there] - mean @ root.mT) * weights.sqrt().unsqueeze(-1)
            # The singular values of the frames' root times the reference's, by their squares.
            squares = torch.linalg.eigvalsh(rows.mT @ rows).clamp(min=0)
            shared = (squares / (n_frames - 1)).sqrt().sum()
            traces = trace / (n_frames - 1) + root.square().sum()
            distances.append((mean.square().sum() + traces - 2 * shared).item())
    return np.maximum(distances, 0.0)
