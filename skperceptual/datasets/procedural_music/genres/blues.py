"""Blues: twelve bars, a shuffle, blue notes on guitar or harmonica."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(84, 132),
    swing=(0.63, 0.67),
    modes=("mixolydian", "minor"),
    progressions=(
        (
            "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
            "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7,IV7 I7,V7",
        ),
        ("i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 V7",),
    ),
    form="verse12 chorus12 verse12 bridge12 chorus12",
    grooves=(
        Groove(
            {
                "kick": "x... ..x. x... ....",
                "snare": ".... X... .... X...",
                "closed hat": "x.x. x.x. x.x. x.x.",
            }
        ),
        Groove(
            {
                "kick": "x... .... x.x. ....",
                "snare": "..o. X.o. ..o. X..o",
                "ride": "x... x.x. x... x.x.",
                "pedal hat": ".... x... .... x...",
            }
        ),
    ),
    fills=(
        Groove(
            {
                "snare": ".... X.o. x.xx X.xx",
                "kick": "x... .... x... x...",
                "low tom": ".... .... .... ..x.",
            }
        ),
    ),
    bass=(
        Line(
            ("finger bass", "upright bass"),
            (
                "1--- 3--- 5--- 6---  7--- 6--- 5--- 3---",
                "1-1- 3-3- 5-5- 6-5-",
                "w--- w--- w--- w---",
            ),
            -11,
            40,
        ),
    ),
    chords=(
        Line(
            ("crunch guitar", "clean guitar"),
            ("x-.x x-.x x-.x x-.x", "x-x. x-x. x-x. x-x.", "..x- ...- ..x- ...."),
            -17,
            54,
            n_notes=3,
            pan=-0.4,
            strum_seconds=0.01,
            gate=0.8,
        ),
        Line(
            ("organ", "piano", "electric piano"),
            ("x--- ---- ..x- ----", "..x- ..x- ..x- ..x-", "X--. ..x- -... ..x."),
            -19,
            60,
            pan=0.4,
        ),
    ),
    leads=(
        Lead(
            ("blues guitar", "harmonica", "low voice"),
            ("x-x-", "x---", "..x-", "x-xx", "----", "....", "xxx-", "...."),
            -12,
            57,
            77,
            scale="blues",
            leap=2,
        ),
        Lead(
            ("blues guitar", "saxophone"),
            ("x-x-", "xxx-", "x---", "..xx", "...."),
            -12,
            60,
            82,
            scale="blues",
            pan=0.1,
            sections=("bridge",),
        ),
    ),
    drums_db=0.5,
    timing_seconds=0.009,
    rooms=("club", "studio"),
    level_db=-6.5,
)
