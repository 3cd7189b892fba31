"""Latin: a clave, congas, an anticipating bass and a piano montuno."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(88, 108),
    modes=("minor", "major"),
    progressions=(
        ("i iv V7 i", "i bVII bVI V7", "i i V7 V7", "im6 iv7 V7 im6"),
        ("I IV V7 IV", "I vi ii V7", "I7 IV V7 I"),
    ),
    form="intro4 verse8 chorus8 verse8 chorus8 bridge8",
    grooves=(
        Groove(
            {
                "clave": "x..x ..x. ..x. x...",
                "conga slap": "..o. x..o ..o. x..o",
                "conga low": ".... ..xx .... ..xx",
                "conga high": "o... .... o... ....",
                "timbale": "x.o. xx.o .xo. x.xo",
                "cowbell": "X... x... X... x...",
            }
        ),
        Groove(
            {
                "clave": "..x. x... x..x ..x.",
                "conga slap": ".... x... ...x x...",
                "conga high": "x.o. ..x. x.o. ....",
                "conga low": ".... ...x .... ..xx",
                "shaker": "xoxo xoxo xoxo xoxo",
                "guiro": "x--. x.x. x--. x.x.",
                "soft kick": "x..x x..x x..x x..x",
            }
        ),
    ),
    fills=(
        Groove(
            {
                "timbale": "x..x ..x. xxxx X.X.",
                "clave": "x..x ..x. ..x. x...",
                "conga low": ".... ..xx .... x.xx",
            }
        ),
    ),
    bass=(
        Line(
            ("upright bass", "finger bass"),
            ("1--. ..5- -.-. 8---", "1--5 --8- 1--5 --8-", "...1 --5- ...8 --5-"),
            -9,
            40,
            gate=0.9,
        ),
    ),
    chords=(
        Line(
            ("piano",),
            ("x.2x .2x. 2x.2 x.2x", "x.x3 .x3. x3.x .3x.", "1.x2 .x1. x2.x 1.x."),
            -14,
            67,
            pan=-0.3,
            gate=0.8,
        ),
        Line(
            ("nylon guitar", "horn section"),
            ("x..x ..x. ..x. x...", "...x .... ..x. ..x."),
            -18,
            62,
            n_notes=4,
            pan=0.45,
            strum_seconds=0.012,
            gate=0.75,
            sections=("chorus", "bridge"),
        ),
    ),
    leads=(
        Lead(
            ("trumpet", "high voice", "flute", "accordion"),
            ("x-x-", ".x-x", "x--x", "..x-", "----", "x.x.", "...."),
            -13,
            60,
            79,
            pan=0.1,
            send_db=-11,
            sections=("verse", "chorus", "bridge"),
        ),
    ),
    drums_db=3.0,
    timing_seconds=0.006,
    rooms=("club", "studio"),
    level_db=-5.0,
)
