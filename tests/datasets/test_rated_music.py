"""Rated music without people: what it holds, what it depends on, and that it says so."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import MelSpectrogram, NLPDRegressor
from skperceptual.datasets import make_rated_music
from skperceptual.datasets.procedural_music import GENRES
from skperceptual.degradations import pmqd_distortion
from skperceptual.metrics import spearman_score, spearman_scorer

SMALL = {"n_songs": 4, "clips_per_song": 2, "duration_seconds": 0.25, "sr": 8000}


@pytest.fixture(scope="module")
def small():
    return make_rated_music(**SMALL, random_state=3)


def test_shapes_and_fields(small):
    assert small.pairs.shape == (32, 2, 2000)
    assert small.pairs.dtype == np.float32
    assert small.sr == 8000
    for name in ("target", "groups", "condition"):
        assert small[name].shape == (32,)
    assert set(small.condition) == {"distortion", "limiter", "lowpass", "noise"}
    assert len(np.unique(small.groups)) == 4
    assert list(small.frame["genre"].unique()) == list(GENRES[:4])
    np.testing.assert_array_equal(small.frame["simulated_rating"], small.target)
    np.testing.assert_allclose(small.frame["severity"], small.frame["intensity"] / 100)
    assert np.isin(small.target, [1, 2, 3, 4, 5]).all()


def test_the_default_is_as_large_as_pmqd():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(make_rated_music).parameters.items()
    }
    assert defaults["n_songs"] * defaults["clips_per_song"] == 195
    assert defaults["duration_seconds"] * 48000 == 201_984


def test_the_four_versions_of_a_clip_share_their_reference(small):
    references = small.pairs[:, 0].reshape(8, 4, -1)
    assert (references == references[:, :1]).all()
    assert np.abs(references[:, 0]).max(axis=1).min() > 0.01
    assert len(np.unique(references[:, 0, 500])) == 8
    first = small.frame.drop_duplicates(["song", "clip"])["simulated_reference_rating"]
    assert len(first) == 8


def test_every_degradation_changes_its_clip(small):
    reference, degraded = small.pairs[:, 0], small.pairs[:, 1]
    assert (np.abs(degraded - reference).max(axis=1) > 1e-4).all()


def test_degradations_are_those_of_pmqd_in_stereo_at_48_khz():
    data = make_rated_music(
        n_songs=1, clips_per_song=1, duration_seconds=0.25, sr=48000, random_state=0
    )
    row = data.frame.index[data.condition == "distortion"][0]
    intensity = data.frame["intensity"][row]
    reference, degraded = data.pairs[row]
    # Of a mean of two channels the distortion is not the mean of two distortions.
    assert np.abs(pmqd_distortion(reference, intensity) - degraded).max() > 1e-3
    assert np.corrcoef(pmqd_distortion(reference, intensity), degraded)[0, 1] > 0.9
    row = data.frame.index[data.condition == "limiter"][0]
    assert np.abs(data.pairs[row, 1]).max() <= 10 ** (-0.1 / 20) + 1e-6


def test_same_seed_same_music_whatever_the_number_of_processes(small):
    again = make_rated_music(**SMALL, random_state=3, n_jobs=2)
    np.testing.assert_array_equal(again.pairs, small.pairs)
    assert again.frame.equals(small.frame)
    assert again.votes.equals(small.votes)
    other = make_rated_music(**SMALL, random_state=4)
    assert not np.array_equal(other.pairs, small.pairs)


def test_a_song_depends_neither_on_the_others_nor_on_the_noise_of_votes(small):
    fewer = make_rated_music(**{**SMALL, "n_songs": 2}, noise="high", random_state=3)
    np.testing.assert_array_equal(fewer.pairs, small.pairs[:16])
    np.testing.assert_array_equal(fewer.frame["intensity"], small.frame["intensity"][:16])
    assert not np.array_equal(fewer.frame["latent_quality"], small.frame["latent_quality"][:16])


def test_generators_and_seeds_and_no_global_state():
    tiny = {**SMALL, "n_songs": 1}
    before = np.random.get_state()  # noqa: NPY002
    by_generator = make_rated_music(**tiny, random_state=np.random.RandomState(5))
    by_chance = make_rated_music(**tiny)
    for was, now in zip(before, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(now, was)
    np.testing.assert_array_equal(
        make_rated_music(**tiny, random_state=5).pairs, by_generator.pairs
    )
    assert not np.array_equal(make_rated_music(**tiny).pairs, by_chance.pairs)


def test_ratings_are_medians_of_the_votes(small):
    votes = small.votes
    assert len(votes) == 5 * (32 + 8)
    median = votes.groupby(["song", "clip", "condition"])["simulated_vote"].median()
    for row in small.frame.itertuples():
        assert median[row.song, row.clip, row.condition] == row.simulated_rating
        assert median[row.song, row.clip, "original"] == row.simulated_reference_rating


def test_what_is_simulated_says_so(small):
    assert "NOBODY LISTENED" in small.DESCR
    ratings = [name for name in [*small.frame, *small.votes] if "rating" in name or "vote" in name]
    assert ratings
    assert all(name.startswith("simulated_") for name in ratings)
    assert "simulated" in make_rated_music.__doc__.splitlines()[0]


def test_description_gives_the_ceiling(small):
    ceiling = spearman_score(small.target, small.frame["latent_quality"])
    assert f"of {ceiling:.2f} with these ratings" in " ".join(small.DESCR.split())


def test_a_handful_of_pairs_that_are_rated_alike_has_no_ceiling():
    tiny = {"n_songs": 1, "clips_per_song": 1, "duration_seconds": 0.001, "sr": 8000}
    data = make_rated_music(**tiny, noise="high", random_state=115)
    assert list(data.target) == [3, 3, 3, 3]
    assert "of nan with these ratings" in " ".join(data.DESCR.split())


def test_pipelines_take_it_as_it_is(small):
    metric = make_pipeline(
        MelSpectrogram(sr=8000, n_fft=256, hop_length=64, n_mels=32),
        NLPDRegressor(n_levels=3, max_epochs=2),
    )
    scores = cross_val_score(
        metric,
        small.pairs,
        small.target,
        groups=small.groups,
        cv=GroupKFold(2),
        scoring=spearman_scorer,
    )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("sr", [16050, 22050, 44100])
def test_every_rate_gives_the_length_asked_for(sr):
    data = make_rated_music(n_songs=1, clips_per_song=1, duration_seconds=0.3, sr=sr)
    assert data.pairs.shape == (4, 2, round(0.3 * sr))
    # the last sample is sound as well
    assert np.abs(data.pairs[:, :, -20:]).max() > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_songs": 0}, "n_songs"),
        ({"clips_per_song": 0}, "clips_per_song"),
        ({"noise": "loud"}, "noise"),
        ({"sr": 16}, "sr"),
        ({"duration_seconds": 0}, "duration_seconds"),
        ({"duration_seconds": 1e-6}, "less than one sample at sr=8000"),
        ({"duration_seconds": 100, "clips_per_song": 3}, "duration_seconds"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_rated_music(**{**SMALL, **parameters})
