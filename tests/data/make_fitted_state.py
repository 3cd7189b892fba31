"""Write fitted_state.npz: filters and sigmas as a metric keeps them, and the distances they give.

The expected distances come from the few lines below, which share no code with the package: the
Laplacian pyramid of "laparra2016" (symmetric border, expansion with the coarse edge repeated),
division by ``sigma + weighted neighbours``, and the mean over levels of the root mean square
difference, all with scipy.ndimage in double precision. The filters are random, so that a flipped,
transposed or reordered filter changes the distances.

Run it with: python tests/data/make_fitted_state.py
"""

from pathlib import Path

import numpy as np
from scipy import ndimage

TAPS = np.array([0.05, 0.25, 0.4, 0.25, 0.05])


def halve(image):
    for axis in (0, 1):
        image = ndimage.correlate1d(image, TAPS, axis=axis, mode="reflect")
    return image[::2, ::2]


def enlarge(coarse, shape):
    for axis, n in enumerate(shape):
        padded = np.pad(coarse, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        fine = np.zeros([2 * s if a == axis else s for a, s in enumerate(padded.shape)])
        fine[(slice(None, None, 2), slice(None))[:: 1 if axis == 0 else -1]] = padded
        filtered = ndimage.correlate1d(fine, 2 * TAPS, axis=axis, mode="constant")
        coarse = np.take(filtered, np.arange(2, 2 + n), axis=axis)
    return coarse


def normalized_levels(image, filters, sigmas):
    levels = []
    for _ in range(len(sigmas) - 1):
        coarse = halve(image)
        levels.append(image - enlarge(coarse, image.shape))
        image = coarse
    levels.append(image)
    return [
        level / (sigma + ndimage.correlate(np.abs(level), weights, mode="constant"))
        for level, weights, sigma in zip(levels, filters, sigmas, strict=True)
    ]


def distance(reference, degraded, filters, sigmas):
    both = [normalized_levels(image, filters, sigmas) for image in (reference, degraded)]
    return np.mean([np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(*both, strict=True)])


def main():
    rng = np.random.default_rng(2023)
    filters = rng.uniform(0, 0.2, size=(3, 5, 5))
    sigmas = np.array([0.05, 0.1, 0.6])
    references = ndimage.gaussian_filter(rng.random((2, 21, 30)), (0, 1, 1))
    pairs = np.stack([references, references + rng.uniform(-0.1, 0.1, references.shape)], axis=1)
    distances = [distance(*pair, filters, sigmas) for pair in pairs]
    np.savez_compressed(
        Path(__file__).with_name("fitted_state.npz"),
        filters=filters,
        sigmas=sigmas,
        pairs=pairs,
        distances=np.array(distances),
    )


if __name__ == "__main__":
    main()
