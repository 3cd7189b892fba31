"""The embedding of the package: the file that is shipped, its values, and what it hears."""

from __future__ import annotations

import hashlib
import io
import pickle
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import torch

from skperceptual.datasets import make_music
from skperceptual.embeddings import (
    AuditoryEmbedding,
    EmbeddingSimilarity,
    resolve_embedding,
    shipped,
)
from skperceptual.networks import AuditoryEncoder

TRAINING_FILES = "benchmarks/encoder/training_files.csv"
# Of the file whose values are below; a new file needs all three.
SHIPPED_SHA256 = "0daecc9af0c56ebbf32388b8fd0dd961ed029b26bd8869566865b565b387471f"
GOLDEN_VALUES = [0.5191572, 0.2088501, 0.2608944, 0.5044014, 0.462308, 0.1]
GOLDEN_SUMS = [432.269, 428.285]
LICENCES = {"cc0", "pd", "cc-by", "mit", "permissive"}


@pytest.fixture(scope="module")
def music():
    return make_music(n_songs=3, duration_seconds=1.5, random_state=0).signals


@pytest.fixture
def tones():
    """Two tones, one with overtones that begins later, of known samples."""
    times = np.arange(8000) / 16000
    plain = 0.25 * np.sin(2 * np.pi * 440 * times)
    rich = sum(0.2 / k * np.sin(2 * np.pi * 440 * k * times) for k in range(1, 6)) * (times > 0.2)
    return np.stack([plain, rich])


def test_the_file_is_small_and_plain():
    data = files("skperceptual.embeddings").joinpath("auditory_encoder.npz").read_bytes()
    assert len(data) < 4e6
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        assert {name: archive[name].shape for name in archive} == {
            "dictionary.weight": (512, 256),
            "dictionary.bias": (512,),
        }
        assert all(archive[name].dtype == np.float32 for name in archive)


def test_the_file_and_its_hash_change_together():
    data = files("skperceptual.embeddings").joinpath(shipped._FILE).read_bytes()
    assert hashlib.sha256(data).hexdigest() == shipped._SHA256 == SHIPPED_SHA256


def test_the_file_and_its_hash_change_together_and_with_this_test():
    """Whoever changes the weights changes what all distances by them mean."""
    data = files("skperceptual.embeddings").joinpath("auditory_encoder.npz").read_bytes()
    expected = "0daecc9af0c56ebbf32388b8fd0dd961ed029b26bd8869566865b565b387471f"
    assert hashlib.sha256(data).hexdigest() == shipped._SHA256 == expected


def test_a_damaged_file_is_refused(monkeypatch):
    monkeypatch.setattr(shipped, "_SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"not the one that was shipped.*Install skperceptual"):
        shipped._read_values()


def test_another_shape_is_refused(monkeypatch):
    monkeypatch.setattr(shipped, "_SHAPES", {"dictionary.bias": (3,)})
    with pytest.raises(ValueError, match=r"Expected arrays of shape .*\(3,\).*got .*\(512,\)"):
        shipped._read_values()


def test_values_have_not_changed(tones):
    frames = AuditoryEmbedding().fit_transform(tones)
    assert frames.shape == (2, 26, 769)
    places = [(0, 12, 11), (0, 12, 72), (1, 10, 140), (1, 20, 724), (1, 20, 293), (0, 3, 768)]
    found = [frames[place] for place in places]
    np.testing.assert_allclose(found, GOLDEN_VALUES, atol=2e-6)
    sums = frames.sum(axis=(1, 2))
    np.testing.assert_allclose(sums, GOLDEN_SUMS, rtol=1e-5)


def test_what_embedding_shipped_stands_for():
    assert isinstance(resolve_embedding("shipped"), AuditoryEmbedding)
    assert isinstance(AuditoryEmbedding().to_module(), AuditoryEncoder)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_does_not_depend_on_the_batch(music, dtype):
    embedding, music = AuditoryEmbedding(), music.astype(dtype)
    together = embedding.transform(music)
    assert together.dtype == dtype
    np.testing.assert_array_equal(together, embedding.transform(music))
    np.testing.assert_array_equal(together[::-1], embedding.transform(music[::-1]))
    for clip, frames in zip(music, together, strict=True):
        np.testing.assert_array_equal(embedding.transform(clip[np.newaxis])[0], frames)
    ragged = embedding.transform([music[0], music[1, :5000]])
    np.testing.assert_array_equal(ragged[0], together[0])
    assert ragged[1].shape == (16, 769)


def test_the_module_gives_the_same_and_is_a_copy(music):
    expected = AuditoryEmbedding().transform(music)
    module = AuditoryEmbedding().to_module()
    assert not module.training
    with torch.no_grad():
        found = module(torch.from_numpy(music)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
        module.dictionary.weight.zero_()
    np.testing.assert_array_equal(AuditoryEmbedding().transform(music), expected)


def test_gradients_reach_the_signal(music):
    module = AuditoryEmbedding().to_module()
    reference = torch.from_numpy(music[:1])
    generator = torch.Generator().manual_seed(0)
    degraded = reference + 0.02 * torch.randn(reference.shape, generator=generator)

    def similarity(signal):
        return torch.cosine_similarity(module(signal), module(reference), dim=-1).mean()

    degraded.requires_grad_()
    before = similarity(degraded)
    before.backward()
    assert torch.isfinite(degraded.grad).all()
    with torch.no_grad():
        step = 1e-3 * degraded.grad / degraded.grad.abs().max()
        assert similarity(degraded + step) > before
    assert all(parameter.grad is None for parameter in module.parameters())


def test_more_damage_is_less_similar(music, rng):
    noise = rng.standard_normal(music.shape).astype(np.float32)
    metric = EmbeddingSimilarity()
    means = [
        metric.transform(np.stack([music, music + level * noise], axis=1)).mean()
        for level in (0.0, 0.001, 0.01, 0.1)
    ]
    assert means[0] == pytest.approx(1, abs=1e-6)
    assert (np.diff(means) < -0.005).all()


def test_a_pickle_holds_no_weights():
    data = pickle.dumps(AuditoryEmbedding())
    assert len(data) < 500
    assert isinstance(pickle.loads(data), AuditoryEmbedding)


def test_clips_of_any_length(rng):
    for n_times in (1, 159, 399, 16001):
        frames = AuditoryEmbedding().transform(0.1 * rng.standard_normal((1, n_times)))
        assert frames.shape == (1, -(-(1 + n_times // 160) // 2), 769)
        assert np.isfinite(frames).all()


def test_what_variants_learn_from_may_be_given_away(request):
    table = pd.read_csv(request.config.rootpath / TRAINING_FILES)
    assert len(table) == 92
    assert set(table["licence_class"]) == LICENCES
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert table["file"].is_unique
    assert table[["artist", "licence", "source"]].notna().all(axis=None)
    assert not table["file"].str.contains("ratings").any()
