"""Jazz: a swinging ride cymbal, a walking bass, chords that answer a soloist."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(112, 190),
    swing=(0.58, 0.66),
    modes=("major", "dorian"),
    progressions=(
        (
            "Imaj7 vi7 ii7 V7",
            "ii7 V7 Imaj7 VI7",
            "Imaj7 VI7 ii7 V7 iii7 VI7 ii7 V7",
            "Imaj9 bVII9 iii7,vi7 ii9,V13",
        ),
        ("i7 i7 IV9 i7", "i7 ii7,bII7", "im9 iv9 bVII13 V7"),
    ),
    form="verse16 chorus16 bridge16 verse16",
    grooves=(
        Groove(
            {
                "ride": "x... x.x. x... x.x.",
                "pedal hat": ".... x... .... x...",
                "soft kick": "o... o... o... o...",
                "brush tap": ".... ..o. .... ..o.",
            }
        ),
        Groove(
            {
                "brush sweep": "x... x... x... x...",
                "brush tap": "..o. x... ..o. x.o.",
                "pedal hat": ".... x... .... x...",
                "soft kick": "x... .... o... ....",
            }
        ),
        Groove(
            {
                "ride": "x... x.x. x... x.x.",
                "pedal hat": ".... x... .... x...",
                "soft kick": "o... ..o. .... ....",
                "snare": "..o. .... o... ..o.  .... o.o. .... .o..",
            }
        ),
    ),
    fills=(
        Groove(
            {
                "ride": "x... x.x. x... ....",
                "snare": ".... ..o. x.o. x.xx",
                "soft kick": "x... .... ..x. ..x.",
            }
        ),
    ),
    bass=(Line(("upright bass",), ("w--- w--- w--- w---",), -10, 40, gate=0.97, send_db=-20),),
    chords=(
        Line(
            ("piano", "clean guitar", "vibraphone"),
            (
                "...- ..x- .... x-..  ..x- .... ..x- ----",
                "x--. ..x. .... ....  .... x--- ..x. ....",
                "..x- .... ..x- ....  x--- ..x. .... ..x-",
            ),
            -16,
            59,
            pan=-0.35,
            gate=0.85,
        ),
    ),
    leads=(
        Lead(
            ("saxophone", "trumpet", "muted trumpet"),
            ("x-x-", "x-x-", "x---", "..x-", "xxx-", "----", "...."),
            -13,
            60,
            79,
            pan=0.15,
            leap=3,
        ),
        Lead(
            ("piano", "vibraphone", "clarinet"),
            ("x-x-", "xxx-", "x-xx", "..x-", "x---", "...."),
            -14,
            62,
            84,
            pan=-0.1,
            leap=3,
            sections=("bridge",),
        ),
    ),
    drums_db=2.0,
    timing_seconds=0.010,
    rooms=("club",),
    level_db=-8.0,
)
