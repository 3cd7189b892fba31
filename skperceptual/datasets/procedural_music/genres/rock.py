"""Rock: power chords on both sides, straight eighths, a heavy backbeat."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import (
    LOUD,
    SONG_FORM,
    TOM_FILLS,
    Groove,
    Lead,
    Line,
    Style,
)

STYLE = Style(
    tempo=(112, 152),
    modes=("minor", "mixolydian"),
    progressions=(
        ("i5 bVI5 bIII5 bVII5", "i5 i5 bVII5 iv5", "i5 bVII5 bVI5 bVII5"),
        ("I5 bVII5 IV5 I5", "I5 I5 IV5 V5", "I5 IV5 bVII5 IV5"),
    ),
    form=SONG_FORM,
    grooves=(
        Groove(
            {
                "kick": "X... ..x. X.x. ....",
                "snare": ".... X... .... X...",
                "closed hat": "x.x. x.x. x.x. x.x.",
            }
        ),
        Groove(
            {
                "kick": "X.x. ..x. ..x. ..x.",
                "snare": ".... X... .... X...",
                "crash": "o... .... .... ....",
                "open hat": "x.x. x.x. x.x. x.x.",
            }
        ),
        Groove(
            {
                "kick": "X.xx ..x. X.x. ..xx",
                "snare": ".... X... .... X..o",
                "ride bell": "x... x... x... x...",
                "ride": "..x. ..x. ..x. ..x.",
            }
        ),
    ),
    fills=TOM_FILLS,
    bass=(
        Line(
            ("picked bass",),
            ("1-1- 1-1- 1-1- 1-1-", "1-1- 1-1- 1-1- 5-7-", "1--1 --1- 1--1 --1-"),
            -9,
            38,
            gate=0.9,
            send_db=-30,
        ),
    ),
    chords=(
        Line(
            ("power guitar",),
            (
                "x-x- x-x- x-x- x-x-",
                "x--x --x- x--x --x-",
                "x--- ---- x-x- x---",
                "x-xx x-xx x-xx x-xx",
            ),
            -10,
            33,
            n_notes=1,
            pan=0.8,
            doubled=True,
            gate=0.92,
            send_db=-20,
        ),
        Line(
            ("crunch guitar", "organ"),
            ("x--- ---- ---- ----", "1-3- 2-3- 1-3- 2-3-"),
            -20,
            62,
            n_notes=3,
            pan=0.2,
            sections=LOUD,
        ),
    ),
    leads=(
        Lead(
            ("low voice", "high voice"),
            ("x-x-", "x---", "x-xx", "----", "....", "..x-"),
            -10,
            57,
            74,
            scale="minor pentatonic",
        ),
        Lead(
            ("lead guitar",),
            ("x-x-", "xxxx", "x---", "----", "xxx-", "..xx"),
            -11,
            62,
            84,
            scale="minor pentatonic",
            pan=0.1,
            sections=("intro", "bridge"),
        ),
    ),
    drums_db=3.0,
    timing_seconds=0.005,
    rooms=("studio", "club"),
    level_db=-6.0,
)
