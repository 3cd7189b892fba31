"""``skperceptual demo``: compare metrics on synthesised songs."""

from __future__ import annotations

import argparse
import os

from skperceptual.cli.options import seed

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "demo",
        help="compare metrics on synthesised songs, in about a minute",
        description=(
            "Synthesise songs, degrade them in four ways, simulate ratings, repeat the first "
            "paper's two tables on songs held out, and save the best metric, tables, pictures and "
            "audio. Nothing is downloaded."
        ),
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default="skperceptual-demo",
        help="folder for everything that is written (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=seed,
        default=0,
        help="seed of songs, simulated ratings and fits (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smaller images and shorter fits, in seconds",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Pictures go to files: no window system is needed, nor started.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from skperceptual.demo import run_demo

    run_demo(arguments.output, random_state=arguments.seed, quick=arguments.quick, say=print)
    return 0
