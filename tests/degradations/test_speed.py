"""Wow, flutter, jitter: displaced by as much as they say, read between samples exactly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skperceptual.degradations import ClockJitter, Flutter, Wow
from skperceptual.degradations.speed import read_at

SR = 16000


@pytest.mark.parametrize("frequency", [0.01, 0.1, 0.25, 0.4, 0.45])
def test_reading_between_samples(frequency, rng):
    times = np.arange(2000.0)
    places = times + rng.uniform(-3, 3, size=2000)
    found = read_at(np.sin(2 * np.pi * frequency * times), places)
    error = found - np.sin(2 * np.pi * frequency * places)
    assert np.abs(error[100:-100]).max() < 1.5e-5


def test_reading_at_samples_and_outside(rng):
    clip = rng.uniform(-1, 1, size=50)
    assert_allclose(read_at(clip, np.arange(50.0)), clip, atol=1e-15)
    assert_allclose(read_at(clip, np.array([-40.0, 90.0, -1e6, 1e6, -1.0, 50.0])), 0, atol=1e-15)
    assert_allclose(read_at(np.ones(1), np.array([0.0, 0.5])), [1, np.sinc(0.5)], atol=1e-3)


@pytest.mark.parametrize(
    ("cls", "rate_hz", "deviation"),
    [(Wow, 0.5, 1.0), (Wow, 4.0, 3.0), (Flutter, 20.0, 1.0), (Flutter, 60.0, 3.0)],
)
def test_the_speed_deviates_by_as_much_as_asked_for(cls, rate_hz, deviation):
    # what is heard of a tone of 1000 Hz: its frequency, from the phase of its analytic signal
    times = np.arange(4 * SR) / SR
    (found,) = cls(deviation_percent=deviation, rate_hz=rate_hz, sr=SR).transform(
        [np.sin(2 * np.pi * 1000 * times)]
    )
    spectrum = np.fft.fft(found)
    spectrum[len(spectrum) // 2 :] = 0
    frequency = np.diff(np.unwrap(np.angle(np.fft.ifft(spectrum)))) * SR / (2 * np.pi)
    middle = frequency[SR // 2 : -SR // 2]
    assert middle.max() == pytest.approx(1000 * (1 + deviation / 100), rel=2e-4)
    assert middle.min() == pytest.approx(1000 * (1 - deviation / 100), rel=2e-4)
    ups = np.sum((middle[1:] > 1000) & (middle[:-1] <= 1000))
    assert ups == pytest.approx(3 * rate_hz, abs=1)


@pytest.mark.parametrize("cls", [Wow, Flutter])
def test_max_lag_is_the_displacement(cls):
    step = cls(deviation_percent=2.0, sr=SR)
    amplitude = 0.02 / (2 * np.pi * step.rate_hz) * SR
    assert step.max_lag == np.ceil(amplitude)
    # clicks say where they have gone, at the times of largest displacement
    quarter = round(SR / step.rate_hz / 4)
    for click, sign in ((5 * quarter, 1), (7 * quarter, -1)):
        clip = np.zeros(SR)
        clip[click] = 1.0
        (found,) = step.transform([clip])
        centre = np.sum(np.arange(SR) * np.square(found)) / np.sum(np.square(found))
        assert click - centre == pytest.approx(sign * amplitude, abs=0.6)


@pytest.mark.parametrize("frequency", [200.0, 1000.0, 3000.0])
@pytest.mark.parametrize("jitter_us", [0.2, 1.0, 4.0])
def test_jitter_of_a_tone(frequency, jitter_us):
    tone = np.sin(2 * np.pi * frequency * np.arange(2 * SR) / SR)
    (found,) = ClockJitter(jitter_us=jitter_us, sr=SR, random_state=0).transform([tone])
    error = (found - tone)[100:-100]
    snr = 10 * np.log10(np.mean(np.square(tone)) / np.mean(np.square(error)))
    assert snr == pytest.approx(-20 * np.log10(2 * np.pi * frequency * jitter_us * 1e-6), abs=0.2)


def test_jitter_has_a_largest_lag(hiss):
    step = ClockJitter(jitter_us=30.0, sr=SR)
    assert step.max_lag == np.ceil(4 * 30e-6 * SR)
    assert ClockJitter(jitter_us=30.0, sr=48000).max_lag == 6


def test_all_severities_have_one_jitter(music):
    x = music[:SR][np.newaxis]
    low, high = (
        ClockJitter(jitter_us=us, sr=48000, random_state=0).transform(x) - x for us in (0.1, 0.2)
    )
    assert_allclose(high[:, 100:-100], 2 * low[:, 100:-100], atol=1e-4)


def test_rates_of_wow_and_flutter_are_apart():
    with pytest.raises(ValueError, match="'rate_hz' parameter of Wow"):
        Wow(rate_hz=10.0).fit(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="'rate_hz' parameter of Flutter"):
        Flutter(rate_hz=4.0).fit(np.zeros((1, 5)))
