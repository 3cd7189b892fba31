"""NSIM as an estimator: bands, their mean, their names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.svm import NuSVR

from skperceptual import NSIM, GammatoneSpectrogram
from skperceptual.functional import nsim


@pytest.fixture
def pairs(rng):
    references = 45 * rng.random((3, 6, 20))
    return np.stack([references, references + rng.standard_normal((3, 6, 20))], axis=1)


def test_bands_are_those_of_the_function(pairs):
    expected = nsim(torch.tensor(pairs[:, 0]), torch.tensor(pairs[:, 1])).numpy()
    np.testing.assert_allclose(NSIM().fit_transform(pairs), expected, rtol=1e-11)
    mean = NSIM(pooling="mean").fit_transform(pairs)
    np.testing.assert_allclose(mean[:, 0], expected.mean(axis=1), rtol=1e-11)


def test_data_range_scales_with_the_images(pairs):
    np.testing.assert_allclose(
        NSIM(data_range=1.0).fit_transform(pairs / 45),
        NSIM(data_range=45.0).fit_transform(pairs),
        rtol=1e-9,
    )


def test_features_are_named_by_frequency(pairs):
    metric = NSIM(frequencies=[50, 100, 200, 400, 800, 1600])
    names = ["nsim_50hz", "nsim_100hz", "nsim_200hz", "nsim_400hz", "nsim_800hz", "nsim_1600hz"]
    assert metric.get_feature_names_out().tolist() == names
    assert list(metric.set_output(transform="pandas").fit_transform(pairs).columns) == names
    assert NSIM().fit(pairs).get_feature_names_out().tolist() == [f"nsim_{k}" for k in range(6)]
    assert NSIM(pooling="mean").get_feature_names_out().tolist() == ["nsim"]


def test_contributions_are_those_of_the_mean(pairs):
    metric = NSIM(pooling="mean").fit(pairs)
    bands = metric.contributions(pairs, by="band")
    np.testing.assert_allclose(bands, (1 - NSIM().fit_transform(pairs)) / 6)
    assert not hasattr(NSIM(), "contributions")


def test_numbers_of_bands_that_differ_are_refused(pairs):
    items = [*pairs, pairs[0, :, :4]]
    with pytest.raises(ValueError, match=r"Expected images of 6 bands, .* pair 3 has 4"):
        NSIM().fit_transform(items)
    with pytest.raises(ValueError, match=r"Expected images of 2 bands, .* pair 0 has 6"):
        NSIM(frequencies=[50, 100]).fit_transform(pairs)
    assert NSIM(pooling="mean").fit_transform(items).shape == (4, 1)


def test_pipeline_learns_ratings(rng):
    clips = 0.1 * np.cumsum(rng.standard_normal((12, 4000)), axis=1)
    clips /= np.abs(clips).max(axis=1, keepdims=True)
    severity = np.tile([0.001, 0.01, 0.1], 4)
    noisy = clips + severity[:, np.newaxis] * rng.standard_normal((12, 4000))
    pairs = np.stack([clips, noisy], axis=1)
    metric = make_pipeline(GammatoneSpectrogram(sr=8000), NSIM(), NuSVR(C=10))
    predicted = metric.fit(pairs[:9], np.log(severity[:9])).predict(pairs[9:])
    assert (np.diff(predicted) > 0).all()
