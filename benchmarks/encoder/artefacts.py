"""Damage that no class of the package does: what separation, suppression and vocoding leave.

Each function takes a clip, another clip that may be mixed in, a severity from 0 to 1 and a
generator, and gives a clip of the same length. All work on a short-time Fourier transform of
512 samples that overlap by three quarters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

Artefact = Callable[[NDArray, NDArray, float, np.random.Generator], NDArray]
SIZE, HOP = 512, 128


def interference(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Mix another sound in, from 25 dB below the clip to 5 dB above."""
    return clip + at_level(other, clip, -25 + 30 * severity)


def leaky_separation(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Mix another sound in and take it out with the ideal ratio mask, blurred and mistaken."""
    other = at_level(other, clip, rng.uniform(-3, 6))
    wanted, unwanted = transform(clip), transform(other)
    mask = np.abs(wanted) ** 2 / (np.abs(wanted) ** 2 + np.abs(unwanted) ** 2 + 1e-12)
    mask = np.clip(mask + severity * 0.7 * smooth_noise(mask.shape, rng), 0, 1)
    return restore((wanted + unwanted) * mask ** (1 + severity), len(clip))


def binary_separation(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Mix another sound in and keep the cells where the clip is the louder, some by mistake."""
    other = at_level(other, clip, -6 + 12 * severity)
    wanted, unwanted = transform(clip), transform(other)
    noise = 10 ** (severity * rng.normal(0, 0.6, wanted.shape))
    mask = (np.abs(wanted) > np.abs(unwanted) * noise).astype(float)
    return restore((wanted + unwanted) * mask, len(clip))


def musical_noise(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Add noise and subtract its spectrum, so that what is left of it tinkles."""
    noise = at_level(rng.standard_normal(len(clip)), clip, -30 + 30 * severity)
    mixed, level = transform(clip + noise), np.abs(transform(noise)).mean()
    gain = np.sqrt(np.maximum(1 - (1.5 * level / (np.abs(mixed) + 1e-9)) ** 2, 1e-4))
    return restore(mixed * gain, len(clip))


def spectral_holes(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Take patches of time and frequency away."""
    spectrum = transform(clip)
    holes = smooth_noise(spectrum.shape, rng) > 1.6 - 2.0 * severity
    return restore(spectrum * np.where(holes, 0.03, 1.0), len(clip))


def coloration(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Equalise with a smooth curve by chance, up to about 20 dB."""
    spectrum = transform(clip)
    octaves = np.log2(np.arange(1, spectrum.shape[0] + 1))
    knots = np.linspace(0, octaves[-1], rng.integers(4, 10))
    curve = np.interp(octaves, knots, rng.normal(0, 1.5 + 9 * severity, len(knots)))
    return match_rms(restore(spectrum * 10 ** (curve[:, np.newaxis] / 20), len(clip)), clip)


def noise_vocoder(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Replace a part of the waveform by noise with its envelopes in a number of bands."""
    spectrum = transform(clip)
    n_bands = round(64 * 2 ** (-3 * severity))
    corners = np.unique(np.geomspace(1, spectrum.shape[0], n_bands + 1).astype(int)) - 1
    corners[-1] = spectrum.shape[0]
    power = np.add.reduceat(np.abs(spectrum) ** 2, corners[:-1], axis=0)
    widths = np.diff(corners)
    envelope = np.sqrt(np.repeat(power / widths[:, np.newaxis], widths, axis=0))
    vocoded = envelope * transform(rng.standard_normal(len(clip)))
    vocoded = match_rms(restore(vocoded, len(clip)), clip)
    share = 0.1 + 0.9 * severity
    return np.sqrt(1 - share**2) * clip + share * vocoded


def smeared_phase(clip: NDArray, other: NDArray, severity: float, rng: np.random.Generator):
    """Turn the phases by chance: smeared attacks, a hollow sound, the same spectrum."""
    spectrum = transform(clip)
    turn = rng.normal(0, 0.3 + 2.5 * severity, spectrum.shape)
    return restore(spectrum * np.exp(1j * turn), len(clip))


ARTEFACTS: dict[str, Artefact] = {
    "interference": interference,
    "leaky_separation": leaky_separation,
    "binary_separation": binary_separation,
    "musical_noise": musical_noise,
    "spectral_holes": spectral_holes,
    "coloration": coloration,
    "noise_vocoder": noise_vocoder,
    "smeared_phase": smeared_phase,
}


def transform(clip: NDArray) -> NDArray:
    return stft(clip, nperseg=SIZE, noverlap=SIZE - HOP)[2] * SIZE


def restore(spectrum: NDArray, n_times: int) -> NDArray:
    clip = istft(spectrum / SIZE, nperseg=SIZE, noverlap=SIZE - HOP)[1]
    return np.pad(clip, (0, max(0, n_times - len(clip))))[:n_times]


def at_level(other: NDArray, clip: NDArray, level_db: float) -> NDArray:
    """Give a sound a level relative to the clip's."""
    return match_rms(other, clip) * 10 ** (level_db / 20)


def match_rms(sound: NDArray, like: NDArray) -> NDArray:
    return sound * np.sqrt(np.mean(like**2) / (np.mean(sound**2) + 1e-12))


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Draw noise of unit variance that is alike over about 6 bins and 4 frames."""
    coarse = rng.standard_normal((shape[0] // 6 + 2, shape[1] // 4 + 2))
    fine = np.kron(coarse, np.ones((6, 4)))
    row, column = rng.integers(6), rng.integers(4)
    return fine[row : row + shape[0], column : column + shape[1]]
