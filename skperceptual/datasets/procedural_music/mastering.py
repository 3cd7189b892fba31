"""What every song goes through at the end: a room, and a limiter that keeps peaks in bounds."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import correlate1d, minimum_filter1d

from skperceptual.datasets.procedural_music.noise import (
    FULL_BAND_HZ,
    Sound,
    band,
    coloured_noise,
)

CEILING = 0.9

_LIMITER_BLOCKS = 24  # to either side, of about a millisecond each
_FLOOR_DB = -84.0  # of the hiss that every recording has
_FLOOR_SECONDS = 2.0


class Room(NamedTuple):
    """A room: how long low, middle and high frequencies take to fall by 60 dB."""

    seconds: tuple[float, float, float]
    before_seconds: float


ROOMS = {
    "studio": Room((0.35, 0.30, 0.22), 0.006),
    "club": Room((0.60, 0.50, 0.32), 0.011),
    "chamber": Room((0.90, 0.85, 0.50), 0.014),
    "plate": Room((0.90, 1.00, 0.70), 0.004),
    "hall": Room((1.60, 1.50, 0.75), 0.022),
}
# Between the three bands of a room, in Hz.
_CROSSOVERS = (400.0, 3500.0)
_EARLY_SECONDS = 0.045
_N_WALLS = 7


def block_length(sr: int) -> int:
    """Give the samples between two values of a gain that changes slowly: about a millisecond.

    Parameters
    ----------
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    int
        1 or more.
    """
    return max(1, round(sr / 1000))


def room_seconds(name: str) -> float:
    """Give how long a room goes on after a sound.

    Parameters
    ----------
    name : str
        A key of ``ROOMS``.

    Returns
    -------
    float
        Seconds until it has fallen by some 50 dB.
    """
    return round(max(ROOMS[name].seconds) * 0.8, 2)


def limiter_seconds(sr: int) -> float:
    """Give how far the limiter looks ahead and back.

    Parameters
    ----------
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    float
        Seconds.
    """
    return (2 * _LIMITER_BLOCKS + 3) * block_length(sr) / sr


def reverberate(sent: Sound, room: str, sr: int) -> NDArray[np.float32]:
    """Put a mono signal into a room.

    Parameters
    ----------
    sent : ndarray of shape (n_times,)
        What is sent to the room.
    room : str
        A key of ``ROOMS``.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (2, n_times)
        What comes back, right from ``room_seconds`` after the beginning: before that, the end of
        the signal comes round.
    """
    n_fft = next_fast_len(len(sent), real=True)
    response = _room_spectrum(room, sr, n_fft)
    return irfft(rfft(sent, n_fft) * response, n_fft)[:, : len(sent)]


@lru_cache(maxsize=8)
def _room_spectrum(name: str, sr: int, n_fft: int) -> NDArray[np.complex64]:
    """Transform the response of a room from one place in it to two ears."""
    room = ROOMS[name]
    n_times = round(room_seconds(name) * sr)
    times = np.arange(n_times) / sr
    late = np.clip((times - room.before_seconds) / 0.012, 0, 1)
    late *= np.clip((times[-1] - times) / 0.03, 0, 1)
    edges = (60.0, *_CROSSOVERS, 20000.0)
    rng = np.random.default_rng(crc32(name.encode()))
    response = np.zeros((2, n_times))
    energy = 0.0
    for seconds, low, high in zip(room.seconds, edges[:-1], edges[1:], strict=True):
        # As dense at all frequencies, but for the walls, which swallow the highest.
        envelope = np.sqrt(high - low) / (1 + low / 6000) * late * 10 ** (-3 * times / seconds)
        energy += np.square(envelope).sum() / sr
        for ear in response:
            ear += envelope * coloured_noise(rng, n_times, sr, band(low, high, order=2))
    # A gain of 1 on average over frequencies up to 24 kHz, whatever the rate.
    response *= np.sqrt(2 * FULL_BAND_HZ / energy) / sr
    for _ in range(_N_WALLS):  # the walls nearby, heard one by one
        delay = room.before_seconds + rng.uniform(0, _EARLY_SECONDS)
        gains = rng.choice([-1, 1]) * rng.uniform(0.05, 0.22, size=2)
        response[:, round(round(delay, 3) * sr)] += gains
    return rfft(response.astype(np.float32), n_fft)


def recording_noise(seed: int, first: int, n_times: int, sr: int) -> NDArray[np.float32]:
    """Give the hiss of the recording, the same at a place of the song whatever is rendered.

    Parameters
    ----------
    seed : int
        Stands for the song.
    first, n_times : int
        Where in the song it begins, and its length, in samples.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (2, n_times)
        Noise at -84 dB.
    """
    loops = [_hiss_loop(seed, side, sr) for side in range(2)]
    begin = first % len(loops[0])
    return np.stack([np.resize(loop, begin + n_times)[begin:] for loop in loops])


@lru_cache(maxsize=16)
def _hiss_loop(seed: int, side: int, sr: int) -> Sound:
    rng = np.random.default_rng([seed, 1000 + side])
    noise = coloured_noise(rng, round(_FLOOR_SECONDS * sr), sr, lambda f: f**-0.25)
    return noise * np.float32(10 ** (_FLOOR_DB / 20))


def limit(mix: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    """Turn a mix down where, and only where, it would exceed the ceiling.

    The gain is a smooth curve that looks ahead: it adds no harmonics, and depends on what is
    within ``limiter_seconds`` and on nothing else.

    Parameters
    ----------
    mix : ndarray of shape (2, n_times)
        Whole blocks of ``block_length`` samples.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (2, n_times)
        Within ``CEILING`` everywhere.
    """
    size = block_length(sr)
    peaks = np.abs(mix).reshape(2, -1, size).max(axis=(0, 2))
    gains = CEILING / np.maximum(peaks, CEILING)
    if gains.min() == 1:
        return mix
    # The least gain nearby, smoothed over less than that: never above what a block needs, even
    # between the middles of two blocks.
    held = minimum_filter1d(gains, 2 * _LIMITER_BLOCKS + 3, mode="constant", cval=1.0)
    window = np.hanning(2 * _LIMITER_BLOCKS + 3)[1:-1]
    smooth = correlate1d(held, window / window.sum(), mode="constant", cval=1.0)
    return mix * between_blocks(smooth, size)


def between_blocks(values: NDArray[np.float64], size: int) -> Sound:
    """Go from block to block in lines, which meet halfway between the values of neighbours.

    Parameters
    ----------
    values : ndarray of shape (n_blocks,)
        One value for each block.
    size : int
        Samples of a block.

    Returns
    -------
    ndarray of shape (n_blocks * size,)
        A value for each sample, float32.
    """
    padded = np.concatenate([values[:1], values, values[-1:]])
    edges = (padded[:-1] + padded[1:]) / 2
    slopes = np.diff(edges)
    ramp = np.arange(size) / size
    return (edges[:-1, np.newaxis] + slopes[:, np.newaxis] * ramp).astype(np.float32).ravel()
