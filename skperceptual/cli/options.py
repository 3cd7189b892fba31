"""The options that commands share: how files are read and turned into spectrograms."""

from __future__ import annotations

import argparse
import math
from typing import NamedTuple, Self

__all__ = [
    "Reading",
    "add_reading_options",
    "number_of_jobs",
    "positive_seconds",
    "seconds",
    "seed",
    "whole_number",
]


class Reading(NamedTuple):
    """How files become what a metric reads; the defaults are those of the package.

    Examples
    --------
    >>> from skperceptual.cli.options import Reading
    >>> Reading(sr=48000).n_mels
    256
    """

    sr: int = 16000
    n_mels: int = 256
    n_fft: int = 1024
    hop_length: int = 260
    align: bool = False
    offset_seconds: float = 0.0
    duration_seconds: float | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Self:
        """Take the options out of parsed arguments.

        Parameters
        ----------
        arguments : Namespace
            What a parser with :func:`add_reading_options` gave.

        Returns
        -------
        Reading
            The options.
        """
        return cls(**{name: getattr(arguments, name) for name in cls._fields})


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of :class:`Reading` to the parser of a command.

    Parameters
    ----------
    parser : ArgumentParser
        Where they are added.
    """
    defaults = Reading()
    group = parser.add_argument_group("how files are read")
    group.add_argument(
        "--sr",
        metavar="HZ",
        type=whole_number,
        default=defaults.sr,
        help="sampling rate that files are resampled to (default: %(default)s)",
    )
    group.add_argument(
        "--offset",
        metavar="SECONDS",
        dest="offset_seconds",
        type=seconds,
        default=defaults.offset_seconds,
        help="where to begin in every file (default: at its start)",
    )
    group.add_argument(
        "--duration",
        metavar="SECONDS",
        dest="duration_seconds",
        type=positive_seconds,
        default=defaults.duration_seconds,
        help="how much of every file to read (default: to its end)",
    )
    group.add_argument(
        "--align",
        action="store_true",
        help="find and remove the delay of each pair, up to 0.1 s",
    )
    group = parser.add_argument_group("mel spectrograms")
    for option, default, text in (
        ("--n-mels", defaults.n_mels, "number of bands"),
        ("--n-fft", defaults.n_fft, "length of a frame in samples"),
        ("--hop-length", defaults.hop_length, "distance between frames in samples"),
    ):
        group.add_argument(
            option,
            metavar="N",
            type=whole_number,
            default=default,
            help=f"{text} (default: %(default)s)",
        )


def whole_number(text: str) -> int:
    """Read a whole number above 0 from the command line.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    int
        The number.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def number_of_jobs(text: str) -> int:
    """Read a number of processes from the command line.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    int
        Above 0, or -1 for as many as there are processors.
    """
    try:
        n_jobs = int(text)
    except ValueError:
        n_jobs = 0
    if n_jobs == 0 or n_jobs < -1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number above 0 nor -1")
    return n_jobs


def seconds(text: str) -> float:
    """Read a length in seconds, 0 or more, from the command line.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    float
        The length.
    """
    try:
        length = float(text)
    except ValueError:
        length = math.nan
    if not 0 <= length < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no length in seconds")
    return length


def positive_seconds(text: str) -> float:
    """Read a length in seconds above 0 from the command line.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    float
        The length.
    """
    length = seconds(text)
    if length == 0:
        raise argparse.ArgumentTypeError(f"{text!r} leaves nothing to read")
    return length


def seed(text: str) -> int:
    """Read the seed of a generator from the command line.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    int
        From 0 to 4294967295.
    """
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 4294967295")
    return number
