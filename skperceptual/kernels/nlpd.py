"""The normalised Laplacian pyramid distance, compiled: what scores pairs in bulk on a CPU.

The mathematics is that of ``functional`` with ``convention="laparra2016"`` [1]_. What makes it fast
is that an image passes through the processor's cache once a level, row by row. As soon as five rows
of a level are there, they give one row of the next coarser level; as soon as three of those are
there, they predict two fine rows; what the prediction misses is a row of the band; and as soon as
``k`` rows of the band are there, the middle one is normalised, compared and forgotten. Only the
coarser levels, a third of an image together, are ever written.

What makes it precise in single precision is that not the two images go through the pyramid but
their sum and their difference. The pyramid is linear, so nothing is lost by that, and a small
difference is known as precisely as a large one, where subtracting two pyramids at the end would
leave rounding errors of the images themselves. With the coefficients ``s`` of the sum and ``d`` of
the difference, ``z1 = (s + d) / 2`` and ``z2 = (s - d) / 2``, and the magnitudes that the
normalisation pools are::

    |z1| + |z2| = max(|s|, |d|)         |z1| - |z2| = sign(s) sign(d) min(|s|, |d|)

With half the weighted sum of the first around a coefficient and ``sigma`` in ``A``, and half that
of the second in ``B``, the normalised coefficients differ by::

    z1 / (A + B) - z2 / (A - B) = (d - s B / A) / (A (1 - B / A) (1 + B / A))

Two equal images have ``d = B = 0``, so they are exactly 0 apart, and exchanging the images changes
nothing but signs, so the distance is symmetric to the last bit.

References
----------
.. [1] V. Laparra, J. Ballé, A. Berardino, E. P. Simoncelli, "Perceptual image quality assessment
   using a normalized Laplacian pyramid", Electronic Imaging 2016(16), 1-6.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_FILTERS = types.Array(types.float32, 3, "C", readonly=True)
_SIGMAS = types.Array(types.float32, 1, "C", readonly=True)
_LEVELS = types.Array(types.float32, 1, "C")
_ENERGIES = types.Tuple((types.float64[::1], types.float64[:, ::1]))

# The functions below are compiled into the two kernels at the end. Where rounding is thought about,
# sums keep the order in which they are written (fastmath=False); only sums over many terms may be
# reordered, as the kernels allow by themselves, so that they can be vectorised.


@register_jitable
def _half(n):
    return (n + 1) // 2


@register_jitable
def _mirrored(position, n):
    """Find the sample that stands for one beyond the edge: the edge itself is repeated."""
    position = position % (2 * n)
    return position if position < n else 2 * n - 1 - position


@register_jitable(fastmath=False)
def _low_pass(outer, inner, center, inner2, outer2):
    # The taps .05 .25 .4 .25 .05, written so that a constant passes without a rounding error:
    # small constants of the normalisation would make much of it.
    twice = center + center
    return (
        center
        + np.float32(0.25) * ((inner + inner2) - twice)
        + np.float32(0.05) * ((outer + outer2) - twice)
    )


@register_jitable(fastmath=False)
def _predict(before, center, after):
    # Taps .1 .8 .1, with the same care.
    return center + np.float32(0.1) * ((before + after) - (center + center))


@register_jitable(fastmath=False)
def _reduce(fine, row, n_bands, padded, phases, coarse):
    """Low-pass filter around one row, keep every second frame.

    ``fine`` may hold the last few rows only, each in the place that its number modulo their
    count gives.
    """
    n_slots, n_frames = fine.shape
    above2 = fine[_mirrored(2 * row - 2, n_bands) % n_slots]
    above = fine[_mirrored(2 * row - 1, n_bands) % n_slots]
    here = fine[2 * row % n_slots]
    below = fine[_mirrored(2 * row + 1, n_bands) % n_slots]
    below2 = fine[_mirrored(2 * row + 2, n_bands) % n_slots]
    inner = padded[2 : 2 + n_frames]
    for frame in range(n_frames):
        inner[frame] = _low_pass(
            above2[frame], above[frame], here[frame], below[frame], below2[frame]
        )
    n_padded = 2 * coarse.size + 4
    for beyond in range(2):
        padded[beyond] = inner[_mirrored(beyond - 2, n_frames)]
    for beyond in range(n_frames, n_padded - 2):
        padded[beyond + 2] = inner[_mirrored(beyond, n_frames)]
    # Even and odd frames apart are read in one go; every second one of a row would be gathered.
    even, odd = phases[0], phases[1]
    for frame in range(n_padded // 2):
        even[frame] = padded[2 * frame]
        odd[frame] = padded[2 * frame + 1]
    for frame in range(coarse.size):
        coarse[frame] = _low_pass(
            even[frame], odd[frame], even[frame + 1], odd[frame + 1], even[frame + 2]
        )


@register_jitable(fastmath=False)
def _expand(coarse, wide):
    """Predict twice as many frames of one coarse row; its ends are repeated."""
    half = np.float32(0.5)
    last = coarse.size - 1
    for frame in range(1, last):
        wide[2 * frame] = _predict(coarse[frame - 1], coarse[frame], coarse[frame + 1])
        wide[2 * frame + 1] = half * (coarse[frame] + coarse[frame + 1])
    for frame in (0, last):
        before, after = coarse[max(frame - 1, 0)], coarse[min(frame + 1, last)]
        wide[2 * frame] = _predict(before, coarse[frame], after)
        wide[2 * frame + 1] = half * (coarse[frame] + after)


@register_jitable(fastmath=False)
def _next_band_row(fine, row, n_bands, scratch, wide, coarse, band):
    """Give one row of a band, rows in order, and write the coarse rows that it is first to need.

    ``wide`` keeps the last three coarse rows, expanded along the row.
    """
    padded, phases = scratch
    n_coarse, here = coarse.shape[0], row // 2
    if row % 2 == 0:
        for new in range(here + 1 if row else 0, min(here + 2, n_coarse)):
            _reduce(fine, new, n_bands, padded, phases, coarse[new])
            _expand(coarse[new], wide[new % 3])
    image = fine[row % fine.shape[0]]
    center, down = wide[here % 3], wide[min(here + 1, n_coarse - 1) % 3]
    if row % 2:
        for frame in range(band.size):
            band[frame] = image[frame] - np.float32(0.5) * (center[frame] + down[frame])
    else:
        up = wide[max(here - 1, 0) % 3]
        for frame in range(band.size):
            band[frame] = image[frame] - _predict(up[frame], center[frame], down[frame])


@register_jitable
def _scratch_rows(n_frames):
    """Room for one filtered row with its borders, whole and as even and odd frames."""
    n_padded = 2 * _half(n_frames) + 4
    return np.empty(n_padded, np.float32), np.empty((2, n_padded // 2), np.float32)


@register_jitable
def _fill(value, row):
    for frame in range(row.size):
        row[frame] = value


@register_jitable
def _shift(row, offset, shifted):
    for frame in range(shifted.size):
        shifted[frame] = row[frame] + offset


@register_jitable
def _mean_difference(one, other):
    total = np.float32(0)
    for frame in range(one.size):
        total += one[frame] - other[frame]
    return np.float32(total / one.size)


@register_jitable(fastmath=False)
def _sum_and_difference(one, other, offset, total, change):
    for frame in range(one.size):
        total[frame] = one[frame] + other[frame]
        change[frame] = (one[frame] - other[frame]) - offset


@register_jitable(fastmath=False)
def _magnitudes(total, change, larger, smaller):
    """Give what the magnitudes of the two images add up to, and what they differ by."""
    for frame in range(total.size):
        t = abs(total[frame])
        c = change[frame] if total[frame] >= 0 else -change[frame]
        larger[frame] = max(t, abs(c))
        smaller[frame] = max(min(c, t), -t)


@register_jitable
def _gather_taps(filter_, weights, taps):
    """List the weights that are not 0, then as many zeros as let them be read five at a time."""
    n_taps = 0
    for row in range(filter_.shape[0]):
        for column in range(filter_.shape[1]):
            if filter_[row, column] != 0:
                # Half, since they weigh the sum of two images, not the mean.
                weights[n_taps] = np.float32(0.5) * filter_[row, column]
                taps[n_taps, 0], taps[n_taps, 1] = row, column
                n_taps += 1
    for spare in range(n_taps, n_taps + 4):
        weights[spare] = 0
        taps[spare, 0], taps[spare, 1] = 0, 0
    return n_taps


@register_jitable
def _neighbors(ring, first, tap):
    """Give the row that one weight of the filter looks at, from the column where it begins."""
    slot = first + tap[0]
    if slot >= ring.shape[0]:
        slot -= ring.shape[0]
    return ring[slot, tap[1] :]


@register_jitable
def _add_five_taps(ring, first, weights, taps, total):
    a, w_a = _neighbors(ring, first, taps[0]), weights[0]
    b, w_b = _neighbors(ring, first, taps[1]), weights[1]
    c, w_c = _neighbors(ring, first, taps[2]), weights[2]
    d, w_d = _neighbors(ring, first, taps[3]), weights[3]
    e, w_e = _neighbors(ring, first, taps[4]), weights[4]
    for frame in range(total.size):
        total[frame] += (
            (w_a * a[frame] + w_b * b[frame]) + (w_c * c[frame] + w_d * d[frame]) + w_e * e[frame]
        )


@register_jitable(fastmath=False)
def _row_energy(total, change, pooled, shift):
    """Sum the squared differences of one row's normalised coefficients; ``shift`` is used up."""
    one, half = np.float32(1), np.float32(0.5)
    for frame in range(shift.size):
        share = shift[frame] / pooled[frame]
        # Where one image is much weaker, s B / A is nearly s, or -s, and so is d: those two are
        # taken from each other first, which is exact when that image is silent.
        sign = one if share > half else (-one if share < -half else np.float32(0))
        rest = (change[frame] - sign * total[frame]) - total[frame] * (share - sign)
        y = rest / (pooled[frame] * ((one - share) * (one + share)))
        shift[frame] = y * y
    return _sum(shift)


@register_jitable(fastmath={"reassoc"})
def _sum(values):
    total = np.float32(0)
    for frame in range(values.size):
        total += values[frame]
    return total


@compiled(_ENERGIES(_IMAGE, _IMAGE, _FILTERS, _SIGMAS))
def nlpd_energies(reference, degraded, filters, sigmas):
    """Compare the normalised pyramids of two images.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames), float32
        The pair; at least one band and one frame.
    filters : ndarray of shape (n_levels, k, k), float32
        Weights of the divisive normalisation in the orientation of a correlation, ``k`` odd. A
        weight of 0 costs nothing.
    sigmas : ndarray of shape (n_levels,), float32
        Its constants, positive.

    Returns
    -------
    mean_squares : ndarray of shape (n_levels,), float64
        Mean squared difference of each level; the distance of a level is its root.
    row_energies : ndarray of shape (n_levels, n_bands), float64
        Sum of the squared differences of each row of each level. A level has half the rows of
        the one before, rounded up; what is left of its line is 0.
    """
    n_levels, k, _ = filters.shape
    margin = k // 2
    n_bands, n_frames = reference.shape
    mean_squares, row_energies = np.zeros(n_levels), np.zeros((n_levels, n_bands))
    # A change of level is a constant difference, which only the residual has. Taken away before
    # the pyramid, it does not round what else differs.
    offset = _mean_difference(reference[0], degraded[0])
    # The first axis of these: sum and difference. Coarser levels use the beginning of each row.
    fine = np.empty((2, 5, n_frames), np.float32)
    wide = np.empty((2, 3, 2 * _half(n_frames)), np.float32)
    band = np.empty((2, k, n_frames), np.float32)
    magnitudes = np.empty((2, k, n_frames + 2 * margin), np.float32)
    pooled = np.empty((2, n_frames), np.float32)
    scratch = _scratch_rows(n_frames)
    n_coarse = _half(n_bands) * _half(n_frames)
    n_coarser = _half(_half(n_bands)) * _half(_half(n_frames))
    buffers = np.empty(2 * n_coarse, np.float32), np.empty(2 * n_coarser, np.float32)
    weights, taps = np.empty(k * k + 4, np.float32), np.empty((k * k + 4, 2), np.intp)
    n_read = 0
    for level in range(n_levels):
        height, width = _half(n_bands), _half(n_frames)
        coarse = buffers[level % 2][: 2 * height * width].reshape(2, height, width)
        n_taps = _gather_taps(filters[level], weights, taps)
        for slot in range(k):
            _fill(np.float32(0), magnitudes[0, slot])
            _fill(np.float32(0), magnitudes[1, slot])
        for row in range(n_bands + margin):
            slot = row % k
            if row >= n_bands:
                _fill(np.float32(0), magnitudes[0, slot])
                _fill(np.float32(0), magnitudes[1, slot])
            else:
                if level == 0:
                    for new in range(n_read, min(row // 2 * 2 + 5, n_bands)):
                        _sum_and_difference(
                            reference[new],
                            degraded[new],
                            offset,
                            fine[0, new % 5],
                            fine[1, new % 5],
                        )
                        n_read = new + 1
                for which in range(2):
                    band_row = band[which, slot, :n_frames]
                    if level < n_levels - 1:
                        _next_band_row(
                            fine[which], row, n_bands, scratch, wide[which], coarse[which], band_row
                        )
                    else:
                        _shift(
                            fine[which, row % fine.shape[1]], np.float32(which) * offset, band_row
                        )
                _magnitudes(
                    band[0, slot, :n_frames],
                    band[1, slot, :n_frames],
                    magnitudes[0, slot, margin:],
                    magnitudes[1, slot, margin:],
                )
            done = row - margin  # this row has all its neighbours now
            if done >= 0:
                _fill(sigmas[level], pooled[0, :n_frames])
                _fill(np.float32(0), pooled[1, :n_frames])
                for tap in range(0, n_taps, 5):
                    for which in range(2):
                        _add_five_taps(
                            magnitudes[which],
                            (done + margin + 1) % k,
                            weights[tap:],
                            taps[tap:],
                            pooled[which, :n_frames],
                        )
                energy = _row_energy(
                    band[0, done % k], band[1, done % k], pooled[0], pooled[1, :n_frames]
                )
                row_energies[level, done] = energy
                mean_squares[level] += energy
        mean_squares[level] /= n_bands * n_frames
        fine = coarse
        n_bands, n_frames = height, width
    return mean_squares, row_energies


@compiled(types.void(_IMAGE, types.intp, types.intp, _LEVELS))
def extended_laplacian_levels(image, n_levels, margin, levels):
    """Split an image into its levels, each with a border of zeros.

    Parameters
    ----------
    image : ndarray of shape (n_bands, n_frames), float32
        The image.
    n_levels : int
        Number of levels, the low-pass residual included.
    margin : int
        Zeros to add on each side of a level.
    levels : ndarray of float32
        Receives the levels one after the other, the finest first, each of shape
        ``(n_bands_k + 2 * margin, n_frames_k + 2 * margin)``.
    """
    n_bands, n_frames = image.shape
    _fill(np.float32(0), levels)
    wide = np.empty((3, 2 * _half(n_frames)), np.float32)
    scratch = _scratch_rows(n_frames)
    fine = image
    start = 0
    for level in range(n_levels):
        stop = start + (n_bands + 2 * margin) * (n_frames + 2 * margin)
        extended = levels[start:stop].reshape(n_bands + 2 * margin, n_frames + 2 * margin)
        coarse = np.empty((_half(n_bands), _half(n_frames)), np.float32)
        for row in range(n_bands):
            band_row = extended[row + margin, margin : margin + n_frames]
            if level < n_levels - 1:
                _next_band_row(fine, row, n_bands, scratch, wide, coarse, band_row)
            else:
                _shift(fine[row], np.float32(0), band_row)
        fine, start = coarse, stop
        n_bands, n_frames = coarse.shape
