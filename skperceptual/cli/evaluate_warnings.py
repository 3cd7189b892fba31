"""What to keep in mind about a result: what makes it less than it seems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skperceptual.cli.evaluate_answer import are_simulated
from skperceptual.cli.evaluate_judgement import ALL, FEWEST_IN_CONDITION, Judgement
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_table import FAILED, HIDDEN, UNRATED, RatedTable
from skperceptual.cli.messages import list_lines
from skperceptual.utils.messages import counted, in_a_line

__all__ = ["Caution", "warn"]

_FEW_GROUPS = 10


class Caution(NamedTuple):
    """Something to keep in mind: its title, and a sentence or two.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_warnings import Caution
    >>> Caution("Few groups", "All rows come from 4 groups.").title
    'Few groups'
    """

    title: str
    text: str


def warn(
    table: RatedTable, judgement: Judgement, notes: list[str], request: Request
) -> list[Caution]:
    """Say what makes the answer less than it seems.

    Parameters
    ----------
    table : RatedTable
        The ratings.
    judgement : Judgement
        The result.
    notes : list of str
        What metrics had to say about the files.
    request : Request
        What was asked for.

    Returns
    -------
    list of Caution
        The gravest first.
    """
    return [
        *_warn_of_ratings(request),
        *_warn_of_groups(table, judgement, request),
        *_warn_of_metrics(judgement),
        *_warn_of_conditions(judgement),
        *_warn_of_rows(table, request),
        *(Caution("From scoring", note) for note in notes),
    ]


def _warn_of_ratings(request: Request) -> Iterator[Caution]:
    if are_simulated(request):
        yield Caution(
            "Simulated ratings",
            "The table says that these ratings are simulated: nobody listened. The numbers show "
            "how metrics are judged, and nothing about hearing.",
        )


def _warn_of_groups(table: RatedTable, judgement: Judgement, request: Request) -> Iterator[Caution]:
    n_groups = judgement.n_groups
    if "group" not in judgement.labels:
        yield Caution(
            "No groups",
            "Every row counts as a recording of its own. If several rows are versions of one "
            "recording, the intervals are too narrow and differences seem surer than they are: "
            "name the column that says so with --group.",
        )
    elif n_groups == 1:
        yield Caution(
            "One group",
            "All rows are of one group, so nothing can be said about how results would change "
            "with other recordings: there are no intervals and no p-values.",
        )
    elif n_groups < _FEW_GROUPS:
        yield Caution(
            "Few groups",
            f"All rows come from {n_groups} groups. How much results would change with other "
            f"recordings is known only roughly from fewer than {_FEW_GROUPS}.",
        )
    if table.half_width is not None and "half_width" not in judgement.labels:
        yield Caution(
            "Intervals of ratings",
            f"The column {request.columns.half_width!r} is empty in some rows, so it was not used.",
        )


def _warn_of_metrics(judgement: Judgement) -> Iterator[Caution]:
    for name, reason in judgement.dropped.items():
        yield Caution("Not judged", f"{name}: {reason}.")
    for metric in judgement.metrics:
        if judgement.value(metric.name, "srcc_high") < 0:
            said, found = ("higher", "lower") if metric.higher_is_better else ("lower", "higher")
            yield Caution(
                "Wrong direction",
                f"{metric.name} is said to be {said} for better recordings, but is {found} for "
                "those with better ratings. Check which way it points.",
            )
        if metric.is_saved:
            yield Caution(
                "Fitted metric",
                f"{metric.name} was fitted before. If these ratings, or recordings of the same "
                "groups, were among what it was fitted to, its correlations are too good.",
            )


def _warn_of_conditions(judgement: Judgement) -> Iterator[Caution]:
    rows = judgement.agreement
    within = rows[(rows["condition"] != ALL) & (rows["n"] >= FEWEST_IN_CONDITION)]
    undefined = within[within["srcc"].isna()]["condition"].unique()
    if len(undefined):
        yield Caution(
            "Conditions without a correlation",
            f"In {counted(len(undefined), 'condition')} of {len(judgement.conditions)} all ratings "
            "or all values of a metric are equal: "
            f"{in_a_line(undefined)}.",
        )


def _warn_of_rows(table: RatedTable, request: Request) -> Iterator[Caution]:
    counts = Counter(table.left_out)
    n_rows = len(table.lines)
    kinds = {
        UNRATED: Caution("Rows without a rating", "have no rating and are left out."),
        HIDDEN: Caution(
            "Hidden references",
            "compare a recording with itself, as a check on the listeners. Any metric finds these, "
            "so they are left out; --hidden-references include would keep them.",
        ),
        FAILED: Caution(
            "Rows without a score",
            "lack a score of at least one metric and are left out for all. If metrics fail on hard "
            "recordings, all of them look better without these.",
        ),
    }
    for reason, (title, text) in kinds.items():
        if counts[reason]:
            lines = table.lines[np.flatnonzero(table.left_out == reason)]
            place = list_lines(lines.tolist())
            yield Caution(title, f"{counts[reason]} of {n_rows} rows ({place}) {text}")
    if request.keep_hidden_references:
        yield Caution(
            "Hidden references",
            "Rows that compare a recording with itself are kept, as asked for. Any metric finds "
            "these, so that all correlations are higher than without them.",
        )
