"""Let scikit-learn's own checks, which know tables only, run on what reads something else."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import validate_data

from skperceptual.utils.estimator_checks.inputs import CheckInputs, kinds_read_by
from skperceptual.utils.validation import FLOATS

_TILES = {"image": 8, "signal": 128}


class _FlatMixin:
    """Hooks that make a sample of each row of a table before the estimator's own validation.

    Images tile the row to ``8 x 8 n_features``, signals to ``128 n_features``. The reference of a
    pair is a fixed pattern, so that it is never constant, and the degraded version adds the row
    to it, squeezed into [0, 1] where the estimator asks for that. Values of one metric are the
    sums of the rows.
    """

    def _from_table(self, X: Any, *, reset: bool) -> Any:
        table = validate_data(self, X, reset=reset, dtype=FLOATS)
        kind = kinds_read_by(self)[0]
        inputs = CheckInputs(kind, n_times=0, image_shape=(0, 0))
        if kind.startswith("signal"):
            samples = np.tile(table, _TILES["signal"])
        else:
            n_tiles = _TILES["image"]
            samples = np.repeat(np.tile(table, n_tiles)[:, None], n_tiles, axis=1)
        pattern = _pattern(samples.shape[1:]).astype(table.dtype)
        references = np.broadcast_to(pattern, samples.shape)
        degraded = references + samples
        if getattr(get_tags(self).input_tags, "unit_range", False):
            degraded = 0.5 + 0.5 * np.tanh(0.5 * degraded)  # the logistic function
        return inputs.build(references, degraded)

    def _validate_pairs(self, X: Any, *, reset: bool) -> Any:
        return super()._validate_pairs(self._from_table(X, reset=reset), reset=reset)  # type: ignore[misc]

    def _validate_images(self, X: Any, *, reset: bool) -> Any:
        return super()._validate_images(self._from_table(X, reset=reset), reset=reset)  # type: ignore[misc]

    def _validate_pyramid(self, X: Any, *, reset: bool) -> Any:
        return super()._validate_pyramid(self._from_table(X, reset=reset), reset=reset)  # type: ignore[misc]

    def _validate_values(
        self, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any
    ) -> Any:
        checked = validate_data(self, X, y, reset=reset, dtype=FLOATS, **checks)
        if isinstance(checked, tuple):
            return checked[0].sum(axis=1), checked[1]
        return checked.sum(axis=1)

    def _record_features(self, X: Any, batch: Any, *, reset: bool) -> None:
        """Leave what validate_data recorded about the table."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False
        if tags.regressor_tags is not None:
            tags.regressor_tags.poor_score = True  # random rows are no degradations
        if tags.classifier_tags is not None:
            tags.classifier_tags.poor_score = True  # nor are they recordings of instruments
        return tags


def _pattern(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give an image or a signal in [0, 1] that is constant nowhere."""
    return np.random.default_rng(8).random(shape)


def flat(estimator: BaseEstimator) -> BaseEstimator:
    """Make an estimator read tables, for scikit-learn's checks alone.

    scikit-learn's ``check_estimator`` says nothing about an estimator whose X is no table: it
    skips all its checks. ``flat`` gives the same estimator, whose validation hooks
    (``_validate_pairs``, ``_validate_images``, ``_validate_pyramid``) make a sample of each row
    of a table and then go on as ever, so that every check runs on the real ``fit``,
    ``transform`` and ``predict``.

    Parameters
    ----------
    estimator : estimator
        An estimator that reads pairs of signals, images, pairs of images or Pyramids.

    Returns
    -------
    estimator
        Of a subclass whose name begins with ``Flat``, with the same parameters. It can be
        pickled within this process.

    Examples
    --------
    >>> from sklearn.utils.estimator_checks import check_estimator
    >>> from skperceptual import MSE
    >>> from skperceptual.utils.estimator_checks import expected_failed_checks, flat
    >>> metric = flat(MSE())
    >>> excused = expected_failed_checks(metric)
    >>> outcomes = check_estimator(metric, expected_failed_checks=excused, on_skip=None)
    >>> len(outcomes) > 40, [outcome["status"] for outcome in outcomes].count("failed")
    (True, 0)
    """
    if get_tags(estimator).input_tags.two_d_array:
        raise ValueError(f"{type(estimator).__name__} reads tables already; check it as it is.")
    base = type(estimator)
    name = f"Flat{base.__name__}"
    module = sys.modules[__name__]
    made = getattr(module, name, None)
    if made is None or made.__mro__[2] is not base:
        made = type(name, (_FlatMixin, base), {"__module__": __name__, "__doc__": base.__doc__})
        setattr(module, name, made)  # pickle finds classes by name
    return made(**estimator.get_params(deep=False))
