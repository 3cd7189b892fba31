"""Each patch once more: cut from the signals, shifted against one another, compared anew.

Frames that come to lie where a frame of the whole signal lies are not computed again; as a rule
that is nearly all of the reference, and all of a degraded signal whose delay does not change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.alignment import find_lag
from skperceptual.full_reference.visqol.images import FrontEnd, comparable_images
from skperceptual.full_reference.visqol.similarity import Patches, compare_images

# Patches whose frames are computed in one go: enough to fill the lanes of the kernel, few enough
# not to hold an hour of audio in double precision.
_AT_ONCE = 64

Signals = tuple[NDArray[np.floating], NDArray[np.floating]]


class _Cut(NamedTuple):
    """A piece of a signal: some silence, then samples from ``start`` to ``stop``."""

    silence: int
    start: int
    stop: int

    @property
    def n_times(self) -> int:
        """Its length in samples."""
        return self.silence + max(0, self.stop - self.start)

    def delay(self, n: int) -> _Cut:
        """Put silence in front."""
        return self._replace(silence=self.silence + n)

    def drop(self, n: int) -> _Cut:
        """Leave out the first samples."""
        silent = min(n, self.silence)
        return _Cut(self.silence - silent, self.start + n - silent, self.stop)

    def keep(self, n: int) -> _Cut:
        """Keep the first samples alone."""
        silence = min(n, self.silence)
        return _Cut(silence, self.start, min(self.stop, self.start + n - silence))

    def of(self, signal: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give its samples."""
        samples = np.zeros(self.n_times)
        samples[self.silence :] = signal[self.start : max(self.start, self.stop)]
        return samples


class _Aligned(NamedTuple):
    """The two pieces of a patch, of one length, and their delay in samples."""

    row: int
    cuts: tuple[_Cut, _Cut]
    lag: int


def align_patches(
    signals: Signals,
    levels: tuple[NDArray[np.float64], NDArray[np.float64]],
    gain: float,
    patches: Patches,
    front_end: FrontEnd,
) -> Patches:
    """Undo the delay of each patch, and keep what makes it more similar.

    Parameters
    ----------
    signals : tuple of ndarray
        The reference, and the degraded signal after its delay was undone.
    levels : tuple of ndarray of shape (n_bands, n_frames_i)
        The levels of their frames, those of the degraded signal times ``gain``.
    gain : float
        What brings the degraded signal to the level of the reference.
    patches : Patches
        Times and similarities so far.
    front_end : FrontEnd
        Frames and filters.

    Returns
    -------
    Patches
        Times and similarities after that.
    """
    # The original tells patches that are met nowhere by their times.
    rows = np.flatnonzero(patches.degraded_times.any(axis=1))
    times = patches.reference_times.copy(), patches.degraded_times.copy()
    values = patches.means.copy(), patches.deviations.copy(), patches.energies.copy()
    for first in range(0, len(rows), _AT_ONCE):
        aligned = [
            _align(row, signals, patches, front_end.sr) for row in rows[first : first + _AT_ONCE]
        ]
        pieces = [
            _levels_of(signal, known, [patch.cuts[side] for patch in aligned], factor, front_end)
            for side, (signal, known, factor) in enumerate(
                zip(signals, levels, (1.0, gain), strict=True)
            )
        ]
        for patch, *pair in zip(aligned, *pieces, strict=True):
            found = compare_images(*comparable_images(*pair))
            row = patch.row
            if found[0].mean() < values[0][row].mean():
                continue
            for array, value in zip(values, found, strict=True):
                array[row] = value
            seconds = patch.lag / front_end.sr
            times[0][row, 0] += max(seconds, 0.0)
            times[1][row, 0] += max(-seconds, 0.0)
            for side, cut in enumerate(patch.cuts):
                times[side][row, 1] = times[side][row, 0] + cut.n_times / front_end.sr
    return Patches(times[0], times[1], patches.is_met, *values)


def _align(row: int, signals: Signals, patches: Patches, sr: float) -> _Aligned:
    """Cut the two pieces of a patch and undo their delay."""
    times = patches.reference_times[row], patches.degraded_times[row]
    reference, degraded = (
        _cut(len(signal), float(start), float(stop), sr)
        for signal, (start, stop) in zip(signals, times, strict=True)
    )
    lag = find_lag(reference.of(signals[0]), degraded.of(signals[1]))
    n_reference = reference.n_times
    degraded = degraded.delay(lag) if lag > 0 else degraded.drop(-lag)
    if degraded.n_times > n_reference:
        # The time of the lag, turned back into samples, may be one sample less.
        n_dropped = max(0, int(lag / sr * sr))
        reference = reference.drop(n_dropped)
        degraded = degraded.keep(n_reference).drop(n_dropped)
    else:
        reference = reference.keep(degraded.n_times)
    return _Aligned(row, (reference, degraded), lag)


def _cut(n_times: int, start: float, stop: float, sr: float) -> _Cut:
    """Cut from ``start`` to ``stop``, in seconds, as the original does.

    Times become samples by truncation, the last sample is never taken, and what is missing
    beyond the end is put in front.
    """
    missing = max(0, int(stop * sr - n_times))
    return _Cut(missing, int(start * sr), min(n_times - 1, int(stop * sr)))


def _levels_of(
    signal: NDArray[np.floating],
    known: NDArray[np.float64],
    cuts: list[_Cut],
    factor: float,
    front_end: FrontEnd,
) -> list[NDArray[np.float64]]:
    """Give the levels of the frames of each piece."""
    hop_length = front_end.hop_length
    results: list[NDArray[np.float64] | None] = []
    samples: list[NDArray[np.float64]] = []
    starts: list[NDArray[np.int64]] = []
    n_samples = 0
    for cut in cuts:
        n_frames = front_end.count_frames(cut.n_times)
        if cut.silence == 0 and cut.start % hop_length == 0:
            place = cut.start // hop_length
            results.append(known[:, place : place + n_frames])
            continue
        results.append(None)
        samples.append(cut.of(signal))
        starts.append(n_samples + hop_length * np.arange(n_frames, dtype=np.int64))
        n_samples += cut.n_times
    if not samples:
        return [levels for levels in results if levels is not None]
    fresh = factor * front_end.levels_at(np.concatenate(samples), np.concatenate(starts))
    parts = iter(np.split(fresh, np.cumsum([len(some) for some in starts])[:-1], axis=1))
    return [next(parts) if levels is None else levels for levels in results]
