"""Time that does not run evenly: wow and flutter of tapes and discs, jitter of clocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import geometrically
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval

__all__ = ["ClockJitter", "Flutter", "Wow"]

_N_TAPS, _N_PHASES = 64, 1024
_KAISER_BETA = 10.0
# Beyond as many standard deviations jitter is cut off, so that there is a largest lag.
_LARGEST_JITTER = 4.0


class _SpeedVariation(Degradation):
    """What wow and flutter have in common: all but how fast the speed changes."""

    physical_parameter = "deviation_percent"
    deviation_percent: float | None
    rate_hz: float
    sr: int

    @property
    def max_lag(self) -> int:
        """The largest displacement, in samples."""
        return math.ceil(self._displacement())

    def _displacement(self) -> float:
        """Give the amplitude of the displacement, in samples."""
        return self.physical_value / 100 / (2 * math.pi * self.rate_hz) * self.sr

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        def degrade(clip: NDArray) -> NDArray:
            times = np.arange(len(clip), dtype=np.float64)
            phase = 2 * np.pi * self.rate_hz / self.sr * times
            return read_at(clip, times + self._displacement() * np.sin(phase))

        return degrade


class Wow(_SpeedVariation):
    """Vary the speed of signals slowly, as an eccentric record does.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the peak deviation of the speed grows from 0.1 to 1 % in equal ratios.
    deviation_percent : float, default=None
        Peak deviation of the speed in percent, in place of ``severity``.
    rate_hz : float, default=4.0
        How often a second the speed goes up and down, from 0.5 to 6: at 4 it is heard best.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    Flutter : Faster.
    ClockJitter : At random, from sample to sample.

    Notes
    -----
    The result at time t is the signal at ``t + A sin(2 pi f t)``, whose speed deviates by ``2 pi f
    A`` at most. A, in samples, is the ``max_lag``: 1 % at 4 Hz are 0.4 ms. Metrics that compare
    spectrograms stand less than half a hop of that, those that compare samples nearly nothing.
    The signal is read between its samples by a windowed sinc of 64 taps. It is silent before its
    beginning and after its end.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Wow
    >>> step = Wow(deviation_percent=1.0)
    >>> step.max_lag
    7
    >>> step.transform(np.sin(np.arange(16000.0) / 10)[np.newaxis]).shape
    (1, 16000)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "deviation_percent": [Interval(Real, 0, 50, closed="neither"), None],
        "rate_hz": [Interval(Real, 0.5, 6, closed="both")],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        deviation_percent: float | None = None,
        rate_hz: float = 4.0,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.deviation_percent = deviation_percent
        self.rate_hz = rate_hz
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.1, 1.0)


class Flutter(_SpeedVariation):
    """Vary the speed of signals fast, as a tape does that sticks: the sound becomes rough.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the peak deviation of the speed grows from 0.1 to 3 % in equal ratios.
    deviation_percent : float, default=None
        Peak deviation of the speed in percent, in place of ``severity``.
    rate_hz : float, default=20.0
        How often a second the speed goes up and down, from 6 to 100.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    Wow : Slower, with more about how.
    ClockJitter : At random, from sample to sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Flutter
    >>> step = Flutter(deviation_percent=1.0)
    >>> step.max_lag
    2
    >>> step.transform(np.sin(np.arange(16000.0) / 10)[np.newaxis]).shape
    (1, 16000)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Wow._parameter_constraints,
        "rate_hz": [Interval(Real, 6, 100, closed="both")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        deviation_percent: float | None = None,
        rate_hz: float = 20.0,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.deviation_percent = deviation_percent
        self.rate_hz = rate_hz
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.1, 3.0)


class ClockJitter(Degradation):
    """Take every sample of signals a little too early or too late, as a bad converter does.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the jitter grows from 0.5 to 30 microseconds in equal ratios.
    jitter_us : float, default=None
        Standard deviation of a sample's time in microseconds, in place of ``severity``.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal has jitter of its own, which depends on it and on the content of
        the signal alone; all severities of one signal have the same one, of other size. None gives
        other jitter in each call.

    See Also
    --------
    Wow : Slow and periodic.

    Notes
    -----
    The times are independent and Gaussian, and cut off at four standard deviations: the
    ``max_lag``. A sine of frequency f keeps a signal-to-noise ratio of ``-20 log10(2 pi f
    sigma)`` dB, where that is large: high frequencies suffer most. The signal is read between its
    samples by a windowed sinc of 64 taps.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import ClockJitter
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)[np.newaxis]
    >>> error = ClockJitter(jitter_us=1.0, random_state=0).transform(tone) - tone
    >>> print(f"{20 * np.log10(tone.std() / error.std()):.0f} dB")
    44 dB
    """

    physical_parameter = "jitter_us"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "jitter_us": [Interval(Real, 0, 1e4, closed="neither"), None],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        jitter_us: float | None = None,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.jitter_us = jitter_us
        self.sr = sr
        self.match = match
        self.random_state = random_state

    @property
    def max_lag(self) -> int:
        """Four standard deviations of the jitter, in samples."""
        return math.ceil(_LARGEST_JITTER * self._deviation())

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.5, 30.0)

    def _deviation(self) -> float:
        """Give the standard deviation in samples."""
        return 1e-6 * self.physical_value * self.sr

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        seed = draw_seed(self.random_state)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            jitter = generator.standard_normal(len(clip)).clip(-_LARGEST_JITTER, _LARGEST_JITTER)
            return read_at(clip, np.arange(len(clip)) + self._deviation() * jitter)

        return degrade


def read_at(clip: NDArray, places: NDArray) -> NDArray[np.float64]:
    """Read a clip between its samples.

    Parameters
    ----------
    clip : ndarray of shape (n_times,), float64
        The clip, taken for silent beyond its ends.
    places : ndarray of shape (n_places,), float64
        Where to read it, in samples.

    Returns
    -------
    ndarray of shape (n_places,)
        The values there.
    """
    from skperceptual.kernels.interpolation import interpolate_at

    return interpolate_at(clip, places, _sinc_table())


@cache
def _sinc_table() -> NDArray[np.float64]:
    """Give the windowed sinc at every place between two samples, a row a place."""
    phases = np.arange(_N_PHASES + 1)[:, np.newaxis] / _N_PHASES
    distance = np.arange(_N_TAPS) - (_N_TAPS // 2 - 1) - phases
    inside = np.clip(1 - np.square(distance / (_N_TAPS // 2)), 0, None)
    taps = np.sinc(distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    taps.flags.writeable = False
    return taps
