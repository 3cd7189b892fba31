"""Less difference between loud and quiet: a limiter and a compressor."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly, geometrically
from skperceptual.degradations.levels import reference_amplitude
from skperceptual.utils._sklearn import Interval, StrOptions

_THRESHOLD_DB = Interval(Real, -200, 0, closed="both")
_SECONDS = [Interval(Real, 0, None, closed="left")]

_SHARED: dict[str, list[Any]] = {
    **Degradation._parameter_constraints,
    "release_seconds": _SECONDS,
    "relative_to": [StrOptions({"peak", "full_scale"})],
    "sr": [Interval(Integral, 1, None, closed="left")],
}


class Limiter(Degradation):
    """Limit the peaks of signals: no sample exceeds a threshold, and nothing is clipped.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the threshold falls from -3 to -30 dB in equal steps.
    threshold_db : float, default=None
        Threshold in dB relative to what ``relative_to`` says, in place of ``severity``.
    hold_seconds : float, default=0.005
        For how long a peak is remembered, at least for half of it: the gain does not follow the
        single swings of tones whose half period is shorter.
    release_seconds : float, default=0.05
        Time in which the rest of the reduction falls to 1 / e afterwards. 0 ends it at once.
    relative_to : {"peak", "full_scale"}, default="peak"
        What 0 dB is: the largest magnitude of each signal, so that quiet signals are limited as
        much as loud ones, or ±1.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
        With ``"peak"``, quiet sounds get louder instead of loud ones quieter, as in mastering.

    See Also
    --------
    Compressor : Reduces by a ratio, and takes its time.
    skperceptual.PMQDLimiter : That of a listening test, with make-up gain.

    Notes
    -----
    The attack is instant. Peaks are held by two running maxima that start anew in turn, as in
    :class:`skperceptual.PMQDLimiter`. The gain is ``threshold / envelope`` wherever the envelope
    exceeds the threshold, and 1 elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Limiter
    >>> Limiter(threshold_db=-20.0).transform(np.array([[0.01, 1.0, 0.1, 0.01]])).round(4)
    array([[0.01 , 0.1  , 0.01 , 0.001]])
    """

    physical_parameter = "threshold_db"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_SHARED,
        "threshold_db": [_THRESHOLD_DB, None],
        "hold_seconds": _SECONDS,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        threshold_db: float | None = None,
        hold_seconds: float = 0.005,
        release_seconds: float = 0.05,
        relative_to: str = "peak",
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.threshold_db = threshold_db
        self.hold_seconds = hold_seconds
        self.release_seconds = release_seconds
        self.relative_to = relative_to
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, -3.0, -30.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        from skperceptual.kernels.limiter import limiter_gain

        share = 10 ** (self.physical_value / 20)
        release = _left_after_one_sample(self.release_seconds, self.sr)
        hold = float(self.hold_seconds * self.sr)

        def degrade(clip: NDArray) -> NDArray:
            threshold = share * reference_amplitude(clip, self.relative_to)
            return clip * limiter_gain(np.abs(clip), threshold, 1.0, release, hold)

        return degrade


class Compressor(Degradation):
    """Compress the dynamic range of signals above a threshold.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the ratio grows from 1.2 to 20 in equal ratios.
    ratio : float, default=None
        How many dB more at the input are one dB more at the output, above the threshold; in place
        of ``severity``.
    threshold_db : float, default=-30.0
        Threshold in dB relative to what ``relative_to`` says.
    knee_db : float, default=6.0
        Width of the soft knee around the threshold. 0 bends sharply.
    attack_seconds : float, default=0.005
        Time in which the difference to the reduction that is wanted falls to 1 / e while the
        reduction grows. 0 follows at once.
    release_seconds : float, default=0.1
        The same while it falls.
    relative_to : {"peak", "full_scale"}, default="peak"
        What 0 dB is: the largest magnitude of each signal, so that quiet signals are compressed
        as much as loud ones, or ±1.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
        With ``"rms"`` or ``"peak"``, quiet sounds get louder, as by make-up gain.

    See Also
    --------
    Limiter : Lets nothing exceed the threshold.

    Notes
    -----
    The level of each sample, in dB, asks for a reduction by the static curve with a quadratic
    knee; one pole for attack and another for release smooth the reduction. This is the
    feed-forward design with a smooth branching detector in the log domain of D. Giannoulis, M.
    Massberg and J. D. Reiss, Digital dynamic range compressor design - a tutorial and analysis,
    Journal of the Audio Engineering Society 60 (2012). It neither looks ahead nor delays, so that
    short peaks pass before the attack is over.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Compressor
    >>> step = Compressor(ratio=4.0, threshold_db=-20.0, attack_seconds=0, relative_to="full_scale")
    >>> compressed = step.transform(np.array([[0.01, 1.0]]))
    >>> (20 * np.log10(compressed)).round(2)  # 15 of the 20 dB above the threshold are gone
    array([[-40., -15.]])
    """

    physical_parameter = "ratio"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_SHARED,
        "ratio": [Interval(Real, 1, None, closed="left"), None],
        "threshold_db": [_THRESHOLD_DB],
        "knee_db": [Interval(Real, 0, 100, closed="both")],
        "attack_seconds": _SECONDS,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        ratio: float | None = None,
        threshold_db: float = -30.0,
        knee_db: float = 6.0,
        attack_seconds: float = 0.005,
        release_seconds: float = 0.1,
        relative_to: str = "peak",
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.ratio = ratio
        self.threshold_db = threshold_db
        self.knee_db = knee_db
        self.attack_seconds = attack_seconds
        self.release_seconds = release_seconds
        self.relative_to = relative_to
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 1.2, 20.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        from skperceptual.kernels.compressor import smoothed_reduction

        slope = 1 - 1 / self.physical_value
        attack = _left_after_one_sample(self.attack_seconds, self.sr)
        release = _left_after_one_sample(self.release_seconds, self.sr)

        def degrade(clip: NDArray) -> NDArray:
            largest = reference_amplitude(clip, self.relative_to)
            if largest == 0:
                return clip
            above = _level_db(clip, largest) - self.threshold_db
            reduction = smoothed_reduction(
                slope * _rounded_ramp(above, self.knee_db), attack, release
            )
            return clip * 10 ** (-reduction / 20)

        return degrade


def _left_after_one_sample(seconds: float, sr: int) -> float:
    return math.exp(-1 / (seconds * sr)) if seconds > 0 else 0.0


def _level_db(clip: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
    return 20 * np.log10(np.maximum(np.abs(clip / largest), np.finfo(float).tiny))


def _rounded_ramp(above_db: NDArray[np.float64], knee_db: float) -> NDArray[np.float64]:
    """Give what lies above 0, and within the knee a parabola that meets both ends smoothly."""
    ramp = np.maximum(above_db, 0.0)
    if knee_db > 0:
        within = np.abs(above_db) < knee_db / 2
        ramp[within] = (above_db[within] + knee_db / 2) ** 2 / (2 * knee_db)
    return ramp
