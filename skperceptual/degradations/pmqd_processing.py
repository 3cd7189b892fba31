"""What the four effects of PMQD compute, by physical parameters, on float64 arrays.

Arrays are of shape (..., n_times): every axis before the last is one of channels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.resampling import resample

Signal = NDArray[np.floating]

# --- Distortion ----------------------------------------------------------------------------------


def saturate(signal: Signal, drive: float, *, oversample: int = 1) -> Signal:
    """Saturate softly, at a multiple of the signal's rate."""
    if oversample > 1:
        return np.apply_along_axis(_saturate_above_rate, -1, signal, drive, oversample)
    clipped = np.clip(signal, -1, 1)
    return (1 + drive) * clipped / (1 + drive * np.abs(clipped))


def _saturate_above_rate(channel: Signal, drive: float, oversample: int) -> Signal:
    above = resample(channel, 1, oversample, quality="VHQ")
    return resample(saturate(above, drive), oversample, 1, quality="VHQ")


# --- Low-pass ------------------------------------------------------------------------------------

# What the plugin takes for pi when it warps the cutoff.
_PI = 22 / 7
# The two sections of a Butterworth filter of fourth order, by what multiplies s.
_DAMPING = (0.765367, 1.847759)
# Where the plugin clips: 0.2 dB below full scale, with a factor of 2 for 6 dB.
_CLIP = 2 ** (-0.2 / 6)


def lowpass(signal: Signal, cutoff_hz: float, sr: int) -> Signal:
    """Filter from silence, then clip."""
    from scipy.signal import sosfilt

    return np.clip(sosfilt(lowpass_sections(cutoff_hz, sr), signal, axis=-1), -_CLIP, _CLIP)


def lowpass_sections(cutoff_hz: float, sr: int) -> NDArray[np.float64]:
    """Give the two sections of the filter, (b0, b1, b2, 1, a1, a2) each."""
    # 2 sr / W, where W is the warped angular cutoff and s = 2 sr (z - 1) / (z + 1).
    scale = 1 / math.tan(_PI * cutoff_hz / sr)
    squared = scale**2
    sections = []
    for damping in _DAMPING:
        a0 = squared + 1 + damping * scale
        a = [1.0, (2 - 2 * squared) / a0, (squared + 1 - damping * scale) / a0]
        sections.append([1 / a0, 2 / a0, 1 / a0, *a])
    return np.array(sections)


def highest_cutoff_hz(sr: int) -> float:
    """Give the frequency below which cutoffs have to lie: the warped one is infinite there."""
    return sr * math.pi / (2 * _PI)


def lowpass_max_lag(cutoff_hz: float, sr: int) -> int:
    """Give the longest phase delay of the filter, which lies just above the cutoff, in samples."""
    from scipy.signal import sosfreqz

    warped_cutoff = 2 * math.pi * cutoff_hz / sr
    upper = min(2 * warped_cutoff, 0.999 * math.pi)
    frequencies, response = sosfreqz(
        lowpass_sections(cutoff_hz, sr), worN=np.linspace(upper / 500, upper, 500)
    )
    return math.ceil((-np.unwrap(np.angle(response)) / frequencies).max())


# --- Limiter -------------------------------------------------------------------------------------

_CEILING = 10 ** (-0.1 / 20)
# The least release of the plugin, which its setting of 0 means: exp(-3) is left after it.
_RELEASE_SECONDS = 0.05
_HOLDS_PER_SECOND = 128


def limit(signal: Signal, threshold_db: float, sr: int) -> Signal:
    """Bring the envelope of all channels to the ceiling wherever it exceeds the threshold."""
    from skperceptual.kernels.limiter import limiter_gain

    threshold = 10 ** (threshold_db / 20)
    magnitude = np.abs(signal).reshape(-1, signal.shape[-1]).max(axis=0)
    release = math.exp(-3 / (sr * _RELEASE_SECONDS))
    hold = sr / _HOLDS_PER_SECOND
    return signal * limiter_gain(magnitude, threshold, _CEILING / threshold, release, hold)


# --- Noise ---------------------------------------------------------------------------------------

# Corner frequencies in Hz of the seven first-order filters whose sum, with the last one taken
# away, makes white noise pink; by the highest rate that they are for.
_PINK_CORNERS = (
    (48000, (4752.456, 4030.961, 2784.711, 1538.461, 357.681, 70.0, 30.0)),
    (96000, (8227.219, 8227.219, 6388.570, 3302.754, 479.412, 151.070, 54.264)),
    (191999, (9211.912, 8621.096, 8555.228, 8292.754, 518.334, 163.712, 240.241)),
    (math.inf, (10000.0, 10000.0, 10000.0, 10000.0, 544.948, 142.088, 211.616)),
)
_PINK_SIGNS = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0])


def add_pink_noise(
    signal: Signal, noise_db: float, sr: int, generator: np.random.Generator
) -> Signal:
    """Average the channels and add noise of a root mean square in dB relative to full scale."""
    n_times: int = signal.shape[-1]
    gain = 10 ** (noise_db / 20) / pink_rms(sr)
    mono = signal.reshape(-1, n_times).mean(axis=0)
    noise = pink(generator.uniform(-1, 1, size=n_times), sr)
    return np.broadcast_to(mono + gain * noise, signal.shape)


def pink(white: Signal, sr: int) -> Signal:
    """Filter white noise, of shape (n_times,), to pink, from silence."""
    from scipy.signal import lfilter

    out = white.copy()
    for pole, sign in zip(pink_poles(sr), _PINK_SIGNS, strict=True):
        out += lfilter([sign * pole], [1, -pole], white)
    return out


def pink_poles(sr: int) -> NDArray[np.float64]:
    """Give the poles of the seven first-order filters."""
    corners = next(corners for highest, corners in _PINK_CORNERS if sr <= highest)
    return np.exp(-2 * np.pi * np.array(corners) / sr)


def pink_rms(sr: int) -> float:
    """Give the root mean square of the pink noise that white noise uniform on [-1, 1) makes."""
    poles = pink_poles(sr)
    weights = _PINK_SIGNS * poles
    # The energy of the impulse response, 1 + sum(weights) at first and sum(weights * poles**n).
    energy = np.sum(np.outer(weights, weights) / (1 - np.outer(poles, poles)))
    return math.sqrt((1 + 2 * weights.sum() + energy) / 3)
