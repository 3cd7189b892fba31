"""Strings that are plucked, and keys that strike."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.instruments.instrument import Hiss, Instrument
from skperceptual.datasets.procedural_music.spectra import (
    drawbars,
    highpass,
    lowpass,
    overdriven,
    peaks,
    plucked,
    shaped,
)

_GUITAR_BODY = peaks((105, 7, 0.5), (205, 6, 0.5), (420, 3, 0.6), (2600, 3, 1.6))
_CABINET = shaped(peaks((120, 2, 0.8), (420, -5, 1.0), (2700, 13, 1.9)), lowpass(5600, 3))

PLUCKED: dict[str, Instrument] = {
    "nylon guitar": Instrument(
        (shaped(plucked(0.21, 1.35), _GUITAR_BODY),),
        release=0.09,
        decay=1.3,
        damping=2.2,
        hisses=(Hiss(900, 5000, 0.16, 0.006),),
    ),
    "steel guitar": Instrument(
        (shaped(plucked(0.15, 1.05), _GUITAR_BODY, highpass(140)),),
        release=0.09,
        decay=1.7,
        damping=1.1,
        stretch=4e-5,
        hisses=(Hiss(2500, 13000, 0.18, 0.006),),
    ),
    "clean guitar": Instrument(
        (shaped(plucked(0.19, 1.05), peaks((2900, 6, 1.6)), lowpass(6000, 2), highpass(120)),),
        decay=1.5,
        damping=0.9,
        hisses=(Hiss(1800, 8000, 0.12, 0.005),),
    ),
    "muted guitar": Instrument(
        (shaped(plucked(0.12, 0.9), peaks((2300, 5, 1.6)), highpass(250)),),
        release=0.03,
        decay=0.09,
        damping=0.4,
        tracking=0.2,
        hisses=(Hiss(1200, 8000, 0.45, 0.012),),
    ),
    "skank guitar": Instrument(
        (shaped(plucked(0.1, 0.95), peaks((1700, 5, 1.4)), highpass(300, 1.5)),),
        release=0.035,
        decay=0.30,
        damping=0.7,
        hisses=(Hiss(1500, 9000, 0.25, 0.008),),
    ),
    "power guitar": Instrument(
        (shaped(overdriven(3.2, (2, 1.0), (3, 0.8), (4, 0.4)), _CABINET, highpass(95)),),
        attack=0.006,
        release=0.05,
        decay=3.5,
        damping=0.25,
        tracking=0.2,
        hisses=(Hiss(1500, 6500, 0.10, 0.02), Hiss(1000, 6000, 0.012)),
    ),
    "crunch guitar": Instrument(
        (shaped(overdriven(1.6, (1, 1.0)), _CABINET, highpass(160)),),
        decay=1.4,
        damping=0.6,
        hisses=(Hiss(1500, 6500, 0.10, 0.012),),
    ),
    "lead guitar": Instrument(
        (shaped(overdriven(4.0, (1, 1.0)), _CABINET, highpass(220)),),
        attack=0.008,
        release=0.07,
        decay=4.0,
        damping=0.2,
        tracking=0.2,
        vibrato_cents=16,
        scoop_cents=70,
        hisses=(Hiss(1500, 6500, 0.08, 0.02), Hiss(1000, 6000, 0.012)),
    ),
    "blues guitar": Instrument(
        (shaped(overdriven(1.5, (1, 1.0)), _CABINET, highpass(200)),),
        attack=0.005,
        release=0.07,
        decay=1.6,
        damping=0.5,
        tracking=0.2,
        vibrato_cents=18,
        scoop_cents=90,
        hisses=(Hiss(1500, 6500, 0.10, 0.012),),
    ),
    "banjo": Instrument(
        (shaped(plucked(0.08, 0.8), peaks((700, 5, 1.0), (3000, 4, 1.5)), highpass(280, 2)),),
        attack=0.002,
        decay=0.32,
        damping=0.35,
        stretch=5e-5,
        hisses=(Hiss(2500, 14000, 0.25, 0.005),),
    ),
    "pedal steel": Instrument(
        (shaped(plucked(0.2, 1.1), peaks((1800, 4, 1.5)), lowpass(6000, 2)),),
        attack=0.06,
        release=0.25,
        decay=2.5,
        damping=0.4,
        vibrato_cents=14,
        scoop_cents=110,
        hisses=(Hiss(1500, 7000, 0.03, 0.02),),
    ),
    "piano": Instrument(
        (shaped(plucked(0.125, 1.25), peaks((250, 3, 1.5), (2600, 2, 1.5)), lowpass(7000, 1)),),
        attack=0.003,
        release=0.12,
        decay=2.0,
        damping=0.9,
        tracking=0.75,
        stretch=2.5e-4,
        hisses=(Hiss(250, 3000, 0.10, 0.018), Hiss(3000, 12000, 0.03, 0.006)),
        softness=5.0,
    ),
    "electric piano": Instrument(
        (
            shaped(
                drawbars(1, 0.4, 0.16, 0.09, 0.06, 0.05, 0.22, 0.05, 0.03, 0.05, 0.06, 0.03, 0.03),
            ),
        ),
        attack=0.003,
        release=0.15,
        decay=1.5,
        damping=1.6,
        hisses=(Hiss(1500, 8000, 0.04, 0.006),),
        softness=8.0,
    ),
    "clavinet": Instrument(
        (shaped(plucked(0.1, 0.7), lowpass(3800, 1.5), peaks((1900, 5, 1.4)), highpass(180)),),
        attack=0.002,
        release=0.03,
        decay=0.55,
        damping=0.6,
        hisses=(Hiss(2000, 9000, 0.15, 0.005),),
    ),
    "vibraphone": Instrument(
        (drawbars(1, 0, 0.02, 0.26, 0, 0, 0, 0, 0, 0.07),),
        attack=0.002,
        release=0.3,
        decay=1.3,
        damping=1.0,
        hisses=(Hiss(1200, 7000, 0.06, 0.006),),
    ),
    "harp": Instrument(
        (shaped(plucked(0.4, 1.5), peaks((300, 3, 1.5))),),
        release=0.3,
        decay=1.3,
        damping=1.8,
        hisses=(Hiss(1000, 6000, 0.06, 0.008),),
    ),
}
