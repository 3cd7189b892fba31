"""From a severity to a physical parameter, by rungs that both ends and the middle can name."""

from __future__ import annotations


def evenly(severity: float, *rungs: float) -> float:
    """Interpolate between rungs that are evenly spread over the severities from 0 to 1.

    Parameters
    ----------
    severity : float
        From 0 to 1.
    *rungs : float
        Two or more values, that of severity 0 first. Each comes out exactly.

    Returns
    -------
    float
        In equal steps from one rung to the next.
    """
    share, mild, strong = _between(severity, rungs)
    return mild * (1 - share) + strong * share


def geometrically(severity: float, *rungs: float) -> float:
    """Interpolate in equal ratios between rungs, as :func:`evenly` does in equal steps.

    Parameters
    ----------
    severity : float
        From 0 to 1.
    *rungs : float
        Two or more positive values, that of severity 0 first. Each comes out exactly.

    Returns
    -------
    float
        In equal ratios from one rung to the next.
    """
    share, mild, strong = _between(severity, rungs)
    return mild ** (1 - share) * strong**share


def _between(severity: float, rungs: tuple[float, ...]) -> tuple[float, float, float]:
    place = severity * (len(rungs) - 1)
    lower = min(int(place), len(rungs) - 2)
    return place - lower, rungs[lower], rungs[lower + 1]
