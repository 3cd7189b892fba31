"""Checks of results: the same for a clip wherever it stands, whoever computes, and later."""

from __future__ import annotations

import io
import pickle
from typing import Any

import joblib
import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import has_fit_parameter

from skperceptual.utils.estimator_checks.inputs import (
    CheckInputs,
    as_list,
    assert_same_results,
    fit,
    parts_of,
    results,
    seeded,
    take,
)

# Accelerators round differently.
_DEVICE_TOLERANCE = 1e-4


def check_batch_invariance(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """A sample alone, in any order or subset, gives the same as in its batch, to the last bit."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    together = results(fitted, X, inputs)
    n = len(inputs.groups)
    orders = [[row] for row in range(n)]
    orders += [list(np.random.default_rng(5).permutation(n)), [3, 3, 0]]
    for rows in orders:
        expected = {method: [found[row] for row in rows] for method, found in together.items()}
        found = results(fitted, take(X, rows), inputs)
        assert_same_results(found, expected, f"rows {rows}")
        found = results(fitted, as_list(take(X, rows)), inputs)
        assert_same_results(found, expected, f"rows {rows} in a list")


def check_devices_agree(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """The CPU gives what the device gives that ``"auto"`` takes."""
    X = inputs.batch()
    fitted = fit(clone(estimator).set_params(device="cpu"), inputs)
    on_cpu = results(fitted, X, inputs)
    elsewhere = results(fitted.set_params(device="auto"), X, inputs)
    for method, rows in on_cpu.items():
        for row, other in zip(rows, elsewhere[method], strict=True):
            for part, other_part in zip(parts_of(row), parts_of(other), strict=True):
                np.testing.assert_allclose(
                    other_part, part, rtol=_DEVICE_TOLERANCE, atol=_DEVICE_TOLERANCE
                )


def check_jobs_agree(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """How many work on it makes no difference, to the last bit."""
    X = inputs.batch()
    expected = results(fit(clone(estimator).set_params(n_jobs=None), inputs), X, inputs)
    shared = fit(clone(estimator).set_params(n_jobs=2), inputs)
    assert_same_results(results(shared, X, inputs), expected, "n_jobs=2")


def check_saved_state(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """What comes back from a file gives the same bits, and holds plain Python and NumPy only."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    expected = results(fitted, X, inputs)
    assert_plain_state(fitted)
    assert_same_results(
        results(pickle.loads(pickle.dumps(fitted)), X, inputs), expected, "a pickle"
    )
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    assert_same_results(results(joblib.load(file), X, inputs), expected, "a joblib file")


def assert_plain_state(value: Any, path: str = "estimator") -> None:
    """Check that a fitted estimator keeps nothing of torch, nor objects without a file format.

    What it leaves out of pickles, such as a network that it rebuilds, is its own affair.

    Parameters
    ----------
    value : object
        A fitted estimator, or a part of one.
    path : str, default="estimator"
        How to name it in the message.

    Examples
    --------
    >>> from skperceptual import NLPD
    >>> from skperceptual.utils.estimator_checks import assert_plain_state
    >>> assert_plain_state(NLPD())
    """
    home = type(value).__module__.split(".")[0]
    if isinstance(value, np.ndarray):
        assert value.dtype != object, f"{path} is an array of objects."
    elif isinstance(value, dict):
        for key, part in value.items():
            assert_plain_state(part, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for place, part in enumerate(value):
            assert_plain_state(part, f"{path}[{place}]")
    elif home == "builtins":
        assert value is None or isinstance(value, (bool, int, float, complex, str, bytes)), (
            f"{path} is a {type(value).__name__}."
        )
    elif isinstance(value, BaseEstimator):
        for attribute, part in value.__getstate__().items():
            assert_plain_state(part, f"{path}.{attribute}")
    else:
        assert home == "numpy", f"{path} is a {type(value).__module__}.{type(value).__name__}."


def check_global_state_unchanged(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Generators and settings of NumPy and torch are those of before."""
    import torch

    def global_state() -> tuple[Any, ...]:
        return (
            joblib.hash(np.random.get_state()),  # noqa: NPY002
            torch.get_rng_state().numpy().tobytes(),
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            np.geterr(),
        )

    before = global_state()
    results(fit(estimator, inputs), inputs.batch(), inputs)
    assert global_state() == before, f"{name} changed a generator or setting that it does not own."


def check_names_and_tables(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Features have as many names as columns, and transform gives a table where asked to."""
    X = inputs.batch()
    expected = results(fit(estimator, inputs), X, inputs)
    with config_context(transform_output="pandas"):
        fitted = fit(estimator, inputs)
        found = results(fitted, X, inputs)
        table = fitted.transform(X)
    has_names = hasattr(fitted, "get_feature_names_out")
    if has_names:
        names = fitted.get_feature_names_out()
        assert len(set(names)) == len(names), f"{name} names two features alike."
        assert list(table.columns) == list(names)
        found["transform"] = list(table.to_numpy())
    assert_same_results(found, expected, "transform_output='pandas'")


def check_model_selection(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Cross-validation by groups and grid search go through, on arrays and on lists."""
    model = seeded(estimator)
    if not hasattr(estimator, "predict"):
        model = make_pipeline(model, DummyRegressor())
    X, y, groups = inputs.batch(), inputs.targets(estimator), inputs.groups
    scores = []
    for samples in (X, as_list(X)):
        scores.append(
            cross_val_score(model, samples, y, groups=groups, cv=GroupKFold(2), error_score="raise")
        )
        assert np.isfinite(scores[-1]).all()
    parameters = model.get_params(deep=True)
    parameter = next(
        (key for key, value in parameters.items() if value is None or np.isscalar(value)), None
    )
    if parameter is not None:
        grid = {parameter: [parameters[parameter]]}
        search = GridSearchCV(clone(model), grid, cv=GroupKFold(2), error_score="raise")
        search.fit(X, y, groups=groups)
        np.testing.assert_allclose(search.best_score_, np.mean(scores[0]))


def check_metadata(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Facts about samples reach fit through a pipeline, with metadata routing and without."""
    X, y = inputs.batch(), inputs.targets(estimator)
    known = {"condition": inputs.condition, "groups": inputs.groups}
    known["sample_weight"] = np.where(inputs.groups == 0, 3.0, 1.0)
    metadata = {key: value for key, value in known.items() if has_fit_parameter(estimator, key)}
    expected = results(fit(estimator, inputs, **metadata), X, inputs)
    step = type(estimator).__name__.lower()
    pipeline = make_pipeline(seeded(estimator))
    expected = {method: rows for method, rows in expected.items() if hasattr(pipeline, method)}
    by_name = {f"{step}__{key}": value for key, value in metadata.items()}
    found = results(clone(pipeline).fit(X, y, **by_name), X, inputs)
    assert_same_results(found, expected, "a pipeline with named metadata")
    # Weights would also need to be asked for by score, which is for users to decide.
    metadata.pop("sample_weight", None)
    by_name.pop(f"{step}__sample_weight", None)
    folds: dict[str, Any] = {"cv": GroupKFold(2), "error_score": "raise"}
    scores = cross_val_score(pipeline, X, y, groups=inputs.groups, params=by_name, **folds)
    with config_context(enable_metadata_routing=True):
        routed = results(clone(pipeline).fit(X, y, **metadata), X, inputs)
        routed_scores = cross_val_score(
            pipeline, X, y, params=metadata | {"groups": inputs.groups}, **folds
        )
    expected = results(clone(pipeline).fit(X, y, **by_name), X, inputs)
    assert_same_results(routed, expected, "a pipeline with metadata routing")
    np.testing.assert_array_equal(routed_scores, scores)
