"""Drums and what else is struck: each is a few skins, bars and bursts of noise, put together."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import numpy as np

from skperceptual.datasets.procedural_music.noise import Sound, band, coloured_noise

_FADE_SECONDS = 0.004


class Skin(NamedTuple):
    """A drum head: a sine that falls in pitch as it dies away."""

    start_hz: float
    end_hz: float
    glide_seconds: float
    decay_seconds: float
    level: float


class Bar(NamedTuple):
    """Modes of a stiff body (wood, metal, a shell), each a decaying sine."""

    frequencies: tuple[float, ...]
    decay_seconds: float
    level: float


class Burst(NamedTuple):
    """Noise in a band: wires, sticks, cymbals (rough), sand."""

    low_hz: float
    high_hz: float
    decay_seconds: float
    level: float
    attack_seconds: float = 0.0007
    delay_seconds: float = 0.0
    roughness: float = 0.0


Component = Skin | Bar | Burst

_BRONZE = (3260.0, 4470.0, 5930.0, 7310.0, 8670.0, 10540.0)

DRUMS: dict[str, tuple[Component, ...]] = {
    "kick": (
        Skin(150, 52, 0.022, 0.11, 1.0),
        Bar((88.0, 210.0), 0.03, 0.22),
        Burst(1400, 6500, 0.006, 0.22),
    ),
    "soft kick": (Skin(95, 55, 0.02, 0.10, 0.8), Burst(300, 2200, 0.008, 0.10)),
    "dance kick": (
        Skin(260, 49, 0.026, 0.15, 1.0),
        Burst(2500, 11000, 0.004, 0.22),
        Bar((98.0,), 0.06, 0.2),
    ),
    "808 kick": (Skin(130, 44, 0.018, 0.28, 1.0), Burst(1800, 8000, 0.004, 0.12)),
    "snare": (
        Skin(235, 186, 0.012, 0.055, 0.55),
        Bar((331.0, 438.0), 0.032, 0.18),
        Burst(1100, 9500, 0.075, 0.32),
        Burst(3500, 15000, 0.012, 0.3),
    ),
    "fat snare": (
        Skin(205, 158, 0.015, 0.075, 0.6),
        Burst(700, 7000, 0.085, 0.32),
        Burst(2500, 12000, 0.014, 0.28),
    ),
    "rim": (Bar((487.0, 1714.0, 2570.0), 0.016, 0.55), Burst(1600, 9000, 0.007, 0.3)),
    "clap": (
        Burst(850, 5500, 0.005, 0.45),
        Burst(850, 5500, 0.005, 0.45, delay_seconds=0.010),
        Burst(850, 5500, 0.005, 0.45, delay_seconds=0.021),
        Burst(800, 7500, 0.075, 0.34, delay_seconds=0.030),
    ),
    "snap": (Burst(1500, 6500, 0.012, 0.5), Bar((2210.0,), 0.012, 0.3)),
    "closed hat": (Burst(6200, 17500, 0.026, 0.3, roughness=1.0), Bar(_BRONZE, 0.02, 0.05)),
    "tight hat": (Burst(7500, 18500, 0.013, 0.32, roughness=0.8),),
    "open hat": (Burst(5200, 17500, 0.16, 0.26, roughness=1.2), Bar(_BRONZE, 0.12, 0.05)),
    "pedal hat": (Burst(4500, 15000, 0.035, 0.2, 0.004, roughness=1.0),),
    "ride": (
        Burst(3800, 16500, 0.42, 0.12, roughness=1.6),
        Bar((2640.0, 3410.0, 4870.0, 6230.0), 0.3, 0.06),
        Burst(5000, 16000, 0.01, 0.22),
    ),
    "ride bell": (
        Bar((812.0, 1990.0, 3110.0, 4520.0), 0.4, 0.22),
        Burst(4000, 15000, 0.25, 0.08, roughness=1.4),
    ),
    "crash": (
        Burst(1800, 16500, 0.62, 0.24, 0.004, roughness=1.3),
        Bar((1210.0, 1873.0, 2911.0, 4177.0), 0.5, 0.04),
    ),
    "high tom": (Skin(235, 176, 0.03, 0.15, 0.8), Burst(900, 5000, 0.016, 0.16)),
    "low tom": (Skin(138, 96, 0.035, 0.2, 0.9), Burst(700, 4200, 0.016, 0.16)),
    "brush tap": (
        Burst(900, 9500, 0.055, 0.28, 0.003),
        Skin(215, 180, 0.01, 0.05, 0.12),
    ),
    "brush sweep": (Burst(1500, 10500, 0.16, 0.13, 0.06),),
    "shaker": (Burst(4500, 15500, 0.030, 0.26, 0.012),),
    "tambourine": (Burst(6000, 17000, 0.075, 0.2, 0.003, roughness=1.8), Bar(_BRONZE, 0.06, 0.05)),
    "conga high": (
        Skin(262, 246, 0.008, 0.10, 0.7),
        Bar((493.0, 742.0), 0.03, 0.16),
        Burst(900, 5000, 0.006, 0.2),
    ),
    "conga low": (
        Skin(186, 172, 0.01, 0.15, 0.8),
        Bar((361.0,), 0.04, 0.14),
        Burst(600, 3500, 0.008, 0.16),
    ),
    "conga slap": (
        Skin(330, 300, 0.006, 0.035, 0.4),
        Bar((880.0, 1430.0), 0.02, 0.25),
        Burst(1500, 8500, 0.02, 0.42),
    ),
    "timbale": (
        Skin(420, 385, 0.01, 0.09, 0.5),
        Bar((905.0, 1370.0, 2440.0), 0.08, 0.2),
        Burst(2500, 12000, 0.02, 0.2),
    ),
    "cowbell": (Bar((562.0, 845.0, 1690.0, 2540.0), 0.07, 0.4), Burst(2500, 9000, 0.006, 0.15)),
    "clave": (Bar((2480.0, 4950.0), 0.03, 0.55),),
    "guiro": (Burst(2200, 9500, 0.08, 0.24, 0.05, roughness=1.2),),
    "crackle": (Burst(1200, 9000, 0.0015, 0.5),),
}


def strike_seconds(name: str) -> float:
    """Give how long a drum sounds.

    Parameters
    ----------
    name : str
        A key of ``DRUMS``.

    Returns
    -------
    float
        Seconds until it has died away.
    """
    return max(_seconds(component) for component in DRUMS[name])


def strike(name: str, variant: int, sr: int, seed: int) -> Sound:
    """Play one stroke at full velocity.

    Parameters
    ----------
    name : str
        A key of ``DRUMS``.
    variant : int
        Which of the strokes of this drum: no two are quite the same.
    sr : int
        Sampling rate in Hz.
    seed : int
        Stands for the song: tuning and damping of the drum, and its noise.

    Returns
    -------
    ndarray of shape (n_times,)
        The stroke, float32.
    """
    drum = np.random.default_rng([seed, crc32(name.encode())])
    tuning, damping = 2 ** drum.uniform(-1 / 8, 1 / 8), drum.uniform(0.85, 1.2)
    rng = np.random.default_rng([seed, crc32(name.encode()), variant + 1])
    tuning *= 2 ** rng.uniform(-1 / 120, 1 / 120)
    sounds = []
    for component in DRUMS[name]:
        n_times = round(_seconds(component) * sr)
        times = np.arange(n_times, dtype=np.float32) / np.float32(sr)
        if isinstance(component, Burst):
            sounds.append((component.delay_seconds, _burst(component, times, sr, damping, rng)))
        elif isinstance(component, Skin):
            sounds.append((0.0, _skin(component, times, sr, tuning, damping)))
        else:
            sounds.append((0.0, _bar(component, times, sr, tuning, damping, rng)))
    starts = [round(delay * sr) for delay, _ in sounds]
    total = np.zeros(max(s + len(x) for s, (_, x) in zip(starts, sounds, strict=True)), np.float32)
    for start, (_, sound) in zip(starts, sounds, strict=True):
        total[start : start + len(sound)] += sound
    return total


def _seconds(component: Component) -> float:
    # In steps of 50 ms, so that transforms have lengths without large prime factors.
    decay = component.decay_seconds * 1.2
    attack = component.attack_seconds if isinstance(component, Burst) else 0.0
    return 0.05 * np.ceil((7 * decay + attack) / 0.05)


def _envelope(times: Sound, decay: float, attack: float) -> Sound:
    envelope = np.exp(times * np.float32(-1 / decay))
    rising = times < attack
    envelope[rising] *= np.sin(np.float32(np.pi / 2 / attack) * times[rising]) ** 2
    falling = times[-1] - times < _FADE_SECONDS
    envelope[falling] *= (times[-1] - times[falling]) / np.float32(_FADE_SECONDS)
    return envelope


def _burst(burst: Burst, times: Sound, sr: int, damping: float, rng: np.random.Generator) -> Sound:
    response = band(burst.low_hz, burst.high_hz)
    hiss = coloured_noise(rng, len(times), sr, response, roughness=burst.roughness)
    envelope = _envelope(times, burst.decay_seconds * damping, burst.attack_seconds)
    return hiss * envelope * np.float32(burst.level)


def _skin(skin: Skin, times: Sound, sr: int, tuning: float, damping: float) -> Sound:
    end, extra = skin.end_hz * tuning, (skin.start_hz - skin.end_hz) * tuning
    glide = skin.glide_seconds
    phase = end * times + extra * glide * (1 - np.exp(times * np.float32(-1 / glide)))
    envelope = _envelope(times, skin.decay_seconds * damping, 0.001)
    return np.sin(np.float32(2 * np.pi) * phase) * envelope * np.float32(skin.level)


def _bar(
    bar: Bar, times: Sound, sr: int, tuning: float, damping: float, rng: np.random.Generator
) -> Sound:
    total = np.zeros_like(times)
    weights = rng.uniform(0.5, 1, len(bar.frequencies))
    for frequency, weight in zip(bar.frequencies, weights / len(weights) ** 0.5, strict=True):
        if frequency * tuning < 0.46 * sr:
            total += np.float32(weight) * np.sin(np.float32(2 * np.pi * frequency * tuning) * times)
    envelope = _envelope(times, bar.decay_seconds * damping, 0.0006)
    return total * envelope * np.float32(bar.level)
