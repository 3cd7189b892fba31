"""The log-spectral distance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes

from skperceptual.functional import log_spectral_distance


@given(array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=9), st.integers(0, 99))
def test_equals_numpy(shape, seed):
    rng = np.random.default_rng(seed)
    reference, degraded = rng.uniform(0.1, 10, size=(2, *shape))
    found = log_spectral_distance(torch.tensor(reference).log(), torch.tensor(degraded).log())
    decibels = 20 * np.log10(degraded) - 20 * np.log10(reference)
    expected = np.sqrt((decibels**2).mean(axis=-2)).mean(axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_level_may_be_disregarded():
    images = torch.rand(2, 3, 8, 9, dtype=torch.float64)
    reference, degraded = images
    louder = degraded + torch.tensor([1.0, -2.0, 5.0])[:, None, None]
    torch.testing.assert_close(
        log_spectral_distance(reference, louder, remove_level=True),
        log_spectral_distance(reference, degraded, remove_level=True),
    )
    assert (log_spectral_distance(reference, reference + 3, remove_level=True) < 1e-12).all()
    assert (
        log_spectral_distance(reference, degraded, remove_level=True)
        < log_spectral_distance(reference, louder)
    ).all()


def test_identical_images_are_at_zero_and_the_gradient_is_right():
    images = torch.rand(2, 5, 6, dtype=torch.float64, requires_grad=True)
    other = torch.rand(2, 5, 6, dtype=torch.float64)
    distance = log_spectral_distance(images, images.detach())
    assert (distance == 0).all()
    distance.sum().backward()
    assert (images.grad == 0).all()
    for remove_level in (False, True):
        assert torch.autograd.gradcheck(
            lambda x, r=remove_level: log_spectral_distance(x, other, remove_level=r), (images,)
        )


def test_an_item_gives_the_same_bits_alone_and_in_a_batch():
    torch.manual_seed(0)
    reference, degraded = torch.rand(2, 3, 257, 301)
    found = log_spectral_distance(reference, degraded)
    for row in range(3):
        assert torch.equal(log_spectral_distance(reference[row], degraded[row]), found[row])


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        log_spectral_distance(torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(TypeError, match="floating point"):
        log_spectral_distance(torch.zeros(2, 3), torch.zeros(2, 3).long())
