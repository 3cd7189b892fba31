"""The phase vocoder against librosa's, and what keeps its place in a round trip."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import correlate, stft

from skperceptual.degradations import TimeStretch
from skperceptual.degradations.time_stretch import stretch

# librosa, the reference, reads its own files in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")


@pytest.mark.parametrize("rate", [0.5, 0.77, 1.0, 1.3, 2.0])
def test_the_vocoder_is_that_of_librosa(rate, hiss):
    clip = hiss[:16000]
    expected = librosa.effects.time_stretch(clip, rate=rate, n_fft=1024, hop_length=256)
    assert_allclose(stretch(clip, rate, len(expected), 256), expected, atol=1e-9)


def test_a_tone_stays_a_tone():
    tone = np.sin(2 * np.pi * 1000 * np.arange(32000) / 16000)
    (found,) = TimeStretch(rate=1.7).transform([tone])
    spectrum = np.abs(np.fft.rfft(found[2000:-2000] * np.hanning(28000)))
    assert np.argmax(spectrum) * 16000 / 28000 == pytest.approx(1000, abs=1)


def envelope(clip, n=320):
    return np.convolve(np.square(clip), np.hanning(n), mode="same")


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_onsets_keep_their_places(severity, rng):
    # bursts of noise at irregular times
    times = np.arange(48000)
    starts = np.sort(rng.choice(np.arange(2000, 46000, 1500), size=10, replace=False))
    shape = sum(np.exp(-(times - start) / 800) * (times >= start) for start in starts)
    clip = 0.3 * shape * rng.standard_normal(48000)
    step = TimeStretch(severity=severity)
    (found,) = step.transform([clip])
    correlation = correlate(envelope(found), envelope(clip), method="fft")
    assert abs(np.argmax(correlation) - 47999) <= step.max_lag


def test_only_the_first_rung_is_near(music):
    clip = music[::3].copy()
    distances = []
    for rate in (1.0, 1.001, 1.1, 2.5):
        (found,) = TimeStretch(rate=rate).transform([clip])
        a, b = (np.abs(stft(x, nperseg=512)[2]) for x in (clip, found))
        distances.append(np.mean(np.square(np.log(a + 1e-5) - np.log(b + 1e-5))))
    assert distances[0] < 1e-6  # a factor of 1 gives everything back
    assert (np.diff(distances) > 0).all()


@pytest.mark.parametrize("n_times", [1, 2, 255, 256, 257, 1023])
def test_clips_shorter_than_a_window(n_times, hiss):
    for rate in (0.3, 1.5, 9.0):
        (found,) = TimeStretch(rate=rate).transform([hiss[:n_times]])
        assert found.shape == (n_times,)
        assert np.abs(found).max() < 5
