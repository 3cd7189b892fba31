"""Basses, plucked and synthetic."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.instruments.instrument import Hiss, Instrument
from skperceptual.datasets.procedural_music.spectra import (
    drawbars,
    falling,
    lowpass,
    peaks,
    plucked,
    shaped,
)

BASSES: dict[str, Instrument] = {
    "upright bass": Instrument(
        (shaped(plucked(0.28, 1.3), peaks((110, 4, 1.0), (700, 5, 1.2)), lowpass(2500, 1)),),
        attack=0.008,
        release=0.06,
        decay=0.65,
        damping=3.0,
        hisses=(Hiss(500, 3500, 0.14, 0.012),),
    ),
    "finger bass": Instrument(
        (shaped(plucked(0.22, 1.2), peaks((90, 3, 1.0), (800, 5, 1.2)), lowpass(2800, 1)),),
        attack=0.005,
        release=0.05,
        decay=1.3,
        damping=3.0,
        hisses=(Hiss(700, 4000, 0.06, 0.008),),
    ),
    "picked bass": Instrument(
        (shaped(plucked(0.14, 1.05), peaks((100, 4, 1.0), (1400, 6, 1.4)), lowpass(4200, 2)),),
        attack=0.003,
        release=0.04,
        decay=1.4,
        damping=1.6,
        hisses=(Hiss(1500, 7000, 0.10, 0.006),),
    ),
    "slap bass": Instrument(
        (shaped(plucked(0.09, 0.95), peaks((90, 4, 1.0), (600, -4, 1.2), (3200, 7, 1.6))),),
        attack=0.002,
        release=0.03,
        decay=0.8,
        damping=2.0,
        hisses=(Hiss(1800, 11000, 0.22, 0.008),),
    ),
    "dub bass": Instrument(
        (shaped(falling(1.9), lowpass(420, 1)),),
        attack=0.012,
        release=0.06,
        decay=1.6,
        damping=2.0,
    ),
    "synth bass": Instrument(
        (shaped(falling(1.0), lowpass(2500, 2)),),
        attack=0.003,
        release=0.03,
        decay=0.7,
        damping=4.0,
        tracking=0.2,
    ),
    "sub bass": Instrument(
        (drawbars(1, 0.22, 0.14, 0.05, 0.04, 0.02),),
        attack=0.008,
        release=0.05,
        decay=1.5,
        damping=1.0,
        tracking=0.2,
    ),
}
