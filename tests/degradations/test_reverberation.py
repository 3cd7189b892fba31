"""The room: its energy, its decay, where the direct sound is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import solve_triangular, toeplitz
from scipy.signal import correlate

from skperceptual import load_audio
from skperceptual.degradations import Reverberation

SR = 16000


def response(**parameters):
    """Give the room's response, of a signal that holds all of it."""
    click = np.zeros((1, 2 * SR))
    click[0, 0] = 1.0
    return Reverberation(sr=SR, random_state=0, **parameters).transform(click)[0]


@pytest.mark.parametrize("t60_seconds", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("drr_db", [-5.0, 0.0, 10.0, 30.0])
def test_energy_of_the_room(t60_seconds, drr_db):
    room = response(t60_seconds=t60_seconds, drr_db=drr_db)
    assert room[0] == 1
    assert -10 * np.log10(np.sum(np.square(room[1:]))) == pytest.approx(drr_db, abs=1e-9)
    assert np.abs(room[round(t60_seconds * SR) + 1 :]).max() < 1e-15


@pytest.mark.parametrize("t60_seconds", [0.2, 0.5, 1.0])
def test_decay_of_the_room(t60_seconds):
    # Schroeder's backward integral, from -5 to -25 dB, as T20 is measured
    room = response(t60_seconds=t60_seconds, drr_db=0.0)[1:]
    decay = 10 * np.log10(np.cumsum(np.square(room[::-1]))[::-1] / np.sum(np.square(room)) + 1e-12)
    start, stop = np.argmax(decay < -5), np.argmax(decay < -25)
    slope = np.polyfit(np.arange(start, stop) / SR, decay[start:stop], 1)[0]
    assert -60 / slope == pytest.approx(t60_seconds, rel=0.1)


def test_the_room_is_white():
    rooms = [
        Reverberation(drr_db=0.0, sr=SR, random_state=seed).transform(np.eye(1, SR))[0, 1:]
        for seed in range(40)
    ]
    power = np.mean(np.abs(np.fft.rfft(rooms)) ** 2, axis=0).reshape(-1, 125).mean(axis=1)[:60]
    assert power.max() / power.min() < 1.5


def test_a_signal_is_convolved_with_its_room(rng):
    # Two signals are in two rooms; one signal is in one at every severity.
    clip = rng.standard_normal(4000)
    clip[0] = 100.0  # so that the room can be solved for
    mild, strong = (
        Reverberation(drr_db=drr, sr=SR, random_state=3).transform([clip])[0] - clip
        for drr in (10.0, 0.0)
    )
    assert_allclose(strong, mild * 10**0.5, atol=1e-12)
    # what was added, deconvolved, is a room whose first sample is silent
    room = solve_triangular(toeplitz(clip[:300], np.zeros(300)), strong[:300], lower=True)
    assert abs(room[0]) < 1e-12
    decay = 10 ** (-3 * np.arange(1, 8001) / 8000)
    assert np.std(room[1:] / decay[:299]) == pytest.approx(np.sum(decay**2) ** -0.5, rel=0.1)


def test_the_signal_keeps_its_place_in_recordings(shared):
    files = sorted((shared / "data" / "music").glob("*.flac"))[::10]
    files += sorted((shared / "data" / "speech").glob("*.flac"))[::6]
    clips = [load_audio(file, sr=SR)[0][: 2 * SR].astype(np.float64) for file in files]
    for severity in (0.0, 0.5, 1.0):
        step = Reverberation(severity=severity, sr=SR, random_state=0)
        assert step.max_lag == 0
        for clip, degraded in zip(clips, step.transform(clips), strict=True):
            # Strong partials, whose phase the room turns, are weakened.
            spectrum = np.fft.rfft(correlate(degraded, clip, method="fft"))
            weights = np.maximum(np.abs(spectrum), 1e-9 * np.abs(spectrum).max()) ** 0.8
            correlation = np.fft.irfft(spectrum / weights, 2 * len(clip) - 1)
            assert np.argmax(correlation) == len(clip) - 1


def test_too_short_a_reverberation_is_refused():
    with pytest.raises(ValueError, match="less than two samples at sr=100"):
        Reverberation(t60_seconds=0.01, sr=100).fit(np.zeros((1, 5)))


def test_shorter_signals_than_the_room(rng):
    clip = rng.standard_normal(500)
    (degraded,) = Reverberation(random_state=0).transform([clip])
    assert degraded[0] == clip[0]
    assert_array_equal(Reverberation(random_state=0).transform(np.ones((1, 1))), [[1.0]])
