"""Checks of what an estimator takes for X: forms, types, damage, layouts in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skperceptual.utils.estimator_checks.inputs import (
    CheckInputs,
    as_list,
    assert_refused,
    assert_same_results,
    calls_on,
    concatenate,
    fit,
    map_arrays,
    message_of,
    parts_of,
    results,
    seeded,
    take,
)

# float32 holds seven digits; logarithms of quiet bands and sums over a clip cost up to four.
_FLOAT32_TOLERANCE = 1e-3


def check_wrong_shapes_refused(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """A wrong rank or a swapped axis is refused with the shape that came."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    input_tags = get_tags(estimator).input_tags
    if inputs.has_pyramids:
        for array in (np.asarray(X), X.levels[0]):
            assert_refused(fitted, array, inputs, "Pyramid", "ndarray")
        if not input_tags.pyramids:
            singles = map_arrays(lambda level: level[:, 0], X)
            assert_refused(fitted, singles, inputs, "pairs")
        return
    wrong = [X.reshape(-1), X[np.newaxis]]
    if inputs.has_pairs:
        wrong += [np.moveaxis(X, 1, -1), X.swapaxes(0, 1), np.concatenate([X, X[:, :1]], axis=1)]
        if not (input_tags.signals or input_tags.images):
            wrong += [X[:, 0], X[..., 0]]
    for array in wrong:
        assert_refused(fitted, array, inputs, "xpected", str(array.shape))
    words = np.array([["a.wav"], ["b.wav"]])
    assert_refused(fitted, words, inputs, "LoadAudio")


def check_other_shapes_refused(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Samples of another shape than those of fit are refused with both shapes."""
    X, longer = inputs.batch(), inputs.batch(extra=3)
    fitted = fit(estimator, inputs)
    if inputs.has_pyramids:
        needles = [str(np.asarray(pyramid).shape[1]) for pyramid in (X, longer)]
    else:
        needles = [str(array.shape[-1]) for array in (X, longer)]
    for method, call in calls_on(fitted, longer, inputs).items():
        message = message_of(call, f"{method} of longer clips")
        assert all(needle in message for needle in needles), message


def check_swapped_axes_explained(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Pairs of signals with time or samples on the wrong axis are told how to turn them."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    assert_refused(fitted, np.moveaxis(X, 1, -1), inputs, "X.transpose(0, 2, 1)")
    assert_refused(fitted, X.swapaxes(0, 1), inputs, "X.transpose(1, 0, 2)")


def check_integers_refused(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Integers, whose full scale nobody can know, are refused with the fix."""
    X = map_arrays(lambda array: (100 * array).astype(np.int16), inputs.batch())
    fix = "X / 32768" if inputs.kind.startswith("signal") else "[0, 1]"
    fitted = fit(estimator, inputs)
    assert_refused(fitted, X, inputs, "int16", fix)
    assert_refused(fitted, as_list(X), inputs, "int16", fix)


def check_damage_refused(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """NaN and infinity are refused with the row that holds them."""
    fitted = fit(estimator, inputs)
    for value, word in ((np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")):

        def damage(array: NDArray[Any], value: float = value) -> NDArray[Any]:
            damaged = array.copy()
            damaged[7, ..., -1] = value
            return damaged

        X = map_arrays(damage, inputs.batch())
        assert_refused(fitted, X, inputs, word, " 7 ")
        assert_refused(fitted, as_list(X), inputs, word, " 7 ")


def check_nothing_refused(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """No samples at all, and samples without content, are refused."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    assert_refused(fitted, take(X, np.arange(0)), inputs, "0 sample")
    if not inputs.has_pyramids:
        assert_refused(fitted, [], inputs, "0 sample")
        assert_refused(fitted, X[..., :0], inputs, "minimum of 1 is required")
        items = [*X[:5], X[5][..., :0], *X[6:]]
        assert_refused(fitted, items, inputs, " 5 ")


def check_unequal_pairs(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """A reference longer than its degraded version is taken, or refused with the fix."""
    long = inputs.sources(extra=5)
    short = inputs.sources()
    X = [*inputs.batch()[:8], *zip(long, short, strict=True)]
    if inputs.kind == "signal_pairs":
        try:
            rows = results(fit(estimator, inputs, X), X, inputs)
        except ValueError:
            pass
        else:
            assert all(len(entries) == len(X) for entries in rows.values())
            return
    needles = str(long[0].shape), str(short[0].shape), "pair 8", "FixDuration"
    assert_refused(fit(estimator, inputs), X, inputs, *needles)


def check_lists_equal_arrays(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """A list gives the results of the array, and clips of other lengths do not change them."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    expected = results(fitted, X, inputs)
    assert_same_results(results(fitted, as_list(X), inputs), expected, "a list")
    from_list = fit(estimator, inputs, as_list(X))
    assert_same_results(results(from_list, X, inputs), expected, "X after fitting to a list")
    if isinstance(X, np.ndarray):
        assert_same_results(results(fitted, tuple(X), inputs), expected, "a tuple")


def check_other_lengths_after_fit(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Clips may be longer or shorter than those of fit, also within one list."""
    fitted = fit(estimator, inputs)
    batches = [inputs.batch(), inputs.batch(extra=3), inputs.batch(extra=-1)]
    alone = [results(fitted, X, inputs) for X in batches]
    expected = {method: [row for found in alone for row in found[method]] for method in alone[0]}
    mixed = concatenate(batches)
    assert_same_results(results(fitted, mixed, inputs), expected, "clips of three lengths")


def check_float32(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Nothing but digits changes from float64 to float32, and transform keeps the type.

    What transform gives in a type of its own, such as codes, has no digits to lose.
    """
    fitted = fit(estimator, inputs)
    tags = get_tags(estimator).transformer_tags
    keeps_type = tags is None or bool(tags.preserves_dtype)
    wide = results(fitted, inputs.batch(), inputs)
    narrow = results(fitted, inputs.batch(dtype=np.float32), inputs)
    for method, rows in wide.items():
        for row, other in zip(rows, narrow[method], strict=True):
            for part, narrow_part in zip(parts_of(row), parts_of(other), strict=True):
                scale = max(1.0, float(np.abs(part).max(initial=0.0)))
                assert np.abs(narrow_part - part).max(initial=0.0) < _FLOAT32_TOLERANCE * scale, (
                    f"{method} differs between float32 and float64 by more than digits."
                )
                if method == "transform" and keeps_type:
                    kept = str(narrow_part.real.dtype), str(part.real.dtype)
                    assert kept == ("float32", "float64"), f"transform gave the types {kept}"
    fit(estimator, inputs, inputs.batch(dtype=np.float32))


def check_inputs_unchanged(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """X is left as it was, and may be read-only or mapped from a file."""
    X = inputs.batch()
    before = joblib.hash(X)
    fitted = fit(estimator, inputs, X)
    expected = results(fitted, X, inputs)
    assert joblib.hash(X) == before, f"{name} changed its input."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X.joblib")
        joblib.dump(X, path)
        mapped = joblib.load(path, mmap_mode="r")
        from_file = fit(estimator, inputs, mapped)
        found = results(from_file, mapped, inputs)
        del mapped, from_file  # Windows keeps files that are still mapped
    assert_same_results(found, expected, "a memory map")


def check_memory_layouts(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Where and how the numbers lie in memory makes no difference, to the last bit."""

    def strided(array: NDArray[Any]) -> NDArray[Any]:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
        wide[..., ::2] = array
        return wide[..., ::2]

    X = inputs.batch()
    fitted = fit(estimator, inputs)
    expected = results(fitted, X, inputs)
    layouts: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
        "a Fortran-ordered array": np.asfortranarray,
        "every second number": strided,
        "a reversed view": lambda array: array[..., ::-1].copy()[..., ::-1],
        "big-endian numbers": lambda array: array.astype(">f8"),
    }
    for what, layout in layouts.items():
        found = results(fitted, map_arrays(layout, X), inputs)
        assert_same_results(found, expected, what)
    again = fit(estimator, inputs, map_arrays(strided, X))
    assert_same_results(results(again, X, inputs), expected, "X after fitting to a strided array")


def check_unfitted(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """What needs no fit works without, and what needs one says so."""
    X = inputs.batch()
    unfitted = seeded(estimator)
    if not get_tags(estimator).requires_fit:
        expected = results(fit(estimator, inputs), X, inputs)
        assert_same_results(results(unfitted, X, inputs), expected, "the unfitted estimator")
        return
    for method, call in calls_on(unfitted, X, inputs).items():
        message = message_of(call, f"{method} of an unfitted {name}")
        assert "not fitted" in message, f"{method} of an unfitted {name} says: {message}"
