"""What all data sets made of songs share: how many clips fit, and where in a song they lie."""

from __future__ import annotations

import numpy as np

from skperceptual.datasets.procedural_music import MIN_SECONDS, Song


def count_samples(clips_per_song: int, duration_seconds: float, sr: int) -> int:
    """Give the samples of a clip, and refuse clips that no song can hold.

    Parameters
    ----------
    clips_per_song : int
        Number of clips of each song, which do not overlap.
    duration_seconds : float
        Duration of each clip.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    int
        1 or more.

    Raises
    ------
    ValueError
        For clips that are empty, or too long together for a song.
    """
    n_times = round(duration_seconds * sr)
    if n_times == 0:
        raise ValueError(
            f"duration_seconds={duration_seconds!r} is less than one sample at sr={sr}. Give a "
            "longer duration."
        )
    if clips_per_song * duration_seconds > MIN_SECONDS:
        raise ValueError(
            f"{clips_per_song} clips of duration_seconds={duration_seconds!r} do not fit into a "
            f"song of {MIN_SECONDS:.0f} s. Take fewer or shorter clips, and more songs."
        )
    return n_times


def name_song(number: int, genres: tuple[str, ...]) -> tuple[str, str]:
    """Give the genre and the name of a song; genres take turns.

    Parameters
    ----------
    number : int
        Which song, from 0 on.
    genres : tuple of str
        The genres.

    Returns
    -------
    genre : str
        One of the genres.
    name : str
        Such as ``"Blues 1"``.
    """
    genre = genres[number % len(genres)]
    return genre, f"{genre} {number // len(genres) + 1}"


def draw_start(
    song: Song, clip: int, n_clips: int, duration_seconds: float, rng: np.random.Generator
) -> float:
    """Draw where a clip begins: within its own share of the song, so that no two overlap.

    Parameters
    ----------
    song : Song
        The song.
    clip, n_clips : int
        Which of how many clips, from 0 on.
    duration_seconds : float
        Duration of the clip.
    rng : Generator
        Where the place comes from.

    Returns
    -------
    float
        Seconds since the song began.
    """
    share = song.length_seconds / n_clips
    # Rounding may make a clip longer than its share by less than a sample.
    return share * clip + rng.uniform(0, max(0.0, share - duration_seconds))
