"""Correlations, errors and differences of several metrics on the items of one condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.metrics.cluster_bootstrap import ClusterScores, score_clusters
from skperceptual.metrics.correlations import (
    is_constant,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.dependent_correlations import score_difference
from skperceptual.metrics.errors import outlier_ratio, rmse, rmse_interval, rmse_star
from skperceptual.metrics.noise_ceiling import noise_ceiling_from_errors, noise_ceiling_from_votes
from skperceptual.metrics.report_items import RatedItems
from skperceptual.metrics.report_remarks import Remarks
from skperceptual.metrics.score_intervals import score_interval
from skperceptual.metrics.within_group_scores import rows_with_scores, score_within_groups

__all__ = ["SCORES", "ReportOptions", "score_items"]

Floats = NDArray[np.float64]
Cells = dict[str, Any]

SCORES = {"srcc": spearman_score, "krcc": kendall_score, "plcc": pearson_score}
# Half a normal 95 % interval over its standard error.
_QUANTILE = 1.959963984540054


@dataclass(frozen=True)
class ReportOptions:
    """How results are computed.

    Parameters
    ----------
    within_groups : bool
        Whether correlations are those within each group, averaged.
    method : {"jackknife", "fisher", "percentile", "bca"}
        How intervals come about.
    confidence_level : float
        Between 0 and 1.
    n_resamples : int
        Number of draws.
    seed : int
        The same for all metrics and conditions.
    compared : {"srcc", "krcc", "plcc"}
        In which correlation metrics differ.
    baseline : int or None
        Column of the metric that the others are compared with.
    signs : ndarray of shape (n_metrics,)
        -1 for metrics that fall with quality.
    """

    within_groups: bool
    method: str
    confidence_level: float
    n_resamples: int
    seed: int
    compared: str
    baseline: int | None
    signs: Floats

    @property
    def draws(self) -> dict[str, Any]:
        """What resampling functions want to know."""
        return {
            "leave_out": self.method in ("jackknife", "bca"),
            "n_resamples": 0 if self.method == "jackknife" else self.n_resamples,
            "random_state": self.seed,
        }


def score_items(
    items: RatedItems, ddof: Floats, options: ReportOptions, remarks: Remarks, *, condition: Any
) -> list[Cells]:
    """Fill the row of each metric, for the items of one condition.

    Parameters
    ----------
    items : RatedItems
        Those of the condition, with mapped values where there are any.
    ddof : ndarray of shape (n_metrics,)
        What sums of squared errors are divided by less than the number of items, for each item.
    options : ReportOptions
        How to compute.
    remarks : Remarks
        Takes note of what is NaN.
    condition : object
        What to call the condition.

    Returns
    -------
    list of dict
        The cells of each metric by column.
    """
    every = items
    if options.within_groups:
        # A metric counts in the groups in which it has a correlation.
        kept = rows_with_scores(items.ratings, items.values, items.groups)
        items = replace(items, values=np.where(kept, items.values, np.nan))
    rows: list[Cells] = [{} for _ in items.names]
    for columns, chosen in _alike(items.given):
        some = items.take(chosen)
        n_groups = len(np.unique(some.groups))
        counts = {"n": len(some.ratings), "n_groups": n_groups}
        ceiling = _ceiling(some, remarks, condition) if not options.within_groups else np.nan
        for column in columns:
            rows[column] |= counts | {"condition": condition, "ceiling": ceiling}
        columns = [column for column in columns if _is_defined(some, column, remarks, condition)]
        if not columns:
            continue
        for name in SCORES:
            scores = _scores(some, columns, name, options)
            with remarks.collecting([items.names[column] for column in columns], condition):
                low, high = score_interval(
                    scores, method=options.method, confidence_level=options.confidence_level
                )
            for place, column in enumerate(columns):
                rows[column] |= {
                    name: scores.values[place],
                    f"{name}_low": low[place],
                    f"{name}_high": high[place],
                }
            if name == options.compared and options.baseline in columns:
                _compare(rows, scores, columns, items.names, options, remarks, condition)
    _compare_on_common(rows, items, options, remarks, condition)
    for column, cells in enumerate(rows):
        cells |= _errors(every, column, float(ddof[column]), options, remarks, condition)
    return rows


def _alike(given: NDArray[np.bool_]) -> Iterator[tuple[list[int], NDArray[np.bool_]]]:
    """Bring together metrics that have values for the same items."""
    columns: dict[bytes, list[int]] = {}
    for column, mask in enumerate(given.T):
        columns.setdefault(mask.tobytes(), []).append(column)
    for some in columns.values():
        yield some, given[:, some[0]]


def _is_defined(items: RatedItems, column: int, remarks: Remarks, condition: Any) -> bool:
    """Whether a metric has correlations; if not, note why."""
    n_items = len(items.ratings)
    if n_items < 2:
        reason = f"a correlation needs two items with a rating and a value, and there are {n_items}"
    elif is_constant(items.ratings):
        reason = "all ratings are equal"
    elif is_constant(items.values[:, column]):
        reason = "all values of the metric are equal"
    else:
        return True
    remarks.undefined(reason, [items.names[column]], condition)
    return False


def _scores(
    items: RatedItems, columns: list[int], name: str, options: ReportOptions
) -> ClusterScores:
    score = score_within_groups if options.within_groups else score_clusters
    return score(
        SCORES[name],
        items.ratings,
        items.values[:, columns],
        groups=items.groups,
        **options.draws,
    )


def _compare(
    rows: list[Cells],
    scores: ClusterScores,
    columns: list[int],
    names: list[str],
    options: ReportOptions,
    remarks: Remarks,
    condition: Any,
) -> None:
    """Compare metrics that were scored together with the baseline among them."""
    assert options.baseline is not None
    signs = options.signs[columns]
    turned = replace(
        scores,
        values=scores.values * signs,
        left_out=scores.left_out * signs,
        drawn=scores.drawn * signs,
    )
    baseline = columns.index(options.baseline)
    for place, column in enumerate(columns):
        if column == options.baseline or "difference" in rows[column]:
            continue
        with remarks.collecting([names[column]], condition):
            found = score_difference(
                turned,
                place,
                baseline,
                method="jackknife" if options.method == "jackknife" else "bootstrap",
                confidence_level=options.confidence_level,
            )
        rows[column] |= {
            "difference": found.difference,
            "difference_low": found.low,
            "difference_high": found.high,
            "p_value": found.p_value,
        }


def _compare_on_common(
    rows: list[Cells], items: RatedItems, options: ReportOptions, remarks: Remarks, condition: Any
) -> None:
    """Compare with the baseline what has values for other items, on those that both have."""
    if options.baseline is None:
        return
    for column, cells in enumerate(rows):
        both = [options.baseline, column]
        if column == options.baseline or "difference" in cells or "srcc" not in cells:
            continue
        common = items.take(items.given[:, both].all(axis=1))
        if all(_is_defined(common, one, remarks, condition) for one in both):
            scores = _scores(common, both, options.compared, options)
            _compare(rows, scores, both, items.names, options, remarks, condition)


def _errors(
    items: RatedItems,
    column: int,
    ddof: float,
    options: ReportOptions,
    remarks: Remarks,
    condition: Any,
) -> Cells:
    """Compute the errors of mapped values."""
    if items.mapped is None:
        return {}
    known = items.given[:, column] & ~np.isnan(items.mapped[:, column])
    if not known.any():
        return {}
    some = items.take(known)
    assert some.mapped is not None
    mapped, ddof = some.mapped[:, column], ddof * len(some.ratings)
    with remarks.collecting([items.names[column]], condition):
        cells: Cells = {"rmse": rmse(some.ratings, mapped, ddof=ddof)}
        if not np.isnan(cells["rmse"]):
            cells["rmse_low"], cells["rmse_high"] = rmse_interval(
                some.ratings,
                mapped,
                groups=some.groups,
                ddof=ddof,
                confidence_level=options.confidence_level,
            )
        if some.half_width is not None and not np.isnan(cells["rmse"]):
            cells["rmse_star"] = rmse_star(some.ratings, mapped, some.half_width, ddof=ddof)
            cells["outlier_ratio"] = outlier_ratio(some.ratings, mapped, some.half_width)
    return cells


def _ceiling(items: RatedItems, remarks: Remarks, condition: Any) -> float:
    """Estimate Spearman's correlation that noise in the ratings leaves to any metric."""
    if len(items.ratings) < 2 or is_constant(items.ratings):
        return np.nan  # of which there is word already
    with remarks.collecting([], condition):
        if items.votes is not None:
            rating = _kind_of_rating(items.ratings, items.votes)
            return noise_ceiling_from_votes(items.votes, rating=rating).ceiling
        if items.half_width is not None:
            error = items.half_width / _QUANTILE
            return noise_ceiling_from_errors(items.ratings, error).ceiling
    return np.nan


def _kind_of_rating(ratings: Floats, votes: Floats) -> str:
    """Whether ratings are the medians of the votes; else they are taken for means."""
    is_median = np.allclose(ratings, np.nanmedian(votes, axis=1))
    is_mean = np.allclose(ratings, np.nanmean(votes, axis=1))
    return "median" if is_median and not is_mean else "mean"
