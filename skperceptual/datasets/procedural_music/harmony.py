"""Scales, and chords written as Roman numerals."""

from __future__ import annotations

from typing import NamedTuple

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
NAMES = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

_NUMERALS = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7, 12),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 4, 7, 11, 14),
    "add9": (0, 4, 7, 14),
    "sus4": (0, 5, 7),
    "m6": (0, 3, 7, 9),
    "m7": (0, 3, 7, 10),
    "m9": (0, 3, 7, 10, 14),
    "m11": (0, 3, 7, 10, 14, 17),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10),
}


class Chord(NamedTuple):
    """A chord: its root above the key note in semitones, and its notes above the root."""

    root: int
    intervals: tuple[int, ...]

    def tone(self, number: int) -> int:
        """Give a step above the root, as high as it is in this chord.

        Parameters
        ----------
        number : int
            1, 3, 5, 6, 7, 8 or 9, as musicians count.

        Returns
        -------
        int
            Semitones above the root; a sixth or seventh that the chord lacks is its octave or
            its fifth.
        """
        choices = {1: (0,), 3: (4, 3, 5), 5: (7, 6), 6: (9, 7), 7: (10, 11), 8: (12,), 9: (14,)}
        present = [step for step in choices[number] if step in self.intervals]
        return present[0] if present else {3: 0, 5: 7, 6: 7}.get(number, 12)


def parse_chord(symbol: str) -> Chord:
    """Read a chord such as ``"ii7"``, ``"bVII"``, ``"Imaj7"``; small numerals are minor.

    Parameters
    ----------
    symbol : str
        Numeral of the major scale, whatever the mode, after ``b`` or ``#``; then the quality.

    Returns
    -------
    Chord
        The chord.
    """
    rest = symbol.lstrip("b#")
    shift = symbol.count("#") - (len(symbol) - len(rest) if symbol.startswith("b") else 0)
    numeral = rest[: len(rest) - len(rest.lstrip("ivIV"))]
    quality = rest[len(numeral) :]
    if numeral.islower() and not quality.startswith(("m", "d", "5", "s")):
        quality = "m" + quality
    root = (_NUMERALS[numeral.lower()] + shift) % 12
    return Chord(root, _QUALITIES[quality])


def parse_progression(text: str) -> tuple[tuple[Chord, ...], ...]:
    """Read bars that are separated by blanks; ``"ii7,V7"`` shares a bar between two chords.

    Parameters
    ----------
    text : str
        Such as ``"I vi ii7,V7 I"``.

    Returns
    -------
    tuple of tuple of Chord
        The chords of each bar.
    """
    return tuple(tuple(parse_chord(symbol) for symbol in bar.split(",")) for bar in text.split())


def voice(chord: Chord, key: int, centre: int, n_notes: int) -> tuple[int, ...]:
    """Spread a chord over a register: its notes nearest to a centre, the lowest first.

    Staying near one place makes each voice move little from chord to chord.

    Parameters
    ----------
    chord : Chord
        The chord.
    key : int
        MIDI note number of the key note.
    centre : int
        Middle of the register.
    n_notes : int
        How many notes; doubled in octaves where the chord has fewer.

    Returns
    -------
    tuple of int
        MIDI note numbers.
    """
    classes = {(key + chord.root + interval) % 12 for interval in chord.intervals}
    if len(classes) > n_notes:
        # The bass has the root, and the fifth says least.
        for spare in (chord.root, chord.root + 7):
            if len(classes) > n_notes:
                classes.discard((key + spare) % 12)
    near = [p for p in range(centre - 24, centre + 25) if p % 12 in classes]
    near.sort(key=lambda p: (abs(p - centre + 0.25), p))
    return tuple(sorted(near[:n_notes]))
