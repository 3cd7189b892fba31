"""Noise of every colour: its ratio, its slope, what a seed gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch
from scipy.stats import kurtosis

from skperceptual.degradations import ColoredNoise, PinkNoise, WhiteNoise

SR = 16000
CLASSES = (WhiteNoise, PinkNoise, ColoredNoise)
each_class = pytest.mark.parametrize("cls", CLASSES)


def noise_in(cls, X, **parameters):
    X = np.atleast_2d(X)
    return cls(random_state=0, **parameters).transform(X) - X


def rms(x):
    return np.sqrt(np.mean(np.square(x), axis=-1))


@each_class
def test_ladder(cls):
    values = [cls(severity=severity).physical_value for severity in (0.0, 0.25, 0.5, 1.0)]
    assert values == [40, 30, 20, 0]


@each_class
@given(snr_db=st.floats(-40, 90), level=st.floats(1e-4, 10), seed=st.integers(0, 50))
def test_the_ratio_is_exact(cls, snr_db, level, seed):
    x = level * np.random.default_rng(seed).uniform(-1, 1, size=300)
    found = 20 * np.log10(rms(x) / rms(noise_in(cls, x, snr_db=snr_db)[0]))
    assert found == pytest.approx(snr_db, abs=1e-4)


@each_class
def test_severities_scale_one_noise(cls, rng):
    x = rng.uniform(-1, 1, size=800)
    mild, strong = (noise_in(cls, x, snr_db=snr_db) for snr_db in (30.0, 10.0))
    assert_allclose(strong, 10 * mild, rtol=1e-6, atol=1e-12)


@each_class
def test_signals_have_noise_of_their_own(cls, rng):
    X = rng.uniform(-1, 1, size=(3, 4000))
    noise = noise_in(cls, X)
    assert np.abs(np.corrcoef(noise) - np.eye(3)).max() < 0.8
    assert_array_equal(noise_in(cls, X[::-1]), noise[::-1])
    other = cls(random_state=1).transform(X) - X
    assert not np.isclose(other, noise, rtol=1e-3).all()


@each_class
def test_silence_stays_silence(cls):
    assert_array_equal(noise_in(cls, np.zeros(500)), np.zeros((1, 500)))


def test_white_noise_is_gaussian_and_flat(rng):
    x = rng.uniform(-1, 1, size=20 * SR)
    noise = noise_in(WhiteNoise, x, snr_db=0.0)[0]
    assert abs(kurtosis(noise)) < 0.05
    assert slope_db_an_octave(noise) == pytest.approx(0, abs=0.1)


def slope_db_an_octave(noise):
    frequencies, density = welch(noise, fs=SR, nperseg=4096)
    used = (frequencies > 60) & (frequencies < 7800)
    return np.polyfit(np.log2(frequencies[used]), 10 * np.log10(density[used]), 1)[0]


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
def test_slope_of_coloured_noise(exponent, rng):
    x = rng.uniform(-1, 1, size=20 * SR)
    noise = noise_in(ColoredNoise, x, snr_db=0.0, exponent=exponent)[0]
    expected = -exponent * 10 * np.log10(2)
    assert slope_db_an_octave(noise) == pytest.approx(expected, abs=0.15)


def test_no_noise_below_20_hz(rng):
    x = rng.uniform(-1, 1, size=4 * SR)
    power = np.abs(np.fft.rfft(noise_in(ColoredNoise, x, snr_db=0.0)[0])) ** 2
    assert power[: 4 * 20].max() < 1e-20 * power.max()
    assert power[4 * 20] > 1e-4 * power.max()


def test_pink_is_the_coloured_noise_of_exponent_1(rng):
    X = rng.uniform(-1, 1, size=(2, 900))
    found = PinkNoise(random_state=5, sr=44100).transform(X)
    assert_array_equal(found, ColoredNoise(random_state=5, sr=44100, exponent=1).transform(X))


def test_an_exponent_of_0_is_white_without_what_is_not_heard(rng):
    x = rng.uniform(-1, 1, size=SR)
    white = np.fft.rfft(noise_in(WhiteNoise, x, snr_db=0.0)[0])[20:]
    flat = np.fft.rfft(noise_in(ColoredNoise, x, snr_db=0.0, exponent=0)[0])[20:]
    assert_allclose(flat / white, (flat / white)[0], rtol=1e-9)


def test_wrong_parameters():
    for step in (WhiteNoise(snr_db="20"), ColoredNoise(exponent=5), PinkNoise(sr=0)):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(np.zeros((1, 50)))
