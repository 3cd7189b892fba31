"""``skperceptual evaluate``: a table of rated pairs in, a report on metrics out."""

from __future__ import annotations

import argparse
from pathlib import Path

from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate_request import Columns, Request, ScoreColumn
from skperceptual.cli.options import Reading, add_reading_options, number_of_jobs
from skperceptual.cli.ready_metrics import list_ready_metrics

__all__ = ["add_parser"]

_DESCRIPTION = """\
Judge metrics against ratings: which agrees best with what people said, how
sure that is, and whether the differences are more than chance. The table is a
CSV file with a rating in each row, and either the files of a pair, which
--metrics score, or scores that are there already (--score-column). What comes
out is a folder with report.html, one page that needs nothing else, and tables
in CSV. After an interruption the same command goes on from where it stopped."""

_EPILOG = f"""\
metrics by name:
{list_ready_metrics()}

--metrics also takes the path of a fitted metric that was saved with joblib.
OPENING SUCH A FILE RUNS CODE FROM IT: open only files of your own.

examples:
  skperceptual evaluate ratings.csv --metrics nlpd ssim mse \\
      --group song --condition codec -o report/
  skperceptual evaluate scores.csv --rating mos --group song \\
      --score-column pesq:higher nlpd:lower -o report/
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "evaluate",
        help="judge metrics against ratings, in a report to look at",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", metavar="TABLE", type=Path, help="the CSV file")
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder for the report, made where it is missing; all of its files are written at "
        "the end, or none",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the report that is in the folder"
    )
    _add_metric_options(parser)
    _add_column_options(parser)
    _add_row_options(parser)
    parser.add_argument(
        "-j",
        "--n-jobs",
        metavar="N",
        type=number_of_jobs,
        default=1,
        help="number of processes that score, -1 for one a processor (default: %(default)s)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress bar and no summary, only problems"
    )
    add_reading_options(parser)
    parser.set_defaults(run=_run)


def _add_metric_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is judged")
    group.add_argument(
        "--metrics",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        help="metrics of the list below, or paths of saved ones",
    )
    group.add_argument(
        "--score-column",
        metavar="COLUMN:WAY",
        dest="score_columns",
        nargs="+",
        action="extend",
        type=_score_column,
        default=[],
        help="columns that hold the scores of other metrics, each with what a better recording "
        "has: 'pesq:higher', 'distance:lower'",
    )
    group.add_argument(
        "--baseline",
        metavar="NAME",
        help="the metric that the others are to be compared with, overall and in each condition",
    )


def _add_column_options(parser: argparse.ArgumentParser) -> None:
    defaults = Columns()
    group = parser.add_argument_group("columns of the table")
    for option, default, text in (
        ("--rating", defaults.rating, "what people said of it"),
        ("--reference", defaults.reference, "file of the original"),
        ("--degraded", defaults.degraded, "file of what became of it"),
    ):
        help_text = f"{text} (default: %(default)s)"
        group.add_argument(option, metavar="COLUMN", default=default, help=help_text)
    group.add_argument(
        "--votes",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="in place of --rating: one column for each rater, empty where there is no vote; the "
        "rating is their mean",
    )
    for option, text in (
        ("--half-width", "half the width of the 95 %% interval of each rating"),
        ("--group", "what ratings have in common: the song, the talker (default: the reference)"),
        ("--condition", "type of degradation, such as the codec"),
        ("--level", "strength of the degradation, such as the bit rate"),
    ):
        group.add_argument(option, metavar="COLUMN", help=text)


def _add_row_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rows of the table")
    group.add_argument(
        "--scale",
        metavar=("LOW", "HIGH"),
        nargs=2,
        type=float,
        help="the lowest and the highest rating there can be; others are refused",
    )
    group.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="where relative file names start (default: the folder of the table)",
    )
    group.add_argument(
        "--hidden-references",
        choices=["exclude", "include"],
        default="exclude",
        help="rows whose degraded file is their reference, which any metric finds "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--repeated-pairs",
        choices=["raise", "keep"],
        default="raise",
        help="pairs that stand in several rows: an error, or each row an item of its own "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--on-error",
        choices=["raise", "nan"],
        default="raise",
        help="pairs that cannot be scored: an error, without any report, or rows that are left "
        "out (default: %(default)s)",
    )


def _score_column(text: str) -> ScoreColumn:
    name, separator, direction = text.rpartition(":")
    if not (separator and name and direction in ("higher", "lower")):
        raise argparse.ArgumentTypeError(
            f"{text!r} does not say which scores are better: write {name or text}:higher or "
            f"{name or text}:lower"
        )
    return ScoreColumn(name, direction == "higher")


def _run(arguments: argparse.Namespace) -> int:
    if not (arguments.metrics or arguments.score_columns):
        raise CommandError(
            "there is nothing to judge. Name metrics with --metrics, or columns of scores with "
            "--score-column NAME:higher or NAME:lower."
        )
    request = Request(
        table=arguments.table,
        output=arguments.output,
        columns=Columns.from_arguments(arguments),
        metrics=tuple(arguments.metrics),
        score_columns=tuple(arguments.score_columns),
        baseline=arguments.baseline,
        reading=Reading.from_arguments(arguments),
        scale=None if arguments.scale is None else tuple(arguments.scale),
        folder=arguments.folder,
        keep_hidden_references=arguments.hidden_references == "include",
        keep_repeated_pairs=arguments.repeated_pairs == "keep",
        keep_going=arguments.on_error == "nan",
        overwrite=arguments.overwrite,
        n_jobs=arguments.n_jobs,
        quiet=arguments.quiet,
        command=tuple(arguments.given),
    )
    from skperceptual.cli.evaluate_run import evaluate_table

    evaluate_table(request)
    return 0
