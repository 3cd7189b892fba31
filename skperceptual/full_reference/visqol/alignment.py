"""The delay between two signals: where their envelopes correlate best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

# Transforms of more samples than this are made in single precision, which halves their memory; the
# lags that come out best are then compared exactly.
_LONGEST_IN_DOUBLE = 2**24
_N_COMPARED = 64
_BLOCK = 2**20


def envelope(signal: NDArray[np.floating], dtype: type[np.floating]) -> NDArray[np.floating]:
    """Give what ViSQOL takes for the upper envelope of a signal.

    It is meant to be the magnitude of the analytic signal, but is the real signal rectified about
    its mean: ``2 |x - mean| + mean``.

    Parameters
    ----------
    signal : ndarray of shape (n_times,)
        The signal.
    dtype : type
        Type of the result.

    Returns
    -------
    ndarray of shape (n_times,)
        The envelope.
    """
    mean = float(np.mean(signal, dtype=np.float64))
    rectified = np.subtract(signal, mean, dtype=np.result_type(signal.dtype, dtype))
    np.abs(rectified, out=rectified)
    rectified *= 2
    rectified += mean
    return rectified.astype(dtype, copy=False)


def find_lag(reference: NDArray[np.floating], degraded: NDArray[np.floating]) -> int:
    """Find how many samples later the reference is than the degraded signal.

    Parameters
    ----------
    reference, degraded : ndarray of shape (n_times_i,)
        The signals; their lengths may differ.

    Returns
    -------
    int
        The lag at which the envelopes correlate best, the lowest of equals: negative where the
        degraded signal is late. 0 where they correlate best more than half a reference apart,
        which is no delay but chance.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.visqol.alignment import find_lag
    >>> clip = np.random.default_rng(0).standard_normal(1000)
    >>> find_lag(clip, np.concatenate([np.zeros(30), clip]))
    -30
    """
    n_reference, n_degraded = len(reference), len(degraded)
    n_fft = next_fast_len(n_reference + n_degraded - 1, real=True)
    exact = n_fft <= _LONGEST_IN_DOUBLE
    correlation = _correlate(reference, degraded, n_fft, np.float64 if exact else np.float32)
    # In the order of the lags: degraded late first.
    late, early = correlation[n_fft - n_degraded + 1 :], correlation[:n_reference]
    if exact:
        best_late = int(np.argmax(late)) if len(late) else 0
        best_early = int(np.argmax(early))
        is_late = len(late) > 0 and late[best_late] >= early[best_early]
        lag = best_late - n_degraded + 1 if is_late else best_early
        peak = max(late[best_late] if len(late) else -np.inf, early[best_early])
    else:
        lags = np.concatenate([_highest(late) - n_degraded + 1, _highest(early)])
        lag, peak = _compare_exactly(reference, degraded, np.sort(lags))
    return lag if peak > 0 and abs(lag) <= n_reference / 2 else 0


def shift(degraded: NDArray[np.floating], lag: int) -> NDArray[np.floating]:
    """Undo a delay.

    Parameters
    ----------
    degraded : ndarray of shape (n_times,)
        The degraded signal.
    lag : int
        What :func:`find_lag` gave.

    Returns
    -------
    ndarray of shape (n_times + lag,)
        The signal without its first samples, or after silence. Its end is left alone.
    """
    if lag > 0:
        return np.concatenate([np.zeros(lag, dtype=degraded.dtype), degraded])
    return degraded[-lag:]


def _correlate(
    reference: NDArray[np.floating],
    degraded: NDArray[np.floating],
    n_fft: int,
    dtype: type[np.floating],
) -> NDArray[np.floating]:
    """Correlate the envelopes, circularly: element ``k`` belongs to the lag ``k``, modulo."""
    spectrum = _transform(reference, n_fft, dtype)
    other = _transform(degraded, n_fft, dtype)
    np.conjugate(other, out=other)
    spectrum *= other
    del other
    return irfft(spectrum, n_fft, overwrite_x=True)


def _transform(
    signal: NDArray[np.floating], n_fft: int, dtype: type[np.floating]
) -> NDArray[np.complexfloating]:
    padded = np.zeros(n_fft, dtype=dtype)
    padded[: len(signal)] = envelope(signal, dtype)
    return rfft(padded, overwrite_x=True)


def _highest(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """Give the places of the highest values, a block at a time: sorting all would take more."""
    places = [np.empty(0, dtype=np.intp)]
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        places.append(start + _highest_of_block(block))
    several = np.concatenate(places)
    return several[_highest_of_block(values[several])]


def _highest_of_block(values: NDArray[np.floating]) -> NDArray[np.intp]:
    n = min(_N_COMPARED, len(values))
    return (
        np.argpartition(values, len(values) - n)[len(values) - n :] if n else np.empty(0, np.intp)
    )


def _compare_exactly(
    reference: NDArray[np.floating], degraded: NDArray[np.floating], lags: NDArray[np.intp]
) -> tuple[int, float]:
    """Give the lag of the largest correlation in double precision, and that correlation."""
    means = [float(np.mean(signal, dtype=np.float64)) for signal in (reference, degraded)]
    totals = np.zeros(len(lags))
    for place in range(0, len(degraded), _BLOCK):
        block = _envelope_of_block(degraded[place : place + _BLOCK], means[1])
        for row, lag in enumerate(lags):
            start, stop = max(place + lag, 0), min(place + lag + len(block), len(reference))
            if start < stop:
                part = _envelope_of_block(reference[start:stop], means[0])
                totals[row] += part @ block[start - place - lag : stop - place - lag]
    best = int(np.argmax(totals))
    return int(lags[best]), float(totals[best])


def _envelope_of_block(block: NDArray[np.floating], mean: float) -> NDArray[np.float64]:
    return 2 * np.abs(block.astype(np.float64) - mean) + mean
