"""Decimation without a filter: what is folded where, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import resample_poly

from skperceptual.degradations import Aliasing

SR = 16000


def tone(frequency, n_times=SR):
    return np.sin(2 * np.pi * frequency * np.arange(n_times) / SR)


def loudest(x):
    return int(np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x))))))


def test_ladder():
    values = [Aliasing(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    assert values == [14000, 5292, 2000]


@pytest.mark.parametrize(
    ("rate_hz", "frequency", "folded"),
    [(8000, 5000, 3000), (8000, 7000, 1000), (4000, 3000, 1000), (12000, 7000, 5000)],
)
def test_tones_above_half_the_rate_are_folded(rate_hz, frequency, folded):
    (found,) = Aliasing(rate_hz=rate_hz).transform([tone(frequency)])
    assert loudest(found) == folded


def test_tones_below_half_of_a_whole_fraction_stay():
    x = 0.5 * tone(500) + 0.3 * tone(1500)
    (found,) = Aliasing(rate_hz=4000).transform([x])
    assert_allclose(found[500:-500], x[500:-500], atol=1e-4)


def test_leaving_samples_out_and_interpolating_is_another_resampler(rng):
    x = rng.uniform(-1, 1, size=SR)
    (found,) = Aliasing(rate_hz=4000).transform([x])
    expected = resample_poly(x[::4], 4, 1, window=("kaiser", 12.0))
    spectra = [np.abs(np.fft.rfft(y))[:1500] for y in (found, expected)]
    assert_allclose(spectra[0], spectra[1], rtol=0.01, atol=0.01 * spectra[1].max())


def test_the_level_of_noise_is_kept(rng):
    x = rng.standard_normal(4 * SR)
    (found,) = Aliasing(rate_hz=4000).transform([x])
    assert np.std(found) == pytest.approx(1, abs=0.03)  # a filter would leave half of that


def test_max_lag_is_half_the_distance_of_the_fewer_samples():
    assert [Aliasing(rate_hz=rate).max_lag for rate in (2000, 8000, 14000)] == [4, 1, 1]
    assert Aliasing(severity=1.0, sr=48000).max_lag == 12


@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_a_rate_that_is_no_lower_is_refused(method):
    with pytest.raises(ValueError, match=r"rate_hz=14000 .* sr=8000.*severities from 0\.29"):
        getattr(Aliasing(severity=0.0, sr=8000), method)(np.zeros((1, 100)))
    with pytest.raises(ValueError, match=r"rate_hz=1000 .* or a lower rate\.$"):
        getattr(Aliasing(rate_hz=1000, sr=1000), method)(np.zeros((1, 100)))
    with pytest.raises(ValueError, match=r"rate_hz=20000 .* or a lower rate\.$"):
        getattr(Aliasing(rate_hz=20000), method)(np.zeros((1, 100)))
    with pytest.raises(ValueError, match="'rate_hz' parameter of Aliasing"):
        getattr(Aliasing(rate_hz=4000.5), method)(np.zeros((1, 100)))
