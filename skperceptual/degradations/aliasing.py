"""Too few samples a second for what a signal holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import geometrically
from skperceptual.utils._sklearn import Interval
from skperceptual.utils.resampling import resample, resampled_length


class Aliasing(Degradation):
    """Sample signals at a lower rate without a filter, and go back to their own.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the lower rate falls from 14000 to 2000 Hz in equal intervals.
    rate_hz : int, default=None
        Lower rate in Hz, in place of ``severity``.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When the lower rate is no lower.

    See Also
    --------
    GhoshResampling : Filters before it takes samples away.
    Lowpass : What such a filter does.

    Notes
    -----
    Between two samples the signal is interpolated linearly; where the lower rate divides ``sr``,
    samples are just left out. What lies above half of the lower rate is folded below it. The way
    back interpolates properly, so that nothing else is added. Nothing is delayed, but the time of
    an event is known no better than the fewer samples tell it: ``max_lag`` is half of their
    distance.

    Examples
    --------
    A tone of 5 kHz, 1 kHz above half of the lower rate, comes out 1 kHz below.

    >>> import numpy as np
    >>> from skperceptual.degradations import Aliasing
    >>> tone = np.sin(2 * np.pi * 5000 * np.arange(16000) / 16000)
    >>> folded = Aliasing(rate_hz=8000).transform(tone[np.newaxis])[0]
    >>> int(np.argmax(np.abs(np.fft.rfft(folded))))  # in Hz, after one second
    3000
    """

    physical_parameter = "rate_hz"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "rate_hz": [Interval(Integral, 1, None, closed="left"), None],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        rate_hz: int | None = None,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.rate_hz = rate_hz
        self.sr = sr
        self.match = match

    @property
    def max_lag(self) -> int:
        """Half of the distance of the fewer samples, in samples of the signal."""
        self._check_parameters()
        return math.ceil(self.sr / (2 * self.physical_value))

    def _value_at(self, severity: float) -> float:
        return round(geometrically(severity, 14000.0, 2000.0))

    def _check_parameters(self) -> None:
        if self.physical_value < self.sr:
            return
        fitting = [step / 100 for step in range(101) if self._value_at(step / 100) < self.sr]
        severities = f" (severities from {fitting[0]:g})" if 0 < len(fitting) <= 100 else ""
        raise ValueError(
            f"rate_hz={self.physical_value} is not below the sampling rate, sr={self.sr}. Give "
            f"the rate of the signals as sr, or a lower rate{severities}."
        )

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        rate, sr = int(self.physical_value), int(self.sr)

        def degrade(clip: NDArray) -> NDArray:
            times = np.arange(resampled_length(len(clip), sr, rate)) * (sr / rate)
            sampled = np.interp(times, np.arange(len(clip)), clip)
            return resample(sampled, rate, sr, quality="VHQ")[: len(clip)]

        return degrade
