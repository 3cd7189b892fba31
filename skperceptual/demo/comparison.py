"""Metrics against ratings: values on songs that were held out, and how they correlate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import Bunch, get_tags

from skperceptual.demo.published import ALL, published_correlation
from skperceptual.full_reference import MSE, MSSSIM, NLPD, SSIM
from skperceptual.metrics import correlation_interval
from skperceptual.regression import NLPDRegressor

# The paper's Table 1 compares metrics, its Table 2 five normalisations of NLPD.
TABLE_1 = ("MSE", "SSIM", "MS-SSIM", "NLPD image")
TABLE_2 = ("NLPD image", "NLPD none", "NLPD ones", "NLPD statistical", "NLPD perceptual")
CEILING = "ceiling"


def make_metrics(*, max_epochs: int = 30, random_state: int = 0) -> dict[str, BaseEstimator]:
    """Make the metrics of both tables, which read pairs of images.

    Parameters
    ----------
    max_epochs : int, default=30
        Evaluations of the objective in the perceptual fit.
    random_state : int, default=0
        Seed of the perceptual fit.

    Returns
    -------
    dict of str to estimator
        The metrics by name, unfitted. Each transforms pairs into one value.

    Examples
    --------
    >>> from skperceptual.demo.comparison import make_metrics
    >>> make_metrics()["NLPD statistical"]
    NLPD(normalization='statistical')
    """
    return {
        "MSE": MSE(),
        "SSIM": SSIM(),
        "MS-SSIM": MSSSIM(),
        "NLPD image": NLPD(normalization="image"),
        "NLPD none": NLPD(normalization=None),
        "NLPD ones": NLPD(normalization="ones"),
        "NLPD statistical": NLPD(normalization="statistical"),
        "NLPD perceptual": NLPDRegressor(
            normalization="perceptual",
            solver="lbfgs",
            max_epochs=max_epochs,
            increasing=False,
            n_jobs=-1,
            random_state=random_state,
        ),
    }


def fit_metric(
    metric: Any, images: Any, ratings: ArrayLike, condition: ArrayLike | None = None
) -> Any:
    """Fit a copy of a metric to ratings, if it learns from them.

    Parameters
    ----------
    metric : estimator
        One of :func:`make_metrics`.
    images : ndarray or list of pairs of images
        The training pairs.
    ratings : array of shape (n_pairs,)
        Their ratings.
    condition : array of shape (n_pairs,), default=None
        Degradation of each pair: the perceptual fit then correlates within one at a time, as in
        the paper. None correlates all pairs together.

    Returns
    -------
    estimator
        The fitted copy.
    """
    metric = clone(metric)
    if isinstance(metric, NLPDRegressor):
        return metric.fit(images, ratings, condition=condition)
    return metric.fit(images)


def agreement_values(metric: Any, images: Any) -> NDArray[np.float64]:
    """Give the values of a fitted metric, turned so that better pairs have higher ones.

    Parameters
    ----------
    metric : fitted estimator
        One of :func:`make_metrics`.
    images : ndarray or list of pairs of images
        The pairs.

    Returns
    -------
    ndarray of shape (n_pairs,)
        Similarities as they are, distances with their sign changed.
    """
    values = metric.transform(images)[:, 0].astype(np.float64)
    return values if getattr(metric, "higher_is_better", False) else -values


def held_out_values(
    metric: Any,
    images: Any,
    ratings: NDArray[np.float64],
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    *,
    condition: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Value every pair by a metric that learned nothing from its song.

    A metric that learns nothing has the same values in every fold. One that does has a scale of
    its own in each; the mean and the deviation of its values on the training pairs bring them
    together, without the help of ratings. (A map to ratings would not do: songs rated above the
    others are missing from what their own map was fitted to, so that it would predict too low.)

    Parameters
    ----------
    metric : estimator
        One of :func:`make_metrics`.
    images : list of pairs of images
        All pairs.
    ratings : ndarray of shape (n_pairs,)
        Their ratings.
    folds : list of (train, test)
        Rows to learn from, and rows to value.
    condition : ndarray of shape (n_pairs,), default=None
        Degradation of each pair, as in :func:`fit_metric`.

    Returns
    -------
    ndarray of shape (n_pairs,)
        Higher for better pairs; NaN for rows that no fold tests.
    """
    values = np.full(len(ratings), np.nan)
    if not get_tags(metric).requires_fit:
        tested = np.unique(np.concatenate([test for _, test in folds]))
        values[tested] = agreement_values(metric, [images[row] for row in tested])
        return values
    for train, test in folds:
        training_images = [images[row] for row in train]
        fitted = fit_metric(
            metric, training_images, ratings[train], None if condition is None else condition[train]
        )
        on_train = agreement_values(fitted, training_images)
        on_test = agreement_values(fitted, [images[row] for row in test])
        values[test] = (on_test - on_train.mean()) / on_train.std()
    return values


def correlate(values: pd.DataFrame, data: Bunch) -> pd.DataFrame:
    """Correlate values with ratings, in each condition and over all of them.

    Parameters
    ----------
    values : DataFrame of shape (n_pairs, n_metrics)
        What :func:`held_out_values` gave, one column a metric. Rows without a value are left
        out.
    data : Bunch
        With ``target``, ``groups`` and ``condition``.

    Returns
    -------
    DataFrame
        One row for each metric and condition (``"all"`` included): ``n_pairs``, ``n_songs``,
        ``spearman``, positive for agreement; ``low`` and ``high``, the ends of its 95 %
        interval over songs; ``p``, of no correlation, as if all pairs were independent; and
        ``paper``, the paper's correlation.
    """
    rows = []
    for metric in values:
        column = values[metric].to_numpy()
        for condition in [*dict.fromkeys(data.condition), ALL]:
            kept = ~np.isnan(column) & ((data.condition == condition) | (condition == ALL))
            rows.append(
                {
                    "metric": metric,
                    "condition": condition,
                    **_correlation(column[kept], data.target[kept], data.groups[kept]),
                    "paper": published_correlation(str(metric), str(condition)),
                }
            )
    return pd.DataFrame(rows).astype({"paper": np.float64})


def _correlation(
    values: NDArray[np.float64], ratings: NDArray[np.float64], groups: NDArray[Any]
) -> dict[str, float]:
    counts = {"n_pairs": len(ratings), "n_songs": len(np.unique(groups))}
    if len(np.unique(ratings)) < 2 or len(np.unique(values)) < 2:
        return counts | dict.fromkeys(["spearman", "low", "high", "p"], np.nan)
    with warnings.catch_warnings():
        # A condition whose ratings differ within one song alone has no interval: the table says so.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        low, high = correlation_interval(ratings, values, groups=groups)
    test = spearmanr(ratings, values)
    return counts | {"spearman": test.statistic, "low": low, "high": high, "p": test.pvalue}


def format_table(correlations: pd.DataFrame, metrics: tuple[str, ...]) -> str:
    """Lay out correlations as the paper's tables do, with what the paper has below each.

    Parameters
    ----------
    correlations : DataFrame
        What :func:`correlate` gave.
    metrics : tuple of str
        The rows.

    Returns
    -------
    str
        The table: one block a metric, one column a condition.
    """
    conditions = [str(name) for name in dict.fromkeys(correlations["condition"])]
    lines = [f"  {'':<18}" + "".join(f"{name:>12}" for name in conditions)]
    cells = correlations.set_index(["metric", "condition"]).to_dict("index")
    for metric in metrics:
        row = [cells[metric, condition] for condition in conditions]
        lines += [f"  {name:<18}" + "".join(line) for name, line in _table_rows(metric, row)]
    return "\n".join(lines)


def _table_rows(metric: str, cells: list[dict[Any, Any]]) -> Iterator[tuple[str, list[str]]]:
    yield metric, [f"{cell['spearman']:12.2f}" for cell in cells]
    yield "  95 % interval", [f"{cell['low']:6.2f} {cell['high']:5.2f}" for cell in cells]
    if not np.isnan(cells[0]["paper"]):
        yield "  the paper, PMQD", [f"{cell['paper']:12.2f}" for cell in cells]
