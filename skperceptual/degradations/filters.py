"""Bands of frequencies taken from signals: low-pass, high-pass, band-pass."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.butterworth import (
    filter_from_silence,
    filter_without_phase,
    longest_delay,
    sections,
)
from skperceptual.degradations.ladders import evenly, geometrically
from skperceptual.utils._sklearn import Interval, Options

_LOWEST_HZ = 1.0
_HZ = [Interval(Real, _LOWEST_HZ, None, closed="left")]


class _Filter(Degradation):
    """Base of the filters: Butterworth, with its phase or without."""

    order: int
    zero_phase: bool
    sr: int
    _band: ClassVar[str]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "order": [Options(Integral, {2, 4, 6, 8})],
        "zero_phase": ["boolean"],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    @property
    def max_lag(self) -> int:
        """0, or the longest phase delay or lead that the filter has where it lets sound pass."""
        self._check_parameters()
        if self.zero_phase:
            return 0
        edges = self._edges(self.physical_value)
        return longest_delay(self._band, edges, order=self.order, sr=self.sr)

    @abstractmethod
    def _edges(self, physical_value: float) -> tuple[float, ...]:
        """Give the frequencies at -3 dB, in Hz and rising, for a physical value."""

    def _check_parameters(self) -> None:
        edges = self._edges(self.physical_value)
        if edges[0] < _LOWEST_HZ:
            raise ValueError(
                f"{self.physical_parameter}={self.physical_value:g} puts an edge at {edges[0]:g} "
                f"Hz. Filters here end at {_LOWEST_HZ:g} Hz."
            )
        if edges[-1] < self.sr / 2:
            return
        fitting = [step / 100 for step in range(101) if self._fits(step / 100)]
        severities = ""
        if 0 < len(fitting) <= 100:
            end = f"up to {fitting[-1]:g}" if fitting[0] == 0 else f"from {fitting[0]:g}"
            severities = f" (severities {end})"
        raise ValueError(
            f"{self.physical_parameter}={self.physical_value:g} needs {edges[-1]:g} Hz, which does "
            f"not fit into half of the sampling rate, sr={self.sr}. Give the rate of the signals "
            f"as sr, or keep below {self.sr / 2:g} Hz{severities}."
        )

    def _fits(self, severity: float) -> bool:
        return self._edges(self._value_at(severity))[-1] < self.sr / 2

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        edges = self._edges(self.physical_value)
        cascade = sections(self._band, edges, order=self.order, sr=self.sr)
        run = filter_without_phase if self.zero_phase else filter_from_silence
        return lambda clip: run(clip, cascade)


class Lowpass(_Filter):
    """Take the treble from signals.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the cutoff falls from 7000 to 700 Hz in equal intervals. The two anchors of
        ITU-R BS.1534, 7 and 3.5 kHz, are at 0 and 0.30.
    cutoff_hz : float, default=None
        Frequency at which the response is at -3 dB, in place of ``severity``.
    order : {2, 4, 6, 8}, default=4
        Of the Butterworth filter: the slope is 6 dB an octave for each.
    zero_phase : bool, default=True
        Whether to leave the filter's phase away and keep its magnitude, so that nothing moves.
        False filters as an analogue or a causal digital device does, and delays.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When half the sampling rate does not exceed the cutoff.

    See Also
    --------
    Highpass : Takes the bass.
    skperceptual.PMQDLowpass : That of a listening test, which delays and clips.

    Notes
    -----
    A digital Butterworth filter, by the bilinear transform. Before and after a signal there is
    silence. Without phase, the spectrum of the whole signal is multiplied by the magnitude of the
    response; it sounds before a click as it does after it.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Lowpass
    >>> telephone = Lowpass(cutoff_hz=3400.0)
    >>> tones = np.sin(np.pi * np.array([[200.0], [3400.0], [6800.0]]) * np.arange(16000) / 8000)
    >>> filtered = telephone.transform(tones)
    >>> (20 * np.log10(filtered.std(axis=1) / tones.std(axis=1))).round() + 0.0
    array([  0.,  -3., -55.])
    >>> telephone.max_lag, telephone.set_params(zero_phase=False).max_lag
    (0, 3)
    """

    physical_parameter = "cutoff_hz"
    _band = "lowpass"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_Filter._parameter_constraints,
        "cutoff_hz": [*_HZ, None],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        cutoff_hz: float | None = None,
        order: int = 4,
        zero_phase: bool = True,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.cutoff_hz = cutoff_hz
        self.order = order
        self.zero_phase = zero_phase
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 7000.0, 700.0)

    def _edges(self, physical_value: float) -> tuple[float, ...]:
        return (physical_value,)


class Highpass(_Filter):
    """Take the bass from signals.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the cutoff rises from 100 to 2000 Hz in equal intervals.
    cutoff_hz : float, default=None
        Frequency at which the response is at -3 dB, in place of ``severity``.
    order : {2, 4, 6, 8}, default=4
        Of the Butterworth filter: the slope is 6 dB an octave for each.
    zero_phase : bool, default=True
        Whether to leave the filter's phase away and keep its magnitude, so that nothing moves.
        False filters as an analogue or a causal digital device does: low tones come early.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When half the sampling rate does not exceed the cutoff.

    See Also
    --------
    Lowpass : Takes the treble.
    Bandpass : Takes both.

    Notes
    -----
    A digital Butterworth filter, by the bilinear transform. Before and after a signal there is
    silence. Without phase, the spectrum of the whole signal is multiplied by the magnitude of the
    response.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Highpass
    >>> tones = np.sin(np.pi * np.array([[150.0], [300.0], [3000.0]]) * np.arange(16000) / 8000)
    >>> filtered = Highpass(cutoff_hz=300.0).transform(tones)
    >>> (20 * np.log10(filtered.std(axis=1) / tones.std(axis=1))).round()
    array([-24.,  -3.,   0.])
    """

    physical_parameter = "cutoff_hz"
    _band = "highpass"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_Filter._parameter_constraints,
        "cutoff_hz": [*_HZ, None],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        cutoff_hz: float | None = None,
        order: int = 4,
        zero_phase: bool = True,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.cutoff_hz = cutoff_hz
        self.order = order
        self.zero_phase = zero_phase
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 100.0, 2000.0)

    def _edges(self, physical_value: float) -> tuple[float, ...]:
        return (physical_value,)


class Bandpass(_Filter):
    """Leave signals one band around a frequency.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the band narrows from 5 octaves to 1 in equal steps.
    bandwidth_octaves : float, default=None
        Width of the band between the two frequencies at -3 dB, in octaves, in place of
        ``severity``.
    center_hz : float, default=1000.0
        Geometric mean of the two. With 1010 Hz and 3.5 octaves they are those of the telephone,
        300 and 3400 Hz.
    order : {2, 4, 6, 8}, default=4
        Of the Butterworth filter: the slope of either side is 6 dB an octave for each, and steeper
        where the band is narrow.
    zero_phase : bool, default=True
        Whether to leave the filter's phase away and keep its magnitude, so that nothing moves.
        False filters as an analogue or a causal digital device does.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When half the sampling rate does not exceed the upper frequency, or the lower one is less
        than 1 Hz.

    See Also
    --------
    Lowpass : Keeps the bass.
    Highpass : Keeps the treble.

    Notes
    -----
    A digital Butterworth filter, by the bilinear transform. Before and after a signal there is
    silence. Without phase, the spectrum of the whole signal is multiplied by the magnitude of the
    response.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Bandpass
    >>> tones = np.sin(np.pi * np.array([[250.0], [500.0], [1000.0]]) * np.arange(16000) / 8000)
    >>> filtered = Bandpass(bandwidth_octaves=2.0).transform(tones)
    >>> (20 * np.log10(filtered.std(axis=1) / tones.std(axis=1))).round()
    array([-32.,  -3.,   0.])
    """

    physical_parameter = "bandwidth_octaves"
    _band = "bandpass"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_Filter._parameter_constraints,
        "bandwidth_octaves": [Interval(Real, 0.1, 16, closed="both"), None],
        "center_hz": _HZ,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        bandwidth_octaves: float | None = None,
        center_hz: float = 1000.0,
        order: int = 4,
        zero_phase: bool = True,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.bandwidth_octaves = bandwidth_octaves
        self.center_hz = center_hz
        self.order = order
        self.zero_phase = zero_phase
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 5.0, 1.0)

    def _edges(self, physical_value: float) -> tuple[float, ...]:
        half = 2 ** (physical_value / 2)
        return self.center_hz / half, self.center_hz * half
