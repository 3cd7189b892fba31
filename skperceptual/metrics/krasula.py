"""Pairs of items that raters tell apart, and whether a metric does (Krasula et al., 2016)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skperceptual.metrics.rated_pairs import (
    CRITERIA,
    Z_THRESHOLD,
    pair_items,
    warn_of_missing_pairs,
)

__all__ = ["KrasulaAnalysis", "krasula_analysis"]


class KrasulaAnalysis(NamedTuple):
    """How well a metric tells pairs of items apart that raters tell apart.

    Parameters
    ----------
    auc_different_similar : float
        Probability that two items which raters tell apart differ more in the metric than two
        which they do not. 0.5 is chance.
    auc_better_worse : float
        Area under the ROC curve of the metric's difference, better item first, against worse item
        first, over pairs that raters tell apart. 0.5 is chance.
    correct_classification : float
        C0: the share of these pairs in which the metric is higher for the better item; equal
        values count one half.
    threshold95 : float
        95th percentile of the metric's absolute differences over the pairs that raters do not
        tell apart: a larger difference means something.
    n_pairs : int
        Number of pairs.
    n_different : int
        How many of them raters tell apart.

    Examples
    --------
    >>> from skperceptual.metrics import krasula_analysis
    >>> krasula_analysis([1.0, 2.0, 2.1, 4.0], [0.1, 0.5, 0.4, 0.9], 0.2).n_different
    5
    """

    auc_different_similar: float
    auc_better_worse: float
    correct_classification: float
    threshold95: float
    n_pairs: int
    n_different: int


def krasula_analysis(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    standard_error: ArrayLike,
    *,
    z_threshold: float = Z_THRESHOLD,
    higher_is_better: bool = True,
) -> KrasulaAnalysis:
    """Ask a metric which items differ, and which of two is better (Krasula et al., 2016).

    Every pair of items counts once. Raters tell two items apart where
    ``abs(MOS_i - MOS_k) / sqrt(se_i² + se_k²)`` exceeds a threshold. Neither the scale of the
    metric nor its relation to ratings matters, and how sure ratings are is taken into account.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Ratings (MOS).
    y_pred : array-like of shape (n_samples,)
        Values of the metric.
    standard_error : array-like of shape (n_samples,) or float
        Standard error of each rating, sd / sqrt(number of votes); a column of
        :func:`mean_opinion_scores`.
    z_threshold : float, default=1.959963984540054
        What tells apart: the normal quantile of a two-sided test at 5 %. The authors' own code,
        and VMAF's, have 2.
    higher_is_better : bool, default=True
        False for a distance.

    Returns
    -------
    KrasulaAnalysis
        ``auc_different_similar``, ``auc_better_worse``, ``correct_classification``,
        ``threshold95``, ``n_pairs`` and ``n_different``. NaN, with a warning, for what would need
        pairs of a kind that there are none of.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, negative standard errors
        and a threshold that is not above zero.

    Warns
    -----
    UndefinedMetricWarning
        When no pair differs, or all do.

    See Also
    --------
    compare_krasula : Whether one metric is better than another.

    Notes
    -----
    Where all votes on both items are equal (a standard error of 0), any difference tells them
    apart. Code that takes every pair in both orders, and each item with itself, finds more similar
    pairs and a higher area of different against similar than there is.

    References
    ----------
    .. [1] L. Krasula, K. Fliegel, P. Le Callet and M. Klíma, "On the accuracy of objective image
       and video quality models: new methodology for performance evaluation", QoMEX 2016.

    Examples
    --------
    >>> from skperceptual.metrics import krasula_analysis
    >>> rating = [1.5, 1.9, 2.4, 3.1, 3.6, 4.3]
    >>> distance = [0.92, 0.95, 0.70, 0.55, 0.52, 0.20]
    >>> analysis = krasula_analysis(rating, distance, 0.2, higher_is_better=False)
    >>> analysis.n_pairs, analysis.n_different
    (15, 12)
    >>> analysis.auc_different_similar, analysis.correct_classification
    (0.916..., 1.0)
    """
    pairs = pair_items(y_true, {"y_pred": y_pred}, standard_error, z_threshold)
    difference = pairs.differences[0] if higher_is_better else -pairs.differences[0]
    warn_of_missing_pairs(pairs)
    every = np.ones(pairs.n_items)
    similar = np.abs(difference[~pairs.is_different])
    return KrasulaAnalysis(
        **{
            name: float(criterion(difference, pairs)(every)) for name, criterion in CRITERIA.items()
        },
        threshold95=float(np.quantile(similar, 0.95)) if len(similar) else np.nan,
        n_pairs=len(difference),
        n_different=int(pairs.is_different.sum()),
    )
