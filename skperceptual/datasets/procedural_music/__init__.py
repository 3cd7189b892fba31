"""Seeded music in thirteen genres, composed note by note and synthesised in stereo.

Nothing is sampled and no tune is borrowed. A genre is data, which ``compose`` turns into the notes
of a song, and ``render`` those into sound, at any sampling rate and without aliasing:

=================== ==============================================================================
``genres``          what makes a genre, one file each, in the words that ``styles`` explains
``composition``     ``compose``: form, chords, bass and drums; ``melody`` writes the tunes,
                    ``harmony`` reads chords and ``patterns`` rhythms
``song``            what lies between the two halves: ``Song``, ``Track`` and ``Note``
``rendering``       ``render``: which notes sound in a window, and their mix; ``mastering`` adds
                    the room and the limiter
``tones``           one note of a pitched instrument; ``instruments`` says how each one sounds, in
                    the words of ``spectra``
``percussion``      one stroke of a drum, and how each one sounds
``noise``           the hiss in all of them, the same at every sampling rate
=================== ==============================================================================
"""

from skperceptual.datasets.procedural_music.composition import MIN_SECONDS, compose
from skperceptual.datasets.procedural_music.genres import GENRES
from skperceptual.datasets.procedural_music.rendering import render
from skperceptual.datasets.procedural_music.song import Note, Song, Track

__all__ = ["GENRES", "MIN_SECONDS", "Note", "Song", "Track", "compose", "render"]
