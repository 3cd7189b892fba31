"""Songs, degraded versions of them and simulated ratings, as files that a user might have."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt
from sklearn.utils import Bunch

from skperceptual.demo.songs import make_song
from skperceptual.io import save_audio

Signal = NDArray[np.float64]

SR = 16000
# 4.208 s: 256 frames of 1024 samples, 260 apart.
N_TIMES = 67328
SEVERITIES = (0.25, 0.5, 0.75, 1.0)

_BEST_RATING = 4.5
_SONG_SPREAD = 0.25
_RATER_NOISE = 0.3
_LIMITER_SECONDS = 0.01

_DESCRIPTION = """\
Synthesised songs with simulated ratings
----------------------------------------
{n_songs} songs of {seconds:.3f} s at {sr} Hz, each degraded in {n_conditions} ways ({conditions}) \
at {n_severities} strengths: {n_pairs} pairs.

NOBODY LISTENED TO THEM. The ratings are simulated by a formula:

    rating = {best} - drop x severity + offset of the song + noise of the raters,

from 1 to 5, rounded to half points. The drops are {drops}; the offset is normal with standard \
deviation {spread}, the noise with {noise}. Numbers computed from them show how metrics are \
compared, and nothing about how music sounds to people.
"""


class Condition(NamedTuple):
    """A way to degrade a song, and what it costs in simulated rating at severity 1."""

    degrade: Callable[[Signal, float, np.random.Generator], Signal]
    drop: float


def waveshape(song: Signal, severity: float, rng: np.random.Generator) -> Signal:
    """Saturate: no gain for the peak, up to 30 dB for small samples."""
    peak = np.abs(song).max()
    drive = 0.3 * 100**severity
    shape = song / peak
    return peak * (1 + drive) * shape / (1 + drive * np.abs(shape))


def low_pass(song: Signal, severity: float, rng: np.random.Generator) -> Signal:
    """Take away what lies above a corner between 6 kHz and 600 Hz."""
    return sosfilt(butter(4, 6000 * 0.1**severity, fs=SR, output="sos"), song)


def limit(song: Signal, severity: float, rng: np.random.Generator) -> Signal:
    """Limit peaks to a threshold up to 12 dB below the highest; lower, little would change."""
    width = int(_LIMITER_SECONDS * SR)
    # The mean of the running maximum over the same width is nowhere below the signal.
    envelope = uniform_filter1d(maximum_filter1d(np.abs(song), width), width)
    threshold = 10 ** (-0.6 * severity) * np.abs(song).max()
    return song * threshold / np.maximum(envelope, threshold)


def add_noise(song: Signal, severity: float, rng: np.random.Generator) -> Signal:
    """Add white noise, 30 dB below the song to as loud as it."""
    return song + song.std() * 10 ** (-1.5 * (1 - severity)) * rng.standard_normal(len(song))


CONDITIONS = {
    "waveshape": Condition(waveshape, 2.4),
    "lowpass": Condition(low_pass, 1.6),
    "limiter": Condition(limit, 1.2),
    "noise": Condition(add_noise, 2.8),
}


def write_rated_songs(
    folder: str | os.PathLike[str],
    *,
    n_songs: int = 12,
    severities: Sequence[float] = SEVERITIES,
    random_state: int = 0,
) -> Bunch:
    """Write songs and degraded versions of them as WAV files, and a table of simulated ratings.

    Parameters
    ----------
    folder : path-like
        Where to write: WAV files into ``audio``, the table to ``simulated_ratings.csv``. It is
        made where it is missing; files of these names are replaced.
    n_songs : int, default=12
        Number of songs.
    severities : sequence of float, default=(0.25, 0.5, 0.75, 1.0)
        Strengths of every degradation, above 0 and up to 1.
    random_state : int, default=0
        Seed; the same one gives the same files. A song does not depend on their number.

    Returns
    -------
    Bunch
        ``pairs``, a DataFrame of file names with the columns ``reference`` and ``degraded``;
        ``target``, the simulated ratings; ``groups``, the songs; ``condition``; ``sr`` in Hz;
        ``frame``, the table as it was written, names relative to the folder; ``DESCR``.

    Examples
    --------
    >>> import tempfile
    >>> from skperceptual.demo import write_rated_songs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rated = write_rated_songs(folder, n_songs=1, severities=[1.0])
    >>> rated.frame[["song", "condition", "simulated_rating"]]
         song  condition  simulated_rating
    0  song01  waveshape               2.5
    1  song01    lowpass               4.0
    2  song01    limiter               4.0
    3  song01      noise               2.5
    """
    folder = Path(folder)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(n_songs):
        rng = np.random.default_rng([random_state, number])
        name = f"song{number + 1:02d}"
        song = make_song(rng, sr=SR, n_times=N_TIMES)
        reference = f"audio/{name}.wav"
        save_audio(folder / reference, song, SR)
        offset = rng.normal(scale=_SONG_SPREAD)
        for condition, (degrade, drop) in CONDITIONS.items():
            for severity in severities:
                degraded = f"audio/{name}_{condition}_{100 * severity:03.0f}.wav"
                signal = _match_level(degrade(song, severity, rng), song)
                save_audio(folder / degraded, signal, SR)
                rating = _BEST_RATING - drop * severity + offset + rng.normal(scale=_RATER_NOISE)
                rating = np.clip(np.round(2 * rating) / 2, 1, 5)
                rows.append((reference, degraded, name, condition, severity, rating))
    columns = ["reference", "degraded", "song", "condition", "severity", "simulated_rating"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.to_csv(folder / "simulated_ratings.csv", index=False)
    description = _DESCRIPTION.format(
        n_songs=n_songs,
        seconds=N_TIMES / SR,
        sr=SR,
        n_conditions=len(CONDITIONS),
        conditions=", ".join(CONDITIONS),
        n_severities=len(severities),
        n_pairs=len(frame),
        best=_BEST_RATING,
        drops=", ".join(f"{entry.drop} ({name})" for name, entry in CONDITIONS.items()),
        spread=_SONG_SPREAD,
        noise=_RATER_NOISE,
    )
    return Bunch(
        pairs=frame[["reference", "degraded"]].map(lambda name: str(folder / name)),
        target=frame["simulated_rating"].to_numpy(),
        groups=frame["song"].to_numpy(),
        condition=frame["condition"].to_numpy(),
        sr=SR,
        frame=frame,
        DESCR=description,
    )


def _match_level(degraded: Signal, song: Signal) -> Signal:
    """Give the degraded song the level of the song, so that no metric hears loudness alone."""
    matched = degraded * (song.std() / degraded.std())
    return matched / max(1.0, np.abs(matched).max())
