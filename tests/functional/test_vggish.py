"""VGGish's front end: Google's printed values, and properties of what surrounds the network."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual.functional import (
    vggish_log_mel,
    vggish_mel_matrix,
    vggish_postprocess,
    vggish_windows,
)


def sine(n_times=48000):
    return torch.tensor(np.sin(2 * np.pi * 1000 * np.arange(n_times) / 16000))


def examples(signal, **parameters):
    return vggish_log_mel(vggish_windows(signal, **parameters))


@pytest.fixture(scope="module")
def arrays(shared):
    with np.load(shared / "cases" / "embeddings.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored if name.startswith("vggish")}


def test_examples_are_those_of_the_conformance_values(arrays):
    found = examples(torch.tensor(arrays["vggish__signal_16k"])).numpy()
    np.testing.assert_allclose(found, arrays["vggish__log_mel_examples"], rtol=0, atol=1e-6)
    narrow = examples(torch.tensor(arrays["vggish__signal_16k"], dtype=torch.float32)).numpy()
    np.testing.assert_allclose(narrow, arrays["vggish__log_mel_examples"], rtol=0, atol=1e-3)


def test_examples_are_those_that_google_printed(arrays, shared):
    cases = json.loads((shared / "cases" / "embeddings.json").read_text(encoding="utf-8"))
    printed = cases["vggish_2019_smoke_test"]["log_mel_example0_printed"]
    first = examples(torch.tensor(arrays["vggish__signal_16k"]))[0].numpy()
    assert len(printed) == 10
    for key, values in printed.items():
        row, part = key.removeprefix("row").split("_")
        found = first[int(row)]
        found = found[:3] if part == "first3" else found[-3:]
        np.testing.assert_allclose(found, values, rtol=0, atol=1e-6)


def test_values_of_the_smoke_test_at_16_khz():
    # mean, deviation and first values as computed by an independent implementation
    found = examples(sine())
    assert found.shape == (3, 96, 64)
    np.testing.assert_allclose(
        [found.mean(), found.numpy().std()], [-3.429619, 2.126577], atol=1e-6
    )
    np.testing.assert_allclose(
        found[0, 0, :3], [-4.48313252, -4.27083405, -4.17064267], rtol=0, atol=1e-6
    )
    assert int(found[0].mean(dim=0).argmax()) == 19


def test_log_mel_is_what_numpy_computes(rng):
    signal = rng.normal(size=4000)
    frames = np.lib.stride_tricks.sliding_window_view(signal, 400)[::160]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    mel = np.abs(np.fft.rfft(frames * window, 512)) @ vggish_mel_matrix()
    found = vggish_log_mel(torch.tensor(signal))
    np.testing.assert_allclose(found, np.log(mel + 0.01), rtol=0, atol=1e-12)


def test_filters_are_triangles_in_mels():
    bank = vggish_mel_matrix()
    assert bank.shape == (257, 64)
    assert np.count_nonzero(bank) == 461
    np.testing.assert_allclose(bank.sum(), 230.913599, atol=1e-6)
    assert not bank[0].any()
    mels = 1127 * np.log(1 + np.linspace(0, 8000, 257) / 700)
    inside = np.flatnonzero(bank[:, 40])
    assert inside.size > 4
    rises = np.diff(bank[inside, 40]) / np.diff(mels[inside])
    np.testing.assert_allclose(np.abs(rises[[0, 1, -1]]), np.abs(rises[0]))


@given(st.integers(15600, 15360 * 4))
def test_number_of_examples(n_times):
    # k examples need 400 + 160 (96 k - 1) samples
    n_frames = 1 + (n_times - 400) // 160
    assert vggish_windows(torch.zeros(n_times)).shape == (n_frames // 96, 15600)


def test_hop_moves_the_window():
    signal = torch.arange(40000.0)
    windows = vggish_windows(signal, hop_seconds=0.5)
    assert windows[:, 0].tolist() == [0.0, 8000.0, 16000.0, 24000.0]
    assert vggish_windows(signal, hop_seconds=0.013)[1, 0] == 160


def test_too_short_and_too_dense():
    with pytest.raises(ValueError, match=r"at least 15600 samples.*got 15599"):
        vggish_windows(torch.zeros(15599))
    with pytest.raises(ValueError, match=r"less than the 0.01 s"):
        vggish_windows(torch.zeros(16000), hop_seconds=0.001)


def test_gradient_is_right_and_finite_on_silence():
    signal = torch.tensor(np.random.default_rng(0).normal(size=800), requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: vggish_log_mel(s).sum(), signal, atol=1e-6)
    silence = torch.zeros(800, requires_grad=True)
    vggish_log_mel(silence).sum().backward()
    assert torch.isfinite(silence.grad).all()


def test_postprocessing_is_what_the_original_computes(rng):
    vectors, means = rng.normal(size=(5, 8)), rng.normal(size=8)
    matrix = rng.normal(size=(8, 8))
    whitened = np.dot(matrix, vectors.T - means[:, np.newaxis]).T
    expected = np.round((np.clip(whitened, -2, 2) + 2) * 255 / 4)
    given_ = {"eigenvectors": torch.tensor(matrix), "means": torch.tensor(means)}
    found = vggish_postprocess(torch.tensor(vectors), **given_)
    np.testing.assert_array_equal(found, expected)
    assert {0.0, 255.0} <= set(found.numpy().ravel())


def test_gradient_passes_through_the_rounding():
    vectors = torch.tensor([[0.3, 5.0]], requires_grad=True)
    found = vggish_postprocess(vectors, eigenvectors=torch.eye(2), means=torch.zeros(2))
    assert found.detach().tolist() == [[147.0, 255.0]]
    found.sum().backward()
    assert vectors.grad.tolist() == [[63.75, 0.0]]
