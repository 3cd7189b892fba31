"""Music from a seed: what a clip depends on, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.datasets.music import make_music
from skperceptual.datasets.procedural_music import GENRES

SMALL = {"n_songs": 3, "duration_seconds": 0.5, "sr": 8000, "random_state": 4}


@pytest.fixture(scope="module")
def music():
    return make_music(**SMALL, clips_per_song=2)


def test_fields(music):
    assert music.signals.shape == (6, 4000)
    assert music.signals.dtype == np.float32
    assert list(music.groups) == [name for g in GENRES[:3] for name in (f"{g} 1", f"{g} 1")]
    assert list(music.genre) == list(np.repeat(GENRES[:3], 2))
    assert music.sr == 8000
    assert list(music.frame["clip"]) == [0, 1] * 3
    assert set(music.frame) >= {"song", "genre", "clip", "start_seconds", "tempo", "key"}
    assert "no recordings" in music.DESCR
    assert "Jazz and Rock are our guess" in music.DESCR


def test_clips_of_a_song_differ_and_do_not_overlap(music):
    for _, song in music.frame.groupby("song"):
        starts = np.sort(song["start_seconds"])
        assert np.diff(starts).min() >= SMALL["duration_seconds"]
        assert starts[-1] + SMALL["duration_seconds"] <= song["song_seconds"].iloc[0]
    assert np.abs(music.signals[0] - music.signals[1]).max() > 0.01


def test_a_song_does_not_depend_on_how_many_there_are(music):
    fewer = make_music(**{**SMALL, "n_songs": 1}, clips_per_song=2)
    assert_array_equal(fewer.signals, music.signals[:2])
    one_clip = make_music(**SMALL)
    columns = ["song", "tempo", "key", "song_seconds"]
    first = music.frame[music.frame["clip"] == 0].reset_index(drop=True)
    assert one_clip.frame[columns].equals(first[columns])


def test_result_does_not_depend_on_n_jobs(music):
    assert_array_equal(make_music(**SMALL, clips_per_song=2, n_jobs=2).signals, music.signals)


def test_random_state(music):
    def first(random_state):
        small = {**SMALL, "n_songs": 1, "random_state": random_state}
        return make_music(**small).signals

    assert_array_equal(first(4), first(np.random.RandomState(4)))
    assert not np.array_equal(first(4), first(5))


def test_genres_take_turns():
    music = make_music(n_songs=5, genres=["Rock", "Jazz"], duration_seconds=0.1, sr=8000)
    assert list(music.groups) == ["Rock 1", "Jazz 1", "Rock 2", "Jazz 2", "Rock 3"]


def test_channels():
    left, right, mean, side = (
        make_music(**{**SMALL, "n_songs": 1}, channels=channels).signals
        for channels in ("left", "right", "mean", "side")
    )
    assert_allclose(mean, (left + right) / 2, atol=1e-6)
    assert_allclose(side, (left - right) / 2, atol=1e-6)


def test_clips_have_the_samples_that_pmqd_has_at_16_khz():
    assert make_music(n_songs=1, random_state=0).signals.shape == (1, 67328)


def test_verbose_shows_a_bar(capsys):
    make_music(**{**SMALL, "n_songs": 2}, verbose=1)
    assert "make_music" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"genres": ["Jazz", "Polka"]}, r"'Polka', which is unknown\. Use any of Acoustic, Blues"),
        ({"genres": []}, "one genre or more"),
        ({"genres": ["Jazz", "Jazz"]}, "each once"),
        ({"genres": "Jazz"}, "genres"),
        ({"n_songs": 0}, "n_songs"),
        ({"channels": "stereo"}, "channels"),
        ({"sr": 1000}, "sr"),
        ({"duration_seconds": 1e-6}, "less than one sample"),
        ({"clips_per_song": 30}, "do not fit into a song of 60 s"),
    ],
)
def test_what_cannot_be_made_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_music(**parameters)
