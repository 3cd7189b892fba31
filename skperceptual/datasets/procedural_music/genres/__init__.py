"""The thirteen genres, each described in a file of its own."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.genres import (
    acoustic,
    blues,
    classical,
    country,
    electronica,
    funk,
    hip_hop,
    jazz,
    latin,
    pop,
    reggae,
    rock,
    soul,
)
from skperceptual.datasets.procedural_music.styles import Style

STYLES: dict[str, Style] = {
    "Acoustic": acoustic.STYLE,
    "Blues": blues.STYLE,
    "Classical": classical.STYLE,
    "Country": country.STYLE,
    "Electronica & Dance": electronica.STYLE,
    "Funk": funk.STYLE,
    "Hip Hop": hip_hop.STYLE,
    "Jazz": jazz.STYLE,
    "Latin": latin.STYLE,
    "Pop": pop.STYLE,
    "Reggae": reggae.STYLE,
    "Rnb & Soul": soul.STYLE,
    "Rock": rock.STYLE,
}

GENRES = tuple(STYLES)
