"""From the notes of a song to sound: only the notes that are heard in a window are played."""

from __future__ import annotations

from bisect import bisect_left
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from skperceptual.datasets.procedural_music.instruments import INSTRUMENTS
from skperceptual.datasets.procedural_music.mastering import (
    between_blocks,
    block_length,
    limit,
    limiter_seconds,
    recording_noise,
    reverberate,
    room_seconds,
)
from skperceptual.datasets.procedural_music.noise import Sound
from skperceptual.datasets.procedural_music.percussion import DRUMS, strike, strike_seconds
from skperceptual.datasets.procedural_music.song import Note, Song, Track
from skperceptual.datasets.procedural_music.tones import play, velocity_layer

Stereo = NDArray[np.float64]

_DRUM_VARIANTS = 2
_DUCKING_SECONDS = 0.16


def render(song: Song, *, start_seconds: float, duration_seconds: float, sr: int) -> Stereo:
    """Play a part of a song, in stereo.

    Parameters
    ----------
    song : Song
        What :func:`compose` gave.
    start_seconds : float
        Where to begin.
    duration_seconds : float
        How much to play; past the end of the song is its last reverberation, then silence.
    sr : int
        Sampling rate in Hz, 4000 or more.

    Returns
    -------
    ndarray of shape (2, n_times)
        Left and right, float64, with ``n_times = round(duration_seconds * sr)`` and no sample
        beyond ±0.9.

    Raises
    ------
    ValueError
        For a window before the song or without a sample, or a sampling rate below 4000 Hz.

    Notes
    -----
    The same window always gives the same samples. Two windows agree where they overlap, up to
    rounding (1e-5 of full scale): tails of notes and of the room that began before the window
    are played, and the limiter hears what lies just outside it. Nothing aliases: what would lie
    above half the sampling rate is never made, and what lies well below (by a tenth) is the same
    at every rate. Notes begin on whole milliseconds, rounded to a sample where the rate is no
    multiple of 1000 Hz. The limiter works on the band that the rate allows, so that its gain may
    differ between rates in loud songs.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.procedural_music import compose, render
    >>> song = compose("Reggae", np.random.default_rng(0))
    >>> render(song, start_seconds=20, duration_seconds=1, sr=16000).shape
    (2, 16000)
    """
    n_times = _check_window(start_seconds, duration_seconds, sr)
    size = block_length(sr)
    first = round(start_seconds * sr)
    ahead = round((room_seconds(song.room) + limiter_seconds(sr)) * sr)
    # Whole blocks, counted from the beginning of the song, so that all windows share them.
    begin = (first - ahead) // size * size
    end = -(-(first + n_times + round(limiter_seconds(sr) * sr)) // size) * size

    ducking: Sound | None = None
    played: dict[tuple[object, ...], Sound] = {}
    dry = {part: np.zeros((2, end - begin), dtype=np.float32) for part in song.parts}
    sent = {part: np.zeros(end - begin, dtype=np.float32) for part in song.parts}
    for track in song.tracks:
        bus = _play_track(track, song.seed, begin, end, sr, played)
        if bus is None:
            continue
        if track.ducked:
            if ducking is None:
                ducking = _ducking(song, begin, end, sr)
            bus *= 1 - np.float32(track.ducked) * ducking
        left, right = _pan(track.pan)
        dry[track.part][0] += np.float32(left) * bus
        dry[track.part][1] += np.float32(right) * bus
        sent[track.part] += np.float32(track.send) * bus
    mix = np.sum(list(dry.values()), axis=0)
    mix += reverberate(np.sum(list(sent.values()), axis=0), song.room, sr)
    mix *= np.float32(song.gain)
    mix += recording_noise(song.seed, begin, end - begin, sr)
    return limit(mix, sr)[:, first - begin :][:, :n_times].astype(np.float64)


def _check_window(start_seconds: float, duration_seconds: float, sr: int) -> int:
    if sr < 4000 or sr != int(sr):
        raise ValueError(f"Expected sr to be a whole number of 4000 Hz or more, got {sr!r}.")
    if not (isfinite(start_seconds) and start_seconds >= 0):
        raise ValueError(f"Expected start_seconds to be 0 or more, got {start_seconds!r}.")
    if not (isfinite(duration_seconds) and round(duration_seconds * sr) >= 1):
        raise ValueError(
            f"Expected duration_seconds to be one sample ({1 / sr:.2g} s) or more, got "
            f"{duration_seconds!r}."
        )
    return round(duration_seconds * sr)


def _play_track(
    track: Track,
    seed: int,
    begin: int,
    end: int,
    sr: int,
    played: dict[tuple[object, ...], Sound],
) -> Sound | None:
    """Play the notes that sound between two samples; None where there are none."""
    notes = _sounding(track, begin / sr, end / sr)
    if not notes:
        return None
    bus = np.zeros(end - begin, dtype=np.float32)
    for note in notes:
        sound = _sound(track.instrument, note, seed, sr, played)
        place = round(note.start_seconds * sr) - begin
        low, high = max(0, place), min(len(bus), place + len(sound))
        if low < high:
            loudness = np.float32(track.gain * note.velocity**1.5)
            bus[low:high] += loudness * sound[low - place : high - place]
    return bus


def _sounding(track: Track, begin: float, end: float) -> list[Note]:
    notes = track.notes[: bisect_left(track.notes, end, key=lambda note: note.start_seconds)]
    if track.instrument in DRUMS:
        lasting = strike_seconds(track.instrument)
        return [note for note in notes if note.start_seconds + lasting > begin]
    tail = INSTRUMENTS[track.instrument].release
    return [n for n in notes if n.start_seconds + n.duration_seconds + tail > begin]


def _sound(
    instrument: str, note: Note, seed: int, sr: int, played: dict[tuple[object, ...], Sound]
) -> Sound:
    """Play a note, or find one that sounds the same."""
    key: tuple[object, ...]
    if instrument in DRUMS:
        variant = note.variant % _DRUM_VARIANTS
        key = (instrument, variant)
        if key not in played:
            played[key] = strike(instrument, variant, sr, seed)
    else:
        layer = velocity_layer(note.velocity)
        variant = note.variant if _has_variants(instrument) else 0
        key = (instrument, note.pitch, note.duration_seconds, layer, variant)
        if key not in played:
            played[key] = play(instrument, note.pitch, note.duration_seconds, layer, variant, sr)
    return played[key]


def _has_variants(name: str) -> bool:
    """Whether two notes of an instrument differ for other reasons than their noises."""
    instrument = INSTRUMENTS[name]
    return len(instrument.spectra) > 1 or instrument.players > 1 or instrument.vibrato_cents > 0


def _pan(pan: float) -> tuple[float, float]:
    """Give the gains of left and right; together always of the same power."""
    angle = (pan + 1) * np.pi / 4
    return float(np.sqrt(2) * np.cos(angle)), float(np.sqrt(2) * np.sin(angle))


def _ducking(song: Song, begin: int, end: int, sr: int) -> Sound:
    """Follow the kick, in time only: 1 as it sounds, falling to 0."""
    size = block_length(sr)
    middles = (np.arange(begin, end, size) + size / 2) / sr
    depth = np.zeros(len(middles))
    for track in song.tracks:
        if "kick" in track.instrument:
            starts = np.array([note.start_seconds for note in track.notes])
            previous = np.searchsorted(starts, middles, side="right") - 1
            since = np.where(previous >= 0, middles - starts[np.maximum(previous, 0)], 9.0)
            # Up within two milliseconds, then let go.
            rising = np.minimum(1, since / 0.002)
            depth = np.maximum(depth, rising * np.exp(-((since / _DUCKING_SECONDS) ** 2)))
    return between_blocks(depth, size)
