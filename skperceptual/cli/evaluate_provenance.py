"""What was run: the command, the metrics and their settings, the rows, versions and the date."""

from __future__ import annotations

import platform
import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from skperceptual._version import __version__
from skperceptual.cli.evaluate_html import Html, data_table, element, name_of
from skperceptual.cli.evaluate_judgement import Judgement
from skperceptual.cli.evaluate_output import CORRELATIONS, DIFFERENCES, SCORES
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_scores import JudgedMetric
from skperceptual.cli.evaluate_table import RatedTable

__all__ = ["list_versions", "show_files", "show_run"]

_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "torch",
    "numba",
    "librosa",
    "soundfile",
    "matplotlib",
)


def show_run(
    request: Request,
    table: RatedTable,
    metrics: Sequence[JudgedMetric],
    judgement: Judgement,
    when: datetime,
) -> list[Html]:
    """Tell what was run.

    Parameters
    ----------
    request : Request
        What was asked for.
    table : RatedTable
        What was read.
    metrics : sequence of JudgedMetric
        All of them, also those that could not be judged.
    judgement : Judgement
        The result.
    when : datetime
        The time.

    Returns
    -------
    list of Html
        The section.
    """
    columns = request.columns
    used = {
        "ratings": ", ".join(columns.votes) if columns.votes else columns.rating,
        "half width of their intervals": columns.half_width,
        "group": columns.group
        or (table.columns.reference and f"{table.columns.reference}, by file"),
        "condition": columns.condition,
        "level": columns.level,
    }
    left_out = Counter(reason for reason in table.left_out if reason)
    rows: list[list[object]] = [
        ["Table", name_of(request.table.name)],
        ["SHA-256 of the table", element("code", table.digest)],
        ["Columns", "; ".join(f"{what}: {name}" for what, name in used.items() if name)],
        ["Rows of the table", len(table.lines)],
        ["Rows judged", len(judgement.ratings)],
        *([f"Left out: {reason}", count] for reason, count in left_out.items()),
        ["Made", when.strftime("%Y-%m-%d %H:%M %Z").strip()],
        ["Made with", list_versions()],
    ]
    settings = [
        [
            name_of(metric.name),
            metric.description,
            "higher" if metric.higher_is_better else "lower",
            element("span", element("code", metric.settings), class_="settings"),
        ]
        for metric in metrics
    ]
    parts = [
        element("h3", "Command"),
        element(
            "pre",
            element("code", _command(request)),
        ),
        data_table("What was judged", ["What", "Value"], rows, words=(0, 1)),
        data_table(
            "The metrics and their settings; what is not named has its default",
            ["Metric", "What it is", "Better is", "Steps"],
            settings,
            words=range(4),
        ),
        element(
            "p",
            "Intervals and p-values: the jackknife over groups with Student's t "
            "(skperceptual.metrics.compare_metrics and compare_correlations); of means of "
            "conditions: Bonett and Wright's formula. Confidence: 95 %. "
            f"Errors: after the mapping {judgement.mapping!r} of ITU-T P.1401, divided by the "
            "number of rows less that of its parameters.",
        ),
    ]
    if judgement.remarks:
        lines = [element("li", *_lines(remark)) for remark in judgement.remarks]
        parts.append(
            element(
                "details",
                element("summary", "Warnings of the computation, word for word"),
                element("ul", *lines, class_="settings"),
            )
        )
    return parts


def _lines(remark: str) -> list[Html]:
    return [element("div", line.strip()) for line in remark.splitlines()]


def _command(request: Request) -> str:
    return shlex.join(["skperceptual", *request.command])


def list_versions() -> str:
    """Name the versions of what computes.

    Returns
    -------
    str
        In one line.
    """
    found = [f"skperceptual {__version__}", f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join([*found, platform.system()])


def show_files() -> list[Html]:
    """Tell what the other files of the folder are.

    Returns
    -------
    list of Html
        A list with links.
    """
    files = {
        SCORES: "every row of the table: its rating, the score of each metric, and why it is left "
        "out if it is",
        CORRELATIONS: "every metric overall, by condition and by means of conditions, with "
        "intervals; distances with their own sign",
        DIFFERENCES: "every two metrics compared",
    }
    lines = [
        element("li", element("a", name, href=name), f": {content}.")
        for name, content in files.items()
    ]
    return [element("p", "In the same folder, for spreadsheets:"), element("ul", *lines)]
