"""Judge metrics by a table of ratings, and write the report."""

from __future__ import annotations

import csv
import io
import textwrap
from datetime import datetime
from typing import Any

import pandas as pd

from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_answer import are_simulated, explain, headline
from skperceptual.cli.evaluate_judgement import Judgement, judge
from skperceptual.cli.evaluate_output import (
    CORRELATIONS,
    DIFFERENCES,
    FILES,
    PAGE,
    SCORES,
    report_folder,
    write_report,
)
from skperceptual.cli.evaluate_page import make_page
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_scores import MetricScores, make_judged_metrics, score_rated_table
from skperceptual.cli.evaluate_table import RatedTable, read_rated_table
from skperceptual.cli.messages import say
from skperceptual.plotting.svg import check_drawing
from skperceptual.utils.messages import counted

__all__ = ["evaluate_table"]

_WIDTH = 80


def evaluate_table(request: Request) -> None:
    """Judge metrics by a table of ratings, and write the report.

    Parameters
    ----------
    request : Request
        What is to be judged.

    Raises
    ------
    CommandError
        For whatever the user can put right.
    """
    try:
        check_drawing()
    except ImportError as error:
        raise CommandError(str(error)) from error
    metrics = make_judged_metrics(request)
    table = read_rated_table(request)
    output = request.output
    with (
        report_folder(output, [request.table], files=FILES, overwrite=request.overwrite),
        score_rated_table(table, metrics, request, output / SCORES) as scores,
    ):
        if not request.quiet:
            say(f"judging {counted(len(metrics), 'metric')}")
        judgement = judge(table, metrics, scores, request)
        page = make_page(
            request, table, metrics, judgement, scores.notes, datetime.now().astimezone()
        )
        contents = {
            PAGE: page,
            SCORES: _list_scores(table, scores),
            CORRELATIONS: _list_correlations(judgement),
            DIFFERENCES: judgement.differences.to_csv(index=False, lineterminator="\n"),
        }
        write_report(output, contents, scores.partial, kept=SCORES)
    if not request.quiet:
        told = [headline(judgement), *explain(judgement, simulated=are_simulated(request))]
        say(textwrap.fill(" ".join(told), _WIDTH, break_long_words=False, break_on_hyphens=False))
        say(f"{output / PAGE}: {counted(len(judgement.ratings), 'pair')}, {_join(judgement)}")


def _join(judgement: Judgement) -> str:
    return ", ".join(metric.name for metric in judgement.metrics)


def _list_scores(table: RatedTable, scores: MetricScores) -> str:
    columns: dict[str, Any] = {"line": table.lines}
    columns |= {str(name): column for name, column in table.names.items()}
    columns["rating"] = table.ratings
    given = {
        "half_width": table.half_width,
        "group": table.groups,
        "condition": table.condition,
        "level": table.level,
    }
    columns |= {name: column for name, column in given.items() if column is not None}
    for name, values in scores.values.items():
        columns[name if name not in columns else f"{name} (metric)"] = values
    columns["left_out"] = table.left_out
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(_cells, zip(*columns.values(), strict=True)))
    return file.getvalue()


def _cells(row: tuple[Any, ...]) -> list[Any]:
    return ["" if pd.isna(cell) else cell for cell in row]


def _list_correlations(judgement: Judgement) -> str:
    directions = {metric.name: metric.higher_is_better for metric in judgement.metrics}
    tables = [judgement.table.assign(per="row")]
    if judgement.means is not None:
        tables.append(judgement.means.assign(per="mean of a condition"))
    table = pd.concat(tables, ignore_index=True)
    table.insert(1, "higher_is_better", table["metric"].map(directions))
    return table.to_csv(index=False, lineterminator="\n")
