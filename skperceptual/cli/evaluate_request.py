"""What the user of ``skperceptual evaluate`` asks for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple, Self

from skperceptual.cli.options import Reading

__all__ = ["Columns", "Request", "ScoreColumn"]


class ScoreColumn(NamedTuple):
    """A column of the table that holds the scores of a metric.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_request import ScoreColumn
    >>> ScoreColumn("pesq", higher_is_better=True).name
    'pesq'
    """

    name: str
    higher_is_better: bool


class Columns(NamedTuple):
    """The names of the other columns; None stands for one that the table does not have.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_request import Columns
    >>> Columns(group="song").rating
    'rating'
    """

    rating: str = "rating"
    reference: str = "reference"
    degraded: str = "degraded"
    votes: tuple[str, ...] = ()
    half_width: str | None = None
    group: str | None = None
    condition: str | None = None
    level: str | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Self:
        """Take the names out of parsed arguments.

        Parameters
        ----------
        arguments : Namespace
            What the parser of the command gave.

        Returns
        -------
        Columns
            The names.
        """
        given = {name: getattr(arguments, name) for name in cls._fields}
        return cls(**{**given, "votes": tuple(given["votes"])})


class Request(NamedTuple):
    """What is to be judged, and how.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skperceptual.cli.evaluate_request import Request
    >>> Request(Path("ratings.csv"), Path("report"), metrics=("nlpd",)).columns.rating
    'rating'
    """

    table: Path
    output: Path
    columns: Columns = Columns()
    metrics: tuple[str, ...] = ()
    score_columns: tuple[ScoreColumn, ...] = ()
    baseline: str | None = None
    reading: Reading = Reading()
    scale: tuple[float, float] | None = None
    folder: Path | None = None
    keep_hidden_references: bool = False
    keep_repeated_pairs: bool = False
    keep_going: bool = False
    overwrite: bool = False
    n_jobs: int = 1
    quiet: bool = False
    command: tuple[str, ...] = ()
