"""Changes that are no damage, or next to none: other levels, delays, turned polarity, silence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.evaluation.pair_scores import Clip, Pair, PairScorer
from skperceptual.evaluation.severity_ladders import noting, row_of

__all__ = ["level_pairs", "score_changes", "score_quiet", "shifted_pairs", "shortest_clip"]

# -120 dB: below the noise of any recording, and far above where float32 ends.
_QUIET = 1e-6
_DELAYS_SAMPLES = (0.5, 1.0)


def shortest_clip(sr: int, delays_ms: Sequence[float]) -> int:
    """Give the samples that a signal needs so that the longest delay leaves half of it."""
    return 6 * _margin(sr, delays_ms)


def _margin(sr: int, delays_ms: Sequence[float]) -> int:
    return int(np.ceil(sr * max([*delays_ms, 0.0]) / 1000)) + 1


def level_pairs(
    clip: Clip, gains_db: Sequence[float]
) -> Iterator[tuple[str, str | None, float, Pair]]:
    """Give a signal with louder and quieter copies of it, and with its polarity turned.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        The signal.
    gains_db : sequence of float
        What becomes of the copy. Where that would go beyond full scale, both are turned down
        by the same amount, so that nothing but the difference in level is there to be scored.

    Yields
    ------
    tuple
        Name, parameter, its value, and the pair.
    """
    yield "polarity", None, np.nan, (clip, -clip)
    ceiling = max(1.0, float(np.abs(clip).max()))
    for gain_db in gains_db:
        copy = _in_double(clip, lambda x, gain_db=gain_db: x * 10 ** (gain_db / 20))
        turned = max(1.0, float(np.abs(copy).max()) / ceiling)
        yield "gain", "gain_db", float(gain_db), (clip / turned, copy / turned)


def shifted_pairs(
    clip: Clip, sr: int, delays_ms: Sequence[float]
) -> Iterator[tuple[str, str | None, float, Pair]]:
    """Give a part of a signal with later parts of it, so that the delay is all that differs.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        The signal.
    sr : int
        Its sampling rate in Hz.
    delays_ms : sequence of float
        Delays in milliseconds, to the nearest sample. None, half a sample and a whole one are
        always there.

    Yields
    ------
    tuple
        Name, parameter, its value, and the pair.
    """
    margin = _margin(sr, delays_ms)
    samples = sorted({0.0, *_DELAYS_SAMPLES, *(float(round(sr * ms / 1000)) for ms in delays_ms)})
    kept = slice(2 * margin, len(clip) - margin)
    for delay in samples:
        late = _in_double(clip, lambda x, delay=delay: _delay(x, delay, margin))
        yield "delay", "delay_ms", 1000 * delay / sr, (clip[kept].copy(), late[kept].copy())


def _delay(clip: NDArray[np.float64], delay: float, margin: int) -> NDArray[np.float64]:
    if delay == int(delay):
        return np.roll(clip, int(delay))
    # The ends, which are cut off, fade out: a jump there would ring through the whole signal.
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(margin) + 0.5) / margin)
    faded = clip.copy()
    faded[:margin] *= fade
    faded[-margin:] *= fade[::-1]
    frequencies = np.fft.rfftfreq(2 * len(clip))
    spectrum = np.fft.rfft(faded, n=2 * len(clip)) * np.exp(-2j * np.pi * frequencies * delay)
    return np.fft.irfft(spectrum, n=2 * len(clip))[: len(clip)]


def _in_double(clip: Clip, function: Any) -> Clip:
    return np.asarray(function(clip.astype(np.float64)), dtype=clip.dtype)


def score_changes(
    scorer: PairScorer,
    clip: Clip,
    signal: int,
    sr: int,
    gains_db: Sequence[float],
    delays_ms: Sequence[float],
) -> list[dict[str, Any]]:
    """Score one signal against its copies of other level, polarity and time."""
    rows = []
    for pairs in (level_pairs(clip, gains_db), shifted_pairs(clip, sr, delays_ms)):
        for name, parameter, value, pair in pairs:
            described = "" if parameter is None else f", {parameter}={value:g}"
            with noting(f"This came of scoring signal {signal} ({name}{described})."):
                (score,) = scorer([pair])
            kind = "delay" if name == "delay" else "level"
            rows.append(
                row_of(kind, name, parameter=parameter, value=value, signal=signal, score=score)
            )
    return rows


def score_quiet(
    scorer: PairScorer, pair: Pair, signal: int
) -> list[tuple[dict[str, Any], Exception | None]]:
    """Score silence and a pair turned down to -120 dB; give the errors that come instead.

    Parameters
    ----------
    scorer : PairScorer
        The metric.
    pair : tuple of ndarray of shape (n_times,)
        A signal and its degraded version.
    signal : int
        Number of the signal.

    Returns
    -------
    list of tuple of dict and Exception or None
        Rows of the table of scores, NaN where there is an error.
    """
    reference, degraded = pair
    silence = np.zeros_like(reference)
    cases = {
        "silence against itself": (silence, silence),
        "silent degraded signal": (reference, silence),
        "silent reference": (silence, reference),
        "pair at -120 dB": (_in_double(reference, _turn_down), _in_double(degraded, _turn_down)),
    }
    results = []
    for name, quiet in cases.items():
        score, error = np.nan, None
        try:
            # To warn of silence is right; the warnings of an audit would be about its own input.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                (score,) = scorer([quiet])
        except Exception as raised:
            error = raised
        results.append((row_of("quiet", name, signal=signal, score=score), error))
    return results


def _turn_down(clip: NDArray[np.float64]) -> NDArray[np.float64]:
    return _QUIET * clip
