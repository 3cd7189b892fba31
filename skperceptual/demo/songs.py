"""Short songs made of nothing but NumPy: chords, a melody, a bass and drums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

Signal = NDArray[np.float64]

# Chords as steps of the scale, two to a bar; the scales as semitones above the key note.
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 0), (0, 2, 3, 4))
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# One bar in sixteenths.
_KICKS = ("x...x...x...x...", "x.....x.x.......", "x..x....x.x.....")
_SNARES = ("....x.......x...", "....x..x.x..x...")
_HATS = ("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "..x...x...x...x.")

_PEAK = 0.5  # headroom for what degradations add
_FADE_SECONDS = 0.01
_ROOM_SECONDS = 0.5


def make_song(rng: np.random.Generator, *, sr: int, n_times: int) -> Signal:
    """Compose and play one song.

    Key, tempo, chords, melody, instruments and drums are drawn; one song in four has no drums.

    Parameters
    ----------
    rng : Generator
        Where the song comes from.
    sr : int
        Sampling rate in Hz.
    n_times : int
        Length in samples.

    Returns
    -------
    ndarray of shape (n_times,)
        The song, with a peak of 0.5.
    """
    beat = 60 / rng.uniform(84, 144)
    scale = _SCALES[str(rng.choice(list(_SCALES)))]
    key = int(rng.integers(48, 60))  # as MIDI notes, C3 to B3
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    n_beats = int(np.ceil(n_times / sr / beat))
    chords = [progression[(number // 2) % len(progression)] for number in range(n_beats)]
    names = [str(name) for name in rng.choice(list(_INSTRUMENTS), size=2, replace=False)]
    backing, lead = (_INSTRUMENTS[name] for name in names)

    mix = np.zeros(n_times)
    for number in range(0, n_beats, 2):
        for degree in (0, 2, 4):
            pitch = _hertz(key, scale, chords[number] + degree)
            _add(mix, number * beat * sr, backing(pitch, 2 * beat, sr, rng), 0.16)
    for number, chord in enumerate(chords):
        bass = _bass(_hertz(key - 24, scale, chord), 0.9 * beat, sr, rng)
        _add(mix, number * beat * sr, bass, 0.3)
    for start, length, degree in _melody(chords, rng):
        pitch = _hertz(key + 12, scale, degree)
        _add(mix, start * beat * sr, lead(pitch, length * beat, sr, rng), 0.28)
    if rng.random() < 0.75:
        _add_drums(mix, beat, sr, rng)
    return _master(mix, sr, rng)


def _hertz(key: int, scale: tuple[int, ...], degree: int) -> float:
    octave, step = divmod(degree, len(scale))
    return 440 * 2 ** ((key + 12 * octave + scale[step] - 69) / 12)


def _melody(chords: list[int], rng: np.random.Generator) -> list[tuple[float, float, int]]:
    """Give notes as (start and length in beats, step of the scale): a walk drawn to the chord."""
    notes, position, degree = [], 0.0, chords[0]
    while position < len(chords):
        length = float(rng.choice([0.5, 1.0, 1.5], p=[0.55, 0.35, 0.1]))
        chord = chords[int(position)] + int(rng.choice([0, 2, 4]))
        # Mostly by a step or two, which the ear can follow.
        degree += int(np.clip(chord - degree, -2, 2)) + int(rng.integers(-1, 2))
        if rng.random() > 0.15:
            notes.append((position, length, degree))
        position += length
    return notes


def _add(mix: Signal, start: float, sound: Signal, gain: float) -> None:
    begin = int(start)
    length = min(len(sound), len(mix) - begin)
    if length > 0:
        mix[begin : begin + length] += gain * sound[:length]


def _partials(
    pitch: float, times: Signal, sr: int, amplitudes: Signal, *, decay: float = 0.0
) -> Signal:
    """Add up the harmonics below half the sampling rate; the k-th decays as exp(-k decay t)."""
    audible = amplitudes[: int(0.45 * sr / pitch)]
    fundamental = np.exp((2j * np.pi * pitch - decay) * times)
    total = np.zeros_like(fundamental)
    for amplitude in audible[::-1]:  # Horner's rule: harmonics are powers of the fundamental
        total += amplitude
        total *= fundamental
    return total.imag


def _envelope(times: Signal, attack: float, release: float) -> Signal:
    """Rise at the beginning and fall at the end of a note, in seconds."""
    end = times[-1] + 1e-9
    return np.minimum(1, times / attack) * np.minimum(1, (end - times) / release)


def _times(seconds: float, sr: int) -> Signal:
    return np.arange(max(2, int(seconds * sr))) / sr


def _pluck(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    numbers = np.arange(1, 25)
    brightness = np.abs(np.sin(np.pi * numbers * rng.uniform(0.1, 0.3))) / numbers
    tone = _partials(pitch, times, sr, brightness, decay=1.2)
    return 1.6 * tone * np.exp(-2 * times) * _envelope(times, 0.003, 0.03)


def _organ(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    drawbars = np.array([1.0, 0.8, 0.6, 0.5, 0.0, 0.3, 0.0, 0.25]) * rng.uniform(0.5, 1, size=8)
    return 0.5 * _partials(pitch, times, sr, drawbars) * _envelope(times, 0.01, 0.05)


def _strings(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    vibrato = times + 0.0006 * np.sin(2 * np.pi * 5.5 * times) / (2 * np.pi)
    numbers = np.arange(1, 31)
    amplitudes = 1 / numbers / np.sqrt(1 + (numbers * pitch / 2500) ** 4)
    detunings = 1 + 0.004 * rng.uniform(-1, 1, size=3)
    tone = sum(_partials(pitch * detuning, vibrato, sr, amplitudes) for detuning in detunings)
    return 0.45 * tone * _envelope(times, 0.08, 0.1)


def _bell(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    ratio, index = float(rng.choice([1.4, 2.0, 3.5])), rng.uniform(1.5, 3)
    modulator = index * np.exp(-4 * times) * np.sin(2 * np.pi * pitch * ratio * times)
    tone = np.sin(2 * np.pi * pitch * times + modulator) * np.exp(-2.5 * times)
    return tone * _envelope(times, 0.002, 0.03)


def _reed(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    numbers = np.arange(1, 20)
    amplitudes = np.where(numbers % 2, 1.0, 0.2) / numbers ** rng.uniform(0.9, 1.3)
    breath = 0.02 * rng.standard_normal(len(times))
    return (0.7 * _partials(pitch, times, sr, amplitudes) + breath) * _envelope(times, 0.03, 0.06)


_INSTRUMENTS: dict[str, Callable[[float, float, int, np.random.Generator], Signal]] = {
    "pluck": _pluck,
    "organ": _organ,
    "strings": _strings,
    "bell": _bell,
    "reed": _reed,
}


def _bass(pitch: float, seconds: float, sr: int, rng: np.random.Generator) -> Signal:
    times = _times(seconds, sr)
    numbers = np.arange(1, 9)
    amplitudes = rng.uniform(0.6, 1, size=8) / numbers**1.5
    tone = _partials(pitch, times, sr, amplitudes, decay=1.5)
    return tone * _envelope(times, 0.005, 0.04)


def _add_drums(mix: Signal, beat: float, sr: int, rng: np.random.Generator) -> None:
    times = _times(0.25, sr)
    sweep = 2 * np.pi * np.cumsum(45 + 110 * np.exp(-30 * times)) / sr
    kick = np.sin(sweep) * np.exp(-14 * times)
    noise = rng.standard_normal(len(times))
    snare = 0.35 * noise * np.exp(-22 * times)
    snare += 0.4 * np.sin(2 * np.pi * 190 * times) * np.exp(-25 * times)
    bright = sosfilt(butter(4, 5000, btype="highpass", fs=sr, output="sos"), noise)
    hat = bright * np.exp(-60 * times)
    patterns = [bars[rng.integers(len(bars))] for bars in (_KICKS, _SNARES, _HATS)]
    for sound, pattern, gain in zip((kick, snare, hat), patterns, (0.6, 0.45, 0.18), strict=True):
        for sixteenth in range(int(np.ceil(len(mix) / sr / beat * 4))):
            if pattern[sixteenth % 16] == "x":
                loudness = gain * rng.uniform(0.8, 1.0)
                _add(mix, sixteenth / 4 * beat * sr, sound, loudness)


def _master(mix: Signal, sr: int, rng: np.random.Generator) -> Signal:
    """Put the song into a room, with the little hiss that every recording has."""
    times = _times(_ROOM_SECONDS, sr)
    room = rng.standard_normal(len(times)) * np.exp(-times / 0.09)
    wet = fftconvolve(mix, room / np.linalg.norm(room))[: len(mix)]
    song = mix + 0.2 * wet
    song *= _PEAK / np.abs(song).max()
    song += 1e-4 * rng.standard_normal(len(song))
    fade = np.minimum(1, np.arange(len(song)) / (_FADE_SECONDS * sr))
    song *= fade * fade[::-1]
    return song * (_PEAK / np.abs(song).max())
