"""Pop: a singer over four chords, with a fuller chorus."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import (
    SONG_FORM,
    TOM_FILLS,
    Groove,
    Lead,
    Line,
    Style,
)

STYLE = Style(
    tempo=(98, 126),
    modes=("major", "minor"),
    progressions=(
        ("I V vi IV", "vi IV I V", "I vi IV V", "IV I V vi", "I iii vi IV"),
        ("i bVI bIII bVII", "i bVII bVI bVII", "bVI bVII i i"),
    ),
    form=SONG_FORM,
    grooves=(
        Groove(
            {
                "kick": "X... ..x. x... ....",
                "snare": ".... X... .... X...",
                "closed hat": "x.x. x.x. x.x. x.x.",
            }
        ),
        Groove(
            {
                "kick": "X..x ..x. ..x. ....",
                "snare": ".... X... .... X...",
                "clap": ".... o... .... o...",
                "tight hat": "xoxo xoxo xoxo xoxo",
                "tambourine": "..x. ..x. ..x. ..x.",
            }
        ),
        Groove(
            {
                "dance kick": "X... x... X... x...",
                "clap": ".... X... .... X...",
                "closed hat": "..x. ..x. ..x. ..xo",
                "shaker": "xoxo xoxo xoxo xoxo",
            }
        ),
    ),
    fills=TOM_FILLS,
    bass=(
        Line(
            ("picked bass", "finger bass", "synth bass"),
            ("1-1- 1-1- 1-1- 1-1-", "1--1 --1- ..1- 5-8-", "1--- ..1- 1--- ..5-"),
            -9,
            38,
            gate=0.85,
            send_db=-28,
        ),
    ),
    chords=(
        Line(
            ("piano", "clean guitar", "steel guitar"),
            ("x--- x--- x--- x---", "x--x --x- --x- ----", "x--- ---- ..x- ----"),
            -16,
            60,
            pan=-0.35,
            strum_seconds=0.008,
        ),
        Line(
            ("synth pluck", "clean guitar"),
            ("1.3. 2.4. 1.3. 2.4.", "..3. 4.2. ..3. 4.2."),
            -20,
            67,
            pan=0.45,
            sections=("verse", "bridge"),
        ),
        Line(
            ("warm pad", "string section", "bright pad"),
            ("x--- ---- ---- ----",),
            -20,
            62,
            n_notes=3,
            pan=0.7,
            doubled=True,
            gate=1.0,
            sections=("intro", "chorus", "bridge"),
        ),
    ),
    leads=(
        Lead(
            ("high voice", "low voice"),
            ("x-x-", "x-xx", "x---", ".xx-", "----", "....", "xxx-"),
            -11,
            60,
            76,
        ),
        Lead(
            ("choir", "synth lead"),
            ("x---", "----", "x-x-", "...."),
            -19,
            64,
            79,
            pan=0.3,
            sections=("chorus", "bridge"),
        ),
    ),
    drums_db=1.0,
    timing_seconds=0.004,
    rooms=("plate", "studio"),
    level_db=-4.5,
)
