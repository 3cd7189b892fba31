"""Short gaps, as of a worn tape or a radio microphone out of reach."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.fades import raised_mask
from skperceptual.degradations.ladders import geometrically
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval

__all__ = ["Dropouts"]


class Dropouts(Degradation):
    """Silence short spans of signals.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 1 % of the time to 30 % in equal ratios.
    dropped_percent : float, default=None
        Share of the time that is silent, in percent, in place of ``severity``. It holds exactly
        for every signal, to a sample, but for the fades.
    dropout_seconds : float, default=0.05
        Duration of a dropout. One of each signal is shorter, for the share to be as asked for.
    fade_seconds : float, default=0.005
        Duration of the fades before and after a dropout, in which the signal is still heard. 0
        leaves clicks.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal has dropouts at places of its own, which depend on it and on the
        content of the signal alone. What is silent at one severity is silent at all higher ones
        too. None gives other places in each call.

    Raises
    ------
    ValueError
        When a dropout is shorter than a sample.

    See Also
    --------
    PacketLoss : Gaps that come in bursts, and concealment.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Dropouts
    >>> tone = np.cos(np.arange(160000) / 10)[np.newaxis]
    >>> holed = Dropouts(dropped_percent=3.3, random_state=0).transform(tone)
    >>> float(np.mean(holed == 0))
    0.033
    """

    physical_parameter = "dropped_percent"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "dropped_percent": [Interval(Real, 0, 100, closed="right"), None],
        "dropout_seconds": [Interval(Real, 0, None, closed="neither")],
        "fade_seconds": [Interval(Real, 0, None, closed="left")],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        dropped_percent: float | None = None,
        dropout_seconds: float = 0.05,
        fade_seconds: float = 0.005,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.dropped_percent = dropped_percent
        self.dropout_seconds = dropout_seconds
        self.fade_seconds = fade_seconds
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 1.0, 30.0)

    def _check_parameters(self) -> None:
        if round(self.dropout_seconds * self.sr) < 1:
            raise ValueError(
                f"dropout_seconds={self.dropout_seconds!r} is less than a sample at sr={self.sr}. "
                "Use a longer one."
            )

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        seed = draw_seed(self.random_state)
        n_dropout = round(self.dropout_seconds * self.sr)
        n_fade = round(self.fade_seconds * self.sr)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            n_dropped = max(1, round(self.physical_value / 100 * len(clip)))
            gaps = _place(n_dropped, len(clip), n_dropout, generator)
            return clip * (1 - raised_mask(gaps, len(clip), n_fade))

        return degrade


def _place(
    n_dropped: int, n_times: int, n_dropout: int, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """Choose slots of the length of a dropout in an order that more of them only go on with."""
    offset = int(generator.integers(n_dropout))  # of the first slot, most of which may be outside
    edges = np.arange(-offset, n_times + n_dropout, n_dropout).clip(0, n_times)
    gaps = []
    for slot in generator.permutation(len(edges) - 1):
        start, stop = int(edges[slot]), int(edges[slot + 1])
        stop = min(stop, start + n_dropped)
        if stop > start:
            gaps.append((start, stop))
            n_dropped -= stop - start
    return gaps
