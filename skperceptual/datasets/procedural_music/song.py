"""What a song is: notes on tracks, and how the tracks are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PARTS = ("drums", "bass", "chords", "melody")


class Note(NamedTuple):
    """One note, or one stroke of a drum.

    Parameters
    ----------
    start_seconds, duration_seconds : float
        When it begins in the song, and how long it is held.
    pitch : int
        MIDI note number: 69 is the A of 440 Hz. 0 for drums.
    velocity : float
        From 0, silent, to 1.
    variant : int
        Which of the ways in which this instrument plays the same note.

    Examples
    --------
    >>> from skperceptual.datasets.procedural_music import Note
    >>> Note(0.0, 0.5, 69, 0.8, 0).pitch
    69
    """

    start_seconds: float
    duration_seconds: float
    pitch: int
    velocity: float
    variant: int


@dataclass(frozen=True)
class Track:
    """The notes of one instrument and its place in the mix.

    Parameters
    ----------
    part : {"drums", "bass", "chords", "melody"}
        What the track does in the music.
    instrument : str
        Name of a drum or of a pitched instrument.
    gain : float
        Factor of its level.
    pan : float
        From -1, left, to 1, right.
    send : float
        How much of it goes to the room.
    ducked : float
        How far the kick pushes it down: 0 not at all, 1 to silence.
    notes : tuple of Note
        In the order of their beginnings.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.procedural_music import compose
    >>> song = compose("Reggae", np.random.default_rng(0))
    >>> [track.instrument for track in song.tracks if track.part == "bass"]
    ['dub bass']
    """

    part: str
    instrument: str
    gain: float
    pan: float
    send: float
    ducked: float
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Song:
    """A composed song, which :func:`render` plays.

    Parameters
    ----------
    genre : str
        One of ``GENRES``.
    key : str
        Such as ``"A minor"``.
    tempo : float
        Beats a minute.
    beats_per_bar : int
        3 or 4.
    length_seconds : float
        At least 60.
    seed : int
        What the sounds of this song are drawn from: its drums, its room.
    room : str
        Name of the room it is played in.
    gain : float
        Factor of the whole mix.
    tracks : tuple of Track
        Everything that is played.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.procedural_music import compose
    >>> song = compose("Classical", np.random.default_rng(0))
    >>> song.length_seconds >= 60, song.parts
    (True, ('bass', 'chords', 'melody'))
    """

    genre: str
    key: str
    tempo: float
    beats_per_bar: int
    length_seconds: float
    seed: int
    room: str
    gain: float
    tracks: tuple[Track, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that this song has, in the order of ``PARTS``."""
        present = {track.part for track in self.tracks}
        return tuple(part for part in PARTS if part in present)

    def notes(self, part: str) -> tuple[Note, ...]:
        """Give the notes of one part, in the order of their beginnings.

        Parameters
        ----------
        part : {"drums", "bass", "chords", "melody"}
            The part.

        Returns
        -------
        tuple of Note
            Of all its tracks together; empty where the song does not have the part.
        """
        return tuple(sorted(n for track in self.tracks if track.part == part for n in track.notes))
