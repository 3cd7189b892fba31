"""What the estimators share: version headers, validation hooks, and one clip at a time.

Every transformer works through its batch one clip (or one image, or one pair) at a time. The
result for a clip then cannot depend on its neighbours, not even in the last bit, lists of
unequal lengths need no padding, and memory does not grow with the batch. Where that one clip is
the work of a compiled kernel, which needs no interpreter, clips run side by side on the threads
of the process.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from skperceptual._version import __version__
from skperceptual.utils._sklearn import _check_feature_names, _fit_context
from skperceptual.utils.clip_maps import map_clips
from skperceptual.utils.tags import PerceptualInputTags
from skperceptual.utils.thread_pool import ordered_map
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import Batch, ImageBatch, check_images, check_signals

__all__ = [
    "ImagePairMixin",
    "PairMetric",
    "PerceptualEstimator",
    "SignalTransformer",
    "VersionWarning",
    "contribution_table",
    "map_clips",
]


class VersionWarning(UserWarning):
    """A pickled estimator was written by another version of this package.

    Examples
    --------
    >>> import warnings
    >>> from skperceptual.base import VersionWarning
    >>> warnings.simplefilter("error", VersionWarning)  # refuse instead of warning
    >>> warnings.simplefilter("default", VersionWarning)
    """


class PerceptualEstimator(BaseEstimator):
    """Base of all estimators: a pickle says which version wrote it.

    Loading a pickle that a newer or older version wrote warns with :class:`VersionWarning`,
    since the numbers it gives are then only as trustworthy as the changelog.

    Examples
    --------
    >>> import pickle
    >>> from skperceptual import MSE
    >>> pickle.loads(pickle.dumps(MSE()))
    MSE()
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_skperceptual_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        written_by = state.pop("_skperceptual_version", "unknown")
        if written_by != __version__:
            warnings.warn(
                f"This {type(self).__name__} was saved by skperceptual {written_by} and is being "
                f"loaded by {__version__}. Check its predictions before you rely on them, or fit "
                "and save it again.",
                VersionWarning,
                stacklevel=2,
            )
        super().__setstate__(state)

    def _record_features(self, X: Any, batch: Batch | ImageBatch, *, reset: bool) -> None:
        """Keep what scikit-learn keeps about X; the length of a clip may differ every time."""
        _check_feature_names(self, X, reset=reset)
        if reset:
            if isinstance(batch, np.ndarray):
                self.n_features_in_ = batch.shape[1]
            elif hasattr(self, "n_features_in_"):
                del self.n_features_in_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = PerceptualInputTags()
        return tags


def contribution_table(parts: Iterable[tuple[NDArray, NDArray]], by: str) -> NDArray:
    """Stack one kind of contributions of all pairs.

    Parameters
    ----------
    parts : iterable of tuple of ndarray
        Each pair's parts by level and by band.
    by : {"level", "band"}
        Which of the two to take.

    Returns
    -------
    ndarray of shape (n_pairs, n_levels) or (n_pairs, n_bands)
        One row a pair.

    Raises
    ------
    ValueError
        When ``by`` is unknown, or pairs differ in their number of bands.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.base import contribution_table
    >>> contribution_table([(np.array([1.0]), np.array([0.25, 0.75]))], by="band")
    array([[0.25, 0.75]])
    """
    _check_kind_of_part(by)
    rows = [pair[by == "band"] for pair in parts]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(
            "Pairs with different numbers of bands have no common table by band. Use one front "
            "end for all of them."
        )
    return np.stack(rows)


def _check_kind_of_part(by: str) -> None:
    if by not in ("level", "band"):
        raise ValueError(f"by={by!r} is unknown. Use 'level' or 'band'.")


class SignalTransformer(TransformerMixin, PerceptualEstimator):
    """Base of the steps that read signals or pairs of signals, one clip at a time.

    A subclass defines ``_prepare``, which runs once for each call of ``transform``, computes what
    depends on the parameters alone (a filterbank, a window) and gives the function that is
    applied to each clip; and ``_min_samples`` where clips can be too short.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.base import SignalTransformer
    >>> class Halve(SignalTransformer):
    ...     def _prepare(self):
    ...         return lambda clip: clip * clip.dtype.type(0.5)
    >>> Halve().fit_transform(np.ones((1, 4)))
    array([[0.5, 0.5, 0.5, 0.5]])
    """

    def _min_samples(self) -> int:
        """Give the shortest clip that this step can read, in samples."""
        return 1

    def _releases_gil(self, batch: Batch) -> bool:
        """Whether the function of ``_prepare`` may run in threads for these clips.

        That is, whether it runs them in compiled code without the interpreter's lock, does without
        torch, and changes nothing that calls share.
        """
        return False

    @abstractmethod
    def _prepare(self) -> Callable[[NDArray], NDArray]:
        """Give the function that turns one clip into its result."""

    def _validate_signals(self, X: Any, *, reset: bool) -> Batch:
        batch = check_signals(X, pairs=None, min_samples=self._min_samples())
        self._record_features(X, batch, reset=reset)
        return batch

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the signals; there is nothing to learn.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), pairs of shape (n_pairs, 2, n_times), or a
            list of either where lengths differ.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        self._validate_signals(X, reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Transform every clip.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), pairs of shape (n_pairs, 2, n_times), or a
            list of either where lengths differ.

        Returns
        -------
        ndarray or list
            The results with the leading axes of X; a list for a list.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        if self._releases_gil(batch):
            return map_clips(self._prepare(), batch, in_threads=True)
        with single_threaded():
            return map_clips(self._prepare(), batch)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.input_tags.signals = True
        tags.input_tags.signal_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class ImagePairMixin:
    """Validation for the estimators that read pairs of images, reference first.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import MSE
    >>> MSE().fit(np.zeros((3, 8, 8)))
    Traceback (most recent call last):
    ...
    ValueError: Expected pairs of images of shape (n_pairs, 2, n_bands, n_frames)...
    """

    def _min_side(self) -> int:
        """Give the fewest bands and frames that this metric can read."""
        return 1

    def _validate_pairs(self, X: Any, *, reset: bool) -> ImageBatch:
        batch = check_images(X, pairs=True, min_side=self._min_side())
        self._record_features(X, batch, reset=reset)  # type: ignore[attr-defined]
        constant = [row for row, pair in enumerate(batch) if _is_constant(pair[0])]
        if constant:
            warnings.warn(
                f"The reference image is constant in {len(constant)} of {len(batch)} pairs (row "
                f"{constant[0]} is the first). A silent reference has nothing to compare with; "
                "leave such pairs out.",
                UserWarning,
                stacklevel=4,
            )
        return batch

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.image_pairs = True
        return tags


def _is_constant(image: NDArray) -> bool:
    # Band by band: nearly every image is found not to be at its first.
    return all((band == image[0, 0]).all() for band in image)


class PairMetric(ImagePairMixin, TransformerMixin, PerceptualEstimator):
    """Base of the metrics that turn pairs of images into features, one pair at a time.

    A subclass defines the contract (``higher_is_better``, ``bounds``, ``symmetric``),
    ``_feature_names`` and two methods on one pair: ``_score_pair`` and ``_pair_contributions``.

    Examples
    --------
    >>> from skperceptual import NLPD
    >>> NLPD.higher_is_better, NLPD.bounds, NLPD.symmetric
    (False, (0.0, inf), True)
    """

    higher_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]]
    symmetric: ClassVar[bool]

    def _releases_gil(self, batch: ImageBatch) -> bool:
        """Whether ``_score_pair`` and ``_pair_contributions`` may run in threads for these pairs.

        That is, whether they run them in compiled code without the interpreter's lock, do without
        torch, and change nothing that calls share.
        """
        return False

    @abstractmethod
    def _score_pair(self, reference: NDArray, degraded: NDArray) -> float:
        """Give the score of one pair of images of shape (n_bands, n_frames)."""

    @abstractmethod
    def _pair_contributions(self, reference: NDArray, degraded: NDArray) -> tuple[NDArray, NDArray]:
        """Give the parts of the loss by level, (n_levels,), and by band, (n_bands,)."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the pairs; there is nothing to learn.

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
        self._validate_pairs(X, reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Score every pair.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            One score a pair, in the floating-point type of the images.
        """
        return self.score_pairs(self._start(X))

    def score_pairs(self, batch: ImageBatch) -> NDArray[np.floating]:
        """Score pairs that were checked before, for estimators that hold this metric.

        Parameters
        ----------
        batch : ndarray or list
            What :func:`skperceptual.utils.validation.check_images` returned.

        Returns
        -------
        ndarray of shape (n_pairs, 1)
            One score a pair, in the floating-point type of the images.
        """
        scores = self._map_pairs(self._score_pair, batch)
        return np.asarray(scores, dtype=batch[0].dtype)[:, np.newaxis]

    def _map_pairs(self, function: Callable[[NDArray, NDArray], Any], batch: ImageBatch) -> list:
        if self._releases_gil(batch):
            return ordered_map(lambda pair: function(*pair), batch)
        with single_threaded():
            return [function(*pair) for pair in batch]

    def contributions(self, X: Any, *, by: str = "level") -> NDArray[np.floating]:
        """Split each pair's loss into parts that add up to it.

        The loss is the distance itself or, for a similarity, one minus it.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_bands, n_frames), or list of (2, n_bands, n_frames)
            Pairs of images, the reference first.
        by : {"level", "band"}, default="level"
            ``"level"`` gives the share of each scale, the finest first; ``"band"`` the share of
            each frequency band (row) of the image.

        Returns
        -------
        ndarray of shape (n_pairs, n_levels) or (n_pairs, n_bands)
            The parts of the loss.

        Raises
        ------
        ValueError
            When ``by`` is unknown, or pairs of a list differ in their number of bands.
        """
        _check_kind_of_part(by)
        batch = self._start(X)
        parts = self._map_pairs(self._pair_contributions, batch)
        return contribution_table(parts, by).astype(batch[0].dtype)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the output features.

        Parameters
        ----------
        input_features : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        ndarray of str
            One name a feature.
        """
        return np.asarray([type(self).__name__.lower()], dtype=object)

    def _start(self, X: Any) -> ImageBatch:
        """Check parameters and pairs before scoring; a fitted metric adds its own check."""
        self._validate_params()
        return self._validate_pairs(X, reset=False)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
