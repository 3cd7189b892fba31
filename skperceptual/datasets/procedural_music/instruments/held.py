"""Instruments that are bowed, blown or sung, and organs: notes last as long as they are held."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.instruments.instrument import Hiss, Instrument
from skperceptual.datasets.procedural_music.spectra import (
    drawbars,
    falling,
    lowpass,
    peaks,
    shaped,
    vowel,
)

_VIOLIN_BODY = peaks((290, 4, 0.5), (460, 5, 0.6), (1100, -3, 0.8), (2600, 8, 1.5))
_SOPRANO = shaped(falling(0.95), lowpass(9000, 1))
_TENOR = shaped(falling(1.0), lowpass(8000, 1))
_VOWELS = (
    vowel((760, 0), (1230, -4), (2750, -8), (3500, -9), (4700, -18)),  # a
    vowel((480, 0), (1850, -6), (2600, -8), (3600, -10), (4900, -19)),  # e
    vowel((520, 0), (920, -4), (2650, -12), (3400, -13), (4700, -22)),  # o
    vowel((350, 0), (2150, -8), (2900, -8), (3700, -10), (5000, -18)),  # i
)

HELD: dict[str, Instrument] = {
    "violin": Instrument(
        (shaped(falling(0.95), _VIOLIN_BODY, lowpass(7500, 1)),),
        attack=0.07,
        release=0.12,
        bloom=0.05,
        vibrato_cents=17,
        scoop_cents=18,
        hisses=(Hiss(2500, 14000, 0.035),),
    ),
    "fiddle": Instrument(
        (shaped(falling(0.9), _VIOLIN_BODY, lowpass(9000, 1)),),
        attack=0.03,
        release=0.06,
        vibrato_cents=9,
        scoop_cents=45,
        hisses=(Hiss(2500, 14000, 0.05),),
    ),
    "cello": Instrument(
        (
            shaped(
                falling(1.05), peaks((165, 5, 0.6), (205, 4, 0.5), (1800, 5, 1.5)), lowpass(4500)
            ),
        ),
        attack=0.08,
        release=0.15,
        bloom=0.05,
        vibrato_cents=13,
        scoop_cents=12,
        hisses=(Hiss(1800, 11000, 0.03),),
    ),
    "string section": Instrument(
        (shaped(falling(1.0), _VIOLIN_BODY, lowpass(6500, 1)),),
        attack=0.14,
        release=0.3,
        players=7,
        hisses=(Hiss(3000, 13000, 0.022),),
    ),
    "flute": Instrument(
        (shaped(drawbars(1, 0.5, 0.18, 0.07, 0.03, 0.015, 0.008), peaks((900, 3, 1.5))),),
        attack=0.05,
        release=0.08,
        bloom=0.04,
        vibrato_cents=14,
        hisses=(Hiss(900, 11000, 0.055),),
    ),
    "clarinet": Instrument(
        (shaped(falling(1.0, even=0.12), peaks((1600, 3, 1.3)), lowpass(4500, 2)),),
        attack=0.04,
        release=0.07,
        bloom=0.03,
        vibrato_cents=4,
        hisses=(Hiss(1500, 9000, 0.02),),
    ),
    "saxophone": Instrument(
        (
            shaped(
                falling(0.75),
                peaks((480, 5, 1.2), (1300, 6, 1.2), (2700, 3, 1.2)),
                lowpass(6500, 2),
            ),
        ),
        attack=0.03,
        release=0.08,
        bloom=0.03,
        vibrato_cents=18,
        scoop_cents=45,
        hisses=(Hiss(1500, 11000, 0.07),),
    ),
    "muted trumpet": Instrument(
        (shaped(falling(0.6), peaks((1700, 8, 1.3), (3200, 6, 1.2)), lowpass(9000, 2)),),
        attack=0.025,
        release=0.06,
        bloom=0.02,
        vibrato_cents=10,
        scoop_cents=25,
        hisses=(Hiss(2000, 12000, 0.03),),
    ),
    "trumpet": Instrument(
        (shaped(falling(0.7), peaks((1250, 6, 1.6)), lowpass(5500, 2)),),
        attack=0.022,
        release=0.06,
        bloom=0.035,
        vibrato_cents=8,
        scoop_cents=20,
        hisses=(Hiss(2000, 10000, 0.025),),
    ),
    "horn section": Instrument(
        (shaped(falling(0.75), peaks((900, 5, 1.4), (2400, 3, 1.4)), lowpass(6000, 2)),),
        attack=0.025,
        release=0.07,
        bloom=0.02,
        players=4,
        hisses=(Hiss(2000, 11000, 0.03),),
    ),
    "harmonica": Instrument(
        (shaped(falling(0.7, even=0.8), peaks((1000, 4, 1.2), (2700, 6, 1.4)), lowpass(7000, 2)),),
        attack=0.03,
        release=0.06,
        vibrato_cents=12,
        vibrato_hz=5.9,
        scoop_cents=60,
        hisses=(Hiss(1500, 10000, 0.06),),
    ),
    "accordion": Instrument(
        (shaped(falling(0.8), peaks((800, 3, 1.5)), lowpass(5000, 2)),),
        attack=0.03,
        release=0.06,
        players=2,
        hisses=(Hiss(1500, 9000, 0.03),),
    ),
    "organ": Instrument(
        (drawbars(0.8, 1.0, 0.65, 0.5, 0.1, 0.3, 0.08, 0.22),),
        attack=0.006,
        release=0.04,
        players=2,
        hisses=(Hiss(2000, 9000, 0.10, 0.006),),
    ),
    "high voice": Instrument(
        tuple(shaped(_SOPRANO, mouth) for mouth in _VOWELS),
        attack=0.045,
        release=0.09,
        bloom=0.03,
        vibrato_cents=28,
        vibrato_hz=5.6,
        scoop_cents=70,
        hisses=(Hiss(2500, 13000, 0.05), Hiss(4000, 14000, 0.22, 0.025)),
    ),
    "low voice": Instrument(
        tuple(shaped(_TENOR, mouth) for mouth in _VOWELS),
        attack=0.04,
        release=0.08,
        bloom=0.03,
        vibrato_cents=24,
        vibrato_hz=5.2,
        scoop_cents=80,
        hisses=(Hiss(2000, 12000, 0.05), Hiss(3500, 13000, 0.22, 0.025)),
    ),
    "choir": Instrument(
        tuple(shaped(falling(1.0), mouth) for mouth in _VOWELS[:3:2]),
        attack=0.12,
        release=0.3,
        players=7,
        hisses=(Hiss(2500, 12000, 0.03),),
    ),
}
