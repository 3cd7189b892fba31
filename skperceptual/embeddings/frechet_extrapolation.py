"""The limit of a Fréchet distance for many frames."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.embeddings.frame_sums import FrameSums
from skperceptual.embeddings.precomputed import Frames
from skperceptual.utils.messages import warn_caller

_FEWEST_SIZES = 3
# Of fewer clips than this, halves and wholes are too few points of a line.
_FEWEST_CLIPS = 10


@dataclass(frozen=True, eq=False)
class FrechetExtrapolation:
    """A Fréchet distance extrapolated to infinitely many clips.

    Parameters
    ----------
    distance : float
        The intercept of the line.
    slope : float
        By how much the distance rises with one over the size.
    r2 : float
        Share of the variance of the distances that the line explains: below .9 or so, do not trust
        the intercept.
    sizes : ndarray of shape (n_sizes,)
        Numbers of clips, or of frames where ``unit`` says so, rising.
    distances : ndarray of shape (n_sizes,)
        The distance at each.
    unit : {"clips", "frames"}
        What was drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FrechetAudioDistance
    >>> frames = np.random.default_rng(0).standard_normal((550, 10, 8))
    >>> metric = FrechetAudioDistance("precomputed").fit(frames[:500])
    >>> limit = metric.extrapolate(frames[500:] + 0.5)
    >>> round(metric.distance(frames[500:] + 0.5), 2), round(limit.distance, 2)
    (2.02, 2.0)
    """

    distance: float
    slope: float
    r2: float
    sizes: NDArray[np.intp]
    distances: NDArray[np.float64]
    unit: str


def extrapolate_distance(
    reference: FrameStatistics,
    per_clip: list[Frames],
    *,
    n_sizes: int,
    n_orders: int,
    random_state: np.random.RandomState,
) -> FrechetExtrapolation:
    """Fit the line over one over the number of clips.

    Parameters
    ----------
    reference : FrameStatistics
        Of the reference set.
    per_clip : list of ndarray of shape (n_frames_i, dim)
        The frames of each clip of the measured set.
    n_sizes : int
        Number of sizes, fewer where they fall on the same number.
    n_orders : int
        Number of orders of the clips.
    random_state : RandomState
        Draws the orders.

    Returns
    -------
    FrechetExtrapolation
        The line and its points.

    Raises
    ------
    ValueError
        When a number is out of range, there are fewer frames than twice their dimension, or too
        few for a line.

    Warns
    -----
    UserWarning
        When there are too few clips to draw from, and frames are drawn instead.
    """
    for name, value, least in (("n_sizes", n_sizes, _FEWEST_SIZES), ("n_orders", n_orders, 1)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"Expected {name} to be a whole number from {least}, got {value!r}.")
    frames = np.concatenate(per_clip)
    n_frames, dim = frames.shape
    if n_frames < 2 * dim:
        raise ValueError(
            f"The extrapolation needs at least twice as many frames as dimensions, {2 * dim}, got "
            f"{n_frames}: with fewer, distances do not lie on a line. Use more or longer clips, or "
            "KernelAudioDistance, which has no bias to get rid of."
        )
    ends = np.cumsum([len(clip) for clip in per_clip])
    if len(per_clip) < _FEWEST_CLIPS:
        unit, units = "frames", np.split(np.arange(n_frames), n_frames)
    else:
        unit, units = "clips", np.split(np.arange(n_frames), ends[:-1])
    sizes = _sizes(len(units), int(n_sizes))
    if unit == "frames" and n_frames > len(per_clip):
        warn_caller(
            f"There are too few clips to draw from, {len(per_clip)}, and frames are drawn instead. "
            "Where frames of a clip are alike, most of the bias stays. Give ten clips or more, "
            "better fifty."
        )
    with FrameSums.over(reference, frames) as sums:
        orders = [random_state.permutation(len(units)) for _ in range(n_orders)]
        distances = np.mean([_nested(sums, units, order, sizes) for order in orders], axis=0)
    design = np.stack([np.ones(len(sizes)), 1 / sizes], axis=1)
    (intercept, slope), *_ = np.linalg.lstsq(design, distances, rcond=None)
    residual = distances - intercept - slope / sizes
    spread = np.square(distances - distances.mean()).sum()
    r2 = float(1 - np.square(residual).sum() / spread) if spread > 0 else np.nan
    return FrechetExtrapolation(float(intercept), float(slope), r2, sizes, distances, unit)


def _sizes(n_units: int, n_sizes: int) -> NDArray[np.intp]:
    # Smaller parts bend the line, more the fewer frames they have for their dimensions, and put its
    # intercept too low; their distances scatter no less over the range.
    smallest = max(2, n_units // 2)
    inverse = np.linspace(1 / smallest, 1 / n_units, n_sizes)
    sizes = np.unique(np.rint(1 / inverse).astype(int))
    if len(sizes) < _FEWEST_SIZES:
        raise ValueError(
            f"Between {smallest} and {n_units} frames there are too few sizes for a line. Use "
            "more or longer clips."
        )
    return sizes


def _nested(
    sums: FrameSums,
    units: list[NDArray[np.intp]],
    order: NDArray[np.intp],
    sizes: NDArray[np.intp],
) -> list[float]:
    """Give the distance of the first clips or frames of an order, for each size."""
    distances = []
    total = sums.of(slice(0, 0))
    for begin, end in zip([0, *sizes], sizes, strict=False):
        total = total + sums.of(np.concatenate([units[unit] for unit in order[begin:end]]))
        distances.append(sums.distance(total))
    return distances
