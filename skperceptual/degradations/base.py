"""What all degradations share: a severity, a physical parameter, the length of their input."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags

from skperceptual.base import SignalTransformer, map_clips
from skperceptual.degradations.levels import match_level
from skperceptual.utils._sklearn import Interval, StrOptions
from skperceptual.utils.validation import Batch, check_signals


class Degradation(SignalTransformer):
    """Base of the degradations: signals in, worse signals of the same length out.

    Every degradation keeps to these rules:

    * ``severity``, from 0 to 1, climbs a ladder whose rungs the class describes. 0 is the mildest
      rung and not the identity: for the original, take the original.
    * One more parameter says the same in a physical unit. ``physical_parameter`` is its name. None,
      its default, leaves the choice to ``severity``; a value is used in place of ``severity``, and
      may lie beyond both ends of the ladder. ``physical_value`` is the one in force.
    * A result has the length and the floating-point type of its signal, and stays aligned with
      it: nothing in it is more than ``max_lag`` samples late or early. A cross-correlation shows
      that too, save where tones, reflections or much noise leave it no clear peak. Results are
      computed in float64, and can exceed full scale unless the class says otherwise.
    * ``match`` says what becomes of the level: ``"none"`` leaves the result as it comes out,
      ``"rms"`` and ``"peak"`` give it the root mean square or the largest magnitude that the
      signal had. Silence has no level, and stays.
    * The higher the severity, the further a result is from its signal: the measure that
      ``graded_by`` names, ``"snr"`` (signal-to-noise ratio) or ``"log_spectral_distance"``, gets
      worse from every rung to the next. That holds for ``match="none"``, and for music and speech
      that fill the band and stay below full scale. None says that it need not hold for these
      either; the class says why.
    * The result for a signal never depends on the others of its batch, nor on their order. Where
      chance has a part, ``random_state`` is a parameter. With an int, every signal has noise of
      its own, made from that int and from the content of the signal: equal signals get equal
      noise, and so do all severities of one signal. A ``RandomState`` draws one such int in each
      call of ``transform``; None gives other noise each time.
    * X holds signals, not pairs, which are made of a signal and its degraded version. There is
      nothing to learn, so that ``fit`` may be left out.

    A subclass sets ``physical_parameter`` and defines ``_value_at``, which maps a severity to the
    physical parameter, and ``_prepare``, which gives the function from a float64 clip to its
    degraded version for the ``physical_value`` in force. It takes ``match`` as a parameter, which
    needs no other line. It overrides ``max_lag`` where it delays, ``graded_by`` where the default,
    the log-spectral distance, does not fit, and ``_check_parameters`` where parameters can be at
    odds with each other.

    See Also
    --------
    skperceptual.PMQDLowpass : One of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import Degradation
    >>> class Fade(Degradation):
    ...     physical_parameter = "gain_db"
    ...     _parameter_constraints = {
    ...         **Degradation._parameter_constraints,
    ...         "gain_db": [float, None],
    ...     }
    ...
    ...     def __init__(self, *, severity=0.5, gain_db=None, match="none"):
    ...         self.severity = severity
    ...         self.gain_db = gain_db
    ...         self.match = match
    ...
    ...     def _value_at(self, severity):
    ...         return -6.0 - 34.0 * severity
    ...
    ...     def _prepare(self):
    ...         gain = 10 ** (self.physical_value / 20)
    ...         return lambda clip: gain * clip
    >>> Fade(severity=1.0).physical_value
    -40.0
    >>> Fade(gain_db=-20.0).transform(np.array([[1.0, -0.5]]))
    array([[ 0.1 , -0.05]])
    >>> Fade(gain_db=-20.0, match="peak").transform(np.array([[1.0, -0.5]]))
    array([[ 1. , -0.5]])
    """

    physical_parameter: ClassVar[str]
    graded_by: ClassVar[Literal["snr", "log_spectral_distance"] | None] = "log_spectral_distance"
    severity: float
    match: str = "none"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "severity": [Interval(Real, 0, 1, closed="both")],
        "match": [StrOptions({"none", "rms", "peak"})],
    }

    @property
    def physical_value(self) -> float:
        """The physical parameter in force: as it was given, or as ``severity`` says."""
        given = getattr(self, self.physical_parameter)
        return self._value_at(self.severity) if given is None else given

    @property
    def max_lag(self) -> int:
        """The most samples by which anything in a result is late or early."""
        return 0

    @abstractmethod
    def _value_at(self, severity: float) -> float:
        """Give the physical parameter of a severity."""

    def _check_parameters(self) -> None:
        """Refuse parameters that are right one by one and do not go together."""

    def _validate_signals(self, X: Any, *, reset: bool) -> Batch:
        self._check_parameters()
        if _holds_pairs(X):
            came = f"an array of shape {X.shape}" if hasattr(X, "shape") else "a list of pairs"
            raise ValueError(
                f"Expected signals of shape (n_signals, n_times), or a list of 1-D arrays, got "
                f"{came}. Degrade signals, then pair them: np.stack([signals, "
                f"{type(self).__name__}().transform(signals)], axis=1), where the signals of "
                "pairs are their references, pairs[:, 0]. If these are two channels, average "
                "them with X.mean(axis=1)."
            )
        batch = check_signals(X, pairs=False, min_samples=self._min_samples())
        self._record_features(X, batch, reset=reset)
        return batch

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the parameters and the signals; there is nothing to learn.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The degradation itself.
        """
        return super().fit(X, y)

    def transform(self, X: Any) -> Any:
        """Degrade every signal.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.

        Returns
        -------
        ndarray or list
            The degraded signals, of the lengths and the floating-point type of X; a list for a
            list.

        Raises
        ------
        ValueError
            For pairs or channels, and for what no step takes: integers, NaN, empty signals.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        degrade = self._prepare()

        def degrade_in_double(clip: NDArray) -> NDArray:
            wide = clip.astype(np.float64)
            return match_level(degrade(wide), wide, self.match).astype(clip.dtype)

        return map_clips(degrade_in_double, batch)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        tags.input_tags.signal_pairs = False
        return tags


def _holds_pairs(X: Any) -> bool:
    """Whether X is an array of pairs (or of two channels), or a list whose first item is one."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.ndim == 3 and X.shape[1] == 2
    if not isinstance(X, (list, tuple, np.ndarray)) or len(X) == 0:
        return False
    first = X[0]
    if isinstance(first, np.ndarray):
        return first.ndim == 2 and len(first) == 2
    return (
        isinstance(first, (list, tuple))
        and len(first) == 2
        and all(isinstance(clip, np.ndarray) and clip.ndim == 1 for clip in first)
    )
