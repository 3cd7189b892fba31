"""Metrics judged: how well each agrees with ratings, which differ, and what to keep in mind."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual.calibration import RatingMapping
from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_scores import JudgedMetric, MetricScores
from skperceptual.cli.evaluate_table import FAILED, RatedTable
from skperceptual.metrics import (
    compare_metrics,
    concordance_index,
    correlation_interval,
    holm_correction,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.cluster_bootstrap import score_clusters
from skperceptual.metrics.dependent_correlations import score_difference

__all__ = ["ALL", "FEWEST_IN_CONDITION", "LEVEL", "Judgement", "judge"]

Floats = NDArray[np.float64]

#: What stands for all conditions, in the column ``condition``.
ALL = "all"
#: The p-value below which a difference counts as more than chance.
LEVEL = 0.05
#: Rows below which a condition says nothing by itself.
FEWEST_IN_CONDITION = 8

_FEWEST_ROWS = 4
_FEWEST_MEANS = 5
_RATINGS = ("ratings",)  # no name that a metric may have
_CORRELATIONS = ("srcc", "krcc", "plcc")


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Parameters
    ----------
    metrics : list of JudgedMetric
        The best first.
    ratings : ndarray of shape (n_rows,)
        Those that are judged by.
    values : dict of str to ndarray of shape (n_rows,)
        What the metrics give.
    labels : dict of str to ndarray of shape (n_rows,)
        ``"group"``, ``"condition"``, ``"level"`` and ``"half_width"``, as far as there are any.
    table : DataFrame
        What :func:`skperceptual.metrics.compare_metrics` gives.
    means : DataFrame or None
        The same of means over conditions.
    differences : DataFrame
        Of every two metrics, the better first: ``metric``, ``other``, ``difference``, ``low``,
        ``high``, ``p_value`` and ``p_value_holm``.
    concordance : float
        The share of pairs of rows that the best metric puts in the order of their ratings.
    mapping : str
        The kind of curve that errors are computed after.
    dropped : dict of str to str
        Metrics that cannot be judged, and why.
    remarks : list of str
        What else the computation had to say.
    """

    metrics: list[JudgedMetric]
    ratings: Floats
    values: dict[str, Floats]
    labels: dict[str, NDArray[Any]]
    table: pd.DataFrame
    means: pd.DataFrame | None
    differences: pd.DataFrame
    concordance: float
    mapping: str
    dropped: dict[str, str]
    remarks: list[str]

    @property
    def best(self) -> JudgedMetric:
        """The metric of the highest correlation."""
        return self.metrics[0]

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """The table with the correlations of distances turned, so that more is better."""
        return _turn(self.table, self.metrics)

    @cached_property
    def mean_agreement(self) -> pd.DataFrame | None:
        """The same of means over conditions."""
        return None if self.means is None else _turn(self.means, self.metrics)

    @cached_property
    def overall(self) -> pd.DataFrame:
        """The agreement of each metric with all ratings, the best first, by name."""
        rows = self.agreement[self.agreement["condition"] == ALL].set_index("metric")
        return rows.loc[[metric.name for metric in self.metrics]]

    def value(self, metric: str, column: str) -> float:
        """Give a number of a metric's agreement with all ratings."""
        return float(self.overall[column].loc[metric])

    @cached_property
    def conditions(self) -> list[str]:
        """The conditions, those of most rows first."""
        return [name for name, _ in Counter(self.labels.get("condition", ())).most_common()]

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(self.overall["n_groups"].iloc[0])

    def difference(self, metric: str, other: str) -> dict[str, float]:
        """Give the numbers of two metrics, the first of which is better."""
        rows = self.differences.set_index(["metric", "other"])
        return {str(name): float(rows[name].loc[(metric, other)]) for name in rows}

    def map_best(self) -> Floats:
        """Give the best metric on the scale of the ratings."""
        values = self.values[self.best.name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return RatingMapping(self.mapping).fit(values, self.ratings).predict(values)


def judge(
    table: RatedTable, metrics: list[JudgedMetric], scores: MetricScores, request: Request
) -> Judgement:
    """Judge metrics on the rows that have a rating and all scores.

    Parameters
    ----------
    table : RatedTable
        The ratings; rows without a score are left out of it.
    metrics : list of JudgedMetric
        What is judged.
    scores : MetricScores
        Their values.
    request : Request
        Which of them is the baseline.

    Returns
    -------
    Judgement
        The result.

    Raises
    ------
    CommandError
        When too little is left to judge by.
    """
    dropped: dict[str, str] = {}
    kept = table.kept
    for name, column in scores.values.items():
        if np.isnan(column[kept]).all():
            dropped[name] = "it has no value in any row that is judged"
    judged = [metric for metric in metrics if metric.name not in dropped]
    if not judged:
        raise CommandError("no metric has a score in a row that has a rating.")
    for metric in judged:
        table.left_out[kept & np.isnan(scores.values[metric.name])] = FAILED
    kept = table.kept
    ratings = table.ratings[kept]
    _check_ratings(ratings, table)
    values = {metric.name: scores.values[metric.name][kept] for metric in judged}
    for name in [name for name, column in values.items() if _is_constant(column)]:
        dropped[name] = "it gives all rows the same value"
        del values[name]
    judged = [metric for metric in judged if metric.name in values]
    if not judged:
        raise CommandError("every metric gives the same value to all rows: there is no order.")
    if request.baseline in dropped:
        raise CommandError(f"the baseline {request.baseline!r}: {dropped[request.baseline]}.")
    labels = _labels(table)
    common = {
        "baseline": request.baseline,
        "higher_is_better": {metric.name: metric.higher_is_better for metric in judged},
        "mapping": _choose_mapping(values),
        "half_width": labels.get("half_width"),
        "votes": None if table.votes is None else table.votes[kept],
    }
    found, remarks = _compare(
        ratings,
        values,
        condition=labels.get("condition"),
        groups=labels.get("group"),
        **common,
    )
    turned_table = _turn(found, judged)
    overall = turned_table[turned_table["condition"] == ALL].set_index("metric")["srcc"]
    judged.sort(key=lambda metric: -overall[metric.name])
    turned = {metric.name: metric.sign * values[metric.name] for metric in judged}
    means, more = _judge_means(ratings, values, labels, common)
    return Judgement(
        metrics=judged,
        ratings=ratings,
        values=values,
        labels=labels,
        table=found,
        means=means,
        differences=_compare_all(ratings, turned, labels.get("group")),
        concordance=concordance_index(ratings, turned[judged[0].name]),
        mapping=str(common["mapping"]),
        dropped=dropped,
        remarks=[*remarks, *more],
    )


def _check_ratings(ratings: Floats, table: RatedTable) -> None:
    if len(ratings) < _FEWEST_ROWS:
        reasons = Counter(reason for reason in table.left_out if reason)
        told = "".join(f", {count} left out ({reason})" for reason, count in reasons.items())
        raise CommandError(
            f"{len(ratings)} of {len(table.lines)} rows can be judged by{told}. It takes "
            f"{_FEWEST_ROWS} for a result at all, and some thirty of ten recordings for one that "
            "says something."
        )
    if _is_constant(ratings):
        raise CommandError(
            f"all {len(ratings)} ratings are {ratings[0]:g}: no metric can agree or disagree "
            "with them."
        )


def _is_constant(values: Floats) -> bool:
    return bool(np.ptp(values) == 0)


def _choose_mapping(values: dict[str, Floats]) -> str:
    """Take P.1401's third order where every metric has values enough for four parameters."""
    enough = min(len(np.unique(column)) for column in values.values()) >= 2 * _FEWEST_ROWS
    return "cubic" if enough else "linear"


def _labels(table: RatedTable) -> dict[str, NDArray[Any]]:
    kept = table.kept
    labels: dict[str, NDArray[Any]] = {}
    given = {"group": table.groups, "condition": table.condition, "level": table.level}
    for name, column in given.items():
        if column is not None:
            labels[name] = column[kept]
    if "condition" in labels:  # which the rows about everything are called
        words = [f"{word} (condition)" if word == ALL else word for word in labels["condition"]]
        labels["condition"] = np.array(words, dtype=object)
    if table.half_width is not None and np.isfinite(table.half_width[kept]).all():
        labels["half_width"] = table.half_width[kept]
    return labels


def _compare(ratings: Floats, values: dict[str, Floats], **options: Any) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = compare_metrics(ratings, values, **options)
    return found, [str(warning.message) for warning in caught]


def _turn(found: pd.DataFrame, metrics: list[JudgedMetric]) -> pd.DataFrame:
    """Turn the correlations of distances, and with them their intervals."""
    turned = found.copy()
    falls = found["metric"].isin([metric.name for metric in metrics if metric.sign < 0])
    for name in _CORRELATIONS:
        low, high = f"{name}_low", f"{name}_high"
        turned.loc[falls, name] = -found.loc[falls, name]
        turned.loc[falls, low] = -found.loc[falls, high]
        turned.loc[falls, high] = -found.loc[falls, low]
    return turned


def _judge_means(
    ratings: Floats,
    values: dict[str, Floats],
    labels: dict[str, NDArray[Any]],
    common: dict[str, Any],
) -> tuple[pd.DataFrame | None, list[str]]:
    """Judge by the means of conditions, of each level by itself, if there are enough."""
    if "condition" not in labels:
        return None, []
    cells = labels["condition"]
    if "level" in labels:
        both = zip(cells, labels["level"], strict=True)
        cells = np.array([f"{condition}\0{level}" for condition, level in both], dtype=object)
    n_cells = len(set(cells))
    if n_cells < _FEWEST_MEANS or n_cells == len(ratings):
        return None, []
    # A condition has one mean, or few; means are their own groups, whatever they are of.
    found, remarks = _compare(ratings, values, per=cells, **{**common, "mapping": "linear"})
    columns: dict[Any, Floats] = {**values, _RATINGS: ratings}
    means = pd.DataFrame(columns).groupby(cells, sort=False).mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is undefined there is word already
        for name, score in (("srcc", spearman_score), ("plcc", pearson_score)):
            # Means are no versions of one another, and few: the formula for independent rows
            # gives far narrower intervals than leaving each out, of the same coverage.
            ends = [
                correlation_interval(
                    means[_RATINGS], means[metric], score=score, method="bonett_wright"
                )
                for metric in found["metric"]
            ]
            found[[f"{name}_low", f"{name}_high"]] = ends
    heading = "Of the means of conditions: "
    return found, [heading + remark for remark in remarks]


def _compare_all(
    ratings: Floats, turned: dict[str, Floats], groups: NDArray[Any] | None
) -> pd.DataFrame:
    """Compare every two metrics; p-values are corrected for the number of pairs."""
    names = list(turned)
    matrix = np.column_stack(list(turned.values()))
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few groups there is word already
        scores = score_clusters(spearman_score, ratings, matrix, groups=groups)
        for one, other in combinations(range(len(names)), 2):
            found = score_difference(scores, one, other)
            rows.append(
                (
                    names[one],
                    names[other],
                    found.difference,
                    found.low,
                    found.high,
                    found.p_value,
                )
            )
    columns = ["metric", "other", "difference", "low", "high", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    p_values = table["p_value"].to_numpy(dtype=np.float64)
    return table.assign(p_value_holm=holm_correction(p_values))
