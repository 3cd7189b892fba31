"""The mean squared error as an estimator."""

from __future__ import annotations

import numpy as np
import pytest

from skperceptual import MSE


@pytest.fixture
def pairs(rng):
    return rng.random((3, 2, 9, 7))


def test_equals_numpy(pairs):
    expected = np.mean((pairs[:, 0] - pairs[:, 1]) ** 2, axis=(1, 2))
    np.testing.assert_allclose(MSE().fit_transform(pairs)[:, 0], expected, rtol=1e-13)


def test_float32_images_are_computed_in_float64(pairs):
    single = 1000 + pairs.astype(np.float32)
    found = MSE().transform(single)
    assert found.dtype == np.float32
    exact = MSE().transform(single.astype(np.float64))
    np.testing.assert_array_equal(found, exact.astype(np.float32))


def test_contributions_add_up(pairs):
    scores = MSE().transform(pairs)
    np.testing.assert_allclose(MSE().contributions(pairs), scores, rtol=1e-12)
    bands = MSE().contributions(pairs, by="band")
    expected = np.mean((pairs[:, 0] - pairs[:, 1]) ** 2, axis=2) / 9
    np.testing.assert_allclose(bands, expected, rtol=1e-12)


def test_identical_images_are_at_zero(pairs):
    identical = np.repeat(pairs[:, :1], 2, axis=1)
    np.testing.assert_array_equal(MSE().transform(identical), 0)
    np.testing.assert_array_equal(MSE().contributions(identical, by="band"), 0)
