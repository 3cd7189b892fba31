"""Reverberation by a synthetic room whose direct sound comes first, and undelayed."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval

__all__ = ["Reverberation"]


class Reverberation(Degradation):
    """Add the reverberation of a room to signals, by its level and its duration.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the ratio of direct to reverberant sound falls from 20 to -5 dB in equal
        steps.
    drr_db : float, default=None
        Direct-to-reverberant ratio: energy of the direct sound over that of all that comes later,
        in dB, in place of ``severity``. It holds exactly for every room.
    t60_seconds : float, default=0.5
        Reverberation time, within which the sound of the room falls by 60 dB. Living rooms have
        0.3 to 0.6, concert halls about 2.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal is in a room of its own, which depends on it and on the content of
        the signal alone: equal signals are in the same room, and so are all severities and
        reverberation times of one signal. None gives other rooms in each call.

    Raises
    ------
    ValueError
        When the reverberation is over within a sample.

    Notes
    -----
    The room's response at sample n is white Gaussian noise times ``10**(-3 n / (sr T60))``, from
    n = 1 to where it has fallen by 60 dB, and 1 at n = 0: what M. Schroeder (1965) measures of it
    is a straight decay of the reverberation time asked for. The direct sound keeps its level
    and its place; the reverberation adds to the level, see ``match``. It has all frequencies
    alike, while real rooms absorb the high ones sooner. The result may exceed full scale. What
    sounds on after the end of the signal is cut off.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Reverberation
    >>> click = np.zeros((1, 16000))
    >>> click[0, 0] = 1.0
    >>> (response,) = Reverberation(drr_db=3.0, random_state=0).transform(click)
    >>> round(float(response[0]), 6)
    1.0
    >>> round(float(-10 * np.log10(np.sum(response[1:] ** 2))), 6)
    3.0
    """

    physical_parameter = "drr_db"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "drr_db": [Interval(Real, -200, 200, closed="both"), None],
        "t60_seconds": [Interval(Real, 0, 60, closed="right")],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        drr_db: float | None = None,
        t60_seconds: float = 0.5,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.drr_db = drr_db
        self.t60_seconds = t60_seconds
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 20.0, -5.0)

    def _check_parameters(self) -> None:
        if self.t60_seconds * self.sr < 2:
            raise ValueError(
                f"A reverberation time of t60_seconds={self.t60_seconds!r} is less than two "
                f"samples at sr={self.sr}. Use a longer one."
            )

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        from scipy.signal import oaconvolve

        seed = draw_seed(self.random_state)
        later = np.arange(1, round(self.t60_seconds * self.sr) + 1)
        decay = 10 ** (-3 * later / (self.t60_seconds * self.sr))
        energy = 10 ** (-self.physical_value / 10)

        def degrade(clip: NDArray) -> NDArray:
            noise = clip_generator(seed, np.atleast_2d(clip)).standard_normal(len(later))
            tail = decay * noise
            tail *= np.sqrt(energy / np.sum(np.square(tail)))
            room = np.zeros_like(clip)
            # A transform that long leaves rounding even before the first sound.
            room[1:] = oaconvolve(clip, tail)[: len(clip) - 1]
            return clip + room

        return degrade
