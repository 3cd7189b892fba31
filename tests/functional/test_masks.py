"""Level and masks against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.ndimage import gaussian_filter

from skperceptual.functional import mask_roughness, remove_level, smooth_masks

IMAGES = np.random.default_rng(0).standard_normal((2, 20, 30))


def test_level_is_the_root_mean_square():
    magnitudes = np.exp(IMAGES)
    level = np.sqrt((magnitudes**2).mean(axis=(1, 2), keepdims=True))
    expected = np.log(magnitudes / level + 10 ** (-40 / 20))
    found = remove_level(torch.from_numpy(IMAGES), dynamic_range_db=40.0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@given(gain=st.floats(-20, 20))
def test_a_gain_is_removed_with_its_floor(gain):
    images = torch.from_numpy(IMAGES)
    torch.testing.assert_close(remove_level(images + gain), remove_level(images))


def test_what_is_far_below_the_level_makes_no_difference():
    images = torch.from_numpy(IMAGES).clone()
    images[:, 3] = -20.0
    quieter = images.clone()
    quieter[:, 3] = -40.0
    torch.testing.assert_close(remove_level(images), remove_level(quieter), atol=1e-5, rtol=0)


def test_roughness_by_hand():
    masks = torch.from_numpy(IMAGES)
    over_bands, over_frames = np.diff(IMAGES, axis=1), np.diff(IMAGES, axis=2)
    expected = {
        "variance": IMAGES.var(axis=(1, 2)),
        "tv": np.abs(over_bands).mean(axis=(1, 2)) + np.abs(over_frames).mean(axis=(1, 2)),
        "tikhonov": (over_bands**2).mean(axis=(1, 2)) + (over_frames**2).mean(axis=(1, 2)),
    }
    for kind, values in expected.items():
        np.testing.assert_allclose(mask_roughness(masks, kind).numpy(), values)
    with pytest.raises(ValueError, match="kind='wavy'"):
        mask_roughness(masks, "wavy")


def test_variance_is_blind_to_order_and_the_others_are_not():
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.standard_normal((64, 64)), 4)
    shuffled = rng.permutation(smooth.ravel()).reshape(64, 64)
    ratios = {
        kind: (
            mask_roughness(torch.from_numpy(shuffled), kind)
            / mask_roughness(torch.from_numpy(smooth), kind)
        ).item()
        for kind in ("variance", "tv", "tikhonov")
    }
    assert ratios["variance"] == pytest.approx(1)
    assert ratios["tv"] > 5
    assert ratios["tikhonov"] > 25


def test_smoothing_is_that_of_scipy():
    expected = [gaussian_filter(image, (2, 3), mode="nearest", truncate=3) for image in IMAGES]
    found = smooth_masks(torch.from_numpy(IMAGES), (2.0, 3.0)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert smooth_masks(torch.from_numpy(IMAGES), (0.0, 0.0)).numpy() == pytest.approx(IMAGES)


def test_masks_of_one_band_or_frame():
    for shape in ((1, 1, 5), (1, 5, 1), (1, 1, 1)):
        mask = torch.ones(shape)
        assert mask_roughness(mask).item() == 0
        torch.testing.assert_close(smooth_masks(mask, (4.0, 7.0)), mask)
