"""Any metric as a function of pairs of signals, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skperceptual.evaluation.worker_estimator import WorkerEstimator

__all__ = ["Claims", "PairScorer", "claims_of"]

Clip = NDArray[np.floating]
Pair = tuple[Clip, Clip]


class PairScorer:
    """Score pairs of signals by any estimator, and insist on one number a pair.

    Parameters
    ----------
    metric : estimator
        What reads pairs of signals; fitted where it learns.
    method : {"auto", "predict", "transform"} or str, default="auto"
        The method to call; ``"auto"`` takes ``predict`` where there is one.

    Raises
    ------
    NotFittedError
        When the metric is not fitted.
    TypeError
        When it is a class or a plain function.
    ValueError
        When it lacks the method.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram
    >>> from skperceptual.evaluation.pair_scores import PairScorer
    >>> score = PairScorer(make_pipeline(MelSpectrogram(n_mels=16), MSE()))
    >>> clip = np.random.default_rng(0).normal(scale=0.1, size=4000)
    >>> score([(clip, clip)])
    array([0.])
    """

    def __init__(self, metric: Any, method: str = "auto") -> None:
        has = [name for name in ("predict", "transform") if callable(getattr(metric, name, None))]
        if isinstance(metric, type):
            raise TypeError(
                f"Expected an instance of a metric, got the class {metric.__name__}. Write "
                f"{metric.__name__}()."
            )
        if callable(metric) and not has:
            raise TypeError(
                "Expected an estimator with predict or transform, got a function. Wrap one that "
                "takes pairs of shape (n_pairs, 2, n_times) as "
                "sklearn.preprocessing.FunctionTransformer(function)."
            )
        if method == "auto":
            method = has[0] if has else "predict"
        if not callable(getattr(metric, method, None)):
            raise ValueError(
                f"{type(metric).__name__} has no method {method!r}; it has "
                f"{' and '.join(map(repr, has)) or 'neither predict nor transform'}. Use an "
                "estimator that gives one number for each pair of signals."
            )
        check_is_fitted(metric)
        self.method = method
        self._metric = WorkerEstimator(metric)

    def __call__(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Score pairs in one call of the metric.

        Parameters
        ----------
        pairs : list of tuple of ndarray of shape (n_times,)
            References and degraded signals.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Their scores.
        """
        alike = len({np.shape(clip) for pair in pairs for clip in pair}) == 1
        X: Any = np.array([np.stack(pair) for pair in pairs]) if alike else list(pairs)
        values = np.asarray(getattr(self._metric.get(), self.method)(X))
        if values.shape not in ((len(pairs),), (len(pairs), 1)) or values.dtype.kind not in "iuf":
            raise ValueError(
                f"Expected {self.method!r} to give one number for each of {len(pairs)} pairs, got "
                f"an array of shape {values.shape} and type {values.dtype}. Audit the metrics of "
                "a union one by one, or let a regressor join them."
            )
        return values.reshape(-1).astype(np.float64)


class Claims(NamedTuple):
    """What a metric says of itself; None where it says nothing.

    Parameters
    ----------
    higher_is_better : bool or None
        Whether its value rises with quality.
    symmetric : bool or None
        Whether the two of a pair may be swapped.
    best_score : float or None
        What a signal against itself gets.
    """

    higher_is_better: bool | None
    symmetric: bool | None
    best_score: float | None


def claims_of(
    metric: Any,
    *,
    higher_is_better: bool | str | None = "auto",
    symmetric: bool | str | None = "auto",
    best_score: float | str | None = "auto",
) -> Claims:
    """Collect what a metric, or the last step of a pipeline, says of itself.

    Parameters
    ----------
    metric : estimator
        The attributes ``higher_is_better``, ``symmetric`` and ``bounds`` are read where they are.
    higher_is_better, symmetric, best_score : "auto", None or a value
        What to take in place of the metric's own word; None means that nothing is claimed.

    Returns
    -------
    Claims
        The claims.

    Examples
    --------
    >>> from skperceptual import SSIM
    >>> from skperceptual.evaluation.pair_scores import claims_of
    >>> claims_of(SSIM())
    Claims(higher_is_better=True, symmetric=True, best_score=1.0)
    """
    last = metric
    while hasattr(last, "best_estimator_") or hasattr(last, "steps"):
        last = last.best_estimator_ if hasattr(last, "best_estimator_") else last.steps[-1][1]
    rises = (
        getattr(last, "higher_is_better", None)
        if higher_is_better == "auto"
        else (higher_is_better)
    )
    swaps = getattr(last, "symmetric", None) if symmetric == "auto" else symmetric
    best = best_score
    if isinstance(best, str):
        bounds = getattr(last, "bounds", None)
        # A map to ratings need not give its best rating to anything.
        if bounds is None or rises is None or hasattr(last, "predict"):
            best = None
        else:
            best = float(bounds[bool(rises)])
        best = None if best is not None and not np.isfinite(best) else best
    return Claims(
        None if rises is None else bool(rises),
        None if swaps is None else bool(swaps),
        None if best is None else float(best),
    )
