"""Melodies: short motifs that come back, drawn to the notes of the chords."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skperceptual.datasets.procedural_music.harmony import SCALES, Chord
from skperceptual.datasets.procedural_music.styles import Lead

_BARS_OF_A_MOTIF = 2
# Motifs of a phrase of eight bars: what was heard comes back, then something else answers.
_FORMS = ("AABA", "ABAB", "AAAB", "ABAC")


class Motif(NamedTuple):
    """A rhythm as (step, steps held), and by how many notes of the scale it moves each time."""

    rhythm: tuple[tuple[int, int], ...]
    moves: tuple[int, ...]


def make_melody(
    rng: np.random.Generator,
    bars: list[tuple[Chord, ...]],
    lead: Lead,
    key: int,
    mode: str,
    steps_per_bar: int,
) -> list[tuple[int, int, int]]:
    """Write the melody of a section.

    Parameters
    ----------
    rng : Generator
        Where the melody comes from.
    bars : list of tuple of Chord
        The chords of each bar.
    lead : Lead
        Who plays it, and in which rhythms.
    key : int
        MIDI note number of the key note.
    mode : str
        Scale of the song; the lead may prefer another.
    steps_per_bar : int
        Sixteenths in a bar.

    Returns
    -------
    list of tuple of int
        Notes as (step, steps held, MIDI note number).
    """
    scale = {(key + step) % 12 for step in SCALES[lead.scale or mode]}
    pitches = [p for p in range(lead.low, lead.high + 1) if p % 12 in scale]
    motifs = {name: _motif(rng, lead, steps_per_bar) for name in "ABC"}
    form = str(rng.choice(_FORMS))
    position = int(rng.integers(len(pitches) // 4, 3 * len(pitches) // 4))
    notes: list[tuple[int, int, int]] = []
    for number, first in enumerate(range(0, len(bars), _BARS_OF_A_MOTIF)):
        motif = motifs[form[number % len(form)]]
        for (step, held), move in zip(motif.rhythm, motif.moves, strict=True):
            bar = first + step // steps_per_bar
            if bar >= len(bars):
                break
            chord = _chord_at(bars[bar], step % steps_per_bar, steps_per_bar)
            position = _within(position + move, len(pitches))
            if step % 8 == 0 or held >= 4:
                position = _nearest_chord_tone(pitches, position, chord, key)
            notes.append((first * steps_per_bar + step, held, pitches[position]))
    return notes


def _motif(rng: np.random.Generator, lead: Lead, steps_per_bar: int) -> Motif:
    n_beats = _BARS_OF_A_MOTIF * steps_per_bar // 4
    beats = [str(rng.choice(lead.cells)) for _ in range(n_beats)]
    # A motif that says something: it begins with a note and ends with a rest, to breathe.
    beats[0] = next(cell for cell in (*beats, *lead.cells) if "x" in cell)
    beats[-1] = str(rng.choice(["----", "....", "x--."]))
    text = "".join(beats)
    rhythm, start = [], None
    for step, character in enumerate(text + "."):
        if start is not None and character != "-":
            rhythm.append((start, step - start))
            start = None
        if character == "x":
            start = step
    moves = rng.integers(-lead.leap, lead.leap + 1, size=len(rhythm))
    direction = rng.choice([-1, 1])
    # Up in one half and down in the other, or the reverse: an arch.
    arch = direction * np.where(np.arange(len(moves)) < len(moves) / 2, 1, -1)
    bent = np.where(rng.random(len(moves)) < 0.35, arch, 0)
    return Motif(tuple(rhythm), tuple(int(move) for move in moves + bent))


def _chord_at(bar: tuple[Chord, ...], step: int, steps_per_bar: int) -> Chord:
    return bar[step * len(bar) // steps_per_bar]


def _within(position: int, size: int) -> int:
    """Turn back at the ends of the range."""
    if position < 0:
        position = -position
    if position >= size:
        position = 2 * (size - 1) - position
    return min(max(position, 0), size - 1)


def _nearest_chord_tone(pitches: list[int], position: int, chord: Chord, key: int) -> int:
    tones = {(key + chord.root + interval) % 12 for interval in chord.intervals}
    ranked = sorted(range(len(pitches)), key=lambda place: (abs(place - position), place))
    return next((place for place in ranked[:7] if pitches[place] % 12 in tones), position)
