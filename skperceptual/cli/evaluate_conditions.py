"""What a report says of conditions: their means, and the recordings of each."""

from __future__ import annotations

import math
from typing import Any

from skperceptual.cli.evaluate_answer import equals_p, number
from skperceptual.cli.evaluate_html import Html, data_table, element, name_of
from skperceptual.cli.evaluate_judgement import ALL, FEWEST_IN_CONDITION, Judgement
from skperceptual.cli.evaluate_output import CORRELATIONS
from skperceptual.cli.evaluate_parts import correlation, figure, folded_table, paragraph
from skperceptual.cli.evaluate_pictures import MAX_BARS, draw_bars, draw_correlations
from skperceptual.utils.messages import counted

__all__ = ["show_conditions"]

_PICTURES = 9


def show_conditions(judgement: Judgement, baseline: str | None) -> list[Html]:
    """Show results by condition.

    Parameters
    ----------
    judgement : Judgement
        The result.
    baseline : str or None
        The metric that the others are compared with.

    Returns
    -------
    list of Html
        The section.
    """
    labels = judgement.labels
    n_levels = len(set(labels["level"])) if "level" in labels else 1
    parts = []
    if len(judgement.conditions) * n_levels <= MAX_BARS:
        parts.append(
            figure(
                draw_bars(judgement, "bars"),
                "Bars: mean rating of each condition",
                " and level" if "level" in labels else "",
                ". Points: what ",
                name_of(judgement.best.name),
                " makes of the same recordings, brought to the scale of the ratings. Lines: 95 % "
                "intervals.",
                on_paper=True,
            )
        )
    return [*parts, *_show_means(judgement), *_show_within(judgement, baseline)]


def _show_within(judgement: Judgement, baseline: str | None) -> list[Html]:
    """Show the conditions one by one, those that have rows enough to say something."""
    parts: list[Html] = [element("h3", "Within each condition")]
    rows = judgement.agreement
    rows = rows[(rows["condition"] != ALL) & (rows["n"] >= FEWEST_IN_CONDITION)]
    enough = set(rows["condition"])
    defined = set(rows.loc[rows["srcc"].notna(), "condition"])
    conditions = [name for name in judgement.conditions if name in enough]
    n_few = len(judgement.conditions) - len(conditions)
    if n_few:
        few = (
            f"{n_few} of {counted(len(judgement.conditions), 'condition')} have fewer than "
            f"{FEWEST_IN_CONDITION} rows, too few to say anything of each by itself; "
            f"{CORRELATIONS} has them nevertheless."
        )
        parts.append(paragraph(few))
    if not defined:
        return parts
    shown = [name for name in conditions if name in defined][:_PICTURES]
    pictures = [
        figure(draw_correlations(judgement, name, f"condition{place}"), name_of(name), above=True)
        for place, name in enumerate(shown)
    ]
    caption = "Correlation of each metric with the ratings of one condition, 95 % intervals."
    if len(shown) < len(conditions):
        caption += f" {len(shown)} of {len(conditions)} conditions are drawn; the table has all."
    names = [metric.name for metric in judgement.metrics]
    cells: Any = rows.set_index(["condition", "metric"])
    table = []
    for condition in conditions:
        of_one = cells.loc[condition]
        values = [correlation(of_one.loc[name], "srcc") for name in names]
        table.append([name_of(condition), int(of_one["n"].max()), *values])
    parts += [
        paragraph(
            "Recordings of one condition differ less than all do, so that correlations are lower: "
            "a metric may tell conditions apart without telling recordings of one apart."
        ),
        element("div", *pictures, class_="grid"),
        paragraph(caption, class_="quiet"),
        *folded_table(
            "Rank correlation with the ratings of each condition",
            ["Condition", "Rows", *map(name_of, names)],
            table,
        ),
    ]
    if baseline is not None and len(names) > 1:
        parts += _show_baseline(cells, conditions, names, baseline)
    return parts


def _show_baseline(
    cells: Any, conditions: list[str], names: list[str], baseline: str
) -> list[Html]:
    others = [name for name in names if name != baseline]
    table = []
    for condition in conditions:
        row: list[object] = [name_of(condition)]
        for name in others:
            cell = cells.loc[(condition, name)]
            p_value = cell["p_value_holm"]
            p = "" if math.isnan(p_value) else f"p {equals_p(p_value)}"
            row.append(
                element("span", number(cell["difference"]), " ", element("span", p, class_="range"))
            )
        table.append(row)
    caption = (
        f"Rank correlation less that of the baseline, {baseline}, in each condition; p-values "
        "corrected for the metrics of one condition, not for the number of conditions"
    )
    return folded_table(caption, ["Condition", *map(name_of, others)], table)


def _show_means(judgement: Judgement) -> list[Html]:
    if judgement.mean_agreement is None:
        return []
    means: Any = judgement.mean_agreement.set_index("metric")
    rows = [
        [
            name_of(metric.name),
            correlation(means.loc[metric.name], "srcc"),
            correlation(means.loc[metric.name], "plcc"),
            number(means.loc[metric.name, "rmse"]),
        ]
        for metric in judgement.metrics
    ]
    n_means = int(means["n"].iloc[0])
    what = "conditions and levels" if "level" in judgement.labels else "conditions"
    return [
        element("h3", "Whole conditions compared"),
        paragraph(
            f"Who compares {what} and not single recordings averages over their recordings first, "
            "in which chance partly cancels out: correlations are then mostly higher."
        ),
        data_table(
            f"Agreement with the mean ratings of {n_means} {what}",
            [
                "Metric",
                "Rank correlation, 95 % interval",
                "Linear correlation, 95 % interval",
                "Error (RMSE), after a straight line",
            ],
            rows,
        ),
    ]
