"""How well any metric could do: the correlation that chance in the ratings leaves.

Ratings of a few votes would come out otherwise if asked for again. A metric that knew the
quality of every item, that is the rating of endlessly many raters, would still not correlate with
them fully. That correlation is the ceiling, estimated from votes, or from how sure ratings are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics.correlations import (
    check_column,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.votes.matrix import Scale, VoteMatrix, check_votes, warn_of
from skperceptual.utils.random_states import own_random_state

__all__ = ["NoiseCeiling", "noise_ceiling_from_errors", "noise_ceiling_from_votes"]

Floats = NDArray[np.float64]

# From each correlation to Pearson's, and back, of two normal variables (Greiner's relations).
_TO_PEARSON: dict[Callable[..., float], Callable[[Any], Any]] = {
    pearson_score: lambda r: r,
    spearman_score: lambda rho: 2 * np.sin(np.pi * rho / 6),
    kendall_score: lambda tau: np.sin(np.pi * tau / 2),
}
_FROM_PEARSON: dict[Callable[..., float], Callable[[Any], Any]] = {
    pearson_score: lambda r: r,
    spearman_score: lambda r: 6 / np.pi * np.arcsin(r / 2),
    kendall_score: lambda r: 2 / np.pi * np.arcsin(r),
}


class NoiseCeiling(NamedTuple):
    """What chance in the ratings leaves to any metric.

    Parameters
    ----------
    ceiling : float
        The expected score, against these ratings, of a metric that knows the quality of every
        item.
    reliability : float
        The share of the variance of the ratings that is not chance: the expected Pearson
        correlation with the ratings that as many other votes would give.

    Examples
    --------
    >>> from skperceptual.metrics import NoiseCeiling
    >>> NoiseCeiling(ceiling=0.9, reliability=0.81).ceiling
    0.9
    """

    ceiling: float
    reliability: float


def noise_ceiling_from_votes(
    votes: Any,
    *,
    score: Callable[..., float] = spearman_score,
    rating: str = "mean",
    split: str = "auto",
    n_splits: int = 100,
    random_state: Any = 0,
    scale: Scale | None = None,
) -> NoiseCeiling:
    """Estimate from votes the score that no metric can be expected to exceed (split half).

    The votes are divided into halves at random, each half is made a rating, and the ratings of
    the two halves are correlated. The Spearman-Brown formula gives from that correlation the one
    of two sets of ratings of all votes each, the reliability: 2 r / (1 + r) for halves, and
    k r / (1 + (k - 1) r) in general. A metric without chance of its own correlates with the
    ratings by the square root of it.

    Parameters
    ----------
    votes : array-like or DataFrame of shape (n_items, n_raters)
        Votes; NaN where a rater did not vote. Items with one vote are left out.
    score : callable, default=spearman_score
        :func:`spearman_score`, :func:`pearson_score` or :func:`kendall_score`.
    rating : {"mean", "median"}, default="mean"
        What the votes of an item are made into.
    split : {"auto", "raters", "votes"}, default="auto"
        Whether the raters are divided, in the same order for all items, or the votes of each item.
        ``"auto"`` divides raters where each rated every item, whose bias is then no chance, and
        votes otherwise.
    n_splits : int, default=100
        Number of random divisions, over which correlations are averaged.
    random_state : int, RandomState instance or None, default=0
        Where they come from.
    scale : tuple of (float, float), default=None
        Lowest and highest vote there is. If given, votes outside it are an error.

    Returns
    -------
    NoiseCeiling
        ``ceiling``, on the scale of ``score``, and ``reliability``. NaN, with a warning, where
        the halves do not correlate.

    Raises
    ------
    ValueError
        For votes that are no such matrix or lie outside the scale, another score, Kendall's tau
        of medians, and unknown parameters.

    Warns
    -----
    UndefinedMetricWarning
        For items that cannot be divided, and where the ceiling is undefined.

    See Also
    --------
    noise_ceiling_from_errors : Where votes are not known, but how sure the ratings are.

    Notes
    -----
    What it is not: a bound for every sample, since a metric may by luck agree with the chance in
    these ratings; what the best metric reaches, or a person would (a single listener agrees less
    with the ratings than this); or a bound for other items: more similar items have a lower one.
    Of a mean of votes with shared error, such as a bias that all raters have, it knows nothing.

    The formula holds for Pearson's correlation. Spearman's and Kendall's are brought to it and
    back by the relations that hold for normal variables, which ratings of very few distinct
    values are not. For ``rating="median"`` the median of all but two votes is correlated with the
    mean of the other two, whose reliability follows from halves, and stepped up from there, as the
    variance of medians falls; with few votes on a scale of five the ceiling comes out about 0.02
    too high, since the steps of the scale do not become smaller with more votes.

    References
    ----------
    .. [1] C. Spearman, "Correlation calculated from faulty data", British Journal of Psychology 3,
       1910.
    .. [2] W. Brown, "Some experimental results in the correlation of mental abilities", British
       Journal of Psychology 3, 1910.
    .. [3] R. Greiner, "Über das Fehlersystem der Kollektivmasslehre", Zeitschrift für Mathematik
       und Physik 57, 1909.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import noise_ceiling_from_votes
    >>> rng = np.random.default_rng(0)
    >>> quality = rng.normal(3, 0.7, (200, 1))
    >>> votes = np.clip(np.round(quality + rng.normal(0, 0.8, (200, 8))), 1, 5)
    >>> ceiling = noise_ceiling_from_votes(votes)
    >>> print(f"{ceiling.ceiling:.2f}, reliability {ceiling.reliability:.2f}")
    0.90, reliability 0.83
    """
    if score not in _TO_PEARSON:
        raise ValueError(
            f"score={score!r} has no Spearman-Brown formula. Use spearman_score, pearson_score or "
            "kendall_score, or noise_ceiling_from_errors, which takes any score."
        )
    if rating not in ("mean", "median"):
        raise ValueError(f"rating={rating!r} is unknown. Use 'mean' or 'median'.")
    if split not in ("auto", "raters", "votes"):
        raise ValueError(f"split={split!r} is unknown. Use 'auto', 'raters' or 'votes'.")
    if rating == "median" and score is kendall_score:
        raise ValueError(
            "Kendall's tau-b of medians, most of which are tied, has no formula. Use "
            "spearman_score, or rating='mean'."
        )
    _check_count(n_splits, "n_splits")
    matrix = check_votes(votes, scale=scale)
    single = matrix.n_by_item < 2
    consequence = "have fewer than two votes, which cannot be divided: they are left out."
    warn_of(single, matrix.items, "items", consequence, stacklevel=2)
    kept = VoteMatrix(matrix.values[~single], matrix.items[~single], matrix.raters)
    if split == "auto":
        voting = kept.n_by_rater > 0
        split = "raters" if kept.given[:, voting].all() else "votes"
    if split == "votes":  # whoever gave them: NaN comes last, and goes
        kept = kept._replace(
            values=np.sort(kept.values, axis=1)[:, : kept.n_by_item.max(initial=0)]
        )
    rng = own_random_state(random_state)
    divisions = [_divide_votes(kept, score, rating, split, rng) for _ in range(n_splits)]
    reliability = _step_up(np.array(divisions), kept.n_by_item, rating)
    if not reliability > 0:
        _warn_undefined("ratings of two parts of the votes do not correlate")
        return NoiseCeiling(np.nan, np.nan)
    ceiling = _FROM_PEARSON[score](np.sqrt(reliability))
    return NoiseCeiling(float(ceiling), float(reliability))


def noise_ceiling_from_errors(
    y_true: ArrayLike,
    standard_error: ArrayLike,
    *,
    score: Callable[..., float] = spearman_score,
    resolution: float | None = None,
    n_draws: int = 200,
    random_state: Any = 0,
) -> NoiseCeiling:
    """Estimate the score that no metric can be expected to exceed, from how sure ratings are.

    The variance of ratings is that of quality plus that of chance, the mean square of the
    standard errors. Qualities with the remaining variance stand for the true ones (the ratings,
    drawn towards their mean), chance is added to them again and again, and the noisy ratings are
    scored against them.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Ratings.
    standard_error : array-like of shape (n_samples,) or float
        Standard error of each rating: half the width of its 95 % interval over 1.96, or over the
        quantile of t that it was made with.
    score : callable, default=spearman_score
        Called as ``score(noisy ratings, qualities)``; any score of this package, or of your own.
    resolution : float, default=None
        Step of the ratings, such as 1 for medians of an odd number of votes: the noisy ratings
        are rounded to it, which brings ties. Standard errors are those before rounding. None does
        not round.
    n_draws : int, default=200
        How often chance is drawn.
    random_state : int, RandomState instance or None, default=0
        Where it comes from.

    Returns
    -------
    NoiseCeiling
        ``ceiling``, the mean score, and ``reliability``, one less the share of chance in the
        variance of the ratings. NaN, with a warning, where that is all.

    Raises
    ------
    ValueError
        For inputs that are not numeric, not finite or differ in length, negative standard errors,
        and parameters out of range.

    Warns
    -----
    UndefinedMetricWarning
        Where the ratings differ no more than chance would make them.

    See Also
    --------
    noise_ceiling_from_votes : From votes; says what a ceiling is not.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics import noise_ceiling_from_errors
    >>> rng = np.random.default_rng(0)
    >>> ratings = rng.normal(3, 0.7, 200) + rng.normal(0, 0.3, 200)
    >>> ceiling = noise_ceiling_from_errors(ratings, 0.3)
    >>> print(f"{ceiling.ceiling:.2f}, reliability {ceiling.reliability:.2f}")
    0.90, reliability 0.83
    """
    _check_count(n_draws, "n_draws")
    ratings = check_column(y_true, "y_true")
    errors = standard_error
    if np.ndim(standard_error) == 0:
        errors = np.full(len(ratings), standard_error)
    deviations = check_column(errors, "standard_error")
    if len(deviations) != len(ratings):
        raise ValueError(
            f"standard_error has {len(deviations)} rows and y_true has {len(ratings)}: give one of "
            "each rating, or one number for all."
        )
    if (deviations < 0).any():
        raise ValueError("standard_error should not be negative: it is a standard deviation.")
    if resolution is not None and not (isinstance(resolution, Real) and resolution > 0):
        raise ValueError(f"resolution={resolution!r} should be above 0, or None.")
    if len(ratings) < 2:
        _warn_undefined(f"it takes two ratings, and there are {len(ratings)}")
        return NoiseCeiling(np.nan, np.nan)
    step = 0.0 if resolution is None else float(resolution)
    variance = ratings.var(ddof=1)
    chance = np.mean(deviations**2) + step**2 / 12
    reliability = float(1 - chance / variance) if variance > 0 else np.nan
    if not reliability > 0:
        _warn_undefined(
            f"the ratings, of variance {variance:.3g}, differ no more than chance would make them, "
            f"whose variance is {chance:.3g}"
        )
        return NoiseCeiling(np.nan, reliability)
    # Ratings in steps have lain anywhere within them, and so may qualities.
    shrunk = np.sqrt(reliability * variance / (variance + step**2 / 12))
    rng = own_random_state(random_state)
    scores = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        for _ in range(n_draws):
            spread = ratings + step * (rng.random_sample(len(ratings)) - 0.5)
            quality = ratings.mean() + shrunk * (spread - ratings.mean())
            noisy = quality + deviations * rng.standard_normal(len(quality))
            scores.append(score(step * np.round(noisy / step) if step else noisy, quality))
    defined = [value for value in scores if not np.isnan(value)]
    if not defined:
        _warn_undefined("the score is undefined in every draw")
        return NoiseCeiling(np.nan, reliability)
    return NoiseCeiling(float(np.mean(defined)), reliability)


def _parts(n_by_item: NDArray[np.intp], rating: str) -> tuple[NDArray[np.intp], ...]:
    """Choose how many votes of each item go into either part.

    The mean is stepped up from halves. Half the votes say little of a median of all (that of two
    is a mean), so there the larger part is all but two, as odd or even a number as all are.
    """
    half = n_by_item // 2
    if rating == "mean":
        return half, half
    most = np.where(n_by_item > 2, n_by_item - 2, 1)
    return most, n_by_item - most


def _divide_votes(
    matrix: VoteMatrix,
    score: Callable[..., float],
    rating: str,
    split: str,
    rng: np.random.RandomState,
) -> tuple[float, float]:
    """Correlate, as Pearson would, the means of two random halves, and the two parts."""
    n_items, n_raters = matrix.values.shape
    shape = n_raters if split == "raters" else (n_items, n_raters)
    # The votes of each item come first, in random order.
    places = np.where(matrix.given, rng.random_sample(shape), np.inf)
    shuffled = np.take_along_axis(matrix.values, np.argsort(places, axis=1), axis=1)
    column = np.arange(n_raters)

    def merge(start: NDArray[np.intp], count: NDArray[np.intp], how: Callable[..., Any]) -> Floats:
        first, last = start[:, np.newaxis], (start + count)[:, np.newaxis]
        return how(np.where((column >= first) & (column < last), shuffled, np.nan), axis=1)

    def correlate(first: Floats, second: Floats) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return float(_TO_PEARSON[score](score(first, second)))

    start, half = np.zeros(n_items, dtype=np.intp), matrix.n_by_item // 2
    of_halves = correlate(merge(start, half, np.nanmean), merge(half, half, np.nanmean))
    if rating == "mean":
        return of_halves, of_halves
    most, others = _parts(matrix.n_by_item, rating)
    of_parts = correlate(merge(start, most, np.nanmedian), merge(most, others, np.nanmean))
    return of_halves, of_parts


def _step_up(divisions: Floats, n_by_item: NDArray[np.intp], rating: str) -> float:
    """Give the reliability of ratings of all votes; NaN where parts do not correlate.

    All is said in the variance of chance over that of quality, which for means falls as one over
    the number of votes (Spearman-Brown), whose mean over items counts where it varies.
    """
    defined = divisions[~np.isnan(divisions).any(axis=1)]
    of_halves, of_parts = defined.mean(axis=0) if len(defined) else (np.nan, np.nan)
    if not (of_halves > 0 and of_parts > 0):
        return np.nan

    def per_vote(count: NDArray[np.intp]) -> float:
        return float(np.mean(1 / count))

    half = n_by_item // 2
    chance_of_mean = (1 / of_halves - 1) / per_vote(half)  # of a mean of one vote
    if rating == "mean":
        return 1 / (1 + chance_of_mean * per_vote(n_by_item))
    most, others = _parts(n_by_item, rating)
    # Parts correlate by the square root of the product of their reliabilities.
    reliability_of_most = of_parts**2 * (1 + chance_of_mean * per_vote(others))
    fall = np.mean(_median_variance(n_by_item)) / np.mean(_median_variance(most))
    return float(1 / (1 + max(1 / reliability_of_most - 1, 0.0) * fall))


def _median_variance(count: NDArray[np.intp]) -> Floats:
    """Approximate the variance of medians of normal votes of variance 1.

    For many it is π / 2 n; for one and two it is exactly 1 and 1 / 2, and for any number within
    3 % of what integrating over the distribution of their order gives.
    """
    return np.pi / (2 * count + (np.pi - 2) * np.where(count % 2, 1, 2))


def _check_count(value: int, name: str) -> None:
    if not (isinstance(value, Integral) and value >= 1):
        raise ValueError(f"{name}={value!r} should be a whole number of 1 or more, such as 100.")


def _warn_undefined(reason: str) -> None:
    warnings.warn(f"The noise ceiling is NaN: {reason}.", UndefinedMetricWarning, stacklevel=3)
