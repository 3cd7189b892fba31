"""Reggae: the bass leads, guitar and organ stay off the beat, the drum falls on the second."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(68, 84),
    swing=(0.54, 0.60),
    swung=16,
    modes=("major", "minor"),
    progressions=(
        ("I IV I V", "I vi ii V", "I ii I ii", "I V vi IV"),
        ("i iv i iv", "i bVII i bVII", "i bVI bVII i"),
    ),
    form="intro4 verse8 chorus8 verse8 bridge4 chorus8",
    grooves=(
        Groove(
            {
                "kick": ".... X... .... X...",
                "rim": ".... x..o .... x.o.",
                "closed hat": "x.xo x.xo x.xo x.xo",
            }
        ),
        Groove(
            {
                "kick": "x... X... x... X...",
                "snare": ".... x... .... x...",
                "tight hat": "xoxo xoxo xoxo xoxo",
                "open hat": ".... .... .... ..x.",
            }
        ),
        Groove(
            {
                "kick": ".... X... .... X...",
                "rim": "...o x... ..o. x...",
                "closed hat": "..x. ..x. ..x. ..xo",
                "conga high": "x.o. ..x. o... .xx.",
            }
        ),
    ),
    fills=(
        Groove(
            {
                "high tom": ".... .... xxx. x...",
                "low tom": ".... .... .... .xx.",
                "kick": ".... X... .... ....",
            }
        ),
        Groove({"rim": ".... x... x.xx .xx.", "kick": ".... X... .... ...x"}),
    ),
    bass=(
        Line(
            ("dub bass",),
            (
                "1... 1.3. 5--- ....",
                "1--. ..1. 5.3. 1...",
                "..1. 1--- ..5. 8-5-",
                "1.1. 3-5- .... ..5-",
            ),
            -8,
            38,
            gate=0.9,
            send_db=-40,
        ),
    ),
    chords=(
        Line(
            ("skank guitar",),
            ("..X. ..x. ..X. ..x.", "..Xo ..x. ..Xo ..x."),
            -11,
            64,
            n_notes=3,
            pan=-0.45,
            strum_seconds=0.006,
            gate=0.75,
            send_db=-12,
        ),
        Line(
            ("organ",),
            (".ox. .ox. .ox. .ox.", "..xo ..xo ..xo ..xo"),
            -20,
            62,
            n_notes=3,
            pan=0.4,
            gate=0.8,
        ),
        Line(
            ("piano",),
            ("..x. ..x. ..x. ..x.",),
            -20,
            60,
            n_notes=3,
            pan=0.15,
            gate=0.7,
            sections=("chorus",),
        ),
    ),
    leads=(
        Lead(
            ("low voice", "high voice"),
            ("x-x-", ".xx-", "x---", "....", "..xx", "----"),
            -12,
            57,
            73,
            scale="major pentatonic",
            send_db=-9,
        ),
        Lead(
            ("horn section", "harmonica", "muted trumpet"),
            ("x---", "x-x-", "..x-", "....", "----"),
            -16,
            62,
            77,
            pan=0.25,
            send_db=-8,
            sections=("intro", "bridge"),
        ),
    ),
    drums_db=2.5,
    timing_seconds=0.007,
    rooms=("plate", "club"),
    level_db=-5.5,
)
