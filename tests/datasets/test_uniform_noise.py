"""Uniform noise: what it is distributed like, and what it depends on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skperceptual.datasets import make_uniform_noise


def test_every_pixel_is_drawn_by_itself_between_0_and_1():
    images = make_uniform_noise(n_images=8, random_state=0).images
    assert images.shape == (8, 256, 256)
    assert images.dtype == np.float32
    pixels = images.ravel().astype(float)
    assert pixels.min() >= 0
    assert pixels.max() < 1
    assert stats.kstest(pixels, "uniform").pvalue > 1e-3
    for axis in range(3):
        neighbours = [np.take(images, part, axis=axis).ravel() for part in (range(7), range(1, 8))]
        assert abs(np.corrcoef(neighbours)[0, 1]) < 5 / np.sqrt(len(neighbours[0]))


def test_an_image_depends_on_the_seed_and_its_number():
    few, many = (make_uniform_noise(n_images=n, image_shape=(5, 7), random_state=3) for n in (2, 4))
    np.testing.assert_array_equal(few.images, many.images[:2])
    other = make_uniform_noise(n_images=2, image_shape=(5, 7), random_state=4)
    assert not np.any(few.images == other.images)
    assert len(few.frame) == 2
    assert "2 images of 5 x 7 pixels" in few.DESCR


@pytest.mark.parametrize("shape", [(4,), (4, 0), (4, 4, 4), (4.0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"Expected image_shape as \(n_bands, n_frames\)"):
        make_uniform_noise(image_shape=shape)
