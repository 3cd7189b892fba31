"""MS-SSIM as an estimator: the function's numbers, small images, and its parts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline, make_union

from skperceptual import MSE, MSSSIM, SSIM
from skperceptual.functional import ms_ssim

SMALL = {"window_size": 5, "weights": (0.2, 0.3, 0.5)}


@pytest.fixture
def pairs(rng):
    reference = rng.random((3, 37, 50))
    degraded = reference + rng.normal(scale=[[[0.02]], [[0.1]], [[0.4]]], size=(3, 37, 50))
    return np.stack([reference, degraded], axis=1)


def test_gives_the_numbers_of_the_function(pairs):
    expected = ms_ssim(torch.tensor(pairs[:, 0]), torch.tensor(pairs[:, 1]), **SMALL)
    found = MSSSIM(**SMALL).fit_transform(pairs)
    assert found.shape == (3, 1)
    np.testing.assert_array_equal(found[:, 0], expected)
    assert (np.diff(found[:, 0]) < 0).all()
    assert list(MSSSIM().get_feature_names_out()) == ["msssim"]


def test_equals_pytorch_msssim_on_the_conformance_images(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())
    names = ["p17_melB_pluck_noise", "p18_melB_pluck_down4", "p19_melB_chirps_bits4"]
    with np.load(shared / "cases" / "images.npz") as arrays:
        pairs = np.stack(
            [[arrays[f"{name}__ref"], arrays[f"{name}__dist"]] for name in names]
        ).astype(np.float64)
    expected = [cases["ssim"][name]["ms_ssim"]["pytorch_msssim"] for name in names]
    # that package's window is float32
    np.testing.assert_allclose(MSSSIM().transform(pairs)[:, 0], expected, atol=1e-5)


def test_float32_images_agree_with_float64(pairs):
    single = pairs.astype(np.float32)
    found = MSSSIM(**SMALL).transform(single)
    assert found.dtype == np.float32
    exact = MSSSIM(**SMALL).transform(single.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_contributions_of_float32_images_agree_with_float64(pairs):
    single = pairs.astype(np.float32)
    single[1, 1] = single[1, 0]
    for by in ("level", "band"):
        found = MSSSIM(**SMALL).contributions(single, by=by)
        assert found.dtype == np.float32
        assert (found[1] == 0).all()
        exact = MSSSIM(**SMALL).contributions(single.astype(np.float64), by=by)
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-8)


def test_strided_float32_images_give_the_same_bits(pairs):
    single = pairs.astype(np.float32)
    strided = np.asfortranarray(single)
    expected = MSSSIM(**SMALL).transform(single)
    np.testing.assert_array_equal(MSSSIM(**SMALL).transform(strided), expected)


def test_small_images_use_the_scales_that_fit_with_a_warning(pairs):
    with pytest.warns(
        UserWarning,
        match="too small for window_size=11 at 5 scales: 2 with a window of 11 are used",
    ):
        found = MSSSIM().transform(pairs)
    assert ((found > 0) & (found < 1)).all()


def test_one_warning_a_call_says_when_scales_differ(rng):
    pairs = [rng.random((2, 64, n_frames)) for n_frames in (30, 30, 64)]
    with pytest.warns(UserWarning, match="do not compare between them") as caught:
        MSSSIM().fit_transform(pairs)
    assert len(caught) == 1


@pytest.mark.parametrize("weights", [[-1.0], [], np.ones((2, 2)), [np.nan]])
def test_wrong_weights_are_refused_by_fit(pairs, weights):
    with pytest.raises(ValueError, match="weights should be positive numbers"):
        MSSSIM(weights=weights).fit(pairs)


def test_contributions_add_up_to_what_is_missing_to_one(pairs):
    metric = MSSSIM(**SMALL)
    loss = 1 - metric.transform(pairs)[:, 0]
    levels = metric.contributions(pairs)
    bands = metric.contributions(pairs, by="band")
    assert levels.shape == (3, 3)
    assert bands.shape == (3, 37)
    for parts in (levels, bands):
        assert (parts >= 0).all()
        np.testing.assert_allclose(parts.sum(axis=1), loss, rtol=1e-12)


def test_contributions_of_identical_and_of_opposite_images(rng):
    reference = rng.random((37, 50))
    pairs = np.stack([[reference, reference], [reference, 1 - reference]])
    levels = MSSSIM(**SMALL).contributions(pairs)
    bands = MSSSIM(**SMALL).contributions(pairs, by="band")
    assert (levels[0] == 0).all()
    assert (bands[0] == 0).all()
    # Every term is clipped to 0 and shares the whole loss of 1.
    np.testing.assert_allclose(levels[1], 1 / 3, rtol=1e-12)
    assert bands[1].sum() == pytest.approx(1)


def test_float32_images_of_opposite_sign_score_0(rng):
    reference = rng.random((37, 50), dtype=np.float32)
    pair = np.stack([reference, 1 - reference])[np.newaxis]
    assert MSSSIM(**SMALL).transform(pair) == 0
    np.testing.assert_allclose(MSSSIM(**SMALL).contributions(pair), 1 / 3, rtol=1e-6)


def test_contributions_point_at_the_damaged_bands_and_scale(rng):
    reference = rng.random((64, 64))
    fine, coarse = reference.copy(), reference.copy()
    fine[40:48] += 0.3 * (-1.0) ** np.add(*np.indices((8, 64)))  # a checkerboard: one pixel
    coarse[40:48] += 0.3 * (-1.0) ** (np.indices((8, 64))[1] // 4)
    pairs = np.stack([[reference, fine], [reference, coarse]])
    levels = MSSSIM(**SMALL).contributions(pairs)
    bands = MSSSIM(**SMALL).contributions(pairs, by="band")
    assert (bands.argmax(axis=1) >= 38).all()
    assert (bands.argmax(axis=1) < 50).all()
    shares = levels / levels.sum(axis=1, keepdims=True)
    assert shares[0, 0] > shares[1, 0]
    assert shares[0, 2] < shares[1, 2]


def test_weights_may_be_any_sequence(pairs):
    expected = MSSSIM(**SMALL).transform(pairs)
    for weights in ([0.2, 0.3, 0.5], np.array([0.2, 0.3, 0.5])):
        metric = clone(MSSSIM(window_size=5, weights=weights))
        np.testing.assert_array_equal(metric.transform(pairs), expected)


def test_bad_parameters_are_refused(pairs):
    with pytest.raises(ValueError, match="The 'window_size' parameter of MSSSIM"):
        MSSSIM(window_size=10).fit(pairs)
    with pytest.raises(ValueError, match="weights should be positive numbers"):
        MSSSIM(weights=(0.5, -0.5)).transform(pairs)


def test_metrics_join_into_features(pairs):
    union = make_union(MSE(), SSIM(), MSSSIM(**SMALL))
    model = make_pipeline(union, LinearRegression()).fit(pairs, [5.0, 3.0, 1.0])
    assert list(union.get_feature_names_out()) == ["mse__mse", "ssim__ssim", "msssim__msssim"]
    np.testing.assert_allclose(model.predict(pairs), [5.0, 3.0, 1.0])
