"""Rhythm strings, and the grid of beats that they are played on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

STEPS_PER_BEAT = 4
LOUDNESS = {"X": 1.0, "x": 0.78, "o": 0.42}


class Event(NamedTuple):
    """One character of a pattern that starts something."""

    step: int
    held: int  # steps until it is let go
    what: str


@dataclass(frozen=True)
class Grid:
    """Where the steps of a song fall in time.

    Attributes
    ----------
    tempo : float
        Beats a minute.
    swing : float
        Where in its pulse the second half falls; 0.5 is straight.
    pulse : int
        Steps of the pulse that swings: 4 for swung eighths, 2 for swung sixteenths.
    """

    tempo: float
    swing: float
    pulse: int

    def seconds(self, step: float) -> float:
        """Give when a step falls.

        Parameters
        ----------
        step : float
            Sixteenths since the song began.

        Returns
        -------
        float
            Seconds.
        """
        whole, part = divmod(step / self.pulse, 1.0)
        if part < 0.5:
            part *= 2 * self.swing
        else:
            part = self.swing + (part - 0.5) * 2 * (1 - self.swing)
        return (whole + part) * self.pulse * 60 / (STEPS_PER_BEAT * self.tempo)


def read(pattern: str, steps_per_bar: int, bar: int) -> Iterator[Event]:
    """Read one bar of a pattern.

    Parameters
    ----------
    pattern : str
        One bar or more, of 16 characters each beside blanks. Where a bar is shorter, the rest of
        the 16 is left out.
    steps_per_bar : int
        Sixteenths in a bar.
    bar : int
        Which bar of the section; patterns repeat.

    Yields
    ------
    Event
        What starts in that bar, counted from its beginning.
    """
    text = pattern.replace(" ", "")
    bars = len(text) // 16
    row = text[16 * (bar % bars) : 16 * (bar % bars) + steps_per_bar]
    start = 0
    while start < len(row):
        if row[start] in ".-":
            start += 1
            continue
        end = start + 1
        while end < len(row) and row[end] == "-":
            end += 1
        yield Event(start, end - start, row[start])
        start = end
