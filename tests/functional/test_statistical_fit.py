"""The statistical fit of divisive normalisation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy.optimize import lsq_linear

from skperceptual.functional import (
    NeighborhoodMoments,
    fit_normalization,
    laplacian_pyramid,
    neighborhood_sum,
)


def spectrogram_like(rng, shape=(40, 60)):
    """Smooth along time, rough along frequency, not negative."""
    rough = rng.random((shape[0], 1)) ** 4
    drift = np.cumsum(rng.standard_normal(shape), axis=1)
    drift -= drift.min()
    return rough * drift / drift.max() + 0.02 * rng.random(shape)


def design(bands, k):
    """All neighbourhoods of a level as rows, the centre as target."""
    rows = [
        sliding_window_view(np.pad(np.abs(band), k // 2), (k, k)).reshape(-1, k * k)
        for band in bands
    ]
    matrix = np.concatenate(rows)
    center = k * k // 2
    return np.delete(matrix, center, axis=1), matrix[:, center]


@pytest.mark.parametrize("k", [3, 5])
def test_equals_bounded_least_squares_on_the_whole_data(rng, k):
    images = [spectrogram_like(rng) for _ in range(3)]
    pyramids = [laplacian_pyramid(torch.tensor(image), 3) for image in images]
    filters, sigmas = fit_normalization(pyramids, "statistical", 3, kernel_size=k)
    for level in range(3):
        neighbors, target = design([pyramid[level].numpy() for pyramid in pyramids], k)
        assert sigmas[level] == pytest.approx(target.mean(), rel=1e-12)  # equation 3
        best = lsq_linear(neighbors, target - sigmas[level], bounds=(0, np.inf), tol=1e-14).x
        weights = filters[level].ravel()
        assert weights[k * k // 2] == 0
        np.testing.assert_allclose(np.delete(weights, k * k // 2), best, atol=1e-6)


def test_loss_is_equation_4(rng):
    moments = NeighborhoodMoments(kernel_size=3)
    band = torch.tensor(rng.standard_normal((12, 17)))
    moments.add([band])
    filters, sigma = rng.random((1, 3, 3)), np.array([0.3])
    predicted = sigma[0] + neighborhood_sum(band.abs(), torch.tensor(filters[0]))
    expected = (band.abs() - predicted).square().mean().item()
    assert moments.loss(filters, sigma)[0] == pytest.approx(expected, rel=1e-10)


@given(seed=st.integers(0, 2**31), n_levels=st.integers(2, 4))
@settings(max_examples=25)
def test_denominators_stay_positive(seed, n_levels):
    rng = np.random.default_rng(seed)
    train, test = spectrogram_like(rng), rng.standard_normal((40, 60))
    filters, sigmas = fit_normalization(
        [laplacian_pyramid(torch.tensor(train), n_levels)], "statistical", n_levels
    )
    assert (filters >= 0).all()
    for level, band in enumerate(laplacian_pyramid(torch.tensor(test), n_levels)):
        around = neighborhood_sum(band.abs(), torch.tensor(filters[level]))
        # Adding nothing negative to sigma: up to the rounding of the convolution.
        assert (sigmas[level] + around).min() >= sigmas[level] * (1 - 1e-12)


def test_the_minimum_cannot_be_improved_by_any_small_step(rng):
    moments = NeighborhoodMoments(kernel_size=5)
    for _ in range(3):
        moments.add(laplacian_pyramid(torch.tensor(spectrogram_like(rng)), 3))
    filters, sigmas = moments.solve()
    best = moments.loss(filters, sigmas)
    for _ in range(200):
        step = 1e-3 * rng.standard_normal(filters.shape)
        step[:, 2, 2] = 0
        moved = np.maximum(filters + step, 0)
        assert (moments.loss(moved, sigmas) >= best - 1e-15).all()


def test_ones_need_only_the_mean_magnitude(rng):
    pyramid = laplacian_pyramid(torch.tensor(spectrogram_like(rng)), 3)
    filters, sigmas = fit_normalization([pyramid], "ones", 3, kernel_size=3)
    np.testing.assert_array_equal(filters, np.ones((3, 3, 3)))
    np.testing.assert_allclose(sigmas, [band.abs().mean().item() for band in pyramid])


def test_order_of_the_references_does_not_matter(rng):
    pyramids = [laplacian_pyramid(torch.tensor(spectrogram_like(rng)), 3) for _ in range(4)]
    forth = fit_normalization(pyramids, "statistical", 3)
    back = fit_normalization(pyramids[::-1], "statistical", 3)
    for one, other in zip(forth, back, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_memory_does_not_grow_with_the_data(rng):
    moments = NeighborhoodMoments()
    sizes = []
    for _ in range(3):
        moments.add(laplacian_pyramid(torch.tensor(spectrogram_like(rng)), 3))
        sizes.append(
            sum(
                np.size(part)
                for parts in vars(moments).values()
                if isinstance(parts, list)
                for part in parts
            )
        )
    assert sizes[0] == sizes[-1] == 3 * (625 + 25 + 1)


@pytest.mark.parametrize("normalization", ["ones", "statistical"])
def test_silent_references_are_refused(normalization):
    silent = [laplacian_pyramid(torch.zeros(32, 32), 3)]
    with pytest.raises(ValueError, match="silent"):
        fit_normalization(silent, normalization, 3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_level_of_one_pixel_stays_silent(rng, dtype):
    image, other = torch.tensor(rng.random((2, 8, 8)), dtype=dtype)
    pyramid = laplacian_pyramid(image, 6)
    filters, sigmas = fit_normalization([pyramid], "statistical", 6)
    assert (filters[3:] == 0).all()  # no neighbours
    assert sigmas[3] == sigmas[4] == sigmas.max()  # 1 x 1 band-pass levels hold only rounding
    bands = laplacian_pyramid(other, 6)
    assert abs(bands[3].item() / sigmas[3]) < 1e-6
