"""``skperceptual score``: a table of pairs in, the same table with scores out."""

from __future__ import annotations

import argparse
from pathlib import Path

from skperceptual.cli.options import Reading, add_reading_options, number_of_jobs
from skperceptual.cli.ready_metrics import list_ready_metrics

__all__ = ["add_parser"]

_DESCRIPTION = """\
Score every pair of a table. The table is a CSV file whose columns 'reference'
and 'degraded' name audio files; all its columns are copied to the output,
followed by one for each metric. After an interruption the same command goes on
from where it stopped."""

_EPILOG = f"""\
metrics by name:
{list_ready_metrics()}

nlpd-ones learns its constants from the references of the table, so that its
values depend on them; every other value is that of its pair alone.

--metric also takes the path of a fitted metric that was saved with joblib.
OPENING SUCH A FILE RUNS CODE FROM IT: open only files of your own. The column
is named after the file, and holds what predict gives (transform, if there is
no predict). A saved pipeline that begins with LoadAudio reads files in its own
way, whatever the options say. For one that begins with MelSpectrogram, or any
other step that takes signals, files are read as the options say, at the rate
of that step.

example:
  skperceptual score pairs.csv --metric nlpd --metric ms-ssim -o scores.csv
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "score",
        help="score a table of pairs of recordings",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", metavar="TABLE", type=Path, help="the CSV file")
    parser.add_argument(
        "--metric",
        metavar="NAME",
        dest="metrics",
        action="append",
        required=True,
        help="a metric of the list below, or the path of a saved one; once for each metric",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="CSV",
        type=Path,
        help="where to write the table with its scores, whole or not at all; until then scores "
        "are kept beside it, in CSV.part (default: standard output, and nothing is kept)",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="where relative file names start (default: the folder of the table)",
    )
    parser.add_argument(
        "--on-error",
        choices=["raise", "nan"],
        default="raise",
        help="what to do about pairs that cannot be scored: raise an error, without any output, "
        "or leave their cells empty (default: %(default)s)",
    )
    parser.add_argument(
        "-j",
        "--n-jobs",
        metavar="N",
        type=number_of_jobs,
        default=1,
        help="number of processes, -1 for one a processor (default: %(default)s)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress bar and no summary, only problems"
    )
    add_reading_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from skperceptual.cli.score_table import score_table

    score_table(
        arguments.table,
        arguments.output,
        arguments.metrics,
        Reading.from_arguments(arguments),
        folder=arguments.folder,
        keep_going=arguments.on_error == "nan",
        n_jobs=arguments.n_jobs,
        quiet=arguments.quiet,
    )
    return 0
