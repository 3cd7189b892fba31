"""Short-time objective intelligibility of pairs of signals as an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from numbers import Integral
from threading import Lock
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.full_reference.external import ExternalMetric, Score, UnscorableError
from skperceptual.utils._sklearn import Interval
from skperceptual.utils.validation import Batch

__all__ = ["STOI"]

_INNER_SR = 10000
_WINDOW = 256
_HOP = 128
_FRAMES = 30  # of one comparison, 0.384 s
# What the package gives where fewer frames are left than one comparison takes.
_NO_VALUE = 1e-5

_generator_lock = Lock()


class STOI(ExternalMetric):
    """STOI: how intelligible speech is beside its reference, up to 1.

    Correlations of the envelopes of 15 third-octave bands, over 0.384 s each, and their mean
    [1]_; the extended form, ESTOI, looks at all bands of such a stretch at once, and so also at
    noise that comes and goes [2]_. Computed by the package ``pystoi``, which the extra ``speech``
    brings. Higher is better, 1 means identical.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the signals in Hz; they are resampled to 10 kHz inside, as the original
        does.
    extended : bool, default=False
        Whether to compute ESTOI.
    on_error : {"nan", "raise"}, default="nan"
        What becomes of a pair that has no value: NaN in its place with a warning, or an error.
    n_jobs : int, default=None
        How many pairs are compared at the same time, in processes; None means 1, -1 all
        processors.

    Attributes
    ----------
    n_features_in_ : int
        Always 2, for references and degraded signals in one array.

    Raises
    ------
    ValueError
        When the two signals of a pair differ in length, or what
        :func:`skperceptual.utils.validation.check_signals` refuses.

    See Also
    --------
    PESQ : Quality instead of intelligibility.

    Notes
    -----
    The value is a mean of correlations: it has no unit, falls with intelligibility, and depends on
    language and talker in how it does. It says nothing of music. A delay between the signals
    ruins it; :class:`AlignPairs` removes one.

    Frames of the reference more than 40 dB below its loudest one are left out of both signals.
    Pairs of which fewer than 30 frames (0.4 s) are left have no value; the package would give
    0.00001. ESTOI adds noise of 2e-16 to avoid divisions by zero, from NumPy's global generator,
    which is put back as it was: equal pairs have equal values.

    References
    ----------
    .. [1] C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An algorithm for intelligibility
       prediction of time-frequency weighted noisy speech", IEEE Transactions on Audio, Speech, and
       Language Processing 19(7), 2011.
    .. [2] J. Jensen, C. H. Taal, "An algorithm for predicting the intelligibility of speech masked
       by modulated noise maskers", IEEE/ACM Transactions on Audio, Speech, and Language Processing
       24(11), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import STOI
    >>> rng = np.random.default_rng(0)
    >>> voice = rng.standard_normal(16000) * np.sin(np.arange(16000) / 800) ** 2
    >>> noise = rng.standard_normal(16000)
    >>> pairs = np.array([(voice, voice), (voice, voice + 0.1 * noise), (voice, voice + noise)])
    >>> STOI().transform(pairs).round(2)
    array([[1.  ],
           [0.99],
           [0.67]])
    >>> STOI(extended=True).get_feature_names_out().tolist()
    ['estoi']
    """

    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = False
    _package: ClassVar[str] = "pystoi"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ExternalMetric._parameter_constraints,
        "sr": [Interval(Integral, 1, None, closed="left")],
        "extended": ["boolean"],
    }

    def __init__(
        self,
        *,
        sr: int = 16000,
        extended: bool = False,
        on_error: str = "nan",
        n_jobs: int | None = None,
    ) -> None:
        self.sr = sr
        self.extended = extended
        self.on_error = on_error
        self.n_jobs = n_jobs

    def _validate_pairs(self, X: Any, *, reset: bool) -> Batch:
        batch = super()._validate_pairs(X, reset=reset)
        for row, (reference, degraded) in enumerate(batch):
            if reference.shape != degraded.shape:
                raise ValueError(
                    f"The two signals of pair {row} differ in length: {reference.shape} and "
                    f"{degraded.shape}. STOI compares sample by sample: cut both to one length "
                    "with LoadAudio(unequal='cut') or FixDuration(), after AlignPairs() if one is "
                    "delayed."
                )
        return batch

    def _scorer(self) -> Score:
        return partial(_score, sr=int(self.sr), extended=bool(self.extended))

    def _feature_name(self) -> str:
        return "estoi" if self.extended else "stoi"


def _score(
    reference: NDArray[np.float64], degraded: NDArray[np.float64], *, sr: int, extended: bool
) -> float:
    import pystoi

    # Frames are taken twice, and both times one that only just fits is not looked at.
    n_frames = -(-(len(reference) * _INNER_SR // sr - _WINDOW) // _HOP) - 1
    if n_frames < _FRAMES:
        raise UnscorableError(f"{len(reference) / sr:.3g} s are too short, it needs 0.41 s")
    with _own_generator():
        value = pystoi.stoi(reference, degraded, sr, extended=extended)
    if value == _NO_VALUE:
        raise UnscorableError("too little is left of it without its silences, it needs 0.41 s")
    return value


@contextmanager
def _own_generator() -> Iterator[None]:
    """Give the package a generator in a known state, and others theirs as they left it."""
    with _generator_lock:
        state = np.random.get_state()  # noqa: NPY002 - what the package draws from
        np.random.seed(0)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
