"""Butterworth filters, with their phase or without, on float64 clips."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# What is left of a response that has died away.
_DEAD = 1e-12
# In what falls below, 20 dB under the most that passes, nobody looks for a delay.
_PASSES = 0.1


def sections(band: str, edges: tuple[float, ...], *, order: int, sr: int) -> NDArray[np.float64]:
    """Give the second-order sections of a filter.

    Parameters
    ----------
    band : {"lowpass", "highpass", "bandpass"}
        What passes.
    edges : tuple of float
        One or two frequencies at -3 dB, in Hz.
    order : int
        Of the filter, for each edge.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_sections, 6)
        As :func:`scipy.signal.sosfilt` takes them.
    """
    from scipy.signal import butter

    return butter(order, edges if len(edges) > 1 else edges[0], band, fs=sr, output="sos")


def filter_from_silence(
    clip: NDArray[np.float64], cascade: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Filter a clip as it comes.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        The clip, after silence.
    cascade : ndarray of shape (n_sections, 6)
        What :func:`sections` gave.

    Returns
    -------
    ndarray of shape (n_times,)
        The filtered clip, delayed as the phase of the filter has it.
    """
    from scipy.signal import sosfilt

    return sosfilt(cascade, clip)


def filter_without_phase(
    clip: NDArray[np.float64], cascade: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply the spectrum of a clip by the magnitude of a filter.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        The clip, between silence and silence.
    cascade : ndarray of shape (n_sections, 6)
        What :func:`sections` gave.

    Returns
    -------
    ndarray of shape (n_times,)
        The filtered clip. Nothing in it has moved.
    """
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.signal import sosfreqz

    # The end of the transform is followed by its beginning: enough silence between the two.
    n_fft = next_fast_len(len(clip) + _ring_length(cascade), real=True)
    _, response = sosfreqz(cascade, worN=2 * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    return irfft(rfft(clip, n_fft) * np.abs(response), n_fft)[: len(clip)]


def _ring_length(cascade: NDArray[np.float64]) -> int:
    """Give the samples after which a filter no longer rings, by its pole of the longest life."""
    radius = max(float(np.abs(np.roots(section[3:])).max()) for section in cascade)
    return math.ceil(math.log(_DEAD) / math.log(radius)) if radius > 0 else 1


def longest_delay(band: str, edges: tuple[float, ...], *, order: int, sr: int) -> int:
    """Give the longest phase delay or lead in what passes a filter.

    Parameters
    ----------
    band : {"lowpass", "highpass", "bandpass"}
        What passes.
    edges : tuple of float
        One or two frequencies at -3 dB, in Hz.
    order : int
        Of the filter, for each edge.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    int
        In samples, rounded up, over the frequencies whose response is within 20 dB of the largest.
    """
    from scipy.signal import sosfreqz

    # Geometric, since edges can be decades below half of the rate.
    angular = np.geomspace(0.1 * edges[0] / sr, np.pi, 1 << 14)
    _, response = sosfreqz(sections(band, edges, order=order, sr=sr), worN=angular)
    passes = np.abs(response) >= _PASSES * np.abs(response).max()
    angular, phase = angular[passes], np.unwrap(np.angle(response[passes]))
    # Unwrapping leaves whole turns open. The phase is 0 at one end of a band, or in its middle,
    # which is the geometric mean of the edges as the bilinear transform has them.
    warped = np.tan(np.pi * np.array(edges) / sr)
    still = {"lowpass": 0.0, "highpass": np.pi}.get(band, 2 * math.atan(math.prod(warped) ** 0.5))
    turns = np.round(np.interp(still, angular, phase) / (2 * np.pi))
    return math.ceil(np.abs((phase - 2 * np.pi * turns) / angular).max())
