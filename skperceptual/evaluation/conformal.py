"""Intervals around predicted ratings that hold a promised share of what people would say."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context, get_config
from sklearn.base import MetaEstimatorMixin, RegressorMixin, clone
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils import Tags, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import PerceptualEstimator
from skperceptual.evaluation.conformal_bounds import (
    check_scale,
    cut_to_scale,
    group_weights,
    prediction_bounds,
    warn_of_infinite_intervals,
)
from skperceptual.evaluation.fold_leaks import Split, describe_leaks, make_splits
from skperceptual.evaluation.metadata_fit import fit_with_metadata
from skperceptual.evaluation.sample_rows import as_rows, count_rows, take_rows
from skperceptual.metrics.cluster_bootstrap import number_groups
from skperceptual.metrics.correlations import check_weights
from skperceptual.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context
from skperceptual.utils.parallel import run_jobs

__all__ = ["ConformalRatings"]

Floats = NDArray[np.float64]


class ConformalRatings(MetaEstimatorMixin, RegressorMixin, PerceptualEstimator):
    """Put an interval around each predicted rating that holds a promised share of ratings.

    A metric that was fitted to ratings predicts one number. How far off it may be is told by the
    errors that it makes for recordings that it was not fitted to: those are collected by whole
    recordings (groups), and the interval is as wide as it takes to hold the promised share.

    Parameters
    ----------
    estimator : estimator
        Predicts ratings: a regressor, or as a rule a whole pipeline.
    method : {"cross", "split", "prefit"}, default="cross"
        Whose errors are collected.

        ``"cross"``
            Of models that are fitted with each fold of the groups left out in turn (CV+ [1]_;
            the jackknife+ with ``cv=LeaveOneGroupOut()``). An interval is made of what each of
            them predicts for the new row, plus and minus its own errors. All ratings are used
            for both purposes, and ``predict`` is by a model fitted to all of them.
        ``"split"``
            Of one model, for groups that are held out [2]_: one fit, and the firmest promise,
            but a model of fewer ratings.
        ``"prefit"``
            Of the estimator itself, which is fitted already, for the rows given to ``fit``, none
            of which it may have seen. Wrap it in :class:`~sklearn.frozen.FrozenEstimator`, so
            that it outlives :func:`~sklearn.base.clone`.
    confidence_level : float, default=0.9
        Share of ratings that intervals are to hold.
    cv : int, splitter or iterable, default=None
        Folds of ``"cross"``: None or a number makes that many of whole groups
        (:class:`~sklearn.model_selection.GroupKFold`), 5 or as many as there are groups. Each
        row is left out once.
    calibration_size : float, default=0.25
        Share of the groups that ``"split"`` holds out. At a confidence level of 90 %, these have
        to be nine or more.
    scale : tuple of (float, float), default=None
        Lowest and highest rating there is: intervals are cut to it.
    random_state : int, RandomState instance or None, default=None
        Draws the groups of ``"split"``.
    n_jobs : int, default=None
        Number of fits of ``"cross"`` at the same time, as joblib counts them.
    verbose : bool or int, default=0
        Whether to show a progress bar of the fits.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator that predicts.
    estimators_ : list of estimator
        The fitted estimators whose errors are known.
    errors_ : ndarray of shape (n_errors,)
        Their absolute errors, for rows that they were not fitted to.
    weights_ : ndarray of shape (n_errors,)
        Share of each error: ``1 / ((n_groups_ + 1) * n)`` where its group has n of them.
    fold_ : ndarray of shape (n_errors,)
        Place in ``estimators_`` of the one whose error it is.
    n_groups_ : int
        Number of groups that errors are known for.
    n_features_in_ : int
        Number of features, where the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features; only where X had them.

    See Also
    --------
    skperceptual.metrics.interval_coverage : Counts how many ratings intervals hold.
    cross_compare : Also gives intervals, of several pipelines.

    Notes
    -----
    What is promised, with a = 1 - ``confidence_level``: over many repetitions, each with ratings
    of G new groups to calibrate with and a new row of one more group, the interval holds the
    rating of that row with a probability of at least 1 - a by ``"split"`` and ``"prefit"``, and
    at least 1 - 2a by ``"cross"`` with one group left out at a time [3]_; with fewer folds, the
    bound for n independent rows is 1 - 2a - sqrt(2 / n) [1]_. In all but contrived cases
    ``"cross"`` holds about 1 - a.

    What it takes: that groups are exchangeable, that is drawn in the same way, calibration groups
    and new ones alike, and so are the rows within a group [3]_. Nothing is asked of the estimator,
    nor of the distribution of ratings. Rows of a group may depend on one another in any way; each
    group counts once, however many rows it has, and a new group counts as one of infinite error.
    A promise for more than G / (G + 1) of groups is therefore an infinite interval: 90 % take 9
    groups. Without ``groups``, every row is taken for one: a model that knows a recording from its
    other versions then seems better than it is, and intervals are too narrow.

    What is not promised: that each condition, or each interval given what X is, holds as many;
    that it goes on to other kinds of music, codecs or listening tests; or anything about the
    quality that endlessly many raters would find. It is about ratings made as those of ``fit``.

    Metadata: ``groups``, ``condition`` and ``sample_weight`` reach the steps of the estimator
    that request them, as in :func:`cross_compare`. Errors count by group whatever their weight,
    except that rows of weight 0 are left out.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas and R. J. Tibshirani, "Predictive inference with
       the jackknife+", Annals of Statistics 49, 2021, theorems 1 and 4.
    .. [2] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic learning in a random world",
       Springer, 2005; J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman,
       "Distribution-free predictive inference for regression", Journal of the American
       Statistical Association 113, 2018.
    .. [3] Y. Lee, R. F. Barber and R. Willett, "Distribution-free inference with hierarchical
       data", arXiv:2306.06342, 2023; R. Dunn, L. Wasserman and A. Ramdas, "Distribution-free
       prediction sets for two-layer hierarchical models", Journal of the American Statistical
       Association 118, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import RatingMapping
    >>> from skperceptual.evaluation import ConformalRatings
    >>> rng = np.random.default_rng(0)
    >>> song = np.repeat(np.arange(30), 5)
    >>> distance = rng.uniform(0, 3, size=150)
    >>> ratings = 5 - distance + 0.3 * rng.normal(size=150)
    >>> metric = ConformalRatings(RatingMapping(), scale=(1, 5))
    >>> metric.fit(distance, ratings, groups=song).predict([1.0]).round(1)
    array([4.])
    >>> metric.predict_interval([1.0]).round(1)
    array([[3.4, 4.5]])
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {
        "condition": True,
        "groups": True,
        "sample_weight": True,
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "method": [StrOptions({"cross", "split", "prefit"})],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "scale": [tuple, list, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        method: str = "cross",
        confidence_level: float = 0.9,
        cv: Any = None,
        calibration_size: float = 0.25,
        scale: tuple[float, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.confidence_level = confidence_level
        self.cv = cv
        self.calibration_size = calibration_size
        self.scale = scale
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        condition: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the estimator, and learn how far off it may be.

        Parameters
        ----------
        X : array, list, DataFrame or Pyramid of n_samples rows
            What the estimator reads.
        y : array-like of shape (n_samples,)
            Ratings.
        groups : array-like of shape (n_samples,), optional
            Source recording of each row. None takes every row for one of its own.
        condition : array-like of shape (n_samples,), optional
            Condition of each row, for steps that request it.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each row, for steps that take weights.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            When X, y and the rest do not fit together, folds leave out rows more than once or
            never, or divide groups, or there are too few groups to leave any out.
        """
        check_scale(self.scale)
        X = as_rows(X)
        y = _check_ratings(y)
        if count_rows(X) != len(y):
            clone(self.estimator).fit(X, y)  # which knows best what may be wrong with X
            raise ValueError(
                f"Expected one rating a sample, got {count_rows(X)} samples and {len(y)} ratings."
            )
        weights = check_weights(sample_weight, len(y))
        if len(y) and not weights.any():
            raise ValueError("sample_weight is zero everywhere: nothing is left to fit to.")
        # A weight of zero is the same as leaving the row out.
        counted = np.flatnonzero(weights)
        labels = number_groups(groups, len(y))
        known = {
            key: None if values is None else np.asarray(values)
            for key, values in (
                ("groups", groups),
                ("condition", condition),
                ("sample_weight", sample_weight),
            )
        }
        if self.method == "prefit":
            check_is_fitted(self.estimator)
            self.estimator_ = self.estimator
            self.estimators_ = [self.estimator]
            left_out = [counted]
            errors = [np.abs(_predict(self.estimator, take_rows(X, counted)) - y[counted])]
        else:
            if self.method == "cross":  # first, as it sees all that may be wrong with X
                self.estimator_ = _fit_rows(clone(self.estimator), X, y, known, counted)
            splits = self._split(y, labels, counted)
            left_out = [rows for _, rows in splits]
            fitted = self._fit_folds(X, y, known, splits)
            self.estimators_ = [estimator for estimator, _ in fitted]
            errors = [error for _, error in fitted]
            if self.method == "split":
                self.estimator_ = self.estimators_[0]
        self.errors_ = np.concatenate(errors)
        self.fold_ = np.repeat(np.arange(len(left_out)), [len(rows) for rows in left_out])
        of_errors = labels[np.concatenate(left_out)]
        self.weights_ = group_weights(of_errors)
        self.n_groups_ = len(np.unique(of_errors))
        for attribute in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, attribute):
                setattr(self, attribute, getattr(self.estimator_, attribute))
            elif hasattr(self, attribute):
                delattr(self, attribute)
        return self

    def predict(self, X: Any) -> Floats:
        """Predict ratings.

        Parameters
        ----------
        X : array, list, DataFrame or Pyramid of n_samples rows
            What the estimator reads.

        Returns
        -------
        ndarray of shape (n_samples,)
            What ``estimator_`` predicts.
        """
        check_is_fitted(self)
        return _predict(self.estimator_, X)

    def predict_interval(self, X: Any, *, confidence_level: float | None = None) -> Floats:
        """Predict an interval for each rating.

        Parameters
        ----------
        X : array, list, DataFrame or Pyramid of n_samples rows
            What the estimator reads.
        confidence_level : float, default=None
            Share of ratings that intervals are to hold; None takes that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            The lower and the upper ends. They are infinite, or those of ``scale``, with a
            warning, where there are too few groups for the confidence level.
        """
        check_is_fitted(self)
        level = self.confidence_level if confidence_level is None else confidence_level
        if not (isinstance(level, Real) and 0 < level < 1):
            raise ValueError(f"confidence_level={level!r} should lie between 0 and 1, such as 0.9.")
        by_fold = np.stack([_predict(one, X) for one in self.estimators_], axis=1)
        low, high = prediction_bounds(
            by_fold, self.fold_, self.errors_, self.weights_, confidence_level=float(level)
        )
        if np.isinf(low).any():
            warn_of_infinite_intervals(float(level), self.n_groups_, stacklevel=2)
        predicted = _predict(self.estimator_, X)
        return cut_to_scale(np.minimum(low, predicted), np.maximum(high, predicted), self.scale)

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata is wanted here, and by the estimator.

        Returns
        -------
        MetadataRouter
            What scikit-learn's metadata routing reads.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _split(self, y: Floats, groups: NDArray[np.intp], counted: NDArray[np.intp]) -> list[Split]:
        """Choose the rows of each fit, and those that it leaves out."""
        if self.method == "split":
            n_groups = len(np.unique(groups[counted]))
            if n_groups < 2:
                raise ValueError(
                    f"Holding out groups takes two or more, and there is {n_groups}, of "
                    f"n_samples={len(counted)}. Rate more recordings."
                )
            n_held = min(max(round(self.calibration_size * n_groups), 1), n_groups - 1)
            splitter = GroupShuffleSplit(
                n_splits=1, test_size=n_held, random_state=self.random_state
            )
            train, held = next(splitter.split(counted, groups=groups[counted]))
            return [(counted[train], counted[held])]
        if self.cv is None or isinstance(self.cv, Integral):
            splits = make_splits(self.cv, len(counted), y[counted], groups[counted])
            return [(counted[train], counted[test]) for train, test in splits]
        splits = make_splits(self.cv, len(y), y, groups)
        if sum(len(left_out) for _, left_out in splits) < len(y):
            raise ValueError(
                f"cv={self.cv!r} never leaves out some rows, and it takes an error of each. Use a "
                "number of folds, or LeaveOneGroupOut()."
            )
        leaks = describe_leaks(splits, groups, None)
        if leaks:
            raise ValueError(leaks)
        splits = [
            (np.intersect1d(train, counted), np.intersect1d(test, counted))
            for train, test in splits
        ]
        return [split for split in splits if all(map(len, split))]

    def _fit_folds(
        self, X: Any, y: Floats, known: dict[str, Any], splits: list[Split]
    ) -> list[tuple[Any, Floats]]:
        jobs = [
            delayed(_fit_fold)(clone(self.estimator), X, y, known, split, get_config())
            for split in splits
        ]
        return list(
            run_jobs(
                jobs,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                caller=type(self).__name__,
                unit="fit",
            )
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        if tags.regressor_tags is not None and inner.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        return tags


def _fit_fold(
    estimator: Any, X: Any, y: Floats, known: dict[str, Any], split: Split, config: dict[str, Any]
) -> tuple[Any, Floats]:
    train, left_out = split
    with config_context(**config):
        try:
            fitted = _fit_rows(estimator, X, y, known, train)
            errors = np.abs(_predict(fitted, take_rows(X, left_out)) - y[left_out])
        except Exception as error:
            error.add_note("This was found with some rows left out: the message counts the others.")
            raise
    return fitted, errors


def _fit_rows(
    estimator: Any, X: Any, y: Floats, known: dict[str, Any], rows: NDArray[np.intp]
) -> Any:
    if len(rows) == len(y):
        return fit_with_metadata(estimator, X, y, known)
    of_rows = {key: None if values is None else values[rows] for key, values in known.items()}
    return fit_with_metadata(estimator, take_rows(X, rows), y[rows], of_rows)


def _predict(estimator: Any, X: Any) -> Floats:
    return np.asarray(estimator.predict(X), dtype=np.float64).reshape(-1)


def _check_ratings(y: ArrayLike) -> Floats:
    if y is None:
        raise ValueError(
            "requires y to be passed, but the target y is None: the ratings of the samples."
        )
    ratings = np.asarray(column_or_1d(y, warn=True, dtype=np.float64))
    finite = np.isfinite(ratings)
    if not finite.all():
        raise ValueError(
            f"Input y contains NaN or infinity: rating {int(np.argmin(finite))} is missing. Leave "
            "out samples without a rating."
        )
    return ratings
