"""What is played: etudes of half a minute, and how they come out each time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

ETUDE_SECONDS = 30.0

# C2, G2, D3 and A3, as MIDI note numbers.
OPEN_STRINGS = (36, 43, 50, 57)
_LOWEST, _HIGHEST = 36, 69
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_SHARED_NAMES = ("C", "", "D", "E flat", "E", "F", "F sharp", "G", "", "A", "B flat", "B")
_MAJOR_NAMES = {1: "D flat", 8: "A flat"}
_MINOR_NAMES = {1: "C sharp", 8: "G sharp"}
# How far a hand that stays where it is reaches above the open string.
_REACH = 9
# Bars of four beats, and how many notes to a bow: singing, walking, running.
_BARS = {
    "singing": (
        ((4.0,), (3.0, 1.0), (2.0, 2.0), (2.5, 0.5, 1.0), (1.5, 0.5, 2.0), (2.0, 1.0, 1.0)),
        (1, 1, 2, 3),
    ),
    "walking": (
        ((1.0, 1.0, 1.0, 1.0), (1.5, 0.5, 1.0, 1.0), (2.0, 1.0, 0.5, 0.5), (1.0, 1.0, 2.0)),
        (1, 1, 2, 2),
    ),
    "running": (
        (
            (0.5,) * 8,
            (0.5, 0.25, 0.25) * 4,
            (1.0, 0.5, 0.5, 1.0, 0.5, 0.5),
            (0.25,) * 8 + (1.0,) * 2,
        ),
        (1, 2, 4, 4),
    ),
}
_MOODS = tuple(_BARS)
# Beats a minute in each mood.
_TEMPI = {"singing": (56, 80), "walking": (72, 104), "running": (66, 92)}
_BARS_PER_PHRASE = 4
_SHORTEST_VIBRATO_SECONDS = 0.45
# How a take differs from the score, as standard deviations.
_TEMPO_SPREAD = 0.03
_DURATION_SPREAD = 0.05
_INTONATION_CENTS = 4.0


class Note(NamedTuple):
    """One note.

    Parameters
    ----------
    start_seconds, duration_seconds : float
        When it begins and how long it is held.
    pitch : float
        MIDI note number, 69 for 440 Hz; a take has fractions.
    string : int
        From 0, the C string, to 3, the A string.
    stroke : int
        Number of the bow stroke; notes of one stroke are slurred.
    loudness_db : float
        Level.
    vibrato_cents : float
        Its depth to either side; 0 for none.
    vibrato_hz : float
        Its rate.
    vibrato_delay_seconds : float
        When it begins within the note.
    """

    start_seconds: float
    duration_seconds: float
    pitch: float
    string: int
    stroke: int
    loudness_db: float
    vibrato_cents: float
    vibrato_hz: float
    vibrato_delay_seconds: float


@dataclass(frozen=True)
class Etude:
    """Half a minute of music for one cello.

    Parameters
    ----------
    key : str
        Such as ``"D minor"``.
    mood : {"singing", "walking", "running"}
        What kind of notes it has.
    tempo : float
        Beats a minute.
    notes : tuple of Note
        In the order of their beginnings, none overlapping.
    """

    key: str
    mood: str
    tempo: float
    notes: tuple[Note, ...]

    @property
    def end_seconds(self) -> float:
        """When the last note ends."""
        return self.notes[-1].start_seconds + self.notes[-1].duration_seconds


def compose_etude(rng: np.random.Generator) -> Etude:
    """Compose an etude.

    Parameters
    ----------
    rng : Generator
        Where it comes from.

    Returns
    -------
    Etude
        A little longer than ``ETUDE_SECONDS``, from C2 to A4.
    """
    mood = _MOODS[rng.integers(len(_MOODS))]
    tonic, is_minor = int(rng.integers(12)), bool(rng.integers(2))
    scale = {(tonic + step) % 12 for step in (_MINOR if is_minor else _MAJOR)}
    degrees = [pitch for pitch in range(_LOWEST, _HIGHEST + 1) if pitch % 12 in scale]
    tempo = float(rng.uniform(*_TEMPI[mood]))
    beat = 60 / tempo
    bars, bow_lengths = _BARS[mood]

    notes: list[Note] = []
    start, stroke, bar = 0.0, 0, 0
    degree = int(rng.integers(len(degrees) // 4, 3 * len(degrees) // 4))
    string = _string_for(degrees[degree], 1)
    left_in_stroke = 0
    while start < ETUDE_SECONDS:
        ends_phrase = bar % _BARS_PER_PHRASE == _BARS_PER_PHRASE - 1
        rhythm = (2.0, 2.0) if ends_phrase else bars[rng.integers(len(bars))]
        swell = 3.0 * np.sin(np.pi * (bar % _BARS_PER_PHRASE + 0.5) / _BARS_PER_PHRASE)
        for place, beats in enumerate(rhythm):
            degree = _next_degree(degree, len(degrees), rng)
            if left_in_stroke == 0:
                stroke += 1
                left_in_stroke = int(rng.choice(bow_lengths))
            left_in_stroke -= 1
            string = _string_for(degrees[degree], string)
            seconds = beats * beat
            last = ends_phrase and place == len(rhythm) - 1
            # A breath at the end of a phrase.
            held = seconds - min(0.35, 0.3 * seconds) if last else seconds
            notes.append(
                Note(
                    start,
                    held,
                    degrees[degree],
                    string,
                    stroke,
                    float(swell + rng.normal(0, 0.7)),
                    *_choose_vibrato(held, degrees[degree] == OPEN_STRINGS[string], rng),
                )
            )
            start += seconds
            if last:
                left_in_stroke = 0
        bar += 1
    name = _SHARED_NAMES[tonic] or (_MINOR_NAMES if is_minor else _MAJOR_NAMES)[tonic]
    return Etude(f"{name} {'minor' if is_minor else 'major'}", mood, tempo, tuple(notes))


def _next_degree(degree: int, n_degrees: int, rng: np.random.Generator) -> int:
    """Go on, mostly by steps, and turn round at either end."""
    step = int(rng.choice([1, 1, 1, 2, 2, 3, 4, 7], p=[0.2, 0.2, 0.2, 0.1, 0.1, 0.08, 0.07, 0.05]))
    up = rng.random() < 0.5 + 0.5 * (0.5 - degree / (n_degrees - 1))
    found = degree + (step if up else -step)
    return found if 0 <= found < n_degrees else degree + (-step if up else step)


def _string_for(pitch: int, string: int) -> int:
    """Stay on a string as long as the hand reaches the note, else take the next that has it."""
    if OPEN_STRINGS[string] <= pitch <= OPEN_STRINGS[string] + _REACH:
        return string
    return max(number for number, open_pitch in enumerate(OPEN_STRINGS) if open_pitch <= pitch)


def _choose_vibrato(
    seconds: float, is_open: bool, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Draw depth, rate and delay; open strings, short notes and some of the long have none."""
    cents, hertz, delay = rng.uniform(15, 30), rng.uniform(5, 6.5), rng.uniform(0.2, 0.4)
    is_played = rng.random() < 0.65 and seconds > _SHORTEST_VIBRATO_SECONDS and not is_open
    return (cents if is_played else 0.0), hertz, min(delay, 0.45 * seconds)


def perform_etude(etude: Etude, rng: np.random.Generator) -> Etude:
    """Play an etude as it comes out this time: in time, tune, loudness and vibrato.

    Parameters
    ----------
    etude : Etude
        What :func:`compose_etude` wrote.
    rng : Generator
        Where the take comes from.

    Returns
    -------
    Etude
        The same notes, each a little different.
    """
    tempo = np.exp(_TEMPO_SPREAD * rng.standard_normal())
    notes, time, written = [], 0.0, 0.0
    for note in etude.notes:
        time += (note.start_seconds - written) / tempo
        stretch = np.exp(_DURATION_SPREAD * rng.standard_normal()) / tempo
        # An open string is as it is tuned.
        is_open = note.pitch == OPEN_STRINGS[note.string]
        off = 0.0 if is_open else _INTONATION_CENTS * rng.standard_normal()
        notes.append(
            note._replace(
                start_seconds=time,
                duration_seconds=note.duration_seconds * stretch,
                pitch=note.pitch + off / 100,
                loudness_db=note.loudness_db + 0.8 * rng.standard_normal(),
                vibrato_cents=note.vibrato_cents * np.exp(0.12 * rng.standard_normal()),
                vibrato_hz=note.vibrato_hz * np.exp(0.04 * rng.standard_normal()),
                vibrato_delay_seconds=note.vibrato_delay_seconds * stretch,
            )
        )
        time += note.duration_seconds * stretch
        written = note.start_seconds + note.duration_seconds
    return replace(etude, tempo=etude.tempo * tempo, notes=tuple(notes))
