"""Rnb and soul: an electric piano, rich chords, a backbeat that lies back, a singer."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import (
    ALL_BUT_INTRO,
    SONG_FORM,
    Groove,
    Lead,
    Line,
    Style,
)

STYLE = Style(
    tempo=(66, 98),
    swing=(0.52, 0.60),
    swung=16,
    modes=("major", "minor"),
    progressions=(
        (
            "IVmaj9 iii7 ii9 Imaj9",
            "ii9 V13 Imaj9 vi9",
            "Imaj9 vi9 ii9 V13",
            "IVmaj7 V7,iii7 vi9 Imaj7",
        ),
        ("i9 iv9 bVIImaj7 bIIImaj7", "i9 bVImaj7 iv9 v7", "im11 iv9"),
    ),
    form=SONG_FORM,
    grooves=(
        Groove(
            {
                "kick": "X... ..x. ..x. ....",
                "fat snare": ".... X... .... X..o",
                "closed hat": "x.xo x.xo x.xo x.xo",
            }
        ),
        Groove(
            {
                "808 kick": "X... ...x ..x. ....",
                "snap": ".... X... .... X...",
                "tight hat": "x.x. x.xx x.xo x.xx",
                "shaker": "xoxo xoxo xoxo xoxo",
            }
        ),
        Groove(
            {
                "kick": "X..x .... ..xx ....",
                "rim": ".... x... .... x.o.",
                "closed hat": "xoxo xoxo xoxo xoxo",
                "tambourine": ".... x... .... x...",
            }
        ),
    ),
    fills=(
        Groove(
            {
                "kick": "X... ..x. .... ....",
                "fat snare": ".... X... ..x. x.xx",
                "high tom": ".... .... .... .x..",
            }
        ),
        Groove({"808 kick": "X... ...x .... ....", "snap": ".... X... x.x. X..."}),
    ),
    bass=(
        Line(
            ("finger bass", "sub bass"),
            ("1--- ..1- 5-.. 8-7-", "1--1 ---. ..5- 7-8-", "1--- ---. ..1- ..a-"),
            -8,
            38,
            send_db=-30,
        ),
    ),
    chords=(
        Line(
            ("electric piano",),
            ("x--- ---- ..x- ----", "x--- ..x- ---- ..x-", "X--- ---x --.. ..x-"),
            -13,
            60,
            n_notes=4,
            pan=-0.25,
            strum_seconds=0.016,
            gate=1.0,
        ),
        Line(
            ("string section", "choir", "warm pad"),
            ("x--- ---- ---- ----",),
            -21,
            66,
            n_notes=3,
            pan=0.65,
            doubled=True,
            gate=1.0,
            sections=("chorus", "bridge"),
        ),
        Line(
            ("clean guitar",),
            ("...x .... ...x ..x.", "..2. 3..4 ..3. 2..."),
            -20,
            66,
            n_notes=3,
            pan=0.5,
            sections=ALL_BUT_INTRO,
        ),
    ),
    leads=(
        Lead(
            ("high voice", "low voice"),
            ("x---", "x-x-", ".xxx", "xxx-", "----", "....", "x-xx"),
            -11,
            59,
            77,
            scale="major pentatonic",
            send_db=-9,
        ),
        Lead(
            ("saxophone", "glass bell", "flute"),
            ("x---", "x-x-", "----", "xxx-", "...."),
            -15,
            64,
            80,
            pan=0.2,
            send_db=-9,
            sections=("intro", "bridge"),
        ),
    ),
    drums_db=1.5,
    timing_seconds=0.008,
    rooms=("plate",),
    level_db=-8.0,
)
