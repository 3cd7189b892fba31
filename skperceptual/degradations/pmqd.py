"""The four degradations of the PMQD listening test, as transformers of mono signals."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.pmqd_effects import (
    check_cutoff,
    pmqd_cutoff_hz,
    pmqd_drive,
    pmqd_noise_db,
    pmqd_threshold_db,
)
from skperceptual.degradations.pmqd_processing import (
    add_pink_noise,
    limit,
    lowpass,
    lowpass_max_lag,
    saturate,
)
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval

_RATE = [Interval(Integral, 1, None, closed="left")]


class PMQDDistortion(Degradation):
    """Distort signals as the PMQD listening test did: a memoryless soft saturation.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1, PMQD's intensity divided by 100: the drive goes from 2 to 1998, hyperbolically.
        0 is not the identity: it amplifies quiet sounds by 9.5 dB.
    drive : float, default=None
        Drive k in place of ``severity``: quiet sounds are amplified by 1 + k, full scale stays
        where it is. 0 only clips.
    oversample : int, default=1
        Rate at which to distort, as a multiple of the signals' own. 1 folds the harmonics above
        half the rate back into the band, as those of the listening test were; 4 or more leaves
        most of that out, and the result may exceed full scale a little.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal. The
        listening test did not.

    See Also
    --------
    skperceptual.degradations.pmqd_distortion : The same for any number of channels.

    Notes
    -----
    A sample x, clipped to ±1, becomes (1 + k) x / (1 + k abs(x)). Nothing here depends on the
    sampling rate, save what is folded back. The formula is that of the plugin ``waveShapingDstr``
    by Michael Gruhn (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import PMQDDistortion
    >>> PMQDDistortion(severity=0.5).transform(np.array([[0.0, 0.01, 0.1, 1.0]]))
    array([[0. , 0.06603774, 0.4375 , 1. ]])
    """

    physical_parameter = "drive"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "drive": [Interval(Real, 0, 1e6, closed="both"), None],
        "oversample": [Interval(Integral, 1, 64, closed="both")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        drive: float | None = None,
        oversample: int = 1,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.drive = drive
        self.oversample = oversample
        self.match = match

    def _value_at(self, severity: float) -> float:
        return pmqd_drive(100 * severity)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        drive = self.physical_value
        return lambda clip: saturate(clip, drive, oversample=self.oversample)


class PMQDLowpass(Degradation):
    """Take the treble from signals as the PMQD listening test did: 24 dB an octave.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1, PMQD's intensity divided by 100: the cutoff goes from 20 kHz to 1 kHz in equal
        intervals, and half of the ladder lies above 4.4 kHz. 0 is not the identity: peaks above
        -0.2 dB are clipped.
    cutoff_hz : float, default=None
        Frequency at which the response is at -3 dB, in place of ``severity``.
    sr : int, default=48000
        Sampling rate of the signals in Hz. The default is the rate of the listening test, not the
        16000 of the front ends, which holds no cutoff above 8 kHz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal. The
        listening test did not.

    Raises
    ------
    ValueError
        When half the sampling rate does not exceed the cutoff.

    See Also
    --------
    skperceptual.degradations.pmqd_lowpass : The same for any number of channels.

    Notes
    -----
    A Butterworth filter of fourth order that starts from silence, then a clip at ±0.977 (-0.2 dB).
    It has minimum phase and so delays: low tones by 2.61, and those near the cutoff by at most
    3.17, divided by ``2 pi cutoff_hz``, in seconds. That is 0.1 ms at 4.4 kHz and 0.5 ms at 1 kHz;
    ``max_lag`` gives it in samples. The formula is that of the plugin ``butterworth24db`` by
    Lubomir Ivanov (2008-09).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import PMQDLowpass
    >>> step = PMQDLowpass(severity=0.5)
    >>> step.physical_value, step.max_lag
    (4473.0, 6)
    >>> step.transform(np.array([[0.5, 0, 0, 0]])).round(4)
    array([[0.0019, 0.0123, 0.0371, 0.0712]])
    """

    physical_parameter = "cutoff_hz"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "cutoff_hz": [Interval(Real, 0, None, closed="neither"), None],
        "sr": _RATE,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        cutoff_hz: float | None = None,
        sr: int = 48000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.cutoff_hz = cutoff_hz
        self.sr = sr
        self.match = match

    @property
    def max_lag(self) -> int:
        """The longest phase delay of the filter, in samples."""
        self._check_parameters()
        return lowpass_max_lag(self.physical_value, self.sr)

    def _value_at(self, severity: float) -> float:
        return pmqd_cutoff_hz(100 * severity)

    def _check_parameters(self) -> None:
        check_cutoff(self.physical_value, self.sr)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        cutoff_hz = self.physical_value
        return lambda clip: lowpass(clip, cutoff_hz, self.sr)


class PMQDLimiter(Degradation):
    """Limit signals as the PMQD listening test did: fast, with make-up gain.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1, PMQD's intensity divided by 100: the threshold goes from 0 to -30 dB. Above
        the severity at which the threshold falls below a signal's short peaks the result hardly
        changes any more, so that this ladder has a flat top. 0 is a plain gain of -0.1 dB.
    threshold_db : float, default=None
        Threshold in dB relative to full scale, 0 or less, in place of ``severity``.
    sr : int, default=48000
        Sampling rate of the signals in Hz, for the times of hold and release. The default is the
        rate of the listening test, not the 16000 of the front ends.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal. The
        listening test did not.

    See Also
    --------
    skperceptual.degradations.pmqd_limiter : The same for channels that share one gain.

    Notes
    -----
    Attack is instant, peaks are held for 4 to 8 ms, and the release decays within 50 ms. No sample
    of the result exceeds ±0.9886 (-0.1 dB), so that nothing is clipped; what is heard is the gain
    moving fast. Wherever the envelope exceeds the threshold, the gain brings it to that ceiling,
    whatever the threshold is. Quiet signals become up to 29.9 dB louder. The formula is that of
    the plugin ``MGA_JSLimiter`` by Michael Gruhn (2008).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import PMQDLimiter
    >>> PMQDLimiter(severity=0.5).transform(np.array([[0.01, 0.01, 1.0, 0.01]])).round(4)
    array([[0.0556, 0.0556, 0.9886, 0.0099]])
    """

    physical_parameter = "threshold_db"
    graded_by = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "threshold_db": [Interval(Real, -200, 0, closed="both"), None],
        "sr": _RATE,
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        threshold_db: float | None = None,
        sr: int = 48000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.threshold_db = threshold_db
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return pmqd_threshold_db(100 * severity)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        threshold_db = self.physical_value
        return lambda clip: limit(clip, threshold_db, self.sr)


class PMQDNoise(Degradation):
    """Add pink noise to signals as the PMQD listening test did: of an absolute level.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1, PMQD's intensity divided by 100: at 48 kHz the noise goes from -39.2 to
        -14.2 dB in equal steps. 0 is not the identity.
    noise_db : float, default=None
        Root mean square of the noise in dB relative to full scale, in place of ``severity``.
    sr : int, default=48000
        Sampling rate of the signals in Hz, which the filter for the noise depends on. The default
        is the rate of the listening test, not the 16000 of the front ends.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal. The
        listening test did not.
    random_state : int, RandomState or None, default=None
        With an int, each signal gets noise of its own, which depends on it and on the content of
        the signal alone: equal signals get equal noise, and so do all severities of one signal.
        None gives other noise in each call.

    See Also
    --------
    skperceptual.degradations.pmqd_noise : The same for channels, which become mono.

    Notes
    -----
    The level of the noise does not follow that of the signal: the signal-to-noise ratio is that
    of the recording, and quiet music suffers more than loud music. Nothing is clipped, so that the
    result can exceed full scale. White noise, uniform on [-1, 1), goes through seven first-order
    filters, as in the plugin ``pinknoisegen`` by Lubomir Ivanov (2008-09).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import PMQDNoise
    >>> silence = np.zeros((1, 480000))
    >>> noise = PMQDNoise(noise_db=-20.0, random_state=0).transform(silence)
    >>> round(float(20 * np.log10(noise.std())))
    -20
    """

    physical_parameter = "noise_db"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "noise_db": [Interval(Real, -200, 200, closed="both"), None],
        "sr": _RATE,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        noise_db: float | None = None,
        sr: int = 48000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.noise_db = noise_db
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return pmqd_noise_db(100 * severity, sr=self.sr)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        noise_db = self.physical_value
        seed = draw_seed(self.random_state)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            return add_pink_noise(clip, noise_db, self.sr, generator)

        return degrade
