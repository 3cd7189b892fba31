"""Funk: slapped sixteenths, ghost notes, scratched guitar, horns."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import SONG_FORM, Groove, Lead, Line, Style

STYLE = Style(
    tempo=(94, 114),
    swing=(0.5, 0.57),
    swung=16,
    modes=("dorian", "mixolydian"),
    progressions=(
        ("i7 i7 i7 IV9", "i9 IV9 i9 IV9", "i7 i7 bVII7 IV9"),
        ("I9 I9 I9 I9", "I9 I9 IV9 IV9", "I9 bVII9 IV9 I9"),
    ),
    form=SONG_FORM,
    grooves=(
        Groove(
            {
                "kick": "X..x ..x. ..x. .x..",
                "snare": ".... X..o .o.. X..o",
                "closed hat": "xoxo xoxo xoxo xo.o",
                "open hat": ".... .... .... ..x.",
            }
        ),
        Groove(
            {
                "kick": "X.x. ...x .xx. ....",
                "snare": "...o X.o. .o.o X.o.",
                "closed hat": "x.xo x.xo x.xo x.xo",
                "tambourine": ".... x... .... x...",
            }
        ),
    ),
    fills=(
        Groove({"kick": "X..x ..x. .... ....", "snare": "...o X..o xx.x xXxX"}),
        Groove(
            {
                "kick": "X..x ..x. x..x ..x.",
                "snare": ".... X... .xx. XxXx",
                "high tom": ".... .... x..x ....",
            }
        ),
    ),
    bass=(
        Line(
            ("slap bass",),
            (
                "1..g 8.g1 ..7. 8.g.",
                "1.g1 .g8. g.57 .8g.",
                "1..1 .8.g 1.g7 .5.7  1..1 .8.g ..31 ..5a",
            ),
            -8,
            40,
            gate=0.7,
            send_db=-26,
        ),
    ),
    chords=(
        Line(
            ("skank guitar", "muted guitar"),
            ("d.dx d.dd xdd. ddxd", "ddxd .dxd ddxd .xdd"),
            -18,
            64,
            n_notes=3,
            pan=-0.55,
            gate=0.6,
        ),
        Line(
            ("clavinet", "electric piano"),
            ("x..x ..x. .x.. x.x.", ".x.x ..xx ..x. .x.."),
            -18,
            60,
            pan=0.5,
            gate=0.7,
        ),
        Line(
            ("horn section",),
            (
                "...x .... ..x. ....  .... .... .x.x x---",
                "x... ..x- .... ....  ...x .x.x ---. ....",
            ),
            -16,
            67,
            n_notes=3,
            pan=0.25,
            gate=0.7,
            send_db=-10,
            sections=("chorus",),
        ),
    ),
    leads=(
        Lead(
            ("low voice", "high voice", "saxophone"),
            ("x-x.", ".xx-", "x..x", "....", "x---", "xx.x"),
            -13,
            58,
            74,
            scale="minor pentatonic",
            gate=0.8,
        ),
    ),
    drums_db=1.0,
    timing_seconds=0.005,
    rooms=("studio",),
    level_db=-4.0,
)
