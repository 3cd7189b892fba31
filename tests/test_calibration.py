"""The mapping from metric to ratings: its curves and their inverse."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from hypothesis import given, settings, strategies as st
from sklearn.base import clone
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skperceptual import RatingMapping

DATA = Path(__file__).resolve().parent / "data"
KINDS = pytest.mark.parametrize("kind", ["linear", "cubic", "logistic", "isotonic"])
DIRECTIONS = pytest.mark.parametrize("increasing", [True, False])
P1401 = json.loads((DATA / "p1401_small_table.json").read_text())


def ratings_of(rng, n=60, *, increasing=True):
    x = rng.uniform(0.1, 0.9, n)
    ratings = 3 + (1 if increasing else -1) * 1.6 * np.tanh(5 * (x - 0.45))
    return x, ratings + 0.15 * rng.normal(size=n)


def loss(mapping, x, y, weights=1.0):
    return float(np.sum(weights * (mapping.predict(x) - y) ** 2))


# What each kind fits ---------------------------------------------------------------------------


def test_linear_equals_the_printed_table():
    x, y = P1401["prediction"], P1401["mos"]
    mapping = RatingMapping().fit(x, y)
    expected = P1401["first_order"]
    np.testing.assert_allclose(mapping.predict(x), expected["mapped"], rtol=1e-12)
    assert mapping.coef_[1] == pytest.approx(expected["slope"])
    assert mapping.coef_[0] - mapping.coef_[1] * mapping.center_ == pytest.approx(
        expected["intercept"]
    )


def test_cubic_equals_the_printed_table():
    x, y = np.array(P1401["prediction"]), np.array(P1401["mos"])
    mapping = RatingMapping("cubic").fit(x, y)
    expected = P1401["third_order"]
    np.testing.assert_allclose(mapping.predict(x), expected["mapped"], rtol=1e-12)
    assert loss(mapping, x, y) == pytest.approx(expected["sse"], rel=1e-9)
    shifted = np.polynomial.Polynomial(mapping.coef_)(
        np.polynomial.Polynomial([-mapping.center_, 1])
    )
    np.testing.assert_allclose(shifted.coef, expected["coef_increasing_power"], rtol=1e-9)


def test_mappings_equal_the_conformance_values(shared):
    cases = json.loads((shared / "cases" / "rating_statistics.json").read_text())
    case = cases["p1401_small_table"]
    x, y = case["input"]["prediction"], case["input"]["mos"]
    for kind, name in [("linear", "first_order"), ("cubic", "third_order_monotone")]:
        found = RatingMapping(kind).fit(x, y).predict(x)
        np.testing.assert_allclose(found, case["expect"][name]["mapped"], rtol=1e-6)
    # Noiseless ratings from a known curve give that curve back.
    x = cases["vqeg_logistic"]["input"]["x"]
    mapping = RatingMapping("logistic").fit(x, cases["vqeg_logistic"]["expect"]["logistic4"])
    np.testing.assert_allclose(mapping.coef_, cases["vqeg_logistic"]["input"]["beta4"], rtol=1e-6)


def test_linear_equals_weighted_least_squares(rng):
    x, y = ratings_of(rng)
    weights = rng.random(60)
    reference = LinearRegression().fit(x[:, None], y, weights)
    found = RatingMapping().fit(x, y, weights).predict([0.0, 0.5, 1.0])
    np.testing.assert_allclose(found, reference.predict([[0.0], [0.5], [1.0]]), rtol=1e-10)


def constrained_cubic_loss(x, y, weights, *, increasing):
    """P.1401's third-order mapping the usual way: SLSQP with the derivative held on a grid."""
    sign = 1 if increasing else -1
    z = 2 * (x - x.min()) / np.ptp(x) - 1
    powers = np.vander(z, 4, increasing=True)
    grid = np.linspace(-1, 1, 801)
    slopes = sign * np.stack([0 * grid, np.ones_like(grid), 2 * grid, 3 * grid**2], axis=1)
    result = scipy.optimize.minimize(
        lambda c: np.sum(weights * (powers @ c - y) ** 2),
        [y.mean(), sign * 0.1, 0, 0],
        jac=lambda c: 2 * powers.T @ (weights * (powers @ c - y)),
        constraints={"type": "ineq", "fun": lambda c: slopes @ c, "jac": lambda _: slopes},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    return result.fun


@DIRECTIONS
@pytest.mark.parametrize("shape", ["saturating", "wavy", "falling", "noise", "ends"])
@pytest.mark.parametrize("seed", range(4))
def test_cubic_is_the_best_monotone_cubic(shape, seed, increasing):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(1, 5, 25))
    z = (x - 3) / 2
    curve = {
        "saturating": np.tanh(4 * z),
        "wavy": 0.4 * z + np.sin(4 * z),
        "falling": -z,
        "noise": 0 * z,
        "ends": 4 * z**3 - 3 * z,  # rises at the ends and falls between
    }[shape]
    y = 3 + curve + 0.1 * rng.normal(size=25)
    weights = rng.uniform(0.2, 3, 25)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mapping is constant")
        mapping = RatingMapping("cubic", increasing=increasing).fit(x, y, weights)
    total = np.sum(weights * (y - np.average(y, weights=weights)) ** 2)
    reference = constrained_cubic_loss(x, y, weights, increasing=increasing)
    # SLSQP steps over its constraints by up to 1e-7 or so.
    assert loss(mapping, x, y, weights) <= reference + 1e-6 * total
    assert loss(mapping, x, y, weights) >= reference - 1e-3 * total
    steps = np.diff(mapping.predict(np.linspace(0, 6, 2001)))
    assert (steps if increasing else -steps).min() >= -1e-12


def test_cubic_constraint_bites_where_the_free_cubic_turns():
    x = np.linspace(1, 5, 12)
    y = 3 + np.tanh(3 * (x - 2))
    free = np.polynomial.Polynomial.fit(x, y, 3)
    assert free.deriv()(np.linspace(1, 5, 99)).min() < -0.05
    mapping = RatingMapping("cubic").fit(x, y)
    assert np.diff(mapping.predict(np.linspace(1, 5, 999))).min() >= -1e-12
    assert loss(mapping, x, y) > np.sum((free(x) - y) ** 2)
    assert loss(mapping, x, y) < loss(RatingMapping().fit(x, y), x, y)


@DIRECTIONS
def test_cubic_goes_on_straight_beyond_the_training_range(rng, increasing):
    x, y = ratings_of(rng, increasing=increasing)
    mapping = RatingMapping("cubic").fit(x, y)
    low, high = mapping.x_range_
    for end, direction in ((low, -1), (high, 1)):
        beyond = mapping.predict(end + direction * np.array([0.0, 0.5, 1.0, 10.0]))
        slope = (beyond[3] - beyond[0]) / 10
        np.testing.assert_allclose(beyond - beyond[0], slope * np.array([0, 0.5, 1, 10]), atol=1e-9)
        inside = mapping.predict([end - direction * 1e-5])[0]
        assert (beyond[0] - inside) / 1e-5 == pytest.approx(slope, abs=1e-2)


@DIRECTIONS
def test_logistic_recovers_a_known_curve(increasing):
    x = np.linspace(20, 80, 25)
    b1, b2, b3, b4 = (4.7, 1.2, 44.0, 6.0) if increasing else (1.2, 4.7, 44.0, 6.0)
    y = b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / b4))
    mapping = RatingMapping("logistic").fit(x, y)
    np.testing.assert_allclose(mapping.coef_, [b1, b2, b3, b4], rtol=1e-6)
    np.testing.assert_allclose(mapping.predict([-1e9, 1e9]), [b2, b1], rtol=1e-6)


def test_logistic_is_as_good_as_curve_fit_from_many_starts(rng):
    def curve(x, b1, b2, b3, b4):
        return b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / abs(b4)))

    for _ in range(5):
        x, y = ratings_of(rng, 30)
        y = y + 0.4 * rng.normal(size=30)
        losses = []
        for middle in (0.2, 0.45, 0.7):
            start = [y.max(), y.min(), middle, x.std() / 4]
            try:
                found, _ = scipy.optimize.curve_fit(curve, x, y, start, maxfev=10_000)
            except RuntimeError:
                continue
            losses.append(np.sum((curve(x, *found) - y) ** 2))
        found = loss(RatingMapping("logistic").fit(x, y), x, y)
        assert found <= min(losses) * (1 + 1e-6)


def test_logistic_stands_perfectly_separated_and_straight_data():
    x = np.linspace(0, 1, 20)
    step = RatingMapping("logistic").fit(x, np.where(x < 0.5, 2.0, 4.0))
    np.testing.assert_allclose(step.predict([0.0, 0.3, 0.7, 1.0]), [2, 2, 4, 4], atol=1e-2)
    straight = RatingMapping("logistic").fit(x, 1 + 4 * x)
    np.testing.assert_allclose(straight.predict(x), 1 + 4 * x, atol=0.01)
    assert np.isfinite(straight.coef_).all()
    # One sample at the end cannot pull a level out of all bounds.
    outlier = RatingMapping("logistic").fit(x, np.where(x == 1, 5.0, 1.0))
    assert outlier.predict([100.0])[0] < 5 + 20 * 4


# The five-parameter logistic is no monotone curve, so it has tests of its own.


def vqeg_curve(x, b1, b2, b3, b4, b5):
    return b1 * (0.5 - 1 / (1 + np.exp(b2 * (x - b3)))) + b4 * x + b5


@DIRECTIONS
@pytest.mark.parametrize("slope", [0.6, -0.6])
def test_logistic5_recovers_a_known_curve(increasing, slope):
    x = np.linspace(0, 1, 21)
    beta = [3.0 if increasing else -3.0, 9.0, 0.55, slope, 2.7]
    mapping = RatingMapping("logistic5").fit(x, vqeg_curve(x, *beta))
    np.testing.assert_allclose(mapping.coef_, beta, rtol=1e-6)
    assert mapping.increasing_ is increasing
    grid = np.linspace(-1, 2, 30)
    np.testing.assert_allclose(mapping.predict(grid), vqeg_curve(grid, *beta), rtol=1e-6)


def test_logistic5_equals_the_conformance_values(shared):
    cases = json.loads((shared / "cases" / "rating_statistics.json").read_text())
    case = cases["vqeg_logistic"]
    mapping = RatingMapping("logistic5").fit(case["input"]["x"], case["expect"]["logistic5"])
    np.testing.assert_allclose(mapping.coef_, case["input"]["beta5"], rtol=1e-6)
    np.testing.assert_allclose(
        mapping.predict(case["input"]["x"]), case["expect"]["logistic5"], rtol=1e-6
    )


def test_logistic5_is_as_good_as_the_best_of_a_fine_grid(rng):
    for _ in range(3):
        x, y = ratings_of(rng, 40)
        y = y + 0.4 * rng.normal(size=40)
        losses = []
        for steepness in np.geomspace(1.0, 100.0, 30):
            for middle in np.linspace(0.0, 1.0, 60):
                bend = 0.5 - 1 / (1 + np.exp(steepness * (x - middle)))
                columns = np.column_stack([bend, x, np.ones(40)])
                found = np.linalg.lstsq(columns, y, rcond=None)[0]
                if 0 <= found[0] <= 20 * np.ptp(y):
                    losses.append(np.sum((columns @ found - y) ** 2))
        assert loss(RatingMapping("logistic5").fit(x, y), x, y) <= min(losses) * (1 + 1e-6)


def test_logistic5_fits_no_worse_than_the_curves_within_it(rng):
    x, y = ratings_of(rng)
    found = loss(RatingMapping("logistic5").fit(x, y), x, y)
    assert found <= loss(RatingMapping("logistic").fit(x, y), x, y) * (1 + 1e-9)
    assert found <= loss(RatingMapping().fit(x, y), x, y) * (1 + 1e-9)
    # A line alone is left where the logistic may not run as the ratings do.
    falling = RatingMapping("logistic5", increasing=True).fit(x, 5 - 2 * x)
    np.testing.assert_allclose(falling.predict(x), 5 - 2 * x, atol=1e-9)


def test_logistic5_may_turn_and_has_no_inverse(rng):
    x = np.linspace(0, 1, 30)
    mapping = RatingMapping("logistic5").fit(x, vqeg_curve(x, 3.0, 20.0, 0.5, -1.5, 3.0))
    steps = np.diff(mapping.predict(x))
    assert steps.min() < -0.01
    assert steps.max() > 0.01
    with pytest.raises(ValueError, match=r"'logistic5'.* has no inverse"):
        mapping.inverse([3.0])


def test_logistic5_turns_repeats_and_scales_as_the_others(rng):
    x, y = ratings_of(rng)
    grid = np.linspace(0.1, 0.9, 30)
    expected = RatingMapping("logistic5").fit(x, y).predict(grid)
    falling = RatingMapping("logistic5").fit(-x, y)
    assert not falling.increasing_
    np.testing.assert_allclose(falling.predict(-grid), expected, rtol=1e-6)
    moved = RatingMapping("logistic5").fit(1e5 * x - 3e5, y).predict(1e5 * grid - 3e5)
    np.testing.assert_allclose(moved, expected, rtol=1e-6)
    weights = rng.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weights)
    np.testing.assert_allclose(
        RatingMapping("logistic5").fit(x, y, weights).predict(grid),
        RatingMapping("logistic5").fit(x[rows], y[rows]).predict(grid),
        rtol=1e-6,
    )


def test_logistic5_of_equal_ratings_and_few_samples():
    with pytest.warns(UserWarning, match="constant, 3 .*all ratings are equal"):
        mapping = RatingMapping("logistic5").fit(np.arange(8.0), np.full(8, 3.0))
    np.testing.assert_array_equal(mapping.predict([-5.0, 3.0, 99.0]), 3.0)
    with pytest.raises(ValueError, match="a minimum of 5 is required"):
        RatingMapping("logistic5").fit(np.arange(4.0), np.arange(4.0))
    with pytest.raises(ValueError, match=r"5 different metric values, got 8 samples and 4 values"):
        RatingMapping("logistic5").fit(np.arange(8.0) // 2, np.arange(8.0))


@pytest.mark.parametrize(
    ("kind", "expected"), [("linear", 2), ("cubic", 4), ("logistic", 4), ("logistic5", 5)]
)
def test_parameters_are_counted(kind, expected, rng):
    x, y = ratings_of(rng)
    assert RatingMapping(kind).fit(x, y).n_parameters_ == expected


def test_parameters_of_isotonic_are_its_levels():
    mapping = RatingMapping("isotonic").fit([1, 2, 3, 4, 5, 6], [1.0, 2.0, 1.0, 3.0, 4.0, 4.0])
    assert mapping.n_parameters_ == 4  # 1, 1.5, 3 and 4


@DIRECTIONS
def test_isotonic_equals_scikit_learn(rng, increasing):
    x, y = ratings_of(rng, increasing=increasing)
    weights = rng.random(60)
    grid = np.linspace(0, 1, 50)
    reference = IsotonicRegression(increasing=increasing, out_of_bounds="clip").fit(x, y, weights)
    found = RatingMapping("isotonic").fit(x, y, weights).predict(grid)
    np.testing.assert_allclose(found, reference.predict(grid), rtol=1e-12)


# What holds for all kinds ----------------------------------------------------------------------


@KINDS
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1e-6, 1.0, 1e6]))
def test_mapping_never_changes_the_order(kind, seed, increasing, scale):
    rng = np.random.default_rng(seed)
    x = scale * (5 + rng.normal(size=12))
    y = rng.normal(size=12) + (1 if increasing else -1) * x / scale
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mapping is constant")
        mapping = RatingMapping(kind, increasing=increasing).fit(x, y)
    grid = np.linspace(x.min() - scale, x.max() + scale, 500)
    steps = np.diff(mapping.predict(grid)) * (1 if increasing else -1)
    assert steps.min() >= -1e-10
    assert mapping.increasing_ is increasing


@KINDS
def test_turning_the_metric_around_turns_the_mapping_around(kind, rng):
    x, y = ratings_of(rng)
    rising, falling = RatingMapping(kind).fit(x, y), RatingMapping(kind).fit(-x, y)
    assert rising.increasing_ is True
    assert falling.increasing_ is False
    grid = np.linspace(0, 1, 40)
    np.testing.assert_allclose(falling.predict(-grid), rising.predict(grid), rtol=1e-7)


@KINDS
@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0.0), (1e5, 0.0), (1.0, 1e6), (80.0, -80.0)])
def test_units_of_the_metric_do_not_matter(kind, factor, shift, rng):
    x, y = ratings_of(rng)
    grid = np.linspace(0.2, 0.8, 30)
    first = RatingMapping(kind).fit(x, y).predict(grid)
    second = RatingMapping(kind).fit(factor * x + shift, y).predict(factor * grid + shift)
    np.testing.assert_allclose(second, first, rtol=1e-6)


@KINDS
def test_whole_weights_repeat_samples(kind, rng):
    x, y = ratings_of(rng)
    weights = rng.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weights)
    grid = np.linspace(0, 1, 30)
    weighted = RatingMapping(kind).fit(x, y, weights)
    repeated = RatingMapping(kind).fit(x[rows], y[rows])
    np.testing.assert_allclose(weighted.predict(grid), repeated.predict(grid), rtol=1e-7)
    np.testing.assert_array_equal(weighted.x_range_, repeated.x_range_)


@KINDS
def test_columns_series_and_frames_are_read_alike(kind, rng):
    x, y = ratings_of(rng)
    expected = RatingMapping(kind).fit(x, y).predict(x)
    for given_x in (x[:, None], list(x), pd.Series(x), pd.DataFrame({"nlpd": x})):
        mapping = RatingMapping(kind).fit(given_x, y)
        np.testing.assert_array_equal(mapping.predict(given_x), expected)
        assert mapping.n_features_in_ == 1
    assert list(mapping.feature_names_in_) == ["nlpd"]


@KINDS
def test_float32_stays_float32(kind, rng):
    x, y = ratings_of(rng)
    mapping = RatingMapping(kind).fit(x.astype(np.float32), y.astype(np.float32))
    predicted = mapping.predict(x.astype(np.float32))
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, RatingMapping(kind).fit(x, y).predict(x), rtol=1e-4)
    assert mapping.inverse(predicted).dtype == np.float32
    assert np.isfinite(mapping.inverse(predicted)).all()


@KINDS
def test_fitted_state_is_plain_and_survives_pickling(kind, rng):
    x, y = ratings_of(rng)
    mapping = RatingMapping(kind).fit(x, y)
    state = {name: value for name, value in vars(mapping).items() if name.endswith("_")}
    assert {"increasing_", "x_range_", "n_features_in_"} < set(state)
    assert all(isinstance(value, (bool, int, float, np.ndarray)) for value in state.values())
    copy = pickle.loads(pickle.dumps(mapping))
    np.testing.assert_array_equal(copy.predict(x), mapping.predict(x))


@KINDS
def test_mapping_ends_a_pipeline_and_is_searched(kind, rng):
    x, y = ratings_of(rng)
    pipe = make_pipeline(FunctionTransformer(np.negative), RatingMapping(kind))
    predicted = cross_val_predict(pipe, x[:, None], y, cv=4)
    assert np.corrcoef(predicted, y)[0, 1] > 0.95
    assert clone(pipe).fit(x[:, None], y).score(x[:, None], y) > 0.9
    grid = {"ratingmapping__kind": ["linear", "cubic", "logistic", "logistic5", "isotonic"]}
    search = GridSearchCV(pipe, grid, cv=4).fit(x[:, None], y)
    assert search.best_params_["ratingmapping__kind"] != "linear"


# The inverse -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "cubic", "logistic"])
@DIRECTIONS
def test_inverse_is_exact_where_the_curve_is_not_flat(kind, increasing, rng):
    x = rng.uniform(0.1, 0.9, 40)
    y = 3 + (1 if increasing else -1) * np.tanh(1.5 * (x - 0.5))
    mapping = RatingMapping(kind).fit(x, y)
    beyond = np.array([-0.1, 0.0, 1.0, 1.1])  # outside the training range
    values = np.r_[x, mapping.x_range_, beyond]
    np.testing.assert_allclose(mapping.inverse(mapping.predict(values)), values, atol=1e-9)


@DIRECTIONS
def test_inverse_of_isotonic_takes_the_middle_of_flat_parts(increasing):
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    y = np.array([1.0, 2.0, 2.0, 4.0, 4.0])
    if not increasing:
        y = y[::-1]
    mapping = RatingMapping("isotonic").fit(x, y)
    found = mapping.inverse([1.0, 1.5, 2.0, 3.0, 4.0])
    expected = np.array([0.0, 0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(found, expected if increasing else 4 - expected, atol=1e-12)


@KINDS
@DIRECTIONS
def test_predicting_the_inverse_gives_the_rating_back(kind, increasing, rng):
    x, y = ratings_of(rng, increasing=increasing)
    mapping = RatingMapping(kind).fit(x, y)
    low, high = np.sort(mapping.predict(mapping.x_range_))
    ratings = np.linspace(low, high, 101)
    np.testing.assert_allclose(mapping.predict(mapping.inverse(ratings)), ratings, atol=1e-9)


@pytest.mark.parametrize("kind", ["logistic", "isotonic"])
def test_ratings_out_of_reach_give_nan_with_a_warning(kind, rng):
    x, y = ratings_of(rng)
    mapping = RatingMapping(kind).fit(x, y)
    with pytest.warns(UserWarning, match="2 of 3 ratings give NaN: the mapping reaches") as record:
        found = mapping.inverse([0.5, 3.0, 5.5])
    assert record[0].filename == __file__
    np.testing.assert_array_equal(np.isnan(found), [True, False, True])


@DIRECTIONS
def test_cubic_with_a_flat_end_reaches_no_further(increasing):
    x = np.linspace(0, 1, 30)
    y = (-1 if increasing else 1) * (x - 0.8) ** 2  # turns before its end
    mapping = RatingMapping("cubic").fit(x, y)
    end = mapping.predict([1.0])[0]
    np.testing.assert_array_equal(mapping.predict([1.5, 9.0]), end)
    assert mapping.inverse([end])[0] == 1.0
    sign = 1 if increasing else -1
    with pytest.warns(UserWarning, match="1 of 2 ratings give NaN"):
        found = mapping.inverse([end + sign * 0.1, mapping.predict([-3.0])[0]])
    np.testing.assert_allclose(found, [np.nan, -3.0], rtol=1e-9)


def test_linear_reaches_every_rating(rng):
    x, y = ratings_of(rng)
    mapping = RatingMapping().fit(x, y)
    assert np.isfinite(mapping.inverse([-100.0, 100.0])).all()


# Directions, degenerate data and errors --------------------------------------------------------


@KINDS
@DIRECTIONS
def test_the_wrong_direction_gives_a_constant_with_a_warning(kind, increasing):
    x = np.linspace(0, 1, 12)
    y = (1 - x if increasing else x) + 2
    with pytest.warns(UserWarning, match="constant.*parameter increasing") as record:
        mapping = RatingMapping(kind, increasing=increasing).fit(x, y)
    assert record[0].filename == __file__
    np.testing.assert_allclose(mapping.predict([-1.0, 0.3, 9.0]), y.mean(), rtol=1e-12)
    assert mapping.increasing_ is increasing
    with pytest.warns(UserWarning, match="2 of 3 ratings give NaN"):
        found = mapping.inverse([0.0, mapping.predict([0.0])[0], 5.0])
    np.testing.assert_array_equal(found, [np.nan, 0.5, np.nan])


def test_auto_takes_the_sign_of_spearman_and_for_a_line_its_own_slope():
    # One far sample turns the line against the order of the others.
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 60.0])
    y = np.array([2.0, 2.5, 3.0, 3.5, 4.0, 1.0])
    assert RatingMapping("isotonic").fit(x, y).increasing_
    line = RatingMapping().fit(x, y)
    assert not line.increasing_
    assert line.coef_[1] < 0
    # Weights count.
    assert not RatingMapping("isotonic").fit(x, y, [1, 0, 0, 0, 0, 1]).increasing_


def test_auto_rises_where_nothing_decides():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0, 2.0])
    with pytest.warns(UserWarning, match="constant"):
        mapping = RatingMapping("isotonic").fit(x, [2.0, 2.0, 2.0, 2.0])
    assert mapping.increasing_
    assert RatingMapping("cubic", increasing="auto").fit(x, y + 0.01 * x).increasing_


@KINDS
def test_equal_ratings_give_that_rating_with_a_warning(kind):
    x = np.linspace(0, 1, 7)
    with pytest.warns(UserWarning, match="constant, 3.1 or close to it, because all ratings are"):
        mapping = RatingMapping(kind).fit(x, np.full(7, 3.1))
    np.testing.assert_array_equal(mapping.predict([-5.0, 0.5, 5.0]), 3.1)


@pytest.mark.parametrize("kind", ["linear", "isotonic"])
def test_equal_metric_values_give_the_mean_with_a_warning(kind):
    with pytest.warns(UserWarning, match="all metric values are equal"):
        mapping = RatingMapping(kind).fit([2.0, 2.0, 2.0], [1.0, 2.0, 4.5])
    np.testing.assert_allclose(mapping.predict([1.0, 2.0, 3.0]), 2.5)


@pytest.mark.parametrize("kind", ["cubic", "logistic"])
def test_too_few_values_are_refused(kind):
    with pytest.raises(ValueError, match=r"3 sample.*minimum of 4 is required"):
        RatingMapping(kind).fit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"4 different metric values, got 5 samples and 2 values"):
        RatingMapping(kind).fit([1.0, 1.0, 2.0, 2.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0])


@KINDS
def test_weights_of_zero_leave_too_few_samples(kind):
    with pytest.raises(ValueError, match="with a weight above zero"):
        RatingMapping(kind).fit(np.arange(5.0), np.arange(5.0), [1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("X", "y", "weights", "message"),
    [
        (np.zeros((4, 3)), np.arange(4.0), None, r"got X with 3 columns.*X\[:, \[0\]\]"),
        ([1.0, np.nan, 2.0], np.arange(3.0), None, "NaN"),
        ([1.0, 2.0, 3.0], [1.0, np.inf, 2.0], None, "infinity"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], None, "inconsistent numbers of samples"),
        ([1.0], [1.0], None, r"1 sample\(s\)"),
        ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0], "negative"),
        ([1.0, 2.0], [1.0, 2.0], [1.0], "one weight a sample"),
    ],
)
def test_bad_input_is_refused(X, y, weights, message):
    with pytest.raises(ValueError, match=message):
        RatingMapping().fit(X, y, weights)


@pytest.mark.parametrize("parameters", [{"kind": "quintic"}, {"increasing": "yes"}])
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        RatingMapping(**parameters).fit([1.0, 2.0], [1.0, 2.0])


def test_inverse_refuses_what_is_no_column_of_ratings(rng):
    mapping = RatingMapping().fit(*ratings_of(rng))
    with pytest.raises(ValueError, match="y should have shape"):
        mapping.inverse(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="y has 1 values that are NaN"):
        mapping.inverse([3.0, np.nan])
