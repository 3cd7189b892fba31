"""Errors on the scale of ratings: the tables of P.1401, weights, intervals and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import root_mean_squared_error

from skperceptual import RatingMapping
from skperceptual.metrics import outlier_ratio, rmse, rmse_interval, rmse_star

DATA = Path(__file__).resolve().parents[1] / "data"
P1401 = json.loads((DATA / "p1401_errors.json").read_text())
MOS, PREDICTION, HALF_WIDTH = (
    np.array(P1401[name]) for name in ("mos", "prediction", "half_width")
)


@pytest.mark.parametrize("case", P1401["expected"])
def test_errors_equal_the_worked_table(case):
    mapped = PREDICTION if case["mapped"] is None else np.array(P1401[f"{case['mapped']}_mapped"])
    assert rmse(MOS, mapped, ddof=case["ddof"]) == pytest.approx(case["rmse"], rel=1e-9)
    starred = rmse_star(MOS, mapped, HALF_WIDTH, ddof=case["ddof"])
    assert starred == pytest.approx(case["rmse_star"], rel=1e-9)
    assert outlier_ratio(MOS, mapped, HALF_WIDTH) == pytest.approx(case["outlier_ratio"])


@pytest.mark.parametrize(("kind", "expected"), [("linear", 3), ("cubic", 4)])
def test_a_mapping_knows_its_ddof(kind, expected):
    mapping = RatingMapping(kind).fit(PREDICTION, MOS)
    mapped, ddof = mapping.predict(PREDICTION), mapping.n_parameters_
    case = P1401["expected"][expected]
    assert rmse(MOS, mapped, ddof=ddof) == pytest.approx(case["rmse"], rel=1e-9)
    assert rmse_star(MOS, mapped, HALF_WIDTH, ddof=ddof) == pytest.approx(
        case["rmse_star"], rel=1e-9
    )


def test_rmse_star_equals_another_toolbox():
    case = P1401["iosr"]
    for width, expected in zip(case["epsilon"], case["rmse_star"], strict=True):
        width = width[0] if len(width) == 1 else width
        assert rmse_star(case["x"], case["y"], width, ddof=case["d"]) == pytest.approx(expected)


def test_rmse_without_ddof_is_that_of_scikit_learn(rng):
    rating, predicted, weights = rng.normal(size=(3, 40))
    weights = np.abs(weights)
    weights *= 40 / weights.sum()
    assert rmse(rating, predicted, ddof=0) == pytest.approx(
        root_mean_squared_error(rating, predicted)
    )
    assert rmse(rating, predicted, ddof=0, sample_weight=weights) == pytest.approx(
        root_mean_squared_error(rating, predicted, sample_weight=weights)
    )


@given(st.integers(0, 2**32 - 1))
def test_whole_weights_repeat_samples(seed):
    rng = np.random.default_rng(seed)
    rating, predicted = rng.normal(size=(2, 12)).round(1)
    width = rng.random(12).round(1)
    weights = np.r_[1, rng.integers(0, 4, 11)] + np.eye(12, dtype=int)[1]
    rows = np.repeat(np.arange(12), weights)
    for score, arguments in ((rmse, ()), (rmse_star, (width,)), (outlier_ratio, (width,))):
        parts = [argument[rows] for argument in arguments]
        assert score(rating, predicted, *arguments, sample_weight=weights) == pytest.approx(
            score(rating[rows], predicted[rows], *parts)
        )


@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_wider_intervals_forgive_more(seed, extra):
    rng = np.random.default_rng(seed)
    rating, predicted = rng.normal(size=(2, 10))
    width = rng.random(10)
    assert rmse_star(rating, predicted, 0.0) == rmse(rating, predicted)
    assert rmse_star(rating, predicted, width + extra) <= rmse_star(rating, predicted, width)
    assert outlier_ratio(rating, predicted, width + extra) <= outlier_ratio(
        rating, predicted, width
    )


def test_an_error_as_large_as_the_interval_is_no_outlier():
    assert outlier_ratio([1.0, 2.0], [1.5, 2.5], [0.5, 0.25]) == 0.5


def test_chi2_interval_equals_the_worked_table():
    np.testing.assert_allclose(
        rmse_interval(MOS, PREDICTION, method="chi2"), P1401["rmse_interval_ddof_1"], rtol=1e-9
    )


def test_both_intervals_agree_for_many_independent_normal_errors(rng):
    rating, error = rng.normal(size=(2, 800))
    low, high = rmse_interval(rating, rating + error, ddof=4)
    low_chi2, high_chi2 = rmse_interval(rating, rating + error, ddof=4, method="chi2")
    assert low < rmse(rating, rating + error, ddof=4) < high
    assert high - low == pytest.approx(high_chi2 - low_chi2, rel=0.1)
    assert low == pytest.approx(low_chi2, rel=0.01)


def test_interval_of_grouped_errors_is_wider(rng):
    song = np.repeat(np.arange(15), 10)
    error = rng.normal(size=15)[song] + 0.1 * rng.normal(size=150)
    rating = rng.normal(size=150)
    grouped = rmse_interval(rating, rating + error, groups=song)
    plain = rmse_interval(rating, rating + error)
    assert np.diff(grouped) > 2 * np.diff(plain)
    with pytest.warns(UserWarning, match="takes the 150 rows for independent") as record:
        rmse_interval(rating, rating + error, groups=song, method="chi2")
    assert record[0].filename == __file__


def test_too_few_samples_have_no_error():
    with pytest.warns(UndefinedMetricWarning, match="more than ddof=4 samples, and there are 4"):
        assert np.isnan(rmse([1, 2, 3, 4], [1, 2, 3, 5], ddof=4))
    with pytest.warns(UndefinedMetricWarning, match=r"rmse\* is NaN.* ddof=1 samples"):
        assert np.isnan(rmse_star([1.0], [2.0], 0.1))
    with pytest.warns(UndefinedMetricWarning, match="no sample with a weight"):
        assert np.isnan(outlier_ratio([1.0], [2.0], 0.1, sample_weight=[0]))


def test_undefined_intervals():
    with pytest.warns(UndefinedMetricWarning, match="all errors are zero") as record:
        assert np.isnan(rmse_interval(range(12), range(12))).all()
    assert record[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="at least 4 rows, and there are 3"):
        assert np.isnan(rmse_interval([1, 2, 3], [1, 2, 4])).all()
    with pytest.warns(UndefinedMetricWarning, match="at least two groups"):
        assert np.isnan(rmse_interval(range(5), [0] * 5, groups=[0] * 5)).all()


@pytest.mark.parametrize(
    ("score", "arguments", "message"),
    [
        (rmse, ([1.0, np.nan], [1.0, 2.0]), "y_true has 1 values that are NaN"),
        (rmse, ([1.0, 2.0], [1.0, np.inf]), "y_pred has 1 values that are NaN or infinity"),
        (rmse, ([1.0, 2.0], [1.0]), "y_pred has 1 rows and y_true has 2"),
        (rmse_star, ([1.0, 2.0], [1.0, 2.0], [0.1]), "half_width has 1 rows for 2 samples"),
        (rmse_star, ([1.0, 2.0], [1.0, 2.0], [0.1, np.nan]), "half_width has 1 values that are"),
        (outlier_ratio, ([1.0, 2.0], [1.0, 2.0], [0.1, -0.1]), "half_width has 1 negative"),
        (outlier_ratio, ([1.0, 2.0], [1.0, 2.0], -1.0), "half_width has 2 negative"),
    ],
)
def test_bad_values(score, arguments, message):
    with pytest.raises(ValueError, match=message):
        score(*arguments)


@pytest.mark.parametrize("ddof", [-1, np.nan, "2"])
def test_bad_ddof(ddof):
    with pytest.raises(ValueError, match=r"ddof=.* should be a number of 0 or more"):
        rmse([1.0, 2.0], [1.0, 2.0], ddof=ddof)


def test_bad_method():
    with pytest.raises(ValueError, match="method='bca' is unknown"):
        rmse_interval(range(9), range(9), method="bca")
