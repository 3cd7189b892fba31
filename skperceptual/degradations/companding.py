"""The codecs of telephones and early sound cards: few bits a sample, of a step that adapts."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly
from skperceptual.utils._sklearn import Interval

__all__ = ["ADPCM", "ALaw", "MuLaw"]


class _Law(Degradation):
    """What both laws have in common: compress, round, expand."""

    physical_parameter = "n_bits"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "n_bits": [Interval(Real, 2, 24, closed="both"), None],
    }

    def __init__(
        self, *, severity: float = 0.5, n_bits: float | None = None, match: str = "none"
    ) -> None:
        self.severity = severity
        self.n_bits = n_bits
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 8, 3)

    @abstractmethod
    def _compress(self, magnitude: NDArray) -> NDArray:
        """Map magnitudes from 0 to 1 to others from 0 to 1."""

    @abstractmethod
    def _expand(self, magnitude: NDArray) -> NDArray:
        """Undo that."""

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        n_steps = round(2 ** (self.physical_value - 1)) - 1

        def degrade(clip: NDArray) -> NDArray:
            magnitude = np.minimum(np.abs(clip), 1)
            code = np.rint(self._compress(magnitude) * n_steps)
            # Rounding must not take full scale beyond itself.
            return np.copysign(np.minimum(self._expand(code / n_steps), 1), clip)

        return degrade


class MuLaw(_Law):
    """Code signals with a few bits a sample by the μ-law, as telephones in America and Japan do.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 8 bits, those of telephones, to 3 in equal steps.
    n_bits : float, default=None
        Bits of a sample, sign included, in place of ``severity``. Need not be whole: there are
        ``2**(n_bits - 1)`` magnitudes, rounded to a whole number.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    ALaw : The law of the other telephones.
    Quantization : Equal steps.

    Notes
    -----
    The magnitude x of a sample, clipped to 1, becomes ``ln(1 + 255 x) / ln(256)``, is rounded to
    one of the magnitudes, of which the least is 0, and goes back. The steps grow with the
    magnitude, so that the signal-to-noise ratio hardly depends on the level: about 37 dB at 8 bits
    and 6 dB less a bit. Silence stays silence. The law is that of ITU-T recommendation G.711
    (1988), which approximates it by straight lines; the error is as large, its samples are not
    the same. Telephones have 8 kHz besides: resample first, if that is what you want.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import MuLaw
    >>> MuLaw(n_bits=3).transform(np.array([[0.0, 0.01, -0.2, 0.9]])).round(4)
    array([[ 0.    ,  0.021 , -0.1542,  1.    ]])
    """

    def _compress(self, magnitude: NDArray) -> NDArray:
        return np.log1p(255 * magnitude) / math.log(256)

    def _expand(self, magnitude: NDArray) -> NDArray:
        return np.expm1(magnitude * math.log(256)) / 255


# As G.711 has it: below the 87.6th part of full scale the law is a straight line.
_A = 87.6


class ALaw(_Law):
    """Code signals with a few bits a sample by the A-law, as telephones in Europe do.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 8 bits, those of telephones, to 3 in equal steps.
    n_bits : float, default=None
        Bits of a sample, sign included, in place of ``severity``. Need not be whole: there are
        ``2**(n_bits - 1)`` magnitudes, rounded to a whole number.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    MuLaw : The law of the other telephones.
    Quantization : Equal steps.

    Notes
    -----
    The magnitude x of a sample, clipped to 1, becomes ``A x / (1 + ln A)`` below 1/A, and
    ``(1 + ln(A x)) / (1 + ln A)`` above, with A = 87.6. It is rounded to one of the magnitudes, of
    which the least is 0, and goes back. Quiet sounds get larger steps than from the μ-law, loud
    ones smaller. The law is that of ITU-T recommendation G.711 (1988), which approximates it by
    straight lines; the error is as large, its samples are not the same.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import ALaw
    >>> ALaw(n_bits=3).transform(np.array([[0.0, 0.01, -0.2, 0.9]])).round(4)
    array([[ 0.    ,  0.    , -0.1613,  1.    ]])
    """

    def _compress(self, magnitude: NDArray) -> NDArray:
        above = 1 + np.log(np.maximum(_A * magnitude, 1))
        return np.minimum(_A * magnitude, above) / (1 + math.log(_A))

    def _expand(self, magnitude: NDArray) -> NDArray:
        scaled = (1 + math.log(_A)) * magnitude
        return np.where(scaled < 1, scaled, np.exp(scaled - 1)) / _A


# Sizes of the quantiser's step, and how far to move among them after a code of each magnitude, by
# the number of bits. Those for 4 bits are the recommendation of the Interactive Multimedia
# Association (1992), the others those of Flash files.
_STEPS = np.fromstring(
    """
    7 8 9 10 11 12 13 14 16 17 19 21 23 25 28 31 34 37 41 45 50 55 60 66 73 80 88 97 107 118 130
    143 157 173 190 209 230 253 279 307 337 371 408 449 494 544 598 658 724 796 876 963 1060 1166
    1282 1411 1552 1707 1878 2066 2272 2499 2749 3024 3327 3660 4026 4428 4871 5358 5894 6484 7132
    7845 8630 9493 10442 11487 12635 13899 15289 16818 18500 20350 22385 24623 27086 29794 32767
    """,
    dtype=np.int64,
    sep=" ",
)
_ADAPTATIONS = np.zeros((6, 16), dtype=np.int64)
_ADAPTATIONS[2, :2] = -1, 2
_ADAPTATIONS[3, :4] = -1, -1, 2, 4
_ADAPTATIONS[4, :8] = -1, -1, -1, -1, 2, 4, 6, 8
_ADAPTATIONS[5] = -1, -1, -1, -1, -1, -1, -1, -1, 1, 2, 4, 6, 8, 10, 13, 16


class ADPCM(Degradation):
    """Code signals by adaptive differences of a few bits: the ADPCM of games and sound cards.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 5 bits to 2 in equal steps.
    n_bits : float, default=None
        Bits of a sample on average, from 2 to 5, in place of ``severity``. Of a number that is not
        whole, some samples get one bit more than others, evenly mixed.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    See Also
    --------
    MuLaw : Samples by themselves.

    Notes
    -----
    Every sample is predicted to be as the one before, and the difference coded by a step that
    grows after large codes and shrinks after small ones. With 4 bits this is the recommendation
    of the Interactive Multimedia Association (IMA, 1992), as in WAV files of the subtype
    ``IMA_ADPCM``, except that those state a sample and begin anew every so often; the other
    numbers of bits do as the ADPCM of Flash files. What exceeds full scale is clipped. High
    frequencies have large differences, and suffer most.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import ADPCM
    >>> sound = np.sin(np.arange(8000) / 10)[np.newaxis]
    >>> for n_bits in (5, 4, 3, 2):
    ...     error = ADPCM(n_bits=n_bits).transform(sound) - sound
    ...     print(f"{20 * np.log10(sound.std() / error.std()):.0f} dB")
    41 dB
    33 dB
    27 dB
    23 dB
    """

    physical_parameter = "n_bits"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "n_bits": [Interval(Real, 2, 5, closed="both"), None],
    }

    def __init__(
        self, *, severity: float = 0.5, n_bits: float | None = None, match: str = "none"
    ) -> None:
        self.severity = severity
        self.n_bits = n_bits
        self.match = match

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 5, 2)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        from skperceptual.kernels.adpcm import adpcm_round_trip

        def degrade(clip: NDArray) -> NDArray:
            samples = np.rint(np.clip(clip, -1, 1) * 32767).astype(np.int64)
            spent = np.floor(self.physical_value * np.arange(len(clip) + 1)).astype(np.int64)
            return adpcm_round_trip(samples, np.diff(spent), _STEPS, _ADAPTATIONS) / 32767

        return degrade
