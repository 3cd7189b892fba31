"""The similarity of embeddings: cosines by NumPy, the loss, centres, floors, unequal lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from skperceptual import FixDuration, Resample
from skperceptual.embeddings import (
    EmbeddingSimilarity,
    FunctionEmbedding,
    LogMelEmbedding,
    TorchEmbedding,
)
from skperceptual.evaluation import predict_chunked
from skperceptual.functional import EmbeddingLoss

SMALL = LogMelEmbedding(n_fft=128, hop_length=64, n_mels=6)


@pytest.fixture
def pairs(rng):
    references = np.sin(np.arange(1600) * rng.uniform(0.05, 1, size=(5, 1)))
    return np.stack([references, references + 0.1 * rng.standard_normal((5, 1600))], axis=1)


def cosines(one, other):
    norms = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return (one * other).sum(axis=-1) / norms


def test_equals_cosines_by_numpy(pairs):
    frames = SMALL.transform(pairs)
    one, other = frames[:, 0], frames[:, 1]
    found = EmbeddingSimilarity(SMALL).transform(pairs)
    np.testing.assert_allclose(found[:, 0], cosines(one, other).mean(axis=1), rtol=1e-12)
    pooled = EmbeddingSimilarity(SMALL, pooling="mean_pool").transform(pairs)
    np.testing.assert_allclose(pooled[:, 0], cosines(one.mean(1), other.mean(1)), rtol=1e-12)
    assert not np.allclose(found, pooled)


def test_center_is_the_mean_frame_of_different_references(pairs):
    metric = EmbeddingSimilarity(SMALL, center="reference")
    with pytest.raises(NotFittedError):
        metric.transform(pairs)
    metric.fit(np.concatenate([pairs, pairs[:2]]))
    frames = SMALL.transform(pairs)
    np.testing.assert_allclose(metric.center_, frames[:, 0].mean(axis=(0, 1)), rtol=1e-12)
    one, other = (frames - metric.center_).swapaxes(0, 1)
    found = metric.transform(pairs)
    np.testing.assert_allclose(found[:, 0], cosines(one, other).mean(axis=1), rtol=1e-10)
    given = EmbeddingSimilarity(SMALL, center=metric.center_.tolist())
    np.testing.assert_array_equal(given.transform(pairs), found)
    assert np.ptp(found) > np.ptp(EmbeddingSimilarity(SMALL).transform(pairs))
    assert metric.floor(pairs) < EmbeddingSimilarity(SMALL).floor(pairs)


@pytest.mark.parametrize("pooling", ["frame_mean", "mean_pool"])
@pytest.mark.parametrize("center", [None, np.arange(6) / 3])
def test_the_loss_is_one_less_the_same_number(pairs, pooling, center):
    metric = EmbeddingSimilarity(SMALL, pooling=pooling, center=center)
    loss = EmbeddingLoss(SMALL, pooling=pooling, center=center, reduction="none")
    found = loss(torch.tensor(pairs[:, 0]), torch.tensor(pairs[:, 1])).numpy()
    np.testing.assert_allclose(1 - metric.transform(pairs)[:, 0], found, rtol=0, atol=1e-12)


def test_the_loss_of_a_module_is_one_less_the_same_number(pairs):
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 8, 64, stride=32), torch.nn.ReLU()
    )
    framed = torch.nn.Sequential(module, Transposed())
    embedding = TorchEmbedding(framed, sr=16000, min_samples=64)
    metric = EmbeddingSimilarity(embedding)
    loss = EmbeddingLoss(embedding, reduction="none")
    found = loss(*torch.tensor(pairs, dtype=torch.float32).unbind(dim=1)).numpy()
    np.testing.assert_allclose(1 - metric.transform(pairs)[:, 0], found, rtol=0, atol=1e-6)


class Transposed(torch.nn.Module):
    def forward(self, maps):
        return maps.mT


def test_signals_are_resampled_to_the_rate_of_the_embedding(pairs):
    found = EmbeddingSimilarity(SMALL, sr=8000).transform(pairs)
    resampled = Resample(orig_sr=8000, target_sr=16000).transform(pairs)
    np.testing.assert_array_equal(found, EmbeddingSimilarity(SMALL).transform(resampled))
    assert not np.allclose(found, EmbeddingSimilarity(SMALL).transform(pairs))


def test_precomputed_pairs_give_the_same(pairs):
    expected = EmbeddingSimilarity(SMALL).transform(pairs)
    frames = SMALL.transform(pairs)
    ready = EmbeddingSimilarity("precomputed")
    np.testing.assert_array_equal(ready.fit(frames).transform(frames), expected)
    tuples = [(one, other) for one, other in frames]
    np.testing.assert_array_equal(ready.transform(tuples), expected)
    assert ready.transform(frames.astype(np.float32)).dtype == np.float32
    chunked = predict_chunked(ready.fit(frames), frames, chunk_size=2, method="transform")
    np.testing.assert_array_equal(chunked, expected)


def test_integers_are_embeddings_as_good_as_any():
    # VGGish's own post-processing gives numbers from 0 to 255.
    frames = np.array([[[[0, 255], [128, 3]], [[0, 255], [128, 3]]]], dtype=np.uint8)
    assert EmbeddingSimilarity("precomputed").transform(frames) == [[1.0]]


def test_frames_beyond_the_end_of_the_other_signal_are_left_out(rng):
    one, other = rng.standard_normal((7, 4)), rng.standard_normal((9, 4))
    metric = EmbeddingSimilarity("precomputed")
    with pytest.warns(UserWarning, match=r"1 pair \(row 1\).*7 and 9 in the first") as caught:
        found = metric.transform([(one, other[:8]), (one, other)])
    assert caught[0].filename == __file__
    np.testing.assert_allclose(found, np.mean(cosines(one, other[:7])))
    pooled = EmbeddingSimilarity("precomputed", pooling="mean_pool").transform([(one, other)])
    np.testing.assert_allclose(pooled[0], cosines(one.mean(0), other.mean(0)))


def test_silence_is_like_silence_and_like_nothing_else(rng):
    # Of digital silence the mel bands are the vector of zeros.
    signal, silence = rng.standard_normal(1600), np.zeros(1600)
    pairs = np.array([[silence, silence], [signal, silence], [silence, signal], [signal, signal]])
    for pooling in ("frame_mean", "mean_pool"):
        found = EmbeddingSimilarity(SMALL, pooling=pooling).transform(pairs)
        np.testing.assert_array_equal(found[:, 0], [1, 0, 0, 1])


def test_the_floor_is_the_mean_over_all_pairs_of_recordings(pairs):
    frames = SMALL.transform(pairs[:, 0])
    expected = np.mean(
        [cosines(frames[i], frames[j]).mean() for i in range(5) for j in range(i + 1, 5)]
    )
    metric = EmbeddingSimilarity(SMALL)
    assert metric.floor(pairs[:, 0]) == pytest.approx(expected, rel=1e-12)
    assert (
        metric.floor(pairs)
        == metric.floor(np.concatenate([pairs, pairs]))
        == metric.floor(list(pairs[:, 0]))
    )
    with pytest.raises(ValueError, match="two different recordings"):
        metric.floor(pairs[:1])


def test_short_clips_are_warned_of_once_where_the_user_calls(pairs):
    metric = EmbeddingSimilarity(LogMelEmbedding(n_fft=2048, n_mels=4), center="reference")
    calls = (
        lambda: metric.fit(pairs),
        lambda: metric.transform(pairs),
        lambda: metric.floor(pairs),
    )
    for call in calls:
        with pytest.warns(UserWarning, match="shorter than the 0.128 s") as caught:
            call()
        assert [entry.filename for entry in caught] == [__file__]
    longer = FixDuration(duration_seconds=0.128).transform(pairs)
    np.testing.assert_array_equal(metric.transform(longer), metric.fit(longer).transform(longer))


def test_wrong_input_is_refused(pairs, rng):
    metric = EmbeddingSimilarity(SMALL)
    with pytest.raises(ValueError, match=r"np.stack\(\[reference, degraded\]"):
        metric.transform(pairs[:, 0])
    with pytest.raises(ValueError, match="clip 0 is empty"):
        metric.transform(pairs[..., :0])
    damaged = pairs.copy()
    damaged[2, 1, 5] = np.inf
    with pytest.raises(ValueError, match="signal 2 has 1 value"):
        metric.transform(damaged)
    with pytest.raises(ValueError, match=r"center to be of shape \(6,\).*got \(5,\)"):
        EmbeddingSimilarity(SMALL, center=np.zeros(5)).transform(pairs)
    with pytest.raises(ValueError, match="'ours' is not known"):
        EmbeddingSimilarity("ours").transform(pairs)
    swapped = FunctionEmbedding(lambda clip: clip.reshape(100, 16), sr=16000, n_dims=100)
    with pytest.raises(ValueError, match="swap its last two axes"):
        EmbeddingSimilarity(swapped).transform(pairs)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((3, 40, 6)), r"got an array of shape \(3, 40, 6\)"),
        (np.ones((3, 3, 40, 6)), "not .reference, degraded."),
        ([np.ones((40, 6))], r"item 0 has shape \(40, 6\)"),
        ([(np.ones((40, 6)), np.ones((6, 40)))], r"\(6, 40\). The axes are swapped"),
        ([(np.ones((40, 6)), np.ones((40, 7)))], "from one embedding"),
        ([(np.ones((40, 6)), np.ones((0, 6)))], "item 0 is empty"),
        ([(np.ones((40, 6)), np.full((40, 6), np.nan))], "NaN or infinity"),
        ([(np.ones((40, 6)),) * 3], "a tuple of 3"),
        (np.ones((0, 2, 40, 6)), "0 sample"),
        ([["a.npy", "b.npy"]], r"np.load"),
    ],
)
def test_wrong_precomputed_pairs_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingSimilarity("precomputed").transform(X)
