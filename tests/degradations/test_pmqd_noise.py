"""PMQD's noise: its filter at every rate, its level, what a seed gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.degradations import pmqd_noise, pmqd_noise_db
from skperceptual.degradations.pmqd_processing import add_pink_noise, pink, pink_poles, pink_rms

SR = 48000


def db(value):
    return 20 * np.log10(np.abs(value))


def rms(x):
    return np.sqrt(np.mean(np.square(x)))


def test_poles_of_the_pink_filter():
    expected = [0.5368186, 0.5899889, 0.69453146, 0.81759835, 0.95425883, 0.99087887, 0.99608071]
    assert_allclose(pink_poles(48000), expected, atol=5.1e-8)


@pytest.mark.parametrize(
    ("sr", "corners"),
    [
        (16000, [4752.456, 4030.961, 2784.711, 1538.461, 357.681, 70, 30]),
        (48000, [4752.456, 4030.961, 2784.711, 1538.461, 357.681, 70, 30]),
        (48001, [8227.219, 8227.219, 6388.570, 3302.754, 479.412, 151.070, 54.264]),
        (96000, [8227.219, 8227.219, 6388.570, 3302.754, 479.412, 151.070, 54.264]),
        (176400, [9211.912, 8621.096, 8555.228, 8292.754, 518.334, 163.712, 240.241]),
        (192000, [10000, 10000, 10000, 10000, 544.948, 142.088, 211.616]),
        (384000, [10000, 10000, 10000, 10000, 544.948, 142.088, 211.616]),
    ],
)
def test_poles_at_every_rate(sr, corners):
    assert_allclose(-np.log(pink_poles(sr)) * sr / (2 * np.pi), corners, rtol=1e-9)


def impulse_response(sr):
    return pink(np.eye(1, 1 << 17)[0], sr)


def test_response_of_the_pink_filter():
    frequencies = np.array([20, 62.5, 250, 1000, 4000, 16000])
    time = np.arange(1 << 17) / SR
    response = np.exp(-2j * np.pi * np.outer(frequencies, time)) @ impulse_response(SR)
    assert_allclose(db(response), [39.8, 35.6, 29.5, 23.6, 17.1, 10.4], atol=0.0501)
    octave = np.exp(-2j * np.pi * np.outer([20, 2000], time)) @ impulse_response(SR)
    assert np.diff(db(octave))[0] / np.log2(100) == pytest.approx(-3.0, abs=0.1)


def test_the_pink_filter_follows_its_recursion(rng):
    white, poles, state = rng.uniform(-1, 1, 300), pink_poles(44100), np.zeros(7)
    expected = []
    for w in white:
        state = poles * (w + state)
        expected.append(w + state[:6].sum() - state[6])
    assert_allclose(pink(white, 44100), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 48000, 96000, 176400, 192000])
def test_level_of_the_pink_noise_at_every_rate(sr):
    energy = np.square(impulse_response(sr)).sum()
    assert pink_rms(sr) == pytest.approx(np.sqrt(energy / 3), rel=1e-9)
    x = np.zeros(20 * sr)
    found = db(rms(pmqd_noise(x, 60, sr=sr, random_state=3)))
    assert found == pytest.approx(pmqd_noise_db(60, sr=sr), abs=0.3)


def test_level_of_the_pink_noise_at_48_khz():
    assert pink_rms(SR) == pytest.approx(4.918, abs=5e-4)
    levels = [pmqd_noise_db(i) for i in range(0, 101, 20)]
    assert_allclose(levels, [-39.2, -34.2, -29.2, -24.2, -19.2, -14.2], atol=0.0501)
    assert levels[-1] == pytest.approx(-14.16, abs=5e-3)
    x = np.zeros(30 * SR)
    for intensity, level in zip(range(0, 101, 20), levels, strict=True):
        noise = pmqd_noise(x, intensity, sr=SR, random_state=1)
        assert db(rms(noise)) == pytest.approx(level, abs=0.2)
    assert 11 < db(np.abs(noise).max() / rms(noise)) < 14.5  # the crest factor


def test_noise_is_the_mean_of_the_channels_and_one_noise(rng):
    stereo = rng.uniform(-1, 1, size=(2, 400))
    found = pmqd_noise(stereo, 50, sr=SR, random_state=0)
    assert_array_equal(found[0], found[1])
    noise = found[0] - stereo.mean(axis=0)
    louder = pmqd_noise(stereo, 90, sr=SR, random_state=0)[0] - stereo.mean(axis=0)
    assert_allclose(louder, 10 ** (10 / 20) * noise, atol=1e-12)
    assert np.abs(pmqd_noise(np.ones(400), 100, sr=SR, random_state=0)).max() > 1


def test_one_channel_keeps_its_signal(rng):
    x = rng.uniform(-1, 1, size=300)
    expected = add_pink_noise(x, -1000, SR, np.random.default_rng(0))
    assert_array_equal(expected, x)
    assert_array_equal(
        pmqd_noise(x[np.newaxis], 50, sr=SR, random_state=4)[0],
        pmqd_noise(x, 50, sr=SR, random_state=4),
    )


def test_a_seed_gives_the_noise_that_it_always_gave():
    found = pmqd_noise(np.zeros(4), 100, sr=SR, random_state=0)
    expected = [-0.0018378309, -0.1216085610, 0.0932832945, 0.0605526694]
    assert_allclose(found, expected, atol=5.1e-11)


@pytest.mark.parametrize("wrong", [-1, 0.5, "0", np.random.default_rng(0)])
def test_a_wrong_random_state_is_refused(wrong):
    with pytest.raises(ValueError, match="is no seed"):
        pmqd_noise(np.zeros(5), 50, sr=SR, random_state=wrong)
