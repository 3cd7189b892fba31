"""Raters who vote too high or too low throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skperceptual.metrics.votes.matrix import Scale, check_votes
from skperceptual.metrics.votes.opinion_table import item_means

__all__ = ["remove_rater_bias"]


def remove_rater_bias(votes: Any, *, scale: Scale | None = None) -> pd.DataFrame:
    """Take each rater's mean deviation from the others off their votes (ITU-T P.913, 12.4).

    The bias of a rater is the mean, over the items they rated, of their vote less the mean vote.
    Where every rater rated every item, MOS stay what they were, and the votes of an item, and
    with them its interval, come closer together.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error. Corrected
        votes may lie outside.

    Returns
    -------
    DataFrame of shape (n_items, n_raters)
        Corrected votes, for :func:`mean_opinion_scores` or any other function of votes.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale.

    See Also
    --------
    recover_opinion_scores : Weighs raters by how sure they are as well.

    Notes
    -----
    The bias is computed once, as the Recommendation has it. Where raters rated different items,
    the means it is measured against contain the bias of those who rated them;
    :func:`recover_opinion_scores` separates the two.

    References
    ----------
    .. [1] ITU-T Recommendation P.913, "Methods for the subjective assessment of video quality,
       audio quality and audiovisual quality of Internet video and distribution quality television
       in any environment", 2021, clause 12.4.

    Examples
    --------
    >>> from skperceptual.metrics import remove_rater_bias
    >>> remove_rater_bias([[5, 4, 3], [4, 3, 2]])
    rater    0    1    2
    item
    0      4.0  4.0  4.0
    1      3.0  3.0  3.0
    """
    matrix = check_votes(votes, scale=scale)
    deviations = np.where(matrix.given, matrix.values - item_means(matrix)[:, np.newaxis], 0)
    bias = deviations.sum(axis=0) / np.maximum(matrix.n_by_rater, 1)
    return pd.DataFrame(matrix.values - bias, index=matrix.items, columns=matrix.raters)
