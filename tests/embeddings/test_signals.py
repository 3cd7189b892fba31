"""What happens to clips before they are embedded, and to frames right after."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from skperceptual import Resample
from skperceptual.embeddings import EmbeddingSimilarity, FunctionEmbedding, resolve_embedding
from skperceptual.embeddings.signals import embed_clips, prepare_clips


def samples(sr, min_samples=1, **parameters):
    """Embed every sample as a frame."""
    return FunctionEmbedding(lambda clip: clip[:, np.newaxis], sr=sr, min_samples=min_samples)


def test_clips_are_resampled_as_everywhere(rng):
    clip = rng.normal(size=1000)
    (found,) = embed_clips([clip], sr=16000, embedding=samples(24000))
    expected = Resample(orig_sr=16000, target_sr=24000).fit_transform(clip[np.newaxis])[0]
    np.testing.assert_array_equal(found[:, 0], expected)
    (same,) = prepare_clips([clip], sr=16000, embedding=samples(16000))
    assert same is clip


def test_one_warning_a_call_counts_the_short_clips():
    clips = [np.ones(n) for n in (50, 8, 100, 9)]
    with pytest.warns(UserWarning, match="2 clips of 4") as caught:
        found = embed_clips(clips, sr=8000, embedding=samples(8000, 40))
    assert [len(frames) for frames in found] == [50, 40, 100, 40]
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "2 clips of 4 (number 1, 3) are shorter than the 0.005 s" in message
    assert "FunctionEmbedding" in message
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(found[1][:, 0], [1.0] * 8 + [0.0] * 32)


def test_clips_that_resampling_makes_long_enough_are_not_filled():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = embed_clips([np.ones(20)], sr=8000, embedding=samples(16000, 40))
    assert len(found) == 40


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_each_clip_is_embedded_by_itself(lengths):
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=n) for n in lengths]
    embedding = samples(12000)
    together = embed_clips(clips, sr=8000, embedding=embedding)
    for clip, frames in zip(clips, together, strict=True):
        (alone,) = embed_clips([clip], sr=8000, embedding=embedding)
        np.testing.assert_array_equal(frames, alone)


class Foreign:
    """A transformer of somebody else, which only keeps the protocol."""

    sr, min_samples, hop_seconds = 8000, 1, None

    def __init__(self, function):
        self.function = function
        self.shapes = []

    def transform(self, X):
        self.shapes.append(X.shape)
        return self.function(X)


def test_other_transformers_get_one_clip_at_a_time():
    foreign = Foreign(lambda X: X[..., np.newaxis] - X.mean())
    foreign.n_dims = 1
    clips = [np.arange(4.0), np.arange(4.0) + 9]
    found = embed_clips(clips, sr=8000, embedding=foreign)
    assert foreign.shapes == [(1, 4), (1, 4)]
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda X: np.ones((1, X.shape[1], X.shape[1])),
            "vectors of 4 numbers for clip 0 and of 6 for clip 1",
        ),
        (lambda X: X[..., np.newaxis] * np.nan, "Foreign gave NaN or infinity"),
        (lambda X: X, r"Foreign gave shape \(4,\)"),
    ],
)
def test_wrong_frames_of_other_transformers(function, message):
    with pytest.raises(ValueError, match=message):
        embed_clips([np.ones(4), np.ones(6)], sr=8000, embedding=Foreign(function))


def test_axes_that_are_swapped_for_a_known_dimension():
    foreign = Foreign(lambda X: np.ones((1, 128, 7)))
    foreign.n_dims = 128
    with pytest.raises(ValueError, match=r"frames first, \(n_frames, 128\): swap its last two"):
        embed_clips([np.ones(4)], sr=8000, embedding=foreign)


def windows(clip, length=4):
    """Embed windows one after the other; too few samples give none, which is no array."""
    return np.stack([clip[at : at + length] for at in range(0, len(clip) - length + 1, length)])


class OneLength:
    """A function that reads clips of one length, and is not asked for reasons."""

    def __call__(self, clip):
        if len(clip) != 12:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return np.ones((1, 5))


@pytest.mark.parametrize("n_times", [4, 5, 12, 40])
def test_swapped_axes_of_bare_functions_are_noticed_by_other_lengths(n_times):
    clip = np.arange(1.0, n_times + 1)
    metric = EmbeddingSimilarity(lambda clip: windows(clip).T, sr=8000)
    with pytest.raises(ValueError, match=rf"shape \(4, {n_times // 4}\).*swap its last two axes"):
        metric.transform(np.stack([clip, clip])[np.newaxis])
    (found,) = embed_clips([clip], sr=8000, embedding=resolve_embedding(windows, sr=8000))
    np.testing.assert_array_equal(found, windows(clip))


@pytest.mark.parametrize(
    "function",
    [
        OneLength(),
        lambda clip: np.ones((1, 5)),
        lambda clip: np.ones((3, 5)),
        lambda clip: np.log(clip[:, np.newaxis]),
        # a window of 12 that shorter clips shorten, as that of scipy.signal
        lambda clip: np.ones((max(1, len(clip) // 12), min(12, len(clip)))),
    ],
)
def test_frames_that_come_first_are_not_refused_for_what_other_lengths_give(function):
    embedding = FunctionEmbedding(function, sr=8000)
    clip = np.arange(1.0, 13)
    (found,) = embed_clips([clip], sr=8000, embedding=embedding)
    np.testing.assert_array_equal(found, function(clip))


def test_vectors_as_long_as_the_clip_are_read_when_their_length_is_given():
    clip = np.ones(12)
    with pytest.raises(ValueError, match=r"say so by giving its n_dims"):
        embed_clips([clip], sr=8000, embedding=FunctionEmbedding(np.atleast_2d, sr=8000))
    known = FunctionEmbedding(np.atleast_2d, sr=8000, n_dims=12)
    assert embed_clips([clip], sr=8000, embedding=known)[0].shape == (1, 12)


def test_long_windows_are_not_taken_for_swapped_axes():
    def second(clip):
        return np.lib.stride_tricks.sliding_window_view(clip, 100)[::10, :64]

    embedding = FunctionEmbedding(second, sr=100, min_samples=100, hop_seconds=0.1)
    clip = np.arange(640.0)
    (found,) = embed_clips([clip], sr=100, embedding=embedding)
    assert found.shape == (55, 64)
    np.testing.assert_array_equal(embedding.transform(clip[np.newaxis])[0], found)
    swapped = FunctionEmbedding(
        lambda clip: second(clip).T[:20], sr=100, min_samples=100, hop_seconds=0.1
    )
    with pytest.raises(ValueError, match=r"gave shape \(20, 55\).*swap its last two"):
        swapped.transform(clip[np.newaxis])
