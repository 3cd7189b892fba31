"""From a style and a seed to a song: sections, chords, bass, melody and drums as notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skperceptual.datasets.procedural_music.genres import STYLES
from skperceptual.datasets.procedural_music.harmony import (
    NAMES,
    Chord,
    parse_progression,
    voice,
)
from skperceptual.datasets.procedural_music.melody import make_melody
from skperceptual.datasets.procedural_music.patterns import LOUDNESS, STEPS_PER_BEAT, Grid, read
from skperceptual.datasets.procedural_music.song import Note, Song, Track
from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

MIN_SECONDS = 60.0

_SECTION_LOUDNESS = {"intro": 0.8, "verse": 0.86, "chorus": 1.0, "bridge": 0.92}
_KEPT_IN_AN_INTRO = ("hat", "ride", "shaker", "kick", "clave", "crackle", "brush", "rim")
# Where a drummer's things stand, and how loud they are among themselves: pan, dB, reverberation dB.
_KIT = {
    "kick": (0.0, 0.0, -30.0),
    "snare": (0.05, -2.0, -15.0),
    "hat": (0.35, -9.0, -22.0),
    "ride": (-0.35, -7.0, -18.0),
    "crash": (-0.45, -8.0, -16.0),
    "high tom": (-0.25, -3.0, -16.0),
    "low tom": (0.35, -2.0, -16.0),
    "rim": (0.1, -7.0, -13.0),
    "clap": (-0.05, -4.0, -12.0),
    "snap": (0.1, -6.0, -12.0),
    "brush": (0.1, -7.0, -17.0),
    "shaker": (-0.5, -10.0, -20.0),
    "tambourine": (0.55, -11.0, -18.0),
    "conga": (-0.3, -6.0, -16.0),
    "timbale": (0.4, -9.0, -16.0),
    "cowbell": (0.25, -14.0, -18.0),
    "clave": (0.5, -12.0, -13.0),
    "guiro": (-0.55, -11.0, -20.0),
    "crackle": (0.3, -24.0, -40.0),
}


class _Section(NamedTuple):
    kind: str
    first_bar: int
    bars: tuple[tuple[Chord, ...], ...]


@dataclass(frozen=True)
class _Plan:
    """What all players agree on."""

    style: Style
    grid: Grid
    key: int
    mode: str
    steps_per_bar: int
    sections: tuple[_Section, ...]


def compose(genre: str, rng: np.random.Generator) -> Song:
    """Compose a song.

    Key, tempo, chords, form, instruments, rhythms and melodies are drawn within what the genre
    allows, and every note is a little early or late, loud or soft, as players are.

    Parameters
    ----------
    genre : str
        One of ``GENRES``.
    rng : Generator
        Where the song comes from.

    Returns
    -------
    Song
        The song, of 60 seconds or more.

    Raises
    ------
    ValueError
        For a genre that is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.procedural_music import compose
    >>> song = compose("Jazz", np.random.default_rng(1))
    >>> song.parts
    ('drums', 'bass', 'chords', 'melody')
    >>> song.notes("bass")[0].pitch < 60
    True
    """
    if genre not in STYLES:
        raise ValueError(f"genre={genre!r} is unknown. Use one of {', '.join(STYLES)}.")
    style = STYLES[genre]
    plan = _plan(style, rng)
    tracks = [
        *_drum_tracks(plan, rng),
        *_bass_tracks(plan, rng),
        *(track for line in style.chords for track in _chord_tracks(plan, line, rng)),
        *_melody_tracks(plan, rng),
    ]
    n_bars = plan.sections[-1].first_bar + len(plan.sections[-1].bars)
    return Song(
        genre=genre,
        key=f"{NAMES[plan.key % 12]} {plan.mode}",
        tempo=plan.grid.tempo,
        beats_per_bar=plan.steps_per_bar // STEPS_PER_BEAT,
        length_seconds=plan.grid.seconds(n_bars * plan.steps_per_bar),
        seed=int(rng.integers(2**31)),
        room=str(rng.choice(style.rooms)),
        gain=_factor(style.level_db + rng.uniform(-1.5, 1.5)),
        tracks=tuple(track for track in tracks if track.notes),
    )


def _plan(style: Style, rng: np.random.Generator) -> _Plan:
    tempo = round(float(rng.uniform(*style.tempo)), 1)
    grid = Grid(tempo, float(rng.uniform(*style.swing)), 4 if style.swung == 8 else 2)
    steps_per_bar = STEPS_PER_BEAT * int(rng.choice(style.beats_per_bar))
    number = int(rng.integers(len(style.modes)))
    parts = [(m[1], int(m[2])) for m in re.finditer(r"([a-z]+)(\d+)", style.form)]
    progressions = {
        kind: parse_progression(str(rng.choice(style.progressions[number])))
        for kind in dict.fromkeys(kind for kind, _ in parts)
    }
    if "intro" in progressions:
        progressions["intro"] = progressions["verse"]
    sections: list[_Section] = []
    n_bars = 0
    while not (sections and grid.seconds(n_bars * steps_per_bar) >= MIN_SECONDS):
        kind, length = parts[len(sections) % len(parts)]
        chords = progressions[kind]
        bars = tuple(chords[bar % len(chords)] for bar in range(length))
        sections.append(_Section(kind, n_bars, bars))
        n_bars += length
    return _Plan(
        style, grid, int(rng.integers(12)), style.modes[number], steps_per_bar, tuple(sections)
    )


def _track(
    part: str, instrument: str, line: Line | Lead, pan: float, notes: tuple[Note, ...]
) -> Track:
    shared, ducked = (line.doubled, line.ducked) if isinstance(line, Line) else (False, 0.0)
    gain = _factor(line.level_db - 3 * shared)
    return Track(part, instrument, gain, pan, _factor(line.send_db), ducked, notes)


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


class _Player:
    """Turns steps into notes, as one person would play them: nearly in time, nearly alike."""

    def __init__(self, plan: _Plan, *, tightness: float = 1.0) -> None:
        self._grid = plan.grid
        self._spread = plan.style.timing_seconds * tightness
        self._written: list[tuple[float, float, int, float, float]] = []

    def play(
        self, step: float, held: float, pitch: int, velocity: float, *, late: float = 0.0
    ) -> None:
        """Write down a note, in steps; ``late`` is in seconds."""
        self._written.append((step, held, pitch, velocity, late))

    def notes(self, rng: np.random.Generator) -> tuple[Note, ...]:
        """Play what is written."""
        number = len(self._written)
        # Some players are ahead of the beat, some behind it.
        timing = self._spread * (rng.standard_normal(number) + 0.5 * rng.standard_normal())
        touch = rng.uniform(0.86, 1.06, number)
        variants = rng.integers(4, size=number)
        notes = []
        for (step, held, pitch, velocity, late), shift, firmness, variant in zip(
            self._written, timing.tolist(), touch.tolist(), variants.tolist(), strict=True
        ):
            start = self._grid.seconds(step)
            duration = self._grid.seconds(step + held) - start
            # Whole milliseconds are whole samples at most rates, and few different durations
            # make notes that sound the same, which are then rendered once.
            notes.append(
                Note(
                    round(max(start + late + shift, 0.0), 3),
                    max(0.02, round(duration, 2)),
                    pitch,
                    round(min(velocity * firmness, 1.0), 3),
                    variant,
                )
            )
        return tuple(sorted(notes))


def _drum_tracks(plan: _Plan, rng: np.random.Generator) -> Iterable[Track]:
    style = plan.style
    if not style.grooves:
        return
    verse = style.grooves[rng.integers(len(style.grooves))]
    chorus = style.grooves[rng.integers(len(style.grooves))] if rng.random() < 0.5 else verse
    players: dict[str, _Player] = {}
    for section in plan.sections:
        groove = chorus if section.kind in ("chorus", "bridge") else verse
        # With the drums that are there: one kick is enough.
        fills = [
            f for f in style.fills if any(n in groove.strokes for n in f.strokes if "kick" in n)
        ]
        fill = fills[rng.integers(len(fills))] if fills else groove
        for number in range(len(section.bars)):
            last = number == len(section.bars) - 1
            strokes = _strokes(groove, fill, section.kind, last=last)
            first_step = (section.first_bar + number) * plan.steps_per_bar
            loudness = _SECTION_LOUDNESS[section.kind]
            if number == 0 and section.kind == "chorus" and "snare" in " ".join(strokes):
                strokes = {**strokes, "crash": "x... .... .... ...."}
            for name, pattern in strokes.items():
                player = players.setdefault(name, _Player(plan, tightness=0.6))
                for event in read(pattern, plan.steps_per_bar, number):
                    # A soft stroke is an ornament: not always there.
                    if event.what == "o" and rng.random() < 0.15:
                        continue
                    player.play(first_step + event.step, 0, 0, loudness * LOUDNESS[event.what])
    for name, player in players.items():
        pan, level, send = next(place for key, place in _KIT.items() if key in name)
        gain = _factor(style.drums_db + level)
        yield Track("drums", name, gain, pan, _factor(send), 0.0, player.notes(rng))


def _strokes(groove: Groove, fill: Groove, kind: str, *, last: bool) -> dict[str, str]:
    if kind == "intro":
        light = {
            name: pattern
            for name, pattern in groove.strokes.items()
            if any(word in name for word in _KEPT_IN_AN_INTRO)
        }
        return light or groove.strokes
    return {**groove.strokes, **fill.strokes} if last else groove.strokes


def _chord_steps(section: _Section, plan: _Plan) -> Iterable[tuple[int, int, Chord]]:
    """Go through the chords of a section as (first step, one past the last, chord)."""
    for number, chords in enumerate(section.bars):
        start = (section.first_bar + number) * plan.steps_per_bar
        edges = [start + plan.steps_per_bar * i // len(chords) for i in range(len(chords) + 1)]
        yield from zip(edges[:-1], edges[1:], chords, strict=True)


def _bass_tracks(plan: _Plan, rng: np.random.Generator) -> Iterable[Track]:
    line = plan.style.bass[rng.integers(len(plan.style.bass))]
    pattern = str(rng.choice(line.patterns))
    player = _Player(plan)
    spans = [
        (start, end, chord, section)
        for section in plan.sections
        for start, end, chord in _chord_steps(section, plan)
    ]
    previous = line.register
    for number, (start, end, chord, section) in enumerate(spans):
        if section.kind not in line.sections:
            continue
        root = _nearest(plan.key + chord.root, line.register)
        following = spans[(number + 1) % len(spans)][2]
        next_root = _nearest(plan.key + following.root, line.register)
        bar, first = divmod(start, plan.steps_per_bar)
        for event in read(pattern, plan.steps_per_bar, bar - section.first_bar):
            step = bar * plan.steps_per_bar + event.step
            if not start <= step < end:
                continue
            loudness = _SECTION_LOUDNESS[section.kind] * (0.95 if event.step == first else 0.85)
            held = event.held * line.gate
            if event.what == "g":
                pitch, loudness, held = root, 0.4 * loudness, 0.3
            elif event.what == "a" or (event.what == "w" and step + 4 >= end):
                pitch = next_root + int(rng.choice([-1, 1, -2]))
            elif event.what == "w":
                pitch = root if step == start else _walk(previous, chord, plan.key, line, rng)
            else:
                pitch = root + chord.tone(int(event.what))
            previous = pitch
            player.play(step, held, pitch, loudness)
    instrument = str(rng.choice(line.instruments))
    yield _track("bass", instrument, line, line.pan, player.notes(rng))


def _nearest(pitch: int, register: int) -> int:
    """Move a pitch by octaves to within half an octave of a register."""
    return register + (pitch - register + 6) % 12 - 6


def _walk(previous: int, chord: Chord, key: int, line: Line, rng: np.random.Generator) -> int:
    """Take a step to another note of the chord, back towards the register if far from it."""
    tones = {(key + chord.root + interval) % 12 for interval in chord.intervals}
    near = [p for p in range(previous - 5, previous + 6) if p % 12 in tones and p != previous]
    inside = [p for p in near if abs(p - line.register) <= 9]
    return int(rng.choice(inside or near or [previous]))


def _chord_tracks(plan: _Plan, line: Line, rng: np.random.Generator) -> Iterable[Track]:
    instrument, pattern = str(rng.choice(line.instruments)), str(rng.choice(line.patterns))
    places = (line.pan, -line.pan) if line.doubled else (line.pan,)
    for pan in places:
        player = _Player(plan)
        for section in plan.sections:
            if section.kind in line.sections:
                _play_chords(player, plan, line, pattern, section)
        yield _track("chords", instrument, line, pan, player.notes(rng))


def _play_chords(player: _Player, plan: _Plan, line: Line, pattern: str, section: _Section) -> None:
    for start, end, chord in _chord_steps(section, plan):
        if line.n_notes == 1:
            pitches: tuple[int, ...] = (_nearest(plan.key + chord.root, line.register),)
        else:
            pitches = voice(chord, plan.key, line.register, line.n_notes)
        bar = start // plan.steps_per_bar
        for event in read(pattern, plan.steps_per_bar, bar - section.first_bar):
            step = bar * plan.steps_per_bar + event.step
            if not start <= step < end:
                continue
            loudness = _SECTION_LOUDNESS[section.kind] * LOUDNESS.get(event.what, 0.75)
            # A chord that is held ends with its harmony.
            held = min(event.held * line.gate, end - step)
            if event.what.isdigit():
                if line.rings:
                    held = end - step
                pitch = pitches[(int(event.what) - 1) % len(pitches)]
                player.play(step, held, pitch, loudness)
                continue
            if event.what == "d":
                loudness, held = 0.5, 0.3
            # The upward stroke reaches the higher strings only, from above.
            struck = pitches[-3:][::-1] if event.what == "o" else pitches
            for number, pitch in enumerate(struck):
                late = line.strum_seconds * number / max(1, len(pitches) - 1)
                player.play(step, held, pitch, loudness, late=late)


def _melody_tracks(plan: _Plan, rng: np.random.Generator) -> Iterable[Track]:
    for lead in plan.style.leads:
        instrument = str(rng.choice(lead.instruments))
        player = _Player(plan)
        remembered: dict[str, list[tuple[int, int, int]]] = {}
        for section in plan.sections:
            if section.kind not in lead.sections:
                continue
            if section.kind not in remembered:
                remembered[section.kind] = make_melody(
                    rng, list(section.bars), lead, plan.key, plan.mode, plan.steps_per_bar
                )
            _sing(player, plan, lead, section, remembered[section.kind])
        yield _track("melody", instrument, lead, lead.pan, player.notes(rng))


def _sing(
    player: _Player,
    plan: _Plan,
    lead: Lead,
    section: _Section,
    notes: list[tuple[int, int, int]],
) -> None:
    for step, held, pitch in notes:
        accent = 1.0 if step % plan.steps_per_bar == 0 else 0.88
        loudness = accent * _SECTION_LOUDNESS[section.kind]
        first_step = section.first_bar * plan.steps_per_bar
        player.play(first_step + step, held * lead.gate, pitch, loudness)
