"""Noise of any colour, at a given ratio of the signal to it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly
from skperceptual.degradations.levels import rms
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval

# Below, noise would take its share of the level and not be heard.
_LOWEST_HZ = 20.0


class _NoiseAtRatio(Degradation):
    """Base of the noises: a severity or a ratio, a seed, and the spectrum of a subclass."""

    physical_parameter = "snr_db"
    graded_by = "snr"
    snr_db: float | None
    random_state: Any

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "snr_db": [Interval(Real, -200, 200, closed="both"), None],
        "random_state": ["random_state"],
    }

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 40.0, 0.0)

    @abstractmethod
    def _colour(self, white: NDArray) -> NDArray:
        """Give white noise its spectrum; the level does not matter."""

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        share = 10 ** (-self.physical_value / 20)
        seed = draw_seed(self.random_state)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            noise = self._colour(generator.standard_normal(len(clip)))
            # What this noise measures, not what noise measures on average: the ratio is exact.
            return clip + noise * (rms(clip) * share / rms(noise))

        return degrade


class WhiteNoise(_NoiseAtRatio):
    """Add white Gaussian noise to signals, at a signal-to-noise ratio.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the ratio falls from 40 to 0 dB in equal steps.
    snr_db : float, default=None
        Ratio of the signal's root mean square to that of the noise, in dB, in place of
        ``severity``. It holds exactly, for every signal.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal gets noise of its own, which depends on it and on the content of
        the signal alone: equal signals get equal noise, and so do all severities of one signal.
        None gives other noise in each call.

    See Also
    --------
    PinkNoise : As much of it in every octave.
    GhoshNoise : White noise of an absolute level.

    Notes
    -----
    With x the signal, n the noise and r the ratio in dB, the result is
    ``x + n rms(x) / rms(n) 10**(-r / 20)``. Silence, of which nothing is a ratio, stays silence.
    The result may exceed full scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import WhiteNoise
    >>> signal = np.sin(np.arange(16000) / 10)
    >>> noise = WhiteNoise(snr_db=20.0, random_state=0).transform(signal[np.newaxis])[0] - signal
    >>> round(float(20 * np.log10(signal.std() / noise.std())), 2)
    20.0
    """

    def __init__(
        self,
        *,
        severity: float = 0.5,
        snr_db: float | None = None,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.snr_db = snr_db
        self.match = match
        self.random_state = random_state

    def _colour(self, white: NDArray) -> NDArray:
        return white


class PinkNoise(_NoiseAtRatio):
    """Add pink noise to signals, at a signal-to-noise ratio: equal power in every octave.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the ratio falls from 40 to 0 dB in equal steps.
    snr_db : float, default=None
        Ratio of the signal's root mean square to that of the noise, in dB, in place of
        ``severity``. It holds exactly, for every signal.
    sr : int, default=16000
        Sampling rate of the signals in Hz. There is no noise below 20 Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal gets noise of its own, which depends on it and on the content of
        the signal alone: equal signals get equal noise, and so do all severities of one signal.
        None gives other noise in each call.

    See Also
    --------
    ColoredNoise : Any other slope.
    skperceptual.PMQDNoise : Pink noise of an absolute level, by another filter.

    Notes
    -----
    The density of its power falls as 1 / f, 3.01 dB an octave. Silence stays silence, and the
    result may exceed full scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import PinkNoise
    >>> signal = np.sin(np.arange(160000) / 10)
    >>> noise = PinkNoise(snr_db=20.0, random_state=0).transform(signal[np.newaxis])[0] - signal
    >>> power = np.abs(np.fft.rfft(noise)) ** 2  # 0.1 Hz from one to the next
    >>> octaves = [power[low : 2 * low].sum() for low in (5000, 10000, 20000)]
    >>> (10 * np.log10(octaves / octaves[0])).round() + 0.0
    array([0., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_NoiseAtRatio._parameter_constraints,
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        snr_db: float | None = None,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.snr_db = snr_db
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _colour(self, white: NDArray) -> NDArray:
        return coloured(white, 1.0, self.sr)


class ColoredNoise(_NoiseAtRatio):
    """Add noise to signals whose power follows any power of the frequency, at a given ratio.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the ratio falls from 40 to 0 dB in equal steps.
    snr_db : float, default=None
        Ratio of the signal's root mean square to that of the noise, in dB, in place of
        ``severity``. It holds exactly, for every signal.
    exponent : float, default=2.0
        The power density is ``f ** -exponent``, which falls by 3.01 dB an octave for each unit: 2
        is brown (or red), 1 pink, 0 white, -1 blue and -2 violet.
    sr : int, default=16000
        Sampling rate of the signals in Hz. There is no noise below 20 Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal gets noise of its own, which depends on it and on the content of
        the signal alone: equal signals get equal noise, and so do all severities and exponents of
        one signal but for the colour. None gives other noise in each call.

    See Also
    --------
    WhiteNoise : Without a limit at 20 Hz.
    PinkNoise : The same at an exponent of 1.

    Notes
    -----
    White Gaussian noise is weighted in the frequency domain (J. Timmer and M. König, On generating
    power law noise, Astronomy and Astrophysics 300, 1995). Below 20 Hz there is nothing, since
    brown noise would otherwise have most of its level there, and a ratio would say little about
    what is heard. Silence stays silence, and the result may exceed full scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import ColoredNoise
    >>> signal = np.sin(np.arange(160000) / 10)
    >>> step = ColoredNoise(snr_db=20.0, exponent=2.0, random_state=0)
    >>> noise = step.transform(signal[np.newaxis])[0] - signal
    >>> power = np.abs(np.fft.rfft(noise)) ** 2
    >>> octaves = [power[low : 2 * low].sum() for low in (5000, 10000, 20000)]
    >>> (10 * np.log10(octaves / octaves[0])).round()  # 6 dB less, twice as wide
    array([ 0., -3., -6.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PinkNoise._parameter_constraints,
        "exponent": [Interval(Real, -4, 4, closed="both")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        snr_db: float | None = None,
        exponent: float = 2.0,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.snr_db = snr_db
        self.exponent = exponent
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _colour(self, white: NDArray) -> NDArray:
        return coloured(white, self.exponent, self.sr)


def coloured(white: NDArray[np.float64], exponent: float, sr: int) -> NDArray[np.float64]:
    """Give white noise a power density of ``f ** -exponent`` from 20 Hz on.

    Parameters
    ----------
    white : ndarray of shape (n_times,)
        White noise. A single sample has no frequency above 0, and stays.
    exponent : float
        What the density falls by.
    sr : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_times,)
        The noise, of another level.
    """
    from scipy.fft import irfft, rfft, rfftfreq

    frequencies = rfftfreq(len(white), d=1 / sr)
    heard = frequencies >= _LOWEST_HZ
    if not heard.any():
        return white
    weights = np.zeros_like(frequencies)
    weights[heard] = (frequencies[heard] / frequencies[heard][0]) ** (-exponent / 2)
    return irfft(rfft(white) * weights, n=len(white))
