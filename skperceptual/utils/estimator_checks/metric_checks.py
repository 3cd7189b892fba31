"""Checks of what a metric declares: what is best, which way it goes, how far, and symmetry."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skperceptual.utils.estimator_checks.inputs import CheckInputs, fit, results, seeded

_ROUNDING = 1e-9


def _scores(
    estimator: BaseEstimator, references: NDArray[Any], degraded: NDArray[Any], inputs: CheckInputs
) -> NDArray[np.float64]:
    """Score pairs with a metric that was fitted to the usual batch."""
    X = inputs.build(references, degraded)
    return np.asarray(fit(estimator, inputs).transform(X), dtype=np.float64)


def _loss(scores: NDArray[np.float64], estimator: Any) -> NDArray[np.float64]:
    return -scores if estimator.higher_is_better else scores


def check_identity_is_best(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """A copy of the reference gets the best value there is, and anything else a worse one."""
    references = inputs.sources()
    same = _scores(estimator, references, references.copy(), inputs)
    best = estimator.bounds[1 if estimator.higher_is_better else 0]
    assert np.isfinite(best), f"{name}.bounds has no finite best value."
    np.testing.assert_allclose(same, best, atol=_ROUNDING)
    noisy = references + 0.1 * inputs.noise(references)
    assert (
        _loss(_scores(estimator, references, noisy, inputs), estimator) > _loss(same, estimator)
    ).all()


def check_more_noise_is_worse(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """The value moves the way ``higher_is_better`` says, at every step of rising noise."""
    references = inputs.sources()
    noise = inputs.noise(references)
    losses = [
        _loss(_scores(estimator, references, references + severity * noise, inputs), estimator)
        for severity in (0.01, 0.03, 0.1, 0.3)
    ]
    rising = np.diff(np.stack(losses), axis=0) > 0
    assert rising.all(), (
        f"higher_is_better={estimator.higher_is_better}, but the values go the other way (or "
        f"nowhere) in {np.sum(~rising)} of {rising.size} steps of rising noise."
    )


def check_bounds(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """No pair, however different, gets a value beyond ``bounds``."""
    references = inputs.sources()
    zeros = np.zeros_like(references)
    noise = inputs.noise(references)
    low, high = estimator.bounds
    for degraded in (zeros, zeros + 1, -references, 1 - references, noise, references[::-1]):
        scores = _scores(estimator, references, degraded, inputs)
        assert np.isfinite(scores).all(), f"{name} gives a value that is not finite."
        assert ((scores >= low - _ROUNDING) & (scores <= high + _ROUNDING)).all(), (
            f"{name} gives values from {scores.min()} to {scores.max()}, beyond {estimator.bounds}."
        )


def check_symmetry(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Exchanging reference and degraded changes the value if and only if it is declared so."""
    references = inputs.sources()
    degraded = 0.7 * references + 0.1 * inputs.noise(references)
    forth = _scores(estimator, references, degraded, inputs)
    back = _scores(estimator, degraded, references, inputs)
    if estimator.symmetric:
        np.testing.assert_allclose(back, forth, rtol=_ROUNDING, atol=_ROUNDING)
    else:
        assert not np.allclose(back, forth), f"{name} is symmetric, but does not declare it."


def check_contributions(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """The parts by level and by band add up to the loss."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    values = np.asarray(fitted.transform(X))
    losses = 1 - values if getattr(estimator, "higher_is_better", False) else values
    for by in ("level", "band"):
        parts = fitted.contributions(X, by=by)
        assert parts.shape[0] == len(X)
        np.testing.assert_allclose(parts.sum(axis=1), losses[:, 0], rtol=1e-6, atol=_ROUNDING)
    assert parts.shape[1] == inputs.image_shape[0]


def check_constant_reference_warns(
    name: str, estimator: BaseEstimator, inputs: CheckInputs
) -> None:
    """A silent reference is reported with its row, and leaves the other rows alone."""
    X = inputs.batch()
    fitted = fit(estimator, inputs)
    expected = results(fitted, X, inputs)
    X[4, 0] = 0.25
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = results(fitted, X, inputs)
    messages = [str(entry.message) for entry in caught]
    assert any("constant" in message and "row 4 " in message for message in messages), messages
    for method, rows in expected.items():
        kept = [row for row in range(len(rows)) if row != 4]
        np.testing.assert_array_equal(
            [found[method][row] for row in kept], [rows[row] for row in kept]
        )


def check_distance(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """The method ``distance`` is 0 for a copy of the reference and rises with noise."""
    references = inputs.sources()
    noise = inputs.noise(references)
    fitted = fit(estimator, inputs)
    distances = [
        fitted.distance(inputs.build(references, references + severity * noise))
        for severity in (0.0, 0.03, 0.1, 0.3)
    ]
    np.testing.assert_allclose(distances[0], 0, atol=_ROUNDING)
    assert (np.diff(np.stack(distances), axis=0) > 0).all()


def check_distance_of_sets(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """The distance of a set is one number, least for the reference set, and rises with noise."""
    references = inputs.sources()
    noise = inputs.noise(references)
    fitted = seeded(estimator).fit(references)
    distances = [fitted.distance(references + level * noise) for level in (0.0, 0.03, 0.1, 0.3)]
    assert all(type(distance) is float for distance in distances)
    assert (np.diff(distances) > 0).all(), f"{name} gives {distances} for rising noise."


def check_ratings_fall_with_noise(name: str, estimator: BaseEstimator, inputs: CheckInputs) -> None:
    """Predicted ratings follow those that it was fitted to, and fall with noise."""
    fitted = fit(estimator, inputs)
    predicted = fitted.predict(inputs.batch())
    assert predicted.shape == inputs.ratings.shape
    assert np.corrcoef(predicted, inputs.ratings)[0, 1] > 0.5
    references = inputs.sources()
    noise = inputs.noise(references)
    better, worse = (
        fitted.predict(inputs.build(references, references + severity * noise))
        for severity in (0.03, 0.3)
    )
    assert (better > worse).all(), f"{name} predicts better ratings for more noise."
