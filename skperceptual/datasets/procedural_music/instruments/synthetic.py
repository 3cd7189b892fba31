"""Synthesisers, which sound like nothing else."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.instruments.instrument import Hiss, Instrument
from skperceptual.datasets.procedural_music.spectra import (
    drawbars,
    falling,
    lowpass,
    shaped,
)

SYNTHETIC: dict[str, Instrument] = {
    "warm pad": Instrument(
        (shaped(falling(1.1), lowpass(2200, 1.5)),),
        attack=0.2,
        release=0.4,
        players=7,
        hisses=(Hiss(3000, 14000, 0.012),),
    ),
    "bright pad": Instrument(
        (shaped(falling(0.95), lowpass(7000, 1)),),
        attack=0.08,
        release=0.25,
        players=7,
    ),
    "saw stab": Instrument(
        (shaped(falling(0.9), lowpass(9000, 1)),),
        attack=0.004,
        release=0.07,
        players=5,
    ),
    "synth pluck": Instrument(
        (shaped(falling(0.9, even=0.8)),),
        attack=0.002,
        release=0.1,
        decay=0.35,
        damping=0.7,
        tracking=0.2,
    ),
    "synth lead": Instrument(
        (shaped(falling(0.85, even=0.6), lowpass(7000, 1)),),
        attack=0.008,
        release=0.07,
        bloom=0.01,
        vibrato_cents=9,
        scoop_cents=30,
    ),
    "glass bell": Instrument(
        (drawbars(1, 0, 0.25, 0, 0, 0.18, 0, 0, 0.08, 0, 0.05),),
        attack=0.002,
        release=0.4,
        decay=1.0,
        damping=0.6,
        hisses=(Hiss(4000, 14000, 0.05, 0.004),),
    ),
}
