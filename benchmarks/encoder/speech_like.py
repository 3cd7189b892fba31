"""Sounds like speech, made from a seed: a voice through moving formants, hiss, bursts and pauses.

Nothing is recorded and nothing is said. A syllable is a consonant (hiss or a burst), a vowel that
glides to the next one, and sometimes a pause; a talker has a pitch, a length of the vocal tract
and a rate of speaking.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

# First three formants of an adult male's vowels in Hz, rounded, after Peterson and Barney (1952).
VOWELS = np.array(
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [440, 1020, 2240],
        [300, 870, 2240],
        [640, 1190, 2390],
        [490, 1350, 1690],
    ],
    dtype=float,
)
BANDWIDTHS = np.array([70.0, 100.0, 140.0])
BLOCK_SECONDS = 0.005


def make_speech_like(
    n_clips: int, *, duration_seconds: float, sr: int, random_state: int
) -> NDArray[np.float32]:
    """Make clips, each of a talker of its own, at an RMS level of -25 dB."""
    n_times = round(duration_seconds * sr)
    clips = [
        make_clip(n_times, sr, np.random.default_rng([random_state, number]))
        for number in range(n_clips)
    ]
    return np.array(clips, dtype=np.float32)


def make_clip(n_times: int, sr: int, rng: np.random.Generator) -> NDArray:
    """Make one clip of one talker."""
    pitch = np.exp(rng.uniform(np.log(85), np.log(260)))
    tract = rng.uniform(0.95, 1.25) if pitch > 150 else rng.uniform(0.9, 1.08)
    pace = rng.uniform(0.14, 0.26)
    parts: list[NDArray] = []
    vowel = VOWELS[rng.integers(len(VOWELS))] * tract
    while sum(map(len, parts)) < n_times:
        if rng.random() < 0.14:
            parts.append(np.zeros(round(rng.uniform(0.08, 0.35) * sr)))
        parts.append(make_consonant(sr, rng))
        following = VOWELS[rng.integers(len(VOWELS))] * tract
        seconds = pace * rng.uniform(0.5, 1.5)
        parts.append(make_vowel(vowel, following, pitch, seconds, sr, rng))
        vowel = following
    clip = np.concatenate(parts)[:n_times]
    clip = clip + 1e-4 * np.std(clip) * rng.standard_normal(n_times)
    return np.clip(clip * 10 ** (-25 / 20) / np.std(clip), -1, 1)


def make_vowel(
    start: NDArray, end: NDArray, pitch: float, seconds: float, sr: int, rng: np.random.Generator
) -> NDArray:
    """Send pulses of a gliding pitch through formants that glide from one vowel to another."""
    n_blocks = max(4, round(seconds / BLOCK_SECONDS))
    block = round(BLOCK_SECONDS * sr)
    glide = np.linspace(0, 1, n_blocks) ** rng.uniform(0.5, 2)
    contour = pitch * 2 ** (rng.uniform(-0.25, 0.25) + rng.uniform(-0.3, 0.2) * glide)
    phase = np.cumsum(np.repeat(contour, block) / sr)
    opening = (phase % 1) / rng.uniform(0.5, 0.7)
    # The derivative of a pulse that opens slowly and closes at once.
    source = np.where(opening < 1, 2 * opening - 3 * opening**2, 0.0)
    source = source + rng.uniform(0.005, 0.05) * rng.standard_normal(len(source))
    formants = start + glide[:, np.newaxis] * (end - start)
    voiced = source
    for number, bandwidth in enumerate(BANDWIDTHS):
        voiced = glide_resonator(voiced, formants[:, number], bandwidth, block, sr)
    voiced = glide_resonator(voiced, np.full(n_blocks, 3500.0), 200.0, block, sr)
    ramp = np.minimum(1, np.linspace(0, 6, len(voiced)))
    return voiced / (np.abs(voiced).max() + 1e-9) * ramp * ramp[::-1] * rng.uniform(0.5, 1.0)


def glide_resonator(
    signal: NDArray, frequencies: NDArray, bandwidth: float, block: int, sr: int
) -> NDArray:
    """Filter block by block with a resonance of two poles, its state carried on."""
    radius = np.exp(-np.pi * bandwidth / sr)
    state = np.zeros(2)
    filtered = np.empty_like(signal)
    for number, frequency in enumerate(np.minimum(frequencies, 0.47 * sr)):
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / sr), radius**2]
        piece = slice(number * block, (number + 1) * block)
        filtered[piece], state = lfilter([sum(poles)], poles, signal[piece], zi=state)
    return filtered


def make_consonant(sr: int, rng: np.random.Generator) -> NDArray:
    """Make the hiss of a fricative, or the silence and burst of a plosive."""
    low = rng.uniform(1200, 4500)
    band = butter(2, [low, min(low * rng.uniform(1.5, 3), 0.47 * sr)], "band", fs=sr, output="sos")
    if rng.random() < 0.5:
        n_times = round(rng.uniform(0.05, 0.14) * sr)
        envelope = np.sin(np.pi * np.linspace(0, 1, n_times)) ** 0.7
        closure = np.zeros(0)
    else:
        n_times = round(rng.uniform(0.01, 0.04) * sr)
        envelope = np.exp(-np.linspace(0, 5, n_times))
        closure = np.zeros(round(rng.uniform(0.02, 0.07) * sr))
    hiss = sosfilt(band, rng.standard_normal(n_times)) * envelope
    return np.concatenate([closure, rng.uniform(0.05, 0.35) * hiss / (np.abs(hiss).max() + 1e-9)])
