"""Clips of songs: how many fit, where they lie, and what their songs are called."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from skperceptual.datasets.procedural_music import compose
from skperceptual.datasets.song_clips import count_samples, draw_start, name_song

SONG = compose("Blues", np.random.default_rng(0))


@given(st.integers(1, 12), st.floats(0.001, 1), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_clips_lie_within_the_song_and_do_not_overlap(n_clips, filled, seed):
    duration = filled * SONG.length_seconds / n_clips
    rng = np.random.default_rng(seed)
    starts = [draw_start(SONG, clip, n_clips, duration, rng) for clip in range(n_clips)]
    assert starts[0] >= 0
    edges = [*starts, SONG.length_seconds]
    assert all(end - start >= duration - 1e-9 for start, end in pairwise(edges))


def test_a_clip_that_rounding_makes_too_long_begins_with_its_share():
    song = replace(SONG, length_seconds=60.0)
    rng = np.random.default_rng(0)
    assert draw_start(song, 0, 7, 60 / 7 + 1e-5, rng) == 0
    assert draw_start(song, 1, 7, 60 / 7 + 1e-5, rng) == pytest.approx(60 / 7)


def test_samples_are_counted_to_the_nearest():
    assert count_samples(1, 4.208, 16000) == 67328
    assert count_samples(3, 20.0, 44100) == 882000
    assert count_samples(1, 0.3, 22050) == 6615


def test_clips_that_no_song_can_hold_are_refused():
    with pytest.raises(ValueError, match=r"less than one sample at sr=8000\. Give a longer"):
        count_samples(1, 1e-6, 8000)
    with pytest.raises(ValueError, match=r"3 clips of duration_seconds=20\.1 do not fit"):
        count_samples(3, 20.1, 8000)


def test_genres_take_turns():
    names = [name_song(number, ("Jazz", "Rock")) for number in range(3)]
    assert names == [("Jazz", "Jazz 1"), ("Rock", "Rock 1"), ("Jazz", "Jazz 2")]
