"""Music without recordings: composed and synthesised from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skperceptual.datasets.procedural_music import GENRES, compose, render
from skperceptual.datasets.song_clips import count_samples, draw_start, name_song
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.audio_files import to_mono
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.random_states import own_random_state

_DESCRIPTION = """\
Procedural music
----------------
{n_songs} songs of {n_genres} genres ({genres}), {n_clips} clips of {seconds:.3f} s from each, at
{sr} Hz, mono (channels={channels!r}).

Every note is drawn from a seed and every sound is computed: no recordings, no borrowed tunes, no
rights to clear. Songs are at the loudness that records of their genre have, so that levels differ
from clip to clip; no sample lies beyond 0.9.

Eleven of the thirteen names of genres are those of PMQD, the Perceived Music Quality Dataset
(A. Hilmkil, C. Thomé and A. Arpteg, arXiv:2006.06287), as far as its published rows show them.
The names of its other two genres were not published; Jazz and Rock are our guess.
"""


@validate_params(
    {
        "n_songs": [Interval(Integral, 1, None, closed="left")],
        "clips_per_song": [Interval(Integral, 1, None, closed="left")],
        "genres": ["array-like", None],
        "duration_seconds": [Interval(Real, 0, None, closed="neither")],
        "sr": [Interval(Integral, 4000, None, closed="left")],
        "channels": [StrOptions({"mean", "left", "right", "side"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def make_music(
    *,
    n_songs: int = 13,
    clips_per_song: int = 1,
    genres: Sequence[str] | None = None,
    duration_seconds: float = 4.208,
    sr: int = 16000,
    channels: str = "mean",
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    """Make music: clips of songs in up to 13 genres, composed and synthesised from a seed.

    Songs have drums, bass, chords and melody as their genre asks for, in a key and a tempo of
    their own, and are mixed in stereo. They serve as references to degrade, as material to train
    on, and in examples, where recordings cannot be shipped.

    Parameters
    ----------
    n_songs : int, default=13
        Number of songs, genre by genre in turn.
    clips_per_song : int, default=1
        Number of clips of each song; they do not overlap.
    genres : list of str, default=None
        Genres to take turns: Acoustic, Blues, Classical, Country, Electronica & Dance, Funk,
        Hip Hop, Jazz, Latin, Pop, Reggae, Rnb & Soul, Rock. None means all of them.
    duration_seconds : float, default=4.208
        Duration of each clip; all clips of a song together last 60 s at most.
    sr : int, default=16000
        Sampling rate in Hz, 4000 or more. Songs are synthesised at this rate; below half of it
        a clip sounds the same at every rate.
    channels : {"mean", "left", "right", "side"}, default="mean"
        What becomes of the two channels: their mean, one of them, or ``(left - right) / 2``.
    random_state : int, RandomState instance or None, default=None
        Where the songs come from. Song number ``i`` depends on ``random_state``, its genre and
        ``i`` alone, not on how many songs there are or how many clips are taken of them.
    n_jobs : int, default=None
        Number of processes that make songs; None means 1, -1 as many as there are processors.
        The result does not depend on it.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``signals`` : float32 ndarray of shape (n_songs * clips_per_song, n_times)
            The clips, those of one song in a row.
        ``groups`` : ndarray of shape (n_songs * clips_per_song,)
            Name of the song, such as ``"Blues 1"``.
        ``genre`` : ndarray of shape (n_songs * clips_per_song,)
            Genre of the song.
        ``sr`` : int
            Sampling rate in Hz.
        ``frame`` : DataFrame of n_songs * clips_per_song rows
            ``song``, ``genre``, ``clip``, ``start_seconds`` (where in the song the clip begins),
            ``tempo`` (beats a minute), ``key``, ``beats_per_bar`` and ``song_seconds`` (length of
            the song).
        ``DESCR`` : str
            What this is.

    Raises
    ------
    ValueError
        For parameters out of range, an unknown genre, or clips that do not fit into a song.

    See Also
    --------
    make_rated_music : Such songs, degraded, with simulated ratings.

    Notes
    -----
    Eleven of the names of genres are those of PMQD's published rows [1]_. The names of its other
    two genres were not published: Jazz and Rock are our guess.

    References
    ----------
    .. [1] A. Hilmkil, C. Thomé and A. Arpteg, "Perceiving music quality with GANs",
       arXiv:2006.06287, 2020.

    Examples
    --------
    >>> from skperceptual.datasets import make_music
    >>> music = make_music(n_songs=2, clips_per_song=2, genres=["Jazz", "Rock"], random_state=0)
    >>> music.signals.shape, music.signals.dtype
    ((4, 67328), dtype('float32'))
    >>> list(music.groups)
    ['Jazz 1', 'Jazz 1', 'Rock 1', 'Rock 1']
    """
    names = _check_genres(genres)
    n_times = count_samples(clips_per_song, duration_seconds, sr)
    seed = int(own_random_state(random_state).randint(2**31))
    jobs = [
        delayed(_make_song)(
            [seed, number],
            *name_song(number, names),
            clips_per_song,
            duration_seconds,
            sr,
            channels,
        )
        for number in range(n_songs)
    ]
    songs = run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller="make_music", unit="song")
    signals = np.empty((n_songs * clips_per_song, n_times), dtype=np.float32)
    rows: list[dict[str, Any]] = []
    for clips, described in songs:
        signals[len(rows) : len(rows) + clips_per_song] = clips
        rows += described
    frame = pd.DataFrame(rows)
    used = list(dict.fromkeys(frame["genre"]))
    description = _DESCRIPTION.format(
        n_songs=n_songs,
        n_genres=len(used),
        genres=", ".join(used),
        n_clips=clips_per_song,
        seconds=n_times / sr,
        sr=sr,
        channels=channels,
    )
    return Bunch(
        signals=signals,
        groups=frame["song"].to_numpy(),
        genre=frame["genre"].to_numpy(),
        sr=sr,
        frame=frame,
        DESCR=description,
    )


def _check_genres(genres: Sequence[str] | None) -> tuple[str, ...]:
    if genres is None:
        return GENRES
    names = tuple(genres)
    unknown = [name for name in names if name not in GENRES]
    if unknown:
        raise ValueError(
            f"genres has {', '.join(map(repr, unknown))}, which is unknown. Use any of "
            f"{', '.join(GENRES)}."
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Expected genres to name one genre or more, each once, got {genres!r}.")
    return names


def _make_song(
    seed: list[int],
    genre: str,
    name: str,
    n_clips: int,
    duration_seconds: float,
    sr: int,
    channels: str,
) -> tuple[NDArray[np.float32], list[dict[str, Any]]]:
    """Make the clips of one song, and what is known of them."""
    rng = np.random.default_rng(seed)
    song = compose(genre, rng)
    clips, rows = [], []
    for clip in range(n_clips):
        start = draw_start(song, clip, n_clips, duration_seconds, rng)
        stereo = render(song, start_seconds=start, duration_seconds=duration_seconds, sr=sr)
        clips.append(to_mono(stereo.T, channels))
        rows.append(
            {
                "song": name,
                "genre": genre,
                "clip": clip,
                "start_seconds": start,
                "tempo": song.tempo,
                "key": song.key,
                "beats_per_bar": song.beats_per_bar,
                "song_seconds": song.length_seconds,
            }
        )
    return np.array(clips, dtype=np.float32), rows
