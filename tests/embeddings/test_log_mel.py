"""Mel bands as an embedding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skperceptual import MelSpectrogram
from skperceptual.embeddings import LogMelEmbedding


def test_is_the_mel_spectrogram_with_frames_first(rng):
    signals = rng.standard_normal((2, 3000))
    embedding = LogMelEmbedding(n_fft=256, hop_length=100, n_mels=12, fmin=50.0, eps=0.01)
    bands = MelSpectrogram(n_fft=256, hop_length=100, n_mels=12, fmin=50.0, scale=None)
    expected = np.log1p(bands.transform(signals) / 0.01).swapaxes(1, 2)
    found = embedding.transform(signals)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert found.shape[2] == embedding.n_dims
    assert embedding.hop_seconds == 100 / 16000


def test_the_module_gives_the_same_and_gradients(rng):
    signals = rng.standard_normal((2, 600))
    embedding = LogMelEmbedding(n_fft=64, hop_length=32, n_mels=5)
    module = embedding.to_module()
    tensor = torch.tensor(signals, requires_grad=True)
    np.testing.assert_allclose(module(tensor).detach(), embedding.transform(signals), rtol=1e-12)
    assert torch.autograd.gradcheck(module, (tensor[:, :100],))


@pytest.mark.parametrize(("center", "least"), [(True, 1), (False, 64)])
def test_min_samples_gives_a_frame(center, least):
    embedding = LogMelEmbedding(n_fft=64, hop_length=32, n_mels=5, center=center)
    assert embedding.min_samples == least
    assert embedding.transform(np.ones((1, least))).shape == (1, 1, 5)


def test_silence_is_the_vector_of_zeros():
    assert not LogMelEmbedding().transform(np.zeros((1, 2000))).any()
