"""SSIM as an estimator: the function's numbers, in pipelines, and its parts."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skperceptual import SSIM
from skperceptual.full_reference.contributions import spread_window
from skperceptual.functional import ssim


@pytest.fixture
def pairs(rng):
    reference = rng.random((3, 40, 50))
    degraded = reference + rng.normal(scale=[[[0.02]], [[0.1]], [[0.4]]], size=(3, 40, 50))
    return np.stack([reference, degraded], axis=1)


@pytest.mark.parametrize("parameters", [{}, {"data_range": 3.0, "window_size": 7, "sigma": 1.0}])
def test_gives_the_numbers_of_the_function(pairs, parameters):
    expected = ssim(torch.tensor(pairs[:, 0]), torch.tensor(pairs[:, 1]), **parameters)
    found = SSIM(**parameters).fit_transform(pairs)
    assert found.shape == (3, 1)
    np.testing.assert_array_equal(found[:, 0], expected)


def test_equals_scikit_image_on_the_conformance_images(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())
    rtol = cases["tolerance"]["ssim"]["float64_rtol"]
    names = ["p15_melA_chirps_noise", "p17_melB_pluck_noise", "p19_melB_chirps_bits4"]
    with np.load(shared / "cases" / "images.npz") as arrays:
        for name in names:
            pair = np.stack([arrays[f"{name}__ref"], arrays[f"{name}__dist"]])
            expected = cases["ssim"][name]["ssim"]["skimage"]
            found = SSIM().transform(pair[np.newaxis].astype(np.float64))[0, 0]
            assert found == pytest.approx(expected, rel=rtol)


def test_float32_images_agree_with_float64(pairs):
    single = pairs.astype(np.float32)
    found = SSIM().transform(single)
    assert found.dtype == np.float32
    exact = SSIM().transform(single.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_contributions_of_float32_images_agree_with_float64(pairs):
    single = pairs.astype(np.float32)
    single[1, 1] = single[1, 0]
    for by in ("level", "band"):
        found = SSIM().contributions(single, by=by)
        assert found.dtype == np.float32
        assert (found[1] == 0).all()
        exact = SSIM().contributions(single.astype(np.float64), by=by)
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-8)


def test_strided_float32_images_give_the_same_bits(pairs):
    single = pairs.astype(np.float32)
    strided = np.asfortranarray(single)
    expected = SSIM().transform(single)
    np.testing.assert_array_equal(SSIM().transform(strided), expected)


def test_rises_with_quality(pairs):
    scores = SSIM().fit_transform(pairs)[:, 0]
    assert (np.diff(scores) < 0).all()
    identical = np.repeat(pairs[:, :1], 2, axis=1)
    np.testing.assert_array_equal(SSIM().transform(identical), 1)


def test_a_list_of_pairs_of_different_length_gives_the_same_bits(pairs):
    ragged = [pair[..., : 50 - 7 * row] for row, pair in enumerate(pairs)]
    found = SSIM().transform(ragged)
    for row, pair in enumerate(ragged):
        np.testing.assert_array_equal(found[row], SSIM().transform(pair[np.newaxis])[0])


@pytest.mark.parametrize("parameters", [{}, {"window_size": 3}])
def test_contributions_add_up_to_what_is_missing_to_one(pairs, parameters):
    metric = SSIM(**parameters)
    loss = 1 - metric.transform(pairs)
    np.testing.assert_allclose(metric.contributions(pairs), loss, rtol=1e-12)
    bands = metric.contributions(pairs, by="band")
    assert bands.shape == (3, 40)
    np.testing.assert_allclose(bands.sum(axis=1), loss[:, 0], rtol=1e-12)
    assert (bands >= 0).all()


def test_contributions_point_at_the_damaged_bands(rng):
    reference = rng.random((40, 50))
    degraded = reference.copy()
    degraded[30:33] = rng.random((3, 50))
    bands = SSIM().contributions(np.stack([reference, degraded])[np.newaxis], by="band")[0]
    assert bands.argmax() in range(28, 35)
    assert (bands[:20] == 0).all()


def test_contributions_of_images_below_the_window(rng):
    pairs = rng.random((1, 2, 6, 30))
    with pytest.warns(UserWarning, match="a side of 6, less than window_size=11"):
        bands = SSIM().contributions(pairs, by="band")
    with pytest.warns(UserWarning, match="a side of 6, less than window_size=11"):
        loss = 1 - SSIM().transform(pairs)
    assert bands.shape == (1, 6)
    np.testing.assert_allclose(bands.sum(axis=1), loss[0], rtol=1e-12)


def test_spreading_a_window_keeps_the_total(rng):
    taps = rng.random(5)
    parts = rng.random(9)
    found = spread_window(parts, taps / taps.sum())
    assert found.shape == (13,)
    assert found.sum() == pytest.approx(parts.sum())


@pytest.mark.parametrize(
    "parameters",
    [{"data_range": 0.0}, {"window_size": 8}, {"window_size": 0}, {"sigma": -1.0}],
)
def test_bad_parameters_are_refused(pairs, parameters):
    with pytest.raises(ValueError, match=f"The '{next(iter(parameters))}' parameter of SSIM"):
        SSIM(**parameters).fit(pairs)


def test_names_pickle_and_clone(pairs):
    metric = SSIM(window_size=9).fit(pairs)
    assert list(metric.get_feature_names_out()) == ["ssim"]
    for copy in (pickle.loads(pickle.dumps(metric)), clone(metric)):
        np.testing.assert_array_equal(copy.transform(pairs), metric.transform(pairs))
