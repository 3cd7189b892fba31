"""Which raters to leave out: the rules of BT.500, BS.1534 (MUSHRA) and BS.1116."""

from __future__ import annotations

from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from skperceptual.metrics.votes.matrix import Scale, VoteMatrix, check_votes, warn_of
from skperceptual.metrics.votes.opinion_table import divide, item_deviations, item_means

__all__ = ["screen_bs1116", "screen_bt500", "screen_mushra"]

Floats = NDArray[np.float64]


def screen_bt500(votes: Any, *, scale: Scale | None = None) -> pd.DataFrame:
    """Find raters whose votes stray to both sides (ITU-R BT.500).

    A vote strays where it is further from the mean of its item than 2 standard deviations, or
    sqrt(20) where the votes of the item are not normally distributed, their kurtosis lying
    outside 2 to 4. A rater is rejected when more than 5 % of their votes stray, about as often
    upwards as downwards: who strays to one side only has a bias, which is no inconsistency.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    DataFrame, one row a rater
        ``n_votes``; ``above`` and ``below``, how many stray either way; ``share``, of the votes
        that stray; ``imbalance``, ``abs(above - below) / (above + below)``, NaN where none does;
        ``rejected``, whether share > 0.05 and imbalance < 0.3.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale.

    Warns
    -----
    UndefinedMetricWarning
        For raters without votes, who are not rejected.

    See Also
    --------
    recover_opinion_scores : Weighs raters instead of rejecting them.

    Notes
    -----
    Means, deviations and kurtosis are those of all raters, with n. No vote can be more than
    sqrt(n - 1) deviations away from the mean of n: with five votes an item or fewer, nobody is
    ever rejected.

    References
    ----------
    .. [1] ITU-R Recommendation BT.500-14, "Methodologies for the subjective assessment of the
       quality of television images", 2019, screening of the observers.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import screen_bt500
    >>> rng = np.random.default_rng(0)
    >>> votes = rng.uniform(1.5, 4.5, (60, 1)) + rng.normal(0, 0.4, (60, 24))
    >>> votes[:, 3] += rng.normal(0, 0.8, 60)
    >>> screening = screen_bt500(votes)
    >>> screening.index[screening["rejected"]].tolist()
    [3]
    >>> kept = votes[:, ~screening["rejected"]]
    """
    matrix = check_votes(votes, scale=scale)
    given, n = matrix.given, matrix.n_by_item
    deviations = np.where(given, matrix.values - item_means(matrix)[:, np.newaxis], 0)
    sd = item_deviations(matrix, ddof=0)
    kurtosis = divide(np.sum(deviations**4, axis=1), n * sd**4)
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0)) * sd
    # Where all votes of an item are equal the limit is 0, which no vote strays beyond but by
    # rounding.
    limit = (limit * (1 + 1e-12) + 1e-12 * np.abs(item_means(matrix)))[:, np.newaxis]
    above, below = (deviations > limit).sum(axis=0), (deviations < -limit).sum(axis=0)
    share = divide(above + below, matrix.n_by_rater)
    imbalance = divide(np.abs(above - below), above + below)
    _warn_of_absent(matrix, matrix.n_by_rater)
    return pd.DataFrame(
        {
            "n_votes": matrix.n_by_rater,
            "above": above,
            "below": below,
            "share": share,
            "imbalance": imbalance,
            "rejected": (share > 0.05) & (imbalance < 0.3),
        },
        index=matrix.raters,
    )


def screen_mushra(
    hidden_reference: Any,
    mid_anchor: Any = None,
    *,
    low_anchor: Any = None,
    rule: str = "bs1534",
    threshold: float = 90.0,
    share: float = 0.15,
    scale: Scale = (0, 100),
) -> pd.DataFrame:
    """Find listeners of a MUSHRA test who missed the reference or praised an anchor.

    Parameters
    ----------
    hidden_reference : array-like or DataFrame of shape (n_trials, n_raters)
        What each rater gave the hidden reference in each trial; NaN where they skipped it.
    mid_anchor : array-like or DataFrame of shape (n_trials, n_raters), default=None
        The same for the anchor that is low-passed at 7 kHz. None leaves out the rule about it.
    low_anchor : array-like or DataFrame of shape (n_trials, n_raters), default=None
        The same for the anchor that is low-passed at 3.5 kHz; ``rule="mpeg"`` reads it.
    rule : {"bs1534", "mpeg"}, default="bs1534"
        ``"bs1534"`` rejects who grades the hidden reference below the threshold in more than the
        share of the trials, or the mid anchor above it in more than the share. ``"mpeg"``, as in
        MPEG's tests, rejects who does the former once, or once grades an anchor above the hidden
        reference or the low anchor above the mid one.
    threshold : float, default=90.0
        On the scale of the grades.
    share : float, default=0.15
        Of the trials that a rater graded; read by ``rule="bs1534"``.
    scale : tuple of (float, float), default=(0, 100)
        Lowest and highest grade there is; grades outside it are an error.

    Returns
    -------
    DataFrame, one row a rater
        ``n_trials``; ``reference_below``, the share of trials with the hidden reference below the
        threshold; ``anchor_above``, that with the mid anchor above it, NaN without one;
        ``out_of_order``, that with an anchor above what should be better, NaN without anchors;
        ``rejected``.

    Raises
    ------
    ValueError
        For grades that are no such matrices, differ in shape or names, or lie outside the scale,
        and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For raters without grades, who are not rejected.

    References
    ----------
    .. [1] ITU-R Recommendation BS.1534-3, "Method for the subjective assessment of intermediate
       quality level of audio systems", 2015, post-screening of assessors.

    Examples
    --------
    >>> from skperceptual.metrics import screen_mushra
    >>> reference = [[100, 100], [98, 80], [95, 100], [100, 100]]
    >>> anchor = [[60, 70], [50, 85], [40, 60], [55, 65]]
    >>> screen_mushra(reference, anchor)[["reference_below", "anchor_above", "rejected"]]
           reference_below  anchor_above  rejected
    rater
    0                 0.00           0.0     False
    1                 0.25           0.0      True
    """
    if rule not in ("bs1534", "mpeg"):
        raise ValueError(f"rule={rule!r} is unknown. Use 'bs1534' or 'mpeg'.")
    if not (isinstance(share, Real) and 0 <= share < 1):
        raise ValueError(f"share={share!r} should lie between 0 and 1, such as 0.15.")
    reference = check_votes(hidden_reference, scale=scale, name="hidden_reference")
    anchors = [
        None if grades is None else _grades_like(reference, grades, scale, name)
        for grades, name in ((mid_anchor, "mid_anchor"), (low_anchor, "low_anchor"))
    ]
    absent = np.full(len(reference.raters), np.nan)
    mid, low = anchors
    below = _share_of_raters(reference.values < threshold, reference.given)
    above = absent if mid is None else _share_of_raters(mid > threshold, ~np.isnan(mid))
    ordered = [grades for grades in (reference.values, mid, low) if grades is not None]
    out_of_order = absent
    if len(ordered) > 1:
        # A comparison with NaN is False: a grade that is missing puts nothing out of order.
        worse_first = [better < worse for better, worse in pairwise(ordered)]
        worse_first += [ordered[0] < ordered[-1]]
        out_of_order = _share_of_raters(np.any(worse_first, axis=0), reference.given)
    if rule == "bs1534":
        rejected = (below > share) | (above > share)
    else:
        rejected = (below > 0) | (out_of_order > 0)
    _warn_of_absent(reference, reference.n_by_rater)
    return pd.DataFrame(
        {
            "n_trials": reference.n_by_rater,
            "reference_below": below,
            "anchor_above": above,
            "out_of_order": out_of_order,
            "rejected": rejected,
        },
        index=reference.raters,
    )


def screen_bs1116(
    grades: Any,
    hidden_reference: Any,
    *,
    significance: float = 0.05,
    scale: Scale = (1, 5),
) -> pd.DataFrame:
    """Find listeners who do not hear the impairments (ITU-R BS.1116-3, post-screening).

    In a test by triple stimulus with hidden reference, the difference grade, that of the
    impaired version less that of the hidden reference, is negative where the listener told them
    apart. Who guesses gets differences around zero.

    Parameters
    ----------
    grades : array-like or DataFrame of shape (n_items, n_raters)
        Grades of the impaired versions; NaN where a rater gave none.
    hidden_reference : array-like or DataFrame of shape (n_items, n_raters)
        Grades of the hidden reference in the same trials.
    significance : float, default=0.05
        Level of the test.
    scale : tuple of (float, float), default=(1, 5)
        Lowest and highest grade there is; grades outside it are an error.

    Returns
    -------
    DataFrame, one row a rater
        ``n_trials`` with both grades; ``mean_difference``; ``t`` and ``p_value`` of a one-sided
        t-test that the mean difference is below zero; ``rejected``, where it is not significant.

    Raises
    ------
    ValueError
        For grades that are no such matrices, differ in shape or names, or lie outside the scale,
        and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For raters with fewer than two trials: their p is NaN and they are not rejected.

    References
    ----------
    .. [1] ITU-R Recommendation BS.1116-3, "Methods for the subjective assessment of small
       impairments in audio systems", 2015.

    Examples
    --------
    >>> from skperceptual.metrics import screen_bs1116
    >>> grades = [[3.5, 5.0], [4.0, 4.5], [3.0, 5.0], [4.2, 4.8]]
    >>> reference = [[5.0, 4.8], [5.0, 5.0], [5.0, 4.5], [5.0, 5.0]]
    >>> screen_bs1116(grades, reference)[["mean_difference", "p_value", "rejected"]].round(3)
           mean_difference  p_value  rejected
    rater
    0               -1.325    0.008     False
    1                0.000    0.500      True
    """
    if not (isinstance(significance, Real) and 0 < significance < 1):
        raise ValueError(f"significance={significance!r} should lie between 0 and 1, such as 0.05.")
    matrix = check_votes(grades, scale=scale, name="grades")
    differences = matrix.values - _grades_like(matrix, hidden_reference, scale, "hidden_reference")
    n = (~np.isnan(differences)).sum(axis=0)
    by_rater = VoteMatrix(differences.T, matrix.raters, matrix.items)
    mean = item_means(by_rater)
    sd = item_deviations(by_rater)
    # Differences that are all equal, and not zero, are as sure as differences can be.
    rounding = 1e-12 * max(abs(end) for end in scale)
    error = sd / np.sqrt(np.maximum(n, 1))
    certain = np.sign(mean) * np.where(np.abs(mean) > rounding, np.inf, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(sd > rounding, mean / error, certain)
    t = np.where(n > 1, t, np.nan)
    p_value = student_t.cdf(t, np.maximum(n - 1, 1))
    _warn_of_absent(matrix, n, least=2)
    return pd.DataFrame(
        {
            "n_trials": n,
            "mean_difference": mean,
            "t": t,
            "p_value": p_value,
            "rejected": p_value >= significance,
        },
        index=matrix.raters,
    )


def _grades_like(matrix: VoteMatrix, grades: Any, scale: Scale, name: str) -> Floats:
    """Check grades of the same trials by the same raters."""
    other = check_votes(grades, scale=scale, name=name)
    if other.values.shape != matrix.values.shape:
        raise ValueError(
            f"{name} has shape {other.values.shape}, where the other grades have "
            f"{matrix.values.shape}: give the same trials and raters, NaN where a grade is missing."
        )
    for names, others, kind in (
        (matrix.items, other.items, "rows"),
        (matrix.raters, other.raters, "columns"),
    ):
        is_named = not (isinstance(names, pd.RangeIndex) or isinstance(others, pd.RangeIndex))
        if is_named and not names.equals(others):
            raise ValueError(
                f"The {kind} of {name} are named otherwise than those of the other grades: bring "
                f"them into the same order, with {name}.reindex(index=..., columns=...)."
            )
    return other.values


def _share_of_raters(happened: NDArray[np.bool_], given: NDArray[np.bool_]) -> Floats:
    """Give the share of each rater's trials; NaN without any."""
    return divide((happened & given).sum(axis=0), given.sum(axis=0))


def _warn_of_absent(matrix: VoteMatrix, n_votes: NDArray[np.intp], *, least: int = 1) -> None:
    few = "no vote" if least == 1 else f"fewer than {least} votes"
    consequence = f"gave {few}, and cannot be judged: they are not rejected."
    warn_of(n_votes < least, matrix.raters, "raters", consequence, stacklevel=3)
