"""Rated music without people: synthesised songs, PMQD's degradations, simulated ratings."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skperceptual.datasets.pmqd_table import CONDITIONS, ORIGINAL
from skperceptual.datasets.procedural_music import GENRES, compose, render
from skperceptual.datasets.simulated_ratings import (
    NOISE_MODELS,
    NoiseModel,
    expected_quality,
    simulate_votes,
)
from skperceptual.datasets.song_clips import count_samples, draw_start, name_song
from skperceptual.degradations import pmqd_distortion, pmqd_limiter, pmqd_lowpass, pmqd_noise
from skperceptual.metrics import spearman_score
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.audio_files import to_mono
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.resampling import resample, resampled_length

Stereo = NDArray[np.float64]

_PMQD_SR = 48000

_DESCRIPTION = """\
Rated music, simulated
----------------------
{n_songs} synthesised songs of {n_genres} genres, {n_clips} clips of {seconds:.3f} s, each degraded
in four ways ({conditions}): {n_pairs} pairs at {sr} Hz, mono.

NOBODY LISTENED TO THEM. The ratings are simulated after PMQD, the Perceived Music Quality
Dataset of A. Hilmkil, C. Thomé and A. Arpteg (arXiv:2006.06287), whose degradations these are,
with intensities drawn from 0 to 100 for every clip and degradation. What is human in them are 21
published means (4 degradations x 5 steps of intensity, and the originals); what is assumed is
how far votes scatter (noise model: {noise}). A rating is the median of five votes from 1 (bad) to
5 (excellent), without hearing the original.

A metric that knew the quality from which the votes were drawn would reach a Spearman correlation
of {ceiling:.2f} with these ratings. A correlation with them says nothing about human hearing.
"""


@validate_params(
    {
        "n_songs": [Interval(Integral, 1, None, closed="left")],
        "clips_per_song": [Interval(Integral, 1, None, closed="left")],
        "duration_seconds": [Interval(Real, 0, None, closed="neither")],
        "sr": [Interval(Integral, 4000, None, closed="left")],
        "noise": [StrOptions(set(NOISE_MODELS))],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def make_rated_music(
    *,
    n_songs: int = 65,
    clips_per_song: int = 3,
    duration_seconds: float = 4.208,
    sr: int = 16000,
    noise: str = "default",
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    """Make degraded music with **simulated** ratings, after the data set PMQD.

    Songs of 13 genres are synthesised in stereo at 48 kHz, each clip is degraded in PMQD's four
    ways at intensities drawn from 0 to 100, and the ratings are **simulated**: nobody listened.
    By default there are as many clips as in PMQD. Use it to develop and to test; a correlation
    with these ratings is no evidence about human hearing.

    Parameters
    ----------
    n_songs : int, default=65
        Number of songs, genre by genre in turn.
    clips_per_song : int, default=3
        Number of clips of each song.
    duration_seconds : float, default=4.208
        Duration of each clip.
    sr : int, default=16000
        Sampling rate of the pairs in Hz, 4000 or more. Synthesis and degradations run at 48 kHz
        whatever it is.
    noise : {"default", "low", "high"}, default="default"
        How far votes scatter. This is assumed, as single votes were not published; ``"low"``
        and ``"high"`` are meant to lie on either side of the truth.
    random_state : int, RandomState instance or None, default=None
        Where songs, intensities and votes come from. The clips of a song and their degraded
        versions do not depend on the number of songs, nor on ``noise``.
    n_jobs : int, default=None
        Number of processes that make songs; None means 1, -1 as many as there are processors.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``pairs`` : float32 ndarray of shape (n_pairs, 2, n_times), the original first
            Mono, the mean of both channels. ``n_pairs`` is 4 n_songs clips_per_song.
        ``target`` : ndarray of shape (n_pairs,)
            Simulated ratings, from 1 to 5.
        ``groups``, ``condition`` : ndarray of shape (n_pairs,)
            Song, and degradation (``"distortion"``, ``"limiter"``, ``"lowpass"`` or
            ``"noise"``) of each pair.
        ``sr`` : int
            Sampling rate of ``pairs`` in Hz.
        ``frame`` : DataFrame of n_pairs rows
            ``song``, ``genre``, ``clip``, ``condition``, ``intensity`` (0 to 100), ``severity``
            (the same from 0 to 1), ``simulated_rating``, ``simulated_reference_rating`` (of the
            original) and ``latent_quality``, around which the votes were drawn and which no
            listening test would tell.
        ``votes`` : DataFrame
            Every simulated vote, those for the originals too: ``song``, ``clip``,
            ``condition``, ``rater``, ``simulated_vote``.
        ``DESCR`` : str
            What this is, with the correlation that a perfect metric would reach.

    Raises
    ------
    ValueError
        For parameters out of range, and a rate that leaves clips empty.

    See Also
    --------
    make_music : The songs alone.
    fetch_pmqd : Real music with ratings by people.
    load_rated_pairs : A table of your own.

    Notes
    -----
    The quality of a clip is ``mu(condition, intensity) + song + clip``, the vote of a rater is
    that plus the rater's leniency and noise of its own, rounded and limited to 1 to 5, and at
    times given blindly; see :mod:`skperceptual.datasets.simulated_ratings`. The limiter's
    intensity hardly changes its ratings, as in PMQD, so that nothing can predict them well.

    References
    ----------
    .. [1] A. Hilmkil, C. Thomé and A. Arpteg, "Perceiving music quality with GANs",
       arXiv:2006.06287, 2020.

    Examples
    --------
    >>> from skperceptual.datasets import make_rated_music
    >>> data = make_rated_music(n_songs=2, clips_per_song=1, random_state=0)
    >>> data.pairs.shape
    (8, 2, 67328)
    >>> list(data.condition[:4])
    ['distortion', 'limiter', 'lowpass', 'noise']
    """
    n_times = count_samples(clips_per_song, duration_seconds, sr)
    model = NOISE_MODELS[noise]
    seed = int(own_random_state(random_state).randint(2**31))
    jobs = [
        delayed(_make_song)(seed, number, clips_per_song, n_times, sr) for number in range(n_songs)
    ]
    songs = run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller="make_rated_music", unit="song")
    pairs = np.empty((4 * n_songs * clips_per_song, 2, n_times), dtype=np.float32)
    tables = []
    for number, (signals, table) in enumerate(songs):
        pairs[number * len(signals) : (number + 1) * len(signals)] = signals
        tables.append(table)
    frame, votes = _rate(pd.concat(tables, ignore_index=True), model, seed)
    target = frame["simulated_rating"].to_numpy()
    description = _DESCRIPTION.format(
        n_songs=n_songs,
        n_genres=frame["genre"].nunique(),
        n_clips=n_songs * clips_per_song,
        seconds=n_times / sr,
        conditions=", ".join(CONDITIONS),
        n_pairs=len(frame),
        sr=sr,
        noise=noise,
        ceiling=_ceiling(target, frame["latent_quality"]),
    )
    return Bunch(
        pairs=pairs,
        target=target,
        groups=frame["song"].to_numpy(),
        condition=frame["condition"].to_numpy(),
        sr=sr,
        frame=frame,
        votes=votes,
        DESCR=description,
    )


def _ceiling(ratings: NDArray[np.float64], quality: pd.Series) -> float:
    """Correlate; a handful of pairs may be rated alike, which is nothing to warn of here."""
    return spearman_score(ratings, quality) if np.ptp(ratings) else np.nan


def _make_song(
    seed: int, number: int, n_clips: int, n_times: int, sr: int
) -> tuple[NDArray[np.float32], pd.DataFrame]:
    """Make the pairs of one song, and what is known of them."""
    rng = np.random.default_rng([seed, number])
    genre, name = name_song(number, GENRES)
    song = compose(genre, rng)
    # Whole samples before resampling, and not one too few after it.
    duration_seconds = resampled_length(n_times, sr, _PMQD_SR) / _PMQD_SR
    signals, rows = [], []
    song_effect = rng.standard_normal()
    for clip in range(n_clips):
        start = draw_start(song, clip, n_clips, duration_seconds, rng)
        original = render(song, start_seconds=start, duration_seconds=duration_seconds, sr=_PMQD_SR)
        clip_effect = rng.standard_normal()
        reference = _mix_down(original, sr)[:n_times]
        for condition in CONDITIONS:
            intensity = rng.uniform(0, 100)
            degraded = _degrade(original, condition, intensity, rng)
            signals.append((reference, _mix_down(degraded, sr)[:n_times]))
            rows.append((name, genre, clip, condition, intensity, song_effect, clip_effect))
    columns = ["song", "genre", "clip", "condition", "intensity", "song_effect", "clip_effect"]
    return np.array(signals), pd.DataFrame(rows, columns=columns)


def _degrade(
    original: Stereo, condition: str, intensity: float, rng: np.random.Generator
) -> Stereo:
    seed = int(rng.integers(2**31))  # drawn for every condition, so that none changes the next
    if condition == "distortion":
        return pmqd_distortion(original, intensity)
    if condition == "limiter":
        return pmqd_limiter(original, intensity, sr=_PMQD_SR)
    if condition == "lowpass":
        return pmqd_lowpass(original, intensity, sr=_PMQD_SR)
    return pmqd_noise(original, intensity, sr=_PMQD_SR, random_state=seed)


def _mix_down(stereo: Stereo, sr: int) -> NDArray[np.float32]:
    return resample(to_mono(stereo.T, "mean"), _PMQD_SR, sr).astype(np.float32)


def _rate(table: pd.DataFrame, model: NoiseModel, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate votes for all clips, originals included; give the pairs rated, and the votes."""
    originals = table.drop_duplicates(["song", "clip"]).assign(condition=ORIGINAL, intensity=0.0)
    clips = pd.concat([table, originals], ignore_index=True)
    quality = model.song * clips["song_effect"] + model.clip * clips["clip_effect"]
    for condition, rows in clips.groupby("condition"):
        intensity = rows["intensity"].to_numpy()
        quality[rows.index] += expected_quality(model, str(condition), intensity)
    votes = simulate_votes(quality.to_numpy(), model, np.random.default_rng([seed, 2**31]))
    ratings = votes.groupby("clip")["simulated_vote"].median()
    named = clips[["song", "clip", "condition"]].iloc[votes["clip"]].reset_index(drop=True)
    originals = originals[["song", "clip"]].assign(
        simulated_reference_rating=ratings.to_numpy()[len(table) :]
    )
    frame = table[["song", "genre", "clip", "condition", "intensity"]].assign(
        severity=table["intensity"] / 100,
        simulated_rating=ratings.to_numpy()[: len(table)],
        latent_quality=quality.to_numpy()[: len(table)],
    )
    frame = frame.merge(originals, on=["song", "clip"], how="left", validate="many_to_one")
    return frame, named.join(votes[["rater", "simulated_vote"]])
