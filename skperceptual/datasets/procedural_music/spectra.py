"""Spectra of pitched sounds: how strong each harmonic is, before anything moves."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Values = NDArray[np.float64]
Spectrum = Callable[[Values, Values], Values]
"""From numbers of harmonics and their frequencies in Hz to amplitudes."""

_DRIVE_TIMES = 16384


def falling(slope: float, *, odd: float = 1.0, even: float = 1.0) -> Spectrum:
    """Let the k-th harmonic be ``k ** -slope``, with odd and even ones weighted.

    Slope 1 is a sawtooth, ``even=0`` a square (a clarinet, nearly).
    """
    return lambda k, f: np.where(k % 2 == 1, odd, even) * k**-slope


def plucked(position: float, slope: float) -> Spectrum:
    """Pluck a string at a part of its length: harmonics with a node there are missing."""
    return lambda k, f: (0.04 + np.abs(np.sin(np.pi * k * position))) * k**-slope


def drawbars(*levels: float) -> Spectrum:
    """Set the harmonics one by one, as on an organ: the first, the second, and so on."""
    table = np.array([0.0, *levels, 0.0])
    return lambda k, f: table[np.minimum(k, len(table) - 1).astype(int)]


def overdriven(drive: float, *strings: tuple[int, float]) -> Spectrum:
    """Drive strings through one amplifier, so that it makes their sums and differences as well.

    Each string is (multiple of the pitch, level). A fifth on the root of a power chord is (3, .)
    on (2, .), with the pitch an octave below both. As the result is computed as harmonics, it
    cannot alias.
    """
    harmonics = _driven_harmonics(drive, strings)

    def spectrum(k: Values, f: Values) -> Values:
        return np.where(
            k < len(harmonics), harmonics[np.minimum(k, len(harmonics) - 1).astype(int)], 0
        )

    return spectrum


@cache
def _driven_harmonics(drive: float, strings: tuple[tuple[int, float], ...]) -> Values:
    phase = 2 * np.pi * np.arange(_DRIVE_TIMES) / _DRIVE_TIMES
    clean = np.zeros(_DRIVE_TIMES)
    for number, (multiple, level) in enumerate(strings):
        for harmonic in range(1, 9):
            angle = 0.7 * number + harmonic**2
            clean += level * np.sin(harmonic * multiple * phase + angle) / harmonic**1.1
    # Tubes clip one side before the other, which brings the even harmonics.
    driven = np.tanh(drive * clean + 0.25)
    magnitudes = np.abs(rfft(driven - driven.mean()))[:1200]
    return magnitudes / magnitudes.max()


def shaped(spectrum: Spectrum, *filters: Spectrum) -> Spectrum:
    """Send a spectrum through filters: a body, a loudspeaker, a mouth."""

    def product(k: Values, f: Values) -> Values:
        amplitudes = spectrum(k, f)
        for response in filters:
            amplitudes = amplitudes * response(k, f)
        return amplitudes

    return product


def lowpass(cutoff_hz: float, order: float = 1.0) -> Spectrum:
    """Let what lies above a frequency fall by ``6 * order`` dB an octave."""
    return lambda k, f: (1 + (f / cutoff_hz) ** 2) ** (-order / 2)


def highpass(cutoff_hz: float, order: float = 1.0) -> Spectrum:
    """Let what lies below a frequency fall by ``6 * order`` dB an octave."""
    return lambda k, f: (1 + (cutoff_hz / f) ** 2) ** (-order / 2)


def peaks(*resonances: tuple[float, float, float]) -> Spectrum:
    """Add resonances, each (Hz, gain in dB at its middle, width in octaves)."""

    def response(k: Values, f: Values) -> Values:
        decibels = np.zeros_like(f)
        for centre, gain, width in resonances:
            decibels += gain * np.exp(-0.5 * (np.log2(f / centre) / (width / 2)) ** 2)
        return 10 ** (decibels / 20)

    return response


def vowel(*formants: tuple[float, float]) -> Spectrum:
    """Sing a vowel: formants as (Hz, gain in dB) over a floor, with a little air at the top."""

    def response(k: Values, f: Values) -> Values:
        power = 10 ** (-38 / 10) + np.zeros_like(f)
        for centre, gain in formants:
            width = 50 + 0.07 * centre
            power = power + 10 ** (gain / 10) / (1 + ((f - centre) / width) ** 2)
        return np.sqrt(power)

    return response
