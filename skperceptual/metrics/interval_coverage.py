"""Whether prediction intervals hold as many ratings as they promise, and how wide they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skperceptual.metrics.report_items import ALL, lay_out

__all__ = ["interval_coverage"]


def interval_coverage(
    y_true: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
) -> pd.DataFrame:
    """Count the ratings that lie in their prediction intervals: all, and by condition.

    Parameters
    ----------
    y_true : array-like of shape (n_items,)
        Ratings.
    low, high : array-like of shape (n_items,)
        Ends of the interval of each; infinite where there is no bound.
    groups : array-like of shape (n_items,), default=None
        Source recording of each item. None takes every item for one of its own.
    condition : array-like of shape (n_items,), default=None
        Condition of each item.

    Returns
    -------
    DataFrame
        One row for all items (``"all"``), and one for each condition: ``condition``, ``n``,
        ``n_groups``, ``coverage`` (the share of ratings from ``low`` to ``high``, these
        included), ``coverage_of_groups`` (the same, each group counting once, which is what
        intervals calibrated by group promise), ``mean_width`` and ``median_width``.

    Raises
    ------
    ValueError
        For inputs that do not fit together, NaN, and intervals that end before they begin.

    See Also
    --------
    skperceptual.evaluation.ConformalRatings : Makes such intervals.

    Notes
    -----
    A promise about all items is none about each condition: where one is harder to predict than
    the others, its intervals hold fewer.

    Examples
    --------
    >>> from skperceptual.metrics import interval_coverage
    >>> table = interval_coverage([1.0, 2.0, 3.0, 4.0], [0.5, 1, 3.5, 3], [2, 3, 4.5, 5])
    >>> table[["condition", "n", "coverage", "mean_width"]]
      condition  n  coverage  mean_width
    0       all  4      0.75       1.625
    """
    ends = [np.asarray(end) for end in (low, high)]
    # Infinite ends are fine here, and nowhere else in a report.
    largest = np.finfo(np.float64).max
    columns = {
        name: np.clip(end, -largest, largest) if end.dtype.kind == "f" else end
        for name, end in zip(("low", "high"), ends, strict=True)
    }
    items = lay_out(y_true, columns, groups=groups, condition=condition)
    ends = [end.astype(np.float64).reshape(-1) for end in ends]
    if (ends[0] > ends[1]).any():
        row = int(np.argmax(ends[0] > ends[1]))
        raise ValueError(
            f"The interval of row {row} ends before it begins: {ends[0][row]:g} to "
            f"{ends[1][row]:g}."
        )
    held = (items.values[:, 0] <= items.ratings) & (items.ratings <= items.values[:, 1])
    table = pd.DataFrame({"group": items.groups, "held": held, "width": ends[1] - ends[0]})
    rows = [(ALL, table)] + [
        (name, table.loc[items.condition == number])
        for number, name in enumerate(items.condition_names)
    ]
    return pd.DataFrame(
        [
            {
                "condition": name,
                "n": len(some),
                "n_groups": some["group"].nunique(),
                "coverage": some["held"].mean(),
                "coverage_of_groups": some.groupby("group")["held"].mean().mean(),
                "mean_width": some["width"].mean(),
                "median_width": some["width"].median(),
            }
            for name, some in rows
        ]
    )
