"""The metrics on networks whose weights are files: the loss, other rates, pickles."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skperceptual.embeddings import (
    EmbeddingSimilarity,
    FrechetAudioDistance,
    KernelAudioDistance,
    resolve_embedding,
)
from skperceptual.functional import EmbeddingLoss


@pytest.fixture(params=["vggish", "openl3"])
def embedding(request, small, vggish_file, openl3_file):
    if request.param == "vggish":
        return small.VGGish(weights=vggish_file, hop_seconds=0.24, device="cpu")
    return small.OpenL3(weights=openl3_file, hop_seconds=0.5, device="cpu")


@pytest.fixture
def pairs(rng):
    times = np.arange(24000) / 16000
    references = 0.3 * np.sin(2 * np.pi * rng.uniform(200, 3000, size=(4, 1)) * times)
    noise = rng.standard_normal((4, 24000)) * np.array([0.001, 0.01, 0.1, 0.3])[:, None]
    return np.stack([references, references + noise], axis=1).astype(np.float32)


def test_the_loss_is_one_less_the_similarity_and_has_gradients(embedding, pairs):
    rate = embedding.sr
    metric = EmbeddingSimilarity(embedding, sr=rate)
    longer = np.repeat(pairs, rate // 16000, axis=-1)  # no resampler: the loss has none
    reference, degraded = torch.tensor(longer, dtype=torch.float64).unbind(dim=1)
    degraded.requires_grad_()
    values = EmbeddingLoss(embedding, reduction="none").double()(reference, degraded)
    expected = 1 - metric.transform(longer)[:, 0]
    np.testing.assert_allclose(values.detach(), expected, rtol=1e-4, atol=1e-7)
    values.sum().backward()
    assert torch.isfinite(degraded.grad).all()
    assert degraded.grad.abs().amax(dim=1).min() > 0


def test_the_loss_reads_signals_in_the_precision_of_the_metric(embedding, pairs):
    # What differs little shows the rounding of signals to single precision.
    rate = embedding.sr
    times = np.arange(2 * rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    close = np.stack([tone, tone + 1e-4 * np.sin(2 * np.pi * 3000 * times)])[np.newaxis]
    reference, degraded = torch.tensor(close).unbind(dim=1)
    loss = EmbeddingLoss(embedding, reduction="none")
    seen = []
    loss.embedding.network.register_forward_pre_hook(lambda _, images: seen.append(images[0]))
    signals = []
    loss.embedding.register_forward_pre_hook(lambda _, given: signals.append(given[0].dtype))
    value = loss(reference, degraded).item()
    assert set(signals) == {torch.float64}
    assert seen[0].dtype == torch.float32
    expected = 1 - EmbeddingSimilarity(embedding, sr=rate).transform(close)[0, 0]
    assert value == pytest.approx(expected, rel=1e-4)


def test_signals_of_another_rate_are_resampled(embedding, pairs):
    found = EmbeddingSimilarity(embedding).transform(pairs)
    assert found.shape == (4, 1)
    assert found.dtype == np.float32
    same = np.repeat(pairs[:, :1], 2, axis=1)
    np.testing.assert_array_equal(EmbeddingSimilarity(embedding).transform(same), 1)


@pytest.mark.filterwarnings("ignore:The (reference|measured) set has:UserWarning")
@pytest.mark.parametrize("metric", [FrechetAudioDistance, KernelAudioDistance])
def test_fitted_metrics_are_pickled_without_weights(metric, embedding, pairs):
    fitted = metric(embedding).fit(pairs)
    written = pickle.dumps(fitted)
    assert len(written) < 200_000
    opened = pickle.loads(written)
    np.testing.assert_array_equal(opened.transform(pairs), fitted.transform(pairs))
    assert opened.distance(pairs) == clone(fitted).fit(pairs).distance(pairs)
    if metric is FrechetAudioDistance:
        assert "weights" not in opened.embedding_name_
        assert "hop_seconds" in opened.embedding_name_


@pytest.mark.filterwarnings("ignore:The (reference|measured) set has:UserWarning")
def test_the_shipped_encoder_is_what_all_begin_with(pairs):
    found = EmbeddingSimilarity().transform(pairs)[:, 0]
    assert np.all(np.diff(found) < 0)
    loss = EmbeddingLoss(resolve_embedding("shipped"), reduction="none")
    values = loss(*torch.tensor(pairs).unbind(dim=1)).numpy()
    np.testing.assert_allclose(1 - values, found, rtol=0, atol=1e-6)
    for metric in (FrechetAudioDistance(), KernelAudioDistance()):
        fitted = metric.fit(pairs)
        assert fitted.distance(pairs[:, 0]) < fitted.distance(pairs[:, 1])
