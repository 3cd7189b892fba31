"""Divisive normalisation and its published weights."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from skperceptual.functional import (
    divisive_normalization,
    neighborhood_sum,
    resolve_normalization,
)


@pytest.mark.parametrize(("border", "mode"), [("zeros", "constant"), ("reflect", "mirror")])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_neighborhood_sum_is_a_correlation(rng, border, mode, k):
    magnitude, weights = rng.random((9, 13)), rng.random((k, k))
    ours = neighborhood_sum(torch.tensor(magnitude), torch.tensor(weights), border=border)
    np.testing.assert_allclose(ours.numpy(), correlate(magnitude, weights, mode=mode), atol=1e-13)


def test_division(rng):
    band, weights = rng.standard_normal((2, 9, 13)), rng.random((5, 5))
    ours = divisive_normalization(torch.tensor(band), torch.tensor(weights), 0.1).numpy()
    for item in range(2):
        around = correlate(np.abs(band[item]), weights, mode="constant")
        np.testing.assert_allclose(ours[item], band[item] / (0.1 + around), rtol=1e-12)


def test_the_printed_weights_of_2016_act_turned_by_180_degrees():
    filters, sigmas = resolve_normalization("image", 6)
    finest = np.zeros((5, 5))
    finest[3, 2], finest[1, 2] = 0.1011, 0.1015  # printed "up" acts on the band below
    finest[2, 3], finest[2, 1], finest[2, 0] = 0.1493, 0.1460, 0.0072
    np.testing.assert_array_equal(filters[0], finest)
    np.testing.assert_array_equal(sigmas, [0.0248, 0.0185, 0.0179, 0.0191, 0.0220, 0.2782])


def test_hepburn_keeps_the_printed_orientation_and_loses_the_far_tap():
    filters, _ = resolve_normalization("image", 6, convention="hepburn")
    assert filters[0, 1, 2] == 0.1011
    assert filters[0, 2, 1] == 0.1493
    assert filters[0, 2, 4] == filters[0, 2, 0] == 0


def test_three_by_three_drops_only_the_far_tap():
    small, _ = resolve_normalization("image", 6, kernel_size=3)
    large, _ = resolve_normalization("image", 6, kernel_size=5)
    np.testing.assert_array_equal(small, large[:, 1:4, 1:4])
    assert large.sum() - small.sum() == pytest.approx(0.0072)


@pytest.mark.parametrize("n_levels", [1, 2, 4, 6, 8])
def test_other_numbers_of_levels_repeat_the_fifth_band_and_keep_the_residual(n_levels):
    filters, sigmas = resolve_normalization("image", n_levels)
    published, published_sigmas = resolve_normalization("image", 6)
    picked = [*[min(level, 4) for level in range(n_levels - 1)], 5]
    np.testing.assert_array_equal(filters, published[picked])
    np.testing.assert_array_equal(sigmas, published_sigmas[picked])


def test_weights_of_2017_sum_as_published():
    filters, sigmas = resolve_normalization("image", 6, convention="laparra2017")
    np.testing.assert_allclose(filters.sum(axis=(1, 2)), [1.01] * 5 + [1.0])
    np.testing.assert_array_equal(filters[0], filters[0].T)
    np.testing.assert_array_equal(sigmas, [0.17] * 5 + [4.86])
    with pytest.raises(ValueError, match="kernel_size=5"):
        resolve_normalization("image", 6, kernel_size=3, convention="laparra2017")


@pytest.mark.parametrize(
    ("normalization", "message"),
    [
        ("perceptual", "'image', None or a pair"),
        ((np.ones((5, 3, 3)), np.ones(6)), "n_levels=6"),
        ((np.ones((6, 4, 4)), np.ones(6)), "k odd"),
        ((-np.ones((6, 3, 3)), np.ones(6)), "weights >= 0"),
        ((np.ones((6, 3, 3)), np.zeros(6)), "sigmas > 0"),
        ((np.ones((6, 3, 3)), np.full(6, np.nan)), "sigmas > 0"),
        ((np.ones((6, 3, 3)), np.full(6, np.inf)), "sigmas > 0"),
        ((np.ones((6, 3, 3)),), r"pair \(filters, sigmas\)"),
    ],
)
def test_wrong_normalizations_are_refused(normalization, message):
    with pytest.raises(ValueError, match=message):
        resolve_normalization(normalization, 6)


@pytest.mark.parametrize("kernel_size", [1, 4])
def test_a_kernel_without_neighbours_or_centre_is_refused(kernel_size):
    with pytest.raises(ValueError, match="odd and at least 3"):
        resolve_normalization("image", 6, kernel_size=kernel_size)


def test_unknown_border_is_refused():
    with pytest.raises(ValueError, match="'zeros' or 'reflect'"):
        neighborhood_sum(torch.rand(8, 8), torch.rand(3, 3), border="wrap")


def test_a_level_too_small_to_be_mirrored_is_refused():
    with pytest.raises(ValueError, match="smaller kernel_size"):
        neighborhood_sum(torch.rand(3, 9), torch.rand(7, 7), border="reflect")
