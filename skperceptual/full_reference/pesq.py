"""Perceptual evaluation of speech quality of pairs of signals as an estimator."""

from __future__ import annotations

from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.external import ExternalMetric, Score, UnscorableError
from skperceptual.full_reference.utterances import count_utterances
from skperceptual.utils._sklearn import Interval, Options, StrOptions
from skperceptual.utils.resampling import resample
from skperceptual.utils.validation import Batch

__all__ = ["PESQ"]

_SHORTEST_SECONDS = 0.25
# An utterance and a pause last 0.4 s at least, and the package has room for 50. Beyond that it
# writes over other memory, so that the value is wrong or the process ends.
_SECONDS_OF_50_UTTERANCES = 20.0
_MOST_UTTERANCES = 40  # as counted here, which is not quite as the package counts
# The maps of P.862.2 and of P.862.1 far down, and at 4.5, the raw value of equal signals.
_BOUNDS = {"wb": (0.999, 4.6438884), "nb": (0.999, 4.5486381)}


class PESQ(ExternalMetric):
    """PESQ: the quality of speech beside its reference, as a listening score from 1 to 4.6.

    ITU-T P.862 [1]_ in its wide-band (P.862.2 [2]_) or narrow-band form (P.862.1 [3]_), computed
    by the package ``pesq``, which the extra ``speech`` brings. Higher is better. Delays and levels
    do not count: PESQ aligns utterance by utterance.

    Parameters
    ----------
    sr : {8000, 16000}, default=16000
        Sampling rate of the comparison in Hz, and of the signals unless ``resample_from`` says
        otherwise. There is no other.
    mode : {"wb", "nb"}, default="wb"
        ``"wb"`` hears what lies between 50 and 7000 Hz, at 16000 Hz only; ``"nb"`` what a
        telephone passes on. Values of the two cannot be compared.
    on_error : {"nan", "raise"}, default="nan"
        What becomes of a pair that has no value: NaN in its place with a warning, or an error.
    resample_from : int, default=None
        Sampling rate of the signals where it is not ``sr``: they are resampled before they are
        compared.
    n_jobs : int, default=None
        How many pairs are compared at the same time, in processes; None means 1, -1 all
        processors.

    Attributes
    ----------
    n_features_in_ : int
        Always 2, for references and degraded signals in one array.

    See Also
    --------
    STOI : Intelligibility instead of quality.
    ViSQOL : Speech and music; computed by this package itself.

    Notes
    -----
    Made and validated for speech: listeners' opinion of telephones and codecs. Values of music are
    numbers without such a meaning. The code inside the package is ITU's reference, with terms of
    its own; see to it that you may use it.

    Pairs without a value are those shorter than 0.25 s, with a silent signal or nothing that PESQ
    takes for an utterance, and long ones: it is made for 8 to 20 s, and the package holds 50
    utterances. With more it would write over memory of others. References above 20 s are therefore
    looked at first, and given no value from about 40 utterances up: cut them.

    Signals may differ in length. Both are scaled by the larger of their peaks, so that a common
    gain changes nothing, and are single precision inside.

    References
    ----------
    .. [1] A. W. Rix, J. G. Beerends, M. P. Hollier, A. P. Hekstra, "Perceptual evaluation of
       speech quality (PESQ)", ICASSP 2001; ITU-T Recommendation P.862, 2001.
    .. [2] ITU-T Recommendation P.862.2, "Wideband extension to Recommendation P.862", 2007.
    .. [3] ITU-T Recommendation P.862.1, "Mapping function for transforming P.862 raw result scores
       to MOS-LQO", 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import PESQ
    >>> rng = np.random.default_rng(0)
    >>> voice = rng.standard_normal(16000) * np.sin(np.arange(16000) / 800) ** 2
    >>> noise = rng.standard_normal(16000)
    >>> pairs = [(voice, voice), (voice, voice + 0.01 * noise), (voice, voice + 0.1 * noise)]
    >>> PESQ().transform(pairs).round(2)
    array([[4.64],
           [4.57],
           [3.1 ]])
    """

    higher_is_better: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False
    _package: ClassVar[str] = "pesq"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ExternalMetric._parameter_constraints,
        "sr": [Options(Integral, {8000, 16000})],
        "mode": [StrOptions({"wb", "nb"})],
        "resample_from": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        sr: int = 16000,
        mode: str = "wb",
        on_error: str = "nan",
        resample_from: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.sr = sr
        self.mode = mode
        self.on_error = on_error
        self.resample_from = resample_from
        self.n_jobs = n_jobs

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value there can be: the map's limit, and equal signals."""
        return _BOUNDS[self.mode]

    def _validate_pairs(self, X: Any, *, reset: bool) -> Batch:
        if self.mode == "wb" and self.sr == 8000:
            raise ValueError(
                "PESQ(mode='wb') compares at 16000 Hz only, and sr=8000. Use mode='nb' for "
                "telephone speech."
            )
        return super()._validate_pairs(X, reset=reset)

    def _scorer(self) -> Score:
        return partial(
            _score, sr=int(self.sr), mode=self.mode, resample_from=self.resample_from or self.sr
        )

    def _feature_name(self) -> str:
        return f"pesq_{self.mode}"


def _score(
    reference: NDArray[np.float64],
    degraded: NDArray[np.float64],
    *,
    sr: int,
    mode: str,
    resample_from: int,
) -> float:
    import pesq

    if not degraded.any():
        raise UnscorableError("the degraded signal is silent")
    pair = [resample(signal, int(resample_from), sr) for signal in (reference, degraded)]
    seconds = min(map(len, pair)) / sr
    if seconds < _SHORTEST_SECONDS:
        raise UnscorableError(f"{seconds:.3g} s are too short, it needs {_SHORTEST_SECONDS:g} s")
    if len(pair[0]) > _SECONDS_OF_50_UTTERANCES * sr:
        n_utterances = count_utterances(pair[0], sr)
        if n_utterances > _MOST_UTTERANCES:
            raise UnscorableError(
                f"the reference has about {n_utterances} utterances in {len(pair[0]) / sr:.0f} s, "
                "more than the package can hold; cut it into clips of 8 to 20 s"
            )
    try:
        return pesq.pesq(sr, *pair, mode)
    except pesq.NoUtterancesError:
        raise UnscorableError("there is nothing in it that PESQ takes for an utterance") from None
