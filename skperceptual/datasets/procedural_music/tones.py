"""Notes of pitched instruments as sound, band-limited at any sampling rate.

Harmonics that would lie above half the sampling rate are never made, rather than filtered out.
Harmonics that decay or come in together form a band. A band of a steady note is a short loop that
is repeated, a whole number of periods long; in the loop of a section every player is a little
out of tune. Where vibrato bends a note, one period is read from a table at the pace of the pitch.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

from skperceptual.datasets.procedural_music.instruments import INSTRUMENTS, Hiss, Instrument
from skperceptual.datasets.procedural_music.noise import Sound, band, coloured_noise

HIGHEST_HZ = 20000.0
VELOCITY_LAYERS = 4

# Harmonics stay below this part of the sampling rate, vibrato included.
_HIGHEST_OF_SR = 0.46
_LOWEST_DB = -84.0
# Points of a table for each period of the highest harmonic in it: images 60 dB down.
_OVERSAMPLING = 32
_LARGEST_TABLE = 1 << 15
# Lengths that loops may have. Whole milliseconds are whole samples at most rates, so that a note
# has the same pitch at all of them; with so many to choose from, it is right to 0.2 cents.
_SOLO_LOOPS = np.arange(0.100, 0.400, 0.001)
_SECTION_LOOPS = np.arange(1.400, 1.600, 0.010)
_DETUNING_CENTS = 9.0
_SCOOP_SECONDS = 0.035
_VIBRATO_DELAY_SECONDS = 0.25
_SILENT_AFTER = 8.0  # decays: -70 dB


class _Band(NamedTuple):
    """Harmonics that move together."""

    numbers: NDArray[np.int64]
    frequencies: NDArray[np.float64]
    values: NDArray[np.complex128]
    decay_rate: float  # 0 where the note is held
    upper: bool


class _Loop(NamedTuple):
    wave: Sound
    decay_rate: float
    upper: bool


class _Table(NamedTuple):
    """One period of a band, and the steps from each of its points to the next."""

    points: Sound
    steps: Sound
    decay_rate: float
    upper: bool


def hertz(pitch: float) -> float:
    """Give the frequency of a MIDI note number.

    Parameters
    ----------
    pitch : float
        69 is the A of 440 Hz, 1 a semitone.

    Returns
    -------
    float
        Frequency in Hz.
    """
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def velocity_layer(velocity: float) -> int:
    """Round a velocity to one of the few shades of brightness.

    Parameters
    ----------
    velocity : float
        From 0 to 1.

    Returns
    -------
    int
        From 1, soft, to ``VELOCITY_LAYERS``, loud.
    """
    return min(VELOCITY_LAYERS, 1 + int(velocity * VELOCITY_LAYERS))


def play(name: str, pitch: float, seconds: float, layer: int, variant: int, sr: int) -> Sound:
    """Play one note.

    Parameters
    ----------
    name : str
        A key of ``INSTRUMENTS``.
    pitch : float
        MIDI note number.
    seconds : float
        From the beginning of the note to its release, which the instrument adds.
    layer : int
        Shade of brightness, from :func:`velocity_layer`.
    variant : int
        Which of the ways to play this note: vowel, phase of the vibrato, players of a section.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (round((seconds + release) * sr),)
        The note, float32, with a root mean square near 1 at its beginning.
    """
    instrument = INSTRUMENTS[name]
    n_times = max(8, round((seconds + instrument.release) * sr))
    # Short notes leave less time to rise.
    attack = min(instrument.attack, 0.5 * n_times / sr)
    shape = variant % len(instrument.spectra)
    tone = np.zeros(n_times, dtype=np.float32)
    times = np.arange(n_times, dtype=np.float32) / np.float32(sr)
    if instrument.vibrato_cents or instrument.scoop_cents:
        waves = _bent(name, shape, pitch, layer, variant, times, sr)
    else:
        waves = _steady(name, shape, pitch, layer, variant, n_times, sr)
    for wave, decay_rate, upper in waves:
        if decay_rate:
            wave *= np.exp(times[: len(wave)] * np.float32(-decay_rate))
        elif upper:
            _rise(wave, attack + instrument.bloom, sr)
        else:
            _rise(wave, attack, sr)
        tone[: len(wave)] += wave
    if instrument.decay is not None:
        _rise(tone, attack, sr)
    for number, hiss in enumerate(instrument.hisses):
        _add_hiss(tone, _hiss(name, number, variant % 3, sr), hiss, attack, sr)
    _fall(tone, instrument.release, sr)
    return tone


def _heard(n_times: int, decay_rate: float, sr: int) -> int:
    """Give the samples until a decaying band is silent, at most those of the note."""
    return min(n_times, int(_SILENT_AFTER / decay_rate * sr)) if decay_rate else n_times


def _steady(
    name: str, shape: int, pitch: float, layer: int, variant: int, n_times: int, sr: int
) -> Iterator[_Loop]:
    for loop in _loops(name, shape, pitch, layer, sr):
        # Other players are at another place of the same loop; a solo note begins with it.
        where = variant * 0.381966 % 1 if INSTRUMENTS[name].players > 1 else 0.0
        begin = round(round(len(loop.wave) / sr * where, 3) * sr)
        length = _heard(n_times, loop.decay_rate, sr)
        yield loop._replace(wave=np.resize(loop.wave, begin + length)[begin:])


def _bent(
    name: str, shape: int, pitch: float, layer: int, variant: int, times: Sound, sr: int
) -> Iterator[_Loop]:
    """Read tables at the pace of a pitch that moves.

    The phase is an integer that wraps round with the period, so that long notes stay exact.
    """
    tables = _tables(name, shape, pitch, layer, sr)
    if not tables:
        return
    phase = np.arange(len(times), dtype=np.uint32) * np.uint32(round(hertz(pitch) / sr * 2**32))
    bend = _bend(INSTRUMENTS[name], hertz(pitch), variant, times)
    phase += (bend * np.float32(2**32)).astype(np.int64).astype(np.uint32)
    shift = np.uint32(32 - (len(tables[0].points).bit_length() - 1))
    index = phase >> shift
    between = (phase - (index << shift)).astype(np.float32) * np.float32(2.0 ** -float(shift))
    places = index.astype(np.intp)
    for table in tables:
        length = _heard(len(times), table.decay_rate, sr)
        wave = table.steps[places[:length]]
        wave *= between[:length]
        wave += table.points[places[:length]]
        yield _Loop(wave, table.decay_rate, table.upper)


def _bend(instrument: Instrument, frequency: float, variant: int, times: Sound) -> Sound:
    """Give by how many periods vibrato and scoop are ahead of a steady tone."""
    cent = frequency * np.log(2) / 1200  # in Hz, for small bends
    rate = 2 * np.pi * instrument.vibrato_hz * (1 + 0.03 * (variant % 3 - 1))
    onset = np.clip(times / np.float32(_VIBRATO_DELAY_SECONDS) - 0.5, 0, 1)
    swing = np.float32(-instrument.vibrato_cents * cent / rate)
    bend = swing * onset * np.cos(np.float32(rate) * times + np.float32(variant))
    scoop = np.float32(instrument.scoop_cents * cent * _SCOOP_SECONDS)
    return bend + scoop * np.exp(times * np.float32(-1 / _SCOOP_SECONDS))


@lru_cache(maxsize=128)
def _loops(name: str, shape: int, pitch: float, layer: int, sr: int) -> tuple[_Loop, ...]:
    players = INSTRUMENTS[name].players
    choice = _SECTION_LOOPS if players > 1 else _SOLO_LOOPS
    # A whole number of periods, nearly: then a harmonic falls on a frequency of the transform.
    periods = hertz(pitch) * choice
    seconds = choice[(np.abs(periods - np.round(periods)) / periods).argmin()]
    n_times = round(seconds * sr)
    detuning = 2 ** (np.linspace(-1, 1, players) * _DETUNING_CENTS / 1200) if players > 1 else 1.0
    # Drawn harmonic by harmonic, so that a lower rate leaves out the last ones and no others.
    rng = np.random.default_rng([crc32(name.encode()), round(pitch)])
    loops = []
    for part in _bands(name, shape, pitch, layer, sr):
        bins = np.round(np.outer(part.frequencies * seconds, detuning)).astype(int)
        values = np.repeat(part.values[:, np.newaxis], players, axis=1)
        if players > 1:
            values = values * np.exp(2j * np.pi * rng.random(values.shape)) / np.sqrt(players)
        spectrum = np.zeros(n_times // 2 + 1, dtype=np.complex64)
        np.add.at(spectrum, bins.ravel(), values.ravel() * (n_times / 2))
        loops.append(_Loop(irfft(spectrum, n_times), part.decay_rate, part.upper))
    return tuple(loops)


@lru_cache(maxsize=256)
def _tables(name: str, shape: int, pitch: float, layer: int, sr: int) -> tuple[_Table, ...]:
    parts = _bands(name, shape, pitch, layer, sr)
    if not parts:
        return ()
    highest = max(int(part.numbers[-1]) for part in parts)
    size = min(_LARGEST_TABLE, 1 << (max(2, highest) * _OVERSAMPLING - 1).bit_length())
    tables = []
    for part in parts:
        spectrum = np.zeros(size // 2 + 1, dtype=np.complex64)
        spectrum[part.numbers] = part.values * (size / 2)
        points = irfft(spectrum, size)
        steps = np.roll(points, -1) - points
        tables.append(_Table(points, steps, part.decay_rate, part.upper))
    return tuple(tables)


def _bands(name: str, shape: int, pitch: float, layer: int, sr: int) -> list[_Band]:
    """Sort the partials that are to be heard into bands."""
    instrument = INSTRUMENTS[name]
    frequency = hertz(pitch)
    # All that are audible at any rate, so that none is louder where there are fewer.
    count = max(1, int(HIGHEST_HZ / frequency))
    numbers = np.arange(1, count + 1)
    k = numbers.astype(float)
    frequencies = (
        frequency * k * np.sqrt((1 + instrument.stretch * k**2) / (1 + instrument.stretch))
    )
    amplitudes = instrument.spectra[shape](k, frequencies)
    darker = instrument.softness * (1 - layer / VELOCITY_LAYERS) / 0.75
    amplitudes = amplitudes * k ** (-darker / 6.02)
    amplitudes = amplitudes / np.sqrt(np.square(amplitudes).sum() / 2)
    # Phases that are spread keep the crest low, as bodies and rooms do.
    phases = np.random.default_rng(crc32(name.encode())).random(count)
    values = amplitudes * np.exp(2j * np.pi * phases)
    rates = np.zeros(count)
    groups = np.zeros(count, dtype=int)
    if instrument.decay is not None:
        slowest = (frequency / 110) ** instrument.tracking
        excess = instrument.damping * (frequencies - frequency) / 1000
        rates = (slowest + excess) / instrument.decay
        groups = np.ceil(np.log2(k)).astype(int)  # 1; 2; 3, 4; 5 to 8; ...
    elif instrument.bloom:
        groups = (k > 3).astype(int)
    kept = (frequencies < _HIGHEST_OF_SR * sr) & (amplitudes > 10 ** (_LOWEST_DB / 20))
    bands = []
    for group in range(groups[-1] + 1):
        chosen = kept & (groups == group)
        if chosen.any():
            power = np.square(amplitudes[groups == group])
            rate = float((rates[groups == group] * power).sum() / power.sum())
            bands.append(
                _Band(numbers[chosen], frequencies[chosen], values[chosen], rate, group > 0)
            )
    return bands


@lru_cache(maxsize=256)
def _hiss(name: str, number: int, variant: int, sr: int) -> Sound:
    hiss = INSTRUMENTS[name].hisses[number]
    decay = hiss.decay_seconds
    seconds = 1.0 if decay is None else 0.05 * np.ceil(7 * decay / 0.05)
    rng = np.random.default_rng([crc32(name.encode()), number, variant])
    response = band(hiss.low_hz, hiss.high_hz)
    noise = coloured_noise(rng, round(seconds * sr), sr, response) * np.float32(hiss.level)
    if decay is not None:
        times = np.arange(len(noise)) / sr
        noise *= np.exp(-times / decay).astype(np.float32)
        _rise(noise, min(0.002, decay / 2), sr)
        _fall(noise, 0.005, sr)
    return noise


def _add_hiss(tone: Sound, noise: Sound, hiss: Hiss, attack: float, sr: int) -> None:
    if hiss.decay_seconds is None:
        held = np.resize(noise, len(tone))
        _rise(held, attack, sr)
        tone += held
    else:
        length = min(len(tone), len(noise))
        tone[:length] += noise[:length]


def _rise(sound: Sound, seconds: float, sr: int) -> None:
    n_times = min(len(sound), max(2, round(seconds * sr)))
    sound[:n_times] *= _ramp(n_times)


def _fall(sound: Sound, seconds: float, sr: int) -> None:
    n_times = min(len(sound), max(2, round(seconds * sr)))
    sound[-n_times:] *= _ramp(n_times)[::-1]


@lru_cache(maxsize=256)
def _ramp(n_times: int) -> Sound:
    return (np.sin(np.pi / 2 * np.arange(n_times) / n_times) ** 2).astype(np.float32)
