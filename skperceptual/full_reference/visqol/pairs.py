"""What ViSQOL asks of its pairs: resampled where that is wanted, long enough, with a sound."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.visqol.images import FrontEnd
from skperceptual.full_reference.visqol.patches import minimum_frames
from skperceptual.utils.messages import counted, in_a_line
from skperceptual.utils.resampling import resample
from skperceptual.utils.validation import Batch, check_signals

Pair = tuple[NDArray[np.floating], NDArray[np.floating]]

_FAR_APART_SECONDS = 1.0
# Rates whose signals are taken for one another; lengths whose ratio is one of theirs tell.
_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_RATIO_TOLERANCE = 1e-3


def check_pairs(
    X: Any, mode: str, front_end: FrontEnd, resample_from: int | tuple[int, int] | None
) -> tuple[Batch, list[Pair]]:
    """Check pairs of signals.

    Parameters
    ----------
    X : array or list
        What the user gave.
    mode : {"audio", "speech"}
        The mode.
    front_end : FrontEnd
        Frames and filters.
    resample_from : int, tuple of int or None
        Sampling rates of the signals where they are not those of the front end.

    Returns
    -------
    batch : ndarray or list
        The same clips as floating-point arrays.
    pairs : list of tuple of ndarray
        The reference and the degraded signal of each, resampled.

    Raises
    ------
    ValueError
        For what :func:`skperceptual.utils.validation.check_signals` refuses, signals that are too
        short, and a silent reference.
    """
    batch = check_signals(X, pairs=True)
    pairs: list[Pair] = [(pair[0], pair[1]) for pair in batch]
    if resample_from is not None:
        rates = _rates(resample_from)
        target = int(front_end.sr)
        if target != front_end.sr:
            raise ValueError(f"Signals are resampled to whole rates, and sr={front_end.sr!r}.")
        pairs = [
            (resample(pair[0], rates[0], target), resample(pair[1], rates[1], target))
            for pair in pairs
        ]
    needed = (
        front_end.win_length + (minimum_frames(mode) - 1) * front_end.hop_length,
        front_end.win_length + 1,
    )
    for row, pair in enumerate(pairs):
        for signal, least, name in zip(pair, needed, ("reference", "degraded signal"), strict=True):
            if len(signal) < least:
                raise ValueError(
                    f"The {name} of pair {row} has {len(signal)} samples, too few for ViSQOL: in "
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


def warn_of_lengths(pairs: list[Pair], sr: float) -> None:
    """Warn of signals whose lengths differ by more than a second.

    Parameters
    ----------
    pairs : list of tuple of ndarray
        Checked pairs.
    sr : float
        Their sampling rate in Hz.
    """
    lengths = np.array([[len(signal) for signal in pair] for pair in pairs])
    far = np.flatnonzero(np.abs(lengths[:, 0] - lengths[:, 1]) > _FAR_APART_SECONDS * sr)
    if not len(far):
        return
    ratio = lengths[far[0], 0] / lengths[far[0], 1]
    rates = [
        f" The lengths of pair {far[0]} are as {one} to {other}: if those are the sampling rates, "
        f"use resample_from=({one}, {other})."
        for one in _RATES
        for other in _RATES
        if one != other and sr in (one, other) and abs(ratio * other / one - 1) < _RATIO_TOLERANCE
    ]
    warnings.warn(
        f"Reference and degraded signal differ by more than {_FAR_APART_SECONDS:g} s in "
        f"{counted(len(far), 'pair')} (row {in_a_line(far)}). What one of them lacks is compared "
        f"with the most similar part of the other.{''.join(rates[:1])}",
        UserWarning,
        stacklevel=5,
    )


def _rates(resample_from: int | tuple[int, int]) -> tuple[int, int]:
    rates = resample_from if isinstance(resample_from, tuple) else (resample_from, resample_from)
    if len(rates) != 2 or not all(isinstance(r, (int, np.integer)) and r > 0 for r in rates):
        raise ValueError(
            "Expected resample_from to be a sampling rate in Hz, or those of references and of "
            f"degraded signals, got {resample_from!r}."
        )
    return int(rates[0]), int(rates[1])
