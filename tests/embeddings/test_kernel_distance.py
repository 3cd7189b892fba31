"""The kernel audio distance: values, bandwidth, input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from skperceptual.embeddings import KernelAudioDistance, LogMelEmbedding
from skperceptual.functional import kernel_distance


@pytest.fixture
def sets(rng):
    return rng.standard_normal((3, 40, 6)), rng.standard_normal((5, 20, 6)) + 0.5


def test_equals_the_function_of_all_frames(sets):
    reference, measured = sets
    metric = KernelAudioDistance("precomputed").fit(reference)
    frames = torch.tensor(reference.reshape(-1, 6))
    expected = kernel_distance(
        frames, torch.tensor(measured.reshape(-1, 6)), bandwidth=metric.bandwidth_
    )
    assert metric.distance(measured) == pytest.approx(expected.item(), rel=1e-12)
    each = metric.transform(measured)
    for row in range(5):
        alone = kernel_distance(frames, torch.tensor(measured[row]), bandwidth=metric.bandwidth_)
        assert each[row, 0] == pytest.approx(alone.item(), rel=1e-12)


def test_the_bandwidth_is_the_median_of_the_reference(sets):
    reference, measured = sets
    metric = KernelAudioDistance("precomputed").fit(reference)
    assert metric.bandwidth_ == pytest.approx(np.median(pdist(reference.reshape(-1, 6))))
    given = KernelAudioDistance("precomputed", bandwidth=metric.bandwidth_).fit(reference)
    assert given.distance(measured) == metric.distance(measured)
    other = KernelAudioDistance("precomputed", bandwidth=1).fit(reference)
    assert other.bandwidth_ == 1.0
    assert other.distance(measured) != metric.distance(measured)


def test_the_median_of_many_frames_is_that_of_some_of_them(rng, monkeypatch):
    from skperceptual.embeddings import kernel_distance as module

    monkeypatch.setattr(module, "_MEDIAN_FRAMES", 300)
    frames = rng.standard_normal((1, 2000, 6))
    found = [
        KernelAudioDistance("precomputed", random_state=seed).fit(frames).bandwidth_
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]
    assert found[0] == pytest.approx(np.median(pdist(frames[0])), rel=0.03)


def test_the_same_distribution_is_at_about_zero_whatever_the_sizes(rng):
    metric = KernelAudioDistance("precomputed").fit(rng.standard_normal((1, 1000, 6)))
    small, large = (
        [metric.distance(rng.standard_normal((1, n, 6))) for _ in range(30)] for n in (10, 300)
    )
    assert abs(np.mean(small)) < 3 * np.std(small) / 30**0.5
    assert abs(np.mean(large)) < 0.1
    assert metric.distance(rng.standard_normal((1, 300, 6)) + 1) > 5


def test_reads_signals_and_pairs(rng):
    signals = np.sin(np.arange(4000) * rng.uniform(0.05, 1, size=(6, 1)))
    noisy = signals + 0.2 * rng.standard_normal(signals.shape)
    pairs = np.stack([signals, noisy], axis=1)
    metric = KernelAudioDistance(LogMelEmbedding(n_fft=128, hop_length=64, n_mels=8))
    of_pairs = metric.fit(pairs).transform(pairs)
    n_frames = len(metric.frames_)
    np.testing.assert_array_equal(metric.fit(signals).transform(noisy), of_pairs)
    assert len(metric.frames_) == n_frames
    assert metric.distance(noisy) > metric.distance(signals[::2])


def test_frames_that_are_all_alike_need_a_bandwidth(rng):
    alike = np.ones((2, 10, 3))
    with pytest.raises(ValueError, match=r"median distance is 0.*Give bandwidth as a number"):
        KernelAudioDistance("precomputed").fit(alike)
    metric = KernelAudioDistance("precomputed", bandwidth=1.0).fit(alike)
    assert metric.distance(alike) == pytest.approx(0, abs=1e-12)
    assert metric.distance(alike + 100) == pytest.approx(200)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_frames_that_are_alike_but_for_rounding_need_a_bandwidth(rng, scale):
    frames = rng.standard_normal((1, 300, 8))
    frames[:, :270] = 1 + 1e-8 * frames[:, :270]
    with pytest.raises(ValueError, match=r"0 but for rounding.*Give bandwidth as a number"):
        KernelAudioDistance("precomputed").fit(scale * frames)
    frames[:, :270] = 1 + 1e4 * (frames[:, :270] - 1)  # close, but no rounding
    assert KernelAudioDistance("precomputed").fit(scale * frames).bandwidth_ < 1e-3 * scale


def test_recordings_that_are_mostly_silent_need_a_bandwidth(rng):
    signals = np.zeros((4, 32000))
    signals[:, :6000] = 0.3 * rng.standard_normal((4, 6000))
    with pytest.raises(ValueError, match="see whether the recordings are silent"):
        KernelAudioDistance(LogMelEmbedding()).fit(signals)


def test_single_frames_and_other_dimensions_are_refused(sets):
    metric = KernelAudioDistance("precomputed").fit(sets[0])
    with pytest.raises(ValueError, match="reference set has a single frame"):
        KernelAudioDistance("precomputed").fit(np.ones((1, 1, 6)))
    with pytest.raises(ValueError, match="measured set has a single frame"):
        metric.distance(np.ones((1, 1, 6)))
    with pytest.raises(ValueError, match="Clip 0 has a single frame"):
        metric.transform(np.ones((2, 1, 6)))
    with pytest.raises(ValueError, match="vectors of 6 numbers"):
        metric.distance(np.ones((2, 10, 7)))
