"""The three degradations of a study of embeddings as quality metrics, at its three levels each."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly, geometrically
from skperceptual.degradations.levels import peak
from skperceptual.degradations.quantization import quantized
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval
from skperceptual.utils.resampling import resample

# By the bits of a level of the study: order and cutoff, as a share of half the rate, of the
# low-pass that it put after the quantiser.
_LOWPASS_BY_BITS: dict[int, tuple[int, float] | None] = {12: (4, 0.7), 8: None, 4: (6, 0.5)}


class GhoshNoise(Degradation):
    """Add white Gaussian noise of an absolute level to signals, then bring their peaks to 1.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1. The study's levels Low, High and Extreme, 0.002, 0.01 and 0.02, are at 0, 0.5
        and 1, with equal ratios between.
    noise_sd : float, default=None
        Standard deviation of the noise, full scale 1, in place of ``severity``.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal, in
        place of the peak of 1 that the study gave it.
    random_state : int, RandomState or None, default=None
        With an int, each signal gets noise of its own, which depends on it and on the content of
        the signal alone: equal signals get equal noise, and so do all severities of one signal.
        None gives other noise in each call.

    See Also
    --------
    WhiteNoise : Of a level relative to the signal.

    Notes
    -----
    The study is S. Ghosh, Implementation of a neural network-based perceptual loss for audio,
    seminar report, TU Ilmenau, 2025. It worked at 16 kHz, and gave every signal the noise of one
    seed. Silence becomes noise of peak 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import GhoshNoise
    >>> [GhoshNoise(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    [0.002, 0.01, 0.02]
    >>> noisy = GhoshNoise(noise_sd=0.01, random_state=0).transform(np.array([[0.5, -0.25, 0.1]]))
    >>> float(np.abs(noisy).max())
    1.0
    """

    physical_parameter = "noise_sd"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "noise_sd": [Interval(Real, 0, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        noise_sd: float | None = None,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.noise_sd = noise_sd
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 0.002, 0.01, 0.02)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        noise_sd = self.physical_value
        seed = draw_seed(self.random_state)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            return _with_peak_of_1(clip + noise_sd * generator.standard_normal(len(clip)))

        return degrade


class GhoshResampling(Degradation):
    """Resample signals to a lower rate and back, then bring their peaks to 1.

    The study calls this its reduction of the bitrate.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1. The study's levels Low, High and Extreme, 2, 4 and 6, are at 0, 0.5 and 1,
        with equal steps between.
    factor : float, default=None
        What the rate is divided by, in place of ``severity``. Need not be whole.
    sr : int, default=16000
        Sampling rate of the signals in Hz, which is that of the study.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal, in
        place of the peak of 1 that the study gave it.

    Raises
    ------
    ValueError
        When less than 1 Hz is left of the rate.

    See Also
    --------
    Lowpass : Takes the treble with a slope to choose.
    Aliasing : Folds the treble down instead of taking it away.

    Notes
    -----
    The lower rate is a whole number of Hz, ``sr // factor``, and both ways are those of
    ``librosa.resample``. The study is S. Ghosh, Implementation of a neural network-based
    perceptual loss for audio, seminar report, TU Ilmenau, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import GhoshResampling
    >>> [GhoshResampling(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    [2.0, 4.0, 6.0]
    >>> tones = np.sin(2 * np.pi * np.array([[1000.0], [3000.0]]) * np.arange(16000) / 16000)
    >>> spectra = np.abs(
    ...     np.fft.rfft(GhoshResampling(factor=4).transform(tones.sum(axis=0)[np.newaxis]))
    ... )
    >>> bool(spectra[0, 3000] < 1e-3 * spectra[0, 1000])
    True
    """

    physical_parameter = "factor"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "factor": [Interval(Real, 1, None, closed="neither"), None],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        factor: float | None = None,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.factor = factor
        self.sr = sr
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 2.0, 4.0, 6.0)

    def _lower_rate(self) -> int:
        return int(self.sr // self.physical_value)

    def _check_parameters(self) -> None:
        if self._lower_rate() < 1:
            raise ValueError(
                f"factor={self.physical_value:g} leaves less than 1 Hz of sr={self.sr}. Use a "
                f"factor of {self.sr} or less."
            )

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        lower, sr = self._lower_rate(), int(self.sr)

        def degrade(clip: NDArray) -> NDArray:
            back = resample(resample(clip, sr, lower), lower, sr)
            return _with_peak_of_1(back[: len(clip)])

        return degrade


class GhoshQuantization(Degradation):
    """Round signals to fewer bits, filter them, then bring their peaks to 1.

    The study calls this compression.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1. The study's levels Low, High and Extreme, 12, 8 and 4 bits, are at 0, 0.5 and
        1, with equal steps between.
    n_bits : float, default=None
        Bits of a sample, in place of ``severity``. Need not be whole.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal, in
        place of the peak of 1 that the study gave it.

    See Also
    --------
    Quantization : Without filters, and with dither on request.

    Notes
    -----
    Rounded as by :class:`Quantization`. The study filters the result at two of its levels, and so
    are the rungs of which such a level is the nearest: a Butterworth low-pass of order 4 at 0.7 of
    half the rate from 10 bits up, one of order 6 at 0.5 below 6 bits, and none between. Each runs
    forward and backward and moves nothing. The mildest rungs therefore lack treble that those in
    the middle have, and no single measure rises all along the ladder. The study is S. Ghosh,
    Implementation of a neural network-based perceptual loss for audio, seminar report, TU Ilmenau,
    2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import GhoshQuantization
    >>> [GhoshQuantization(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    [12.0, 8.0, 4.0]
    >>> GhoshQuantization(n_bits=8).transform(np.array([[0.5, -0.25, 0.1]])).round(4)
    array([[ 1.    , -0.5   ,  0.2031]])
    """

    physical_parameter = "n_bits"
    graded_by = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "n_bits": [Interval(Real, 2, 32, closed="both"), None],
    }

    def __init__(
        self, *, severity: float = 0.5, n_bits: float | None = None, match: str = "none"
    ) -> None:
        self.severity = severity
        self.n_bits = n_bits
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 12.0, 8.0, 4.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        n_bits = self.physical_value
        nearest = min(_LOWPASS_BY_BITS, key=lambda level: abs(level - n_bits))
        lowpass = _LOWPASS_BY_BITS[nearest]

        def degrade(clip: NDArray) -> NDArray:
            rounded = quantized(clip, n_bits)
            return _with_peak_of_1(
                rounded if lowpass is None else _filter_both_ways(rounded, *lowpass)
            )

        return degrade


def _filter_both_ways(clip: NDArray[np.float64], order: int, cutoff: float) -> NDArray[np.float64]:
    from scipy.signal import butter, filtfilt

    b, a = butter(order, cutoff)
    # As far as SciPy extends a clip by default, and as far as a short one can be.
    return filtfilt(b, a, clip, padlen=min(3 * (order + 1), len(clip) - 1))


def _with_peak_of_1(clip: NDArray[np.floating]) -> NDArray[np.floating]:
    largest = peak(clip)
    return clip / largest if largest > np.finfo(np.float64).tiny else clip
