"""Hip hop: a lazy boom-bap, a deep bass, chords as from an old record."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Groove, Lead, Line, Style

STYLE = Style(
    tempo=(80, 98),
    swing=(0.56, 0.62),
    swung=16,
    modes=("minor", "dorian"),
    progressions=(
        ("i9 bVImaj7", "i7 iv7", "i9 bVII9 bVImaj7 v7", "im7 bVImaj7 iv7 v7"),
        ("i9 IV9", "ii9 i9"),
    ),
    form="intro4 verse16 chorus8 verse16 chorus8",
    grooves=(
        Groove(
            {
                "kick": "X..x .... ..xx ....",
                "fat snare": ".... X... .... X..o",
                "closed hat": "x.x. x.x. x.x. x.xo",
                "crackle": ".o.. ..o. o... .o.o",
            }
        ),
        Groove(
            {
                "kick": "X.x. ...x .x.. ..x.",
                "fat snare": ".... X... .... X...",
                "tight hat": "xoxo x.xo xoxo x.xx",
                "crackle": "..o. o... ..oo ....",
            }
        ),
        Groove(
            {
                "808 kick": "X... ..x. ..x. ....",
                "clap": ".... X... .... X...",
                "tight hat": "x.xx x.xo xxxo x.xx",
            }
        ),
    ),
    fills=(
        Groove({"kick": "X..x .... .... ....", "fat snare": ".... X... ..x. X.xx"}),
        Groove({"808 kick": "X... ..x. .... ....", "clap": ".... X... .... x.xx"}),
    ),
    bass=(
        Line(
            ("sub bass",),
            ("1--- ...1 --1- ....", "1--1 .... 1--- ..5-", "1--- ---. ..1- --7-"),
            -7,
            36,
            send_db=-40,
        ),
    ),
    chords=(
        Line(
            ("electric piano", "piano", "vibraphone"),
            ("x--- ---x ---- ----", "x..x ---- ..x- ----", "x--- ..x- .x-- ...."),
            -15,
            60,
            pan=-0.2,
            strum_seconds=0.012,
        ),
        Line(
            ("warm pad", "string section"),
            ("x--- ---- ---- ----",),
            -22,
            64,
            n_notes=3,
            pan=0.6,
            doubled=True,
            gate=1.0,
            sections=("chorus",),
        ),
    ),
    leads=(
        Lead(
            ("low voice",),
            ("xxx.", "x.xx", ".xxx", "x-x.", "xx.x", "...."),
            -13,
            47,
            57,
            scale="minor pentatonic",
            gate=0.75,
            leap=1,
            send_db=-18,
            sections=("verse",),
        ),
        Lead(
            ("flute", "glass bell", "high voice", "muted trumpet"),
            ("x---", "x-x-", "----", "....", "..x-"),
            -15,
            65,
            82,
            scale="minor pentatonic",
            pan=0.2,
            sections=("intro", "chorus"),
        ),
    ),
    drums_db=2.0,
    timing_seconds=0.005,
    rooms=("studio",),
    level_db=-4.0,
)
