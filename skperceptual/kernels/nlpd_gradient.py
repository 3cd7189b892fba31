"""One level of the NLPD and its gradient, compiled: what the perceptual fit runs on a CPU.

Rows of an image lie end to end in memory, so what a weight of the normalisation looks at, for all
coefficients of several rows, is one stretch of it. Some rows at a time are therefore treated as one
long line: the magnitudes are weighed five neighbours at a go, which keeps a sum in a register that
would otherwise go to memory and back for each, and the slopes are correlated with them in the same
way. The few coefficients of a line that are border and no coefficients get a slope of 0.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_WEIGHTS = types.Array(types.float32, 2, "C", readonly=True)
_GRADIENT = types.Array(types.float64, 2, "C")


@register_jitable
def _place_neighbors(weights, width):
    """Tell where each neighbour's stretch starts, and the same of those with a weight alone.

    Both lists end with spare places of weight 0, so that they can be read five at a time.
    """
    k = weights.shape[0]
    starts, weighed = np.zeros(k * k + 4, np.intp), np.zeros(k * k + 4, np.intp)
    used = np.zeros(k * k + 4, np.float32)
    n_used = 0
    for row in range(k):
        for column in range(k):
            start = row * width + column
            starts[row * k + column] = start
            if weights[row, column] != 0:
                weighed[n_used], used[n_used] = start, weights[row, column]
                n_used += 1
    return starts, weighed, used, n_used


@register_jitable
def _add_five(flat, starts, weights, total):
    """Add the weighted magnitudes of five neighbours of every coefficient."""
    a, b, c = flat[starts[0] :], flat[starts[1] :], flat[starts[2] :]
    d, e = flat[starts[3] :], flat[starts[4] :]
    w_a, w_b, w_c, w_d, w_e = weights[0], weights[1], weights[2], weights[3], weights[4]
    for i in range(total.size):
        total[i] += (
            (w_a * abs(a[i]) + w_b * abs(b[i])) + (w_c * abs(c[i]) + w_d * abs(d[i]))
        ) + w_e * abs(e[i])


@register_jitable
def _correlate_five(flat, starts, slope, totals):
    """Add up slope times magnitude over all coefficients, for five neighbours of each."""
    a, b, c = flat[starts[0] :], flat[starts[1] :], flat[starts[2] :]
    d, e = flat[starts[3] :], flat[starts[4] :]
    t_a = t_b = t_c = t_d = t_e = np.float32(0)
    for i in range(slope.size):
        s = slope[i]
        t_a += s * abs(a[i])
        t_b += s * abs(b[i])
        t_c += s * abs(c[i])
        t_d += s * abs(d[i])
        t_e += s * abs(e[i])
    totals[0] += t_a
    totals[1] += t_b
    totals[2] += t_c
    totals[3] += t_d
    totals[4] += t_e


@register_jitable
def _row_slopes(z_r, z_d, pooled_r, pooled_d, slope_r, slope_d):
    """Sum the squared differences of a row; give half their derivatives by what is pooled."""
    energy, by_sigma = np.float32(0), np.float32(0)
    for frame in range(z_r.size):
        y_r = z_r[frame] / pooled_r[frame]
        y_d = z_d[frame] / pooled_d[frame]
        difference = y_r - y_d
        energy += difference * difference
        # d(difference**2)/2 = difference * (d y_r - d y_d), and d y = -y / pooled * d pooled.
        slope_r[frame] = -difference * y_r / pooled_r[frame]
        slope_d[frame] = difference * y_d / pooled_d[frame]
        by_sigma += slope_r[frame] + slope_d[frame]
    return energy, by_sigma


@compiled(types.UniTuple(types.float64, 2)(_IMAGE, _IMAGE, _WEIGHTS, types.float32, _GRADIENT))
def level_energy_and_gradient(reference, degraded, weights, sigma, gradient):
    """Give one level's mean squared difference and its derivatives.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands + k - 1, n_frames + k - 1), float32
        The level's coefficients, extended on each side by ``k // 2`` as the border rule says.
    weights : ndarray of shape (k, k), float32
        Weights of the divisive normalisation.
    sigma : float32
        Its constant.
    gradient : ndarray of shape (k, k) or (0, 0), float64
        Receives the derivatives of the mean squared difference by the weights. Empty: they are
        not computed, which takes half of the time.

    Returns
    -------
    tuple of float
        The mean squared difference, and its derivative by sigma.
    """
    k = weights.shape[0]
    width = reference.shape[1]
    n_bands, n_frames = reference.shape[0] - k + 1, width - k + 1
    n_rows_at_once = min(n_bands, max(1, 2048 // width))
    pooled_r = np.empty(n_rows_at_once * width, np.float32)
    pooled_d = np.empty(n_rows_at_once * width, np.float32)
    slope_r = np.zeros(n_rows_at_once * width, np.float32)
    slope_d = np.zeros(n_rows_at_once * width, np.float32)
    starts, weighed, used, n_used = _place_neighbors(weights, width)
    totals = np.zeros(starts.size)
    energy = 0.0
    by_sigma = 0.0
    for first in range(0, n_bands, n_rows_at_once):
        n_rows = min(n_rows_at_once, n_bands - first)
        length = n_rows * width - k + 1  # from the first coefficient to the last
        flat_r = reference[first : first + n_rows + k - 1].reshape((n_rows + k - 1) * width)
        flat_d = degraded[first : first + n_rows + k - 1].reshape((n_rows + k - 1) * width)
        pooled_r[:] = sigma
        pooled_d[:] = sigma
        for tap in range(0, n_used, 5):
            _add_five(flat_r, weighed[tap:], used[tap:], pooled_r[:length])
            _add_five(flat_d, weighed[tap:], used[tap:], pooled_d[:length])
        for row in range(n_rows):
            here = row * width
            center = (row + k // 2) * width + k // 2
            row_energy, row_by_sigma = _row_slopes(
                flat_r[center : center + n_frames],
                flat_d[center : center + n_frames],
                pooled_r[here : here + n_frames],
                pooled_d[here : here + n_frames],
                slope_r[here : here + n_frames],
                slope_d[here : here + n_frames],
            )
            energy += row_energy
            by_sigma += row_by_sigma
        for tap in range(0, k * k if gradient.size else 0, 5):
            _correlate_five(flat_r, starts[tap:], slope_r[:length], totals[tap:])
            _correlate_five(flat_d, starts[tap:], slope_d[:length], totals[tap:])
    size = n_bands * n_frames
    for row in range(gradient.shape[0]):
        for column in range(gradient.shape[1]):
            gradient[row, column] = 2.0 * totals[row * k + column] / size
    return energy / size, 2.0 * by_sigma / size
