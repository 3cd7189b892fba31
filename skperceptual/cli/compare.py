"""``skperceptual compare``: two recordings in, every metric that needs no ratings out."""

from __future__ import annotations

import argparse

from skperceptual.cli.options import Reading, add_reading_options
from skperceptual.cli.ready_metrics import list_ready_metrics

__all__ = ["add_parser"]

_DESCRIPTION = """\
Compare a degraded recording with its reference by every metric that needs no
ratings, and say what else differs between the two: length, level, delay."""

_EPILOG = f"""\
metrics:
{list_ready_metrics()}

nlpd-ones learns its constants from the reference.

example:
  skperceptual compare clean.wav decoded.mp3
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "compare",
        help="compare two recordings by every metric that needs no ratings",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reference", metavar="REF", help="the original, an audio file")
    parser.add_argument("degraded", metavar="DEG", help="what became of it, an audio file")
    parser.add_argument("--json", action="store_true", help="print JSON, with numbers in full")
    add_reading_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from skperceptual.cli.comparison import compare_files
    from skperceptual.cli.reports import format_json, format_text

    comparison = compare_files(
        arguments.reference, arguments.degraded, Reading.from_arguments(arguments)
    )
    print(format_json(comparison) if arguments.json else format_text(comparison))
    return 0 if comparison.has_scores else 2
