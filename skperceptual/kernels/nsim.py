"""The neurogram similarity of two images, compiled.

Row by row: what three neighbouring rows add up to, with the window's middle column and with its
side columns, gives the local means of five images (both, their squares, their product) from five
running rows. Sums are rounded in one order, so that an image is exactly 1 like itself.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_IMAGE = types.Array(types.float64, 2, "C", readonly=True)
_VALUES = types.Array(types.float64, 1, "C", readonly=True)
_BANDS = types.Tuple((types.float64[::1], types.float64[::1]))


@register_jitable(fastmath=False)
def _column_sums(above, here, below, window, middle, side):
    """Weigh three rows by the window's middle column and by one of its sides."""
    center, edge, corner = window[0], window[1], window[2]
    n_frames = here.size
    for frame in range(n_frames):
        outer = above[frame] + below[frame]
        middle[frame] = center * here[frame] + edge * outer
        side[frame + 1] = edge * here[frame] + corner * outer
    side[0], side[n_frames + 1] = side[1], side[n_frames]


@register_jitable(fastmath=False)
def _local_mean(middle, side, frame):
    return middle[frame] + (side[frame] + side[frame + 2])


@register_jitable(fastmath=False)
def _similarity(middle, side, constants, row):
    """Compare one row of the images: intensity times structure, frame by frame."""
    intensity_constant, structure_constant = constants[0], constants[1]
    for frame in range(row.size):
        mean_r = _local_mean(middle[0], side[0], frame)
        mean_d = _local_mean(middle[1], side[1], frame)
        square_r, square_d, product = mean_r * mean_r, mean_d * mean_d, mean_r * mean_d
        variance_r = _local_mean(middle[2], side[2], frame) - square_r
        variance_d = _local_mean(middle[3], side[3], frame) - square_d
        covariance = _local_mean(middle[4], side[4], frame) - product
        # Rounding can leave a variance a trace below zero.
        spread = math.sqrt(max(variance_r * variance_d, 0.0))
        intensity = (2 * product + intensity_constant) / (square_r + square_d + intensity_constant)
        row[frame] = intensity * ((covariance + structure_constant) / (spread + structure_constant))


@register_jitable(fastmath=False)
def _mean_and_deviation(row):
    total = 0.0
    for frame in range(row.size):
        total += row[frame]
    mean = total / row.size
    squares = 0.0
    for frame in range(row.size):
        squares += (row[frame] - mean) * (row[frame] - mean)
    return mean, math.sqrt(squares / max(row.size - 1, 1))


@compiled(_BANDS(_IMAGE, _IMAGE, _VALUES, _VALUES))
def band_similarities(reference, degraded, window, constants):
    """Compare two images band by band.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames), float64
        The pair.
    window : ndarray of shape (3,), float64
        The weights of a 3 x 3 window: in the middle, at an edge, at a corner.
    constants : ndarray of shape (2,), float64
        The constants of intensity and structure.

    Returns
    -------
    means, deviations : ndarray of shape (n_bands,), float64
        Over the frames of each band, mean and standard deviation (of a sample) of the
        similarities.

    Raises
    ------
    ValueError
        When the images differ in size.
    """
    if reference.shape != degraded.shape:
        raise ValueError("Expected two images of one size.")
    n_bands, n_frames = reference.shape
    means, deviations = np.empty(n_bands), np.empty(n_bands)
    middle, side = np.empty((5, n_frames)), np.empty((5, n_frames + 2))
    products = np.empty((3, 3, n_frames))  # of the rows in use, each where its number modulo 3 says
    row = np.empty(n_frames)
    done = 0
    for band in range(n_bands):
        up, down = max(band - 1, 0), min(band + 1, n_bands - 1)
        while done <= down:
            r, d, slot = reference[done], degraded[done], products[done % 3]
            for frame in range(n_frames):
                slot[0, frame] = r[frame] * r[frame]
                slot[1, frame] = d[frame] * d[frame]
                slot[2, frame] = r[frame] * d[frame]
            done += 1
        _column_sums(reference[up], reference[band], reference[down], window, middle[0], side[0])
        _column_sums(degraded[up], degraded[band], degraded[down], window, middle[1], side[1])
        above, here, below = products[up % 3], products[band % 3], products[down % 3]
        for kind in range(3):
            _column_sums(
                above[kind], here[kind], below[kind], window, middle[2 + kind], side[2 + kind]
            )
        _similarity(middle, side, constants, row)
        means[band], deviations[band] = _mean_and_deviation(row)
    return means, deviations
