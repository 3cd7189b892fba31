"""The Fréchet audio distance: values, streaming, workers, sampling, and what users get wrong."""

from __future__ import annotations

import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skperceptual import RatingMapping
from skperceptual.embeddings import (
    FrameStatistics,
    FrechetAudioDistance,
    FunctionEmbedding,
    LogMelEmbedding,
)
from skperceptual.evaluation import predict_chunked
from skperceptual.functional import frechet_distance

SMALL = LogMelEmbedding(n_fft=128, hop_length=64, n_mels=6)


@pytest.fixture
def music(rng):
    """Twelve noisy chords of a quarter of a second at 8 kHz."""
    times = np.arange(2000) / 8000
    chords = np.sin(2 * np.pi * rng.uniform(100, 2000, size=(12, 4, 1)) * times).mean(axis=1)
    return chords + 0.02 * rng.standard_normal(chords.shape)


@pytest.fixture
def metric(music):
    return FrechetAudioDistance(SMALL, sr=8000).fit(music[:6])


def frames_of(signals):
    """What the metric embeds: signals at 16 kHz, all frames together."""
    from skperceptual import Resample

    resampled = Resample(orig_sr=8000, target_sr=16000).transform(signals)
    return np.concatenate(SMALL.transform(resampled))


def test_equals_the_function_of_all_frames(metric, music):
    expected = frechet_distance(
        torch.tensor(frames_of(music[:6])), torch.tensor(frames_of(music[6:]))
    ).item()
    assert metric.distance(music[6:]) == pytest.approx(expected, rel=1e-12)
    each = metric.transform(music[6:])
    assert each.shape == (6, 1)
    for row in range(6):
        alone = frechet_distance(
            torch.tensor(frames_of(music[:6])), torch.tensor(frames_of(music[6 + row : 7 + row]))
        )
        assert each[row, 0] == pytest.approx(alone.item(), rel=1e-12)


def test_the_reference_set_is_at_zero(metric, music):
    assert 0 <= metric.distance(music[:6]) < 1e-9
    assert 0 <= metric.distance(music[5::-1]) < 1e-9
    assert metric.distance(metric.reference_statistics()) < 1e-9


@pytest.mark.parametrize("n_frames", [5, 100])
def test_a_set_of_any_rank_is_at_zero_from_itself(rng, n_frames):
    frames = 100 + 30 * rng.standard_normal((1, n_frames, 64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of few frames
        metric = FrechetAudioDistance("precomputed").fit(frames)
        assert 0 <= metric.distance(frames) < 1e-9


def test_streamed_and_merged_references_give_the_same(metric, music):
    streamed = FrechetAudioDistance(SMALL, sr=8000)
    for part in (music[:1], music[1:4], list(music[4:6])):
        streamed.partial_fit(part)
    workers = [clone(metric).statistics(part) for part in (music[3:6], music[:3])]
    merged = FrechetAudioDistance(SMALL, sr=8000).fit_statistics(sum(workers))
    expected = metric.distance(music[6:])
    assert metric.n_frames_ == streamed.n_frames_ == merged.n_frames_
    assert streamed.distance(music[6:]) == pytest.approx(expected, rel=1e-10)
    assert merged.distance(music[6:]) == pytest.approx(expected, rel=1e-10)
    measured = metric.statistics(music[6:9]) + metric.statistics(music[9:])
    assert metric.distance(measured) == pytest.approx(expected, rel=1e-10)


def test_statistics_from_a_file_give_the_same_bits(metric, music, tmp_path):
    metric.reference_statistics().save(tmp_path / "reference.npz")
    loaded = FrameStatistics.load(tmp_path / "reference.npz")
    opened = FrechetAudioDistance(SMALL, sr=8000).fit_statistics(loaded)
    np.testing.assert_array_equal(opened.transform(music), metric.transform(music))


def test_fit_begins_anew_and_partial_fit_goes_on(metric, music):
    again = clone(metric).fit(music[6:]).fit(music[:6])
    assert again.n_frames_ == metric.n_frames_
    assert again.partial_fit(music[:1]).n_frames_ > metric.n_frames_


def test_of_pairs_references_are_learned_once_and_degraded_versions_measured(metric, music, rng):
    noisy = music + 0.1 * rng.standard_normal(music.shape)
    pairs = np.stack([music[:6], noisy[:6]], axis=1)
    twice = np.concatenate([pairs, np.stack([music[:6], music[:6]], axis=1)])
    of_pairs = FrechetAudioDistance(SMALL, sr=8000).fit(twice)
    assert of_pairs.n_frames_ == metric.n_frames_
    np.testing.assert_array_equal(of_pairs.transform(pairs), metric.transform(noisy[:6]))
    assert of_pairs.distance(pairs) == metric.distance(noisy[:6])
    tuples = [(reference, degraded[:-100]) for reference, degraded in pairs]
    np.testing.assert_array_equal(
        of_pairs.transform(tuples), metric.transform([clip[:-100] for clip in noisy[:6]])
    )


def test_precomputed_embeddings_give_the_same(metric, music):
    frames = np.stack([frames_of(music[row : row + 1]) for row in range(12)])
    ready = FrechetAudioDistance("precomputed").fit(frames[:6])
    assert ready.n_features_in_ == 6
    np.testing.assert_allclose(ready.transform(frames[6:]), metric.transform(music[6:]), rtol=1e-12)
    pairs = np.stack([frames[:6], frames[6:]], axis=1)
    np.testing.assert_array_equal(ready.transform(pairs), ready.transform(list(frames[6:])))
    assert ready.distance([(a, b) for a, b in pairs]) == ready.distance(frames[6:])


def test_more_noise_is_farther(metric, music, rng):
    noise = rng.standard_normal(music[6:].shape)
    distances = [metric.distance(music[6:] + level * noise) for level in (0.0, 0.1, 0.3, 1.0)]
    assert np.all(np.diff(distances) > 0)


def test_is_a_feature_in_model_selection_and_in_chunks(music, rng):
    noise = rng.standard_normal(music.shape)
    levels = np.tile([0.01, 0.1, 0.5], 4)
    pairs = np.stack([music, music + levels[:, None] * noise], axis=1).astype(np.float32)
    ratings, groups = 5 - np.log(levels), np.repeat(np.arange(4), 3)
    model = make_pipeline(FrechetAudioDistance(SMALL, sr=8000), RatingMapping())
    predicted = cross_val_predict(model, pairs, ratings, groups=groups, cv=GroupKFold(4))
    assert np.corrcoef(predicted, ratings)[0, 1] > 0.5
    grid = {"frechetaudiodistance__embedding__n_mels": [4, 6]}
    search = GridSearchCV(model, grid, cv=GroupKFold(2), error_score="raise")
    assert search.fit(pairs, ratings, groups=groups).best_params_
    fitted = model.fit(pairs, ratings)
    chunked = predict_chunked(fitted[0], pairs, chunk_size=5, method="transform")
    np.testing.assert_array_equal(chunked, fitted[0].transform(pairs))
    assert chunked.dtype == np.float32


def test_opens_from_a_file(metric, music, tmp_path):
    joblib.dump(metric, tmp_path / "metric.joblib")
    opened = joblib.load(tmp_path / "metric.joblib")
    np.testing.assert_array_equal(opened.transform(music), metric.transform(music))
    assert opened.partial_fit(music[6:]).n_frames_ == 2 * metric.n_frames_


# What users get wrong


def test_few_frames_are_warned_of_where_the_user_calls(rng):
    few, many = rng.standard_normal((1, 20, 16)), rng.standard_normal((1, 40, 16))
    message = "has 20 frames of dimension 16, fewer than twice as many"
    metric = FrechetAudioDistance("precomputed")
    with pytest.warns(UserWarning, match=f"The reference set {message}") as caught:
        metric.fit(few)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=f"The reference set {message}") as caught:
        metric.fit_statistics(FrameStatistics.from_frames(few[0]))
    assert caught[0].filename == __file__
    metric.fit(many)
    with pytest.warns(UserWarning, match=f"The measured set {message}") as caught:
        metric.distance(few)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=f"The measured set {message}") as caught:
        metric.distance_interval(few.reshape(4, 5, 16), n_resamples=5)
    assert caught[0].filename == __file__
    assert metric.transform(few).shape == (1, 1)  # a clip by itself has few frames


def test_clips_of_very_different_length_are_warned_of(rng):
    metric = FrechetAudioDistance("precomputed").fit(rng.standard_normal((1, 40, 16)))
    with pytest.warns(UserWarning, match="from 5 to 30 frames") as caught:
        metric.transform([rng.standard_normal((n, 16)) for n in (5, 10, 30)])
    assert caught[0].filename == __file__


def test_clips_too_short_for_the_embedding_are_warned_of_once(music):
    embedding = LogMelEmbedding(n_fft=1024, hop_length=64, n_mels=4)
    metric = FrechetAudioDistance(embedding, sr=16000)
    short = [music[0], music[1][:500], music[2][:600]]
    calls = {
        "fit": lambda: metric.fit(short),
        "partial_fit": lambda: metric.partial_fit(short),
        "statistics": lambda: metric.statistics(short),
        "distance": lambda: metric.distance(short),
    }
    for call in calls.values():
        with pytest.warns(UserWarning, match=r"2 clips of 3 \(number 1, 2\)") as caught:
            call()
        assert [entry.filename for entry in caught] == [__file__]


def test_single_frames_are_refused(metric, music, rng):
    with pytest.raises(ValueError, match="Clip 1 has a single frame"):
        metric.transform([music[0], music[1][:64]])
    with pytest.raises(ValueError, match="measured set has a single frame"):
        metric.distance([music[1][:64]])
    with pytest.raises(ValueError, match="reference set has a single frame"):
        clone(metric).fit([music[1][:64]])
    started = clone(metric).partial_fit([music[1][:64]])
    with pytest.raises(ValueError, match="at least two frames"):
        started.distance(music)


def test_another_dimension_or_swapped_axes_are_refused(rng):
    metric = FrechetAudioDistance("precomputed").fit(rng.standard_normal((2, 40, 16)))
    with pytest.raises(ValueError, match=r"vectors of 16 numbers.*\(16, 40\).*swapped"):
        metric.transform(rng.standard_normal((2, 16, 40)))
    with pytest.raises(ValueError, match=r"vectors of 16 numbers.*Use the embedding"):
        metric.partial_fit(rng.standard_normal((2, 40, 8)))
    with pytest.raises(ValueError, match=r"item 1, whose shape is .*swapped"):
        metric.distance([np.ones((40, 16)), np.ones((16, 40))])
    swapped = FunctionEmbedding(
        lambda clip: clip.reshape(-1, 8).T, sr=16000, n_dims=8, hop_seconds=8 / 16000
    )
    with pytest.raises(ValueError, match="swap its last two axes"):
        FrechetAudioDistance(swapped).fit(rng.standard_normal((2, 400)))


def test_wrong_input_is_refused(metric, music):
    damaged = music.copy()
    damaged[3, 7] = np.nan
    with pytest.raises(ValueError, match="signal 3 has 1 value"):
        metric.distance(damaged)
    with pytest.raises(ValueError, match="0 feature"):
        metric.distance(music[:, :0])
    with pytest.raises(ValueError, match=r"Expected signals of shape \(n_signals, n_times\)"):
        metric.statistics(np.stack([music, music], axis=1))
    for shape in ((40, 16), (2, 3, 40, 16)):
        with pytest.raises(ValueError, match="embedding='precomputed'"):
            FrechetAudioDistance("precomputed").fit(np.ones(shape))
    odd = np.ones((2, 40, 16))
    odd[1, 4, 3] = np.inf
    with pytest.raises(ValueError, match="embedding of item 1 does, first in frame 4"):
        FrechetAudioDistance("precomputed").fit(odd)
    with pytest.raises(TypeError, match="from_moments"):
        metric.fit_statistics((np.zeros(6), np.eye(6)))


def test_statistics_of_another_embedding_are_refused(metric, music):
    other = LogMelEmbedding(n_fft=128, hop_length=32, n_mels=6)
    statistics = FrechetAudioDistance(other, sr=8000).statistics(music)
    assert "hop_length=32" in statistics.embedding
    with pytest.raises(ValueError, match=r"statistics are of LogMelEmbedding\(.*hop_length=32"):
        clone(metric).fit_statistics(statistics)
    with pytest.raises(ValueError, match="different embeddings"):
        metric.distance(statistics)
