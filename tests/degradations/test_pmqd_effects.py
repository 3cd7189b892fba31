"""PMQD's four effects on arrays: printed values of the plugins, properties, errors users hit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import signal as scipy_signal

from skperceptual.degradations import (
    pmqd_cutoff_hz,
    pmqd_distortion,
    pmqd_drive,
    pmqd_limiter,
    pmqd_lowpass,
    pmqd_noise,
    pmqd_threshold_db,
)
from skperceptual.degradations.pmqd_processing import lowpass_sections

SR = 48000
EFFECTS = {
    "distortion": pmqd_distortion,
    "lowpass": lambda x, intensity: pmqd_lowpass(x, intensity, sr=SR),
    "limiter": lambda x, intensity: pmqd_limiter(x, intensity, sr=SR),
    "noise": lambda x, intensity: pmqd_noise(x, intensity, sr=SR, random_state=0),
}
each_effect = pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
INTENSITIES = st.floats(0, 100)
# As far as float32 goes: single samples that nobody's amplifier would survive.
CLIPS = arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 2), st.integers(2, 40)),
    elements=st.floats(-(2.0**127), 2.0**127, width=32) | st.floats(-1, 1, width=32),
)


def db(value):
    return 20 * np.log10(np.abs(value))


def rms(x):
    return np.sqrt(np.mean(np.square(x)))


# --- Distortion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intensity", "drive", "gain_db"),
    [
        (0, 2, 9.54),
        (10, 2.444, 10.74),
        (20, 3, 12.04),
        (25, 3.333, 12.74),
        (50, 6, 16.90),
        (75, 14, 23.52),
        (90, 38, 31.82),
        (95, 78, 37.95),
        (99, 398, 52.02),
        (100, 1998, 66.02),
    ],
)
def test_drive_and_gain_of_quiet_sounds(intensity, drive, gain_db):
    assert pmqd_drive(intensity) == pytest.approx(drive, abs=5e-4)
    quiet = np.array([1e-9])
    assert db(pmqd_distortion(quiet, intensity) / quiet)[0] == pytest.approx(gain_db, abs=5e-3)


@pytest.mark.parametrize(
    ("intensity", "expected"),
    [
        (0, [0.0030, 0.0294, 0.1364, 0.25, 0.5, 0.75, 1]),
        (50, [0.0070, 0.0660, 0.2692, 0.4375, 0.7, 0.875, 1]),
        (100, [0.6668, 0.9528, 0.9906, 0.9955, 0.9985, 0.9995, 1]),
    ],
)
def test_distortion_of_single_samples(intensity, expected):
    x = np.array([0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    assert_allclose(pmqd_distortion(x, intensity), expected, atol=5.1e-5)
    assert_array_equal(pmqd_distortion(3 * np.sign(x), intensity), np.ones(7))


@pytest.mark.parametrize(
    ("amplitude", "percent"),
    [
        (1.0, [16.9, 20.7, 24.9, 29.7, 36.0, 47.6]),
        (0.1, [3.1, 4.4, 6.4, 9.6, 16.0, 45.7]),
        (0.01, [0.3, 0.5, 0.8, 1.3, 2.8, 36.7]),
    ],
)
def test_total_harmonic_distortion_of_a_sine(amplitude, percent):
    sine = amplitude * np.sin(2 * np.pi * 100 * np.arange(SR) / SR)
    for intensity, expected in zip(range(0, 101, 20), percent, strict=True):
        harmonics = np.abs(np.fft.rfft(pmqd_distortion(sine, intensity)))[100::100]
        found = 100 * np.sqrt(np.square(harmonics[1:]).sum()) / harmonics[0]
        assert found == pytest.approx(expected, abs=0.055)  # printed after rounding twice


@given(CLIPS, INTENSITIES)
def test_distortion_is_odd_bounded_and_rising(clip, intensity):
    distorted = pmqd_distortion(clip, intensity)
    assert_array_equal(pmqd_distortion(-clip, intensity), -distorted)
    assert (np.abs(distorted) <= 1).all()
    assert (np.abs(distorted) >= np.minimum(np.abs(clip), 1)).all()
    order = np.argsort(clip, axis=None)
    assert (np.diff(distorted.ravel()[order]) >= 0).all()


def aliased_share(signal):
    """Give the level, relative to everything, of what are no harmonics of the 7 kHz sine."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)))) ** 2
    frequency = np.fft.rfftfreq(len(signal), 1 / SR)
    harmonic = np.min(np.abs(frequency[:, None] - [7000, 14000, 21000]), axis=1) < 50
    return 10 * np.log10(spectrum[~harmonic].sum() / spectrum.sum())


def test_oversampling_leaves_out_what_folds_back():
    sine = np.sin(2 * np.pi * 7000 * np.arange(SR) / SR)
    folded = aliased_share(pmqd_distortion(sine, 50))
    assert folded > -25
    shares = [aliased_share(pmqd_distortion(sine, 50, oversample=n)[2000:-2000]) for n in (2, 4, 8)]
    assert folded - 5 > shares[0] > shares[1] + 5 > shares[2] + 10


def test_oversampling_keeps_low_tones_length_and_channels():
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(9001) / SR)
    stereo = np.stack([tone, -0.5 * tone])
    found = pmqd_distortion(stereo, 30, oversample=3)
    assert_allclose(found[:, 500:-500], pmqd_distortion(stereo, 30)[:, 500:-500], atol=1e-3)
    assert_array_equal(found[1], pmqd_distortion(stereo[1], 30, oversample=3))


# --- Low-pass -------------------------------------------------------------------------------------


CUTOFFS = {
    0: 20000,
    5: 17218,
    10: 14823,
    20: 10987,
    25: 9459,
    30: 8143,
    40: 6036,
    50: 4473,
    60: 3316,
    70: 2457,
    75: 2116,
    80: 1821,
    90: 1350,
    95: 1162,
    100: 1000,
}


def test_cutoffs_to_the_hertz():
    assert {intensity: pmqd_cutoff_hz(intensity) for intensity in CUTOFFS} == CUTOFFS


@pytest.mark.parametrize(
    ("cutoff_hz", "expected"),
    [
        (
            4473,
            [
                [0.0687967314, -1.3755817127, 0.6507686384],
                [0.0551722803, -1.1031625809, 0.3238517019],
            ],
        ),
        (
            1000,
            [
                [0.0040772667, -1.8885068805, 0.9048159471],
                [0.0038201504, -1.7694158763, 0.7846964779],
            ],
        ),
    ],
)
def test_coefficients(cutoff_hz, expected):
    sections = lowpass_sections(cutoff_hz, SR)
    assert_allclose(sections[:, [0, 4, 5]], expected, atol=5.1e-11)
    assert_array_equal(sections[:, :3] / sections[:, :1], [[1, 2, 1]] * 2)


def test_impulse_response():
    impulse = np.array([[0.5, 0, 0, 0, 0]])
    expected = [[0.0018978363, 0.0122955959, 0.037135038, 0.0712055435, 0.0997581249]]
    assert_allclose(pmqd_lowpass(impulse, 50, sr=SR), expected, atol=5.1e-11)


@pytest.mark.parametrize("cutoff_hz", [1000, 2116, 4473])
def test_coefficients_are_those_of_a_butterworth_filter_to_four_digits(cutoff_hz):
    expected = scipy_signal.butter(4, cutoff_hz, fs=SR, output="sos")[::-1, 4:]
    assert_allclose(lowpass_sections(cutoff_hz, SR)[:, 4:], expected, atol=5e-4)


@pytest.mark.parametrize("sr", [44100, 48000, 96000])
@pytest.mark.parametrize("intensity", [0, 25, 50, 100])
def test_lowpass_is_a_butterworth_filter_with_another_pi(sr, intensity, rng):
    cutoff_hz = pmqd_cutoff_hz(intensity) * (22 / 7) / np.pi
    sections = scipy_signal.butter(4, cutoff_hz, fs=sr, output="sos")
    x = rng.uniform(-0.5, 0.5, size=(2, 3000))
    found = pmqd_lowpass(x, intensity, sr=sr)
    assert_allclose(found, scipy_signal.sosfilt(sections, x), atol=1e-6)


@pytest.mark.parametrize("intensity", [0, 25, 50, 75, 100])
def test_the_other_pi_moves_the_response_at_the_cutoff_by_less_than_0_05_db(intensity):
    cutoff_hz = pmqd_cutoff_hz(intensity)
    _, response = scipy_signal.sosfreqz(lowpass_sections(cutoff_hz, SR), worN=[cutoff_hz], fs=SR)
    assert db(response[0]) == pytest.approx(db(np.sqrt(0.5)), abs=0.05)


@pytest.mark.parametrize(
    ("intensity", "octaves", "attenuation_db"), [(100, 1, 24.1), (100, 2, 48.2), (75, 1, 24.1)]
)
def test_lowpass_falls_by_24_db_an_octave(intensity, octaves, attenuation_db):
    frequency = pmqd_cutoff_hz(intensity) * 2**octaves
    tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(SR) / SR)
    found = db(rms(pmqd_lowpass(tone, intensity, sr=SR)[2000:]) / rms(tone[2000:]))
    assert -found == pytest.approx(attenuation_db, abs=1.5)


def test_lowpass_clips_at_0_2_db_below_full_scale():
    ceiling = 0.97715997
    assert db(ceiling) == pytest.approx(-0.2007, abs=5e-5)
    loud = np.sin(2 * np.pi * 100 * np.arange(4800) / SR)
    found = pmqd_lowpass(loud, 0, sr=SR)
    assert np.abs(found).max() == pytest.approx(ceiling, abs=5.1e-9)
    assert np.sum(np.abs(found) == np.abs(found).max()) > 100
    assert_allclose(pmqd_lowpass(0.5 * loud, 0, sr=SR), 0.5 * loud, atol=0.005)


def test_a_cutoff_that_does_not_fit_names_the_way_out():
    x = np.zeros((1, 50))
    with pytest.raises(ValueError, match=r"cutoff of 20000 Hz .* sr=16000") as caught:
        pmqd_lowpass(x, 0, sr=16000)
    message = str(caught.value)
    assert "intensities from 31, severities from 0.31" in message
    assert "a rate of 40020 Hz or more" in message
    assert "a cutoff below 7996 Hz" in message
    pmqd_lowpass(x, 31, sr=16000)
    pmqd_lowpass(x, 0, sr=40020)
    with pytest.raises(ValueError, match="8143 Hz"):
        pmqd_lowpass(x, 30, sr=16000)
    with pytest.raises(ValueError, match=r"a cutoff below 999 Hz\.$"):
        pmqd_lowpass(x, 100, sr=2000)


# --- Limiter --------------------------------------------------------------------------------------


def test_limiter_gain_at_single_frames():
    x = np.full((2, 600), 0.01)
    x[:, 10] += 1.0
    gain_db = db(pmqd_limiter(x, 50, sr=SR) / x)
    frames = [0, 9, 10, 11, 400, 573, 574, 599]
    expected = [14.9, 14.9, -0.1864, -0.1864, 0.0930, 1.9499, 1.9607, 2.2286]
    assert_allclose(gain_db[:, frames], [expected] * 2, atol=5.1e-5)


def test_channels_share_the_gain_of_the_louder_one(rng):
    stereo = np.stack([rng.uniform(-1, 1, 5000), rng.uniform(-0.1, 0.1, 5000)])
    gains = pmqd_limiter(stereo, 70, sr=SR) / stereo
    assert_allclose(gains[1], gains[0], rtol=1e-12)
    alone = pmqd_limiter(stereo[1], 70, sr=SR)
    assert rms(alone) > 3 * rms(pmqd_limiter(stereo, 70, sr=SR)[1])


@pytest.mark.parametrize("sr", [8000, 44100, 48000, 96000])
def test_limiter_never_exceeds_its_ceiling(sr, rng):
    for scale in (0.001, 0.3, 1, 30):
        for intensity in (0, 10, 50, 100):
            found = pmqd_limiter(scale * rng.normal(size=(2, 4000)), intensity, sr=sr)
            assert np.abs(found).max() <= 10 ** (-0.1 / 20) * (1 + 1e-15)


def test_above_the_threshold_the_gain_does_not_depend_on_it(hiss):
    loud = 2 * hiss  # peaks of full scale within every hold, far above any of the thresholds
    outputs = [pmqd_limiter(loud, intensity, sr=SR)[100:] for intensity in (25, 50, 75, 100)]
    for found in outputs[1:]:
        assert_allclose(found, outputs[0], rtol=1e-12)
    assert_allclose(outputs[0], 10 ** (-0.1 / 20) * loud[100:], rtol=0.1)


def test_loudness_rises_with_intensity_and_then_stays(music):
    levels = [db(rms(pmqd_limiter(music, i, sr=SR))) for i in (0, 10, 25, 50, 75, 100)]
    assert levels[0] + 1 < levels[1] < levels[2] - 0.5
    assert levels[2] + 2 < levels[3] < levels[4] < levels[3] + 0.2
    assert levels[5] == pytest.approx(levels[4], abs=1e-3)


def test_intensity_0_of_the_limiter_is_a_gain_of_0_1_db(rng):
    x = rng.uniform(-1, 1, size=(2, 3000))
    assert_allclose(pmqd_limiter(x, 0, sr=SR), 10 ** (-0.1 / 20) * x, rtol=1e-12)


def test_quiet_signals_become_up_to_29_9_db_louder(rng):
    x = rng.uniform(-0.01, 0.01, size=1000)
    assert_allclose(db(pmqd_limiter(x, 100, sr=SR) / x), 29.9, atol=1e-9)
    assert [pmqd_threshold_db(i) for i in (0, 10, 100)] == [0, -3, -30]


# --- All of them ----------------------------------------------------------------------------------


@each_effect
@given(clip=CLIPS, intensity=INTENSITIES)
def test_results_are_finite_and_keep_shape_and_type(effect, clip, intensity):
    found = effect(clip, intensity)
    assert np.isfinite(found).all()
    assert (found.shape, found.dtype) == (clip.shape, clip.dtype)


@each_effect
@pytest.mark.parametrize("intensity", [0, 50, 100])
def test_silence_gives_silence_or_noise(effect, intensity):
    found = effect(np.zeros((2, 1000)), intensity)
    assert np.isfinite(found).all()
    assert (found == 0).all() or effect is EFFECTS["noise"]


@each_effect
def test_intensity_0_is_not_the_identity(effect, music):
    assert rms(effect(music, 0) - music) > 0.01 * rms(music)


@each_effect
def test_precision_and_channels(effect, rng):
    stereo = rng.uniform(-0.5, 0.5, size=(2, 500)).astype(np.float32)
    narrow, wide = effect(stereo, 40), effect(stereo.astype(np.float64), 40)
    assert_array_equal(narrow, wide.astype(np.float32))
    for shape in [(500,), (1, 500)]:
        mono = effect(stereo[0].reshape(shape), 40)
        assert mono.shape == shape
    assert_array_equal(mono[0], effect(stereo[0], 40))
    before = stereo.copy()
    effect(stereo, 100)
    assert_array_equal(stereo, before)


@each_effect
def test_wrong_signals_are_refused(effect):
    with pytest.raises(ValueError, match=r"shape \(500, 2\).*signal\.T"):
        effect(np.zeros((500, 2)), 50)
    for shape in [(), (1, 2, 500)]:
        with pytest.raises(ValueError, match=r"\(channels, n_times\) or \(n_times,\), got"):
            effect(np.zeros(shape), 50)
    with pytest.raises(ValueError, match=r"got int16\. Divide by 32768"):
        effect(np.zeros(50, dtype=np.int16), 50)
    with pytest.raises(ValueError, match="contains NaN"):
        effect(np.array([0.0, np.nan]), 50)
    with pytest.raises(ValueError, match="is empty"):
        effect(np.zeros(0), 50)


@each_effect
@pytest.mark.parametrize("intensity", [-1, 100.5, np.nan, "50", None, np.array([1.0, 2.0])])
def test_wrong_intensities_are_refused(effect, intensity):
    with pytest.raises(ValueError, match=r"goes from 0 to 100; it is 100 times a severity"):
        effect(np.zeros(50), intensity)


@pytest.mark.parametrize("effect", [pmqd_lowpass, pmqd_limiter, pmqd_noise])
@pytest.mark.parametrize("sr", [0, -48000, 48000.0, None])
def test_wrong_rates_are_refused(effect, sr):
    with pytest.raises(ValueError, match=r"^sr="):
        effect(np.zeros(50), 50, sr=sr)


def test_wrong_oversampling_is_refused():
    with pytest.raises(ValueError, match=r"^oversample=0"):
        pmqd_distortion(np.zeros(50), 50, oversample=0)
