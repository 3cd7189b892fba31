"""What the metrics do with pairs of images before they compare them."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.utils.thread_pool import ordered_map
from skperceptual.utils.validation import ImageBatch

__all__ = ["pair_tensors", "warn_beyond_data_range"]

# Noise may leave a range by a little; logarithms, decibels and bytes leave it by far.
_FAR_BEYOND = 5.0


def warn_beyond_data_range(batch: ImageBatch, data_range: float) -> None:
    """Warn when images span far more than the metric was told.

    Parameters
    ----------
    batch : ndarray or list
        Checked pairs of images.
    data_range : float
        What the largest value less the smallest should be.
    """
    ranges = ordered_map(lambda pair: (float(np.min(pair)), float(np.max(pair))), batch)
    lowest, highest = zip(*ranges, strict=True)
    span = max(highest) - min(lowest)
    if span > _FAR_BEYOND * data_range:
        warnings.warn(
            f"The images span {span:.3g}, far more than the range of {data_range:g} that this "
            "metric assumes, so its constants mean little. Use MelSpectrogram(scale='log01'), or "
            "tell the metric the range of your images where it has a parameter for it.",
            UserWarning,
            stacklevel=5,
        )


def pair_tensors(reference: NDArray, degraded: NDArray) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn one pair of images into float64 tensors.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames)
        The pair.

    Returns
    -------
    tuple of Tensor
        The same images, copied.
    """
    return (
        torch.tensor(reference, dtype=torch.float64),
        torch.tensor(degraded, dtype=torch.float64),
    )
