"""Structural similarity over any number of scales, compiled: one native call a pair.

With the images' sum s and difference d, the two factors of Wang et al. (2004) need no products
of one image with the other::

    1 - contrast-structure = var(d) / ((var(s) + var(d)) / 2 + C2)
    1 - luminance          = mean(d)**2 / ((mean(s)**2 + mean(d)**2) / 2 + C1)

Two images instead of five products are filtered, an identical pair loses exactly 0, swapping
the images changes no bit, and what a nearly identical pair loses keeps all its digits.

A variance as the mean of squares less the square of the mean would lose those digits again in
single precision. So each one is taken about the value in the middle of its window: first along
a row, then across rows, where the variance of the row means adds to the mean of the row
variances. The middle has a share w of the window, so the squares that are averaged and the
square that is taken off are at most 1 + 1/w times the variance itself, and the variance is
right to a few units in the last place wherever it is taken, whatever the level around it. That
doubles the arithmetic; double precision would as well, and would read twice as much memory.

References
----------
.. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from
   error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.
"""

from __future__ import annotations

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_FLOAT = types.float32
_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_TAPS = types.Array(types.float32, 1, "C", readonly=True)
_BUFFER = types.Array(types.float32, 1, "C")
_LOSSES = types.Array(types.float64, 1, "C")

# Frames that are worked on together. The rows under a window of 11, each with the means and the
# variances of two images, then fit into the first-level cache; a multiple of every SIMD width.
_TILE = 128
# Pairs of taps added in one pass over a tile; the five of the usual window are all of them. Such
# a loop of known length is unrolled. It starts at the outermost pair: counted from the middle, the
# compiler gathers the rows number by number, which takes several times as long.
_PAIRS = 5
# A row of the tile holds mean(s), var(s), mean(d), var(d), each of a tile's width.
_ROW = 4 * _TILE
# Rows that are added before the window's last ones are moved back to the start of the buffer.
_SLACK = 16


@compiled(types.void(_BUFFER, _TAPS, types.int64, _BUFFER, _BUFFER))
def _filter_along(values, taps, width, mean, variance):
    """Give the mean and the variance of a row under the window, from its middle outwards."""
    half = taps.size - 1
    middle = values[half:]
    for j in range(width):
        mean[j] = variance[j] = np.float32(0)
    k = half
    while k > 0:
        if k >= _PAIRS:
            k -= _PAIRS
            some = taps[k + 1 :]
            before, after = values[half - k - _PAIRS :], values[half + k + 1 :]
            for j in range(width):
                center, first, second = middle[j], mean[j], variance[j]
                for p in range(_PAIRS):
                    tap = some[_PAIRS - 1 - p]
                    left, right = before[j + p] - center, after[j + (_PAIRS - 1 - p)] - center
                    first += tap * (left + right)
                    second += tap * (left * left + right * right)
                mean[j], variance[j] = first, second
        else:
            tap = taps[k]
            before, after = values[half - k :], values[half + k :]
            for j in range(width):
                left, right = before[j] - middle[j], after[j] - middle[j]
                mean[j] += tap * (left + right)
                variance[j] += tap * (left * left + right * right)
            k -= 1
    for j in range(width):
        variance[j] -= mean[j] * mean[j]
        mean[j] += middle[j]


@compiled(types.void(_BUFFER, _TAPS, types.int64, _BUFFER, _BUFFER))
def _filter_across(rows, taps, width, mean, variance):
    """Do the same across rows, each of which holds its means and, a tile further, variances."""
    half = taps.size - 1
    middle = rows[half * _ROW :]
    for j in range(width):
        mean[j] = np.float32(0)
        variance[j] = taps[0] * middle[j + _TILE]
    k = half
    while k > 0:
        if k >= _PAIRS:
            k -= _PAIRS
            some = taps[k + 1 :]
            above, below = rows[(half - k - _PAIRS) * _ROW :], rows[(half + k + 1) * _ROW :]
            for j in range(width):
                center, first, second = middle[j], mean[j], variance[j]
                for p in range(_PAIRS):
                    tap = some[_PAIRS - 1 - p]
                    up, down = j + p * _ROW, j + (_PAIRS - 1 - p) * _ROW
                    upper, lower = above[up] - center, below[down] - center
                    within = above[up + _TILE] + below[down + _TILE]
                    first += tap * (upper + lower)
                    second += tap * (upper * upper + lower * lower + within)
                mean[j], variance[j] = first, second
        else:
            tap = taps[k]
            above, below = rows[(half - k) * _ROW :], rows[(half + k) * _ROW :]
            for j in range(width):
                upper, lower = above[j] - middle[j], below[j] - middle[j]
                within = above[j + _TILE] + below[j + _TILE]
                mean[j] += tap * (upper + lower)
                variance[j] += tap * (upper * upper + lower * lower + within)
            k -= 1
    for j in range(width):
        variance[j] -= mean[j] * mean[j]
        mean[j] += middle[j]


@compiled(types.void(_IMAGE, _IMAGE, _TAPS, *[_FLOAT] * 5, types.boolean, _LOSSES))
def _scale_losses(
    reference, degraded, taps, center, origin, scale, constant_1, constant_2, luminance, losses
):
    """Put what each row lacks at one scale into ``losses``.

    ``origin`` was subtracted from the images before, ``center`` still is to be; luminance is that
    of the images as they were. Tiles go down the bands: their rows are filtered along the frames
    into a buffer of rows, and where that holds a whole window, across it.
    """
    reach = 2 * (taps.size - 1)
    n_bands = reference.shape[0]
    n_positions = reference.shape[1] - reach
    depth = reach + _SLACK
    rows = np.zeros(depth * _ROW, np.float32)
    length = _TILE + reach
    inputs = np.zeros(2 * length, np.float32)  # a row of s, a row of d
    moments = np.empty(_ROW, np.float32)
    level = np.float32(2) * (center + origin) * scale
    half = np.float32(0.5)
    losses[:] = 0.0
    for start in range(0, n_positions, _TILE):
        n_used = min(_TILE, n_positions - start)
        width = (n_used + 31) // 32 * 32  # whole SIMD words: what lies beyond is not counted
        filled = 0
        for band in range(n_bands):
            if filled == depth:
                for j in range(reach * _ROW):
                    rows[j] = rows[_SLACK * _ROW + j]
                filled = reach
            part_r = reference[band, start : start + n_used + reach]
            part_d = degraded[band, start : start + n_used + reach]
            sums, differences = inputs[:length], inputs[length:]
            for j in range(n_used + reach):
                sums[j] = ((part_r[j] - center) + (part_d[j] - center)) * scale
                differences[j] = (part_r[j] - part_d[j]) * scale
            for which in range(2):
                row = rows[filled * _ROW + which * 2 * _TILE :]
                _filter_along(inputs[which * length :], taps, width, row, row[_TILE:])
            filled += 1
            if band < reach:
                continue
            for which in range(2):
                window = rows[(filled - reach - 1) * _ROW + which * 2 * _TILE :]
                out = moments[which * 2 * _TILE :]
                _filter_across(window, taps, width, out, out[_TILE:])
            if luminance:
                for j in range(width):
                    common = moments[j] + level
                    apart = moments[j + 2 * _TILE]
                    apart *= apart
                    means = half * (common * common + apart) + constant_1
                    variance = moments[j + 3 * _TILE]
                    variances = half * (moments[j + _TILE] + variance) + constant_2
                    first, second = apart / means, variance / variances
                    moments[j] = first + (second - first * second)
            else:
                for j in range(width):
                    variance = moments[j + 3 * _TILE]
                    moments[j] = variance / (half * (moments[j + _TILE] + variance) + constant_2)
            total = 0.0
            for j in range(n_used):
                total += np.float64(moments[j])
            losses[band - reach] += total
    losses /= n_positions


@compiled(types.float32[:, ::1](_IMAGE, _FLOAT))
def halve(image, center):
    """Average blocks of 2 x 2; an odd side ends in a block of the one row or column left.

    Parameters
    ----------
    image : ndarray of shape (n_bands, n_frames), float32
        An image.
    center : float32
        Subtracted from every pixel before the average is taken.

    Returns
    -------
    ndarray of shape (ceil(n_bands / 2), ceil(n_frames / 2)), float32
        The smaller image, less ``center``.
    """
    n_bands, n_frames = image.shape
    smaller = np.empty(((n_bands + 1) // 2, (n_frames + 1) // 2), np.float32)
    half, quarter = np.float32(0.5), np.float32(0.25)
    for band in range(smaller.shape[0]):
        upper, lower = image[2 * band], image[min(2 * band + 1, n_bands - 1)]
        row = smaller[band]
        for frame in range(n_frames // 2):
            left = (upper[2 * frame] - center) + (lower[2 * frame] - center)
            right = (upper[2 * frame + 1] - center) + (lower[2 * frame + 1] - center)
            row[frame] = quarter * (left + right)
        if n_frames % 2:
            row[-1] = half * ((upper[-1] - center) + (lower[-1] - center))
    return smaller


@compiled(types.float64[::1](_IMAGE, _IMAGE, _TAPS, types.int64, _FLOAT, _FLOAT, _FLOAT))
def similarity_losses(reference, degraded, taps, n_scales, data_range, constant_1, constant_2):
    """Give what every row lacks to full similarity, at every scale.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames), float32
        The pair; read, never written.
    taps : ndarray of shape (window_size // 2 + 1,), float32
        The right half of the symmetric window, its middle first. The whole adds up to 1 and
        fits on the images of the last scale.
    n_scales : int
        1 for SSIM, more for MS-SSIM. Each scale averages blocks of 2 x 2 of the one before.
    data_range : float32
        Largest possible value of the images less the smallest.
    constant_1, constant_2 : float32
        The constants of the luminance and the contrast-structure factor, for a range of 1.

    Returns
    -------
    ndarray of shape (n_rows_0 + n_rows_1 + ...,), float64
        The scales after one another, the finest first. Of each, one minus the mean similarity
        along every row of positions of the window: of contrast and structure alone, and at the
        last scale of all three. The rows of a scale are its bands less ``window_size - 1``.

    Notes
    -----
    Everything is computed in float32, but for the sums along a row. NaN is passed on to the rows
    whose windows touch it. Where the values span a few data ranges at most, whatever their
    level, the mean of a scale differs from exact arithmetic by a few 1e-7 at most. Values beyond
    about 1e18 times the data range overflow to NaN.
    """
    reach = 2 * (taps.size - 1)
    n_rows = 0
    n_bands = reference.shape[0]
    for _ in range(n_scales):
        n_rows += n_bands - reach
        n_bands = (n_bands + 1) // 2
    losses = np.empty(n_rows)
    # Sums of pixels far from 0 would be rounded, and so add noise; any pixel is near the others.
    half, origin = np.float32(0.5), np.float32(0)
    center = half * reference[0, 0] + half * degraded[0, 0]
    if not np.isfinite(center):
        center = origin
    scale = np.float32(1) / data_range
    end = reference.shape[0] - reach
    c1, c2, last = constant_1, constant_2, n_scales - 1
    _scale_losses(reference, degraded, taps, center, origin, scale, c1, c2, last == 0, losses[:end])
    if last > 0:
        small_r, small_d = halve(reference, center), halve(degraded, center)
        for k in range(1, n_scales):
            begin, end = end, end + small_r.shape[0] - reach
            part = losses[begin:end]
            _scale_losses(small_r, small_d, taps, origin, center, scale, c1, c2, k == last, part)
            if k < last:
                small_r, small_d = halve(small_r, origin), halve(small_d, origin)
    return losses
