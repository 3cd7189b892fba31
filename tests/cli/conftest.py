"""Recordings and tables as small as metrics allow."""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser
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


# ---- evaluate -----------------------------------------------------------------------------

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart; end tags that belong to no start tag fail."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inside: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.answered: list[str] = []
        self.answering = False
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.answering = self.answering or ("class", "answer") in attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("h2", "p"):
            self.answered.append(" " * self.answering)
        self.answering = self.answering and tag != "section"

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
            self.answered += [data] if self.answering else []
            self.inside.append((tuple(self.open), data))

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    @property
    def answer(self) -> str:
        """The section that comes first."""
        return " ".join("".join(self.answered).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def report(tmp_path) -> Path:
    return tmp_path / "report"


@pytest.fixture
def page(report):
    """Give a function that reads the report."""
    return lambda name="report.html": Page((report / name).read_text(encoding="utf-8"))


@pytest.fixture
def ratings(rng) -> pd.DataFrame:
    """Ratings of 15 songs in four versions each, and scores that agree well, less, and not."""
    n = 60
    rating = np.round(3 + rng.normal(size=n), 3)
    return pd.DataFrame(
        {
            "rating": rating,
            "song": np.repeat([f"song {k}" for k in range(15)], 4),
            "codec": np.tile(["mp3", "opus"], 30),
            "good": rating + 0.3 * rng.normal(size=n),
            "fair": -rating + 1.2 * rng.normal(size=n),
            "noise": rng.normal(size=n),
        }
    )


@pytest.fixture
def judge(run, tmp_path, report, page):
    """Give a function that writes a table, judges it, and reads the report."""

    def judge_table(frame, *arguments, name="ratings.csv", status=0):
        frame.to_csv(tmp_path / name, index=False)
        found, out, err = run("evaluate", tmp_path / name, *arguments, "-o", report)
        assert (found, out) == (status, ""), err
        return page() if status == 0 else err

    return judge_table


@pytest.fixture
def rated_sounds(sounds) -> Path:
    rows = ["one.wav,one_1.wav,4.5", "one.wav,one_2.wav,3.5", "one.wav,one_3.wav,1.5"]
    rows += ["two.wav,two_1.wav,5.0", "two.wav,two_2.wav,2.5", "two.wav,two_3.wav,2.0"]
    path = sounds / "rated.csv"
    text = "\n".join(["reference,degraded,rating", *rows, "one.wav,one.wav,5", "two.wav,,", ""])
    path.write_text(text, encoding="utf-8")
    return path
