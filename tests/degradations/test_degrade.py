"""Signals to pairs, as a step."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, MelSpectrogram, Resample
from skperceptual.degradations import Degrade, MuLaw, PacketLoss, WhiteNoise


@pytest.fixture
def signals(rng):
    return rng.uniform(-0.5, 0.5, size=(6, 2000)) * np.linspace(0.1, 1, 6)[:, np.newaxis]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_of_arrays_and_lists(signals, dtype):
    X = signals.astype(dtype)
    step = Degrade(WhiteNoise(random_state=0))
    pairs = step.fit_transform(X)
    assert (pairs.shape, pairs.dtype) == ((6, 2, 2000), dtype)
    assert_array_equal(pairs[:, 0], X)
    assert_array_equal(pairs[:, 1], WhiteNoise(random_state=0).transform(X))
    ragged = [X[0], X[1, :500]]
    found = step.transform(ragged)
    assert isinstance(found, list)
    assert [(pair.shape, pair.dtype) for pair in found] == [((2, 2000), dtype), ((2, 500), dtype)]
    assert_array_equal(found[0], pairs[0])


def test_without_a_degradation_both_are_equal(signals):
    pairs = Degrade().transform(signals)
    assert_array_equal(pairs[:, 0], pairs[:, 1])


def test_several_degradations_in_a_row(signals):
    chain = make_pipeline(MuLaw(n_bits=5), PacketLoss(severity=1.0, random_state=0))
    pairs = Degrade(chain).transform(signals)
    coded = MuLaw(n_bits=5).transform(signals)
    expected = PacketLoss(severity=1.0, random_state=0).transform(coded)
    assert_array_equal(pairs[:, 1], expected)


def test_a_step_of_a_pipeline_in_cross_validation(signals):
    front_end = MelSpectrogram(n_fft=256, hop_length=128, n_mels=8)
    metric = make_pipeline(
        Degrade(WhiteNoise(random_state=0)), front_end, MSE(), LinearRegression()
    )
    y = np.arange(6.0)
    assert cross_val_score(metric, signals, y, cv=2, error_score="raise").shape == (2,)
    softer = clone(metric).set_params(degrade__degradation__severity=0.0)
    first, second = (m[:-1].fit_transform(signals) for m in (softer, metric))
    assert (first < second).all()


def test_what_is_no_degradation():
    x = np.zeros((2, 100))
    with pytest.raises(ValueError, match="'degradation' parameter of Degrade"):
        Degrade("white_noise").fit(x)
    with pytest.raises(TypeError, match=r"got the class. Write WhiteNoise\(\)"):
        Degrade(WhiteNoise).transform(x)


def test_other_lengths_are_refused(signals):
    halve = Resample(orig_sr=16000, target_sr=8000)
    for X in (signals, list(signals)):
        with pytest.raises(
            ValueError, match=r"Resample makes signals of shape \(1000,\) from .*2000"
        ):
            Degrade(halve).transform(X)
    with pytest.raises(ValueError, match="PCA makes signals of shape"):
        Degrade(PCA(2).fit(signals)).transform(signals)


def test_pairs_are_refused(signals):
    with pytest.raises(ValueError, match="Expected signals of shape"):
        Degrade(MuLaw()).transform(signals.reshape(3, 2, 2000))
