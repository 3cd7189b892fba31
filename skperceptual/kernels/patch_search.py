"""The search of ViSQOL, compiled: for each patch of the reference the place where it is best met.

Thirty-two neighbouring places are tried at a time. What a place needs of the degraded image alone,
local means and the roots of local variances, is computed once for them and serves all patches;
what it needs of both, the local means of the product, is carried from frame to frame. Every lane
does the same in the same order, so that equal patches are equally similar to the last bit and the
first or last of them can be told.

The places are then chosen together, by a dynamic programme whose best predecessor is a running
maximum: its cost is that of reading the table of similarities once.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_IMAGE = types.Array(types.float64, 2, "C", readonly=True)
_TABLE = types.Array(types.float64, 2, "C")
_VALUES = types.Array(types.float64, 1, "C", readonly=True)
_PLACES = types.Array(types.int64, 1, "C", readonly=True)
_PATH = types.Tuple((types.int64[::1], types.boolean[::1]))


@register_jitable
def _lanes():
    return 32


@register_jitable
def _range_of(start, radius, n_places):
    """Give the first place that a patch may be met at, and the one after the last."""
    return max(0, start - radius), min(n_places, start + radius + 1)


@register_jitable
def _signed_root(variance):
    # A product of two such roots is negative where the product of the variances is.
    return math.copysign(math.sqrt(abs(variance)), variance)


@register_jitable
def _local_statistics(image, window, first, n_columns, edge, means, roots):
    """Give local means and signed roots of local variances of some columns.

    ``edge`` says which sides a column lacks, for which it stands itself: 1 the left, 2 the right.
    """
    n_bands = image.shape[0]
    center, at_edge, corner = window[0], window[1], window[2]
    for band in range(n_bands):
        above, here = image[max(band - 1, 0)], image[band]
        below = image[min(band + 1, n_bands - 1)]
        for column in range(n_columns):
            at = first + column
            mean, square = 0.0, 0.0
            for step in range(-1, 2):
                beside = at + step
                if (step < 0 and edge % 2 == 1) or (step > 0 and edge >= 2):
                    beside = at
                w_here, w_outer = (center, at_edge) if step == 0 else (at_edge, corner)
                up, mid, low = above[beside], here[beside], below[beside]
                mean += w_here * mid + w_outer * (up + low)
                square += w_here * mid * mid + w_outer * (up * up + low * low)
            means[band, column] = mean
            roots[band, column] = _signed_root(square - mean * mean)


@register_jitable(fastmath={"contract"})
def _similarity(local_product, mean_d, root_d, mean_r, root_r, constants):
    """Compare the images in one place, by a single division."""
    product = mean_r * mean_d
    covariance = local_product - product
    spread = max(root_r * root_d, 0.0) + constants[1]
    above = (product + product + constants[0]) * (covariance + constants[1])
    return above / ((mean_r * mean_r + mean_d * mean_d + constants[0]) * spread)


# What a band carries from column to column stands together: the sums of the products with the
# window's middle, with its side one column ago and in this one, and the total of the similarities.
# Loops over few arrays are vectorised without asking which of them might overlap.


@register_jitable(fastmath={"contract"})
def _first_column(own, above, here, below, window, carried):
    """Weigh the products in the first column of the patch, for all lanes of one band."""
    n = _lanes()
    for lane in range(n):
        product = own[1] * here[lane]
        outer = own[0] * above[lane] + own[2] * below[lane]
        side = window[1] * product + window[2] * outer
        carried[lane] = window[0] * product + window[1] * outer
        carried[n + lane], carried[2 * n + lane] = side, side
        carried[3 * n + lane] = 0.0


@register_jitable(fastmath={"contract"})
def _next_column(own, above, here, below, window, means, roots, of_reference, constants, carried):
    """Do the same in the next column, with which the similarity in the one before is known."""
    n = _lanes()
    for lane in range(n):
        product = own[1] * here[lane]
        outer = own[0] * above[lane] + own[2] * below[lane]
        side = window[1] * product + window[2] * outer
        local_product = carried[lane] + (carried[n + lane] + side)
        carried[3 * n + lane] += _similarity(
            local_product, means[lane], roots[lane], of_reference[0], of_reference[1], constants
        )
        carried[lane] = window[0] * product + window[1] * outer
        carried[n + lane], carried[2 * n + lane] = carried[2 * n + lane], side


@register_jitable(fastmath={"contract"})
def _last_column(means, roots, of_reference, constants, carried):
    """Compare in the last column, which stands itself for the one that would come next."""
    n = _lanes()
    for lane in range(n):
        local_product = carried[lane] + (carried[n + lane] + carried[2 * n + lane])
        carried[3 * n + lane] += _similarity(
            local_product, means[lane], roots[lane], of_reference[0], of_reference[1], constants
        )


@compiled(types.void(_IMAGE, _IMAGE, _PLACES, types.int64, types.int64, _VALUES, _VALUES, _TABLE))
def patch_similarities(
    reference, degraded, starts, n_frames, radius, window, constants, similarities
):
    """Compare every patch of the reference with the degraded image around its place.

    Parameters
    ----------
    reference : ndarray of shape (n_bands, n_reference_frames), float64
        The image that the patches are cut from.
    degraded : ndarray of shape (n_bands, n_places + n_frames + 32), float64
        The other image, and zeros after it for the patches that begin in it and end beyond.
    starts : ndarray of shape (n_patches,), int64
        The first frame of each patch.
    n_frames : int
        Length of a patch.
    radius : int
        How far from its own place a patch is sought, in frames.
    window : ndarray of shape (3,), float64
        The weights of a 3 x 3 window: in the middle, at an edge, at a corner.
    constants : ndarray of shape (2,), float64
        The constants of intensity and structure.
    similarities : ndarray of shape (n_patches, min(n_places, 2 * radius + 1)), float64
        Receives the mean similarities, those of each patch from the first place in its range on.
    """
    n, n_bands = _lanes(), reference.shape[0]
    n_patches = starts.size
    n_places = degraded.shape[1] - n_frames - n
    # Of the patches, (3) an inner, a first and a last column: at their borders they end.
    means_r = np.empty((n_patches, n_bands, n_frames))
    roots_r = np.empty((n_patches, n_bands, n_frames))
    for patch in range(n_patches):
        for frame in range(n_frames):
            edge = (1 if frame == 0 else 0) + (2 if frame == n_frames - 1 else 0)
            column = slice(frame, frame + 1)
            _local_statistics(
                reference,
                window,
                starts[patch] + frame,
                1,
                edge,
                means_r[patch][:, column],
                roots_r[patch][:, column],
            )
    means, roots = np.empty((3, n_bands, n_frames + n)), np.empty((3, n_bands, n_frames + n))
    carried = np.empty((n_bands, 4 * n))
    window_, constants_ = (window[0], window[1], window[2]), (constants[0], constants[1])
    for first in range(0, n_places, n):
        width = n_frames - 2
        if n_frames == 1:
            _local_statistics(degraded, window, first, n, 3, means[1], roots[1])
        else:
            _local_statistics(degraded, window, first, n, 1, means[1], roots[1])
            _local_statistics(degraded, window, first + n_frames - 1, n, 2, means[2], roots[2])
            if width > 0:
                _local_statistics(degraded, window, first + 1, width + n - 1, 0, means[0], roots[0])
        for patch in range(n_patches):
            begin, end = _range_of(starts[patch], radius, n_places)
            if first >= end or first + n <= begin:
                continue
            for frame in range(n_frames + 1):
                place, column = first + frame, starts[patch] + frame
                at = max(frame - 1, 0)
                edge = 1 if at == 0 else (2 if at == n_frames - 1 else 0)
                shift = at - 1 if edge == 0 else 0
                for band in range(n_bands):
                    known = (
                        means[edge, band, shift : shift + n],
                        roots[edge, band, shift : shift + n],
                    )
                    of_reference = means_r[patch, band, at], roots_r[patch, band, at]
                    if frame == n_frames:
                        _last_column(known[0], known[1], of_reference, constants_, carried[band])
                        continue
                    up, down = max(band - 1, 0), min(band + 1, n_bands - 1)
                    own = reference[up, column], reference[band, column], reference[down, column]
                    above = degraded[up, place : place + n]
                    here = degraded[band, place : place + n]
                    below = degraded[down, place : place + n]
                    if frame == 0:
                        _first_column(own, above, here, below, window_, carried[band])
                    else:
                        _next_column(
                            own,
                            above,
                            here,
                            below,
                            window_,
                            known[0],
                            known[1],
                            of_reference,
                            constants_,
                            carried[band],
                        )
            for place in range(max(first, begin), min(first + n, end)):
                total = 0.0
                for band in range(n_bands):
                    total += carried[band, 3 * n + place - first]
                similarities[patch, place - begin] = total / (n_bands * n_frames)


@compiled(_PATH(_TABLE, _PLACES, types.int64, types.int64))
def best_path(similarities, starts, radius, n_places):
    """Choose a place for each patch so that places follow one another and similarity is largest.

    Parameters
    ----------
    similarities : ndarray of shape (n_patches, min(n_places, 2 * radius + 1)), float64
        What :func:`patch_similarities` gave. Its rows are used up for what they add up to.
    starts : ndarray of shape (n_patches,), int64
        The first frame of each patch, rising.
    radius : int
        How far from its own place a patch was sought.
    n_places : int
        Frames of the degraded image.

    Returns
    -------
    places : ndarray of shape (n_patches,), int64
        Where each patch is met.
    is_met : ndarray of shape (n_patches,), bool
        False for patches that nothing is met with: to leave them out costs less.
    """
    n_patches = starts.size
    came_from = np.empty(similarities.shape, np.int32)
    came_from[0] = -1
    for patch in range(1, n_patches):
        begin, end = _range_of(starts[patch], radius, n_places)
        begin_before, end_before = _range_of(starts[patch - 1], radius, n_places)
        totals_before = similarities[patch - 1]
        best, best_place = -np.finfo(np.float64).max, -1
        candidate = begin_before
        for place in range(begin, end):
            while candidate < place:
                # Outside its range nothing was found for a patch: a similarity of 0.
                total = 0.0
                if candidate < end_before:
                    total = totals_before[candidate - begin_before]
                if total >= best:
                    best, best_place = total, candidate
                candidate += 1
            total, source = similarities[patch, place - begin] + best, best_place
            skipped = 0.0
            if begin_before <= place < end_before:
                skipped = totals_before[place - begin_before]
            if skipped > total:
                total, source = skipped, place
            similarities[patch, place - begin], came_from[patch, place - begin] = total, source
    places, is_met = np.empty(n_patches, np.int64), np.ones(n_patches, np.bool_)
    begin, end = _range_of(starts[-1], radius, n_places)
    place = begin
    for candidate in range(begin, end):
        if similarities[-1, candidate - begin] > similarities[-1, place - begin]:
            place = candidate
    for patch in range(n_patches - 1, -1, -1):
        places[patch] = place
        begin, end = _range_of(starts[patch], radius, n_places)
        source = came_from[patch, place - begin] if begin <= place < end else 0
        is_met[patch] = source != place
        place = source
    return places, is_met
