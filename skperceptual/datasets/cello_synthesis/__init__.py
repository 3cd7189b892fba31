"""Simulated cellos: a bowed string, a body with known resonances, a room.

Nothing is sampled. What differs between two instruments is their bodies alone, and how these
differ is written down in numbers, so that what a model learns can be compared with the truth:

=============== ==================================================================================
``bodies``      ``draw_body``: the modes of a body; ``CHARACTERS``, what sets two classes apart
``etudes``      ``compose_etude``: what is played; ``perform_etude``: how it comes out this time
``programme``   ``choose_excerpts``: which parts of which etudes an instrument plays
``bowing``      ``bow_notes``: pitch, force and noise of four strings from moment to moment, and
                what goes on in the music there
``rendering``   ``Hall``: from the strings through a body and a room to a microphone
=============== ==================================================================================
"""

from skperceptual.datasets.cello_synthesis.bodies import (
    CHARACTERS,
    Body,
    Character,
    character_of,
    draw_body,
)
from skperceptual.datasets.cello_synthesis.bowing import STATES, Bowing, bow_notes
from skperceptual.datasets.cello_synthesis.etudes import (
    ETUDE_SECONDS,
    Etude,
    Note,
    compose_etude,
    perform_etude,
)
from skperceptual.datasets.cello_synthesis.programme import (
    Excerpt,
    choose_excerpts,
    share_out_pieces,
)
from skperceptual.datasets.cello_synthesis.rendering import ROOM_NAMES, Hall

__all__ = [
    "CHARACTERS",
    "ETUDE_SECONDS",
    "ROOM_NAMES",
    "STATES",
    "Body",
    "Bowing",
    "Character",
    "Etude",
    "Excerpt",
    "Hall",
    "Note",
    "bow_notes",
    "character_of",
    "choose_excerpts",
    "compose_etude",
    "draw_body",
    "perform_etude",
    "share_out_pieces",
]
