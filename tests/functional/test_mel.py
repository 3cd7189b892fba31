"""The mel filterbank against librosa's, and the counts that its users rely on."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest
from hypothesis import given, strategies as st

from skperceptual.functional.mel import (
    hz_to_mel,
    mel_edges,
    mel_filterbank,
    mel_to_hz,
    nonzero_weights,
)

PAPER_2 = {"sr": 16000, "n_fft": 1024, "n_mels": 256, "htk": True, "norm": None}


def librosa_bank(**parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty filters are compared too
        return librosa.filters.mel(**parameters, dtype=np.float64)


@given(
    sr=st.sampled_from([8000, 16000, 16050, 44100]),
    n_fft=st.sampled_from([64, 401, 512, 1024]),
    n_mels=st.integers(1, 80),
    fmin=st.sampled_from([0.0, 55.5, 1200.0]),
    fmax=st.sampled_from([None, 3000.0, 4000.0]),
    htk=st.booleans(),
    norm=st.sampled_from([None, "slaney"]),
)
def test_filterbank_equals_librosa(**parameters):
    ours, reference = mel_filterbank(**parameters), librosa_bank(**parameters)
    np.testing.assert_allclose(ours, reference, rtol=1e-12, atol=1e-14)
    assert ours.shape == (parameters["n_mels"], parameters["n_fft"] // 2 + 1)


@pytest.mark.parametrize(
    ("parameters", "n_weights"),
    [
        ({"sr": 16050, "n_fft": 2048, "n_mels": 512}, 2040),
        ({"sr": 16000, "n_fft": 1024, "n_mels": 256}, 1016),
    ],
)
def test_slaney_filters_are_few_weights_and_never_empty(parameters, n_weights):
    bank = mel_filterbank(**parameters)
    per_filter = np.count_nonzero(bank, axis=1)
    assert (per_filter.sum(), per_filter.min(), per_filter.max()) == (n_weights, 1, 12)


def test_htk_filters_of_1024_samples_lose_a_band_and_rank():
    bank = mel_filterbank(**PAPER_2)
    per_filter = np.count_nonzero(bank, axis=1)
    assert np.flatnonzero(per_filter == 0).tolist() == [0]
    assert np.count_nonzero(per_filter == 1) == 51
    assert np.linalg.matrix_rank(bank) == 230
    assert np.linalg.matrix_rank(mel_filterbank(**{**PAPER_2, "n_fft": 2048})) == 256


def test_sparse_weights_are_those_of_the_filterbank():
    indices, weights = nonzero_weights(**PAPER_2)
    dense = np.zeros((256, 513))
    dense[tuple(indices)] = weights
    np.testing.assert_array_equal(dense, mel_filterbank(**PAPER_2))


@given(frequencies=st.lists(st.floats(0, 50_000), min_size=1, max_size=20), htk=st.booleans())
def test_scale_equals_librosa_and_inverts(frequencies, htk):
    mels = hz_to_mel(frequencies, htk=htk)
    np.testing.assert_allclose(mels, librosa.hz_to_mel(frequencies, htk=htk), rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(mels, htk=htk), frequencies, rtol=1e-12, atol=1e-10)


def test_edges_are_equally_spaced_in_mels():
    edges = mel_edges(sr=16000, n_mels=40, fmin=100.0, fmax=7000.0)
    np.testing.assert_allclose(edges[[0, -1]], [100.0, 7000.0])
    np.testing.assert_allclose(np.diff(hz_to_mel(edges), n=2), 0.0, atol=1e-11)


@pytest.mark.parametrize("limits", [(0.0, 8001.0), (500.0, 400.0), (-1.0, None), (8000.0, None)])
def test_impossible_edges_are_refused(limits):
    with pytest.raises(ValueError, match=r"0 <= fmin < fmax <= sr / 2"):
        mel_edges(sr=16000, n_mels=40, fmin=limits[0], fmax=limits[1])


def test_cached_arrays_cannot_be_changed():
    bank = mel_filterbank(sr=8000, n_fft=64, n_mels=4)
    assert mel_filterbank(sr=8000, n_fft=64, n_mels=4) is bank
    with pytest.raises(ValueError, match="read-only"):
        bank[0, 0] = 1.0
