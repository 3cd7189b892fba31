"""The compiled gammatone levels against the functions, frame by frame and as a whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skperceptual.functional import gammatone_filters, gammatone_frequencies, gammatone_levels
from skperceptual.functional.gammatone import symmetric_hann
from skperceptual.kernels.gammatone import frame_levels, signal_levels


def levels_of(signal, starts, win_length, filters):
    levels = np.full((len(filters), len(starts)), np.nan)
    frame_levels(signal, np.asarray(starts), symmetric_hann(win_length), filters, levels)
    return levels


def filters_of(n_bands, sr=16000):
    return gammatone_filters(gammatone_frequencies(n_bands=n_bands, fmin=50, fmax=sr / 2), sr=sr)


@pytest.mark.parametrize("win_length", [97, 98, 99, 100, 1280])
@pytest.mark.parametrize("n_frames", [1, 31, 32, 33])
def test_frames_equal_the_function(win_length, n_frames, rng):
    signal = rng.standard_normal(win_length + 40 * (n_frames - 1))
    found = levels_of(signal, 40 * np.arange(n_frames), win_length, filters_of(5))
    expected = gammatone_levels(
        torch.tensor(signal), sr=16000, n_bands=5, win_length=win_length, hop_length=40
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("win_length", "hop_length"), [(100, 25), (99, 31), (50, 80), (1, 1)])
@pytest.mark.parametrize("n_bands", [1, 32, 40])
def test_whole_signals_equal_the_function(win_length, hop_length, n_bands, rng):
    signal = rng.standard_normal(500)
    n_frames = 1 + (500 - win_length) // hop_length
    found = np.full((n_bands, n_frames), np.nan)
    signal_levels(signal, win_length, hop_length, filters_of(n_bands), found)
    expected = gammatone_levels(
        torch.tensor(signal),
        sr=16000,
        n_bands=n_bands,
        win_length=win_length,
        hop_length=hop_length,
        filtering="signal",
    )
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-15)


def test_equal_frames_give_equal_bits_wherever_they_stand(rng):
    frame = rng.standard_normal(200)
    signal = np.concatenate([frame, rng.standard_normal(77), frame, frame])
    starts = [5] * 20 + [0, 277, 477] + [9] * 30 + [0]
    levels = levels_of(signal, starts, 200, filters_of(7))
    for column in (21, 22, 53):
        np.testing.assert_array_equal(levels[:, column], levels[:, 20])


def test_silence_is_exactly_zero():
    assert (levels_of(np.zeros(500), [0, 100], 200, filters_of(3)) == 0).all()
