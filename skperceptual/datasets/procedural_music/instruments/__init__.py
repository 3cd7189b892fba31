"""The pitched instruments, as data: what each sounds like. ``tones`` plays them."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.instruments.basses import BASSES
from skperceptual.datasets.procedural_music.instruments.held import HELD
from skperceptual.datasets.procedural_music.instruments.instrument import Hiss, Instrument
from skperceptual.datasets.procedural_music.instruments.plucked import PLUCKED
from skperceptual.datasets.procedural_music.instruments.synthetic import SYNTHETIC

__all__ = ["INSTRUMENTS", "Hiss", "Instrument"]

INSTRUMENTS: dict[str, Instrument] = {**PLUCKED, **BASSES, **HELD, **SYNTHETIC}
