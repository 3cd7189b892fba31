"""How far votes scatter, and how that follows from where on the scale an item lies."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.votes.matrix import Scale, check_scale, check_votes
from skperceptual.metrics.votes.opinion_table import item_deviations, item_means

__all__ = ["sos_parameter"]


def sos_parameter(votes: Any, *, scale: Scale = (1, 5), ddof: int = 1) -> float:
    """Give the one number of the SOS hypothesis, how far raters differ on this scale.

    The standard deviation of opinion scores cannot be large near the ends of a scale, where all
    votes have to be alike. The hypothesis is that it follows the mean x of an item as
    ``SOS² = a (x - low) (high - x)``, on a scale from 1 to 5 as a (-x² + 6 x - 5).

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote. Items with fewer than two votes are left out.
    scale : tuple of (float, float), default=(1, 5)
        Lowest and highest vote there is; votes outside it are an error.
    ddof : {0, 1}, default=1
        Whether the variance of an item's votes is divided by n or by n - 1. With the latter the
        usual values hardly depend on the number of votes.

    Returns
    -------
    float
        The a that fits all items by least squares: 0 where all raters agree, and 1 (with
        ``ddof=0``) where they vote for nothing but the ends of the scale. Values of 0.2 to 0.3
        are usual for quality; more than 0.4 deserves a look at who voted. NaN, with a warning,
        where no item has two votes and a mean between the ends of the scale.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        Where no item tells anything.

    References
    ----------
    .. [1] T. Hossfeld, R. Schatz and S. Egger, "SOS: The MOS is not enough!", QoMEX 2011.

    Examples
    --------
    >>> from skperceptual.metrics import sos_parameter
    >>> sos_parameter([[5, 4, 5, 4, 3], [3, 2, 4, 3, 3], [1, 2, 1, 1, 2]])
    0.171...
    """
    if ddof not in (0, 1):
        raise ValueError(f"ddof={ddof!r} should be 0 or 1.")
    low, high = check_scale(scale)
    matrix = check_votes(votes, scale=scale)
    several = matrix.n_by_item > 1
    mean = item_means(matrix)[several]
    variance = item_deviations(matrix, ddof)[several] ** 2
    largest = (mean - low) * (high - mean)
    if not (largest > 0).any():
        warnings.warn(
            "The SOS parameter is NaN: no item has two votes and a mean between the ends of the "
            f"scale, {low:g} and {high:g}.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan
    return float(np.sum(largest * variance) / np.sum(largest**2))
