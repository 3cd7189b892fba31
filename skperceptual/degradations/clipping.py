"""What happens to signals that are too loud for something: clipping, hard and soft."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly, geometrically
from skperceptual.degradations.levels import reference_amplitude
from skperceptual.utils._sklearn import Interval, StrOptions

_RELATIVE_TO = [StrOptions({"peak", "full_scale"})]


class HardClipping(Degradation):
    """Clip signals at a threshold.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the threshold falls from -1 to -30 dB in equal steps.
    threshold_db : float, default=None
        Where to clip, in dB relative to what ``relative_to`` says, in place of ``severity``.
    relative_to : {"peak", "full_scale"}, default="peak"
        What 0 dB is: the largest magnitude of each signal, so that quiet signals are clipped as
        much as loud ones, or ±1.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    PercentileClipping : Clips a given share of the samples.
    SoftClipping : Bends before it clips.

    Notes
    -----
    The harmonics above half the sampling rate fold back into the band, as those of a converter
    that is driven too hard do.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import HardClipping
    >>> HardClipping(threshold_db=-20.0).transform(np.array([[0.5, -0.1, 0.04, 0.0]]))
    array([[ 0.05, -0.05,  0.04,  0.  ]])
    """

    physical_parameter = "threshold_db"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "threshold_db": [Interval(Real, -200, 0, closed="both"), None],
        "relative_to": _RELATIVE_TO,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        threshold_db: float | None = None,
        relative_to: str = "peak",
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.threshold_db = threshold_db
        self.relative_to = relative_to
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, -1.0, -30.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        share = 10 ** (self.physical_value / 20)

        def degrade(clip: NDArray) -> NDArray:
            threshold = share * reference_amplitude(clip, self.relative_to)
            return np.clip(clip, -threshold, threshold)

        return degrade


class PercentileClipping(Degradation):
    """Clip a given share of the samples of signals.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the share grows from 0.1 to 40 percent in equal ratios.
    percent : float, default=None
        How many of the samples are clipped, the largest magnitudes first, in place of
        ``severity``.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    HardClipping : Clips at a given threshold.

    Notes
    -----
    The threshold is the percentile ``100 - percent`` of the magnitudes, interpolated linearly. It
    adapts to how a signal's level is distributed, as a threshold in dB does not. Samples that are
    0 do not count: a pause, digitally silent, would otherwise change what is clipped elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import PercentileClipping
    >>> PercentileClipping(percent=50.0).transform(np.array([[0.1, -0.2, 0.3, -0.4, 0.5, 0.0]]))
    array([[ 0.1, -0.2,  0.3, -0.3,  0.3,  0. ]])
    """

    physical_parameter = "percent"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "percent": [Interval(Real, 0, 100, closed="left"), None],
    }

    def __init__(
        self, *, severity: float = 0.5, percent: float | None = None, match: str = "none"
    ) -> None:
        self.severity = severity
        self.percent = percent
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.1, 40.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        left = 100 - self.physical_value

        def degrade(clip: NDArray) -> NDArray:
            magnitudes = np.abs(clip[clip != 0])
            if not len(magnitudes):
                return clip
            threshold = np.percentile(magnitudes, left)
            return np.clip(clip, -threshold, threshold)

        return degrade


class SoftClipping(Degradation):
    """Saturate signals softly, by a hyperbolic tangent.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the drive grows from 0.5 to 20 in equal ratios.
    drive : float, default=None
        Drive g in place of ``severity``: quiet sounds are amplified by g / tanh(g), peaks stay
        where they are.
    relative_to : {"peak", "full_scale"}, default="peak"
        What counts as the largest amplitude, which stays: the peak of each signal, so that quiet
        signals are bent as much as loud ones, or ±1. What exceeds full scale then still rises,
        up to 1 / tanh(g).
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    HardClipping : Changes nothing below its threshold.
    skperceptual.PMQDDistortion : Saturates by another formula, relative to full scale.

    Notes
    -----
    With p the largest amplitude, a sample x becomes ``p tanh(g x / p) / tanh(g)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import SoftClipping
    >>> SoftClipping(drive=3.0).transform(np.array([[0.5, -0.1, 0.01, 0.0]])).round(4)
    array([[ 0.5   , -0.2698,  0.0301,  0.    ]])
    """

    physical_parameter = "drive"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "drive": [Interval(Real, 0, 1e6, closed="right"), None],
        "relative_to": _RELATIVE_TO,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        drive: float | None = None,
        relative_to: str = "peak",
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.drive = drive
        self.relative_to = relative_to
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.5, 20.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        drive = self.physical_value

        def degrade(clip: NDArray) -> NDArray:
            largest = reference_amplitude(clip, self.relative_to)
            if largest == 0:
                return clip
            return np.tanh(drive * (clip / largest)) * (largest / math.tanh(drive))

        return degrade
