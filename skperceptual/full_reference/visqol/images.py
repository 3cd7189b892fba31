"""The images that ViSQOL compares: gammatone levels of frames, in decibels above a common floor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.functional.gammatone import (
    gammatone_filters,
    gammatone_frequencies,
    symmetric_hann,
)
from skperceptual.spectrograms.gammatone import visqol_frames

_N_BANDS = {"audio": 32, "speech": 21}
_LOWEST_HZ, _HIGHEST_OF_SPEECH_HZ = 50.0, 8000.0
# Levels in 10 log10 of an amplitude: the lowest that counts, and how far below the loudest band of
# a frame another one counts.
_FLOOR_DB, _RANGE_DB = -45.0, 45.0
QUIETEST_LEVEL = 10 ** (_FLOOR_DB / 10)
_SILENCE = float(np.finfo(np.float64).eps)
# So many frames of a long recording are held in double precision at a time.
_FRAMES_AT_ONCE = 2048


class FrontEnd(NamedTuple):
    """Frames and filters at one sampling rate.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    win_length, hop_length : int
        Length of a frame and distance between frames, in samples.
    window : ndarray of shape (win_length,)
        What a frame is multiplied by.
    frequencies : ndarray of shape (n_bands,)
        Centre frequencies in Hz.
    filters : ndarray of shape (n_bands, 7)
        What :func:`skperceptual.functional.gammatone_filters` gave.
    """

    sr: float
    win_length: int
    hop_length: int
    window: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    filters: NDArray[np.float64]

    def count_frames(self, n_times: int) -> int:
        """Give the whole frames in so many samples."""
        return max(0, 1 + (n_times - self.win_length) // self.hop_length)

    def levels(self, signal: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the levels of all frames of a signal, (n_bands, n_frames)."""
        n_frames = self.count_frames(len(signal))
        return self.levels_at(signal, self.hop_length * np.arange(n_frames, dtype=np.int64))

    def levels_at(
        self, signal: NDArray[np.floating], starts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Give the levels of some frames, in the order of their first samples."""
        from skperceptual.kernels.gammatone import frame_levels

        parts = []
        for first in range(0, len(starts), _FRAMES_AT_ONCE):
            some = starts[first : first + _FRAMES_AT_ONCE]
            block = signal[some[0] : some[-1] + self.win_length]
            levels = np.empty((len(self.filters), len(some)))
            frame_levels(
                np.ascontiguousarray(block, dtype=np.float64),
                some - some[0],
                self.window,
                self.filters,
                levels,
            )
            parts.append(levels)
        return np.concatenate(parts, axis=1)


def make_front_end(mode: str, sr: float) -> FrontEnd:
    """Design frames and filters.

    Parameters
    ----------
    mode : {"audio", "speech"}
        32 bands up to half the sampling rate, or 21 up to 8 kHz.
    sr : float
        Sampling rate in Hz.

    Returns
    -------
    FrontEnd
        Frames and filters.

    Raises
    ------
    ValueError
        When the rate is too low for them.
    """
    win_length, hop_length = visqol_frames(sr)
    highest = sr / 2 if mode == "audio" else min(_HIGHEST_OF_SPEECH_HZ, sr / 2)
    if hop_length < 1 or highest <= _LOWEST_HZ:
        raise ValueError(
            f"ViSQOL needs a sampling rate well above {2 * _LOWEST_HZ:g} Hz, got sr={sr:g}. It is "
            "made for 48000 Hz in audio mode and 16000 Hz in speech mode."
        )
    frequencies = gammatone_frequencies(n_bands=_N_BANDS[mode], fmin=_LOWEST_HZ, fmax=highest)
    return FrontEnd(
        sr=sr,
        win_length=win_length,
        hop_length=hop_length,
        window=symmetric_hann(win_length),
        frequencies=frequencies,
        filters=gammatone_filters(frequencies, sr=sr),
    )


def comparable_images(
    reference: NDArray[np.float64], degraded: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn the levels of a pair into decibels above what is silence for both.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_bands, n_frames_i)
        Levels, root mean squares.

    Returns
    -------
    tuple of ndarray
        The images, 0 at the least value of both.
    """
    images = [
        np.maximum(10 * np.log10(np.where(levels == 0, _SILENCE, levels)), _FLOOR_DB)
        for levels in (reference, degraded)
    ]
    n_common = min(image.shape[1] for image in images)
    loudest = np.maximum(*(image[:, :n_common].max(axis=0) for image in images))
    for image in images:
        np.maximum(image[:, :n_common], loudest - _RANGE_DB, out=image[:, :n_common])
    least = min(image.min() for image in images)
    return images[0] - least, images[1] - least
