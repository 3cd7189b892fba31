"""The three degradations of the seminar report, against librosa and SciPy as it used them."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, filtfilt

from skperceptual.degradations import GhoshNoise, GhoshQuantization, GhoshResampling

SR = 16000


@pytest.fixture(scope="module")
def clips(music):
    """Three seconds of made-up music at 16 kHz in two clips, of peaks 0.8 and 0.2."""
    x = librosa.resample(music, orig_sr=48000, target_sr=SR)
    return np.stack([x, 0.25 * x[::-1]])


@pytest.mark.parametrize(
    ("cls", "levels"),
    [
        (GhoshNoise, [0.002, 0.01, 0.02]),
        (GhoshResampling, [2, 4, 6]),
        (GhoshQuantization, [12, 8, 4]),
    ],
)
def test_its_levels_are_severities_and_physical_values(cls, levels, clips):
    for severity, level in zip((0.0, 0.5, 1.0), levels, strict=True):
        chance = {"random_state": 0} if cls is GhoshNoise else {}
        graded = cls(severity=severity, **chance)
        assert graded.physical_value == level
        direct = cls(**{cls.physical_parameter: level}, **chance)
        assert_array_equal(direct.transform(clips), graded.transform(clips))


@pytest.mark.parametrize("noise_sd", [0.002, 0.01, 0.02])
def test_noise(noise_sd, clips):
    found = GhoshNoise(noise_sd=noise_sd, random_state=0).transform(clips)
    assert_allclose(np.abs(found).max(axis=1), 1, rtol=1e-12)
    for clip, degraded in zip(clips, found, strict=True):
        # The gain follows from the noise being white: it leaves the product with the signal alone.
        gain = np.vdot(degraded, clip) / np.vdot(clip, clip)
        noise = degraded / gain - clip
        assert noise.std() == pytest.approx(noise_sd, rel=0.02)


def test_rungs_between_are_ratios():
    assert GhoshNoise(severity=0.25).physical_value == pytest.approx((0.002 * 0.01) ** 0.5)
    assert GhoshResampling(severity=0.25).physical_value == 3
    assert GhoshQuantization(severity=0.75).physical_value == 6


@pytest.mark.parametrize("factor", [2, 4, 6, 3.3])
def test_resampling_is_librosas(factor, clips):
    found = GhoshResampling(factor=factor).transform(clips)
    lower = int(SR // factor)
    for clip, degraded in zip(clips, found, strict=True):
        down = librosa.resample(clip, orig_sr=SR, target_sr=lower)
        back = librosa.resample(down, orig_sr=lower, target_sr=SR)
        expected = librosa.util.normalize(back[: len(clip)])
        assert_allclose(degraded, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("n_bits", "lowpass"),
    [
        (12, (4, 0.7)),
        (10, (4, 0.7)),
        (9.9, None),
        (8, None),
        (6, None),
        (5, (6, 0.5)),
        (4, (6, 0.5)),
    ],
)
def test_quantization_with_its_filters(n_bits, lowpass, clips):
    found = GhoshQuantization(n_bits=n_bits).transform(clips)
    for clip, degraded in zip(clips, found, strict=True):
        step = 1.0 / (2 ** (n_bits - 1) - 1)
        quantized = np.clip(np.round(clip / step) * step, -1.0, 1.0)
        if lowpass:
            quantized = filtfilt(*butter(*lowpass), quantized)
        assert_allclose(degraded, librosa.util.normalize(quantized), atol=1e-9)


def test_short_clips_are_filtered_as_far_as_they_go():
    for n_times in (1, 2, 10, 22):
        x = np.linspace(0.1, 0.9, n_times)[np.newaxis]
        assert np.abs(GhoshQuantization(n_bits=4).transform(x)).max() == pytest.approx(1)


def test_match_takes_the_place_of_the_peak_of_1(clips):
    for cls in (GhoshResampling, GhoshQuantization):
        assert_allclose(np.abs(cls().transform(clips)).max(axis=1), 1)
        found = cls(match="peak").transform(clips)
        assert_allclose(np.abs(found).max(axis=1), np.abs(clips).max(axis=1))


def test_silence():
    silence = np.zeros((1, 1000))
    assert not GhoshResampling().transform(silence).any()
    assert not GhoshQuantization().transform(silence).any()
    assert np.abs(GhoshNoise().transform(silence)).max() == 1


def test_a_factor_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"factor=20000 .* sr=16000.* 16000 or less"):
        GhoshResampling(factor=20000).fit(np.zeros((1, 10)))
    for step in (GhoshResampling(factor=1), GhoshNoise(noise_sd=-1), GhoshQuantization(n_bits=1)):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(np.zeros((1, 5)))
