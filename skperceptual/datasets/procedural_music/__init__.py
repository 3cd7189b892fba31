"""Seeded music in thirteen genres, composed note by note and synthesised in stereo.

Nothing is sampled and no tune is borrowed: what a genre is, is written down as data in
``genres``; ``compose`` turns it into the notes of a song and ``render`` into sound, at any
sampling rate and without aliasing.
"""

from skperceptual.datasets.procedural_music.composition import compose
from skperceptual.datasets.procedural_music.genres import GENRES
from skperceptual.datasets.procedural_music.rendering import render
from skperceptual.datasets.procedural_music.song import Note, Song, Track

__all__ = ["GENRES", "Note", "Song", "Track", "compose", "render"]
