"""Low-pass, high-pass and band-pass against SciPy's responses, with phase and without."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, freqz, lfilter, sosfilt

from skperceptual.degradations import Bandpass, Highpass, Lowpass

SR = 16000
STEPS = [
    (Lowpass(cutoff_hz=3000.0), "lowpass", 3000),
    (Lowpass(cutoff_hz=300.0, order=2), "lowpass", 300),
    (Highpass(cutoff_hz=100.0), "highpass", 100),
    (Highpass(cutoff_hz=1500.0, order=8), "highpass", 1500),
    (Bandpass(bandwidth_octaves=2.0, order=2), "bandpass", (500, 2000)),
    (Bandpass(bandwidth_octaves=1.0, center_hz=4000.0), "bandpass", (4000 / 2**0.5, 4000 * 2**0.5)),
]
each_step = pytest.mark.parametrize(("step", "band", "edges"), STEPS)


def clone_with(step, **parameters):
    return type(step)(**{**step.get_params(), **parameters})


def test_ladders():
    assert [Lowpass(severity=s).physical_value for s in (0, 1)] == [7000, 700]
    assert Lowpass(severity=np.log10(2)).physical_value == pytest.approx(3500)
    assert [Highpass(severity=s).physical_value for s in (0, 1)] == [100, 2000]
    assert [Bandpass(severity=s).physical_value for s in (0, 0.5, 1)] == [5, 3, 1]


@each_step
def test_magnitude_without_phase_is_that_of_the_filter(step, band, edges):
    pulse = np.zeros(2**15)
    pulse[2**14] = 1.0
    (response,) = step.transform([pulse])
    frequencies = np.fft.rfftfreq(2**15, d=1 / SR)
    b, a = butter(step.order, edges, band, fs=SR)
    _, expected = freqz(b, a, worN=frequencies, fs=SR)
    assert_allclose(np.abs(np.fft.rfft(response)), np.abs(expected), atol=1e-6)
    at_edges = np.interp(edges, frequencies, np.abs(np.fft.rfft(response)))
    assert_allclose(20 * np.log10(at_edges), -3.01, atol=0.05)
    # Nothing moved: what sounds before the pulse is what sounds after it.
    assert_allclose(response[2**14 - 5000 : 2**14], response[2**14 + 5000 : 2**14 : -1], atol=1e-12)


@each_step
def test_with_phase_it_is_the_filter_from_silence(step, band, edges, rng):
    x = rng.uniform(-1, 1, size=(2, 5000))
    found = clone_with(step, zero_phase=False).transform(x)
    assert_allclose(found, lfilter(*butter(step.order, edges, band, fs=SR), x), atol=1e-6)
    sections = butter(step.order, edges, band, fs=SR, output="sos")
    assert_array_equal(found, sosfilt(sections, x))


@each_step
def test_clips_end_in_silence(step, band, edges, rng):
    x = rng.uniform(-1, 1, size=777)
    (expected,) = step.transform([np.pad(x, 30000)])
    assert_allclose(step.transform([x])[0], expected[30000:30777], atol=1e-11)


@each_step
def test_no_tone_that_passes_is_later_than_max_lag(step, band, edges):
    delaying = clone_with(step, zero_phase=False)
    assert step.max_lag == 0
    lags = []
    for frequency in np.geomspace(20, 7900, 60):
        phase = 2 * np.pi * frequency / SR * np.arange(4 * SR)
        (found,) = delaying.transform([np.sin(phase)])
        response = 2j * np.mean(np.exp(-1j * phase[2 * SR :]) * found[2 * SR :])
        if np.abs(response) < 0.1:
            continue
        # The shift, of all that differ by whole periods, that is nearest to none.
        lags.append(-np.angle(response) / (2 * np.pi * frequency) * SR)
    assert np.abs(lags).max() <= delaying.max_lag
    assert np.ptp(lags) > 0


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        # a Butterworth filter of order 4 delays low tones by 2.613 / (2 pi fc), rising to the edge
        (Lowpass(cutoff_hz=1000.0), (2.613, 3.5)),
        (Lowpass(cutoff_hz=100.0), (2.613, 3.5)),
        # and leads where it has turned by nearly 2 pi, below the edge of a high-pass
        (Highpass(cutoff_hz=100.0), (np.pi, 9.0)),
        (Highpass(cutoff_hz=1000.0), (np.pi, 9.0)),
    ],
)
def test_max_lag_scales_with_the_cutoff(step, expected):
    in_radians = step.set_params(zero_phase=False).max_lag * 2 * np.pi * step.cutoff_hz / SR
    margin = 2 * np.pi * step.cutoff_hz / SR  # one sample, by which it is rounded up
    assert expected[0] < in_radians < expected[1] + margin


def test_a_narrow_band_passes_its_centre_without_delay():
    step = Bandpass(bandwidth_octaves=1.0, zero_phase=False)
    tone = np.sin(2 * np.pi * 1000 * np.arange(SR) / SR)
    (found,) = step.transform([tone])
    assert_allclose(found[8000:], tone[8000:], atol=0.05)
    assert 8 < step.max_lag < 40


@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_bands_that_the_rate_cannot_hold(method):
    X = np.zeros((1, 100))
    with pytest.raises(ValueError, match=r"cutoff_hz=7000 .* sr=8000.*severities from 0\.25"):
        getattr(Lowpass(severity=0.0, sr=8000), method)(X)
    with pytest.raises(ValueError, match=r"needs 2000 Hz.*sr=2000.*\(severities up to 0\.76"):
        getattr(Highpass(severity=1.0, sr=2000), method)(X)
    with pytest.raises(ValueError, match=r"bandwidth_octaves=5 needs 16970\.6 Hz"):
        getattr(Bandpass(severity=0.0, center_hz=3000.0), method)(X)
    with pytest.raises(ValueError, match=r"puts an edge at 0\.5 Hz"):
        getattr(Bandpass(bandwidth_octaves=2, center_hz=1.0), method)(X)
    with pytest.raises(ValueError, match=r"cutoff_hz=9000 .* below 8000 Hz\.$"):
        getattr(Lowpass(cutoff_hz=9000.0), method)(X)
    with pytest.raises(ValueError, match=r"below 500 Hz\.$"):
        getattr(Lowpass(severity=0.5, sr=1000), method)(X)


def test_max_lag_checks_as_transform_does():
    with pytest.raises(ValueError, match="does not fit into half"):
        _ = Lowpass(cutoff_hz=9000.0).max_lag


def test_wrong_parameters():
    for step in (Lowpass(order=3), Highpass(cutoff_hz=0.5), Bandpass(zero_phase=1.5)):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(np.zeros((1, 50)))
