"""From notes to what bow and fingers do on four strings, a thousand times a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.datasets.cello_synthesis.etudes import OPEN_STRINGS, Note

Floats = NDArray[np.float64]

CONTROL_RATE = 1000
# What goes on in a moment, in the order of the codes.
STATES = ("rest", "transition", "steady", "vibrato")
REST, TRANSITION, STEADY, VIBRATO = range(len(STATES))

_JITTER_CENTS = 3.0
_JITTER_SECONDS = 0.025
_FLUTTER_DB = 0.6
_VIBRATO_RISE_SECONDS = 0.15
_SLIDE_SECONDS = (0.03, 0.08)
# Of the bow's noise, relative to a sawtooth of height 1, whose mean square is 1/12.
_NOISE_DB = (-35 - 10.8, -25 - 10.8)
_BURST_SECONDS = 0.04
_BURST_GAIN = 10 ** (10 / 20)
# Each period of the string is off by this share, and by more until the motion has settled.
_ROUGHNESS = 0.0015
_ROUGH_START = 0.015
_SETTLING_SECONDS = 0.03
# A string falls by 40 dB in the time that is called its release.
_DECAYS_PER_RELEASE = np.log(10) * 40 / 20
_AUDIBLE = 0.02
_LONGEST_RELEASE_SECONDS = 0.5
# Sound is still on its way between the states that a listener would tell apart.
_MARGIN_SECONDS = 0.02


class Bowing(NamedTuple):
    """What happens on four strings, 1000 times a second.

    Parameters
    ----------
    pitch : ndarray of shape (4, n_moments)
        MIDI note number, with glides, vibrato and jitter.
    force : ndarray of shape (4, n_moments)
        Height of the sawtooth of force at the bridge.
    noise : ndarray of shape (4, n_moments)
        Root mean square of the noise of the bow.
    roughness : ndarray of shape (4, n_moments)
        Standard deviation of the length of a period, relative to it.
    states : ndarray of shape (n_moments,)
        Codes of ``STATES``.
    """

    pitch: Floats
    force: Floats
    noise: Floats
    roughness: Floats
    states: NDArray[np.int8]


class _Contact(NamedTuple):
    """Notes that the bow plays on one string without leaving it."""

    notes: list[Note]
    begins_stroke: bool
    after_rest: bool
    before_rest: bool

    @property
    def string(self) -> int:
        return self.notes[0].string

    @property
    def start(self) -> float:
        return self.notes[0].start_seconds

    @property
    def end(self) -> float:
        return self.notes[-1].start_seconds + self.notes[-1].duration_seconds

    def loudness(self, moments: Floats) -> Floats:
        """Go from the loudness of one note to that of the next."""
        middles = [note.start_seconds + note.duration_seconds / 2 for note in self.notes]
        decibels = np.interp(moments, middles, [note.loudness_db for note in self.notes])
        return 10 ** (decibels / 20)


def bow_notes(
    notes: Sequence[Note], start_seconds: float, duration_seconds: float, rng: np.random.Generator
) -> Bowing:
    """Play the notes that sound in a window.

    Parameters
    ----------
    notes : sequence of Note
        In the order of their beginnings.
    start_seconds, duration_seconds : float
        The window.
    rng : Generator
        Where what no score says comes from: attacks, glides, noise, jitter.

    Returns
    -------
    Bowing
        ``round(1000 * duration_seconds) + 1`` moments.
    """
    moments = np.arange(round(CONTROL_RATE * duration_seconds) + 1) / CONTROL_RATE + start_seconds
    shape = (len(OPEN_STRINGS), len(moments))
    pitch, force, noise = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    roughness = np.full(shape, _ROUGHNESS)
    in_transition = np.zeros(len(moments), dtype=bool)
    in_vibrato = np.zeros(len(moments), dtype=bool)
    heard = [
        note
        for note in notes
        if note.start_seconds < moments[-1]
        and note.start_seconds + note.duration_seconds > start_seconds - _LONGEST_RELEASE_SECONDS
    ]
    for contact in _contacts(heard):
        attack, release = _draw_attack_and_release(contact, rng)
        level = contact.loudness(moments) * 10 ** (_FLUTTER_DB / 20 * _wander(len(moments), rng))
        string = contact.string
        sounding = level * _sounding(contact, attack, release, moments)
        force[string] = np.maximum(force[string], sounding)
        scraping = level * _scraping(contact, moments) * 10 ** (rng.uniform(*_NOISE_DB) / 20)
        noise[string] = np.maximum(noise[string], scraping)
        if contact.begins_stroke:
            roughness[string] += _ROUGH_START * _unsettled(moments - contact.start)
        in_transition |= _between(moments, contact.start, contact.start + attack)
        fading = release if contact.before_rest else 0.0
        in_transition |= _between(moments, contact.end, contact.end + fading)
    for string, open_pitch in enumerate(OPEN_STRINGS):
        pitch[string] = open_pitch + _JITTER_CENTS / 100 * _wander(len(moments), rng)
        previous = None
        for note in (note for note in heard if note.string == string):
            pitch[string] += _finger_movement(previous, note, moments, rng)
            if previous is not None and previous.stroke == note.stroke:
                half = _SLIDE_SECONDS[1] / 2
                in_transition |= _between(
                    moments, note.start_seconds - half, note.start_seconds + half
                )
            depth = note.vibrato_cents / 100 * _vibrato_envelope(note, moments)
            angle = 2 * np.pi * note.vibrato_hz * (moments - note.start_seconds)
            pitch[string] += depth * np.sin(angle + rng.uniform(0, 2 * np.pi))
            in_vibrato |= depth > 0.5 * max(note.vibrato_cents / 100, 1e-6)
            previous = note

    states = np.full(len(moments), STEADY, dtype=np.int8)
    states[in_vibrato] = VIBRATO
    states[in_transition] = TRANSITION
    states[force.max(axis=0) < _AUDIBLE] = REST
    return Bowing(pitch, force, noise, roughness, states)


def _between(moments: Floats, start: float, end: float) -> NDArray[np.bool_]:
    """Mark the moments from one time to another, and those in which sound is still on its way."""
    return (moments >= start - _MARGIN_SECONDS) & (moments <= end + _MARGIN_SECONDS)


def _contacts(notes: Sequence[Note]) -> list[_Contact]:
    """Gather notes that one stroke plays on one string."""
    runs: list[list[Note]] = []
    for note in notes:
        if runs and (note.stroke, note.string) == (runs[-1][-1].stroke, runs[-1][-1].string):
            runs[-1].append(note)
        else:
            runs.append([note])
    contacts = []
    for place, run in enumerate(runs):
        before = runs[place - 1][-1] if place else None
        after = runs[place + 1][0] if place + 1 < len(runs) else None
        contacts.append(
            _Contact(
                run,
                begins_stroke=before is None or before.stroke != run[0].stroke,
                after_rest=_rests_between(before, run[0]),
                before_rest=_rests_between(run[-1], after),
            )
        )
    return contacts


def _rests_between(earlier: Note | None, later: Note | None) -> bool:
    if earlier is None or later is None:
        return True
    return later.start_seconds - earlier.start_seconds - earlier.duration_seconds > 0.03


def _draw_attack_and_release(contact: _Contact, rng: np.random.Generator) -> tuple[float, float]:
    """Draw how long a string takes to start, and to fall by 40 dB once the bow has left it."""
    slowest = 0.2 if contact.after_rest else 0.11
    attack, release = rng.uniform(0.06, slowest), rng.uniform(0.1, 0.3)
    if not contact.begins_stroke:  # the bow rolls on to it from another string
        attack = rng.uniform(0.03, 0.06)
    return min(attack, 0.5 * (contact.end - contact.start)), release


def _sounding(contact: _Contact, attack: float, release: float, moments: Floats) -> Floats:
    """Follow a string that is bowed and then left to itself."""
    rising = np.sin(np.pi / 2 * np.clip((moments - contact.start) / attack, 0, 1)) ** 2
    left = np.maximum(moments - contact.end, 0)
    return rising * np.exp(-left * _DECAYS_PER_RELEASE / release)


def _scraping(contact: _Contact, moments: Floats) -> Floats:
    """Follow the bow, which is there at once, scrapes most where a stroke begins, and lifts."""
    since = moments - contact.start
    down = np.clip(since / 0.008, 0, 1) * np.clip(1 - (moments - contact.end) / 0.015, 0, 1)
    if contact.begins_stroke:
        down *= 1 + (_BURST_GAIN - 1) * (1 - np.clip((since - _BURST_SECONDS) / 0.03, 0, 1))
    return down


def _unsettled(since: Floats) -> Floats:
    """Say how far a string is from a regular motion after the bow has set in."""
    return np.where(since >= 0, np.exp(-np.maximum(since, 0) / _SETTLING_SECONDS), 0)


def _finger_movement(
    previous: Note | None, note: Note, moments: Floats, rng: np.random.Generator
) -> Floats:
    """Give the change of pitch from one note of a string to the next; in a stroke it slides."""
    if previous is None:  # nothing sounds that would have another pitch
        return np.full(len(moments), note.pitch - OPEN_STRINGS[note.string])
    slurred = previous.stroke == note.stroke
    seconds = rng.uniform(*_SLIDE_SECONDS) if slurred else 0.015
    reached = np.clip((moments - note.start_seconds) / seconds + 0.5, 0, 1)
    return (note.pitch - previous.pitch) * reached**2 * (3 - 2 * reached)


def _vibrato_envelope(note: Note, moments: Floats) -> Floats:
    """Rise after a delay, and be over when the next note begins."""
    since = moments - note.start_seconds
    rising = np.clip((since - note.vibrato_delay_seconds) / _VIBRATO_RISE_SECONDS, 0, 1)
    return rising * np.clip((note.duration_seconds - since) / 0.05, 0, 1)


def _wander(n_moments: int, rng: np.random.Generator) -> Floats:
    """Draw a curve of unit variance that keeps mostly below 20 Hz."""
    step = round(_JITTER_SECONDS * CONTROL_RATE)
    knots = rng.standard_normal(n_moments // step + 2)
    between = np.interp(np.arange(n_moments) / step, np.arange(len(knots)), knots)
    return between * np.sqrt(1.5)  # lines between knots have two thirds of their variance
