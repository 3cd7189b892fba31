"""Metrics of other packages as estimators: what they refuse costs one value, and no other."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.utils._sklearn import StrOptions, _fit_context
from skperceptual.utils.messages import as_list, counted, warn_caller
from skperceptual.utils.optional import import_optional
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.validation import Batch, check_signals

__all__ = ["ExternalMetric", "UnscorableError"]

_Signal = NDArray[np.float64]
Score = Callable[[_Signal, _Signal], float]


class UnscorableError(Exception):
    """Why a pair has no value; never seen outside of the metrics.

    Examples
    --------
    >>> from skperceptual.full_reference.external import UnscorableError
    >>> str(UnscorableError("the reference is silent"))
    'the reference is silent'
    """


class ExternalMetric(TransformerMixin, PerceptualEstimator):
    """Base of the metrics that another package computes from pairs of signals.

    A subclass defines the contract (``higher_is_better``, ``bounds``, ``symmetric``), the name of
    the package, ``_scorer``, which gives a function that can be pickled, and
    ``_feature_name``. The function takes one pair in float64; whatever it raises leaves that pair
    without a value.

    Examples
    --------
    >>> from skperceptual import STOI
    >>> from skperceptual.full_reference.external import ExternalMetric
    >>> issubclass(STOI, ExternalMetric), STOI.higher_is_better
    (True, True)
    """

    higher_is_better: ClassVar[bool]
    symmetric: ClassVar[bool]
    on_error: str
    n_jobs: int | None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "on_error": [StrOptions({"nan", "raise"})],
        "n_jobs": [Integral, None],
    }

    _package: ClassVar[str]

    @abstractmethod
    def _scorer(self) -> Score:
        """Give the function that scores one pair."""

    @abstractmethod
    def _feature_name(self) -> str:
        """Name the value."""

    def _validate_pairs(self, X: Any, *, reset: bool) -> Batch:
        batch = check_signals(X, pairs=True)
        self._record_features(X, batch, reset=reset)
        return batch

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the pairs; there is nothing to learn.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list of pairs
            Pairs of signals, the reference first.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The metric itself.
        """
        self._validate_pairs(X, reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Score every pair.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list of pairs
            Pairs of signals, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            One value a pair, in the floating-point type of the signals; NaN, with
            ``on_error="nan"``, where there is none.

        Raises
        ------
        ImportError
            Without the package; the message names the extra that brings it.
        ValueError
            With ``on_error="raise"``, when a pair has no value.

        Warns
        -----
        UserWarning
            When values are missing: how many, and why.
        """
        self._validate_params()
        batch = self._validate_pairs(X, reset=False)
        outcomes = self.outcomes(batch)
        failures = {row: why for row, why in enumerate(outcomes) if isinstance(why, str)}
        if failures:
            self._report(failures, len(outcomes))
        values = [np.nan if isinstance(value, str) else value for value in outcomes]
        return np.asarray(values, dtype=batch[0][0].dtype)[:, np.newaxis]

    def outcomes(self, batch: Batch) -> list[float | str]:
        """Score pairs that were checked before, for programs that tell failures in their own way.

        Parameters
        ----------
        batch : ndarray or list
            What :func:`skperceptual.utils.validation.check_signals` returned.

        Returns
        -------
        list of float or str
            The value of each pair, or why it has none.

        Raises
        ------
        ImportError
            Without the package; the message names the extra that brings it.
        """
        self.check_package()
        score = self._scorer()
        jobs = [delayed(_outcome)(score, pair[0], pair[1]) for pair in batch]
        # In processes: most packages keep state of their own, which threads would share.
        results = run_jobs(
            jobs, n_jobs=self.n_jobs, verbose=0, caller=type(self).__name__, unit="pair"
        )
        return list(results)

    def check_package(self) -> None:
        """See whether the package is there that computes the values.

        Raises
        ------
        ImportError
            When it is not; the message names the extra that brings it.
        """
        import_optional(self._package, extra="speech", purpose=type(self).__name__)

    def _report(self, failures: dict[int, str], n_pairs: int) -> None:
        name = type(self).__name__
        if self.on_error == "raise":
            row, why = next(iter(failures.items()))
            raise ValueError(
                f"{name} has no value for pair {row}: {why}. Leave that pair out, or use "
                "on_error='nan' to go on without its value."
            )
        reasons = as_list([f"row {row}: {why}" for row, why in failures.items()], "rows")
        warn_caller(
            f"{name} has no value for {counted(len(failures), 'pair')} of {n_pairs}, which get "
            f"NaN (on_error='raise' makes this an error):\n{reasons}"
        )

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output feature.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            One name.
        """
        return np.asarray([self._feature_name()], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.signal_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _outcome(
    score: Score, reference: NDArray[np.floating], degraded: NDArray[np.floating]
) -> float | str:
    """Give the value of one pair, or why it has none."""
    pair = reference.astype(np.float64), degraded.astype(np.float64)
    if not pair[0].any():
        return "the reference is silent"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is left out of the value, not of a failure
            value = float(score(*pair))
    except UnscorableError as error:
        return str(error)
    except Exception as error:  # whatever it is, the other pairs have nothing to do with it
        return f"{type(error).__name__}: {error}"
    return value if np.isfinite(value) else "the result is not finite"
