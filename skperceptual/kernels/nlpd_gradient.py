"""One level of the NLPD and its gradient, compiled: what the perceptual fit runs on a CPU."""

from __future__ import annotations

import numpy as np
from numba import types

from skperceptual.kernels.compilation import compiled

_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_WEIGHTS = types.Array(types.float32, 2, "C", readonly=True)
_GRADIENT = types.Array(types.float64, 2, "C")


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
    gradient : ndarray of shape (k, k), float64
        Receives the derivatives of the mean squared difference by the weights.

    Returns
    -------
    tuple of float
        The mean squared difference, and its derivative by sigma.
    """
    k = weights.shape[0]
    margin = k // 2
    n_bands, n_frames = reference.shape[0] - k + 1, reference.shape[1] - k + 1
    denominator_r = np.empty(n_frames, np.float32)
    denominator_d = np.empty(n_frames, np.float32)
    slope_r = np.empty(n_frames, np.float32)
    slope_d = np.empty(n_frames, np.float32)
    gradient[:] = 0.0
    energy = 0.0
    by_sigma = 0.0
    for band in range(n_bands):
        denominator_r[:] = sigma
        denominator_d[:] = sigma
        for row in range(k):
            for column in range(k):
                weight = weights[row, column]
                if weight != 0:
                    for frame in range(n_frames):
                        denominator_r[frame] += weight * abs(reference[band + row, frame + column])
                        denominator_d[frame] += weight * abs(degraded[band + row, frame + column])
        row_energy = np.float32(0)
        row_sigma = np.float32(0)
        for frame in range(n_frames):
            y_r = reference[band + margin, frame + margin] / denominator_r[frame]
            y_d = degraded[band + margin, frame + margin] / denominator_d[frame]
            difference = y_r - y_d
            row_energy += difference * difference
            # d(difference**2)/2 = difference * (d y_r - d y_d), and d y = -y / denominator * d D.
            slope_r[frame] = -difference * y_r / denominator_r[frame]
            slope_d[frame] = difference * y_d / denominator_d[frame]
            row_sigma += slope_r[frame] + slope_d[frame]
        energy += row_energy
        by_sigma += row_sigma
        for row in range(k):
            for column in range(k):
                total = np.float32(0)
                for frame in range(n_frames):
                    total += slope_r[frame] * abs(reference[band + row, frame + column])
                    total += slope_d[frame] * abs(degraded[band + row, frame + column])
                gradient[row, column] += total
    size = n_bands * n_frames
    gradient *= 2.0 / size
    return energy / size, 2.0 * by_sigma / size
