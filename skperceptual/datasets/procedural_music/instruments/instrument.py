"""What there is to say of the sound of an instrument."""

from __future__ import annotations

from dataclasses import dataclass

from skperceptual.datasets.procedural_music.spectra import Spectrum


@dataclass(frozen=True)
class Hiss:
    """Noise that belongs to a tone: a pick, a hammer, breath, the rosin of a bow."""

    low_hz: float
    high_hz: float
    level: float
    decay_seconds: float | None = None  # None sounds as long as the tone


@dataclass(frozen=True)
class Instrument:
    """How the notes of one instrument sound.

    Attributes
    ----------
    spectra : tuple of callable
        What the harmonics are like; notes take turns where there are several (vowels).
    attack, release : float
        Seconds in which a note rises and falls.
    decay : float or None
        Seconds in which a low note falls to 1/e. None is held, by a bow or breath.
    damping : float
        How much faster high partials decay: the rate at 1 kHz, over that of a low note.
    tracking : float
        How much shorter high notes are: the decay falls by this power of the frequency.
    stretch : float
        Inharmonicity of stiff strings: the k-th partial is sharp by ``sqrt(1 + stretch k**2)``.
    bloom : float
        Further seconds that the upper harmonics of a held note take to come.
    vibrato_cents, vibrato_hz : float
        Extent and rate of the vibrato, which sets in after a fifth of a second.
    scoop_cents : float
        How far below its pitch a note begins.
    players : int
        More than one play as a section, each a little out of tune and of time.
    hisses : tuple of Hiss
        The noises of the tone.
    softness : float
        How much darker soft notes are: dB an octave at a quarter of the full velocity.
    """

    spectra: tuple[Spectrum, ...]
    attack: float = 0.004
    release: float = 0.06
    decay: float | None = None
    damping: float = 0.0
    tracking: float = 0.5
    stretch: float = 0.0
    bloom: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_hz: float = 5.4
    scoop_cents: float = 0.0
    players: int = 1
    hisses: tuple[Hiss, ...] = ()
    softness: float = 3.0
