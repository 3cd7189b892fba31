"""Signals to pairs: each signal beside what a degradation makes of it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.utils._sklearn import HasMethods
from skperceptual.utils.validation import Batch, check_signals

__all__ = ["Degrade"]


class Degrade(TransformerMixin, PerceptualEstimator):
    """Turn signals into pairs of each signal and its degraded version: a step of a pipeline.

    Parameters
    ----------
    degradation : transformer, default=None
        What to do to the signals: a :class:`~skperceptual.degradations.Degradation`, or a pipeline
        of several, or any transformer that gives signals of the same lengths. None degrades
        nothing, which makes pairs of equal signals.

    See Also
    --------
    skperceptual.degradations.degradation_grid : Many signals, degradations and severities.

    Notes
    -----
    Parameters of the degradation are those of this step: ``degradation__severity`` can be set, and
    searched, as any other. Nothing is learned, so that ``fit`` may be left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram
    >>> from skperceptual.degradations import Degrade, WhiteNoise
    >>> signals = np.random.default_rng(0).uniform(-0.5, 0.5, size=(3, 16000))
    >>> Degrade(WhiteNoise(random_state=0)).transform(signals).shape
    (3, 2, 16000)
    >>> distance = make_pipeline(Degrade(WhiteNoise(random_state=0)), MelSpectrogram(), MSE())
    >>> for severity in (0.0, 0.5, 1.0):
    ...     _ = distance.set_params(degrade__degradation__severity=severity)
    ...     print(f"{1000 * distance.fit_transform(signals).mean():.1f}")
    0.0
    0.1
    3.9
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "degradation": [HasMethods("transform"), None]
    }

    def __init__(self, degradation: Any = None) -> None:
        self.degradation = degradation

    def _check_degradation(self) -> None:
        self._validate_params()
        if isinstance(self.degradation, type):
            raise TypeError(
                f"Expected an instance of a degradation, got the class. Write "
                f"{self.degradation.__name__}()."
            )

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the degradation and the signals; there is nothing to learn.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        self._check_degradation()
        self._record_features(X, check_signals(X), reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.floating] | list[NDArray[np.floating]]:
        """Degrade the signals and pair them.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.

        Returns
        -------
        ndarray of shape (n_signals, 2, n_times), or list of ndarrays of shape (2, n_times)
            Each signal, and its degraded version after it; a list for a list.

        Raises
        ------
        ValueError
            When the degradation is no transformer or gives signals of other lengths, and for what
            is no signal.
        """
        self._check_degradation()
        batch = check_signals(X)
        self._record_features(X, batch, reset=False)
        degraded = batch if self.degradation is None else self.degradation.transform(batch)
        return pair_up(batch, degraded, self.degradation)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.signals = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def pair_up(
    signals: Batch, degraded: Batch, degradation: Any
) -> NDArray[np.floating] | list[NDArray[np.floating]]:
    """Put signals and their degraded versions beside each other.

    Parameters
    ----------
    signals : ndarray of shape (n_signals, n_times), or list of ndarrays of shape (n_times,)
        What was degraded.
    degraded : ndarray or list
        What came of it.
    degradation : transformer
        What did it.

    Returns
    -------
    ndarray of shape (n_signals, 2, n_times), or list of ndarrays of shape (2, n_times)
        The pairs; a list for a list.

    Raises
    ------
    ValueError
        When the two differ in number or length.
    """
    shapes, came = [np.shape(x) for x in signals], [np.shape(x) for x in degraded]
    if shapes != came:
        raise ValueError(
            f"{type(degradation).__name__} makes signals of shape {came[0] if came else came} from "
            f"those of shape {shapes[0]}. Use a degradation that keeps the number of signals and "
            "their lengths, or cut them with FixDuration()."
        )
    if isinstance(signals, np.ndarray):
        return np.stack([signals, np.asarray(degraded, dtype=signals.dtype)], axis=1)
    pairs = zip(signals, degraded, strict=True)
    return [np.stack([clip, np.asarray(other, np.asarray(clip).dtype)]) for clip, other in pairs]
