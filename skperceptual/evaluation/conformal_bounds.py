"""How far predictions may be off: quantiles of the errors that were made before, by group."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "check_scale",
    "cut_to_scale",
    "group_weights",
    "prediction_bounds",
    "warn_of_infinite_intervals",
]

Floats = NDArray[np.float64]

# Rows that are bounded at a time.
_CHUNK = 256
# Sums of weights are off by less than this.
_ROUNDING = 1e-9


def group_weights(groups: NDArray[np.intp]) -> Floats:
    """Weigh errors so that each group counts once, and so does the new one, of unknown error.

    Parameters
    ----------
    groups : ndarray of shape (n_errors,)
        Source recording of each error.

    Returns
    -------
    ndarray of shape (n_errors,)
        1 / ((G + 1) n_g) for G groups, with n_g errors in that of the row. Their sum, G / (G + 1),
        is the largest share of groups that bounds can be given for.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.evaluation.conformal_bounds import group_weights
    >>> group_weights(np.array([0, 0, 1]))
    array([0.16666667, 0.16666667, 0.33333333])
    """
    _, number, count = np.unique(groups, return_inverse=True, return_counts=True)
    return 1 / ((len(count) + 1) * count[number])


def prediction_bounds(
    predictions: Floats,
    fold: NDArray[np.intp],
    errors: Floats,
    weights: Floats,
    *,
    confidence_level: float,
) -> tuple[Floats, Floats]:
    """Bound new ratings by predictions of each fold's model, plus and minus errors of that model.

    Parameters
    ----------
    predictions : ndarray of shape (n_rows, n_folds)
        What the model of each fold predicts for new rows.
    fold : ndarray of shape (n_errors,)
        Whose error each is.
    errors : ndarray of shape (n_errors,)
        Absolute errors for rows that the model was not fitted to.
    weights : ndarray of shape (n_errors,)
        Share of each, which add up to less than 1.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    low, high : ndarray of shape (n_rows,)
        The quantiles; infinite where the weights do not add up to the confidence level.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.evaluation.conformal_bounds import prediction_bounds
    >>> errors, one_model = np.array([0.1, 0.3, 0.2, 0.4]), np.zeros(4, dtype=int)
    >>> weights = np.full(4, 1 / 5)
    >>> low, high = prediction_bounds(
    ...     np.array([[3.0]]), one_model, errors, weights, confidence_level=0.6
    ... )
    >>> print(low, high)
    [2.7] [3.3]
    """
    if weights.sum() < confidence_level - _ROUNDING:
        infinite = np.full(len(predictions), np.inf)
        return -infinite, infinite
    low, high = np.empty(len(predictions)), np.empty(len(predictions))
    for start in range(0, len(predictions), _CHUNK):
        rows = slice(start, start + _CHUNK)
        centers = predictions[rows][:, fold]
        high[rows] = _quantile(centers + errors, weights, confidence_level)
        low[rows] = -_quantile(errors - centers, weights, confidence_level)
    return low, high


def check_scale(scale: Any) -> None:
    """Refuse what is no lowest and highest rating.

    Parameters
    ----------
    scale : object
        What the user gave; None is fine.

    Raises
    ------
    ValueError
        For anything but two numbers in rising order.
    """
    if scale is None:
        return
    ends = np.asarray(scale, dtype=np.float64)
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(
            f"scale={scale!r} should be the lowest and the highest rating, such as (1, 5)."
        )


def cut_to_scale(low: Floats, high: Floats, scale: tuple[float, float] | None) -> Floats:
    """Put both ends side by side, within the scale of the ratings.

    Parameters
    ----------
    low, high : ndarray of shape (n_rows,)
        Ends of intervals.
    scale : tuple of (float, float) or None
        Lowest and highest rating.

    Returns
    -------
    ndarray of shape (n_rows, 2)
        The ends.
    """
    ends = np.stack([low, high], axis=1)
    return ends if scale is None else np.clip(ends, *scale)


def warn_of_infinite_intervals(level: float, n_groups: int, *, stacklevel: int) -> None:
    """Warn that there are too few groups for a confidence level.

    Parameters
    ----------
    level : float
        Share of ratings that intervals are to hold.
    n_groups : int
        Number of groups that errors are known for.
    stacklevel : int
        As in :func:`warnings.warn`, were it called in place of this.
    """
    needed = int(np.ceil(level / (1 - level) - 1e-9))
    warnings.warn(
        f"Intervals are infinite: to hold {level:.4g} of ratings takes errors of {needed} groups, "
        f"and there are {n_groups}. Calibrate with more groups, or lower confidence_level.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def _quantile(values: Floats, weights: Floats, level: float) -> Floats:
    """Give the smallest value of each row that has the share ``level`` at or below it."""
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1) >= level - _ROUNDING
    place = np.take_along_axis(order, reached.argmax(axis=1)[:, np.newaxis], axis=1)
    return np.take_along_axis(values, place, axis=1)[:, 0]
