"""Docstrings say what the code does: parameters, fitted attributes, and an example that runs.

The examples themselves are run as doctests.
"""

from __future__ import annotations

import importlib.util
import inspect
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import ERROR_MSGS, validate
from sklearn.base import BaseEstimator, clone

import skperceptual
from skperceptual.utils.estimator_checks import SMALL_SIZES, all_estimators, small_estimators
from skperceptual.utils.estimator_checks.inputs import CheckInputs, fit, kinds_read_by

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
EXCLUDED = set(CONFIG["tool"]["numpydoc_validation"]["checks"]) - {"all"}


def load_api_pages():
    """Load the documentation's list of what is public: the tests hold exactly that to account."""
    path = REPOSITORY / "docs" / "_ext" / "api_pages.py"
    spec = importlib.util.spec_from_file_location("api_pages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


API = load_api_pages()
PUBLIC = API.public_objects()
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}
ESTIMATORS = dict(all_estimators())


def public_methods() -> dict[str, object]:
    """Give every public method that this package defines, once, by its full name."""
    methods = {}
    seen = set()
    for name, cls in CLASSES.items():
        for attribute, member in inspect.getmembers(cls):
            is_method = inspect.isroutine(member) or isinstance(member, property)
            is_ours = is_method and API.defined_here(member) and not attribute.startswith("_")
            if is_ours and member not in seen:
                seen.add(member)
                methods[f"{name}.{attribute}"] = member
    return methods


def sections(value: object) -> NumpyDocString:
    return NumpyDocString(inspect.getdoc(value) or "")


def documented(value: object, section: str) -> list[str]:
    names = [parameter.name for parameter in sections(value)[section]]
    return [name.strip() for entry in names for name in entry.split(",")]


def test_documentation_lists_every_public_name():
    names = {name.rpartition(".")[2] for names in API.public_names().values() for name in names}
    exported = {
        name
        for name in skperceptual.__all__
        if not inspect.ismodule(getattr(skperceptual, name)) and not name.startswith("__")
    }
    assert exported <= names
    for module in API.public_modules().values():
        assert set(getattr(module, "__all__", ())) <= names


@pytest.mark.parametrize("name", PUBLIC)
def test_public_object_keeps_to_numpydoc(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in EXCLUDED]
    assert errors == []


@pytest.mark.parametrize("name", public_methods())
def test_public_method_keeps_to_numpydoc(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in EXCLUDED]
    assert errors == []


def test_excluded_checks_exist():
    assert set(ERROR_MSGS) >= EXCLUDED


@pytest.mark.parametrize("name", [n for n, c in CLASSES.items() if not issubclass(c, Exception)])
def test_parameters_are_those_of_init(name):
    assert documented(CLASSES[name], "Parameters") == list(
        inspect.signature(CLASSES[name]).parameters
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_public_object_has_an_example(name):
    assert any(line.lstrip().startswith(">>> ") for line in sections(PUBLIC[name])["Examples"])


def fitted_versions(name: str) -> list[BaseEstimator]:
    """Fit an estimator in each of its ways of working, to each kind of data that it reads."""
    estimators = small_estimators(ESTIMATORS[name])
    if name in ("LoadAudio", "RatingMapping"):  # what these read is no audio: file names, values
        X = {"LoadAudio": np.array(["a.wav", "b.wav"]), "RatingMapping": np.arange(8.0)}[name]
        return [clone(estimator).fit(X, np.arange(len(X)) ** 1.5) for estimator in estimators]
    return [
        fit(estimator, CheckInputs(kind, **SMALL_SIZES))
        for estimator in estimators
        for kind in kinds_read_by(estimator)
    ]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_documented_attributes_are_the_fitted_ones(name):
    versions = fitted_versions(name)
    assert versions, f"no data to fit {name} to: it declares no kind of X that it reads"
    # scikit-learn sets these two on every estimator, the second one for tables only
    everywhere = {"n_features_in_", "feature_names_in_"}
    fitted = {n for e in versions for n in vars(e) if n.endswith("_") and not n.startswith("_")}
    names = set(documented(ESTIMATORS[name], "Attributes"))
    assert {n for n in names if n.endswith("_")} - everywhere == fitted - everywhere
    assert [n for n in names - everywhere if not any(hasattr(e, n) for e in versions)] == []
