"""Mel bands back to bins: against an exact solver, frame by frame, and the pseudo-inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from skperceptual.functional.inversion import mel_to_spectrogram
from skperceptual.functional.mel import mel_filterbank

BANKS = {
    "slaney": {"sr": 16000, "n_fft": 512, "norm": "slaney"},
    "htk": {"sr": 16000, "n_fft": 512, "htk": True, "norm": None},
    "limited": {"sr": 16000, "n_fft": 512, "fmin": 300.0, "fmax": 4000.0},
}


def bank_and_bands(name, n_mels, rng, *, disturb):
    bank = mel_filterbank(**BANKS[name], n_mels=n_mels)
    bands = bank @ rng.gamma(0.5, size=(257, 12))
    return bank, bands * np.exp(disturb * rng.standard_normal(bands.shape))


@pytest.mark.parametrize("n_mels", [40, 100])
@pytest.mark.parametrize("name", BANKS)
def test_residual_is_the_smallest_there_is(name, n_mels, rng):
    bank, bands = bank_and_bands(name, n_mels, rng, disturb=0.3)
    found = mel_to_spectrogram(torch.tensor(bands), **BANKS[name]).numpy()
    smallest = np.array([nnls(bank, frame)[1] for frame in bands.T])
    residual = np.linalg.norm(bank @ found - bands, axis=0)
    assert found.min() >= 0
    assert (residual - smallest).max() <= 2e-3 * np.linalg.norm(bands, axis=0).max()


def test_bands_that_no_signal_has_do_not_blow_up(rng):
    filters = {"sr": 16000, "n_fft": 1024, "htk": True, "norm": None}
    bank = mel_filterbank(**filters, n_mels=256)
    bands = bank @ rng.gamma(0.5, size=(513, 12)) * np.exp(0.3 * rng.standard_normal((256, 12)))
    found = mel_to_spectrogram(torch.tensor(bands), **filters).numpy()
    clipped = np.maximum(np.linalg.pinv(bank) @ bands, 0)
    error, error_clipped = (np.linalg.norm(bank @ s - bands) for s in (found, clipped))
    assert error < 0.2 * np.linalg.norm(bands)
    assert error_clipped > 10 * np.linalg.norm(bands)


def test_bins_outside_the_filters_are_silent(rng):
    bank, bands = bank_and_bands("limited", 40, rng, disturb=0.0)
    found = mel_to_spectrogram(torch.tensor(bands), **BANKS["limited"]).numpy()
    outside = ~bank.any(axis=0)
    assert outside.sum() > 100
    assert found[outside].max() == 0


def test_leading_axes_stay_and_an_image_does_not_depend_on_the_others(rng):
    bands = torch.tensor(rng.random((2, 3, 40, 7)))
    together = mel_to_spectrogram(bands, **BANKS["slaney"])
    assert together.shape == (2, 3, 257, 7)
    alone = [mel_to_spectrogram(image, **BANKS["slaney"]) for image in bands.flatten(0, 1)]
    assert torch.equal(torch.stack(alone), together.flatten(0, 1))


def test_silence_is_silence_in_single_precision_too():
    found = mel_to_spectrogram(torch.zeros(40, 3), **BANKS["slaney"])
    assert found.dtype == torch.float32
    assert not found.any()
