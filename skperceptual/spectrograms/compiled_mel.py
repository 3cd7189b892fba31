"""The compiled mel spectrogram: what it can compute, its tables, and its call for one clip."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.functional.mel import nonzero_weights
from skperceptual.functional.scaling import QUIETEST_MAGNITUDE
from skperceptual.functional.spectrogram import padded_window

_LINE_BYTES = 64


class _Tables(NamedTuple):
    """The arguments of the kernel that the frames and the filters give."""

    window: NDArray[np.float64]
    twiddles: NDArray[np.float64]
    partners: NDArray[np.int64]
    units: NDArray[np.float64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64]


def is_compiled(n_fft: int, smallest: float) -> bool:
    """Say whether the kernel takes these frames and logarithms.

    Parameters
    ----------
    n_fft : int
        Length of a frame in samples.
    smallest : float
        The smallest number whose logarithm is to be taken.

    Returns
    -------
    bool
        True for powers of two from 16 on, and numbers that are not subnormal.
    """
    is_normal = smallest >= sys.float_info.min
    return is_normal and n_fft >= 16 and n_fft & (n_fft - 1) == 0


def quietest(power: float) -> float:
    """Give the smallest value of a band whose decibels are told apart.

    Parameters
    ----------
    power : float
        Exponent of the magnitudes.

    Returns
    -------
    float
        The value.
    """
    return float(QUIETEST_MAGNITUDE**power)


def scaling_of(
    scale: str | None, *, power: float, eps: float, data_range: tuple[float, float]
) -> NDArray[np.float64]:
    """Give the numbers that turn bands into an image.

    Parameters
    ----------
    scale : {"log01", "log", "db"} or None
        What becomes of the bands. ``"db"`` does not yet know of ``top_db``.
    power : float
        Exponent of the magnitudes.
    eps : float
        The floor of ``"log"`` and ``"log01"``.
    data_range : (float, float)
        The logarithms that ``"log01"`` maps to 0 and 1.

    Returns
    -------
    ndarray of shape (7,) or (0,)
        The argument ``scaling`` of the kernel.
    """
    if scale is None:
        numbers: tuple[float, ...] = ()
    elif scale == "db":
        floor, factor = quietest(power), 20.0 / power
        slope, offset = factor / np.log(10.0), factor * np.log10(floor)
        numbers = (floor, 0.0, floor, slope, offset, -np.inf, np.inf)
    elif scale == "log":
        numbers = (0.0, eps, 1.0, 1.0, 0.0, -np.inf, np.inf)
    else:
        low, high = data_range
        slope = 1.0 / (high - low)
        # Silence is then exactly 0, whose logarithm is the lower end of the range.
        numbers = (0.0, eps, eps, slope, slope * (math.log(eps) - low), 0.0, 1.0)
    return np.array(numbers, dtype=np.float64)


def compiled_mel_spectrogram(
    *,
    frames: dict[str, Any],
    filters: dict[str, Any],
    power: float,
    scaling: NDArray[np.float64],
) -> Callable[[NDArray, type[np.floating]], NDArray]:
    """Give the function from one clip, and the precision of the result, to its image.

    Parameters
    ----------
    frames : dict
        The parameters of :func:`skperceptual.functional.stft`.
    filters : dict
        The parameters of :func:`skperceptual.functional.mel_filterbank`.
    power : float
        Exponent of the magnitude.
    scaling : ndarray
        What :func:`scaling_of` gave.

    Returns
    -------
    callable
        Computes in double precision, without the interpreter's lock, and returns float32 or
        float64.
    """
    from skperceptual.kernels.mel_spectrogram import mel_image

    n_fft, hop_length = int(frames["n_fft"]), int(frames["hop_length"])
    padding = n_fft // 2 if frames["center"] else 0
    tables = _tables(frames["window"], frames["win_length"], **filters)

    def compute(clip: NDArray, dtype: type[np.floating]) -> NDArray:
        signal = np.ascontiguousarray(clip, dtype=np.float64)
        if padding:
            signal = np.pad(signal, padding, mode=frames["pad_mode"])
        n_frames = 1 + (len(signal) - n_fft) // hop_length
        image = _aligned((filters["n_mels"], n_frames), dtype)
        single = image if dtype == np.float32 else np.empty((0, 0), np.float32)
        double = image if dtype == np.float64 else np.empty((0, 0), np.float64)
        mel_image(signal, hop_length, *tables, float(power), scaling, single, double)
        return image

    return compute


def _aligned(shape: tuple[int, int], dtype: type[np.floating]) -> NDArray:
    """Give an array that starts at a line of the cache.

    The kernel writes a line at a time, a row apart. Rows of 1024 frames all compete for the same
    few places in the cache, so that lines written in two halves would be fetched twice.
    """
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + _LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % _LINE_BYTES
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


@lru_cache(maxsize=16)
def _tables(window: str | tuple[Any, ...], win_length: int | None, **filters: Any) -> _Tables:
    n_fft, n_mels = int(filters["n_fft"]), int(filters["n_mels"])
    half = n_fft // 2
    twiddles, frequencies = _decimation(half)
    places = np.argsort(frequencies)
    (mels, bins), weights = nonzero_weights(**filters)
    pairs = np.unique(np.minimum(bins, half - bins))
    partners = np.stack([places[pairs], places[-pairs]], axis=1)
    units = _parts(np.exp(-2j * np.pi * pairs / n_fft), 2)
    is_partner = bins > half - bins
    rows = 2 * np.searchsorted(pairs, np.where(is_partner, half - bins, bins)) + is_partner
    # Four weights at a time, the last of a filter filled up with silence.
    counts = np.bincount(mels, minlength=n_mels)
    starts = np.concatenate([[0], np.cumsum(-(-counts // 4))])
    within = np.arange(len(bins)) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = 4 * starts[mels] + within
    filled_rows = np.full(4 * starts[-1], 2 * len(pairs))
    filled_weights = np.zeros(4 * starts[-1])
    filled_rows[slots], filled_weights[slots] = rows, weights
    tables = _Tables(
        window=0.5 * padded_window(window, win_length, n_fft),
        twiddles=twiddles,
        partners=partners.astype(np.int64),
        units=units,
        starts=starts.astype(np.int64),
        rows=filled_rows.reshape(-1, 4).astype(np.int64),
        weights=filled_weights.reshape(-1, 4),
    )
    for table in tables:
        table.flags.writeable = False
    return tables


def _decimation(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the twiddle factors of an in-place transform of radix 4, and the order it leaves.

    Where 4 does not divide the length to the end, the first pass has radix 2.
    """
    frequencies = np.zeros(1, dtype=np.int64)  # of each block of a pass, in units of 1 / length
    length, twiddles = 1, []
    while length < n:
        radix = 2 if length == 1 and n.bit_length() % 2 == 0 else 4
        length *= radix
        if radix == 4:
            angles = -2 * np.pi * np.outer(frequencies, [1, 2, 3]) / length
            twiddles.append(_parts(np.exp(1j * angles), 6))
        steps = length // radix * np.arange(radix)
        frequencies = (frequencies[:, np.newaxis] + steps).ravel()
    return np.concatenate(twiddles), frequencies


def _parts(numbers: NDArray[np.complex128], n_columns: int) -> NDArray[np.float64]:
    return np.ascontiguousarray(numbers).view(np.float64).reshape(-1, n_columns)
