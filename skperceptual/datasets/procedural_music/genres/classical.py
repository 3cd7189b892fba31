"""Classical: a melody, a second voice, a cello and a keyboard or strings, without drums."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Lead, Line, Style

STYLE = Style(
    tempo=(66, 116),
    beats_per_bar=(4, 3),
    modes=("major", "minor"),
    progressions=(
        ("I IV V I", "I vi ii V", "I V vi iii IV I ii V", "I ii7 V7 I", "I V7 I IV,V7"),
        ("i iv V i", "i bVI iv V", "i V i iv,V", "i bVII bIII bVI iv i V i"),
    ),
    form="verse8 chorus8 bridge8 verse8 chorus8",
    bass=(
        Line(
            ("cello",),
            ("1--- ---- ---- ----", "1--- ---- 5--- ----", "1--- 3--- 5--- 3---"),
            -15,
            45,
            pan=0.3,
            send_db=-9,
        ),
        Line(
            ("piano",),
            ("1... .... 5... ....", "1... .... .... ...."),
            -15,
            43,
            rings=True,
            send_db=-9,
        ),
    ),
    chords=(
        Line(
            ("piano", "harp"),
            (
                "1.3. 2.3. 1.3. 2.3.",
                "1234 3234 1234 3234",
                "..x. ..x. ..x. ..x.",
                "1.2. 3.4. 5.4. 3.2.",
            ),
            -16,
            60,
            n_notes=5,
            pan=-0.15,
            rings=True,
            send_db=-9,
        ),
        Line(
            ("string section",),
            ("x--- ---- ---- ----", "x--- ---- x--- ----"),
            -20,
            62,
            n_notes=3,
            pan=0.55,
            doubled=True,
            gate=1.0,
            send_db=-9,
            sections=("chorus", "bridge"),
        ),
    ),
    leads=(
        Lead(
            ("violin", "flute", "clarinet"),
            ("x---", "x-x-", "x--x", "----", "xxxx", "x-xx"),
            -13,
            64,
            86,
            pan=-0.35,
            send_db=-8,
            sections=("verse", "chorus"),
        ),
        Lead(
            ("clarinet", "string section", "cello"),
            ("----", "x---", "----", "x-x-"),
            -18,
            55,
            69,
            pan=0.35,
            send_db=-8,
            sections=("chorus", "bridge"),
        ),
    ),
    timing_seconds=0.012,
    rooms=("hall",),
    level_db=-12.5,
)
