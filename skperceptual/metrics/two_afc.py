"""Two-alternative choices, and pairs judged the same or not, against a metric's distances."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score

from skperceptual.metrics.cluster_bootstrap import draw_clusters
from skperceptual.metrics.correlations import check_column
from skperceptual.metrics.group_counts import enough_groups_to_draw

__all__ = ["JNDPrecision", "TwoAFC", "jnd_average_precision", "two_afc_agreement"]

Floats = NDArray[np.float64]


class TwoAFC(NamedTuple):
    """How often a metric agrees with a person who chose between two versions.

    Parameters
    ----------
    agreement : float
        The expected share of choices in which a person agrees with the metric.
    low : float
        The lower end of its interval.
    high : float
        The upper end.
    human_ceiling : float
        What a metric would reach that always chooses as most people do; none can exceed it.
    human_self : float
        The expected agreement of one person with another.

    Examples
    --------
    >>> from skperceptual.metrics import two_afc_agreement
    >>> two_afc_agreement([0.1, 0.4] * 5, [0.3, 0.2] * 5, [0.2, 0.8] * 5).human_ceiling
    0.8
    """

    agreement: float
    low: float
    high: float
    human_ceiling: float
    human_self: float


class JNDPrecision(NamedTuple):
    """How well small distances pick out the pairs that people took for the same.

    Parameters
    ----------
    average_precision : float
        From the share of pairs taken for the same, which chance gives, to 1.
    low : float
        The lower end of its interval.
    high : float
        The upper end.
    chance : float
        What equal distances would reach: the share of judgements that are "same".

    Examples
    --------
    >>> from skperceptual.metrics import jnd_average_precision
    >>> jnd_average_precision([0.1, 0.2] * 5, [1, 0] * 5).average_precision
    1.0
    """

    average_precision: float
    low: float
    high: float
    chance: float


def two_afc_agreement(
    distance_0: ArrayLike,
    distance_1: ArrayLike,
    preference_1: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    higher_is_better: bool = False,
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
) -> TwoAFC:
    """Score a metric by choices: which of two versions is closer to the reference (2AFC).

    Parameters
    ----------
    distance_0 : array-like of shape (n_triplets,)
        Distance of the first version from the reference.
    distance_1 : array-like of shape (n_triplets,)
        Distance of the second version.
    preference_1 : array-like of shape (n_triplets,)
        Share of people who chose the second version, h, from 0 to 1.
    groups : array-like of shape (n_triplets,), default=None
        Reference of each triplet, which are drawn with all their triplets for the interval. None
        draws triplets.
    higher_is_better : bool, default=False
        True for similarities.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=2000
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    TwoAFC
        ``agreement``, the mean of h where the second distance is smaller, of 1 - h where the first
        is, and of one half where they are equal; ``low`` and ``high``, quantiles over draws;
        ``human_ceiling``, the mean of max(h, 1 - h); ``human_self``, the mean of h² + (1 - h)².

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, shares outside 0 to 1, no
        triplet at all, and parameters out of range.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups: how much they differ is then itself a guess.
    UndefinedMetricWarning
        With fewer than two groups to draw from: the interval is NaN.

    Notes
    -----
    With few people a triplet both human numbers are too high: a share of 1 of three people does
    not mean that all would agree.

    References
    ----------
    .. [1] R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang, "The unreasonable
       effectiveness of deep features as a perceptual metric", CVPR 2018, section 4.

    Examples
    --------
    >>> from skperceptual.metrics import two_afc_agreement
    >>> first, second = [0.1, 0.4, 0.3, 0.2, 0.2] * 2, [0.3, 0.2, 0.3, 0.1, 0.5] * 2
    >>> agreement = two_afc_agreement(first, second, [0.2, 0.8, 0.6, 0.4, 0.0] * 2)
    >>> agreement.agreement, agreement.human_ceiling, agreement.human_self
    (0.7, 0.76, 0.68)
    """
    _check_parameters(confidence_level, n_resamples)
    first, second, share = _columns(
        distance_0=distance_0, distance_1=distance_1, preference_1=preference_1
    )
    _check_share(share, "preference_1")
    preferred = np.sign(second - first if higher_is_better else first - second)
    # Half of the agreement with both where the distances are equal: 1/2, whatever the share.
    agreement = (1 + preferred * (2 * share - 1)) / 2
    draws = draw_clusters(groups, len(share), n_resamples=n_resamples, random_state=random_state)
    sizes, sums = np.bincount(draws.labels), np.bincount(draws.labels, agreement)
    drawn = (draws.counts @ sums) / (draws.counts @ sizes)
    return TwoAFC(
        float(agreement.mean()),
        *_quantiles(drawn, draws.counts.shape[1], confidence_level),
        float(np.maximum(share, 1 - share).mean()),
        float((share**2 + (1 - share) ** 2).mean()),
    )


def jnd_average_precision(
    distance: ArrayLike,
    same: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    higher_is_better: bool = False,
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> JNDPrecision:
    """Score a metric by just noticeable differences: pairs that people took for the same.

    Parameters
    ----------
    distance : array-like of shape (n_pairs,)
        Distance of each pair.
    same : array-like of shape (n_pairs,)
        Share of people who took the two for the same, from 0 to 1.
    groups : array-like of shape (n_pairs,), default=None
        Reference of each pair, which are drawn with all their pairs for the interval. None draws
        pairs.
    higher_is_better : bool, default=False
        True for similarities.
    confidence_level : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=1000
        Number of draws.
    random_state : int, RandomState instance or None, default=0
        Where draws come from.

    Returns
    -------
    JNDPrecision
        ``average_precision`` of small distances for "same", every judgement counting by itself;
        ``low`` and ``high``, quantiles over draws; ``chance``, the share of "same".

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, shares outside 0 to 1, no
        pair at all, and parameters out of range.

    Warns
    -----
    UserWarning
        When there are fewer than 10 groups: how much they differ is then itself a guess.
    UndefinedMetricWarning
        When nobody took any pair for the same: the precision is NaN; with fewer than two groups to
        draw from: the interval is.

    Notes
    -----
    The area is the sum of precisions times steps in recall, as in scikit-learn. The mean average
    precision printed for LPIPS takes the largest precision at any higher recall in place of each
    precision, which is never lower.

    References
    ----------
    .. [1] R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang, "The unreasonable
       effectiveness of deep features as a perceptual metric", CVPR 2018, section 4.

    Examples
    --------
    >>> from skperceptual.metrics import jnd_average_precision
    >>> distance = [0.1, 0.2, 0.3, 0.4, 0.5] * 2
    >>> jnd = jnd_average_precision(distance, [1, 2 / 3, 1, 0, 1 / 3] * 2)
    >>> jnd.average_precision, jnd.chance
    (0.881..., 0.6)
    """
    _check_parameters(confidence_level, n_resamples)
    distances, share = _columns(distance=distance, same=same)
    _check_share(share, "same")
    scores = distances if higher_is_better else -distances
    draws = draw_clusters(groups, len(share), n_resamples=n_resamples, random_state=random_state)
    # A pair that two of three people took for the same is two thirds of one and a third of another.
    is_same = np.repeat([1, 0], len(share))
    scores = np.tile(scores, 2)

    def precision(weights: Floats) -> float:
        judged = np.concatenate([weights * share, weights * (1 - share)])
        if not judged[: len(share)].any():
            return np.nan
        return float(average_precision_score(is_same, scores, sample_weight=judged))

    value = precision(np.ones(len(share)))
    if np.isnan(value):
        warnings.warn(
            "The average precision is NaN: nobody took any pair for the same.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return JNDPrecision(np.nan, np.nan, np.nan, 0.0)
    drawn = np.array([precision(counts[draws.labels]) for counts in draws.counts])
    drawn = drawn[~np.isnan(drawn)]
    interval = _quantiles(drawn, draws.counts.shape[1], confidence_level)
    return JNDPrecision(value, *interval, float(share.mean()))


def _columns(**values: Any) -> list[Floats]:
    columns = [check_column(value, name) for name, value in values.items()]
    lengths = {name: len(column) for name, column in zip(values, columns, strict=True)}
    if len(set(lengths.values())) > 1 or not len(columns[0]):
        raise ValueError(
            f"Every argument should have one value a judged item, and at least one; got {lengths} "
            "rows."
        )
    return columns


def _check_share(share: Floats, name: str) -> None:
    outside = (share < 0) | (share > 1)
    if outside.any():
        raise ValueError(
            f"{name} has {outside.sum()} values outside 0 to 1, such as {share[outside][0]:g}. It "
            "is a share of people: divide counts by the number who judged."
        )


def _check_parameters(confidence_level: float, n_resamples: int) -> None:
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} should lie between 0 and 1, such as 0.95."
        )
    if not (isinstance(n_resamples, Integral) and n_resamples >= 2):
        raise ValueError(f"n_resamples={n_resamples!r} should be a whole number of 2 or more.")


def _quantiles(drawn: Floats, n_groups: int, confidence_level: float) -> tuple[float, float]:
    if not enough_groups_to_draw(n_groups, stacklevel=3):
        return np.nan, np.nan
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
