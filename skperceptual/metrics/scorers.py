"""Scorers for model selection: the signed correlations, and their mean within conditions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.utils.metadata_routing import MetadataRequest

from skperceptual.metrics.correlations import (
    check_ratings,
    kendall,
    kendall_score,
    pearson,
    pearson_score,
    spearman,
    spearman_score,
)

__all__ = [
    "WithinConditionScorer",
    "kendall_scorer",
    "pearson_scorer",
    "spearman_scorer",
    "within_condition_score",
    "within_condition_scorer",
]

Score = str | Callable[..., float]

#: Scorer of :func:`spearman_score`, for ``scoring=``; its sign is kept.
spearman_scorer = make_scorer(spearman_score)
#: Scorer of :func:`pearson_score`, for ``scoring=``; its sign is kept.
pearson_scorer = make_scorer(pearson_score)
#: Scorer of :func:`kendall_score`, for ``scoring=``; its sign is kept.
kendall_scorer = make_scorer(kendall_score)

_STATISTICS = {"spearman": spearman, "pearson": pearson, "kendall": kendall}


def within_condition_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, condition: ArrayLike, score: Score = "spearman"
) -> float:
    """Score the predictions within each condition, and average.

    A metric that only tells types of degradation apart correlates with ratings over all
    samples; within a condition it has to order the samples of one type.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 1)
        Ratings.
    y_pred : array-like of shape (n_samples,) or (n_samples, 1)
        Predictions.
    condition : array-like of shape (n_samples,)
        Label of each sample's condition, text or numbers.
    score : {"spearman", "pearson", "kendall"} or callable, default="spearman"
        Computed within each condition; a callable gets ``(y_true, y_pred)`` of its samples.

    Returns
    -------
    float
        The plain mean over conditions, each counting once however many samples it has.
        Conditions where the score is NaN (a constant rating or prediction, a single sample) are
        left out with an :class:`~sklearn.exceptions.UndefinedMetricWarning` that names them; the
        result is NaN if none is left.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite, or differ in length, for missing condition
        labels and an unknown score.

    Examples
    --------
    >>> from skperceptual.metrics import within_condition_score
    >>> ratings = [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]
    >>> predictions = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7]
    >>> condition = ["noise", "noise", "noise", "codec", "codec", "codec"]
    >>> within_condition_score(ratings, predictions, condition=condition)
    0.0
    """
    statistic = _resolve_score(score)
    ratings, predictions, _ = check_ratings(y_true, y_pred)
    labels, group = _check_condition(condition, len(ratings))
    values = np.array(
        [statistic(ratings[group == k], predictions[group == k]) for k in range(len(labels))]
    )
    undefined = np.isnan(values)
    if undefined.any() or not len(labels):
        names = [str(label) for label, nan in zip(labels, undefined, strict=True) if nan]
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        consequence = "left out of the mean" if len(names) < len(labels) else "so the score is NaN"
        warnings.warn(
            f"The score is undefined in {len(names)} of {len(labels)} conditions ({shown}), "
            f"{consequence}: ratings or predictions are all equal there, or it has one sample.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    return float(np.mean(values[~undefined])) if not undefined.all() else np.nan


def within_condition_scorer(score: Score = "spearman") -> WithinConditionScorer:
    """Make a scorer that averages a score over conditions.

    Parameters
    ----------
    score : {"spearman", "pearson", "kendall"} or callable, default="spearman"
        Computed within each condition; see :func:`within_condition_score`. A callable gets
        ``(y_true, y_pred)`` and, to be picklable, is defined at the top of a module.

    Returns
    -------
    WithinConditionScorer
        A scorer for ``scoring=``, which asks for the metadata ``condition`` by itself.

    Examples
    --------
    >>> import numpy as np
    >>> import sklearn
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from skperceptual.metrics import within_condition_scorer
    >>> condition = np.repeat(["noise", "codec"], 10)
    >>> ratings = np.linspace(1, 5, 20)
    >>> X = (10 - ratings)[:, np.newaxis]
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scores = cross_val_score(
    ...         LinearRegression(),
    ...         X,
    ...         ratings,
    ...         cv=2,
    ...         scoring=within_condition_scorer("spearman"),
    ...         params={"condition": condition},
    ...     )
    >>> scores
    array([1., 1.])
    """
    return WithinConditionScorer(score)


class WithinConditionScorer:
    """The scorer that :func:`within_condition_scorer` makes.

    It requests the metadata ``condition`` by default, so that with
    ``sklearn.set_config(enable_metadata_routing=True)`` the labels given as
    ``params={"condition": labels}`` to ``cross_val_score`` or ``cross_validate``, or as
    ``condition=labels`` to the ``fit`` of a search, are cut to each fold and arrive here.

    Parameters
    ----------
    score : {"spearman", "pearson", "kendall"} or callable
        Computed within each condition; see :func:`within_condition_score`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skperceptual.metrics import within_condition_scorer
    >>> X, ratings = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1.0, 2.0, 4.0, 5.0])
    >>> model = LinearRegression().fit(X, ratings)
    >>> within_condition_scorer("kendall")(model, X, ratings, condition=[0, 0, 1, 1])
    1.0
    """

    def __init__(self, score: Score) -> None:
        _resolve_score(score)
        self.score = score

    def __call__(
        self, estimator: Any, X: Any, y_true: ArrayLike, *, condition: ArrayLike | None = None
    ) -> float:
        """Predict X and score the predictions within each condition.

        Parameters
        ----------
        estimator : object
            A fitted estimator with ``predict``.
        X : array or list
            Samples for ``predict``.
        y_true : array-like of shape (n_samples,)
            Ratings.
        condition : array-like of shape (n_samples,)
            Label of each sample's condition. The default, None, is an error that explains how
            the labels get here.

        Returns
        -------
        float
            The mean score within conditions.

        Raises
        ------
        ValueError
            Without ``condition``, and for what :func:`within_condition_score` refuses.
        """
        if condition is None:
            raise ValueError(
                f"{self!r} needs the condition of every sample. Turn metadata routing on with "
                "sklearn.set_config(enable_metadata_routing=True), then pass the labels as "
                'params={"condition": labels} to cross_val_score or cross_validate, or as '
                "condition=labels to the fit of GridSearchCV; called by hand, it takes "
                "scorer(estimator, X, y, condition=labels)."
            )
        return within_condition_score(
            y_true, estimator.predict(X), condition=condition, score=self.score
        )

    def get_metadata_routing(self) -> MetadataRequest:
        """Request ``condition`` for scoring.

        Returns
        -------
        MetadataRequest
            What scikit-learn's metadata routing reads.
        """
        request = MetadataRequest(owner=repr(self))
        request.score.add_request(param="condition", alias=True)
        return request

    def __repr__(self) -> str:
        name = self.score if isinstance(self.score, str) else None
        shown = repr(name) if name else getattr(self.score, "__name__", repr(self.score))
        return f"within_condition_scorer({shown})"


def _resolve_score(score: Score) -> Callable[[NDArray, NDArray], float]:
    if isinstance(score, str) and score in _STATISTICS:
        weighted = _STATISTICS[score]
        return lambda y_true, y_pred: weighted(y_true, y_pred, np.ones_like(y_true))
    if not callable(score):
        raise ValueError(
            f"score={score!r} is unknown. Use 'spearman', 'pearson', 'kendall' or a function of "
            "(y_true, y_pred)."
        )
    return score


def _check_condition(
    condition: ArrayLike, n_samples: int
) -> tuple[list[Hashable], NDArray[np.intp]]:
    """Give the distinct labels, in order of appearance, and each sample's index into them."""
    labels = np.asarray(condition)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (n_samples,):
        raise ValueError(
            f"condition should hold one label for each of the {n_samples} samples, got an array "
            f"of shape {labels.shape}."
        )
    numbers: dict[Hashable, int] = {}
    group = np.empty(n_samples, dtype=np.intp)
    for row, label in enumerate(labels.tolist()):
        if _is_missing(label):
            raise ValueError(
                f"condition has no label in row {row} ({label!r}). Name it, or leave the row out."
            )
        group[row] = numbers.setdefault(label, len(numbers))
    return list(numbers), group


def _is_missing(label: Any) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA has no truth value
        return True
