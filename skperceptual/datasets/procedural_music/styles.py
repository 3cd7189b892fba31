"""The words in which a genre is described; ``genres`` uses them.

Rhythms are strings with one character for each sixteenth; blanks are there for the reader.
``.`` is silence and ``-`` holds what sounds. For drums, ``X``, ``x`` and ``o`` are a loud, a
normal and a soft stroke. In lines of chords they are the whole chord, ``d`` is a damped stroke
and a digit picks that note of the chord, counted from below. In bass lines a digit is a step
above the root of the chord, ``g`` a ghost note, ``a`` leads to the next root from beside it, and
``w`` walks. A pattern may be several bars long.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = ("intro", "verse", "chorus", "bridge")
ALL_BUT_INTRO = EVERYWHERE[1:]
LOUD = ("chorus", "bridge")
SONG_FORM = "intro4 verse8 chorus8 verse8 chorus8 bridge4 chorus8"


@dataclass(frozen=True)
class Groove:
    """What the drums play: a pattern for each of them."""

    strokes: dict[str, str]


@dataclass(frozen=True)
class Line:
    """A bass line, or chords: instruments and patterns, of which a song takes one each.

    Attributes
    ----------
    instruments, patterns : tuple of str
        What there is to choose from.
    level_db : float
        Level in the mix.
    register : int
        MIDI note number that the notes keep near to.
    n_notes : int
        Notes of a chord; 1 is the root alone.
    pan : float
        From -1, left, to 1, right.
    doubled : bool
        Whether two players share the line, one on each side at ``pan``.
    send_db : float
        Level of its reverberation.
    gate : float
        Part of its length that a note is held for.
    rings : bool
        Whether picked notes sound on until the chord changes.
    strum_seconds : float
        From the first string to the last.
    ducked : float
        How far the kick pushes it down.
    sections : tuple of str
        Where in the form it plays.
    """

    instruments: tuple[str, ...]
    patterns: tuple[str, ...]
    level_db: float
    register: int
    n_notes: int = 4
    pan: float = 0.0
    doubled: bool = False
    send_db: float = -14.0
    gate: float = 0.95
    rings: bool = False
    strum_seconds: float = 0.0
    ducked: float = 0.0
    sections: tuple[str, ...] = EVERYWHERE


@dataclass(frozen=True)
class Lead:
    """A melody: who plays it, where, and the rhythms of a beat that it is made of."""

    instruments: tuple[str, ...]
    cells: tuple[str, ...]
    level_db: float
    low: int
    high: int
    scale: str | None = None  # None: the mode of the song
    pan: float = 0.0
    send_db: float = -11.0
    gate: float = 0.92
    leap: int = 2  # widest step within a phrase, in notes of the scale
    sections: tuple[str, ...] = ("verse", "chorus")


@dataclass(frozen=True)
class Style:
    """What makes a genre.

    Attributes
    ----------
    tempo : tuple of float
        Slowest and fastest, in beats a minute.
    swing : tuple of float
        Where in its pulse the second half falls, least and most: 0.5 is straight.
    swung : {8, 16}
        The note value that swings.
    beats_per_bar : tuple of int
        Meters to choose from.
    modes : tuple of str
        Scales to choose from, one for each of ``progressions``.
    progressions : tuple of tuple of str
        For each mode the progressions that sections choose from.
    form : str
        Sections and their bars, such as ``"intro4 verse8 chorus8"``; repeated as needed.
    grooves, fills : tuple of Groove
        Drums of the song, and of the last bar of a section. None for music without drums.
    bass, chords, leads : tuple
        The lines. A song has one of the basses, all of the chords, all of the leads.
    drums_db : float
        Level of the drums.
    timing_seconds : float
        How far from the beat players are, as a standard deviation.
    rooms : tuple of str
        Rooms to choose from.
    level_db : float
        Brings the mix to the loudness that records of this genre have.
    """

    tempo: tuple[float, float]
    modes: tuple[str, ...]
    progressions: tuple[tuple[str, ...], ...]
    form: str
    bass: tuple[Line, ...]
    chords: tuple[Line, ...]
    leads: tuple[Lead, ...]
    level_db: float
    grooves: tuple[Groove, ...] = ()
    fills: tuple[Groove, ...] = ()
    drums_db: float = 0.0
    swing: tuple[float, float] = (0.5, 0.5)
    swung: int = 8
    beats_per_bar: tuple[int, ...] = (4,)
    timing_seconds: float = 0.006
    rooms: tuple[str, ...] = ("studio",)


TOM_FILLS = (
    Groove(
        {
            "snare": ".... .... ..xx XX..",
            "high tom": ".... .... .... ..x.",
            "low tom": ".... .... .... ...x",
            "kick": "x... ..x. x... ....",
        }
    ),
    Groove(
        {
            "snare": ".... x... xx.. ....",
            "high tom": ".... .... ..xx ....",
            "low tom": ".... .... .... xxx.",
            "kick": "x... ..x. .... ...x",
        }
    ),
)
