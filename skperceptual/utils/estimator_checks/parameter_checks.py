"""Checks of the parameters, which need no data that make sense."""

from __future__ import annotations

import inspect
from functools import partial

from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from skperceptual.utils.estimator_checks.inputs import CheckInputs, calls_on, message_of


class _NoParameter:
    """A value that no parameter accepts."""


def check_constraints(name: str, estimator: BaseEstimator) -> None:
    """Every parameter declares what it may be, and its default is among that."""
    parameters = inspect.signature(type(estimator)).parameters
    if not parameters:
        return
    constraints = getattr(type(estimator), "_parameter_constraints", {})
    assert set(constraints) == set(parameters), (
        f"_parameter_constraints and __init__ of {name} differ in "
        f"{sorted(set(constraints) ^ set(parameters))}."
    )
    required = {
        key: getattr(estimator, key) for key, p in parameters.items() if p.default is p.empty
    }
    type(estimator)(**required)._validate_params()
    estimator._validate_params()


def check_wrong_parameters_refused(
    name: str, estimator: BaseEstimator, inputs: CheckInputs
) -> None:
    """A wrong parameter is refused by name, also where nobody calls fit."""
    X, y = inputs.batch(), inputs.targets(estimator)
    constraints = getattr(type(estimator), "_parameter_constraints", {})
    for parameter, allowed in constraints.items():
        if allowed == "no_validation":
            continue
        wrong = clone(estimator).set_params(**{parameter: _NoParameter()})
        calls = {"fit": partial(wrong.fit, X, y)}
        if not get_tags(estimator).requires_fit:
            calls |= calls_on(wrong, X, inputs)
        for method, call in calls.items():
            message = message_of(call, f"a wrong {parameter} in {method}")
            assert f"'{parameter}' parameter of {name}" in message, (
                f"{method} refuses a wrong {parameter} without naming it: {message}"
            )
