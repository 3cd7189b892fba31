"""Quantisation: the closed forms that it has, where soft and hard agree, and what bits cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.special import softmax

from skperceptual.functional import from_codes, max_entropy_bits, quantize, to_codes

GRID = torch.linspace(-1.2, 1.2, 4001)

several_centers = st.lists(st.integers(-40, 40), min_size=1, max_size=6, unique=True).map(
    lambda whole: tuple(sorted(number / 16 for number in whole))
)


@pytest.mark.parametrize("scale", [0.5, 10.0, 100.0])
def test_two_centers_are_a_hyperbolic_tangent(scale):
    expected = torch.tanh(2 * scale * GRID.double())
    np.testing.assert_allclose(quantize(GRID, scale=scale), expected, atol=1e-6)
    np.testing.assert_allclose(quantize(GRID.double(), scale=scale), expected, atol=1e-14)


@given(several_centers, st.floats(0.01, 50))
def test_soft_assignment_is_equation_1(centers, scale):
    z = np.linspace(-2, 2, 101)
    weights = softmax(-scale * (z[:, None] - np.array(centers)) ** 2, axis=1)
    found = quantize(torch.tensor(z), centers=centers, scale=scale)
    np.testing.assert_allclose(found, weights @ np.array(centers), atol=1e-12)


@given(several_centers)
def test_hard_assignment_takes_the_nearest_center(centers):
    z = np.linspace(-3, 3, 997) + np.pi / 1000  # no ties
    distances = np.abs(z[:, None] - np.array(centers))
    codes = to_codes(torch.tensor(z), centers=centers)
    assert codes.dtype == torch.int8
    np.testing.assert_array_equal(codes, distances.argmin(axis=1))
    hard = quantize(torch.tensor(z), centers=centers, quantization="hard")
    np.testing.assert_array_equal(hard, np.array(centers)[distances.argmin(axis=1)])
    np.testing.assert_array_equal(from_codes(codes, centers=centers, dtype=torch.float64), hard)


def test_ties():
    assert quantize(torch.zeros(1)).item() == 0
    assert quantize(torch.zeros(1), quantization="hard").item() == 1
    assert quantize(GRID, centers=(0.25,)).unique().tolist() == [0.25]


def test_soft_becomes_hard_as_the_scale_grows():
    z = GRID[GRID.abs() > 0.01]
    sharp = quantize(z, scale=1e4)
    np.testing.assert_allclose(sharp, quantize(z, quantization="hard"), atol=1e-6)


@pytest.mark.parametrize("centers", [(-1, 1), (-1, 0, 1), (0, 0.3, 2)])
def test_straight_through_has_hard_values_and_soft_gradients(centers):
    gradients = {}
    for quantization in ("soft", "hard", "ste"):
        z = GRID.double().clone().requires_grad_()
        quantized = quantize(z, centers=centers, quantization=quantization)
        if quantized.requires_grad:
            (quantized * torch.arange(len(z))).sum().backward()
        gradients[quantization] = z.grad
    hard = quantize(GRID.double(), centers=centers, quantization="hard")
    found = quantize(GRID.double(), centers=centers, quantization="ste")
    assert torch.equal(found, hard)
    assert torch.equal(gradients["ste"], gradients["soft"])
    assert gradients["hard"] is None
    assert gradients["soft"].abs().max() > 0


def test_gradients_are_finite_far_away():
    z = torch.tensor([-1e4, -5.0, 0.0, 5.0, 1e4], requires_grad=True)
    quantize(z, scale=100.0).sum().backward()
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize(
    ("width", "height", "n", "m", "L", "bits"),
    [
        (256, 256, 4, 128, 2, 32768),
        (256, 256, 4, 64, 2, 16384),
        (256, 256, 3, 128, 2, 131072),
        (256, 256, 4, 128, 4, 65536),
        (128, 128, 4, 128, 2, 8192),
        (250, 241, 4, 128, 2, 32768),  # padded
    ],
)
def test_bound_of_the_entropy(width, height, n, m, L, bits):
    found = max_entropy_bits(n_bands=height, n_frames=width, n_layers=n, n_filters=m, n_centers=L)
    assert found == bits


@pytest.mark.parametrize("centers", [(), (1, -1), (0, 0), (0, float("nan")), tuple(range(128))])
def test_centers_that_cannot_be(centers):
    for function in (quantize, to_codes):
        with pytest.raises(ValueError, match="finite numbers in rising order, 127 at most"):
            function(GRID, centers=centers)


def test_unknown_quantization():
    with pytest.raises(ValueError, match="quantization='round' is unknown"):
        quantize(GRID, quantization="round")
