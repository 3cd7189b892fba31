"""Small, seeded data of every kind that an estimator can read, and what the checks do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import get_tags

KINDS = ("signals", "signal_pairs", "images", "image_pairs", "pyramids", "pyramid_pairs")

# The methods that give one result a sample.
METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "decision_function",
    "score_samples",
    "distance",
)

_N_SOURCES = 4
_SEVERITIES = (0.02, 0.1, 0.3)
_N_LEVELS = 3


def kinds_read_by(estimator: BaseEstimator) -> list[str]:
    """Give the kinds of X that an estimator's tags name."""
    input_tags = get_tags(estimator).input_tags
    any_shape = getattr(input_tags, "any_shape", False)
    return [kind for kind in KINDS if any_shape or getattr(input_tags, kind, False)]


@dataclass(frozen=True)
class CheckInputs:
    """Data of one kind.

    Parameters
    ----------
    kind : str
        One of the fields of :class:`~skperceptual.utils.tags.PerceptualInputTags`.
    n_times : int
        Samples of a signal.
    image_shape : tuple of int
        Bands and frames of an image.
    """

    kind: str
    n_times: int
    image_shape: tuple[int, int]

    def __repr__(self) -> str:
        return self.kind

    @property
    def has_pairs(self) -> bool:
        """Whether each sample is a reference and its degraded version."""
        return self.kind.endswith("_pairs")

    @property
    def has_pyramids(self) -> bool:
        """Whether X is a Pyramid."""
        return self.kind.startswith("pyramid")

    @property
    def severities(self) -> NDArray[np.float64]:
        """How strongly each sample of :meth:`batch` is degraded."""
        return np.tile(_SEVERITIES, _N_SOURCES)

    @property
    def ratings(self) -> NDArray[np.float64]:
        """A rating of each sample of :meth:`batch`, which falls with the noise."""
        return 5 - 10 * self.severities - 0.1 * self.groups

    @property
    def groups(self) -> NDArray[np.intp]:
        """The source of each sample of :meth:`batch`."""
        return np.repeat(np.arange(_N_SOURCES), len(_SEVERITIES))

    @property
    def condition(self) -> NDArray[np.str_]:
        """A made-up type of degradation for each sample of :meth:`batch`."""
        return np.where(self.groups % 2 == 0, "even", "odd")

    def targets(self, estimator: BaseEstimator) -> NDArray[Any]:
        """Give y: ratings, or classes for a classifier."""
        return (self.severities > 0.05).astype(int) if is_classifier(estimator) else self.ratings

    def sources(self, n: int = _N_SOURCES, *, extra: int = 0) -> NDArray[np.float64]:
        """Give clean signals or images, that many samples or frames longer than usual."""
        if self.kind.startswith("signal"):
            return np.stack([_signal(self.n_times + extra, seed) for seed in range(n)])
        bands, frames = self.image_shape
        return np.stack([_image(bands, frames + extra, seed) for seed in range(n)])

    def noise(self, like: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give noise in [-1, 1], the same in every call."""
        return np.random.default_rng(97).uniform(-1, 1, size=like.shape)

    def build(self, references: NDArray[Any], degraded: NDArray[Any] | None = None) -> Any:
        """Give X of this kind: pairs where the kind is one of pairs, else the degraded versions."""
        versions = references if degraded is None else degraded
        X = np.stack([references, versions], axis=1) if self.has_pairs else versions
        if not self.has_pyramids:
            return X
        from skperceptual import LaplacianPyramid

        return LaplacianPyramid(_N_LEVELS).transform(X)

    def batch(self, *, extra: int = 0, dtype: Any = np.float64) -> Any:
        """Give twelve samples: four sources, each degraded by noise of three severities."""
        references = self.sources(extra=extra)[self.groups]
        shape = (-1,) + (1,) * (references.ndim - 1)
        degraded = references + self.severities.reshape(shape) * self.noise(references)
        return self.build(references.astype(dtype), degraded.astype(dtype))


def _signal(n_times: int, seed: int) -> NDArray[np.float64]:
    """Give a chord with a slow beat and some breath, of peak 0.5."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_times) / 16000
    frequencies = rng.uniform(150, 3000, size=5)
    tones = np.sin(2 * np.pi * (frequencies[:, None] * time + rng.random((5, 1)))).sum(axis=0)
    signal = tones * (1.2 + np.sin(2 * np.pi * 4 * time)) + 0.3 * rng.standard_normal(n_times)
    return 0.5 * signal / np.abs(signal).max()


def _image(n_bands: int, n_frames: int, seed: int) -> NDArray[np.float64]:
    """Give ridges and texture between 0.3 and 0.7, so that noise of 0.3 stays in [0, 1]."""
    rng = np.random.default_rng(seed)
    bands, frames = np.mgrid[:n_bands, :n_frames]
    ridges = np.sin(rng.uniform(0.2, 0.8) * bands + rng.uniform(0.05, 0.3) * frames)
    return 0.5 + 0.1 * ridges + 0.1 * rng.uniform(-1, 1, size=(n_bands, n_frames))


def take(X: Any, rows: Sequence[int] | NDArray[np.intp]) -> Any:
    """Select samples of an array, a list or a Pyramid."""
    return [X[row] for row in rows] if isinstance(X, list) else X[np.asarray(rows)]


def as_list(X: Any) -> Any:
    """Give the same samples as a list; a Pyramid then has lists as levels."""
    if hasattr(X, "levels"):
        return type(X)([list(level) for level in X.levels], convention=X.convention)
    return list(X)


def map_arrays(function: Callable[[Any], Any], X: Any) -> Any:
    """Apply a function to the array, or to each level of the Pyramid."""
    if hasattr(X, "levels"):
        return type(X)([function(level) for level in X.levels], convention=X.convention)
    return function(X)


def concatenate(batches: Sequence[Any]) -> Any:
    """Put the samples of several batches into one list, whatever their sizes."""
    lists = [as_list(batch) for batch in batches]
    if hasattr(lists[0], "levels"):
        by_level = zip(*(batch.levels for batch in lists), strict=True)
        levels = [list(chain.from_iterable(parts)) for parts in by_level]
        return type(lists[0])(levels, convention=lists[0].convention)
    return list(chain.from_iterable(lists))


def fit(
    estimator: BaseEstimator, inputs: CheckInputs, X: Any = None, **metadata: Any
) -> BaseEstimator:
    """Fit a clone to the batch of ``inputs``, or to X of as many samples, always alike."""
    X = inputs.batch() if X is None else X
    return seeded(estimator).fit(X, inputs.targets(estimator), **metadata)


def seeded(estimator: BaseEstimator) -> BaseEstimator:
    """Give an unfitted clone without chance in it."""
    copy = clone(estimator)
    return copy.set_params(random_state=0) if "random_state" in copy.get_params() else copy


def calls_on(estimator: BaseEstimator, X: Any, inputs: CheckInputs) -> dict[str, partial[Any]]:
    """Give the call of X, yet to be made, of each method that the estimator has."""
    methods = [
        method
        for method in METHODS
        if method != "distance" or (inputs.has_pairs and not measures_sets(estimator))
    ]
    return {
        method: partial(getattr(estimator, method), X)
        for method in methods
        if hasattr(estimator, method)
    }


def measures_sets(estimator: BaseEstimator) -> bool:
    """Whether ``distance`` is one number for all samples: only pairs have a distance each."""
    return hasattr(estimator, "distance") and "signals" in kinds_read_by(estimator)


def results(estimator: BaseEstimator, X: Any, inputs: CheckInputs) -> dict[str, list[Any]]:
    """Give, for each method that the estimator has, one entry a sample: an array or a tuple."""
    return {method: rows_of(call()) for method, call in calls_on(estimator, X, inputs).items()}


def rows_of(result: Any) -> list[Any]:
    """Give one entry a sample, of an array, a list or a Pyramid."""
    if hasattr(result, "levels"):
        return [tuple(level[row] for level in result.levels) for row in range(len(result))]
    return list(result)


def assert_same_results(
    found: dict[str, list[Any]], expected: dict[str, list[Any]], what: str
) -> None:
    """Compare the outcome of all methods to the last bit."""
    for method, rows in expected.items():
        assert len(found[method]) == len(rows), (
            f"{method} of {what} gave {len(found[method])} results, expected {len(rows)}."
        )
        for row, (a, b) in enumerate(zip(found[method], rows, strict=True)):
            for part, other in zip(parts_of(a), parts_of(b), strict=True):
                message = f"{method} of {what} differs in row {row}"
                assert part.dtype == other.dtype, f"{message}: {part.dtype} and {other.dtype}"
                assert_array_equal(part, other, err_msg=message, strict=True)


def parts_of(row: Any) -> list[NDArray[Any]]:
    """Give the arrays that one sample's result is made of."""
    return [np.asarray(part) for part in row] if isinstance(row, tuple) else [np.asarray(row)]


def message_of(call: Callable[[], Any], what: str) -> str:
    """Give the message of the ValueError (or TypeError) that a call has to raise."""
    try:
        call()
    except (ValueError, TypeError) as error:
        return str(error)
    raise AssertionError(f"Nothing was raised by {what}.")


def assert_refused(fitted: BaseEstimator, X: Any, inputs: CheckInputs, *needles: str) -> None:
    """Check that fit and every method refuse X, and that the message holds the needles."""
    y = inputs.targets(fitted)[: len(X)]
    calls = calls_on(fitted, X, inputs) | {"fit": partial(clone(fitted).fit, X, y)}
    for method, call in calls.items():
        message = message_of(call, f"{method} of wrong input (needs to say {needles})")
        for needle in needles:
            assert needle in message, f"{method} does not say {needle!r}, but: {message}"
