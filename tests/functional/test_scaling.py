"""Logarithms and decibels against their formulas and librosa; the range of full-scale sines."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from skperceptual.functional.mel import mel_filterbank
from skperceptual.functional.scaling import (
    from_decibels,
    from_log,
    from_log01,
    full_scale_peak,
    to_decibels,
    to_log,
    to_log01,
)
from skperceptual.functional.spectrogram import padded_window

spectrograms = arrays(np.float64, (3, 5), elements=st.floats(0, 1e4)).map(torch.tensor)

FRONT_ENDS = {
    "default": {"sr": 16000, "n_fft": 1024, "n_mels": 256},
    "paper-1": {"sr": 16050, "n_fft": 2048, "n_mels": 512, "power": 2.0},
    "paper-2": {"sr": 16000, "n_fft": 1024, "n_mels": 256, "htk": True, "norm": None},
    "speech": {"sr": 16000, "n_fft": 512, "n_mels": 40, "win_length": 400},
    "limited": {"sr": 8000, "n_fft": 512, "n_mels": 40, "fmin": 100.0, "fmax": 1500.0},
}


@given(spectrograms, st.sampled_from([1e-5, 1e-3, 1.0]))
def test_log_is_undone(spectrogram, eps):
    torch.testing.assert_close(
        from_log(to_log(spectrogram, eps=eps), eps=eps), spectrogram, rtol=1e-9, atol=1e-12
    )
    assert to_log(torch.zeros(1, dtype=torch.float64), eps=eps).item() == pytest.approx(np.log(eps))


@given(spectrograms)
def test_log01_is_the_clipped_log_and_is_undone_inside_the_range(spectrogram):
    data_range = (float(np.log(1e-3)), float(np.log(100.0)))
    image = to_log01(spectrogram, data_range=data_range)
    expected = np.clip(
        (np.log(spectrogram.numpy() + 1e-3) - data_range[0]) / (data_range[1] - data_range[0]), 0, 1
    )
    np.testing.assert_allclose(image.numpy(), expected, atol=1e-14)
    torch.testing.assert_close(
        from_log01(image, data_range=data_range),
        spectrogram.clamp(max=100.0 - 1e-3),
        rtol=1e-9,
        atol=1e-12,
    )


@given(spectrograms, st.sampled_from([None, 80.0, 30.0]))
def test_decibels_are_those_of_librosa(spectrogram, top_db):
    for power, reference in ((1.0, librosa.amplitude_to_db), (2.0, librosa.power_to_db)):
        np.testing.assert_allclose(
            to_decibels(spectrogram, power=power, top_db=top_db).numpy(),
            reference(spectrogram.numpy(), ref=1.0, top_db=top_db),
            atol=1e-10,
        )


@given(spectrograms, st.sampled_from([0.5, 1.0, 2.0]))
def test_decibels_are_undone_above_the_floor(spectrogram, power):
    decibels = to_decibels(spectrogram, power=power, top_db=None)
    torch.testing.assert_close(
        from_decibels(decibels, power=power), spectrogram.clamp(min=1e-5**power), rtol=1e-9, atol=0
    )


def test_each_image_has_its_own_loudest_point():
    quiet_and_loud = torch.tensor([[[1e-4, 1.0]], [[1e-4, 1e3]]])
    np.testing.assert_allclose(
        to_decibels(quiet_and_loud).numpy(), [[[-80.0, 0.0]], [[-20.0, 60.0]]], atol=1e-4
    )


@pytest.mark.parametrize(
    "scale",
    [to_log, to_decibels, lambda silence: to_log01(silence, data_range=(-8.0, 1.0))],
)
def test_gradient_is_finite_on_silence(scale):
    silence = torch.zeros(3, 5, requires_grad=True)
    scale(silence).sum().backward()
    assert silence.grad.isfinite().all()


def sine_peak(frequency_bins, phase, *, power=1.0, win_length=None, **parameters):
    """Give the largest band of one frame of a full-scale sine, computed from its samples."""
    n_fft = parameters["n_fft"]
    sine = np.cos(2 * np.pi * frequency_bins * np.arange(n_fft) / n_fft + phase)
    spectrum = np.abs(np.fft.rfft(padded_window("hann", win_length, n_fft) * sine))
    return (mel_filterbank(**parameters) @ spectrum**power).max()


@pytest.mark.parametrize("name", FRONT_ENDS)
@given(share=st.floats(0, 1), phase=st.floats(0, 2 * np.pi))
def test_no_full_scale_sine_exceeds_the_peak(name, share, phase):
    parameters = FRONT_ENDS[name]
    peak = full_scale_peak(**parameters)
    assert sine_peak(share * parameters["n_fft"] / 2, phase, **parameters) <= 1.001 * peak


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_some_full_scale_sine_reaches_the_peak(name):
    parameters = FRONT_ENDS[name]
    n_bins = parameters["n_fft"] // 2
    coarse = np.arange(0, n_bins, 0.25)
    best = max(coarse, key=lambda bins: sine_peak(bins, 0.0, **parameters))
    fine = best + np.linspace(-0.25, 0.25, 51)
    reached = max(sine_peak(b, p, **parameters) for b in fine for p in (0.0, 0.8, 1.6, 2.4))
    assert reached == pytest.approx(full_scale_peak(**parameters), rel=1e-3)


def test_a_filter_of_one_bin_gives_half_the_sum_of_the_window():
    parameters = {"sr": 16000, "n_fft": 512, "n_mels": 1, "fmin": 480.0, "fmax": 520.0}
    for power in (1.0, 2.0):
        peak = full_scale_peak(**parameters, norm=None, power=power)
        assert peak == pytest.approx(128.0**power, rel=1e-9)


def test_a_bank_without_bins_has_no_peak():
    assert full_scale_peak(sr=16000, n_fft=512, n_mels=1, fmin=1001.0, fmax=1002.0) == 0.0


def test_windows_with_strong_side_lobes_stay_below_the_peak():
    parameters = {"sr": 16000, "n_fft": 512, "n_mels": 40}
    peak = full_scale_peak(**parameters, window="boxcar")
    n = np.arange(512)
    frequencies = np.linspace(0, 256, 4097)
    for phase in (0.0, 0.8, 1.6, 2.4):
        sines = np.cos(2 * np.pi * frequencies[:, np.newaxis] * n / 512 + phase)
        bands = np.abs(np.fft.rfft(sines)) @ mel_filterbank(**parameters).T
        assert 0.9 * peak < bands.max() < 1.001 * peak
