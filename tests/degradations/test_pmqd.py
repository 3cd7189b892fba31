"""PMQD's degradations as transformers: the effects behind them, ladders, noise of one's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import correlate

from skperceptual import (
    PMQDDistortion,
    PMQDLimiter,
    PMQDLowpass,
    PMQDNoise,
    load_audio,
)
from skperceptual.degradations import (
    pmqd_distortion,
    pmqd_limiter,
    pmqd_lowpass,
    pmqd_noise,
)

SR = 48000


def rms_db(x):
    return 10 * np.log10(np.mean(np.square(x)))


def log_spectral_distance(reference, degraded, *, n_fft=1024):
    """Give the root mean square difference of two log spectra, in dB above -90."""
    window = np.hanning(n_fft)

    def log_spectrum(x):
        frames = np.lib.stride_tricks.sliding_window_view(x, n_fft)[:: n_fft // 2]
        power = np.abs(np.fft.rfft(frames * window)) ** 2 / np.sum(window) ** 2
        return 10 * np.log10(power + 1e-9)

    return np.sqrt(np.mean(np.square(log_spectrum(reference) - log_spectrum(degraded))))


@pytest.mark.parametrize("severity", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("sr", [44100, 48000])
def test_transformers_are_the_effects_at_100_times_the_severity(severity, sr, hiss):
    x = hiss[:3000]
    intensity = 100 * severity
    for step, expected in [
        (PMQDDistortion(severity=severity), pmqd_distortion(x, intensity)),
        (
            PMQDDistortion(severity=severity, oversample=2),
            pmqd_distortion(x, intensity, oversample=2),
        ),
        (PMQDLowpass(severity=severity, sr=sr), pmqd_lowpass(x, intensity, sr=sr)),
        (PMQDLimiter(severity=severity, sr=sr), pmqd_limiter(x, intensity, sr=sr)),
        (
            PMQDNoise(severity=severity, sr=sr, random_state=7),
            pmqd_noise(x, intensity, sr=sr, random_state=7),
        ),
    ]:
        assert_array_equal(step.transform(x[np.newaxis])[0], expected)


def test_physical_values():
    assert PMQDDistortion(severity=0.5).physical_value == 6
    assert PMQDLowpass(severity=0.5).physical_value == 4473
    assert PMQDLimiter(severity=0.5).physical_value == -15
    assert PMQDNoise(severity=1.0).physical_value == pytest.approx(-14.16, abs=5e-3)
    assert PMQDNoise(severity=1.0, sr=16000).physical_value == pytest.approx(-19.38, abs=5e-3)


def test_physical_parameters_reach_beyond_the_ladder(hiss):
    x = hiss[np.newaxis]
    assert_array_equal(PMQDDistortion(drive=0).transform(x), x)
    telephone = PMQDLowpass(cutoff_hz=300).transform(x)
    assert rms_db(telephone) < rms_db(PMQDLowpass(severity=1.0).transform(x)) - 3
    assert rms_db(PMQDNoise(noise_db=-60.0, random_state=0).transform(x) - x) < -59
    for step in (
        PMQDDistortion(drive=-1),
        PMQDLowpass(cutoff_hz=0),
        PMQDLimiter(threshold_db=1.0),
        PMQDNoise(noise_db="-20"),
        PMQDLowpass(sr=44100.5),
    ):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(x)


@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_a_cutoff_that_the_rate_cannot_hold_is_refused_at_once(method):
    step = PMQDLowpass(severity=0.1, sr=16000)
    with pytest.raises(ValueError, match=r"14823 Hz .* sr=16000.*severities from 0\.31"):
        getattr(step, method)(np.zeros((2, 100)))
    with pytest.raises(ValueError, match="a cutoff below 7996 Hz"):
        getattr(PMQDLowpass(cutoff_hz=8000, sr=16000), method)(np.zeros((2, 100)))
    step.set_params(severity=0.31).fit(np.zeros((2, 100)))


# --- Delay ----------------------------------------------------------------------------------------


def lag_of(degraded, signal):
    correlation = correlate(degraded, signal, method="fft")
    return int(np.argmax(correlation)) - (len(signal) - 1)


def test_only_the_lowpass_delays():
    assert [cls(severity=1.0).max_lag for cls in (PMQDDistortion, PMQDLimiter, PMQDNoise)] == [
        0
    ] * 3
    lags = [PMQDLowpass(severity=severity).max_lag for severity in (0, 0.25, 0.5, 0.75, 1)]
    assert lags == [2, 3, 6, 12, 25]
    assert PMQDLowpass(severity=1.0, sr=96000).max_lag == 49
    assert PMQDLowpass(cutoff_hz=50).max_lag == 485
    with pytest.raises(ValueError, match="A cutoff of 30000 Hz does not fit"):
        _ = PMQDLowpass(cutoff_hz=30000).max_lag


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_measured_delays_of_the_lowpass(severity, hiss, music):
    step = PMQDLowpass(severity=severity)
    delay = 2.613 / (2 * np.pi * step.physical_value) * SR
    for signal in (hiss, music):
        found = lag_of(step.transform([signal])[0], signal)
        assert 0 <= found <= step.max_lag
        assert found == pytest.approx(delay, abs=0.15 * delay + 1)


@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_no_tone_is_later_than_max_lag(severity):
    step = PMQDLowpass(severity=severity)
    delays = []
    for frequency in np.linspace(0.1, 1.6, 31) * step.physical_value:
        phase = 2 * np.pi * frequency / SR * np.arange(SR)
        (found,) = step.transform([0.5 * np.sin(phase)])
        late_by = -np.angle(1j * np.mean(np.exp(-1j * phase)[4800:] * found[4800:])) % (2 * np.pi)
        delays.append(late_by / (2 * np.pi * frequency) * SR)
    assert step.max_lag - 1 < max(delays) <= step.max_lag


def test_oversampling_does_not_delay(hiss, music):
    for n, signal in itertools.product((2, 3, 8), (hiss, music)):
        step = PMQDDistortion(severity=0.7, oversample=n)
        (degraded,) = step.transform([signal])
        assert degraded.shape == signal.shape
        assert lag_of(degraded, signal) == 0 == step.max_lag


# --- Ladders --------------------------------------------------------------------------------------

LADDERS = {
    "distortion": PMQDDistortion(),
    "lowpass": PMQDLowpass(),
    "noise": PMQDNoise(random_state=0),
}


@pytest.mark.parametrize("step", LADDERS.values(), ids=LADDERS)
def test_log_spectral_distance_rises_with_severity(step, music):
    distances = [
        log_spectral_distance(music, step.set_params(severity=severity).transform([music])[0])
        for severity in np.linspace(0, 1, 11)
    ]
    assert (np.diff(distances) > 0).all()
    assert distances[0] > 0.1
    assert distances[-1] > 2 * distances[0]


def test_the_ladder_of_the_limiter_has_a_flat_top(music):
    outputs = [PMQDLimiter(severity=s).transform([music])[0] for s in (0, 0.25, 0.5, 0.75, 1)]
    distances = [log_spectral_distance(music, output) for output in outputs]
    assert distances[0] + 1 < distances[1]
    assert np.ptp(distances[3:]) < 0.05 < 0.5 < distances[2]
    assert np.abs(outputs[4] - outputs[3]).max() < 0.3 * np.abs(outputs[1] - outputs[0]).max()


def test_real_music(shared):
    files = sorted((shared / "data" / "music").glob("*.flac"))[:60:12]
    assert files
    for file in files:
        music, _ = load_audio(file, sr=SR)
        for step in LADDERS.values():
            outputs = [step.set_params(severity=s).transform([music])[0] for s in (0, 0.5, 1)]
            distances = [log_spectral_distance(music, output) for output in outputs]
            assert distances[0] < distances[1] < distances[2], (file.name, step)
            # These five have clear peaks; pure tones and loud noise can move those of others.
            lags = [abs(lag_of(output, music)) for output in outputs]
            assert max(lags) <= step.max_lag, (file.name, step)
        limited = [PMQDLimiter(severity=s).transform([music])[0] for s in (0, 0.5, 1)]
        assert max(np.abs(x).max() for x in limited) <= 10 ** (-0.1 / 20) * (1 + 1e-6)
        assert rms_db(limited[0]) < rms_db(limited[1]) <= rms_db(limited[2])
        assert {lag_of(output, music) for output in limited} == {0}


# --- Noise of one's own ---------------------------------------------------------------------------


def noise_in(X, **parameters):
    X = np.atleast_2d(X)
    return PMQDNoise(**parameters).transform(X) - X


def test_every_signal_has_noise_of_its_own_that_follows_it(hiss):
    X = hiss[:4000].reshape(4, 1000)
    noise = noise_in(X, random_state=0)
    correlation = np.corrcoef(noise) - np.eye(4)
    assert np.abs(correlation).max() < 0.7
    assert_array_equal(noise_in(X[::-1], random_state=0), noise[::-1])
    assert_array_equal(noise_in(X[2], random_state=0), noise[2:3])
    same = PMQDNoise(random_state=0).transform(np.stack([X[1]] * 2))
    assert_array_equal(same[0], same[1])


def test_another_seed_is_another_noise(hiss):
    x = hiss[np.newaxis, :48]
    first, second = (PMQDNoise(random_state=seed).transform(x) for seed in (0, 1))
    assert not np.isclose(first, second, rtol=1e-6).any()


def test_precision_and_the_sign_of_zero_do_not_change_the_noise(rng):
    x = rng.uniform(-1, 1, size=(1, 500)).astype(np.float32)
    x[0, :5] = 0
    wide = PMQDNoise(random_state=0).transform(x.astype(np.float64))
    assert_array_equal(PMQDNoise(random_state=0).transform(x), wide.astype(np.float32))
    negative = np.where(x == 0, np.float32(-0.0), x)
    assert_array_equal(PMQDNoise(random_state=0).transform(negative), wide.astype(np.float32))
    nearly = x.astype(np.float64) * (1 + 1e-12)  # the same float32
    assert_allclose(PMQDNoise(random_state=0).transform(nearly), wide, atol=1e-11)


def test_severities_scale_one_noise(hiss):
    x = hiss[:3000]
    mild, strong = (noise_in(x, severity=s, random_state=0) for s in (0.2, 0.6))
    assert_allclose(strong, 10 ** (10 / 20) * mild, atol=1e-12)


def test_without_a_seed_every_call_differs_and_global_generators_stay(hiss):
    x = hiss[np.newaxis, :48]
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    step = PMQDNoise()
    first, second = step.transform(x), step.transform(x)
    assert not np.isclose(first, second, rtol=1e-6).any()
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_random_state_gives_the_next_noise_in_each_call(hiss):
    X = hiss[:96].reshape(2, 48)
    step = PMQDNoise(random_state=np.random.RandomState(3))
    first, second = step.fit(X).transform(X), step.transform(X)
    assert not np.isclose(first, second, rtol=1e-6).any()
    again = PMQDNoise(random_state=np.random.RandomState(3))
    assert_array_equal(again.transform(X[::-1]), first[::-1])  # fit drew nothing
    assert_array_equal(again.transform(X), second)
