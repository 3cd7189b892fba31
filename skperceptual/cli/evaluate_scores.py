"""The values of the metrics that are judged: computed from files, or taken from the table."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.cli.checked_pairs import check_pairs
from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_table import RatedTable
from skperceptual.cli.messages import say
from skperceptual.cli.metrics import Metric, make_metrics
from skperceptual.cli.ready_metrics import READY_METRICS
from skperceptual.cli.score_table import scored
from skperceptual.cli.tables import PairTable
from skperceptual.evaluation.partial_results import PartialResults

__all__ = ["JudgedMetric", "MetricScores", "make_judged_metrics", "score_rated_table"]

_LONGEST_SETTINGS = 600


class JudgedMetric(NamedTuple):
    """A metric that is judged: which way it points, what it is and how it was set.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_scores import JudgedMetric
    >>> JudgedMetric("pesq", True, "column of the table", "").higher_is_better
    True
    """

    name: str
    higher_is_better: bool
    description: str
    settings: str
    is_saved: bool = False
    metric: Metric | None = None

    @property
    def sign(self) -> int:
        """What makes more better, as a factor."""
        return 1 if self.higher_is_better else -1


class MetricScores(NamedTuple):
    """The values of all metrics, a row for each of the table, and what keeps them on disk.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cli.evaluate_scores import MetricScores
    >>> MetricScores({"mse": np.array([0.1])}, None, []).notes
    []
    """

    values: dict[str, NDArray[np.float64]]
    partial: PartialResults | None
    notes: list[str]


def make_judged_metrics(request: Request) -> list[JudgedMetric]:
    """Make the metrics of a request.

    Parameters
    ----------
    request : Request
        What is asked for.

    Returns
    -------
    list of JudgedMetric
        Those that score files first.

    Raises
    ------
    CommandError
        When one cannot be made, two have one name, or the baseline is none of them.
    """
    made = make_metrics(request.metrics, request.reading)
    for metric in made:
        for note in metric.notes:
            say(f"note: {metric.name}: {note}")
    judged = [_describe(metric) for metric in made]
    judged += [
        JudgedMetric(name, rises, "scores of the table", "computed elsewhere")
        for name, rises in request.score_columns
    ]
    names = [metric.name for metric in judged]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise CommandError(f"two metrics are named {twice[0]!r}. Rename the column, or leave it.")
    if request.baseline is not None and request.baseline not in names:
        raise CommandError(
            f"the baseline {request.baseline!r} is none of the metrics: {', '.join(names)}."
        )
    return judged


def _describe(metric: Metric) -> JudgedMetric:
    settings = " → ".join(" ".join(repr(step.estimator).split()) for step in metric.steps)
    if len(settings) > _LONGEST_SETTINGS:
        settings = f"{settings[:_LONGEST_SETTINGS]}…"
    if metric.is_saved:
        # What predicts, predicts ratings.
        rises = hasattr(metric.last, "predict") or getattr(metric.last, "higher_is_better", True)
        return JudgedMetric(metric.name, bool(rises), "saved metric", settings, True, metric)
    return JudgedMetric(
        metric.name,
        bool(metric.last.higher_is_better),
        READY_METRICS[metric.name].description,
        settings,
        metric=metric,
    )


@contextmanager
def score_rated_table(
    table: RatedTable, metrics: list[JudgedMetric], request: Request, output: Path
) -> Iterator[MetricScores]:
    """Score the rows of a table that are judged, resumably, and add the columns of scores.

    Parameters
    ----------
    table : RatedTable
        The table.
    metrics : list of JudgedMetric
        What is judged.
    request : Request
        How.
    output : Path
        The file that the scores are going to; they are kept beside it until it is written.

    Yields
    ------
    MetricScores
        NaN in rows that are left out, or could not be scored.
    """
    n_rows = len(table.lines)
    values = {
        metric.name: table.scores.get(metric.name, np.full(n_rows, np.nan)) for metric in metrics
    }
    scoring = [metric.metric for metric in metrics if metric.metric is not None]
    if not scoring:
        yield MetricScores(values, None, [])
        return
    rows = np.flatnonzero(table.kept)
    if not len(rows):
        raise CommandError(f"no row of {str(request.table)!r} is left to be scored.")
    if request.folder is not None and not request.folder.is_dir():
        raise CommandError(f"there is no folder {str(request.folder)!r}, which --folder names.")
    pairs = check_pairs(
        _pair_table(table, rows),
        request.folder or request.table.parent,
        request.reading,
        keep_going=request.keep_going,
    )
    with scored(
        pairs,
        scoring,
        output,
        keep_going=request.keep_going,
        n_jobs=request.n_jobs,
        quiet=request.quiet,
    ) as results:
        scored_rows = rows[np.array(pairs.rows, dtype=np.intp)]
        for column, metric in enumerate(scoring):
            values[metric.name][scored_rows] = results.scores[:, column]
        notes = list(results.notes)
        n_unusable = len(rows) - len(pairs)
        if n_unusable:
            notes.insert(0, f"the files of {n_unusable} of {len(rows)} rows cannot be used")
        yield MetricScores(values, results.partial, notes)


def _pair_table(table: RatedTable, rows: NDArray[np.intp]) -> PairTable:
    """Give rows as a table of pairs, with the lines that they have in the file."""
    header = ["reference", "degraded", "row"]  # the last, so that no line is empty
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([*table.names.iloc[row], row])
    lines = array("Q", table.lines[rows].tolist())
    return PairTable(content.getvalue().encode(), ",", header, lines)
