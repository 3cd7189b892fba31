"""Many messages of one kind told once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from skperceptual.cli.scoring import Message
from skperceptual.utils.messages import in_a_line

__all__ = ["Summary", "list_lines", "say", "summarize"]


class Summary(NamedTuple):
    """One kind of message: the text of the first, the metrics and the pairs that it is about.

    Examples
    --------
    >>> from skperceptual.cli.messages import Summary
    >>> warning = "The reference image is constant in 1 of 1 pairs (row 0 is the first)."
    >>> summary = Summary(warning, {"mse"}, {4, 5, 9}, is_failure=False)
    >>> summary.tell(n_pairs=50, name_row=lambda row: f"line {row + 2}")
    'The reference image is constant in 3 of 50 pairs (line 6 is the first).'
    """

    text: str
    metrics: set[str]
    rows: set[int]
    is_failure: bool

    def tell(self, n_pairs: int, name_row: Callable[[int], str]) -> str:
        """Put the text, which is about one pair alone, into the terms of the whole table.

        Parameters
        ----------
        n_pairs : int
            Number of pairs of the table.
        name_row : callable
            Takes a row, counted from 0, and gives what the user knows it by.

        Returns
        -------
        str
            The text.
        """
        text = re.sub(r"\b1 of 1 (pairs|rows)\b", f"{len(self.rows)} of {n_pairs} pairs", self.text)
        return re.sub(r"\brow 0\b", name_row(min(self.rows)), text)


def summarize(messages: Iterable[Message]) -> list[Summary]:
    """Gather messages that differ in nothing but their numbers.

    Parameters
    ----------
    messages : iterable of Message
        In any order.

    Returns
    -------
    list of Summary
        Failures first.
    """
    kinds: dict[tuple[str, bool], Summary] = {}
    for message in sorted(messages, key=lambda message: (not message.is_failure, message.row)):
        kind = re.sub(r"-?\d+(\.\d+)?", "", message.text), message.is_failure
        summary = kinds.setdefault(kind, Summary(message.text, set(), set(), message.is_failure))
        summary.metrics.add(message.metric)
        summary.rows.add(message.row)
    return list(kinds.values())


def list_lines(lines: Iterable[int]) -> str:
    """Name lines of a table, the first few if there are many.

    Parameters
    ----------
    lines : iterable of int
        Their numbers.

    Returns
    -------
    str
        Words for a sentence.

    Examples
    --------
    >>> from skperceptual.cli.messages import list_lines
    >>> list_lines([7]), list_lines([9, 2])
    ('line 7', 'lines 2, 9')
    """
    ordered = sorted(lines)
    return f"line{'s' * (len(ordered) > 1)} {in_a_line(ordered)}"


def say(text: str) -> None:
    """Tell the user something that is not the result.

    Parameters
    ----------
    text : str
        What there is to say; it goes to standard error.
    """
    print(text, file=sys.stderr)
