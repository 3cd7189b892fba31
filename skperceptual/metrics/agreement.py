"""How far raters agree: intraclass correlations, Krippendorff's alpha, Kendall's W."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.votes.matrix import Scale, VoteMatrix, check_votes

__all__ = ["intraclass_correlation", "kendall_w", "krippendorff_alpha"]

Floats = NDArray[np.float64]

_FORMS = ("1,1", "A,1", "C,1", "1,k", "A,k", "C,k")
_LEVELS = ("nominal", "ordinal", "interval")


def intraclass_correlation(votes: Any, form: str = "A,1", *, scale: Scale | None = None) -> float:
    """Give the share of the variance of votes, or of their means, that is due to the items.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote.
    form : {"A,1", "A,k", "C,1", "C,k", "1,1", "1,k"}, default="A,1"
        In McGraw and Wong's notation. "A" is absolute agreement: a rater who votes too high
        throughout disagrees. "C" is consistency, which leaves the bias of raters out: it says how
        well their votes order the items. "1" is for votes whose raters are unknown or different
        for every item. After the comma: of a single vote, or of the mean of k votes, k being the
        number of votes an item has (their harmonic mean where it varies).
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    float
        1 where only items differ. It falls below 0 where the votes of one item differ more than
        those of different items. NaN, with a warning, where it is undefined.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown forms.

    Warns
    -----
    UndefinedMetricWarning
        When all votes are equal, fewer than two items have votes, or no item has two; and, but for
        the forms of "1", when there are fewer than two raters or so few votes that raters and
        chance cannot be told apart.

    Notes
    -----
    The variances of items, raters and chance are those whose expected sums of squares are the
    observed ones (Henderson's method 1). Where every rater rated every item they are those of
    the two-way analysis of variance; votes that are missing at random need no filling in.

    References
    ----------
    .. [1] K. O. McGraw and S. P. Wong, "Forming inferences about some intraclass correlation
       coefficients", Psychological Methods 1, 1996.
    .. [2] C. R. Henderson, "Estimation of variance and covariance components", Biometrics 9, 1953.

    Examples
    --------
    >>> from skperceptual.metrics import intraclass_correlation
    >>> votes = [[5, 4, 4], [4, 3, 3], [3, 2, None], [1, 1, 1]]
    >>> intraclass_correlation(votes), intraclass_correlation(votes, "A,k")
    (0.889..., 0.955...)
    """
    if form not in _FORMS:
        raise ValueError(f"form={form!r} is unknown. Use one of {_FORMS}.")
    matrix = _rated(check_votes(votes, scale=scale))
    parts = _one_way(matrix) if form.startswith("1") else _two_way(matrix)
    noise = parts.residual + (parts.rater if form.startswith("A") else 0.0)
    if form.endswith("k"):
        noise *= float(np.mean(1 / matrix.n_by_item))
    value = _share(parts.item, parts.item + noise)
    if np.isnan(value):
        _warn_undefined(
            f"The intraclass correlation {form!r} is NaN: all votes are equal, or they are too few "
            "to tell items from raters and chance (two items, two raters and votes in common)."
        )
    return value


def krippendorff_alpha(votes: Any, *, level: str = "ordinal", scale: Scale | None = None) -> float:
    """Compute Krippendorff's alpha, agreement beyond chance, for votes with any gaps.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote. Items with one vote are left out.
    level : {"ordinal", "interval", "nominal"}, default="ordinal"
        What the difference between two votes is: by how many votes lie between them, by their
        squared distance, or all the same.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    float
        1 for full agreement, 0 for what chance gives, below 0 for less. NaN, with a warning,
        where no item has two votes or all votes are equal.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, and unknown levels.

    Warns
    -----
    UndefinedMetricWarning
        Where alpha is undefined.

    References
    ----------
    .. [1] K. Krippendorff, "Content analysis: an introduction to its methodology", 4th edition,
       Sage, 2018, chapter 12.

    Examples
    --------
    >>> from skperceptual.metrics import krippendorff_alpha
    >>> krippendorff_alpha([[5, 4, 4], [4, 3, 3], [3, 2, None], [1, 1, 1]])
    0.851...
    """
    if level not in _LEVELS:
        raise ValueError(f"level={level!r} is unknown. Use one of {_LEVELS}.")
    matrix = check_votes(votes, scale=scale)
    several = matrix.values[matrix.n_by_item > 1]
    given = ~np.isnan(several)
    values, number = np.unique(several[given], return_inverse=True)
    if len(values) < 2:
        _warn_undefined(
            "Krippendorff's alpha is NaN: "
            + ("all votes are equal." if len(values) else "no item has two votes.")
        )
        return np.nan
    counts = np.zeros((len(several), len(values)))
    np.add.at(counts, (np.nonzero(given)[0], number), 1)
    n_votes = counts.sum(axis=1)
    # Every pair of votes on one item counts, so that an item counts by its number of votes.
    coincidences = (counts / (n_votes - 1)[:, np.newaxis]).T @ counts
    coincidences -= np.diag((counts / (n_votes - 1)[:, np.newaxis]).sum(axis=0))
    total = counts.sum(axis=0)
    if level == "nominal":
        difference = 1.0 - np.eye(len(values))
    else:
        # Mid-ranks differ by the votes between two values plus half of those at either.
        place = np.cumsum(total) - total / 2 if level == "ordinal" else values
        difference = np.subtract.outer(place, place) ** 2
    observed = np.sum(coincidences * difference) / total.sum()
    expected = total @ difference @ total / (total.sum() * (total.sum() - 1))
    return float(1 - observed / expected)


def kendall_w(votes: Any, *, scale: Scale | None = None) -> float:
    """Compute Kendall's W, how far raters order the items alike.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes of raters who all rated all items. Ties get mid-ranks and are corrected for.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    float
        From 0 to 1, all raters having the same order. NaN, with a warning, with fewer than two
        items or raters, or where every rater votes alike on all items.

    Raises
    ------
    ValueError
        For votes that are no such matrix, lie outside the scale, or are missing: ranks among
        different items cannot be compared.

    Warns
    -----
    UndefinedMetricWarning
        Where W is undefined.

    See Also
    --------
    krippendorff_alpha : Takes missing votes.

    References
    ----------
    .. [1] M. G. Kendall and B. Babington Smith, "The problem of m rankings", Annals of
       Mathematical Statistics 10, 1939.

    Examples
    --------
    >>> from skperceptual.metrics import kendall_w
    >>> kendall_w([[5, 4, 4], [4, 3, 3], [3, 2, 4], [1, 1, 1]])
    0.839...
    """
    matrix = check_votes(votes, scale=scale)
    if not matrix.given.all():
        complete = int((matrix.n_by_rater == len(matrix.items)).sum())
        raise ValueError(
            f"{(~matrix.given).sum()} votes are missing, and Kendall's W compares ranks among the "
            f"same items. Leave out the raters who did not rate every item ({complete} of "
            f"{len(matrix.raters)} did), or use krippendorff_alpha."
        )
    n_items, n_raters = matrix.values.shape
    ranks = rankdata(matrix.values, axis=0)
    sums = ranks.sum(axis=1)
    deviation = np.sum((sums - sums.mean()) ** 2)
    # A rater without ties adds (n³ - n) / 12, one with ties their squared deviations, which is
    # the correction for ties.
    largest = n_raters * np.sum((ranks - ranks.mean(axis=0)) ** 2)
    if n_items < 2 or n_raters < 2 or largest <= 0:
        _warn_undefined(
            "Kendall's W is NaN: it takes two items, two raters, and a rater who tells items apart."
        )
        return np.nan
    return float(deviation / largest)


class _Parts(NamedTuple):
    item: float
    rater: float
    residual: float


def _rated(matrix: VoteMatrix) -> VoteMatrix:
    """Leave out items and raters without votes."""
    items, raters = matrix.n_by_item > 0, matrix.n_by_rater > 0
    values = matrix.values[np.ix_(items, raters)]
    # Differences count alone; without the mean they lose no digits.
    return VoteMatrix(values - np.nanmean(values), matrix.items[items], matrix.raters[raters])


def _one_way(matrix: VoteMatrix) -> _Parts:
    """Estimate the variances of items and of all else."""
    n, total = matrix.n_by_item, int(matrix.n_by_item.sum())
    n_items = len(n)
    if n_items < 2 or total == n_items:
        return _Parts(np.nan, np.nan, np.nan)
    votes = np.where(matrix.given, matrix.values, 0)
    between = np.sum(votes.sum(axis=1) ** 2 / n) - votes.sum() ** 2 / total
    within = np.sum(votes**2) - np.sum(votes.sum(axis=1) ** 2 / n)
    residual = within / (total - n_items)
    typical = (total - np.sum(n**2) / total) / (n_items - 1)
    return _Parts((between / (n_items - 1) - residual) / typical, 0.0, residual)


def _two_way(matrix: VoteMatrix) -> _Parts:
    """Estimate the variances of items, raters and chance (Henderson's method 1)."""
    by_item, by_rater = matrix.n_by_item, matrix.n_by_rater
    total, n_items, n_raters = int(by_item.sum()), len(by_item), len(by_rater)
    votes = np.where(matrix.given, matrix.values, 0)
    squares = np.array(
        [
            np.sum(votes.sum(axis=1) ** 2 / by_item),
            np.sum(votes.sum(axis=0) ** 2 / by_rater),
            np.sum(votes**2),
        ]
    )
    # What each variance (of items, raters, chance) adds to the expectation of each sum.
    expected = np.array(
        [
            [total, n_items, n_items],
            [n_raters, total, n_raters],
            [total, total, total],
        ],
        dtype=np.float64,
    )
    of_mean = np.array([np.sum(by_item**2) / total, np.sum(by_rater**2) / total, 1.0])
    system = expected - of_mean
    if n_items < 2 or n_raters < 2 or np.linalg.matrix_rank(system / total, tol=1e-9) < 3:
        return _Parts(np.nan, np.nan, np.nan)
    return _Parts(*np.linalg.solve(system, squares - votes.sum() ** 2 / total))


def _share(part: float, whole: float) -> float:
    """Divide variances; NaN where there is none to speak of."""
    return float(part / whole) if whole > 1e-12 else np.nan


def _warn_undefined(message: str) -> None:
    warnings.warn(message, UndefinedMetricWarning, stacklevel=3)
