"""Simulated rated music as the files that a user might have: audio and a table."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch

from skperceptual.io import save_audio


def write_rated_music(folder: Path, music: Bunch) -> pd.DataFrame:
    """Write clips as WAV files, and a table of their simulated ratings.

    Parameters
    ----------
    folder : Path
        Where to write: WAV files into ``audio``, the table to ``simulated_ratings.csv``. It is
        made where it is missing; files of these names are replaced.
    music : Bunch
        What :func:`skperceptual.datasets.make_rated_music` gave.

    Returns
    -------
    DataFrame
        The table as it was written: the columns ``reference`` and ``degraded``, names relative
        to the folder, before those of ``music.frame``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skperceptual.datasets import load_rated_pairs, make_rated_music
    >>> from skperceptual.demo import write_rated_music
    >>> music = make_rated_music(n_songs=1, clips_per_song=1, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = write_rated_music(Path(folder), music)
    ...     data = load_rated_pairs(
    ...         Path(folder, "simulated_ratings.csv"), rating="simulated_rating"
    ...     )
    >>> table["reference"][0]
    'audio/acoustic-1_0_original.wav'
    >>> len(data.pairs)
    4
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    names = []
    for row, (reference, degraded) in zip(music.frame.itertuples(), music.pairs, strict=True):
        clip = f"audio/{_file_name(str(row.song))}_{row.clip}"
        names.append((f"{clip}_original.wav", f"{clip}_{row.condition}-{row.intensity:.0f}.wav"))
        # Noise may exceed full scale, which only floating point keeps as it is.
        for name, signal in zip(names[-1], (reference, degraded), strict=True):
            save_audio(folder / name, signal, music.sr, subtype="FLOAT")
    files = pd.DataFrame(names, columns=["reference", "degraded"], index=music.frame.index)
    table = pd.concat([files, music.frame], axis=1)
    table.to_csv(folder / "simulated_ratings.csv", index=False)
    return table


def _file_name(song: str) -> str:
    """Leave letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", song.lower())
