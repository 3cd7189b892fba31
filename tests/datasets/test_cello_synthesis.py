"""The parts of a simulated cello: bodies, etudes, bowing, and what a microphone hears of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import signal

from skperceptual.datasets.cello_synthesis import (
    CHARACTERS,
    ETUDE_SECONDS,
    STATES,
    Body,
    Bowing,
    Hall,
    Note,
    bow_notes,
    character_of,
    choose_excerpts,
    compose_etude,
    draw_body,
    perform_etude,
    rendering,
    share_out_pieces,
)
from skperceptual.datasets.cello_synthesis.etudes import OPEN_STRINGS

REST, TRANSITION, STEADY, VIBRATO = range(4)
SCALES = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 10}}
TONICS = {"C": 0, "C sharp": 1, "D flat": 1, "D": 2, "E flat": 3, "E": 4, "F": 5, "F sharp": 6}
TONICS |= {"G": 7, "G sharp": 8, "A flat": 8, "A": 9, "B flat": 10, "B": 11}
BODIES = {
    (label, contrast): [
        draw_body(character_of(label, contrast), np.random.default_rng(seed)) for seed in range(12)
    ]
    for label in "AB"
    for contrast in ("none", "eq", "damping", "both")
}


def decibels(response):
    return 20 * np.log10(np.abs(response))


def held(pitch=57.3, *, vibrato_cents=0.0, start=0.0, seconds=2.0, stroke=1, string=3):
    return Note(start, seconds, pitch, string, stroke, 0.0, vibrato_cents, 6.0, 0.3)


# Bodies


def test_response_of_one_mode_is_that_of_a_resonant_circuit():
    body = Body(np.array([165.0]), np.array([20.0]), np.array([-0.5]))
    omega = 2 * np.pi * 165
    frequencies = np.linspace(20, 8000, 500)
    _, expected = signal.freqs(
        [-0.5 * omega / 20, 0], [1, omega / 20, omega**2], 2 * np.pi * frequencies
    )
    assert_allclose(body.response(frequencies), expected, rtol=1e-9)


def test_modes_add_up():
    body = BODIES["A", "both"][0]
    frequencies = np.array([0.0, 93.0, 1000.0, 7999.0])
    expected = sum(
        Body(*(part[[mode]] for part in (body.frequencies, body.q, body.strengths))).response(
            frequencies
        )
        for mode in range(len(body.q))
    )
    assert_allclose(body.response(frequencies), expected, rtol=1e-9)


@pytest.mark.parametrize("label", ["A", "B"])
def test_every_body_has_its_signature_and_hundreds_of_other_modes(label):
    for body in BODIES[label, "both"]:
        assert 350 < len(body.q) < 480
        assert_allclose(body.frequencies[:4], [93, 130, 165, 208], rtol=0.12)
        assert np.diff(body.frequencies[4:]).min() > 0
        assert body.frequencies[4] > 240
        assert body.frequencies[-1] < 7800
        assert np.median(body.q[1:]) == pytest.approx(CHARACTERS[label].q, rel=0.06)
        assert 7 < body.q[0] < 28  # the air is damped alike in both classes


def mean_gain_db(bodies, low, high):
    frequencies = np.arange(low, high, 2.0)
    power = np.mean([np.abs(body.response(frequencies)) ** 2 for body in bodies], axis=0)
    return 10 * np.log10(power.mean())


def test_classes_differ_in_equalisation_by_what_is_said():
    for a, b in zip(BODIES["A", "eq"], BODIES["B", "eq"], strict=True):
        f = a.frequencies
        air = -6 * np.exp(-((np.log(f / 92) / 0.25) ** 2) / 2)
        boxy = 3 * np.exp(-((np.log(f / 340) / 0.35) ** 2) / 2)
        shelf = -8 * f**4 / (f**4 + 800**4)
        assert_allclose(decibels(b.strengths / a.strengths), air + boxy + shelf, atol=1e-9)
    for low, high, least, most in [
        (88, 98, -6, -3),  # the skirts of stronger modes fill it up
        (250, 420, 1, 3.5),
        (1500, 3000, -8.5, -7),
    ]:
        a, b = (mean_gain_db(BODIES[label, "eq"], low, high) for label in "AB")
        assert least < b - a < most


def test_damping_alone_leaves_the_balance_of_the_spectrum():
    bands = [(150, 220), (300, 600), (600, 1200), (1200, 2400), (2400, 4800)]
    difference = [
        mean_gain_db(BODIES["B", "damping"], *band) - mean_gain_db(BODIES["A", "damping"], *band)
        for band in bands
    ]
    assert np.ptp(difference) < 2.0


def test_vibrato_moves_the_partials_of_class_a_more():
    cents = np.linspace(-20, 20, 9)
    for low, high in [(80, 300), (300, 800), (800, 2000), (2000, 5000)]:
        frequencies = np.geomspace(low, high, 200)
        swing = {
            label: np.median(
                [
                    np.ptp(
                        [decibels(body.response(frequencies * 2 ** (c / 1200))) for c in cents],
                        axis=0,
                    )
                    for body in BODIES[label, "damping"][:4]
                ]
            )
            for label in "AB"
        }
        assert swing["A"] > 1.2 * swing["B"]
        assert 1.5 < swing["A"] < 5.5


def test_without_contrast_the_classes_are_one():
    for a, b in zip(BODIES["A", "none"], BODIES["B", "none"], strict=True):
        assert_array_equal(a.strengths, b.strengths)
        assert_array_equal(a.q, b.q)


def test_the_contrast_changes_nothing_but_what_it_says():
    plain, eq, damping, both = (BODIES["B", c][3] for c in ("none", "eq", "damping", "both"))
    for other in (eq, damping, both):
        assert_array_equal(plain.frequencies, other.frequencies)
        assert_array_equal(np.sign(plain.strengths), np.sign(other.strengths))
    assert_array_equal(eq.q, plain.q)
    assert_array_equal(damping.strengths, plain.strengths)
    assert_array_equal(both.strengths, eq.strengths)
    assert_array_equal(both.q, damping.q)
    assert (damping.q[1:] < plain.q[1:]).all()


# Etudes


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_etudes_can_be_played(seed):
    etude = compose_etude(np.random.default_rng(seed))
    name, mode = etude.key.rsplit(" ", 1)
    scale = {(TONICS[name] + step) % 12 for step in SCALES[mode]}
    for note in etude.notes:
        assert 36 <= note.pitch <= 69
        assert note.pitch % 12 in scale
        above_open = note.pitch - OPEN_STRINGS[note.string]
        assert 0 <= above_open <= 12
        assert not (above_open == 0 and note.vibrato_cents)
        assert note.vibrato_cents == 0 or 15 <= note.vibrato_cents <= 30
        assert note.duration_seconds > 0.1
    for note, following in pairwise(etude.notes):
        assert note.start_seconds + note.duration_seconds <= following.start_seconds + 1e-9
        assert following.start_seconds - note.start_seconds - note.duration_seconds < 0.4
        assert following.stroke - note.stroke in (0, 1)
    last = etude.notes[-1]
    assert ETUDE_SECONDS < last.start_seconds + last.duration_seconds + 0.4 < ETUDE_SECONDS + 6


def test_a_take_has_the_same_notes_at_other_times():
    etude = compose_etude(np.random.default_rng(5))
    takes = [perform_etude(etude, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert takes[0] == takes[1] != takes[2]
    for written, note in zip(etude.notes, takes[0].notes, strict=True):
        assert (written.string, written.stroke) == (note.string, note.stroke)
        assert abs(note.pitch - written.pitch) < 0.25
        assert 0.7 < note.duration_seconds / written.duration_seconds < 1.4
        assert (note.vibrato_cents > 0) == (written.vibrato_cents > 0)
        if written.pitch == OPEN_STRINGS[written.string]:
            assert note.pitch == written.pitch
    for note, following in pairwise(takes[0].notes):
        assert note.start_seconds + note.duration_seconds <= following.start_seconds + 1e-9


# Who plays what


@given(
    st.integers(3, 80),
    st.tuples(st.integers(1, 50), st.integers(0, 20), st.integers(0, 20)),
)
def test_every_split_has_pieces_of_its_own(n_pieces, sizes):
    pieces = share_out_pieces(n_pieces, dict(zip("abc", sizes, strict=True)))
    assert set(pieces) == {name for name, size in zip("abc", sizes, strict=True) if size}
    assert sorted(p for part in pieces.values() for p in part) == list(range(n_pieces))
    assert all(len(part) > 0 for part in pieces.values())


@given(st.integers(1, 12), st.floats(0.5, 30), st.integers(0, 99))
def test_excerpts_do_not_overlap_and_use_as_many_pieces_as_they_can(n_pieces, seconds, seed):
    n_excerpts = min(20, n_pieces * int(30 / seconds + 1e-9))
    excerpts = choose_excerpts(range(5, 5 + n_pieces), n_excerpts, seconds, [seed])
    assert len(excerpts) == len(set(excerpts)) == n_excerpts
    assert len({excerpt.piece for excerpt in excerpts}) == min(n_pieces, n_excerpts)
    for piece in range(5, 5 + n_pieces):
        starts = sorted(e.start_seconds for e in excerpts if e.piece == piece)
        assert all(b - a >= seconds - 1e-9 for a, b in pairwise(starts))
        assert all(0 <= start <= 30 - seconds + 1e-6 for start in starts)


# Bowing


def test_states_follow_the_music(rng):
    bowing = bow_notes([held(vibrato_cents=20.0), held(start=2.5, stroke=2)], -0.5, 5.5, rng)
    states = bowing.states
    assert len(states) == 5501
    assert set(states) == set(range(len(STATES)))
    assert (states[:450] == REST).all()
    assert (states[520:550] == TRANSITION).all()  # the attack, once it is heard
    assert (states[750:800] == STEADY).all()  # vibrato waits
    assert (states[1000:2400] == VIBRATO).all()
    assert (states[2500:2550] == TRANSITION).all()  # the end
    assert (states[3020:3050] == TRANSITION).all()
    assert (states[3300:4950] == STEADY).all()
    assert (states[5400:] == REST).all()


def test_pitch_is_that_of_the_note_with_its_vibrato(rng):
    bowing = bow_notes([held(vibrato_cents=25.0, seconds=3.0)], 0.0, 3.0, rng)
    pitch = bowing.pitch[3]
    assert pitch[100:290].mean() == pytest.approx(57.3, abs=0.03)
    assert pitch[100:290].std() < 0.08  # jitter of some cents
    moving = pitch[700:2700] - 57.3
    # 6 periods a second of 25 cents to either side
    spectrum = np.abs(np.fft.rfft(moving)) / 1000
    assert spectrum.argmax() == 12
    assert spectrum[12] == pytest.approx(0.25, abs=0.02)
    assert bowing.force[:3].max() == 0


def test_slurred_notes_slide_and_a_new_bow_begins_anew(rng):
    first = held(57.0 + 2, seconds=1.0)
    slurred = bow_notes([first, held(57.0 + 5, start=1.0, seconds=1.0)], 0, 2, rng)
    bowed = bow_notes([first, held(57.0 + 5, start=1.0, seconds=1.0, stroke=2)], 0, 2, rng)
    # In between the finger is halfway, and the string goes on.
    assert slurred.pitch[3, 1000] == pytest.approx(60.5, abs=0.15)
    assert slurred.force[3, 900:1100].min() > 0.8
    assert bowed.force[3, 950:1150].min() < 0.6
    assert slurred.noise[3, 1010] == pytest.approx(slurred.noise[3, 600], rel=0.4)
    assert bowed.noise[3, 1020] > 1.4 * max(bowed.noise[3, 600], bowed.noise[3, 1600])
    assert bowed.roughness[3, 1001] > 5 * bowed.roughness[3, 1900]
    assert slurred.roughness[3, 1001] == pytest.approx(slurred.roughness[3, 1900], rel=0.01)


def test_a_string_rings_on_after_the_bow_has_left_it(rng):
    bowing = bow_notes([held(seconds=1.0), held(48.0, start=1.0, seconds=1.0, string=1)], 0, 2, rng)
    assert bowing.force[3, 1020] > 0.1
    assert bowing.noise[3, 1020] == 0
    assert bowing.force[3, 1400] < 0.02
    assert bowing.force[1, 1500] > 0.8


# From the strings to the microphone


def tone(pitch, seconds, *, noise=0.0, force=1.0):
    """Play a tone without jitter."""
    shape = (4, round(1000 * seconds) + 1)
    forces, noises = np.zeros(shape), np.zeros(shape)
    forces[3], noises[3] = force, noise
    states = np.zeros(shape[1], dtype=np.int8)
    return Bowing(np.full(shape, pitch), forces, noises, np.zeros(shape), states)


@pytest.mark.parametrize("sr", [16000, 22050, 44100])
def test_a_tone_is_a_sawtooth_without_aliases(sr, rng, monkeypatch):
    monkeypatch.setattr(rendering, "FLOOR_DB", -200.0)
    hall = Hall(None, 1.0, sr)
    flat = np.ones(len(hall.place(BODIES["A", "both"][0])), dtype=np.complex64)
    sound = hall.record(tone(57.0, hall.bowed_seconds), flat, rng)
    assert sound.shape == (sr,)
    assert sound.dtype == np.float32
    window = np.blackman(sr)
    spectrum = np.abs(np.fft.rfft(sound * window)) / window.sum() * 2
    partials = np.arange(1, int(0.38 * sr / 220) + 1)
    found = np.array([spectrum[220 * n - 1 : 220 * n + 2].max() for n in partials])
    expected = 1 / partials / np.hypot(1, partials * 220 / 3500)
    assert_allclose(found / found[0], expected / expected[0], rtol=0.01)
    # Aliases would lie between the partials, where there is nothing but hiss.
    between = spectrum[330 : int(0.38 * sr) : 220]
    assert decibels(between.max() / found[0]) < -75


def test_what_is_recorded_is_the_body(rng):
    """Partials of two bodies on the same strings differ by the ratio of their responses."""
    hall = Hall("chamber", 2.0, 16000)
    bodies = [BODIES["A", "both"][1], BODIES["B", "both"][2]]
    played = tone(57.0, hall.bowed_seconds)
    sounds = [hall.record(played, hall.place(body), np.random.default_rng(0)) for body in bodies]
    spectra = [np.abs(np.fft.rfft(sound * np.blackman(32000))) for sound in sounds]
    partials = 220.0 * np.arange(1, 12)
    at = np.rint(2 * partials).astype(int)
    found = decibels(spectra[1][at] / spectra[0][at])
    expected = decibels(bodies[1].response(partials) / bodies[0].response(partials))
    # but for the level, which is the same for all
    assert_allclose(found - found.mean(), expected - expected.mean(), atol=0.3)


@pytest.mark.parametrize("room", [None, "studio", "chamber", "hall"])
def test_recordings_are_of_one_level(room, rng):
    hall = Hall(room, 1.0, 16000)
    body = hall.place(BODIES["B", "both"][0])
    for force in (0.01, 1.0, 30.0):
        sound = hall.record(tone(50.0, hall.bowed_seconds, force=force), body, rng)
        assert 10 * np.log10(np.mean(sound.astype(float) ** 2)) == pytest.approx(-26, abs=0.01)


def test_the_hiss_does_not_tell_the_level_that_was_before(rng):
    hall = Hall(None, 1.0, 16000)
    played = tone(57.0, hall.bowed_seconds)
    for scale in (1, 1000):
        body = hall.place(BODIES["A", "both"][0]) * np.float32(scale)
        sound = hall.record(played, body, np.random.default_rng(0)).astype(float)
        quiet = signal.sosfilt(signal.butter(8, 7600, "high", fs=16000, output="sos"), sound)
        level = 10 * np.log10(np.mean(quiet[2000:] ** 2))
        assert level == pytest.approx(-84 + 10 * np.log10(400 / 8000), abs=2)


def test_the_bow_is_heard_between_the_partials(rng):
    hall = Hall(None, 1.0, 16000)
    flat = np.ones(len(hall.place(BODIES["A", "both"][0])), dtype=np.complex64)
    height = 10 ** (-30 / 20) / np.sqrt(12)
    noise_alone = hall._play(tone(57.0, hall.bowed_seconds, noise=height, force=1e-3), rng)[1]
    assert np.sqrt(np.mean(noise_alone**2)) == pytest.approx(height, rel=0.25)
    sound = hall.record(tone(57.0, hall.bowed_seconds, noise=height), flat, rng)
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(16000))) ** 2
    between = [spectrum[220 * n + 60 : 220 * n + 160].mean() for n in range(1, 33)]
    assert 10 * np.log10(between[5] / between[31]) == pytest.approx(8, abs=8)
    assert 10 * np.log10(spectrum[220] / between[5]) < 75


def test_rooms_ring_on_and_none_does_not(rng):
    levels = {}
    for room in (None, "studio", "hall"):
        hall = Hall(room, 1.0, 16000)
        played = tone(57.0, hall.bowed_seconds)
        played.force[3, round(1000 * (hall.lead_seconds + 0.4)) :] = 0
        sound = hall.record(played, hall.place(BODIES["B", "both"][0]), rng)
        levels[room] = decibels(np.std(sound[9600:11200]) / np.std(sound[:6000]))
    assert levels[None] + 3 < levels["studio"] < levels["hall"] - 6
    assert levels["hall"] > -35


def test_nothing_is_played_in_silence(rng):
    hall = Hall("studio", 0.5, 16000)
    bowing = bow_notes([], -hall.lead_seconds, hall.bowed_seconds, rng)
    assert (bowing.states == REST).all()
    sound = hall.record(bowing, hall.place(BODIES["A", "both"][0]), rng)
    assert decibels(np.std(sound)) == pytest.approx(-84, abs=0.5)
