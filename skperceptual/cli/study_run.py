"""Run a study, and write it."""

from __future__ import annotations

import textwrap
from datetime import datetime
from pathlib import Path

from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_output import report_folder, write_report
from skperceptual.cli.messages import say
from skperceptual.cli.study_metrics import choose_metrics
from skperceptual.cli.study_page import headline, make_page
from skperceptual.cli.study_recordings import find_recordings
from skperceptual.cli.study_request import METRICS, Request
from skperceptual.cli.study_results import summarize_study
from skperceptual.cli.study_scores import scored_versions
from skperceptual.plotting.svg import check_drawing
from skperceptual.utils.messages import counted

__all__ = ["run_study"]

_PAGE = "study.html"
_VALUES = "all_metrics.csv"
_RANGES = "ranges.csv"
_CORRELATIONS = "correlations.csv"
_FILES = {
    _VALUES: "the value of each metric for every version of every recording",
    _RANGES: "the range of each metric, by content",
    _CORRELATIONS: "the correlations of every two metrics with their intervals, by content",
}
_WIDTH = 80


def run_study(request: Request) -> None:
    """Run a study, and write it.

    Parameters
    ----------
    request : Request
        What is to be studied.

    Raises
    ------
    CommandError
        For whatever the user can put right.
    """
    try:
        check_drawing()
    except ImportError as error:
        raise CommandError(str(error)) from error
    recordings = find_recordings(request.audio, output=request.output)
    metrics, missing = choose_metrics(request.metrics, request.also)
    for name, lacking in missing.items():
        _say_wrapped(f"note: {METRICS[name].label} is left out. {lacking}")
    output = request.output
    inputs = [Path(recording.file) for recording in recordings]
    with (
        report_folder(output, inputs, files=(_PAGE, *_FILES), overwrite=request.overwrite),
        scored_versions(recordings, metrics, request, output / _VALUES) as scores,
    ):
        for note in scores.notes:
            _say_wrapped(f"note: {note}")
        if not request.quiet:
            say(f"comparing {counted(len(metrics), 'metric')}")
        results = summarize_study(scores.table, metrics)
        page = make_page(
            request, recordings, results, scores.notes, missing, _FILES, datetime.now().astimezone()
        )
        tables = {
            _VALUES: scores.table,
            _RANGES: results.ranges,
            _CORRELATIONS: results.correlations,
        }
        contents = {
            name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()
        }
        write_report(output, {_PAGE: page, **contents}, scores.partial, kept=_VALUES)
    if not request.quiet:
        _say_wrapped(headline(results))
        say(f"{output / _PAGE}: {counted(len(recordings), 'recording')}, {', '.join(metrics)}")


def _say_wrapped(text: str) -> None:
    say(textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False))
