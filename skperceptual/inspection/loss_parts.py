"""Parts of a metric's loss: what levels or frequency bands have in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.utils.pipelines import flat_steps

__all__ = ["contributions"]


def contributions(estimator: Any, X: Any, *, by: str = "level") -> pd.DataFrame:
    """Split the loss of each pair into the parts that levels or frequency bands have in it.

    The loss is the metric's distance or, for a similarity, one minus it. Steps after the metric,
    such as :class:`RatingMapping`, change nothing in how it comes about and are left aside.

    Parameters
    ----------
    estimator : estimator
        A metric with a method ``contributions`` (:class:`MSE`, :class:`SSIM`, :class:`MSSSIM`,
        :class:`NLPD`, :class:`NLPDRegressor`), or a Pipeline with one among its steps. What
        learns has to be fitted.
    X : array, list or DataFrame
        Pairs in the form that the estimator reads: file names, signals or images.
    by : {"level", "band"}, default="level"
        ``"level"`` splits by scale, 0 the finest; ``"band"`` by row of the image. Metrics of one
        scale have one level.

    Returns
    -------
    DataFrame
        One row for each pair and part, with the columns

        ``pair``
            The row of X: its index where X is a DataFrame, its number otherwise.
        ``level``, or ``band`` and ``frequency_hz``
            The part. The frequency is that of the band's centre where the Pipeline has a front
            end that knows it (``band_frequencies``), and NaN otherwise.
        ``contribution``
            The part of the loss; those of a pair add up to it.
        ``share``
            The same divided by the loss, NaN for a loss of 0.

    Raises
    ------
    ValueError
        When no step has contributions, ``by`` is unknown, or X does not fit.

    See Also
    --------
    skperceptual.plotting.ContributionsDisplay : Draws the table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram
    >>> from skperceptual.inspection import contributions
    >>> noise = np.random.default_rng(0).normal(scale=0.01, size=16000)
    >>> tone = 0.1 * np.sin(2 * np.pi * 2300 * np.arange(16000) / 16000)
    >>> pairs = np.array([[noise, noise + tone]])
    >>> metric = make_pipeline(MelSpectrogram(sr=16000, n_mels=4), MSE())
    >>> table = contributions(metric, pairs, by="band")
    >>> table.round({"frequency_hz": 0, "contribution": 4, "share": 2})
       pair  band  frequency_hz  contribution  share
    0     0     0         603.0        0.0000    0.0
    1     0     1        1237.0        0.0000    0.0
    2     0     2        2305.0        0.0097    1.0
    3     0     3        4294.0        0.0000    0.0
    """
    before, metric = _split_at_metric(estimator)
    labels = X.index if hasattr(X, "iloc") else np.arange(len(X))
    frequencies = None
    images = X
    for step in before:
        images = step.transform(images)
        if hasattr(step, "band_frequencies"):
            frequencies = step.band_frequencies()
    parts = metric.contributions(images, by=by)
    n_pairs, n_parts = parts.shape
    table = {"pair": np.repeat(labels, n_parts), by: np.tile(np.arange(n_parts), n_pairs)}
    if by == "band":
        if frequencies is None or len(frequencies) != n_parts:
            frequencies = np.full(n_parts, np.nan)
        table["frequency_hz"] = np.tile(frequencies, n_pairs)
    table["contribution"] = parts.ravel()
    table["share"] = _shares(parts).ravel()
    return pd.DataFrame(table)


def _split_at_metric(estimator: Any) -> tuple[list[Any], Any]:
    """Give the steps before the metric, and the metric: the last step with contributions."""
    steps = flat_steps(estimator)
    for position in reversed(range(len(steps))):
        if hasattr(steps[position], "contributions"):
            return steps[:position], steps[position]
    names = ", ".join(type(step).__name__ for step in steps)
    raise ValueError(
        "Expected a metric with contributions (MSE, SSIM, MSSSIM, NLPD, NLPDRegressor) or a "
        f"Pipeline with one of them as a step, got {names}. Of a union of metrics, give each by "
        "itself."
    )


def _shares(parts: NDArray[np.floating]) -> NDArray[np.floating]:
    totals = parts.sum(axis=1, keepdims=True)
    shares = np.full_like(parts, np.nan)
    return np.divide(parts, totals, out=shares, where=totals != 0)
