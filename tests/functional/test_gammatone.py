"""Gammatone filters and levels: published values, and a bank of SciPy's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import sosfilt

from skperceptual.functional import gammatone_filters, gammatone_frequencies, gammatone_levels

GOLDENS = json.loads((Path(__file__).parents[1] / "data" / "visqol.json").read_text())["goldens"]


def bank(frequencies: np.ndarray, sr: float) -> list[np.ndarray]:
    """Give SciPy's second-order sections of each filter."""
    filters = gammatone_filters(frequencies, sr=sr)
    banks = [[[1, zero, 0, 1, a1, a2] for zero in zeros] for a1, a2, *zeros, _ in filters]
    for sections, gain in zip(banks, filters[:, 6], strict=True):
        sections[0][:3] = [value * gain for value in sections[0][:3]]
    return [np.array(sections) for sections in banks]


@pytest.mark.parametrize(
    ("golden", "n_bands", "fmax"),
    [("center_freqs_48k_32", 32, 24000.0), ("center_freqs_16k_21", 21, 8000.0)],
)
def test_frequencies_are_those_of_visqol(golden, n_bands, fmax):
    found = gammatone_frequencies(n_bands=n_bands, fmin=50.0, fmax=fmax)
    np.testing.assert_allclose(found, GOLDENS[golden], rtol=1e-13)


def test_filters_are_those_of_visqol():
    golden = GOLDENS["filters_48k_32"]
    filters = gammatone_filters(GOLDENS["center_freqs_48k_32"], sr=48000)
    expected = [golden["B1"], golden["B2"]]
    expected += [np.array(golden[f"A1{stage}"]) / golden["T"] for stage in (1, 2, 3, 4)]
    np.testing.assert_allclose(filters[:, :6].T, expected, rtol=1e-10)
    # The gain divides the numerators there, each of which holds the sampling interval.
    np.testing.assert_allclose(
        filters[:, 6], golden["T"] ** 4 / np.array(golden["gain"]), rtol=1e-9
    )


@pytest.mark.parametrize("sr", [8000, 44100])
def test_gain_at_the_center_is_one(sr):
    frequencies = gammatone_frequencies(n_bands=5, fmin=100.0, fmax=sr / 2)
    for frequency, sections in zip(frequencies, bank(frequencies, sr), strict=True):
        z = np.exp(-2j * np.pi * frequency / sr * np.arange(3))
        response = np.prod(sections[:, :3] @ z / (sections[:, 3:] @ z))
        assert abs(response) == pytest.approx(1, abs=1e-9)


def test_levels_are_those_of_visqol():
    golden = GOLDENS["tone_spectrogram"]
    n = np.arange(48000)
    signal = 0.5 * np.sin(2 * np.pi * 1000 * n / 48000) + 0.1 * np.cos(2 * np.pi * 5000 * n / 48000)
    levels = gammatone_levels(torch.tensor(signal), sr=48000, win_length=3840, hop_length=960)
    assert list(levels.shape) == golden["shape"]
    for frame in (0, 7):
        np.testing.assert_allclose(levels[:, frame], golden[f"rms_frame{frame}"], rtol=1e-9)


@pytest.mark.parametrize("filtering", ["frame", "signal"])
def test_levels_equal_those_of_a_recursive_bank(filtering, rng):
    signal = rng.standard_normal(3000)
    parameters = {"sr": 16000, "n_bands": 6, "fmin": 80.0, "fmax": 7000.0}
    levels = gammatone_levels(
        torch.tensor(signal), **parameters, win_length=501, hop_length=200, filtering=filtering
    )
    sections = bank(gammatone_frequencies(n_bands=6, fmin=80.0, fmax=7000.0), 16000)
    starts = 200 * np.arange(13)
    for row, section in enumerate(sections):
        for column, start in enumerate(starts):
            if filtering == "frame":
                hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(501) / 500)
                out = sosfilt(section, hann * signal[start : start + 501])
            else:
                out = sosfilt(section, signal)[start : start + 501]
            expected = np.sqrt(np.mean(out**2))
            assert levels[row, column].item() == pytest.approx(expected, rel=1e-9)
    assert levels.shape == (6, 13)


def test_leading_axes_and_gradient(rng):
    signals = torch.tensor(rng.standard_normal((2, 3, 400)), requires_grad=True)
    levels = gammatone_levels(signals, sr=8000, n_bands=4, win_length=100, hop_length=50)
    assert levels.shape == (2, 3, 4, 7)
    alone = gammatone_levels(signals[1, 2], sr=8000, n_bands=4, win_length=100, hop_length=50)
    torch.testing.assert_close(levels[1, 2], alone)
    levels.sum().backward()
    assert torch.isfinite(signals.grad).all()


@pytest.mark.parametrize("filtering", ["frame", "signal"])
def test_gradient_is_finite_at_silence(filtering, rng):
    signal = torch.tensor(rng.standard_normal(800))
    signal[:400] = 0
    signal.requires_grad_()
    frames = {"win_length": 100, "hop_length": 50, "filtering": filtering}
    levels = gammatone_levels(signal, sr=8000, n_bands=4, **frames)
    assert (levels[:, 0] < 1e-12).all()
    levels.sum().backward()
    assert torch.isfinite(signal.grad).all()
    assert signal.grad.any()


def test_bad_parameters_say_what_to_do():
    signal = torch.zeros(100)
    for frames in ({"win_length": 1, "hop_length": 1}, {"win_length": 20, "hop_length": 0}):
        with pytest.raises(ValueError, match="frames of at least 2 samples"):
            gammatone_levels(signal, sr=8000, **frames)
    with pytest.raises(ValueError, match=r"below sr / 2 = 4000 Hz, got 50 to .* Lower fmax"):
        gammatone_levels(signal, sr=8000, fmax=16000.0, win_length=20, hop_length=5)
    with pytest.raises(ValueError, match="fmin=50 and fmax=0 Hz"):
        gammatone_levels(signal, sr=8000, fmax=0.0, win_length=20, hop_length=5)
    with pytest.raises(ValueError, match="at least win_length=200 samples, got 100"):
        gammatone_levels(signal, sr=8000, win_length=200, hop_length=50)
    with pytest.raises(ValueError, match="Use 'frame' or 'signal'"):
        gammatone_levels(signal, sr=8000, win_length=20, hop_length=5, filtering="none")
    with pytest.raises(ValueError, match="fmin=50 and fmax=40 Hz"):
        gammatone_levels(signal, sr=80, win_length=20, hop_length=5)
