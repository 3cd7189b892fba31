"""What the encoder is trained on: recordings whose licences allow it, and sounds from a seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from speech_like import make_speech_like

from skperceptual import load_audio
from skperceptual.datasets import make_music

LISTING = Path(__file__).with_name("training_files.csv")
SR = 16000
SECONDS = 3.0
LICENCES = ("cc0", "pd", "cc-by", "mit", "permissive")
# Notes of a cello last a second or two and there are hundreds: every tenth one.
NOTE_STEP = 10


def list_recordings(folder: Path) -> pd.DataFrame:
    """List the recordings that may be used to train what is given away, with their hashes."""
    tables = []
    for kind in ("music", "speech", "cello"):
        table = pd.read_csv(folder / kind / "manifest.csv")
        table = table[table["licence_class"].isin(LICENCES)]
        if kind == "cello":
            phrases = table[table["kind"] == "phrase"]
            table = pd.concat([phrases, table[table["kind"] == "note"].iloc[::NOTE_STEP]])
        tables.append(
            pd.DataFrame(
                {
                    "file": [f"{kind}/{file}" for file in table["file"]],
                    "kind": kind,
                    "artist": table.get("artist", table.get("speaker", table.get("instrument_id"))),
                    "licence": table["licence"],
                    "licence_class": table["licence_class"],
                    "source": table["source_repo"],
                    "original_path": table["original_path"],
                }
            )
        )
    files = pd.concat(tables, ignore_index=True)
    files["sha256"] = [
        hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files["file"]
    ]
    return files


def read_recordings(folder: Path, files: pd.DataFrame) -> NDArray[np.float32]:
    """Read the recordings in mono at the encoder's rate, cut or repeated to one length."""
    return np.stack([fit_length(load_audio(folder / file, sr=SR)[0]) for file in files["file"]])


def fit_length(clip: NDArray) -> NDArray:
    """Take the middle of a long clip; repeat a short one, a twentieth of a second between."""
    n_times = round(SECONDS * SR)
    if len(clip) < n_times:
        spaced = np.append(clip, np.zeros(SR // 20, dtype=clip.dtype))
        return np.resize(spaced, n_times)
    start = (len(clip) - n_times) // 2
    return clip[start : start + n_times]


def make_sounds(n_music: int, n_speech: int, random_state: int) -> NDArray[np.float32]:
    """Make music and sounds like speech from a seed."""
    music = make_music(
        n_songs=n_music, duration_seconds=SECONDS, sr=SR, random_state=random_state
    ).signals
    speech = make_speech_like(n_speech, duration_seconds=SECONDS, sr=SR, random_state=random_state)
    return np.concatenate([music, speech])


def check_hashes(folder: Path, files: pd.DataFrame) -> None:
    """Refuse recordings that are not the ones that were listed."""
    for file, listed in zip(files["file"], files["sha256"], strict=True):
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != listed:
            raise ValueError(f"{file} is not the recording that training_files.csv lists.")


def clean_clips(folder: Path | None, random_state: int) -> NDArray[np.float32]:
    """Give all clean clips: recordings and sounds from a seed, or the latter alone."""
    if folder is None:
        return make_sounds(78, 52, random_state)
    files = pd.read_csv(LISTING)
    check_hashes(folder, files)
    recordings = read_recordings(folder, files)
    return np.concatenate([recordings, make_sounds(26, 13, random_state)])
