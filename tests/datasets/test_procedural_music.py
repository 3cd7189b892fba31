"""Composed songs: tempo, pitch, genres; renders that agree wherever they overlap, at any rate."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, sosfiltfilt

from skperceptual.datasets.procedural_music import GENRES, compose, render, rendering
from skperceptual.datasets.procedural_music.genres import STYLES
from skperceptual.datasets.procedural_music.harmony import parse_chord, parse_progression, voice
from skperceptual.datasets.procedural_music.instruments import INSTRUMENTS
from skperceptual.datasets.procedural_music.mastering import (
    CEILING,
    block_length,
    limit,
    limiter_seconds,
)
from skperceptual.datasets.procedural_music.melody import make_melody
from skperceptual.datasets.procedural_music.patterns import Grid, read
from skperceptual.datasets.procedural_music.percussion import DRUMS, strike, strike_seconds
from skperceptual.datasets.procedural_music.styles import LOUD
from skperceptual.datasets.procedural_music.tones import hertz, play

WITHOUT_DRUMS = {"Acoustic", "Classical"}


@cache
def song_of(genre, seed=0):
    return compose(genre, np.random.default_rng(seed))


@cache
def clip_of(genre, sr=16000):
    return render(song_of(genre), start_seconds=24.0, duration_seconds=4.208, sr=sr)


@pytest.fixture
def without_limiter(monkeypatch):
    """Render mixes as they come to the limiter, which is last."""
    monkeypatch.setattr(rendering, "limit", lambda mix, sr: mix)


def decibels(signal):
    return 10 * np.log10(np.mean(np.square(signal)))


# --- songs --------------------------------------------------------------------------------


def test_thirteen_genres():
    assert len(GENRES) == len(set(GENRES)) == 13


@pytest.mark.parametrize("genre", GENRES)
def test_song_keeps_to_its_style(genre):
    style = STYLES[genre]
    for seed in range(3):
        song = song_of(genre, seed)
        assert song.genre == genre
        assert style.tempo[0] <= song.tempo <= style.tempo[1]
        assert song.beats_per_bar in style.beats_per_bar
        assert 60 <= song.length_seconds < 120
        drums = ("drums",) if genre not in WITHOUT_DRUMS else ()
        assert song.parts == (*drums, "bass", "chords", "melody")
        for part in song.parts:
            notes = song.notes(part)
            starts = [note.start_seconds for note in notes]
            assert starts == sorted(starts)
            assert starts[0] >= 0
            assert starts[-1] < song.length_seconds
            assert all(0 < note.velocity <= 1 for note in notes)


@pytest.mark.parametrize("genre", GENRES)
def test_notes_of_the_harmony_belong_to_the_range_of_their_line(genre):
    song = song_of(genre)
    lowest = {"bass": 24, "chords": 24, "melody": 40}
    highest = {"bass": 64, "chords": 96, "melody": 90}
    for part, bottom in lowest.items():
        pitches = [note.pitch for note in song.notes(part)]
        assert bottom <= min(pitches)
        assert max(pitches) <= highest[part]


def test_a_seed_gives_one_song_and_another_gives_another():
    assert song_of("Funk", 1) == compose("Funk", np.random.default_rng(1))
    assert song_of("Funk", 1) != song_of("Funk", 2)


def test_unknown_genre_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"'Polka' is unknown\. Use one of Acoustic, Blues, .*Rock"
    ):
        compose("Polka", np.random.default_rng(0))


def test_songs_are_pickled_whole():
    assert pickle.loads(pickle.dumps(song_of("Jazz"))) == song_of("Jazz")


@pytest.mark.parametrize(
    ("genre", "instrument", "beats"), [("Electronica & Dance", "kick", 1), ("Rock", "snare", 2)]
)
def test_drums_keep_the_tempo(genre, instrument, beats):
    song = song_of(genre)
    track = max((t for t in song.tracks if instrument in t.instrument), key=lambda t: len(t.notes))
    starts = np.array([n.start_seconds for n in track.notes if n.velocity > 0.5])
    gaps = np.diff(starts) * song.tempo / 60
    assert np.median(gaps) == pytest.approx(beats, rel=0.01)


def test_jazz_swings_and_country_does_not():
    def offbeats(genre, instrument, seed):
        song = song_of(genre, seed)
        notes = [n for t in song.tracks if t.instrument == instrument for n in t.notes]
        part = np.array([n.start_seconds for n in notes]) * song.tempo / 60 % 1
        return part[(part > 0.3) & (part < 0.8)]

    seed = next(s for s in range(20) if len(offbeats("Jazz", "ride", s)))
    assert 0.55 < np.median(offbeats("Jazz", "ride", seed)) < 0.7
    assert np.median(offbeats("Country", "brush tap", 0)) == pytest.approx(0.5, abs=0.03)


def test_reggae_chords_stay_off_the_beat():
    song = song_of("Reggae")
    skank = next(t for t in song.tracks if t.instrument == "skank guitar")
    part = np.array([n.start_seconds for n in skank.notes]) * song.tempo / 60 % 1
    assert np.mean(np.abs(part - 0.5) < 0.3) > 0.95


def test_walking_bass_walks():
    song = song_of("Jazz")
    bass = song.notes("bass")
    gaps = np.diff([note.start_seconds for note in bass]) * song.tempo / 60
    assert np.median(gaps) == pytest.approx(1, abs=0.02)
    intervals = np.abs(np.diff([note.pitch for note in bass]))
    assert np.mean(intervals <= 7) > 0.9


# --- the words of styles ------------------------------------------------------------------


@pytest.mark.parametrize("genre", GENRES)
def test_styles_are_well_formed(genre):
    style = STYLES[genre]
    lines = (*style.bass, *style.chords)
    grooves = (*style.grooves, *style.fills)
    assert {i for line in (*lines, *style.leads) for i in line.instruments} <= set(INSTRUMENTS)
    assert {drum for groove in grooves for drum in groove.strokes} <= set(DRUMS)
    patterns = [(p, "123456789gaw.-") for line in style.bass for p in line.patterns]
    patterns += [(p, "123456789Xxod.-") for line in style.chords for p in line.patterns]
    patterns += [(p, "Xxo.-") for groove in grooves for p in groove.strokes.values()]
    patterns += [(4 * cell, "x.-") for lead in style.leads for cell in lead.cells]
    for pattern, alphabet in patterns:
        assert len(pattern.replace(" ", "")) % 16 == 0
        assert set(pattern) <= set(alphabet + " ")
    for progressions in style.progressions:
        assert all(parse_progression(text) for text in progressions)


def test_patterns_hold_and_repeat():
    two_bars = "x--- ..o. .... ...."
    assert [tuple(event) for event in read(two_bars, 16, 5)] == [(0, 4, "x"), (6, 1, "o")]
    assert [event.step for event in read(two_bars + two_bars[::-1], 16, 1)] == [9, 15]
    assert [event.step for event in read("x... x... x... x...", 12, 0)] == [0, 4, 8]


def test_grid_swings_the_pulse_and_keeps_the_beat():
    grid = Grid(tempo=120, swing=2 / 3, pulse=4)
    assert_allclose(
        [grid.seconds(step) for step in (0, 2, 4, 6, 8)], np.array([0, 2 / 3, 1, 5 / 3, 2]) / 2
    )


@pytest.mark.parametrize(
    ("symbol", "notes"),
    [
        ("I", {0, 4, 7}),
        ("ii7", {2, 5, 9, 0}),
        ("V7", {7, 11, 2, 5}),
        ("bVII", {10, 2, 5}),
        ("vi", {9, 0, 4}),
        ("Imaj7", {0, 4, 7, 11}),
        ("bIIImaj7", {3, 7, 10, 2}),
        ("i5", {0, 7}),
    ],
)
def test_chords_are_what_musicians_mean(symbol, notes):
    chord = parse_chord(symbol)
    assert {(chord.root + interval) % 12 for interval in chord.intervals} == notes


def test_voicings_stay_in_register_and_keep_the_third():
    for symbol in ("I", "ii7", "V13", "IVmaj9"):
        chord = parse_chord(symbol)
        pitches = voice(chord, 0, 60, 3)
        assert len(set(pitches)) == 3
        assert all(abs(pitch - 60) <= 14 for pitch in pitches)
        assert (chord.root + chord.tone(3)) % 12 in {pitch % 12 for pitch in pitches}


def test_a_bass_keeps_to_its_sections(monkeypatch):
    style = STYLES["Rock"]
    loud_bass = tuple(replace(line, sections=LOUD) for line in style.bass)
    monkeypatch.setitem(STYLES, "Rock", replace(style, bass=loud_bass))
    song = compose("Rock", np.random.default_rng(0))
    # An introduction of 4 bars and a verse of 8 come before the first chorus.
    seconds_per_bar = 60 / song.tempo * song.beats_per_bar
    assert song.notes("bass")[0].start_seconds == pytest.approx(12 * seconds_per_bar, abs=0.05)


def test_a_melody_ends_with_its_section():
    lead = STYLES["Pop"].leads[0]
    bars = list(parse_progression("I IV V"))
    for seed in range(20):
        melody = make_melody(np.random.default_rng(seed), bars, lead, 0, "major", 16)
        assert all(0 <= step < 3 * 16 for step, _, _ in melody)


# --- sounds -------------------------------------------------------------------------------

STEADY = [
    name
    for name, instrument in INSTRUMENTS.items()
    if instrument.players == 1 and (instrument.decay is None or instrument.decay > 0.4)
]


def cents_off(tone, frequency, sr):
    """Compare the phase of the fundamental at two times, 0.3 s apart."""
    times = np.arange(len(tone)) / sr

    def phase(start):
        part = slice(round(start * sr), round((start + 0.5) * sr))
        carrier = np.exp(-2j * np.pi * frequency * times[part])
        return np.angle(np.sum(tone[part] * carrier * np.hanning(len(carrier))))

    cycles = np.angle(np.exp(1j * (phase(1.0) - phase(0.7)))) / (2 * np.pi)
    return 1200 * np.log2(1 + cycles / 0.3 / frequency)


@pytest.mark.parametrize("name", STEADY)
def test_pitch_is_right_to_a_cent(name):
    for pitch in (40, 57, 69):
        for sr in (16000, 22050):
            tone = play(name, pitch, 2.0, 4, 1, sr)
            # A vibrato of five a second is not quite over in the time that is compared.
            tolerance = 1.0 if not INSTRUMENTS[name].vibrato_cents else 4.0
            assert abs(cents_off(tone, hertz(pitch), sr)) < tolerance


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_notes_begin_and_end_without_a_click(name):
    tone = play(name, 55, 0.2, 3, 0, 48000)
    assert tone.dtype == np.float32
    assert np.abs(tone[[0, -1]]).max() < 1e-3
    # A step would reach up to where instruments have nothing but some breath.
    padded = np.pad(tone, 480).astype(float)
    top = np.abs(sosfiltfilt(butter(8, 21000, "high", fs=48000, output="sos"), padded))
    inside = top[528:-528].max()
    assert max(top[:528].max(), top[-528:].max()) < max(1.5 * inside, 2e-3)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_pitched_notes_do_not_alias(name):
    # What folded back at a low rate would be missing at a high one.
    sr, pitch = 8000, 77
    dry = play(name, pitch, 1.5, 4, 0, sr)
    wide = soxr.resample(play(name, pitch, 1.5, 4, 0, 48000), 48000, sr, quality="VHQ")
    spectra = [np.abs(np.fft.rfft(x[: 3 * sr // 2] * np.hanning(3 * sr // 2))) for x in (dry, wide)]
    frequencies = np.fft.rfftfreq(3 * sr // 2, 1 / sr)
    audible = frequencies < 0.44 * sr
    error = np.sum((spectra[0] - spectra[1])[audible] ** 2) / np.sum(spectra[1][audible] ** 2)
    assert 10 * np.log10(error) < -45


def test_a_note_above_the_band_is_breath_alone():
    # 4186 Hz, at a rate that ends at 2000.
    tone = play("flute", 108, 0.5, 4, 0, 4000)
    assert 0 < np.abs(tone).max() < 0.1 * np.abs(play("flute", 84, 0.5, 4, 0, 4000)).max()


@pytest.mark.parametrize("name", DRUMS)
def test_strokes_die_away_within_their_time(name):
    for sr in (8000, 44100):
        stroke = strike(name, 0, sr, 7)
        assert len(stroke) <= round(strike_seconds(name) * sr) + round(0.05 * sr)
        assert np.abs(stroke[-1]) < 2e-3 * np.abs(stroke).max()
        assert np.abs(stroke).max() < 2


def test_every_song_has_drums_of_its_own():
    assert not np.array_equal(strike("snare", 0, 8000, 1), strike("snare", 0, 8000, 2))
    assert not np.array_equal(strike("snare", 0, 8000, 1), strike("snare", 1, 8000, 1))


# --- renders ------------------------------------------------------------------------------


def test_shape_and_type():
    clip = clip_of("Pop", 48000)
    assert clip.shape == (2, 201_984)
    assert clip.dtype == np.float64


@given(
    st.sampled_from(GENRES),
    st.floats(0, 50),
    st.floats(0.01, 1.5),
    st.floats(0.01, 1.0),
    st.sampled_from([8000, 11025]),
)
@settings(max_examples=20)
def test_windows_agree_where_they_overlap(genre, start, before, duration, sr):
    song = song_of(genre)
    first = round(start * sr)
    n_before, n_times = round(before * sr), round(duration * sr)
    whole = render(
        song, start_seconds=first / sr, duration_seconds=(n_before + n_times) / sr, sr=sr
    )
    part = render(song, start_seconds=(first + n_before) / sr, duration_seconds=n_times / sr, sr=sr)
    assert_allclose(part, whole[:, n_before:], atol=1e-5)
    assert np.abs(whole).max() <= CEILING + 1e-6


def test_renders_are_repeated_to_the_bit():
    song = song_of("Latin")
    window = {"start_seconds": 11.3, "duration_seconds": 1.0, "sr": 16000}
    first = render(song, **window)
    render(song_of("Rock"), start_seconds=3, duration_seconds=1, sr=16000)
    assert_array_equal(render(song, **window), first)
    code = (
        "import numpy as np, sys\n"
        "from skperceptual.datasets.procedural_music import compose, render\n"
        "song = compose('Latin', np.random.default_rng(0))\n"
        "clip = render(song, start_seconds=11.3, duration_seconds=1.0, sr=16000)\n"
        "sys.stdout.buffer.write(clip.tobytes())\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert_array_equal(np.frombuffer(printed).reshape(2, -1), first)


@pytest.mark.parametrize("genre", GENRES)
def test_a_lower_rate_leaves_out_the_top_and_nothing_else(genre, without_limiter):
    window = {"start_seconds": 20, "duration_seconds": 2}
    high, low = (render(song_of(genre), sr=sr, **window) for sr in (48000, 16000))
    pass_band = butter(12, 6500, fs=16000, output="sos")
    expected = soxr.resample(high.T, 48000, 16000, quality="VHQ").T
    # Filters ring at the ends.
    expected, found = (sosfiltfilt(pass_band, x)[:, 1600:-1600] for x in (expected, low))
    assert decibels(found - expected) - decibels(expected) < -55


@pytest.mark.parametrize("genre", ["Classical", "Rock", "Electronica & Dance"])
def test_the_limiter_hears_what_lies_just_outside_the_window(genre, request):
    song, sr = song_of(genre), 8000
    size = block_length(sr)
    margin = -(-round(limiter_seconds(sr) * sr) // size) * size
    first, n_times = 20 * sr // size * size, sr
    clip = render(song, start_seconds=first / sr, duration_seconds=n_times / sr, sr=sr)
    request.getfixturevalue("without_limiter")
    mix = render(
        song,
        start_seconds=(first - margin) / sr,
        duration_seconds=(n_times + 2 * margin) / sr,
        sr=sr,
    )
    assert_allclose(clip, limit(mix, sr)[:, margin:-margin], atol=1e-5)


@pytest.mark.parametrize("genre", GENRES)
def test_there_is_music_everywhere(genre):
    song = song_of(genre, 1)
    last = song.length_seconds - 4.208
    for start in (0, *np.linspace(3, last - 3, 6), last):
        clip = render(song, start_seconds=start, duration_seconds=4.208, sr=8000)
        assert -40 < decibels(clip) < -8
        assert np.abs(clip.mean(axis=1)).max() < 5e-3


def test_levels_are_those_of_records():
    levels = {genre: decibels(clip_of(genre)) for genre in GENRES}
    assert all(-30 < level < -10 for level in levels.values())
    for quiet in ("Classical", "Acoustic"):
        for loud in ("Rock", "Pop", "Electronica & Dance", "Hip Hop"):
            assert levels[quiet] < levels[loud] - 3


@pytest.mark.parametrize("genre", GENRES)
def test_both_sides_differ_and_agree(genre):
    left, right = clip_of(genre)
    assert 0.2 < np.corrcoef(left, right)[0, 1] < 0.995
    assert abs(decibels(left) - decibels(right)) < 4


@pytest.mark.parametrize("genre", sorted(set(GENRES) - WITHOUT_DRUMS))
def test_records_reach_up_to_16_khz(genre):
    mono = clip_of(genre, 48000).mean(axis=0)
    power = np.abs(np.fft.rfft(mono)) ** 2
    frequencies = np.fft.rfftfreq(len(mono), 1 / 48000)
    top = power[(frequencies > 10000) & (frequencies < 16000)].sum() / power.sum()
    assert -45 < 10 * np.log10(top) < -10
    assert power[frequencies < 20].sum() < 0.01 * power.sum()


def test_genres_differ():
    features = []
    for genre in GENRES:
        mono = clip_of(genre).mean(axis=0)
        power = np.abs(np.fft.rfft(mono)) ** 2
        edges = np.searchsorted(
            np.fft.rfftfreq(len(mono), 1 / 16000), [0, 80, 160, 320, 640, 1280, 2560, 5120, 8000]
        )
        bands = [power[a:b].sum() for a, b in pairwise(edges)]
        features.append([*(10 * np.log10(bands)), song_of(genre).tempo / 10])
    table = np.array(features)
    distances = np.linalg.norm(table[:, np.newaxis] - table, axis=2)
    assert distances[~np.eye(13, dtype=bool)].min() > 3


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"start_seconds": -1}, "start_seconds to be 0 or more, got -1"),
        ({"duration_seconds": 0}, "duration_seconds to be one sample"),
        ({"duration_seconds": float("nan")}, "duration_seconds"),
        ({"sr": 2000}, "sr to be a whole number of 4000 Hz or more, got 2000"),
    ],
)
def test_windows_that_make_no_sense_are_refused(window, message):
    usual = {"start_seconds": 1, "duration_seconds": 1, "sr": 8000}
    with pytest.raises(ValueError, match=message):
        render(song_of("Pop"), **{**usual, **window})


def test_limiter_holds_the_ceiling_and_leaves_the_rest(rng):
    mix = rng.uniform(-0.8, 0.8, (2, 8000)).astype(np.float32)
    mix[:, 4000:4100] *= 5
    limited = limit(mix, 8000)
    assert np.abs(limited).max() <= CEILING + 1e-6
    assert np.abs(limited[:, 4000:4100]).max() > 0.8 * CEILING
    far = round(limiter_seconds(8000) * 8000)
    assert_array_equal(limited[:, 4100 + far :], mix[:, 4100 + far :])
    quiet = np.full((2, 800), 0.5, dtype=np.float32)
    assert_array_equal(limit(quiet, 8000), quiet)
