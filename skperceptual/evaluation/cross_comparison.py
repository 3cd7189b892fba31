"""Fit and compare whole pipelines, on recordings that they were not fitted to."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from skperceptual.evaluation.conformal_bounds import (
    check_scale,
    cut_to_scale,
    group_weights,
    prediction_bounds,
    warn_of_infinite_intervals,
)
from skperceptual.evaluation.fold_leaks import (
    Split,
    describe_leaks,
    make_splits,
    source_of_rows,
)
from skperceptual.evaluation.out_of_fold import OutOfFold, check_pipelines, predict_out_of_fold
from skperceptual.evaluation.pair_scores import claims_of
from skperceptual.evaluation.sample_rows import as_rows, count_rows
from skperceptual.metrics import interval_coverage
from skperceptual.metrics.cluster_bootstrap import number_groups
from skperceptual.metrics.correlations import check_column
from skperceptual.metrics.report_table import make_table

__all__ = ["cross_compare"]

Floats = NDArray[np.float64]


def cross_compare(
    pipelines: Mapping[str, Any],
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    cv: Any = None,
    on_leak: str = "raise",
    mapping: str = "cubic",
    interval: float | None = None,
    scale: tuple[float, float] | None = None,
    baseline: str | None = None,
    higher_is_better: bool | Mapping[str, bool] | str = "auto",
    compared: str = "srcc",
    half_width: ArrayLike | None = None,
    votes: Any = None,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
    nan_policy: str = "raise",
    return_estimators: bool = False,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    """Fit pipelines in folds of whole recordings, and compare what they give for the others.

    Parameters
    ----------
    pipelines : dict of str to estimator
        Regressors, or pipelines that end in one, which predict ratings; and metrics, transformers
        that end in one column, such as ``make_pipeline(MelSpectrogram(), NLPD())``. They are
        cloned, and need not be fitted.
    X : array, list, DataFrame or Pyramid of n_rows rows
        What all of them read: signals, pairs, file names.
    y : array-like of shape (n_rows,)
        Ratings.
    groups : array-like of shape (n_rows,), default=None
        Source recording of each row. It may be left out only with a ``cv`` that does without.
    condition : array-like of shape (n_rows,), default=None
        Condition of each row: the table has rows for each, and ``fit`` has it where it is
        requested.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights for steps that take them, and for mappings. The table weighs all rows the same.
    cv : int, splitter or iterable of (train, test), default=None
        The folds, the same for all pipelines. None or a number makes that many folds of whole
        groups (:class:`~sklearn.model_selection.GroupKFold`), 5 or as many as there are groups.
        Rows that are in no test set are fitted to only.
    on_leak : {"raise", "warn"}, default="raise"
        What to do when one recording lies on both sides of a split: a group, or the same reference
        (by the content of signals, or by the name of the file) in pairs of different groups.
    mapping : {"linear", "cubic", "logistic", "logistic5", "isotonic"}, default="cubic"
        The kind of :class:`skperceptual.RatingMapping` that makes ratings of metrics that are no
        regressors. It is fitted in each fold.
    interval : float, default=None
        Share of ratings that an interval around each predicted rating is to hold, such as 0.9.
        None gives no intervals.
    scale : tuple of (float, float), default=None
        Lowest and highest rating there is: intervals are cut to it.
    baseline : str, default=None
        Pipeline that the others are compared with.
    higher_is_better : bool, dict of str to bool, or "auto", default="auto"
        Whether values rise with quality. ``"auto"`` takes a metric's own word, and True of
        regressors and of metrics that say nothing.
    compared : {"srcc", "krcc", "plcc"}, default="srcc"
        The correlation in which pipelines are compared.
    half_width : float or array-like of shape (n_rows,), default=None
        Half the 95 % interval of each rating.
    votes : array-like or DataFrame of shape (n_rows, n_raters), default=None
        Single votes.
    method : {"jackknife", "fisher", "percentile", "bca"}, default="jackknife"
        How intervals of correlations come about.
    confidence_level : float, default=0.95
        That of the intervals of correlations.
    n_resamples : int, default=2000
        Number of draws, where the method draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from. Folds are not drawn.
    nan_policy : {"raise", "omit", "propagate"}, default="raise"
        What predictions that are NaN lead to; see :func:`skperceptual.metrics.compare_metrics`.
    return_estimators : bool, default=False
        Whether to keep the fitted pipelines.
    n_jobs : int, default=None
        Number of fits at the same time, as joblib counts them.
    verbose : bool or int, default=0
        Whether to show a progress bar of the fits.

    Returns
    -------
    Bunch
        ``table`` : DataFrame
            What :func:`skperceptual.metrics.compare_metrics` gives for ``scores``, with errors
            of ``predictions``.
        ``predictions`` : DataFrame of shape (n_rows, n_pipelines)
            Predicted ratings, out of fold; NaN for rows that are in no test set.
        ``scores`` : DataFrame of shape (n_rows, n_pipelines)
            What the pipelines give themselves: of regressors the same, of metrics their values
            before they are mapped.
        ``folds`` : ndarray of shape (n_rows,)
            The fold in which each row was predicted, -1 for none.
        ``intervals`` : DataFrame of shape (n_rows, 2 n_pipelines)
            With ``interval``: columns ``(name, "low")`` and ``(name, "high")``.
        ``coverage`` : DataFrame
            With ``interval``: what :func:`skperceptual.metrics.interval_coverage` gives, for each
            ``metric``.
        ``estimators`` : dict of str to list of estimator
            With ``return_estimators``: the fitted pipelines of each fold.

    Raises
    ------
    ValueError
        For leaks, unless ``on_leak="warn"``; pipelines that give no number a row; groups that
        are missing; and what does not fit together.
    Exception
        What a pipeline raises, with a note that says which, and in which fold.

    Warns
    -----
    UserWarning
        For leaks with ``on_leak="warn"``, intervals that are infinite, and what
        :func:`skperceptual.metrics.compare_metrics` finds doubtful.

    See Also
    --------
    skperceptual.metrics.compare_metrics : Compares values that are there already.
    ConformalRatings : Intervals for new signals.

    Notes
    -----
    Correlations are those of ``scores``: a metric is judged by its values as they are, sign and
    all, and mapping them can neither help nor harm it. A metric that learns nothing
    (``requires_fit`` of no step is true) has the same values in any fold; each row is then scored
    once. Values of one that learns may lie on another scale in each fold: let it end in a
    regressor or a :class:`skperceptual.RatingMapping`, whose predictions are ratings.

    Predictions of all folds are pooled, for which they have to share a scale. They do, as they
    are ratings; but a fold whose recordings were rated low is predicted by models of others that
    were rated higher. Correlations of models that know little therefore come out too low: in a
    simulation, a linear regression on noise correlates by -0.24 on average with 13 recordings,
    and by -0.12 with 65. Metrics that learn nothing have no such handicap.

    Intervals are the prediction plus and minus the quantile of the absolute errors in all other
    folds, each group counting once (see :class:`ConformalRatings` for what that takes). The
    errors are out of fold, as that of the row itself is, so that ``coverage`` is what to expect
    of them; to predict for new signals, fit :class:`ConformalRatings`. Where that is one
    of the pipelines, it is asked for its own.

    Metadata: ``groups``, ``condition`` and ``sample_weight`` go to the ``fit`` of steps that
    request them (scikit-learn's metadata routing, which need not be enabled), as
    :class:`NLPDRegressor` does; ``sample_weight`` also to those that take it and say nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline, make_union
    >>> from skperceptual import MSE, SSIM
    >>> from skperceptual.evaluation import cross_compare
    >>> rng = np.random.default_rng(0)
    >>> song, noise = np.repeat(np.arange(12), 4), np.tile([0.02, 0.05, 0.1, 0.2], 12)
    >>> references = rng.random((12, 16, 16))[song]
    >>> degraded = references + noise[:, None, None] * rng.normal(size=references.shape)
    >>> pairs = np.stack([references, degraded], axis=1)
    >>> ratings = 5 + np.log2(0.02 / noise) + 0.3 * rng.normal(size=48)
    >>> both = make_union(MSE(), SSIM())
    >>> result = cross_compare(
    ...     {"mse": MSE(), "ssim": SSIM(), "both": make_pipeline(both, LinearRegression())},
    ...     pairs,
    ...     ratings,
    ...     groups=song,
    ...     baseline="mse",
    ... )
    >>> result.table[["metric", "n", "n_groups", "srcc", "rmse", "difference"]].round(2)
      metric   n  n_groups  srcc  rmse  difference
    0    mse  48        12 -0.93  0.41         NaN
    1   ssim  48        12  0.92  0.47       -0.01
    2   both  48        12  0.93  0.76       -0.00
    """
    if on_leak not in ("raise", "warn"):
        raise ValueError(f"on_leak={on_leak!r} is unknown. Use 'raise' or 'warn'.")
    if interval is not None and not (isinstance(interval, Real) and 0 < interval < 1):
        raise ValueError(f"interval={interval!r} should lie between 0 and 1, such as 0.9, or None.")
    check_scale(scale)
    check_pipelines(pipelines, baseline)
    rises = _directions(pipelines, higher_is_better)
    X = as_rows(X)
    ratings = check_column(y, "y")
    known = _check_metadata(
        {"groups": groups, "condition": condition, "sample_weight": sample_weight},
        count_rows(X),
        len(ratings),
    )
    labels = None if groups is None else number_groups(known["groups"], len(ratings))
    splits = make_splits(cv, len(ratings), ratings, labels)
    leaks = describe_leaks(splits, known["groups"], source_of_rows(X))
    if leaks and on_leak == "raise":
        raise ValueError(f"{leaks} on_leak='warn' goes on nevertheless.")
    if leaks:
        warnings.warn(leaks, UserWarning, stacklevel=2)
    found = predict_out_of_fold(
        pipelines,
        X,
        ratings,
        splits,
        known=known,
        mapping=mapping,
        interval=interval,
        keep=return_estimators,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    tested = found.folds >= 0
    names = list(pipelines)
    result = Bunch(
        table=make_table(
            ratings[tested],
            found.scores[tested],
            mapped=found.predictions[tested],
            groups=_rows_of(known["groups"], tested),
            condition=_rows_of(known["condition"], tested),
            baseline=baseline,
            higher_is_better=rises,
            compared=compared,
            half_width=_rows_of(half_width, tested),
            votes=_rows_of(votes, tested),
            method=method,
            confidence_level=confidence_level,
            n_resamples=n_resamples,
            random_state=random_state,
            nan_policy=nan_policy,
        ),
        predictions=found.predictions,
        scores=found.scores,
        folds=found.folds,
    )
    if interval is not None:
        labels = number_groups(labels, len(ratings))
        result.intervals = _bound(found, ratings, labels, splits, names, interval, scale)
        result.coverage = _cover(result.intervals, ratings, known, names)
    if return_estimators:
        result.estimators = found.estimators
    return result


def _directions(pipelines: Mapping[str, Any], higher_is_better: Any) -> Any:
    if not isinstance(higher_is_better, str):
        return higher_is_better
    if higher_is_better != "auto":
        raise ValueError(
            f"higher_is_better={higher_is_better!r} is unknown. Use 'auto', a bool, or a dict of "
            "bools."
        )
    return {
        name: hasattr(pipeline, "predict") or claims_of(pipeline).higher_is_better is not False
        for name, pipeline in pipelines.items()
    }


def _check_metadata(known: dict[str, Any], n_rows: int, n_ratings: int) -> dict[str, Any]:
    if n_rows != n_ratings:
        raise ValueError(f"X has {n_rows} rows and y has {n_ratings}: give one rating a row.")
    arrays = {key: None if values is None else np.asarray(values) for key, values in known.items()}
    for key, values in arrays.items():
        if values is not None and values.shape != (n_rows,):
            raise ValueError(
                f"{key} should have one entry for each of the {n_rows} rows, an array of shape "
                f"({n_rows},), got {values.shape}."
            )
        if values is not None and pd.isna(values).any():
            raise ValueError(
                f"{key} is missing in row {int(np.argmax(pd.isna(values)))}. Fill it in, or leave "
                "the row out."
            )
    return arrays


def _rows_of(values: Any, rows: NDArray[np.bool_]) -> Any:
    if values is None or np.ndim(values) == 0:
        return values
    return values[rows] if hasattr(values, "iloc") else np.asarray(values)[rows]


def _bound(
    found: OutOfFold,
    ratings: Floats,
    groups: NDArray[np.intp],
    splits: list[Split],
    names: list[str],
    level: float,
    scale: tuple[float, float] | None,
) -> pd.DataFrame:
    """Put an interval around each prediction, of the errors in all other folds."""
    fewest = np.inf
    columns: dict[tuple[str, str], Floats] = {}
    for name in names:
        predicted = found.predictions[name].to_numpy()
        ends = found.own_intervals.get(name)
        if ends is None:
            ends = np.full((len(ratings), 2), np.nan)
            errors = np.abs(predicted - ratings)
            for number, (_, test) in enumerate(splits):
                others = (found.folds >= 0) & (found.folds != number) & ~np.isnan(errors)
                others &= ~np.isin(groups, groups[test])
                fewest = min(fewest, len(np.unique(groups[others])))
                bounds = prediction_bounds(
                    predicted[test, np.newaxis],
                    np.zeros(others.sum(), dtype=np.intp),
                    errors[others],
                    group_weights(groups[others]),
                    confidence_level=level,
                )
                ends[test] = np.stack(bounds, axis=1)
            ends[np.isnan(predicted)] = np.nan
        columns[name, "low"], columns[name, "high"] = cut_to_scale(ends[:, 0], ends[:, 1], scale).T
    if fewest / (fewest + 1) < level - 1e-9:
        warn_of_infinite_intervals(level, int(fewest), stacklevel=3)
    return pd.DataFrame(columns)


def _cover(
    intervals: pd.DataFrame, ratings: Floats, known: dict[str, Any], names: list[str]
) -> pd.DataFrame:
    """Count the ratings that lie in their intervals."""
    tables = []
    for name in names:
        low, high = (intervals[name, end].to_numpy() for end in ("low", "high"))
        there = ~np.isnan(low)
        table = interval_coverage(
            ratings[there],
            low[there],
            high[there],
            groups=_rows_of(known["groups"], there),
            condition=_rows_of(known["condition"], there),
        )
        table.insert(0, "metric", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
