"""Electronica and dance: four to the floor, off-beat bass, pads that give way to the kick."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(120, 132),
    modes=("minor", "dorian"),
    progressions=(
        ("i bVI bIII bVII", "i i bVI bVII", "i9 bVImaj7 iv9 v7"),
        ("i9 IV9 i9 IV9", "i7 bVII IV i7"),
    ),
    form="intro8 verse8 chorus16 bridge8 chorus16 verse8",
    grooves=(
        Groove(
            {
                "dance kick": "X... X... X... X...",
                "clap": ".... x... .... x...",
                "open hat": "..x. ..x. ..x. ..x.",
                "tight hat": "xoox xoox xoox xoox",
            }
        ),
        Groove(
            {
                "dance kick": "X... X... X... X..x",
                "clap": ".... x... .... x..o",
                "open hat": "..x. ..x. ..x. ..x.",
                "shaker": "xoxo xoxo xoxo xoxo",
                "rim": "...o ..o. .o.. ..o.",
            }
        ),
    ),
    fills=(
        Groove({"dance kick": "X... X... X... ....", "clap": ".... x... x.x. xxxx"}),
        Groove({"dance kick": "X... X... .... ....", "snare": "o.o. o.o. x.x. xxXX"}),
    ),
    bass=(
        Line(
            ("synth bass",),
            ("..1. ..1. ..1. ..1.", "..11 ..11 ..18 ..11", "1..1 ..1. .1.. 1.8."),
            -9,
            38,
            gate=0.85,
            ducked=0.6,
            send_db=-30,
        ),
    ),
    chords=(
        Line(
            ("bright pad", "warm pad"),
            ("x--- ---- ---- ----",),
            -17,
            60,
            pan=0.75,
            doubled=True,
            gate=1.0,
            ducked=0.75,
        ),
        Line(
            ("saw stab",),
            ("x..x ..x. ..x. ....", "..x. .x.. x..x ..x."),
            -18,
            63,
            pan=0.5,
            doubled=True,
            gate=0.7,
            ducked=0.4,
            sections=("chorus",),
        ),
        Line(
            ("synth pluck",),
            ("1324 3142 1324 4231", "1.2. 3.4. 3.2. 4.3."),
            -19,
            72,
            pan=-0.3,
            gate=0.8,
            ducked=0.3,
            send_db=-8,
            sections=("intro", "verse", "bridge"),
        ),
    ),
    leads=(
        Lead(
            ("synth lead", "high voice", "glass bell"),
            ("x---", "x-x-", "..x-", "x..x", "...."),
            -15,
            64,
            81,
            scale="minor pentatonic",
            send_db=-8,
            sections=("chorus",),
        ),
    ),
    timing_seconds=0.0005,
    rooms=("plate",),
    level_db=-3.0,
)
