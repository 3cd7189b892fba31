"""The ``skperceptual`` command: one file a subcommand, nothing heavy before one is chosen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from skperceptual._version import __version__
from skperceptual.cli.compare import add_parser as add_compare
from skperceptual.cli.demo import add_parser as add_demo
from skperceptual.cli.errors import CommandError
from skperceptual.cli.evaluate import add_parser as add_evaluate
from skperceptual.cli.reconstruct import add_parser as add_reconstruct
from skperceptual.cli.score import add_parser as add_score
from skperceptual.cli.study import add_parser as add_study

__all__ = ["main"]

_USER_ERROR = 2
_INTERRUPTED = 130  # what shells give for a command that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the name of the command; None takes those of the process.

    Returns
    -------
    int
        The exit status: 0, 1 when the reader of the output left, 2 for what the user can put
        right, 130 when interrupted.

    Examples
    --------
    >>> from skperceptual.cli import main
    >>> main(["no-such-command"])
    Traceback (most recent call last):
    SystemExit: 2
    """
    parser = _make_parser()
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given, argparse.Namespace(given=given))
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return _USER_ERROR
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()  # a reader that left is noticed here, and not when Python ends
        return status
    except KeyboardInterrupt as interruption:
        told = "interrupted", *getattr(interruption, "__notes__", ())
        print(f"\n{parser.prog}: {'. '.join(told)}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output (`head`) has left; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CommandError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return _USER_ERROR
    except OSError as error:
        print(f"{parser.prog}: error: {_describe(error)}", file=sys.stderr)
        return _USER_ERROR


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skperceptual",
        description="Perceptual audio quality as scikit-learn estimators.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    for add in (add_compare, add_score, add_evaluate, add_study, add_reconstruct, add_demo):
        add(commands)
    return parser


def _describe(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
