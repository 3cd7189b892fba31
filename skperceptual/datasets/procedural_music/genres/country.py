"""Country: boom and chick, a train beat, banjo, fiddle and pedal steel."""

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
    tempo=(98, 132),
    modes=("major",),
    progressions=(("I IV V I", "I I IV I V V I I", "I V vi IV", "I IV I V", "IV I V I"),),
    form=SONG_FORM,
    grooves=(
        Groove(
            {
                "kick": "x... .... x... ....",
                "brush tap": "ooXo ooXo ooXo ooXo",
                "pedal hat": "..x. ..x. ..x. ..x.",
            }
        ),
        Groove(
            {
                "kick": "x... ..x. x... ....",
                "snare": ".... X... .... X...",
                "closed hat": "x.x. x.x. x.x. x.x.",
                "brush tap": "..o. ..oo ..o. ..oo",
            }
        ),
    ),
    fills=(Groove({"kick": "x... .... x... ....", "snare": "ooXo ooXo xxXx XxXx"}),),
    bass=(
        Line(
            ("finger bass", "upright bass"),
            (
                "1--. .... 5--. ....",
                "1--- .... 5--- ..a-",
                "1--- .... 5--- ....  1--- .... 5--- 6-7-",
            ),
            -9,
            40,
        ),
    ),
    chords=(
        Line(
            ("steel guitar",),
            (".... x-.o .... x-.o", "..x. x.xo ..x. x.xo"),
            -16,
            58,
            n_notes=5,
            pan=-0.5,
            strum_seconds=0.018,
            gate=0.8,
        ),
        Line(
            ("banjo", "clean guitar"),
            ("1.32 4.32 1.32 4.23", "4.21 4.21 4.23 1.23"),
            -19,
            66,
            n_notes=4,
            pan=0.5,
            rings=True,
            sections=ALL_BUT_INTRO,
        ),
    ),
    leads=(
        Lead(
            ("low voice", "high voice"),
            ("x-x-", "x---", "x-xx", "----", "...."),
            -12,
            55,
            72,
            scale="major pentatonic",
        ),
        Lead(
            ("pedal steel", "fiddle"),
            ("x---", "x-x-", "----", "x-xx"),
            -15,
            64,
            83,
            scale="major pentatonic",
            pan=0.25,
            sections=("intro", "chorus", "bridge"),
        ),
    ),
    rooms=("studio",),
    level_db=-5.5,
)
