"""One table for everything: how well metrics predict ratings, how sure that is, and who is best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from skperceptual.metrics.report_table import make_table

__all__ = ["compare_metrics", "rating_report"]


def rating_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    name: str = "metric",
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    per: str | ArrayLike = "file",
    mapping: str | None = "cubic",
    mapped: ArrayLike | None = None,
    ddof: float | str = "auto",
    half_width: ArrayLike | None = None,
    votes: Any = None,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
    nan_policy: str = "raise",
) -> pd.DataFrame:
    """Report how well one metric predicts ratings: of all items, and of each condition.

    Parameters
    ----------
    y_true : array-like of shape (n_items,)
        Ratings.
    y_pred : array-like of shape (n_items,)
        What the metric gives.
    name : str, default="metric"
        What to call the metric.
    groups : array-like of shape (n_items,), default=None
        Source recording of each item. None takes every item for one of its own.
    condition : array-like of shape (n_items,), default=None
        Condition of each item, such as its codec.
    per : {"file", "condition", "group"} or array-like of shape (n_items,), default="file"
        What is judged; see :func:`compare_metrics`.
    mapping : {"linear", "cubic", "logistic", "logistic5", "isotonic"} or None, default="cubic"
        The curve that brings the metric to the scale of the ratings before errors are computed.
    mapped : array-like of shape (n_items,), default=None
        The metric on the scale of the ratings, where another mapping has brought it there.
    ddof : float or "auto", default="auto"
        See :func:`compare_metrics`.
    half_width : float or array-like of shape (n_items,), default=None
        Half the 95 % interval of each rating, for rmse* and the outlier ratio.
    votes : array-like or DataFrame of shape (n_items, n_raters), default=None
        Single votes, for the ceiling, and for ``half_width`` where that is None.
    method : {"jackknife", "fisher", "percentile", "bca"}, default="jackknife"
        How intervals come about; see :func:`correlation_interval`.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=2000
        Number of draws, where the method draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.
    nan_policy : {"raise", "omit", "propagate"}, default="raise"
        What NaN lead to; see :func:`compare_metrics`.

    Returns
    -------
    DataFrame
        One row for all items (``"all"``), and one for each condition, with the columns of
        :func:`compare_metrics`; those of the difference are NaN.

    Raises
    ------
    ValueError
        For inputs that do not fit together, infinite values, and parameters out of range.

    Warns
    -----
    UserWarning
        Once, of everything that makes results doubtful, such as few groups.
    UndefinedMetricWarning
        Once, of everything that is NaN, with the reasons.

    See Also
    --------
    compare_metrics : Several metrics on the same items.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import rating_report
    >>> rng = np.random.default_rng(0)
    >>> song = np.repeat(np.arange(20), 4)
    >>> rating = 3 + rng.normal(size=80)
    >>> distance = np.exp(-rating) + 0.05 * rng.normal(size=80)
    >>> report = rating_report(rating, distance, name="nlpd", groups=song)
    >>> report[["metric", "condition", "n", "n_groups", "srcc", "rmse"]].round(2)
      metric condition   n  n_groups  srcc  rmse
    0   nlpd       all  80        20 -0.67  0.67
    """
    return make_table(
        y_true,
        {name: y_pred},
        groups=groups,
        condition=condition,
        per=per,
        mapping=mapping,
        mapped=None if mapped is None else {name: mapped},
        ddof=ddof,
        half_width=half_width,
        votes=votes,
        method=method,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        random_state=random_state,
        nan_policy=nan_policy,
    )


def compare_metrics(
    y_true: ArrayLike,
    y_pred: Mapping[str, ArrayLike] | pd.DataFrame,
    *,
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    baseline: str | None = None,
    higher_is_better: bool | Mapping[str, bool] = True,
    compared: str = "srcc",
    per: str | ArrayLike = "file",
    mapping: str | None = "cubic",
    mapped: Mapping[str, ArrayLike] | pd.DataFrame | None = None,
    ddof: float | str = "auto",
    half_width: ArrayLike | None = None,
    votes: Any = None,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
    nan_policy: str = "raise",
) -> pd.DataFrame:
    """Report how well metrics predict the same ratings, and whether they differ from a baseline.

    Parameters
    ----------
    y_true : array-like of shape (n_items,)
        Ratings.
    y_pred : dict of str to array-like of shape (n_items,), or DataFrame
        What each metric gives, on any scale of its own.
    groups : array-like of shape (n_items,), default=None
        Source recording of each item: intervals tell how results would change with other
        recordings. None takes every item for one of its own.
    condition : array-like of shape (n_items,), default=None
        Condition of each item, such as its codec. Each has rows of its own.
    baseline : str, default=None
        Metric that the others are compared with; None compares none.
    higher_is_better : bool or dict of str to bool, default=True
        Whether values rise with quality; those of distances are turned before they are compared
        with the baseline. A dict says so for each metric.
    compared : {"srcc", "krcc", "plcc"}, default="srcc"
        The correlation in which metrics are compared.
    per : {"file", "condition", "group"} or array-like of shape (n_items,), default="file"
        What is judged.

        ``"file"``
            Every item.
        ``"condition"``
            The conditions: ratings and values of a condition are averaged before they are mapped
            and correlated, as ITU-T P.1401 does.
        array-like
            Labels, such as codec and bit rate in one: items of the same label are averaged
            likewise. Each label belongs to one condition.
        ``"group"``
            How each metric orders the items within a group: the mean over groups of the
            correlations, by Fisher's z. Errors are those of every item.
    mapping : {"linear", "cubic", "logistic", "logistic5", "isotonic"} or None, default="cubic"
        The kind of :class:`skperceptual.RatingMapping` that brings each metric to the scale of
        the ratings before errors are computed, rising or falling as the values do. It is fitted
        once, to all items, and serves all conditions. None takes values as they are. It has no
        part in correlations.
    mapped : dict of str to array-like of shape (n_items,), or DataFrame, default=None
        Each metric on the scale of the ratings, where something else has brought it there, such
        as a mapping that was fitted to other items; ``mapping`` is then not used.
    ddof : float or "auto", default="auto"
        What sums of squared errors are divided by less than the number of items; conditions have
        a share of it. ``"auto"`` is the number of parameters of the mapping, 1 without one
        (P.1401), and 0 of ``mapped``, which stands for other items.
    half_width : float or array-like of shape (n_items,), default=None
        Half the 95 % interval of each rating, for rmse*, the outlier ratio and the ceiling.
    votes : array-like or DataFrame of shape (n_items, n_raters), default=None
        Single votes, for the ceiling, and for ``half_width`` where that is None. Ratings are
        their means, or medians.
    method : {"jackknife", "fisher", "percentile", "bca"}, default="jackknife"
        How intervals come about; see :func:`correlation_interval`. Differences are judged by
        ``"jackknife"`` or, with any of the others, ``"bootstrap"`` of
        :func:`compare_correlations`. All metrics have the same draws.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=2000
        Number of draws, where the method draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.
    nan_policy : {"raise", "omit", "propagate"}, default="raise"
        What NaN in ratings and values lead to: an error; leaving an item out where a metric has
        no value (and everywhere, if it has no rating); or results that are NaN, of metrics with
        any NaN. Infinite values are always an error.

    Returns
    -------
    DataFrame
        One row a metric and condition, all items (``"all"``) first:

        ``metric``, ``condition``, ``n``, ``n_groups``
            What the row is about, and how many items and groups it has.
        ``srcc``, ``krcc``, ``plcc``, with ``_low`` and ``_high``
            Spearman's correlation, Kendall's tau-b and Pearson's correlation, and the ends of
            their intervals. Those of a distance are negative.
        ``rmse``, with ``_low`` and ``_high``, ``rmse_star``, ``outlier_ratio``
            Errors after mapping, as :func:`rmse`, :func:`rmse_star` and :func:`outlier_ratio`
            define them. The last two need ``half_width`` or ``votes``.
        ``ceiling``
            Spearman's correlation that a metric without error would be expected to have, from
            ``votes`` or ``half_width``; see :func:`noise_ceiling_from_votes`.
        ``difference``, with ``_low`` and ``_high``, ``p_value``, ``p_value_holm``
            By how much a metric correlates better than the baseline, on the items that both have
            values for, and how likely chance alone would make it differ as much; the last is
            corrected for the number of metrics in that condition.

    Raises
    ------
    ValueError
        For inputs that do not fit together, infinite values, NaN with ``nan_policy="raise"``, and
        parameters out of range.

    Warns
    -----
    UserWarning
        Once, of everything that makes results doubtful: few groups, a mapping that is constant,
        a metric that falls with quality although higher is said to be better.
    UndefinedMetricWarning
        Once, of everything that is NaN, with the reasons.

    See Also
    --------
    skperceptual.evaluation.cross_compare : Fits and compares pipelines, on items they have not
        seen.
    compare_correlations : Two metrics, by other tests also.

    Notes
    -----
    Holm's correction is over the metrics of one condition; who looks for the one condition of
    many in which something differs has to correct for that as well. The interval of ``rmse``
    takes the mapping as given.

    Averages over items of several groups are taken for independent of one another, as P.1401
    takes conditions: their intervals tell how results would change with other conditions, not
    with other recordings. Half the interval of an average follows from those of its items. The
    ceiling is not computed within groups, where ratings differ less.

    Within groups of few items, correlations vary much, and a perfect one counts for less than 1,
    P / (P + 1) with P pairs of items. Groups of fewer than three items, and those in which
    ratings or values are all equal, are left out.

    References
    ----------
    .. [1] ITU-T Recommendation P.1401, "Methods, metrics and procedures for statistical
       evaluation, qualification and comparison of objective quality prediction models", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import compare_metrics
    >>> rng = np.random.default_rng(0)
    >>> song = np.repeat(np.arange(20), 4)
    >>> rating = 3 + rng.normal(size=80)
    >>> metrics = {
    ...     "ssim": rating + rng.normal(size=80),
    ...     "nlpd": np.exp(-rating) + 0.02 * rng.normal(size=80),
    ... }
    >>> table = compare_metrics(
    ...     rating,
    ...     metrics,
    ...     groups=song,
    ...     baseline="ssim",
    ...     higher_is_better={"ssim": True, "nlpd": False},
    ... )
    >>> table[["metric", "condition", "n", "srcc", "rmse", "difference", "p_value"]].round(2)
      metric condition   n  srcc  rmse  difference  p_value
    0   ssim       all  80  0.68  0.72         NaN      NaN
    1   nlpd       all  80 -0.91  0.41        0.23      0.0
    """
    return make_table(
        y_true,
        y_pred,
        groups=groups,
        condition=condition,
        baseline=baseline,
        higher_is_better=higher_is_better,
        compared=compared,
        per=per,
        mapping=mapping,
        mapped=mapped,
        ddof=ddof,
        half_width=half_width,
        votes=votes,
        method=method,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        random_state=random_state,
        nan_policy=nan_policy,
    )
