"""Fit any pipeline, and let its steps have what they ask for: condition, groups and weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.utils.metadata_routing import get_routing_for_object

__all__ = ["fit_with_metadata"]

_METHODS = ("fit", "partial_fit", "transform", "predict", "score", "split")
_REQUEST = "_metadata_request"


def fit_with_metadata(
    estimator: Any, X: Any, y: ArrayLike, metadata: dict[str, Any], *, method: str = "fit"
) -> Any:
    """Fit an estimator, its steps getting the metadata that they request.

    It is scikit-learn's metadata routing, whether or not that is enabled, with an answer for
    steps that say nothing: ``sample_weight`` goes to the ``fit`` of each that takes it, since
    weights count repetitions, and anything else to none of them.

    Parameters
    ----------
    estimator : estimator
        What to fit, often a Pipeline.
    X : array, list, DataFrame or Pyramid
        Samples.
    y : array-like of shape (n_samples,)
        Ratings.
    metadata : dict of str to array-like of shape (n_samples,)
        What is known of each sample; entries that are None are left out.
    method : {"fit", "fit_transform"}, default="fit"
        What to call.

    Returns
    -------
    object
        What the method gives.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skperceptual.evaluation.metadata_fit import fit_with_metadata
    >>> X, y = np.arange(6.0).reshape(6, 1), np.arange(6.0)
    >>> known = {"groups": [0, 0, 1, 1, 2, 2], "sample_weight": [1, 1, 1, 1, 0, 0]}
    >>> pipeline = fit_with_metadata(make_pipeline(StandardScaler(), Ridge()), X, y, known)
    >>> pipeline[0].mean_
    array([1.5])
    """
    metadata = {key: value for key, value in metadata.items() if value is not None}
    with config_context(enable_metadata_routing=True), _requests_settled(estimator, metadata):
        wanted = get_routing_for_object(estimator).consumes(method, metadata)
        return getattr(estimator, method)(X, y, **{key: metadata[key] for key in wanted})


@contextmanager
def _requests_settled(estimator: Any, metadata: dict[str, Any]) -> Iterator[None]:
    """Answer for steps that say nothing of metadata, and leave them as they were."""
    changed: list[tuple[Any, Any]] = []
    try:
        for step in _steps_of(estimator):
            request = getattr(get_routing_for_object(step), "fit", None)
            if request is None:  # a step of steps, which has no requests of its own
                continue
            before = vars(step).get(_REQUEST)
            settled = False
            for method in _METHODS:
                requests = getattr(get_routing_for_object(step), method).requests
                unset = [key for key, alias in requests.items() if alias is None]
                answers = {
                    key: key == "sample_weight" and method == "fit"
                    for key in unset
                    if key in metadata
                }
                if answers and hasattr(step, f"set_{method}_request"):
                    getattr(step, f"set_{method}_request")(**answers)
                    settled = True
            if settled:
                changed.append((step, before))
        yield
    finally:
        for step, before in changed:
            if before is None:
                delattr(step, _REQUEST)
            else:
                setattr(step, _REQUEST, before)


def _steps_of(estimator: Any) -> list[Any]:
    """Give an estimator and all that are parts of it, each once."""
    parts = [estimator]
    if hasattr(estimator, "get_params"):
        parts += list(estimator.get_params(deep=True).values())
    found = {id(part): part for part in parts if hasattr(part, "get_metadata_routing")}
    return [part for part in found.values() if not isinstance(part, type)]
