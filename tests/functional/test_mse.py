"""The mean squared error, and the mean that does not depend on batches or threads."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes

from skperceptual.functional import mse, stable_mean


@given(array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=9), st.integers(0, 99))
def test_equals_numpy(shape, seed):
    rng = np.random.default_rng(seed)
    reference, degraded = rng.normal(size=(2, *shape))
    found = mse(torch.tensor(reference), torch.tensor(degraded))
    expected = np.mean((reference - degraded) ** 2, axis=(-2, -1))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_identical_images_are_at_zero_and_the_gradient_is_right():
    images = torch.rand(2, 5, 6, dtype=torch.float64, requires_grad=True)
    other = torch.rand(2, 5, 6, dtype=torch.float64)
    assert (mse(images, images) == 0).all()
    assert torch.autograd.gradcheck(lambda x: mse(x, other), (images,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 40_001), (40_001, 1), (3, 7), (127, 129)])
def test_an_item_gives_the_same_bits_alone_in_a_batch_and_on_more_threads(shape, dtype):
    torch.manual_seed(0)
    reference, degraded = torch.rand(2, 3, *shape, dtype=dtype)
    found = mse(reference, degraded)
    before = torch.get_num_threads()
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            assert torch.equal(mse(reference, degraded), found)
            for row in range(3):
                assert torch.equal(mse(reference[row], degraded[row]), found[row])
    finally:
        torch.set_num_threads(before)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=70))
def test_stable_mean_is_a_mean(values):
    found = stable_mean(torch.tensor(values, dtype=torch.float64)).item()
    size = max(map(abs, values))
    assert found == pytest.approx(math.fsum(values) / len(values), abs=1e-15 * size, rel=1e-15)


def test_stable_mean_of_many_float32_numbers_keeps_its_digits():
    # Adding 0.1 one after the other loses four digits.
    assert stable_mean(torch.full((1_000_000,), 0.1)).item() == pytest.approx(0.1, rel=1e-6)


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        mse(torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(TypeError, match="floating point"):
        mse(torch.zeros(2, 3), torch.zeros(2, 3).long())
