"""A full-reference metric fitted to ratings: NLPD whose normalisation is learned."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin, TransformerMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import ImagePairMixin, PerceptualEstimator
from skperceptual.calibration import RatingMapping
from skperceptual.full_reference.images import warn_beyond_data_range
from skperceptual.full_reference.nlpd import NLPD, reference_pyramids
from skperceptual.functional.divisive_normalization import Normalization
from skperceptual.functional.nlpd import POOLINGS
from skperceptual.functional.pyramid import CONVENTIONS, minimum_side
from skperceptual.functional.statistical_fit import fit_normalization
from skperceptual.regression.perceptual_training import train_on_ratings
from skperceptual.utils._sklearn import (
    Interval,
    Options,
    StrOptions,
    _check_sample_weight,
    _fit_context,
)
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import ImageBatch

__all__ = ["NLPDRegressor"]


class NLPDRegressor(ImagePairMixin, RegressorMixin, TransformerMixin, PerceptualEstimator):
    """NLPD fitted to ratings: the divisive normalisation and the map to the rating scale.

    ``fit`` learns the normalisation that is asked for, computes the distance of every pair and
    fits a :class:`RatingMapping` from distance to rating, so that ``predict`` gives ratings.

    Parameters
    ----------
    n_levels : int, default=6
        Number of levels of the pyramid.
    normalization : {"perceptual", "statistical", "ones", "image"}, None or (filters, sigmas), \
default="perceptual"
        The five strategies of the paper's Table 2, or weights of your own. ``"perceptual"``
        starts from the published image weights, with sigma the mean magnitude of each level
        (equation 3), and maximises the Pearson correlation of distance and ratings; the others
        are those of :class:`DivisiveNorm` and use no ratings.
    kernel_size : int, default=5
        Side of the neighbourhood, odd and at least 3.
    pooling : {"mean", "norm0.6"}, default="mean"
        How levels are pooled; see :func:`skperceptual.functional.pool_levels`.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Which published form of NLPD to compute; see :class:`NLPD`.
    mapping : {"linear", "cubic", "logistic", "isotonic"}, default="linear"
        The map from distance to rating, a kind of :class:`RatingMapping`.
    solver : {"adam", "lbfgs"}, default="adam"
        Optimiser of the perceptual fit. ``"adam"`` is the paper's recipe; ``"lbfgs"`` works on
        logarithms and gets further in fewer passes: 30 to 60 ``max_epochs`` are enough.
    learning_rate : float, default=1e-3
        Step size of Adam.
    max_epochs : int, default=100
        Passes over the pairs (``"lbfgs"``: evaluations of the objective).
    alpha : float, default=0.01
        ``"lbfgs"``: weight of the mean squared move of the logarithms from their start.
    increasing : bool or "auto", default="auto"
        Whether ratings rise with the distance: False for ratings of quality, True for ratings of
        dissimilarity, ``"auto"`` takes the sign of the correlation before the fit.
    early_stopping : bool or "auto", default="auto"
        Whether the perceptual fit holds out validation pairs and keeps the epoch that is best on
        them. ``"auto"`` does so when ``groups`` are given to ``fit``; whole groups are held out.
    validation_fraction : float, default=0.2
        Share of the groups (without groups: of the pairs) to hold out.
    n_iter_no_change : int, default=10
        Epochs without a better validation correlation before stopping.
    max_cache_bytes : int, default=2**30
        The pyramids of all pairs are computed once and kept for the fit, about 5.3 bytes for
        each pixel of each distinct image; above this many bytes they are kept in a temporary
        file instead of memory.
    n_jobs : int, default=None
        Threads of the perceptual fit; None means 1, -1 all cores.
    random_state : int, RandomState or None, default=None
        Orders the batches and draws the validation pairs.
    device : str, default="auto"
        Where distances are computed: ``"auto"`` or a torch device. The perceptual fit always
        runs on the CPU, where it is compiled.
    verbose : int, default=0
        1 shows a progress bar of the perceptual fit.

    Attributes
    ----------
    filters_ : ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights of the neighbours, never negative.
    sigmas_ : ndarray of shape (n_levels,)
        Constants of the denominators, positive.
    mapping_ : RatingMapping
        The fitted map from distance to rating.
    history_ : list of dict
        One entry an epoch of the perceptual fit: ``epoch``, ``correlation`` (Pearson over the
        training pairs or, with ``condition``, its mean over conditions; signed so that higher
        is better) and, with early stopping, ``validation``. Empty for the other normalisations.
    best_epoch_ : int
        The epoch whose parameters were kept; 0 means that none was better than the start.
    n_features_in_ : int
        2, the reference and the degraded image; absent when ``fit`` got a list.

    See Also
    --------
    NLPD : The distance alone.
    RatingMapping : The map alone, for any other metric.
    DivisiveNormDisplay : Draws the learned filters.

    Notes
    -----
    Metadata: ``fit`` takes ``condition``, ``groups`` and ``sample_weight``, which are requested
    by default when metadata routing is enabled. Without it, pass them through a Pipeline as
    ``nlpdregressor__condition`` and so on. With routing, ``groups`` that are meant for the
    splitter reach ``fit`` too, and there they turn on early stopping; set
    ``early_stopping=False`` to fit on all pairs.

    Images should lie in [0, 1], as ``MelSpectrogram(scale="log01")`` makes them: the published
    constants, the step of Adam and the bounds of L-BFGS are in those units. A reference that is
    in several pairs counts once in equation 3. The correlation that the perceptual fit climbs
    ignores the scale of the distance, and the fit may come to rest on few levels: compare
    distances of one fitted metric only with each other.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023, section 4.2 and Table 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import NLPDRegressor
    >>> rng = np.random.default_rng(0)
    >>> references, severity = rng.random((12, 32, 32)), np.linspace(0.01, 0.3, 12)
    >>> noise = rng.standard_normal((12, 32, 32)) * severity[:, None, None]
    >>> pairs = np.stack([references, references + noise], axis=1)
    >>> ratings = 5 - 10 * severity
    >>> metric = NLPDRegressor(n_levels=3, solver="lbfgs", max_epochs=10).fit(pairs, ratings)
    >>> metric.predict(pairs[:2]).round(0)
    array([5., 5.])
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {
        "condition": True,
        "groups": True,
        "sample_weight": True,
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_levels": [Interval(Integral, 1, 16, closed="both")],
        "normalization": [
            StrOptions({"perceptual", "statistical", "ones", "image"}),
            tuple,
            list,
            None,
        ],
        "kernel_size": [Options(Integral, set(range(3, 33, 2)))],
        "pooling": [StrOptions(set(POOLINGS))],
        "convention": [StrOptions(set(CONVENTIONS))],
        "mapping": [StrOptions({"linear", "cubic", "logistic", "isotonic"})],
        "solver": [StrOptions({"adam", "lbfgs"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "increasing": ["boolean", StrOptions({"auto"})],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "max_cache_bytes": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        n_levels: int = 6,
        normalization: Normalization = "perceptual",
        kernel_size: int = 5,
        pooling: str = "mean",
        convention: str = "laparra2016",
        mapping: str = "linear",
        solver: str = "adam",
        learning_rate: float = 1e-3,
        max_epochs: int = 100,
        alpha: float = 0.01,
        increasing: bool | str = "auto",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        max_cache_bytes: int = 2**30,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.n_levels = n_levels
        self.normalization = normalization
        self.kernel_size = kernel_size
        self.pooling = pooling
        self.convention = convention
        self.mapping = mapping
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.alpha = alpha
        self.increasing = increasing
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.max_cache_bytes = max_cache_bytes
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        condition: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the normalisation and the map to the ratings.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.
        y : array of shape (n_pairs,)
            Ratings.
        condition : array of shape (n_pairs,), optional
            Type of degradation. When given, the perceptual fit correlates within one condition
            at a time, as in the paper, and so ignores differences between conditions; without
            it all pairs are correlated together.
        groups : array of shape (n_pairs,), optional
            Source recording of each pair, for the validation split of early stopping.
        sample_weight : array of shape (n_pairs,), optional
            Weight of each pair in the perceptual fit and in the map.

        Returns
        -------
        self
            The fitted metric.

        Raises
        ------
        ValueError
            When X, y or the other arrays do not fit together, or the ratings are constant where
            they are to be correlated with.
        """
        resolve_device(self.device)  # a missing one should not come to light after training
        batch = self._validate_pairs(X, reset=True)
        y = self._check_ratings(y, batch)
        condition = _check_labels(condition, "condition", len(y))
        groups = _check_labels(groups, "groups", len(y))
        weight = _check_weights(sample_weight, y)
        counted = np.flatnonzero(weight)
        if len(counted) < len(y):  # a weight of 0 is the same as leaving the pair out
            batch = batch[counted] if isinstance(batch, np.ndarray) else [batch[i] for i in counted]
            y, weight = y[counted], weight[counted]
            condition, groups = (
                None if labels is None else labels[counted] for labels in (condition, groups)
            )
        increasing = self.increasing
        if isinstance(self.normalization, str) and self.normalization == "perceptual":
            start = (
                self._fit_to_references(batch, "image")[0],
                self._fit_to_references(batch, "ones")[1],  # equation 3
            )
            trained = train_on_ratings(self, batch, y, weight, condition, groups, start)
            self.filters_, self.sigmas_ = trained.best
            self.history_, self.best_epoch_ = trained.history, trained.best_epoch
            increasing = trained.objective.direction > 0
        else:
            self.filters_, self.sigmas_ = self._fit_to_references(batch, self.normalization)
            self.history_, self.best_epoch_ = [], 0
        self.mapping_ = RatingMapping(self.mapping, increasing=increasing)
        self.mapping_.fit(self._distances(batch).astype(np.float64), y, sample_weight=weight)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict ratings.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Ratings, on the scale of those the metric was fitted to.
        """
        distance = self.distance(X).astype(np.float64)
        return np.asarray(self.mapping_.predict(distance), dtype=np.float64)

    def distance(self, X: Any) -> NDArray[np.floating]:
        """Give the distance of every pair, before the map to ratings.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs,)
            NLPD with the fitted normalisation; 0 for identical images.
        """
        check_is_fitted(self)
        return self._distances(self._validate_pairs(X, reset=False))

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Give the distance of every pair as a feature.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            NLPD with the fitted normalisation.
        """
        return self.distance(X)[:, None]

    def contributions(self, X: Any, *, by: str = "level") -> NDArray[np.floating]:
        """Split each pair's distance into parts that add up to it.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.
        by : {"level", "band"}, default="level"
            What to split by, as in :meth:`NLPD.contributions`.

        Returns
        -------
        ndarray of shape (n_pairs, n_levels) or (n_pairs, n_bands)
            The parts of the distance.
        """
        check_is_fitted(self)
        return self._metric().contributions(X, by=by)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output feature of ``transform``.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            ``["nlpd"]``.
        """
        check_is_fitted(self)
        return np.asarray(["nlpd"], dtype=object)

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = super()._validate_pairs(X, reset=reset)
        if reset:
            warn_beyond_data_range(batch, 1.0)
        return batch

    def _min_side(self) -> int:
        return minimum_side(self.n_levels, self.convention)

    def _metric(self) -> NLPD:
        return NLPD(
            n_levels=self.n_levels,
            normalization=(self.filters_, self.sigmas_),
            pooling=self.pooling,
            convention=self.convention,
            device=self.device,
        )

    def _distances(self, batch: ImageBatch) -> NDArray[np.floating]:
        return self._metric().score_pairs(batch)[:, 0]

    def _check_ratings(self, y: ArrayLike, batch: ImageBatch) -> NDArray[np.float64]:
        if y is None:
            raise ValueError(
                "requires y to be passed, but the target y is None: the ratings of the pairs."
            )
        ratings = np.asarray(column_or_1d(y, warn=True, dtype=np.float64))
        if len(ratings) != len(batch):
            raise ValueError(
                f"Expected one rating a pair, got {len(batch)} pairs and {len(ratings)} ratings "
                "(inconsistent numbers of samples)."
            )
        finite = np.isfinite(ratings)
        if not finite.all():
            raise ValueError(
                f"Input y contains NaN or infinity: rating {int(np.argmin(finite))} is missing. "
                "Leave out pairs without a rating."
            )
        return ratings

    def _fit_to_references(
        self, batch: ImageBatch, normalization: Normalization
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        with single_threaded():
            return fit_normalization(
                reference_pyramids(batch, self.n_levels, self.convention),
                normalization,
                self.n_levels,
                kernel_size=self.kernel_size,
                convention=self.convention,
            )


def _check_labels(labels: ArrayLike | None, name: str, n: int) -> NDArray[Any] | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ValueError(
            f"Expected one entry of {name} a pair, an array of shape ({n},), got {array.shape}."
        )
    missing = pd.isna(array)
    if missing.any():
        raise ValueError(
            f"{name} has no label for pair {int(np.argmax(missing))}. Name it, or leave the pair "
            "out."
        )
    return array


def _check_weights(
    sample_weight: ArrayLike | None, ratings: NDArray[np.float64]
) -> NDArray[np.float64]:
    weight = _check_sample_weight(sample_weight, ratings[:, None], dtype=np.float64)
    if (weight < 0).any() or not (weight > 0).any():
        raise ValueError(
            "sample_weight should hold numbers that are not negative, at least one of them "
            f"positive, got values from {weight.min():g} to {weight.max():g}."
        )
    return weight
