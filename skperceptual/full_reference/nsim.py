"""The neurogram similarity index of pairs of images as an estimator."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import PairMetric
from skperceptual.functional.nsim import WINDOW, nsim_constants
from skperceptual.spectrograms.gammatone import band_names
from skperceptual.utils._sklearn import Interval, StrOptions, _fit_context
from skperceptual.utils.validation import ImageBatch

__all__ = ["NSIM"]


def _pools_all(estimator: NSIM) -> bool:
    return estimator.pooling == "mean"


class NSIM(PairMetric):
    """Neurogram similarity between pairs of images, band by band.

    Intensity and structure are compared under a small window, contrast is not [1]_: the measure
    in the middle of :class:`ViSQOL`, which compares patches of the two images so, after it has
    found where they belong. 1 means identical; the similarity rises with quality.

    Parameters
    ----------
    pooling : {"bands", "mean"}, default="bands"
        ``"bands"`` gives the mean similarity of each band, features for a regressor; ``"mean"``
        their mean, one score.
    data_range : float, default=1.0
        What the stabilising constants are in proportion to. ViSQOL leaves it at 1 though its
        images are in decibels, from 0 to 45.
    frequencies : sequence of float, default=None
        Centre frequencies of the bands in Hz, which then name the features; a front end gives
        them in ``band_frequencies()``. None numbers the bands.

    Attributes
    ----------
    n_bands_ : int
        Number of bands of the images in ``fit``.

    See Also
    --------
    GammatoneSpectrogram : The images it is for.
    ViSQOL : Alignment, patches, similarity, rating.
    skperceptual.functional.nsim : The function, differentiable.

    References
    ----------
    .. [1] A. Hines, N. Harte, "Speech intelligibility prediction using a neurogram similarity
       index measure", Speech Communication 54(2), 306-320, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import NuSVR
    >>> from skperceptual import NSIM, GammatoneSpectrogram
    >>> rng = np.random.default_rng(0)
    >>> references = 0.1 * rng.standard_normal((6, 16000))
    >>> severity = np.linspace(0.01, 0.5, 6)
    >>> noise = 0.1 * rng.standard_normal((6, 16000))
    >>> pairs = np.stack([references, references + severity[:, None] * noise], axis=1)
    >>> front_end = GammatoneSpectrogram(sr=16000)
    >>> metric = make_pipeline(front_end, NSIM(frequencies=front_end.band_frequencies()), NuSVR())
    >>> metric.fit(pairs, 5 - 4 * severity).predict(pairs).shape
    (6,)
    >>> list(metric[1].get_feature_names_out()[:3])
    ['nsim_50hz', 'nsim_81hz', 'nsim_116hz']
    """

    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "pooling": [StrOptions({"bands", "mean"})],
        "data_range": [Interval(Real, 0, None, closed="neither")],
        "frequencies": ["array-like", None],
    }

    def __init__(
        self,
        *,
        pooling: str = "bands",
        data_range: float = 1.0,
        frequencies: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        self.pooling = pooling
        self.data_range = data_range
        self.frequencies = frequencies

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the pairs; there is nothing to learn but how many bands they have.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The metric itself.
        """
        self.n_bands_ = int(self._validate_pairs(X, reset=True)[0].shape[-2])
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Compare every pair.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs, n_bands) or (n_pairs, 1)
            The mean similarity of each band or, with ``pooling="mean"``, of all of them, in the
            floating-point type of the images.
        """
        return super().transform(X)

    def score_pairs(self, batch: ImageBatch) -> NDArray[np.floating]:
        """Compare pairs that were checked before, for estimators that hold this metric.

        Parameters
        ----------
        batch : ndarray or list
            What :func:`skperceptual.utils.validation.check_images` returned.

        Returns
        -------
        ndarray of shape (n_pairs, n_bands) or (n_pairs, 1)
            As ``transform`` gives it.
        """
        if self.pooling == "mean":
            return super().score_pairs(batch)
        return np.stack(self._map_pairs(self._band_similarities, batch)).astype(batch[0].dtype)

    @available_if(_pools_all)
    def contributions(self, X: Any, *, by: str = "level") -> NDArray[np.floating]:
        """Split what each pair lacks to full similarity into parts that add up to it.

        Only with ``pooling="mean"``: the features of ``pooling="bands"`` are such parts.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.
        by : {"level", "band"}, default="level"
            ``"level"`` gives one part, the whole; ``"band"`` the share of each band.

        Returns
        -------
        ndarray of shape (n_pairs, 1) or (n_pairs, n_bands)
            The parts of one minus the similarity.

        Raises
        ------
        ValueError
            When ``by`` is unknown.
        """
        return super().contributions(X, by=by)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output features.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            ``nsim_50hz`` and so on, or ``nsim_0`` and so on without ``frequencies``; ``nsim``
            with ``pooling="mean"``.
        """
        if self.pooling == "mean":
            return np.asarray(["nsim"], dtype=object)
        if self.frequencies is None:
            check_is_fitted(self)
            names = [str(band) for band in range(self.n_bands_)]
        else:
            names = band_names(self.frequencies)
        return np.asarray([f"nsim_{name}" for name in names], dtype=object)

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = super()._validate_pairs(X, reset=reset)
        expected = None if self.frequencies is None else len(self.frequencies)
        for row, pair in enumerate(batch):
            n_bands = pair.shape[-2]
            expected = n_bands if expected is None else expected
            if n_bands != expected and self.pooling == "bands":
                raise ValueError(
                    f"Expected images of {expected} bands, as many as the first pair or "
                    f"frequencies have, but pair {row} has {n_bands}. Use one front end for all "
                    "of them."
                )
        return batch

    def _releases_gil(self, batch: ImageBatch) -> bool:
        return True

    def _band_similarities(self, reference: NDArray, degraded: NDArray) -> NDArray[np.float64]:
        from skperceptual.kernels.nsim import band_similarities

        images = (np.ascontiguousarray(image, dtype=np.float64) for image in (reference, degraded))
        return band_similarities(*images, np.array(WINDOW), nsim_constants(self.data_range))[0]

    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        return float(self._band_similarities(reference, degraded).mean())

    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        losses = 1 - self._band_similarities(reference, degraded)
        bands = losses / len(losses)
        return bands.sum(keepdims=True), bands
