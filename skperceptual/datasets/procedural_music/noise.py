"""Noise that is the same at every sampling rate: it is drawn by frequency, not by sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

Sound = NDArray[np.float32]
Response = Callable[[NDArray[np.floating]], NDArray[np.floating]]

# Levels refer to this band at any sampling rate, so that a lower rate takes the top away and
# leaves the rest as it was.
FULL_BAND_HZ = 24000.0


def band(low_hz: float, high_hz: float, *, order: int = 3) -> Response:
    """Make the response of a band with soft edges.

    Parameters
    ----------
    low_hz, high_hz : float
        Where the response has fallen by 3 dB.
    order : int, default=3
        How steeply it goes on falling, in steps of 6 dB an octave.

    Returns
    -------
    callable
        From frequencies in Hz, all above 0, to gains.
    """

    def response(frequencies: NDArray[np.floating]) -> NDArray[np.floating]:
        below = (low_hz / frequencies) ** (2 * order)
        above = (frequencies / high_hz) ** (2 * order)
        return 1 / np.sqrt((1 + below) * (1 + above))

    return response


def coloured_noise(
    rng: np.random.Generator,
    n_times: int,
    sr: int,
    response: Response,
    *,
    roughness: float = 0.0,
) -> Sound:
    """Draw noise with a given spectrum.

    Parameters
    ----------
    rng : Generator
        Where the noise comes from.
    n_times : int
        Length in samples; the noise is periodic with this length.
    sr : int
        Sampling rate in Hz. Below half of it, the noise is the same for every rate.
    response : callable
        From frequencies in Hz to gains.
    roughness : float, default=0.0
        How unequal neighbouring frequencies are: 0 is a hiss, 1 and more rings like metal.

    Returns
    -------
    ndarray of shape (n_times,)
        The noise, float32; its root mean square is 1 over the whole band up to 24 kHz.
    """
    spacing = sr / n_times
    frequencies = spacing * np.arange(1, max(2, int(FULL_BAND_HZ / spacing)))
    amplitudes = response(frequencies)
    n_bins = min(len(frequencies), (n_times - 1) // 2)
    draws = rng.random((len(frequencies), 2), dtype=np.float32)
    if roughness:
        amplitudes = amplitudes * np.exp(roughness * 3 * (draws[:, 1] - 0.5))
    amplitudes /= np.sqrt(np.square(amplitudes).sum() / 2)
    angles = np.float32(2 * np.pi) * draws[:n_bins, 0]
    spectrum = np.zeros(n_times // 2 + 1, dtype=np.complex64)
    scale = (amplitudes[:n_bins] * (n_times / 2)).astype(np.float32)
    spectrum.real[1 : n_bins + 1] = scale * np.cos(angles)
    spectrum.imag[1 : n_bins + 1] = scale * np.sin(angles)
    return irfft(spectrum, n_times)
