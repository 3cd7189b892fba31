"""The distance of embeddings: cosines by NumPy, empty vectors, gradients, the loss of signals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from skperceptual.functional import EmbeddingLoss, embedding_distance

POOLINGS = ["frame_mean", "mean_pool"]


class Patches(nn.Module):
    """Windows of the signal times a fixed matrix."""

    def __init__(self, dim=5):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weights = nn.Parameter(torch.randn(16, dim, generator=generator, dtype=torch.float64))

    def forward(self, signals):
        return signals.unfold(-1, 16, 8) @ self.weights + 0.1


def cosine(one, other):
    return (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.integers(0, 10**6))
def test_equals_cosines_by_numpy(n, m, dim, seed):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(n, dim)), rng.normal(size=(m, dim))
    tensors = torch.tensor(one), torch.tensor(other)
    k = min(n, m)
    found = embedding_distance(*tensors).item()
    assert found == pytest.approx(1 - cosine(one[:k], other[:k]).mean(), abs=1e-12)
    pooled = embedding_distance(*tensors, pooling="mean_pool").item()
    assert pooled == pytest.approx(1 - cosine(one.mean(0), other.mean(0)), abs=1e-12)
    center = rng.normal(size=dim)
    centred = embedding_distance(*tensors, center=torch.tensor(center)).item()
    expected = 1 - cosine(one[:k] - center, other[:k] - center).mean()
    assert centred == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_only_the_direction_counts(rng, pooling, scale):
    one, other = torch.tensor(rng.normal(size=(2, 6, 4)))
    expected = embedding_distance(one, other, pooling=pooling)
    found = embedding_distance(scale * one, 3 * other, pooling=pooling)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    assert embedding_distance(one, scale * one, pooling=pooling) < 1e-15
    assert embedding_distance(one, -scale * one, pooling=pooling).item() == pytest.approx(2)


def test_small_angles_keep_their_digits():
    one = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    other = torch.tensor([[1.0, 1e-9]], dtype=torch.float64)
    assert embedding_distance(one, other).item() == pytest.approx(0.5e-18, rel=1e-6)
    assert embedding_distance(one, one).item() == 0


def test_empty_vectors_are_alike_and_like_nothing_else():
    zeros, ones = torch.zeros(3, 4), torch.ones(3, 4)
    for pooling in POOLINGS:
        assert embedding_distance(zeros, zeros, pooling=pooling) == 0
        assert embedding_distance(zeros, ones, pooling=pooling) == 1
        assert embedding_distance(ones, zeros, pooling=pooling) == 1
    half = torch.tensor([[0.0, 0.0], [1.0, 1.0]], requires_grad=True)
    embedding_distance(half, torch.ones(2, 2)).backward()
    assert torch.isfinite(half.grad).all()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("center", [None, torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64)])
def test_gradients_of_frames_are_right(rng, pooling, center):
    frames = [torch.tensor(rng.normal(size=(n, 3)), requires_grad=True) for n in (4, 5)]
    assert torch.autograd.gradcheck(
        lambda one, other: embedding_distance(one, other, pooling=pooling, center=center), frames
    )


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients_of_signals_are_right(rng, pooling):
    loss = EmbeddingLoss(Patches(), pooling=pooling, center=0.1 * np.ones(5))
    signals = [torch.tensor(rng.normal(size=(2, 40)), requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(loss, signals)


def test_reductions_and_leading_axes(rng):
    reference, degraded = torch.tensor(rng.normal(size=(2, 3, 2, 64)))
    each = EmbeddingLoss(Patches(), reduction="none")(reference, degraded)
    assert each.shape == (3, 2)
    assert EmbeddingLoss(Patches())(reference, degraded).item() == pytest.approx(each.mean().item())
    total = EmbeddingLoss(Patches(), reduction="sum")(reference, degraded).item()
    assert total == pytest.approx(each.sum().item())
    alone = EmbeddingLoss(Patches())(reference[1, 1], degraded[1, 1])
    assert alone.item() == pytest.approx(each[1, 1].item(), rel=1e-12)


def test_the_type_is_that_of_the_degraded_signals(rng):
    reference, degraded = torch.tensor(rng.normal(size=(2, 1, 64))).float()
    assert EmbeddingLoss(Patches().float())(reference, degraded).dtype == torch.float32


def test_the_embedding_stays_in_evaluation_mode(rng):
    embedding = nn.Sequential(Patches(), nn.Dropout(0.9))
    loss = EmbeddingLoss(embedding)
    model = nn.ModuleDict({"loss": loss, "other": nn.Dropout(0.5)}).train()
    assert loss.training
    assert not any(module.training for module in embedding.modules())
    assert model["other"].training
    reference, degraded = torch.tensor(rng.normal(size=(2, 2, 64)))
    assert loss(reference, degraded) == loss(reference, degraded)


def test_center_moves_and_is_saved_with_the_loss():
    loss = EmbeddingLoss(Patches(), center=np.arange(5.0))
    assert torch.equal(loss.state_dict()["center"], torch.arange(5.0, dtype=torch.float64))
    other = EmbeddingLoss(Patches(), center=np.zeros(5))
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other.center, loss.center)


def test_short_signals_are_filled_with_a_warning(rng):
    class Embedding:
        min_samples = 32

        def to_module(self):
            return Patches()

    reference, degraded = torch.tensor(rng.normal(size=(2, 1, 24)))
    with pytest.warns(UserWarning, match="24 samples are shorter than the 32") as caught:
        found = EmbeddingLoss(Embedding())(reference, degraded)
    assert {entry.filename for entry in caught} == {__file__}
    filled = [nn.functional.pad(signals, (0, 8)) for signals in (reference, degraded)]
    assert found == EmbeddingLoss(Patches())(*filled)


def test_wrong_arguments_are_refused(rng):
    loss = EmbeddingLoss(Patches())
    signals = torch.zeros(2, 64, dtype=torch.float64)
    with pytest.raises(TypeError, match="resolve_embedding"):
        EmbeddingLoss("shipped")
    with pytest.raises(ValueError, match="pooling='max' is unknown"):
        EmbeddingLoss(Patches(), pooling="max")
    with pytest.raises(ValueError, match="reduction='max' is unknown"):
        EmbeddingLoss(Patches(), reduction="max")
    with pytest.raises(TypeError, match=r"degraded should be a floating-point.*int64"):
        loss(signals, signals.long())
    with pytest.raises(TypeError, match="EmbeddingSimilarity"):
        loss(signals.numpy(), signals.numpy())
    with pytest.raises(ValueError, match="leading axes"):
        loss(signals, signals[:1])
    with pytest.raises(ValueError, match="at least one sample"):
        loss(signals, signals[:, :0])
    with pytest.raises(ValueError, match="degraded holds NaN"):
        loss(signals, signals * torch.nan)
    with pytest.raises(ValueError, match=r"shape \(2, 64\) for 2 signals"):
        EmbeddingLoss(nn.Identity())(signals, signals)
    with pytest.raises(ValueError, match=r"center to be of shape \(5,\)"):
        EmbeddingLoss(Patches(), center=[1.0])(signals, signals)
    with pytest.raises(ValueError, match="pooling='max' is unknown"):
        embedding_distance(signals, signals, pooling="max")
