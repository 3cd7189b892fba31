"""Fewer bits a sample, with dither or without."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import evenly
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval, StrOptions

# How many uniform variables, each one step wide, make up the dither.
_UNIFORMS = {"none": 0, "rectangular": 1, "triangular": 2}


class Quantization(Degradation):
    """Round signals to a number of bits.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 12 bits to 3 in equal steps, fractions of a bit included.
    n_bits : float, default=None
        Bits of a sample, in place of ``severity``. Need not be whole.
    dither : {"none", "rectangular", "triangular"}, default="none"
        Noise added before rounding: none, uniform within half a step of 0, or triangular within
        one step, which makes the mean and the power of the error independent of the signal.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        For the dither. With an int, each signal gets dither of its own, which depends on it and
        on the content of the signal alone. None gives another one in each call.

    See Also
    --------
    GhoshQuantization : With the filters and the normalisation of a study.

    Notes
    -----
    The step is ``1 / (2**(n_bits - 1) - 1)`` of full scale, so that 0 and ±1 are levels themselves
    (mid-tread); what exceeds full scale is clipped. A full-scale sine keeps a signal-to-noise
    ratio of about ``6.02 n_bits + 1.76`` dB. Steps do not follow the level of the signal: without
    dither, what stays below half of one becomes silence. For what dither does see S. P. Lipshitz,
    R. A. Wannamaker and J. Vanderkooy, Quantization and dither: a theoretical survey, Journal of
    the Audio Engineering Society 40 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Quantization
    >>> Quantization(n_bits=3).transform(np.array([[0.1, 0.2, 0.6, -1.0, 2.0]]))
    array([[ 0.        ,  0.33333333,  0.66666667, -1.        ,  1.        ]])
    """

    physical_parameter = "n_bits"
    graded_by = "snr"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "n_bits": [Interval(Real, 2, 32, closed="both"), None],
        "dither": [StrOptions(set(_UNIFORMS))],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        n_bits: float | None = None,
        dither: str = "none",
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.n_bits = n_bits
        self.dither = dither
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return evenly(severity, 12.0, 3.0)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        n_bits = self.physical_value
        n_uniforms = _UNIFORMS[self.dither]
        if n_uniforms == 0:
            return lambda clip: quantized(clip, n_bits)
        seed = draw_seed(self.random_state)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            dither = generator.uniform(-0.5, 0.5, size=(n_uniforms, len(clip))).sum(axis=0)
            return quantized(clip, n_bits, dither)

        return degrade


def quantized(
    clip: NDArray[np.float64], n_bits: float, dither: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """Round a clip to bits, of which 0 and full scale are levels, and clip it there.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        A clip, full scale ±1.
    n_bits : float
        Bits of a sample, more than 1.
    dither : ndarray of shape (n_times,) or float, default=0.0
        What to add before rounding, in steps.

    Returns
    -------
    ndarray of shape (n_times,)
        The rounded clip.
    """
    step = 1 / (2 ** (n_bits - 1) - 1)
    return np.clip(np.round(clip / step + dither) * step, -1, 1)
