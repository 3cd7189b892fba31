"""Weights for fitting, from how sure ratings are."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["interval_weights"]


def interval_weights(half_width: ArrayLike, *, shrinkage: float = 0.5) -> NDArray[np.float64]:
    """Turn the intervals of ratings into weights for ``fit(X, y, sample_weight=...)``.

    A rating that is twice as sure would weigh four times as much, were votes all that keeps a
    prediction from the rating. No model is that good, and the interval of five votes is itself a
    guess: five votes that happen to agree would weigh without limit. The variances are therefore
    drawn towards their mean before weights are made of them.

    Parameters
    ----------
    half_width : array-like of shape (n_items,)
        Half the interval of each rating, or its standard error: only ratios count.
    shrinkage : float, default=0.5
        Share of the mean variance in each: 0 weighs by the inverse of the variance alone, 1 all
        items the same. No item weighs more than ``1 / shrinkage`` times one of mean variance.

    Returns
    -------
    ndarray of shape (n_items,)
        1 / ((1 - shrinkage) half_width² + shrinkage mean(half_width²)), divided by their mean.

    Raises
    ------
    ValueError
        For half widths that are NaN or negative, and zero with ``shrinkage=0``.

    Examples
    --------
    >>> from skperceptual.metrics import interval_weights, mean_opinion_scores
    >>> ratings = mean_opinion_scores([[5, 5, 5, 5], [1, 2, 4, 5], [2, 3, 2, 3]])
    >>> interval_weights(ratings["half_width"])
    array([1.460..., 0.391..., 1.147...])
    """
    if not (isinstance(shrinkage, Real) and 0 <= shrinkage <= 1):
        raise ValueError(f"shrinkage={shrinkage!r} should lie between 0 and 1, such as 0.5.")
    widths: Any = np.asarray(half_width, dtype=np.float64)
    if widths.ndim != 1 or len(widths) == 0:
        raise ValueError(f"half_width should have shape (n_items,), got {widths.shape}.")
    if not np.isfinite(widths).all():
        raise ValueError(
            f"{(~np.isfinite(widths)).sum()} half widths are not finite: those items have too few "
            "votes for an interval. Give them one by mean_opinion_scores(votes, pool_sd=True), or "
            "leave them out of the fit."
        )
    if (widths < 0).any():
        raise ValueError("half_width should not be negative: it is half of high - low.")
    variances = np.square(widths / max(widths.max(), np.finfo(np.float64).tiny))
    if not variances.any():
        return np.ones(len(widths))
    drawn = (1 - shrinkage) * variances + shrinkage * variances.mean()
    if not (drawn > 0).all():
        raise ValueError(
            f"{(drawn == 0).sum()} half widths are 0, and would weigh without limit. Choose a "
            "shrinkage above 0, or half widths of mean_opinion_scores(votes, pool_sd=True)."
        )
    weights = 1 / drawn
    return weights / weights.mean()
