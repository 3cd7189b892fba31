"""The compiled NSIM against the function."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skperceptual.functional import nsim_map
from skperceptual.functional.nsim import WINDOW, nsim_constants
from skperceptual.kernels.nsim import band_similarities


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (3, 1), (32, 30), (5, 101)])
def test_equals_the_function(shape, rng):
    reference = 45 * rng.random(shape)
    degraded = reference + rng.standard_normal(shape)
    for data_range in (1.0, 45.0):
        constants = nsim_constants(data_range)
        means, deviations = band_similarities(reference, degraded, np.array(WINDOW), constants)
        expected = nsim_map(*map(torch.tensor, (reference, degraded)), data_range=data_range)
        np.testing.assert_allclose(means, expected.mean(dim=-1), rtol=1e-11, atol=1e-13)
        if shape[1] > 1:
            spread = expected.std(dim=-1)
            np.testing.assert_allclose(deviations, spread, rtol=1e-10, atol=1e-12)


def test_equal_images_are_exactly_one(rng):
    image = np.maximum(45 * rng.random((32, 30)), 20.0)
    image[4:9, 10:20] = 0
    means, deviations = band_similarities(image, image, np.array(WINDOW), nsim_constants(1.0))
    assert (means == 1).all()
    assert (deviations == 0).all()


def test_images_of_two_sizes_are_refused(rng):
    image = rng.random((4, 6))
    with pytest.raises(ValueError, match="two images of one size"):
        band_similarities(image, image[:, :5].copy(), np.array(WINDOW), nsim_constants(1.0))
