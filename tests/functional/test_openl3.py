"""OpenL3's windows and images: conformance values, librosa, and the counts that are published."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual.functional import openl3_spectrogram, openl3_windows

KINDS = [
    ("linear", "kapre-0.1"),
    ("linear", "openl3-0.4"),
    *((f"mel{n}", frontend) for n in (128, 256) for frontend in ("kapre-0.1", "openl3-0.4")),
]
each_kind = pytest.mark.parametrize(("input_repr", "frontend"), KINDS)


@each_kind
def test_images_are_the_conformance_values(shared, input_repr, frontend):
    with np.load(shared / "cases" / "embeddings.npz", allow_pickle=False) as stored:
        window = torch.tensor(stored["openl3__signal_48k"])
        kind = input_repr if input_repr == "linear" else f"{frontend}__{input_repr}"
        expected = stored[f"openl3__{kind}"]
    tolerance = np.where(expected > -79, 1e-3, 2e-2)
    for dtype in (torch.float64, torch.float32):
        found = openl3_spectrogram(
            window.to(dtype), input_repr=input_repr, frontend=frontend
        ).numpy()
        assert found.shape == expected.shape
        assert (np.abs(found - expected) <= tolerance).all()


@each_kind
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
def test_images_are_what_librosa_computes(input_repr, frontend):
    window = librosa.chirp(fmin=50, fmax=20000, sr=48000, duration=1.0)
    window[30000:] *= 0.01
    n_fft = 512 if input_repr == "linear" else 2048
    left, right = {"linear": (0, 0)}.get(
        input_repr, (982, 982) if frontend == "kapre-0.1" else (0, 1964)
    )
    magnitude = np.abs(
        librosa.stft(np.pad(window, (left, right)), n_fft=n_fft, hop_length=242, center=False)
    )
    if input_repr != "linear":
        is_first = frontend == "kapre-0.1"
        bank = librosa.filters.mel(
            sr=48000, n_fft=2048, n_mels=int(input_repr[3:]), htk=is_first, dtype=np.float64
        )
        magnitude = np.sqrt(bank @ magnitude**2) if is_first else bank @ magnitude
    expected = librosa.power_to_db(magnitude, ref=np.max, amin=1e-10, top_db=80)
    found = openl3_spectrogram(torch.tensor(window), input_repr=input_repr, frontend=frontend)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_the_front_ends_differ_by_more_than_digits():
    noise = torch.tensor(np.random.default_rng(0).normal(size=48000))
    first, second = (openl3_spectrogram(noise, frontend=f) for f in ("kapre-0.1", "openl3-0.4"))
    assert (first - second).abs().mean() > 0.5


@each_kind
def test_each_window_has_its_own_zero_decibels(input_repr, frontend):
    windows = torch.tensor(np.random.default_rng(0).normal(size=(3, 48000)))
    windows *= torch.tensor([[1.0], [0.1], [0.0]])
    images = openl3_spectrogram(windows, input_repr=input_repr, frontend=frontend)
    assert (images.amax(dim=(1, 2)) == 0).all()
    assert images.min() >= -80
    alone = openl3_spectrogram(windows[1], input_repr=input_repr, frontend=frontend)
    assert torch.equal(alone, images[1])


@pytest.mark.parametrize(
    ("n_times", "center", "hop_seconds", "n_windows"),
    [
        (96000, True, 0.1, 16),  # OpenL3's own regression data
        (96000, False, 0.5, 3),
        (1093251, True, 0.1, 224),  # arrays that were published with a study
        (537915, True, 0.1, 109),
        (1, False, 0.1, 1),
        (48000, False, 0.1, 1),
        (48001, False, 0.1, 2),
    ],
)
def test_number_of_windows(n_times, center, hop_seconds, n_windows):
    windows = openl3_windows(torch.zeros(n_times), center=center, hop_seconds=hop_seconds)
    assert windows.shape == (n_windows, 48000)


@given(st.integers(1, 200000), st.booleans(), st.floats(0.05, 1.0))
def test_windows_hold_the_whole_signal_and_nothing_else(n_times, center, hop_seconds):
    signal = torch.arange(1.0, n_times + 1)
    windows = openl3_windows(signal, center=center, hop_seconds=hop_seconds)
    hop, before = int(hop_seconds * 48000), 24000 * center
    start = (len(windows) - 1) * hop - before
    assert start < n_times
    assert start + 48000 >= n_times
    for k in {0, len(windows) - 1}:
        first = k * hop - before
        times = torch.arange(first, first + 48000)
        expected = torch.where((times >= 0) & (times < n_times), times + 1.0, 0.0)
        assert torch.equal(windows[k], expected)


def test_wrong_requests():
    with pytest.raises(ValueError, match="less than one sample"):
        openl3_windows(torch.zeros(10), hop_seconds=1e-6)
    with pytest.raises(ValueError, match="at least one sample"):
        openl3_windows(torch.zeros(0))
    with pytest.raises(ValueError, match=r"'mel128', 'mel256'.*got 'mel64' and 'kapre-0.1'"):
        openl3_spectrogram(torch.zeros(48000), input_repr="mel64")
    with pytest.raises(ValueError, match=r"'openl3-0.4'; got 'linear' and 'kapre'"):
        openl3_spectrogram(torch.zeros(48000), input_repr="linear", frontend="kapre")


@pytest.mark.parametrize("frontend", ["kapre-0.1", "openl3-0.4"])
def test_gradient_is_finite_on_silence_and_tells_the_way(frontend):
    silence = torch.zeros(48000, requires_grad=True)
    openl3_spectrogram(silence, frontend=frontend).sum().backward()
    assert torch.isfinite(silence.grad).all()
    rng = np.random.default_rng(0)
    signal = torch.tensor(rng.normal(size=48000), requires_grad=True)
    weights = torch.tensor(rng.normal(size=(128, 199)))

    def value(s):
        return (openl3_spectrogram(s, input_repr="mel128", frontend=frontend) * weights).sum()

    value(signal).backward()
    direction = torch.tensor(rng.normal(size=48000))
    step = 1e-6
    with torch.no_grad():
        change = value(signal + step * direction) - value(signal - step * direction)
    slope = float(signal.grad @ direction)
    np.testing.assert_allclose(float(change) / (2 * step), slope, rtol=1e-4)
