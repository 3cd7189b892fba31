"""What pipelines give for rows that they were not fitted to: jobs, and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn import config_context, get_config
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

from skperceptual.calibration import RatingMapping
from skperceptual.evaluation.conformal import ConformalRatings
from skperceptual.evaluation.fold_leaks import Split
from skperceptual.evaluation.metadata_fit import fit_with_metadata
from skperceptual.evaluation.sample_rows import take_rows
from skperceptual.utils.parallel import run_jobs

__all__ = ["OutOfFold", "check_pipelines", "predict_out_of_fold"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutOfFold:
    """What all pipelines gave.

    Parameters
    ----------
    scores : DataFrame of shape (n_rows, n_pipelines)
        Their own values; NaN for rows that were not tested.
    predictions : DataFrame of shape (n_rows, n_pipelines)
        Predicted ratings.
    own_intervals : dict of str to ndarray of shape (n_rows, 2)
        Of pipelines that are :class:`ConformalRatings`.
    folds : ndarray of shape (n_rows,)
        The fold in which each row was tested, -1 for none.
    estimators : dict of str to list of estimator
        Fitted pipelines, where they are to be kept.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    own_intervals: dict[str, Floats]
    folds: NDArray[np.intp]
    estimators: dict[str, list[Any]]


class _Given(NamedTuple):
    """What one pipeline gave in one fold."""

    tested: Floats
    trained: Floats | None  # of a metric that learns, for its mapping
    interval: Floats | None
    estimator: Any


def check_pipelines(pipelines: Any, baseline: str | None) -> None:
    """Refuse what cannot be fitted and compared.

    Parameters
    ----------
    pipelines : object
        What the user gave.
    baseline : str or None
        One of the names.

    Raises
    ------
    TypeError
        For what is no dict of estimators.
    ValueError
        For an empty one, classifiers, and a baseline that is not in it.
    """
    if not isinstance(pipelines, Mapping):
        raise TypeError(
            "Expected pipelines as a dict of names and estimators, got "
            f"{type(pipelines).__name__}. Use {{'name': pipeline}}."
        )
    if not pipelines or not all(isinstance(name, str) for name in pipelines):
        raise ValueError(f"Expected one pipeline or more, named by text, got {list(pipelines)}.")
    for name, pipeline in pipelines.items():
        gives = any(hasattr(pipeline, method) for method in ("predict", "transform"))
        if isinstance(pipeline, type) or not (hasattr(pipeline, "fit") and gives):
            raise TypeError(
                f"{name!r} is no estimator with fit, and predict or transform, but "
                f"{pipeline!r:.80}. Values that are there already go to "
                "skperceptual.metrics.compare_metrics."
            )
        if is_classifier(pipeline):
            raise ValueError(
                f"{name!r} is a classifier, and predicts classes instead of ratings. Compare its "
                "probabilities with skperceptual.metrics.compare_metrics."
            )
    if baseline is not None and baseline not in pipelines:
        raise ValueError(f"baseline={baseline!r} is none of the pipelines {list(pipelines)}.")


def predict_out_of_fold(
    pipelines: Mapping[str, Any],
    X: Any,
    y: Floats,
    splits: list[Split],
    *,
    known: dict[str, Any],
    mapping: str,
    interval: float | None,
    keep: bool,
    n_jobs: int | None,
    verbose: bool | int,
) -> OutOfFold:
    """Fit each pipeline in each fold, and collect what they give for the rows left out.

    Parameters
    ----------
    pipelines : dict of str to estimator
        What to fit.
    X : array, list, DataFrame or Pyramid
        Rows.
    y : ndarray of shape (n_rows,)
        Ratings.
    splits : list of (ndarray, ndarray)
        Rows to fit to, and rows to predict.
    known : dict of str to ndarray or None
        Metadata.
    mapping : str
        Kind of the mapping of metrics that are no regressors.
    interval : float or None
        Confidence level that :class:`ConformalRatings` are asked for.
    keep : bool
        Whether to keep the fitted pipelines.
    n_jobs : int or None
        As joblib counts them.
    verbose : bool or int
        Whether to show a progress bar.

    Returns
    -------
    OutOfFold
        What came of it.
    """
    folds = np.full(len(y), -1)
    for number, (_, test) in enumerate(splits):
        folds[test] = number
    config = get_config()
    jobs = [
        delayed(_fit_and_predict)(
            clone(pipeline),
            X,
            y,
            split,
            known,
            # What learns nothing gives a row the same in any fold: where it is tested will do.
            score_train=_learns(pipeline) or bool((folds < 0).any()),
            interval=interval,
            keep=keep,
            label=(name, number),
            config=config,
        )
        for name, pipeline in pipelines.items()
        for number, split in enumerate(splits)
    ]
    results: list[_Given] = list(
        run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller="cross_compare", unit="fit")
    )
    scores, predictions = {}, {}
    own_intervals: dict[str, Floats] = {}
    estimators: dict[str, list[Any]] = {}
    for place, (name, pipeline) in enumerate(pipelines.items()):
        given = results[place * len(splits) : (place + 1) * len(splits)]
        scores[name] = _collect([one.tested for one in given], splits, len(y))
        if keep:
            estimators[name] = [one.estimator for one in given]
        if given[0].interval is not None:
            own_intervals[name] = _collect([one.interval for one in given], splits, len(y))
        if hasattr(pipeline, "predict"):
            predictions[name] = scores[name]
            continue
        mapped = []
        for number, (one, (train, _)) in enumerate(zip(given, splits, strict=True)):
            values = scores[name][train] if one.trained is None else one.trained
            weights = None if known["sample_weight"] is None else known["sample_weight"][train]
            try:
                mapped.append(_map_scores(values, y[train], weights, one.tested, mapping))
            except ValueError as error:
                error.add_note(f"This was found in mapping {name!r} to ratings, fold {number}.")
                raise
        predictions[name] = _collect(mapped, splits, len(y))
    return OutOfFold(
        pd.DataFrame(scores), pd.DataFrame(predictions), own_intervals, folds, estimators
    )


def _fit_and_predict(
    pipeline: Any,
    X: Any,
    y: Floats,
    split: Split,
    known: dict[str, Any],
    *,
    score_train: bool,
    interval: float | None,
    keep: bool,
    label: tuple[str, int],
    config: dict[str, Any],
) -> _Given:
    train, test = split
    of_train = {key: None if values is None else values[train] for key, values in known.items()}
    trained = bounds = None
    try:
        with config_context(**config):
            if hasattr(pipeline, "predict"):
                fit_with_metadata(pipeline, take_rows(X, train), y[train], of_train)
                X_test = take_rows(X, test)
                tested = _one_column(pipeline.predict(X_test), len(test))
                if interval is not None and isinstance(pipeline, ConformalRatings):
                    bounds = pipeline.predict_interval(X_test, confidence_level=interval)
            elif score_train:
                X_train = take_rows(X, train)
                fit_with_metadata(pipeline, X_train, y[train], of_train)
                trained = _one_column(pipeline.transform(X_train), len(train))
                tested = _one_column(pipeline.transform(take_rows(X, test)), len(test))
            else:  # in one pass: fit does no more than check
                tested = _one_column(pipeline.fit_transform(take_rows(X, test)), len(test))
    except Exception as error:
        error.add_note(f"This was found in {label[0]!r}, fold {label[1]}.")
        raise
    return _Given(tested, trained, bounds, pipeline if keep else None)


def _learns(estimator: Any) -> bool:
    """Whether anything in a pipeline depends on the rows that it is fitted to."""
    if hasattr(estimator, "steps"):
        return any(_learns(step) for _, step in estimator.steps)
    if hasattr(estimator, "transformer_list"):
        return any(_learns(part) for _, part in estimator.transformer_list)
    if estimator is None or isinstance(estimator, str):  # "passthrough", "drop"
        return False
    return bool(get_tags(estimator).requires_fit)


def _one_column(values: Any, n_rows: int) -> Floats:
    array = np.asarray(values)
    if array.shape not in ((n_rows,), (n_rows, 1)) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"Expected one number for each of {n_rows} rows, got an array of shape {array.shape} "
            f"and type {array.dtype}. Let the pipeline end in a regressor, or in a metric of one "
            "column."
        )
    return array.reshape(-1).astype(np.float64)


def _map_scores(
    values: Floats, ratings: Floats, weights: Floats | None, tested: Floats, mapping: str
) -> Floats:
    """Map the scores of a fold to ratings, by a curve fitted to the others; NaN stay NaN."""
    there, predicted = ~np.isnan(values), np.full(len(tested), np.nan)
    weights = None if weights is None else weights[there]
    fitted = RatingMapping(mapping).fit(values[there], ratings[there], sample_weight=weights)
    there = ~np.isnan(tested)
    if there.any():
        predicted[there] = fitted.predict(tested[there])
    return predicted


def _collect(parts: list[Any], splits: list[Split], n_rows: int) -> Floats:
    """Put the results of all folds into the places of their rows."""
    collected = np.full((n_rows, *parts[0].shape[1:]), np.nan)
    for part, (_, test) in zip(parts, splits, strict=True):
        collected[test] = part
    return collected
