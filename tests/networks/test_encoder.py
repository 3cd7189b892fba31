"""The encoder's network, against NumPy and librosa, and what holds for any weights."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from skperceptual.networks import AuditoryEncoder


@pytest.fixture
def encoder():
    network = AuditoryEncoder(n_atoms=7)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        network.dictionary.weight.copy_(torch.from_numpy(rng.random((7, 256))))
        network.dictionary.bias.copy_(torch.from_numpy(-rng.random(7)))
    return network.requires_grad_(requires_grad=False)


@pytest.fixture
def signals(rng):
    # A length whose frames of 10 ms are odd in number: the last of 20 ms has one.
    tone = 0.3 * np.sin(2 * np.pi * 700 * np.arange(8000) / 16000) * np.linspace(0, 1, 8000)
    return torch.from_numpy(np.stack([tone, 0.1 * rng.standard_normal(8000)]))


def unit(part):
    return part / np.sqrt((part**2).sum(axis=1, keepdims=True) + 0.01)


def halved(part):
    """Average frames two by two; the last may be alone."""
    return np.stack([part[:, i : i + 2].mean(axis=1) for i in range(0, part.shape[1], 2)])


def by_hand(signal, weight, bias):
    """Write the encoder down in NumPy, over librosa's spectrogram."""
    spectrum = np.abs(
        librosa.stft(
            signal, n_fft=512, hop_length=160, win_length=400, center=True, pad_mode="constant"
        )
    )
    bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=64, htk=True, norm=None, dtype=float)
    m = np.log1p(bank @ spectrum / 1e-3)
    padded = np.pad(m, ((0, 0), (25, 25)))
    recent = np.stack([padded[:, t : t + 51].mean(axis=1) for t in range(m.shape[1])], axis=1)
    around = np.pad(m, ((0, 0), (2, 2)))
    change = around[:, 4:] - around[:, :-4]
    transient = np.concatenate([change.clip(min=0), (-change).clip(min=0)])
    channels = np.concatenate(
        [unit(halved(part)) for part in (m**2, m / (1 + recent), transient)], axis=1
    )
    learned = unit((channels @ weight.T + bias).clip(min=0))
    return np.concatenate([channels, learned, np.full((len(channels), 1), 0.1)], axis=1)


def test_values_against_numpy_and_librosa(encoder, signals):
    encoder = encoder.double()
    weight, bias = (value.numpy() for value in encoder.state_dict().values())
    frames = encoder(signals).numpy()
    assert frames.shape == (2, 26, encoder.n_dims) == (2, 26, 264)
    for signal, found in zip(signals.numpy(), frames, strict=True):
        np.testing.assert_allclose(found, by_hand(signal, weight, bias), atol=1e-10)


def test_silence_is_like_silence_and_like_nothing_else(encoder, signals):
    silent = encoder(torch.zeros(1, 4000))
    assert (silent[..., :-1] == 0).all()
    assert (silent[..., -1] > 0).all()
    cosine = torch.cosine_similarity(silent[0, 5], encoder(signals.float())[1, 5], dim=0)
    assert 0 <= cosine < 0.05


def test_gradients(encoder, signals):
    signals = signals[1:, :1200].requires_grad_()
    # The sum of squares of units hardly changes: weigh dimensions unequally.
    weights = torch.linspace(0, 1, encoder.n_dims, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: (encoder.double()(x) * weights).sum(), signals, eps=1e-8, fast_mode=True
    )


def test_gradients_of_silence_are_finite(encoder):
    signal = torch.zeros(1, 2000, requires_grad=True)
    encoder(signal).sum().backward()
    assert torch.isfinite(signal.grad).all()


def test_what_is_far_away_does_not_matter(encoder, signals):
    other = signals.clone()
    other[:, 7900:] = 0.5
    same = slice(0, (7900 - 16000 * 3 // 10) // 320)
    torch.testing.assert_close(
        encoder(other.float())[:, same], encoder(signals.float())[:, same], atol=0, rtol=0
    )


def test_without_a_dictionary(signals):
    encoder = AuditoryEncoder(n_atoms=0)
    assert encoder(signals.float()).shape[-1] == encoder.n_dims == 257
    with pytest.raises(ValueError, match="n_atoms of 1 or more"):
        encoder.resemblance(torch.zeros(1, 2, 256))
