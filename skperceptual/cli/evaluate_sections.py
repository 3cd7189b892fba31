"""The sections of a report: tables and pictures, each with a sentence on what it means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from skperceptual.cli.evaluate_answer import describe_p, number, verdict
from skperceptual.cli.evaluate_conditions import show_conditions
from skperceptual.cli.evaluate_html import Html, data_table, element, name_of
from skperceptual.cli.evaluate_judgement import ALL, LEVEL, Judgement
from skperceptual.cli.evaluate_output import DIFFERENCES
from skperceptual.cli.evaluate_parts import (
    conclude,
    correlation,
    figure,
    folded_table,
    paragraph,
    with_interval,
)
from skperceptual.cli.evaluate_pictures import (
    MAX_SYMBOLS,
    draw_alikeness,
    draw_correlations,
    draw_differences,
    draw_ratings,
)
from skperceptual.cli.evaluate_scores import JudgedMetric
from skperceptual.utils.messages import counted

__all__ = ["Sections", "make_sections"]

Sections = dict[str, tuple[str, list[Html]]]

_METRIC_PICTURES = 12
_MAX_IN_MATRIX = 24


def make_sections(judgement: Judgement, baseline: str | None) -> Sections:
    """Make the sections of a report that show results.

    Parameters
    ----------
    judgement : Judgement
        The result.
    baseline : str or None
        The metric that the others are compared with.

    Returns
    -------
    dict of str to (str, list of Html)
        Title and content, by the name that links use.
    """
    sections = {"agreement": ("How well each metric agrees", _show_agreement(judgement))}
    if len(judgement.metrics) > 1:
        sections["differences"] = (
            "Which differences are more than chance",
            _show_differences(judgement, baseline),
        )
    if judgement.conditions:
        sections["conditions"] = ("By condition", show_conditions(judgement, baseline))
    sections["ratings"] = ("Ratings against each metric", _show_ratings(judgement))
    if len(judgement.metrics) > 1:
        sections["alike"] = ("How alike the metrics are", _show_alikeness(judgement))
    return sections


# -- overall -------------------------------------------------------------------------------------


def _show_agreement(judgement: Judgement) -> list[Html]:
    overall = judgement.overall
    several = len(judgement.metrics) > 1
    # What matters most comes first, where a narrow screen shows it.
    columns: dict[str, Callable[[JudgedMetric, Any], object]] = {
        "Rank correlation (Spearman), 95 % interval": lambda _, row: correlation(row, "srcc"),
        "Compared with the best": lambda metric, _: verdict(judgement, metric.name),
        "Kendall's tau": lambda _, row: number(row["krcc"]),
        "Linear correlation (Pearson)": lambda _, row: number(row["plcc"]),
        "Error (RMSE)": lambda _, row: number(row["rmse"]),
        "RMSE*": lambda _, row: number(row["rmse_star"]),
        "Outliers": lambda _, row: _percent(row["outlier_ratio"]),
        "Better is": lambda metric, _: "higher" if metric.higher_is_better else "lower",
    }
    if not several:
        del columns["Compared with the best"]
    for title, name in (("RMSE*", "rmse_star"), ("Outliers", "outlier_ratio")):
        if overall[name].isna().all():
            del columns[title]
    rows = [
        [
            name_of(metric.name),
            *(fill(metric, overall.loc[metric.name]) for fill in columns.values()),
        ]
        for metric in judgement.metrics
    ]
    header = ["Metric", *columns]
    ceiling = overall["ceiling"].iloc[0]
    dotted = (
        " The dotted line is what a metric without error would be expected to reach."
        if math.isfinite(ceiling)
        else ""
    )
    errors = "a straight line" if judgement.mapping == "linear" else "a rising or falling curve"
    return [
        paragraph(
            "1 is perfect agreement in order, 0 is none, and below 0 a metric says the opposite of "
            "the ratings. The signs of metrics that fall as quality rises are turned."
        ),
        figure(
            draw_correlations(judgement, ALL, "agreement"),
            "Points: correlation of each metric with the ratings. Lines: where it would lie, with "
            "95 % confidence, for other recordings of the same kind." + dotted,
        ),
        data_table(
            "Agreement of each metric with all ratings, the highest first",
            header,
            rows,
            words=(0, 2, len(columns)) if several else (0, len(columns)),
        ),
        paragraph(
            f"Errors are in the unit of the ratings, after {errors} fitted to these very ratings "
            "has brought each metric to their scale; those for new recordings are larger."
            + (
                " RMSE* counts only what lies outside of the 95 % interval of a rating, and "
                "outliers are the share of ratings for which that happens."
                if "Outliers" in columns
                else ""
            ),
            class_="quiet",
        ),
    ]


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


# -- differences ---------------------------------------------------------------------------------


def _show_differences(judgement: Judgement, baseline: str | None) -> list[Html]:
    table = judgement.differences
    n_pairs = len(table)
    parts = [
        paragraph(
            "Two metrics can be said to differ only if chance would seldom make so large a "
            f"difference on these recordings: if the p-value is below {LEVEL} after a correction "
            "(Holm's) for the number of comparisons. The intervals are those of single "
            "comparisons, without a correction."
        )
    ]
    if baseline is not None and len(judgement.metrics) > 2:
        parts += _show_baseline(judgement, baseline)
    if 2 < len(judgement.metrics) <= _MAX_IN_MATRIX:
        parts.append(
            figure(
                draw_differences(judgement, "differences"),
                "By how much the metric of a row agrees better with the ratings than that of a "
                "column, and the p-value below. Cells without colour may be chance.",
            )
        )
    rows = [
        [
            element("span", name_of(row["metric"]), " over ", name_of(row["other"])),
            conclude(row["p_value_holm"], row["metric"]),
            with_interval(row["difference"], row["low"], row["high"]),
            describe_p(row["p_value_holm"]),
        ]
        for _, row in table.iterrows()
    ]
    header = ["Pair", "Conclusion", "Difference, 95 % interval", "p, corrected"]
    caption = "Differences in rank correlation between every two metrics"
    if n_pairs > 1:
        caption += f", p-values corrected for {n_pairs} comparisons"
    return [*parts, *folded_table(caption, header, rows, words=(0, 1))]


def _show_baseline(judgement: Judgement, baseline: str) -> list[Html]:
    overall = judgement.overall.drop(index=baseline)
    rows = []
    for name, row in overall.iterrows():
        better = name if row["difference"] > 0 else baseline
        rows.append(
            [
                name_of(name),
                conclude(row["p_value_holm"], str(better)),
                with_interval(row["difference"], row["difference_low"], row["difference_high"]),
                describe_p(row["p_value_holm"]),
            ]
        )
    caption = f"Rank correlation of each metric less that of the baseline, {baseline}"
    header = ["Metric", "Conclusion", "Difference, 95 % interval", "p, corrected"]
    return [
        data_table(caption, header, rows, words=(0, 1)),
        paragraph(
            f"Here p-values are corrected for {counted(len(rows), 'comparison')} with the "
            f"baseline; below, where every two metrics are compared, for more: these are larger.",
            class_="quiet",
        ),
    ]


# -- single recordings ---------------------------------------------------------------------------


def _show_ratings(judgement: Judgement) -> list[Html]:
    names = [metric.name for metric in judgement.metrics][:_METRIC_PICTURES]
    pictures = [
        figure(draw_ratings(judgement, name, f"ratings{place}"), name_of(name), above=True)
        for place, name in enumerate(names)
    ]
    caption = (
        "Each point is a rated recording. The closer points lie to the curve, the better the "
        "metric tells ratings; a cloud without direction tells nothing."
    )
    if len(names) < len(judgement.metrics):
        caption += f" The first {len(names)} of {len(judgement.metrics)} metrics are drawn."
    if len(judgement.conditions) > MAX_SYMBOLS:
        caption += f" With {len(judgement.conditions)} conditions, all have one symbol."
    return [paragraph(caption), element("div", *pictures, class_="grid")]


def _show_alikeness(judgement: Judgement) -> list[Html]:
    explanation = paragraph(
        "Two metrics that correlate with each other more than with the ratings say much the same, "
        "and have the same faults: to combine them brings little."
    )
    if len(judgement.metrics) > _MAX_IN_MATRIX:
        n_metrics = len(judgement.metrics)
        return [
            paragraph(
                f"{n_metrics} metrics are too many for a picture; their values are in the CSV "
                f"files ({DIFFERENCES} has all comparisons)."
            )
        ]
    return [
        explanation,
        figure(
            draw_alikeness(judgement, "alike"),
            "Rank correlation of every metric with the ratings (first row) and with each other. "
            "The signs of metrics that fall as quality rises are turned; those that are alike "
            "stand side by side.",
        ),
    ]
