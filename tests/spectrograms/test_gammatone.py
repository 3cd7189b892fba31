"""GammatoneSpectrogram: the images of ViSQOL, levels as they are, decibels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skperceptual import GammatoneSpectrogram
from skperceptual.full_reference.visqol.images import comparable_images, make_front_end
from skperceptual.functional import gammatone_levels
from skperceptual.spectrograms.gammatone import band_names


@pytest.mark.parametrize("filtering", ["frame", "signal"])
def test_levels_are_those_of_the_function(filtering, rng):
    clips = rng.standard_normal((2, 3000))
    parameters = {"sr": 16000, "n_bands": 9, "fmin": 100.0, "fmax": 6000.0}
    frames = {"win_length": 400, "hop_length": 150, "filtering": filtering}
    found = GammatoneSpectrogram(**parameters, **frames, scale=None).fit_transform(clips)
    expected = gammatone_levels(torch.tensor(clips), **parameters, **frames)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_images_are_those_that_visqol_compares(rng):
    clip = 0.1 * rng.standard_normal(60000)
    clip[20000:40000] = 0
    levels = make_front_end("audio", 48000).levels(clip)
    expected, _ = comparable_images(levels, 0.5 * levels)
    found = GammatoneSpectrogram().fit_transform(clip[np.newaxis])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert found.min() == 0


def test_decibels(rng):
    clips = rng.standard_normal((1, 2000))
    clips[:, :1000] *= 1e-6
    levels = GammatoneSpectrogram(sr=8000, scale=None).fit_transform(clips)
    found = GammatoneSpectrogram(sr=8000, scale="db", top_db=30.0).fit_transform(clips)
    expected = 20 * np.log10(np.maximum(levels, 1e-5))
    np.testing.assert_allclose(found, np.maximum(expected, expected.max() - 30))
    all_of_it = GammatoneSpectrogram(sr=8000, scale="db", top_db=None).fit_transform(clips)
    np.testing.assert_allclose(all_of_it, expected)


@pytest.mark.parametrize(("sr", "frames"), [(48000, (3840, 960)), (44100, (3528, 882))])
def test_frames_are_those_of_visqol(sr, frames):
    win_length, hop_length = frames
    front_end = GammatoneSpectrogram(sr=sr)
    images = front_end.fit_transform(np.zeros((1, win_length + 3 * hop_length)))
    assert images.shape == (1, 32, 4)
    expected = (win_length / 2 + hop_length * np.arange(4)) / sr
    np.testing.assert_allclose(front_end.frame_times(4), expected)
    with pytest.raises(ValueError, match=f"at least {win_length}"):
        front_end.transform(np.zeros((1, win_length - 1)))


def test_a_tone_lights_its_band():
    front_end = GammatoneSpectrogram(sr=16000, n_bands=20, filtering="signal", scale=None)
    for band, frequency in enumerate(front_end.band_frequencies()):
        tone = np.sin(2 * np.pi * frequency * np.arange(16000) / 16000)
        image = front_end.fit_transform(tone[np.newaxis])[0]
        assert image[:, -1].argmax() == band
        assert image[band, -1] == pytest.approx(np.sqrt(0.5), rel=0.02)


def test_frames_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="Give win_length, at least 2"):
        GammatoneSpectrogram(win_length=1, hop_length=1).fit(np.zeros((1, 100)))
    with pytest.raises(ValueError, match="too short at sr=30"):
        GammatoneSpectrogram(sr=30, fmin=1.0).fit(np.zeros((1, 100)))


def test_bands_beyond_half_the_rate_are_refused():
    with pytest.raises(ValueError, match=r"below sr / 2 = 4000 Hz.* Lower fmax"):
        GammatoneSpectrogram(sr=8000, fmax=16000.0).fit_transform(np.ones((1, 8000)))


def test_names_tell_bands_apart():
    assert band_names([50.2, 50.4, 51.0]) == ["50.2hz", "50.4hz", "51.0hz"]
