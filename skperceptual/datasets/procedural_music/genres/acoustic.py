"""Acoustic: picked guitars and a voice or flute, without drums."""

from __future__ import annotations

from skperceptual.datasets.procedural_music.styles import Lead, Line, Style

STYLE = Style(
    tempo=(78, 116),
    modes=("major", "minor"),
    progressions=(
        ("I V vi IV", "I iii IV V", "Iadd9 IV I V", "vi IV I V", "I ii7 IV I"),
        ("i bVI bIII bVII", "i iv bVII i", "i bVII bVI v"),
    ),
    form="intro4 verse8 chorus8 verse8 bridge4 chorus8",
    bass=(
        Line(
            ("steel guitar",), ("1... .... 5... ....", "1... .... 1... ..5."), -13, 45, rings=True
        ),
        Line(("upright bass",), ("1--- ---- 5--- ----", "1--- ---- ..1- 5---"), -11, 40),
    ),
    chords=(
        Line(
            ("steel guitar", "nylon guitar"),
            (
                "1.3. 2.4. 1.3. 2.4.",
                "1.23 .4.2 1.32 .4.3",
                "x..3 2.43 1.3. 42.3",
                "1.2. 3.4. 5.4. 3.2.",
            ),
            -12,
            59,
            n_notes=5,
            pan=-0.35,
            rings=True,
            strum_seconds=0.03,
            send_db=-16,
        ),
        Line(
            ("steel guitar", "nylon guitar"),
            ("x-.- x-ox .-ox x-ox", "X--- x-x- o-x- x-xo"),
            -17,
            57,
            n_notes=5,
            pan=0.45,
            strum_seconds=0.022,
            send_db=-16,
            sections=("chorus",),
        ),
    ),
    leads=(
        Lead(
            ("high voice", "low voice", "flute", "harmonica"),
            ("x---", "x-x-", "x-xx", "----", "x--x", "...."),
            -13,
            57,
            74,
            send_db=-13,
        ),
        Lead(
            ("nylon guitar", "glass bell"),
            ("x---", "x-x-", "----", "...."),
            -17,
            67,
            84,
            pan=0.3,
            sections=("intro", "bridge"),
        ),
    ),
    timing_seconds=0.008,
    rooms=("studio", "chamber"),
    level_db=-9.0,
)
