"""The ``skperceptual`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from skperceptual._version import __version__

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
        The exit status: 0, 2 for what the user can put right, 130 when interrupted.

    Examples
    --------
    >>> from skperceptual.cli import main
    >>> main(["no-such-command"])
    Traceback (most recent call last):
    SystemExit: 2
    """
    parser = _make_parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return _USER_ERROR
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output (`head`) has left; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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
    demo = commands.add_parser(
        "demo",
        help="compare metrics on synthesised songs, in about a minute",
        description=(
            "Synthesise songs, degrade them in four ways, simulate ratings, compare metrics on "
            "songs held out, and save the best metric, tables, pictures and audio. Nothing is "
            "downloaded."
        ),
    )
    demo.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default="skperceptual-demo",
        help="folder for everything that is written (default: %(default)s)",
    )
    demo.add_argument(
        "--seed",
        metavar="N",
        type=_seed,
        default=0,
        help="seed of songs, simulated ratings and fits (default: %(default)s)",
    )
    demo.add_argument(
        "--quick",
        action="store_true",
        help="fewer songs, smaller images and shorter fits, in seconds",
    )
    demo.set_defaults(run=_demo)
    return parser


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 4294967295")
    return seed


def _demo(arguments: argparse.Namespace) -> int:
    # Pictures go to files: no window system is needed, nor started.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from skperceptual.demo import run_demo

    run_demo(arguments.output, random_state=arguments.seed, quick=arguments.quick, say=print)
    return 0


def _describe(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"


if __name__ == "__main__":
    sys.exit(main())
