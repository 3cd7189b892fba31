"""Metrics against ratings, by cross-validation on songs that were held out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import Bunch, get_tags

from skperceptual.calibration import RatingMapping
from skperceptual.full_reference import MSE, MSSSIM, NLPD, SSIM
from skperceptual.metrics import spearman_score
from skperceptual.regression import NLPDRegressor

# The paper's Table 1 compares metrics, its Table 2 five normalisations of NLPD.
TABLE_1 = ("MSE", "SSIM", "MS-SSIM", "NLPD image")
TABLE_2 = ("NLPD image", "NLPD none", "NLPD ones", "NLPD statistical", "NLPD perceptual")

ALL = "all"
SCORE = "spearman_with_simulated_rating"


def make_metrics(*, max_epochs: int = 30, random_state: int = 0) -> dict[str, Pipeline]:
    """Make the metrics of both tables: images in, predicted ratings out.

    Parameters
    ----------
    max_epochs : int, default=30
        Evaluations of the objective in the perceptual fit.
    random_state : int, default=0
        Seed of the perceptual fit.

    Returns
    -------
    dict of str to Pipeline
        The metrics by name, unfitted.
    """
    perceptual = NLPDRegressor(
        normalization="perceptual",
        solver="lbfgs",
        max_epochs=max_epochs,
        n_jobs=-1,
        random_state=random_state,
    )
    return {
        "MSE": make_pipeline(MSE(), RatingMapping()),
        "SSIM": make_pipeline(SSIM(), RatingMapping()),
        "MS-SSIM": make_pipeline(MSSSIM(), RatingMapping()),
        "NLPD image": make_pipeline(NLPD(normalization="image"), RatingMapping()),
        "NLPD none": make_pipeline(NLPD(normalization=None), RatingMapping()),
        "NLPD ones": make_pipeline(NLPD(normalization="ones"), RatingMapping()),
        "NLPD statistical": make_pipeline(NLPD(normalization="statistical"), RatingMapping()),
        "NLPD perceptual": make_pipeline(perceptual),
    }


def fit_parameters(metric: Pipeline, condition: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Give what ``fit`` takes besides images and ratings."""
    name, last = metric.steps[-1]
    # The perceptual fit correlates within one condition at a time, as in the paper.
    return {f"{name}__condition": condition} if isinstance(last, NLPDRegressor) else {}


def predict_held_out(
    metrics: dict[str, Pipeline],
    images: Sequence[Any],
    rated: Bunch,
    *,
    n_folds: int,
    say: Callable[..., None],
) -> pd.DataFrame:
    """Predict every pair by a metric that was fitted to other songs.

    Parameters
    ----------
    metrics : dict of str to Pipeline
        What to compare.
    images : list of ndarray of shape (2, n_bands, n_frames)
        The pairs, reference first.
    rated : Bunch
        With ``target``, ``groups`` and ``condition``.
    n_folds : int
        How often to divide the songs.
    say : callable
        Takes what ``print`` takes, to report progress.

    Returns
    -------
    DataFrame of shape (n_pairs, 1 + n_metrics)
        The ``fold`` that held the pair out, and the rating that each metric predicts.
    """
    split = GroupKFold(n_folds)
    fold = np.empty(len(rated.target), dtype=int)
    for number, (_, held_out) in enumerate(split.split(images, groups=rated.groups)):
        fold[held_out] = number
    predictions = {"fold": fold}
    for number, (name, metric) in enumerate(metrics.items(), start=1):
        start = perf_counter()
        say(f"  {number}/{len(metrics)}  {name:<18}", end="", flush=True)
        model, X = clone(metric), images
        if not get_tags(model[0]).requires_fit:
            # It learns nothing, so that its values are the same in every fold: only the map to
            # ratings is fitted anew.
            model, X = model[1:], model[0].fit_transform(images)
        predictions[name] = cross_val_predict(
            model,
            X,
            rated.target,
            groups=rated.groups,
            cv=split,
            params=fit_parameters(model, rated.condition),
        )
        say(f"{perf_counter() - start:5.1f} s")
    return pd.DataFrame(predictions)


def correlate(predictions: pd.DataFrame, rated: Bunch) -> pd.DataFrame:
    """Correlate predictions with ratings, in each condition and over all of them.

    Each fold has its own map to ratings, so the correlation is computed within a fold, and
    averaged: in predictions of several folds together, a song that is rated higher than others
    is predicted lower, because it is missing from what its predictor was fitted to.

    Parameters
    ----------
    predictions : DataFrame
        What :func:`predict_held_out` gave.
    rated : Bunch
        With ``target`` and ``condition``.

    Returns
    -------
    DataFrame
        One row for each metric and condition (``"all"`` included): the mean of the Spearman
        correlation over folds, and its standard deviation.
    """
    folds = [predictions["fold"] == fold for fold in predictions["fold"].unique()]
    rows = []
    for metric in predictions.columns[1:]:
        predicted = predictions[metric].to_numpy()
        for condition in [*dict.fromkeys(rated.condition), ALL]:
            chosen = (rated.condition == condition) | (condition == ALL)
            scores = _defined_scores(rated.target, predicted, [fold & chosen for fold in folds])
            rows.append(
                {
                    "metric": metric,
                    "condition": condition,
                    "n_pairs": int(chosen.sum()),
                    SCORE: np.mean(scores) if len(scores) else np.nan,
                    "std_over_folds": np.std(scores) if len(scores) else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _defined_scores(
    ratings: NDArray[np.float64], predicted: NDArray[np.float64], folds: list[pd.Series]
) -> NDArray[np.float64]:
    """Correlate within each fold; where all ratings or predictions are equal, nothing counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        scores = np.array([spearman_score(ratings[fold], predicted[fold]) for fold in folds])
    return scores[~np.isnan(scores)]


def format_table(correlations: pd.DataFrame, metrics: Sequence[str]) -> str:
    """Lay out correlations as the paper's tables do: one row a metric, one column a condition.

    Parameters
    ----------
    correlations : DataFrame
        What :func:`correlate` gave.
    metrics : sequence of str
        The rows.

    Returns
    -------
    str
        The table; the correlation over all conditions with its deviation over folds.
    """
    conditions = [str(name) for name in dict.fromkeys(correlations["condition"])]
    of = correlations.set_index(["metric", "condition"])
    scores, spread = of[SCORE].to_dict(), of["std_over_folds"].to_dict()
    lines = [f"  {'':<17}{''.join(f'{name:>11}' for name in conditions)} ± folds"]
    for metric in metrics:
        cells = "".join(f"{scores[metric, name]:11.2f}" for name in conditions)
        lines.append(f"  {metric:<17}{cells} ± {spread[metric, ALL]:.2f}")
    return "\n".join(lines)
