"""The transforms against librosa, their independence of the batch, and their gradients."""

from __future__ import annotations

import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual.functional.mel import mel_filterbank
from skperceptual.functional.spectrogram import (
    _BLOCK_VALUES,
    mel_spectrogram,
    padded_window,
    spectrogram,
    stft,
)

DATA = Path(__file__).resolve().parents[1] / "data"
GOLDEN = json.loads((DATA / "mel_spectrogram.json").read_text())["cases"]
MEL = {"sr": 16000, "n_fft": 512, "hop_length": 160, "n_mels": 40}


@pytest.fixture(scope="module")
def signal():
    with np.load(DATA / "mel_spectrogram.npz") as archive:
        return torch.tensor(archive["signal"] / 32768)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("name", GOLDEN)
def test_mel_equals_the_golden_values(name, signal):
    case = GOLDEN[name]
    bands = mel_spectrogram(signal, **{"center": True, "power": 2.0, **case["params"]})
    assert list(bands.shape) == case["shape"]
    samples = case["bands"]
    np.testing.assert_allclose(
        bands[samples["band"], samples["frame"]].numpy(), samples["value"], rtol=1e-9
    )


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_values_are_those_of_librosa(name, signal):
    case = GOLDEN[name]
    bank_names = ("sr", "n_fft", "n_mels", "fmin", "fmax", "htk", "norm")
    frames = {k: v for k, v in case["params"].items() if k not in bank_names} | {"n_fft": 512}
    power = frames.pop("power", 2.0)
    magnitudes = np.abs(librosa.stft(signal.numpy(), **frames)) ** power
    filters = {k: v for k, v in case["params"].items() if k in bank_names}
    bands = librosa.filters.mel(**filters, dtype=np.float64) @ magnitudes
    samples = case["bands"]
    np.testing.assert_allclose(
        bands[samples["band"], samples["frame"]], samples["value"], rtol=1e-9
    )


@given(
    n_times=st.integers(64, 700),
    n_fft=st.sampled_from([16, 33, 64]),
    hop_length=st.sampled_from([1, 7, 16, 100]),
    shortened=st.integers(0, 9),
    window=st.sampled_from(["hann", "hamming", "boxcar", ("kaiser", 14.0)]),
    center=st.booleans(),
    pad_mode=st.sampled_from(["constant", "edge", "reflect", "symmetric"]),
)
def test_stft_equals_librosa(n_times, n_fft, hop_length, shortened, window, center, pad_mode):
    signals = noise(n_times, seed=n_times)
    frames = {
        "n_fft": n_fft,
        "hop_length": hop_length,
        "win_length": n_fft - shortened,
        "window": window,
        "center": center,
        "pad_mode": pad_mode,
    }
    ours, reference = stft(signals, **frames).numpy(), librosa.stft(signals.numpy(), **frames)
    assert ours.shape == reference.shape
    np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-12 * np.abs(reference).max())
    np.testing.assert_allclose(
        spectrogram(signals, **frames, power=1.0).numpy(), np.abs(reference), atol=1e-11
    )


@pytest.mark.parametrize("pad_mode", ["edge", "reflect", "symmetric"])
def test_padding_longer_than_the_clip_is_that_of_numpy(pad_mode):
    signals = noise(5)
    padded = torch.tensor(np.pad(signals.numpy(), 32, mode=pad_mode))
    frames = {"n_fft": 64, "hop_length": 4}
    torch.testing.assert_close(
        stft(signals, **frames, center=True, pad_mode=pad_mode), stft(padded, **frames)
    )


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_mel_is_the_filterbank_times_the_spectrogram(power):
    signals = noise(2, 3, 4000)
    linear = spectrogram(signals, n_fft=512, hop_length=160, power=power)
    reference = torch.tensor(mel_filterbank(sr=16000, n_fft=512, n_mels=40)) @ linear
    torch.testing.assert_close(mel_spectrogram(signals, **MEL, power=power), reference)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clip_is_bitwise_the_same_in_any_batch_and_with_any_threads(dtype):
    clips = noise(7, 2, 5000, dtype=dtype)
    together = mel_spectrogram(clips, **MEL)
    assert together.dtype == dtype
    n_threads = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            alone = [mel_spectrogram(clip, **MEL) for clip in clips.flatten(0, 1)]
            reverse = mel_spectrogram(clips.flip(0), **MEL).flip(0)
        finally:
            torch.set_num_threads(n_threads)
        assert torch.equal(torch.stack(alone), together.flatten(0, 1))
        assert torch.equal(reverse, together)


def test_blocks_of_a_long_clip_do_not_show():
    n_frames = 2 * _BLOCK_VALUES // 512 + 3
    clip = noise(512 + 16 * (n_frames - 1))
    whole = spectrogram(clip, n_fft=512, hop_length=16)
    assert whole.shape[-1] == n_frames
    tail = spectrogram(clip[-512 - 16 * 599 :], n_fft=512, hop_length=16)
    assert torch.equal(whole[:, -600:], tail)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 3.0])
def test_gradient_is_right_and_finite_on_silence(power):
    parameters = {"sr": 8000, "n_fft": 16, "hop_length": 8, "n_mels": 3, "power": power}
    signals = noise(2, 40).requires_grad_()
    for center, pad_mode in ((False, "constant"), (True, "constant"), (True, "reflect")):
        assert torch.autograd.gradcheck(
            lambda x, c=center, p=pad_mode: mel_spectrogram(x, **parameters, center=c, pad_mode=p),
            signals,
        )
    silence = torch.zeros(40, dtype=torch.float64, requires_grad=True)
    mel_spectrogram(silence, **parameters).sum().backward()
    assert torch.equal(silence.grad, torch.zeros_like(silence))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_recording_the_gradient_does_not_change_the_value(power):
    half_silent = torch.cat([torch.zeros(2000, dtype=torch.float64), noise(2000)])
    with_gradient = mel_spectrogram(half_silent.clone().requires_grad_(), **MEL, power=power)
    assert torch.equal(with_gradient.detach(), mel_spectrogram(half_silent, **MEL, power=power))
    assert with_gradient[:, 0].abs().max() == 0


def test_single_precision_stays_and_is_near():
    signals = noise(4000)
    single = mel_spectrogram(signals.float(), **MEL)
    double = mel_spectrogram(signals, **MEL)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-6)


def test_window_is_periodic_centred_and_read_only():
    window = padded_window("hann", 400, 512)
    expected = np.zeros(512)
    expected[56:456] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    np.testing.assert_allclose(window, expected, atol=1e-15)
    assert not window.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_times": 511}, ValueError, r"at least 512 samples .* got 511\. .* center=True"),
        ({"n_times": 0, "center": True}, ValueError, "at least 1 samples"),
        ({"win_length": 600}, ValueError, "win_length=600 is longer than the frame, n_fft=512"),
        ({"window": "han2"}, ValueError, "window='han2' is not a window that scipy"),
        ({"window": ("kaiser",)}, ValueError, "is not a window that scipy"),
        ({"dtype": torch.int16}, TypeError, r"floating-point signals.*torch\.int16"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    signals = torch.zeros(arguments.pop("n_times", 4000), dtype=arguments.pop("dtype", None))
    with pytest.raises(error, match=message):
        mel_spectrogram(signals, **MEL, **arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_gives_the_same_values():
    signals = noise(3, 8000).requires_grad_()
    on_gpu = signals.detach().cuda().requires_grad_()
    here, there = mel_spectrogram(signals, **MEL), mel_spectrogram(on_gpu, **MEL)
    torch.testing.assert_close(there.cpu(), here, rtol=1e-10, atol=1e-12)
    here.sum().backward()
    there.sum().backward()
    torch.testing.assert_close(on_gpu.grad.cpu(), signals.grad, rtol=1e-9, atol=1e-11)
