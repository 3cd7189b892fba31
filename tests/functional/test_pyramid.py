"""The Laplacian pyramid against a plain NumPy and SciPy statement of the same operations."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.ndimage import convolve1d

from skperceptual.functional import invert_laplacian_pyramid, laplacian_pyramid, minimum_side

TAPS = np.array([0.05, 0.25, 0.4, 0.25, 0.05])


def reduce_2016(image):
    for axis in (0, 1):
        image = convolve1d(image, TAPS, axis=axis, mode="reflect")  # SciPy's name for symmetric
    return image[::2, ::2]


def expand_2016(coarse, shape):
    """Insert zeros between the samples of the edge-extended coarse image and filter."""
    for axis in (0, 1):
        coarse = np.moveaxis(coarse, axis, 0)
        extended = np.concatenate([coarse[:1], coarse, coarse[-1:]])
        stuffed = np.zeros((2 * len(extended), extended.shape[1]))
        stuffed[::2] = extended
        fine = convolve1d(stuffed, 2 * TAPS, axis=0, mode="constant")[2 : 2 + shape[axis]]
        coarse = np.moveaxis(fine, 0, axis)
    return coarse


def pyramid_2016(image, n_levels):
    levels = []
    for _ in range(n_levels - 1):
        coarse = reduce_2016(image)
        levels.append(image - expand_2016(coarse, image.shape))
        image = coarse
    return [*levels, image]


@pytest.mark.parametrize("shape", [(8, 8), (9, 14), (33, 47), (64, 65)])
def test_laparra2016_equals_the_plain_statement(rng, shape):
    image = rng.random(shape)
    levels = laplacian_pyramid(torch.tensor(image), 4)
    for level, expected in zip(levels, pyramid_2016(image, 4), strict=True):
        np.testing.assert_allclose(level.numpy(), expected, atol=1e-14)


@given(
    n_bands=st.integers(8, 70),
    n_frames=st.integers(8, 70),
    n_levels=st.integers(1, 7),
    seed=st.integers(0, 2**31),
)
def test_laparra2016_is_inverted_exactly_at_any_size(n_bands, n_frames, n_levels, seed):
    images = torch.rand(2, n_bands, n_frames, generator=torch.Generator().manual_seed(seed))
    images = images.double()
    levels = laplacian_pyramid(images, n_levels)
    assert len(levels) == n_levels
    torch.testing.assert_close(invert_laplacian_pyramid(levels), images, rtol=0, atol=1e-13)


@given(n=st.integers(33, 90), seed=st.integers(0, 2**31))
def test_laparra2017_is_inverted_up_to_the_display_gamma(n, seed):
    images = torch.rand(n, n + 1, generator=torch.Generator().manual_seed(seed)).double()
    levels = laplacian_pyramid(images, 5, convention="laparra2017")
    back = invert_laplacian_pyramid(levels, convention="laparra2017")
    torch.testing.assert_close(back, images, rtol=1e-9, atol=1e-6)


def test_hepburn_has_no_inverse():
    levels = laplacian_pyramid(torch.rand(65, 65), convention="hepburn")
    with pytest.raises(ValueError, match="no inverse"):
        invert_laplacian_pyramid(levels, convention="hepburn")


def test_hepburn_cannot_see_a_constant_offset():
    image = torch.rand(70, 70, dtype=torch.float64)
    plain, offset = (laplacian_pyramid(x, convention="hepburn") for x in (image, image + 0.1))
    for one, other in zip(plain, offset, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


@pytest.mark.parametrize("convention", ["laparra2017", "hepburn"])
@pytest.mark.parametrize("n_levels", [2, 4, 6])
def test_minimum_side_is_the_smallest_that_runs(convention, n_levels):
    side = minimum_side(n_levels, convention)
    levels = laplacian_pyramid(torch.rand(side, side), n_levels, convention=convention)
    assert all(torch.isfinite(level).all() for level in levels)
    with pytest.raises(ValueError, match=f"at least {side}"):
        laplacian_pyramid(torch.rand(side - 1, side), n_levels, convention=convention)


def test_unknown_convention_is_refused():
    with pytest.raises(ValueError, match="laparra2016, laparra2017, hepburn"):
        laplacian_pyramid(torch.rand(64, 64), convention="burt")


# The powers of "laparra2017" may round differently in the vectorised and the remaining part of a
# batch; estimators compute one image at a time for that reason.
@pytest.mark.parametrize("convention", ["laparra2016", "hepburn"])
def test_an_image_gives_the_same_bits_alone_and_in_a_batch(convention):
    images = torch.rand(3, 70, 81)
    together = laplacian_pyramid(images, convention=convention)
    for row in range(3):
        for one, many in zip(
            laplacian_pyramid(images[row], convention=convention), together, strict=True
        ):
            assert torch.equal(one, many[row])
