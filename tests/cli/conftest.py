"""Recordings and tables as small as metrics allow."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skperceptual import save_audio
from skperceptual.cli import main

SR = 16000
SECONDS = 1.12  # 65 frames, what the largest pyramid needs


@pytest.fixture
def read_scores():
    """Give a function that reads a table with all digits, of which pandas may lose the last."""

    def read(source) -> pd.DataFrame:
        table = pd.read_csv(source, dtype=str)
        for name in table:
            with contextlib.suppress(ValueError):  # words
                table[name] = table[name].map(float)
        return table

    return read


@pytest.fixture
def make_sound(rng):
    """Give a function that makes noise that comes and goes, so that frames and bands differ."""

    def make_noise(seconds: float = SECONDS) -> np.ndarray:
        times = np.arange(round(seconds * SR)) / SR
        noise = np.cumsum(rng.normal(size=len(times)))
        noise -= np.convolve(noise, np.ones(64) / 64, mode="same")
        return 0.2 * noise / np.abs(noise).max() * (1.2 + np.sin(2 * np.pi * 3.3 * times))

    return make_noise


@pytest.fixture
def sounds(tmp_path, rng, make_sound) -> Path:
    """A folder with two references, degraded versions of them, and files that are no use."""
    for name in ("one", "two"):
        clean = make_sound()
        save_audio(tmp_path / f"{name}.wav", clean, SR)
        for gain in (1, 2, 3):
            noise = 0.001 * gain * rng.normal(size=len(clean))
            save_audio(tmp_path / f"{name}_{gain}.wav", clean + noise, SR)
    late = np.concatenate([np.zeros(480), clean])
    save_audio(tmp_path / "two_late.wav", late, SR)
    save_audio(tmp_path / "two_short.wav", clean[:2000], SR)
    save_audio(tmp_path / "silent.wav", 0 * clean, SR)
    whole = (tmp_path / "two.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.wav").write_text("no audio", encoding="utf-8")
    return tmp_path


@pytest.fixture
def table(sounds) -> Path:
    """A table of six pairs, with columns of its own in an order of its own."""
    lines = [
        f'{gain},{name}_{gain}.wav,{name}.wav,"a, ""b"""'
        for name in ("one", "two")
        for gain in (1, 2, 3)
    ]
    path = sounds / "pairs.csv"
    path.write_text("\n".join(["gain,degraded,reference,remark", *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def run(capsys):
    """Run the command; give its exit status and what it printed."""

    def run_command(*arguments):
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            status = stopped.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_command
