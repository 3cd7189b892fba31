"""What ViSQOL asks of its pairs: resampled where that is wanted, long enough, with a sound."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.images import FrontEnd
from skperceptual.full_reference.visqol.levels import rms
from skperceptual.full_reference.visqol.patches import minimum_frames
from skperceptual.utils.messages import counted, in_a_line, warn_caller
from skperceptual.utils.resampling import resample, resampled_length
from skperceptual.utils.validation import Batch, check_signals

Pair = tuple[NDArray[np.floating], NDArray[np.floating]]

_FAR_APART_SECONDS = 1.0
# Below this level of a reference much of it lies below the floor of the images.
_QUIET_DB = -55.0
_QUIET = 10 ** (_QUIET_DB / 20)
# Rates whose signals are taken for one another; lengths whose ratio is one of theirs tell.
_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_RATIO_TOLERANCE = 1e-3


class Rates(NamedTuple):
    """Sampling rates before and after resampling, in Hz.

    Parameters
    ----------
    reference, degraded : int or None
        Those of the signals as they are given; None where they are not resampled.
    target : int
        That at which they are compared.
    """

    reference: int | None
    degraded: int | None
    target: float

    def resample(self, pair: Pair) -> Pair:
        """Give a pair at the rate at which it is compared."""
        if self.reference is None or self.degraded is None:
            return pair
        reference, degraded = pair
        target = int(self.target)
        return resample(reference, self.reference, target), resample(
            degraded, self.degraded, target
        )

    def lengths(self, pair: Pair) -> tuple[int, int]:
        """Give the samples of both after resampling."""
        if self.reference is None or self.degraded is None:
            return len(pair[0]), len(pair[1])
        target = int(self.target)
        return (
            resampled_length(len(pair[0]), self.reference, target),
            resampled_length(len(pair[1]), self.degraded, target),
        )


def check_rates(resample_from: int | tuple[int, int] | None, sr: float) -> Rates:
    """Check the sampling rates that a user gave.

    Parameters
    ----------
    resample_from : int, tuple of int or None
        Sampling rates of the signals where they are not ``sr``.
    sr : float
        The rate at which they are compared.

    Returns
    -------
    Rates
        The rates.

    Raises
    ------
    ValueError
        When they are no rates, or ``sr`` is none to resample to.
    """
    if resample_from is None:
        return Rates(None, None, sr)
    if int(sr) != sr:
        raise ValueError(f"Signals are resampled to whole rates, and sr={sr!r}.")
    rates = resample_from if isinstance(resample_from, tuple) else (resample_from, resample_from)
    if len(rates) != 2 or not all(isinstance(r, (int, np.integer)) and r > 0 for r in rates):
        raise ValueError(
            "Expected resample_from to be a sampling rate in Hz, or those of references and of "
            f"degraded signals, got {resample_from!r}."
        )
    return Rates(int(rates[0]), int(rates[1]), sr)


def check_pairs(X: Any, mode: str, front_end: FrontEnd, rates: Rates) -> tuple[Batch, list[Pair]]:
    """Check pairs of signals.

    Parameters
    ----------
    X : array or list
        What the user gave.
    mode : {"audio", "speech"}
        The mode.
    front_end : FrontEnd
        Frames and filters.
    rates : Rates
        Sampling rates of the signals.

    Returns
    -------
    batch : ndarray or list
        The same clips as floating-point arrays.
    pairs : list of tuple of ndarray
        The reference and the degraded signal of each, not resampled yet.

    Raises
    ------
    ValueError
        For what :func:`skperceptual.utils.validation.check_signals` refuses, signals that are too
        short, and a silent reference.
    """
    batch = check_signals(X, pairs=True)
    pairs: list[Pair] = [(pair[0], pair[1]) for pair in batch]
    needed = (
        front_end.win_length + (minimum_frames(mode) - 1) * front_end.hop_length,
        front_end.win_length + 1,
    )
    names = ("reference", "degraded signal")
    for row, pair in enumerate(pairs):
        for length, least, name in zip(rates.lengths(pair), needed, names, strict=True):
            if length < least:
                raise ValueError(
                    f"The {name} of pair {row} has {length} samples, too few for ViSQOL: in "
                    f"{mode} mode at {front_end.sr:g} Hz a reference needs at least {needed[0]} "
                    f"({needed[0] / front_end.sr:.2f} s) and a degraded signal {needed[1]}. Use "
                    "longer clips, or leave it out."
                )
        if not pair[0].any():
            raise ValueError(
                f"The reference of pair {row} is silent, so that there is nothing to compare "
                "with. Leave that pair out, or see whether reference and degraded were swapped."
            )
    return batch, pairs


def warn_of_pairs(pairs: list[Pair], rates: Rates) -> None:
    """Warn of silence, of quiet references, of rates that seem to differ, and of lengths that do.

    Parameters
    ----------
    pairs : list of tuple of ndarray
        Checked pairs.
    rates : Rates
        Their sampling rates.
    """
    silent = [row for row, pair in enumerate(pairs) if not pair[1].any()]
    if silent:
        warn_caller(
            f"The degraded signal of {counted(len(silent), 'pair')} is silent "
            f"(row {in_a_line(silent)}). Pauses of the reference are then met with silence: a "
            "reference that has many is rated well."
        )
    quiet = [row for row, pair in enumerate(pairs) if rms(pair[0]) < _QUIET]
    if quiet:
        warn_caller(
            f"The reference of {counted(len(quiet), 'pair')} is below {_QUIET_DB:g} dB re full "
            f"scale (row {in_a_line(quiet)}), and what is damaged below -90 dB in a band is not "
            "heard. Normalise references before the comparison."
        )
    lengths = np.array([rates.lengths(pair) for pair in pairs])
    seconds = np.abs(lengths[:, 0] - lengths[:, 1]) / rates.target
    _warn_of_rates(lengths, rates)
    far = np.flatnonzero(seconds > _FAR_APART_SECONDS)
    if len(far):
        warn_caller(
            f"Reference and degraded signal differ by more than {_FAR_APART_SECONDS:g} s in "
            f"{counted(len(far), 'pair')} (row {in_a_line(far)}). What one of them lacks is "
            "compared with the most similar part of the other."
        )


def _warn_of_rates(lengths: NDArray[np.int_], rates: Rates) -> None:
    """Warn where lengths are to one another as sampling rates are."""
    ratios = lengths[:, 0] / lengths[:, 1]
    for one, other in itertools.permutations(_RATES, 2):
        rows = np.flatnonzero(np.abs(ratios * other / one - 1) < _RATIO_TOLERANCE)
        if rates.target in (one, other) and len(rows):
            warn_caller(
                f"The lengths of {counted(len(rows), 'pair')} are as {one} to {other} "
                f"(row {in_a_line(rows)}). If those are the sampling rates of references and "
                f"degraded signals, use resample_from=({one}, {other})."
            )
