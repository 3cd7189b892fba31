"""What people have as embeddings: modules, functions, HEAR models, and names for the rest."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
import sklearn.utils.estimator_checks as scikit_learn_checks
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skperceptual.embeddings import (
    Embedding,
    EmbeddingSimilarity,
    FunctionEmbedding,
    HEAREmbedding,
    OpenL3,
    TorchEmbedding,
    VGGish,
    resolve_embedding,
)
from skperceptual.utils.estimator_checks import (
    SMALL_SIZES,
    check_estimator,
    expected_failed_checks,
    small_estimators,
)

HEAR = "skperceptual.utils.estimator_checks.hear_module"
CLASSES = (FunctionEmbedding, HEAREmbedding, TorchEmbedding)


class Patches(torch.nn.Module):
    """Frames of 8 samples, weighted, with a dropout that only training may see."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(1.0, 9.0))
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, signals):
        return self.dropout(signals.unfold(-1, 8, 4) * self.weight)


def as_module(function):
    module = torch.nn.Module()
    module.forward = function
    return module


# scikit-learn's checks and ours


@pytest.mark.parametrize("cls", CLASSES)
def test_scikit_learn_checks(cls):
    (estimator,) = small_estimators(cls)
    outcomes = scikit_learn_checks.check_estimator(
        estimator, expected_failed_checks=expected_failed_checks(estimator), on_skip=None
    )
    assert len(outcomes) > 30
    assert [o["check_name"] for o in outcomes if o["status"] == "failed"] == []


@pytest.mark.parametrize("cls", CLASSES)
def test_own_checks(cls):
    (estimator,) = small_estimators(cls)
    reasons = expected_failed_checks(estimator)
    passed = check_estimator(estimator, expected_failed_checks=reasons, **SMALL_SIZES)
    assert "check_batch_invariance" in passed
    assert ("check_saved_state" in passed) == (cls is not TorchEmbedding)


# Modules


def test_a_module_computes_in_evaluation_mode_and_stays_as_it_was(rng):
    module = Patches()
    clips = rng.normal(size=(3, 40))
    embedding = TorchEmbedding(module, sr=16000, min_samples=8, hop_seconds=0.00025)
    found = embedding.fit_transform(clips)
    expected = np.lib.stride_tricks.sliding_window_view(clips, 8, axis=1)[:, ::4] * np.arange(1, 9)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert module.training
    assert module.dropout.training
    assert module.weight.requires_grad
    copy = embedding.to_module()
    assert not copy.training
    assert not copy.weight.requires_grad
    assert copy is not module
    signals = torch.tensor(clips, dtype=torch.float32, requires_grad=True)
    np.testing.assert_allclose(copy(signals).detach(), found, rtol=1e-6)
    copy(signals).sum().backward()
    assert (signals.grad != 0).all()


def test_a_module_sets_the_precision(rng):
    seen = []

    def forward(signals):
        seen.append(signals.dtype)
        return signals.unsqueeze(-1)

    module = as_module(forward)
    embedding = TorchEmbedding(module, sr=16000)
    clips = rng.normal(size=(1, 5))
    assert embedding.transform(clips).dtype == np.float64
    module.register_buffer("scale", torch.ones((), dtype=torch.float64))
    np.testing.assert_array_equal(embedding.transform(clips)[..., 0], clips)
    assert seen == [torch.float32, torch.float64]


def test_modules_are_cloned_and_pickled(rng):
    embedding = TorchEmbedding(torch.nn.Unflatten(1, (-1, 2)), sr=16000)
    clips = rng.normal(size=(2, 10))
    expected = embedding.transform(clips)
    np.testing.assert_array_equal(clone(embedding).transform(clips), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedding)).transform(clips), expected)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda s: (s, s), r"gave a tuple\. Expected one tensor"),
        (lambda s: s, r"gave shape \(1, 16\) for one signal.*unsqueeze\(1\)"),
        (lambda s: s[0, :, None], r"gave shape \(16, 1\) for one signal"),
        (lambda s: s.reshape(1, 2, 8), r"gave shape \(2, 8\).*\(n_frames, 2\): swap its last two"),
        (lambda s: s.reshape(1, 4, 4), r"gave shape \(4, 4\).*\(n_frames, 2\), as its n_dims"),
        (lambda s: s.reshape(1, 8, 2) / 0, "gave NaN or infinity, first in frame 0"),
        (lambda s: s.reshape(1, 8, 2)[:, :0], r"gave shape \(0, 2\)"),
        (lambda s: s.reshape(1, 8, 2) * 1j, "values of type complex64"),
    ],
)
def test_wrong_output_of_a_module(forward, message):
    embedding = TorchEmbedding(as_module(forward), sr=16000, n_dims=2)
    with pytest.raises(ValueError, match=message):
        embedding.transform(np.ones((1, 16)))


def test_the_hop_tells_swapped_axes_too():
    module = as_module(lambda s: s.unfold(-1, 16, 8).transpose(-1, -2))
    swapped = TorchEmbedding(module, sr=8000, min_samples=16, hop_seconds=0.001)
    with pytest.raises(ValueError, match=r"gave shape \(16, 99\).*swap its last two axes"):
        swapped.transform(np.ones((1, 800)))


# Functions


def test_a_function_sees_one_clip_in_its_own_type():
    seen = []

    def mean(clip):
        seen.append((clip.shape, clip.dtype))
        return clip.mean(keepdims=True)[np.newaxis]

    embedding = FunctionEmbedding(mean, sr=8000, n_dims=1)
    found = embedding.transform([np.ones(3, np.float32), np.ones(5, np.float32)])
    assert [frames.tolist() for frames in found] == [[[1.0]], [[1.0]]]
    assert seen == [((3,), np.float32), ((5,), np.float32)]
    with pytest.raises(TypeError, match=r"no gradient.*TorchEmbedding\(module, sr=\.\.\.\)"):
        embedding.to_module()


def test_what_a_function_does_to_its_clip_is_not_done_to_the_signals(rng):
    def doubled(clip):
        clip *= 2
        return clip[:, np.newaxis]

    pairs = rng.normal(size=(2, 2, 40))
    before = pairs.copy()
    found = FunctionEmbedding(doubled, sr=16000).transform(pairs)
    np.testing.assert_array_equal(found[..., 0], 2 * before)
    EmbeddingSimilarity(doubled).transform(pairs)
    np.testing.assert_array_equal(pairs, before)
    pairs.flags.writeable = False  # as arrays are that joblib maps into its processes
    np.testing.assert_array_equal(
        FunctionEmbedding(doubled, sr=16000).transform(pairs), found, strict=True
    )


def test_a_vector_is_no_frame():
    with pytest.raises(ValueError, match=r"gave shape \(3,\).*vector\[np\.newaxis\]"):
        FunctionEmbedding(np.copy, sr=8000).transform(np.ones((1, 3)))


def test_integers_become_numbers():
    embedding = FunctionEmbedding(lambda clip: np.ones((2, 3), np.uint8), sr=8000)
    assert embedding.transform(np.zeros((1, 4), np.float32)).dtype == np.float32


def test_frame_times():
    embedding = FunctionEmbedding(np.copy, sr=8000, hop_seconds=0.5)
    np.testing.assert_array_equal(embedding.frame_times(3), [0.0, 0.5, 1.0])
    with pytest.raises(ValueError, match=r"of this FunctionEmbedding.*hop_seconds"):
        FunctionEmbedding(np.copy, sr=8000).frame_times(3)


# HEAR


def test_a_hear_module(rng):
    embedding = HEAREmbedding(HEAR)
    assert (embedding.sr, embedding.n_dims, embedding.min_samples) == (16000, 2, 1)
    clips = rng.normal(size=(2, 8))
    expected = np.stack(
        [f(clips.reshape(2, 2, 4), axis=-1) for f in (np.mean, lambda x, axis: (x**2).mean(axis))],
        axis=-1,
    )
    np.testing.assert_allclose(embedding.fit_transform(clips), expected, rtol=1e-6)
    module = embedding.to_module()
    signals = torch.tensor(clips, requires_grad=True)
    np.testing.assert_allclose(module(signals).detach(), expected)
    module(signals).sum().backward()
    assert torch.isfinite(signals.grad).all()


def test_the_parameters_of_a_hear_model_are_part_of_the_module(monkeypatch):
    fake = types.ModuleType("hear_with_parameters")

    class Model(torch.nn.Linear):
        sample_rate = 8000
        timestamp_embedding_size = 3

    asked = []

    def load_model(path=""):
        asked.append(path)
        return Model(4, 3).train()

    def get_timestamp_embeddings(audio, model):
        assert not model.training
        return model(audio.unfold(-1, 4, 4)), torch.zeros(1)

    fake.load_model, fake.get_timestamp_embeddings = load_model, get_timestamp_embeddings
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    embedding = HEAREmbedding(fake.__name__, weights="model.pt", min_samples=4)
    found = embedding.transform(np.ones((2, 8)))
    assert found.shape == (2, 2, 3)
    module = embedding.to_module()
    assert len(list(module.parameters())) == 2
    assert not any(parameter.requires_grad for parameter in module.parameters())
    np.testing.assert_allclose(module(torch.ones(2, 8)), found, rtol=1e-6)
    assert asked == ["model.pt"]  # once, however often it is used


def test_what_is_no_hear_module():
    with pytest.raises(TypeError, match=r"json has no load_model and no get_timestamp_embeddings"):
        HEAREmbedding("json").transform(np.ones((1, 8)))
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        HEAREmbedding("no_such_module").transform(np.ones((1, 8)))


# What a metric's parameter may be


def test_names():
    assert repr(resolve_embedding("vggish")) == "VGGish()"
    assert isinstance(resolve_embedding("openl3"), OpenL3)
    assert isinstance(resolve_embedding("shipped"), Embedding)
    with pytest.raises(ValueError, match=r"embedding='vgg' is not known.*'shipped', 'vggish'"):
        resolve_embedding("vgg")


def test_embeddings_are_taken_as_they_are():
    embedding = VGGish(activation="post")
    assert resolve_embedding(embedding, sr=8000) is embedding

    class Foreign:
        sr, min_samples, hop_seconds = 8000, 1, None

        def transform(self, X):
            return X[..., np.newaxis]

    foreign = Foreign()
    assert resolve_embedding(foreign) is foreign


def test_bare_modules_and_functions_read_the_rate_of_the_metric():
    module = torch.nn.Unflatten(1, (-1, 1))
    made = resolve_embedding(module, sr=8000)
    assert (type(made), made.sr, made.module) == (TorchEmbedding, 8000, module)
    made = resolve_embedding(np.atleast_2d, sr=8000)
    assert (type(made), made.sr, made.function) == (FunctionEmbedding, 8000, np.atleast_2d)
    with pytest.raises(ValueError, match=r"Use TorchEmbedding\(\.\.\., sr=\.\.\.\)"):
        resolve_embedding(module)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (VGGish, r"embedding=VGGish is a class\. Give an instance: VGGish\(\.\.\.\)"),
        (make_pipeline(FunctionEmbedding(np.copy, sr=1)), "no sr, no min_samples, no hop_seconds"),
        (3, "no transform, no sr"),
    ],
)
def test_what_is_no_embedding(wrong, message):
    with pytest.raises(TypeError, match=message):
        resolve_embedding(wrong, sr=8000)
