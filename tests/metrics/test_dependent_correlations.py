"""Two metrics on the same items: printed values, draws in pairs, signs and degenerate data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import (
    compare_correlations,
    concordance_index,
    correlation_interval,
    holm_correction,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.correlation_tests import (
    meng_rosenthal_rubin_test,
    steiger_test,
    williams_test,
    zou_interval,
)

DATA = Path(__file__).resolve().parents[1] / "data"
CASES = json.loads((DATA / "dependent_correlations.json").read_text())["cases"]
RESAMPLING = pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
FORMULAS = pytest.mark.parametrize("method", ["williams", "steiger", "meng_rosenthal_rubin", "zou"])


def two_metrics(rng, *, n_songs=20, n_versions=4, noise=(0.5, 1.5)):
    song = np.repeat(np.arange(n_songs), n_versions)
    rating = rng.normal(size=len(song))
    metrics = [rating + n * rng.normal(size=len(song)) for n in noise]
    return rating, *metrics, song


@pytest.mark.parametrize("case", CASES)
def test_formulas_equal_the_printed_values(case):
    given_values = case["input"]
    arguments = [given_values[name] for name in ("r_ya", "r_yb", "r_ab", "n")]
    williams, p_value = williams_test(*arguments)
    z, _, *ends = meng_rosenthal_rubin_test(*arguments)
    found = {
        "williams_t": williams,
        "williams_p": p_value,
        "steiger1980_z": steiger_test(*arguments)[0],
        "meng1992_z": z,
        "meng1992_ci95_on_z_diff": ends,
        "zou2007_ci95_on_r_diff": zou_interval(*arguments),
    }
    for name, expected in case["expected"].items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-6)
    for name, printed in case["printed"].items():
        np.testing.assert_allclose(found[name], printed, atol=2e-3)


@FORMULAS
@pytest.mark.parametrize("score", [pearson_score, spearman_score])
def test_formulas_take_the_correlations_of_the_data(rng, method, score):
    rating, one, two, _ = two_metrics(rng)
    result = compare_correlations(rating, one, two, score=score, method=method)
    r = [score(rating, one), score(rating, two), score(one, two)]
    assert result.difference == r[0] - r[1]
    if method == "zou":
        assert (result.low, result.high) == zou_interval(*r, 80)
        assert np.isnan([result.statistic, result.p_value]).all()
        return
    test = {
        "williams": williams_test,
        "steiger": steiger_test,
        "meng_rosenthal_rubin": meng_rosenthal_rubin_test,
    }[method]
    assert (result.statistic, result.p_value) == test(*r, 80)[:2]
    assert np.isnan([result.low, result.high]).all()


def test_jackknife_by_hand(rng):
    rating, one, two, song = two_metrics(rng, n_songs=12)

    def difference(kept):
        return pearson_score(rating[kept], one[kept]) - pearson_score(rating[kept], two[kept])

    result = compare_correlations(rating, one, two, groups=song, score=pearson_score)
    value = difference(song >= 0)
    pseudo = np.array([12 * value - 11 * difference(song != s) for s in range(12)])
    deviations = pseudo - pseudo.mean()
    freedom = (3.16 - 2.77 / 12**0.5) * (deviations**2).sum() ** 2 / (deviations**4).sum()
    freedom = min(freedom, 11)
    error = pseudo.std(ddof=1) / 12**0.5 * 12 / 11
    margin = scipy.stats.t.ppf(0.975, freedom) * error
    assert result.difference == pytest.approx(value)
    assert result.low == pytest.approx(pseudo.mean() - margin)
    assert result.high == pytest.approx(pseudo.mean() + margin)
    assert result.statistic == pytest.approx(pseudo.mean() / error)
    assert result.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(result.statistic), freedom))


def test_independent_rows_agree_with_williams(rng):
    rating, one, two, _ = two_metrics(rng, n_songs=400, n_versions=1, noise=(1.0, 1.1))
    expected = compare_correlations(rating, one, two, score=pearson_score, method="williams")
    for method in ("jackknife", "bootstrap"):
        found = compare_correlations(rating, one, two, score=pearson_score, method=method)
        assert found.statistic == pytest.approx(expected.statistic, abs=0.25)
        assert found.low < found.difference < found.high


@RESAMPLING
def test_pairing_makes_differences_surer(rng, method):
    # What a song gets too much, both metrics miss.
    song = np.repeat(np.arange(15), 6)
    quality = rng.normal(size=90)
    missed = quality - rng.normal(size=15)[song]
    one, two = (missed + 0.3 * rng.normal(size=90) for _ in range(2))
    result = compare_correlations(quality, one, two, groups=song, method=method)
    low, high = correlation_interval(quality, one, groups=song)
    assert result.high - result.low < 0.5 * (high - low)


@RESAMPLING
@pytest.mark.parametrize("score", [spearman_score, pearson_score, kendall_score, concordance_index])
def test_exchanging_metrics_turns_the_sign(rng, method, score):
    rating, one, two, song = two_metrics(rng)
    options = {"groups": song, "score": score, "method": method, "n_resamples": 200}
    first = compare_correlations(rating, one, two, **options)
    second = compare_correlations(rating, two, one, **options)
    np.testing.assert_allclose(
        second,
        [-first.difference, -first.high, -first.low, -first.statistic, first.p_value],
        rtol=1e-9,
    )


@RESAMPLING
def test_p_value_and_interval_agree(rng, method):
    rating, one, two, song = two_metrics(rng, noise=(0.9, 1.3))
    result = compare_correlations(rating, one, two, groups=song, method=method)
    at_p = compare_correlations(
        rating, one, two, groups=song, method=method, confidence_level=1 - result.p_value
    )
    assert at_p.low == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", ["jackknife", "bootstrap", "williams", "steiger", "zou"])
def test_distances_are_turned(rng, method):
    rating, one, two, _ = two_metrics(rng)
    expected = compare_correlations(rating, one, two, method=method)
    found = compare_correlations(rating, one, -two, method=method, higher_is_better=(True, False))
    np.testing.assert_equal(found, expected)
    found = compare_correlations(rating, -one, -two, method=method, higher_is_better=False)
    np.testing.assert_equal(found, expected)


def test_a_distance_taken_for_a_similarity_is_warned_of(rng):
    rating, one, two, song = two_metrics(rng)
    with pytest.warns(UserWarning, match=r"higher_is_better=\(True, False\)") as record:
        compare_correlations(rating, one, -two, groups=song)
    assert record[0].filename == __file__


@RESAMPLING
def test_metrics_that_score_alike_do_not_differ(rng, method):
    rating, one, _, song = two_metrics(rng)
    for other in (one, np.exp(one)):
        result = compare_correlations(rating, one, other, groups=song, method=method)
        assert result == (0, 0, 0, 0, 1)
    result = compare_correlations(
        rating, one, 3 * one - 1, groups=song, score=pearson_score, method=method
    )
    assert result == (0, 0, 0, 0, 1)


@FORMULAS
def test_formulas_for_metrics_that_are_the_same(rng, method):
    rating, one, _, _ = two_metrics(rng)
    result = compare_correlations(rating, one, np.exp(one), method=method)
    expected = (0, 0, 0, np.nan, np.nan) if method == "zou" else (0, np.nan, np.nan, 0, 1)
    np.testing.assert_equal(tuple(result), expected)


@FORMULAS
def test_formulas_warn_of_groups(rng, method):
    rating, one, two, song = two_metrics(rng)
    with pytest.warns(UserWarning, match="takes the 80 rows for independent") as record:
        compare_correlations(rating, one, two, groups=song, method=method)
    assert record[0].filename == __file__


@FORMULAS
def test_formulas_of_perfect_and_short_data_are_nan(rng, method):
    rating, one, _, _ = two_metrics(rng)
    with pytest.warns(UndefinedMetricWarning, match="a correlation is perfect") as record:
        result = compare_correlations(rating, rating, one, method=method)
    assert np.isnan(result[1:]).all()
    assert record[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="at least 4 rows, and there are 3"):
        result = compare_correlations([1, 2, 3], [1, 3, 2], [2, 1, 3], method=method)
    assert np.isnan(result[1:]).all()


def test_undefined_differences_are_nan(rng):
    rating, one, two, song = two_metrics(rng)
    with pytest.warns(UndefinedMetricWarning, match="predictions are all equal"):
        result = compare_correlations(rating, one, np.ones(80), groups=song)
    assert np.isnan(result).all()
    with pytest.warns(UndefinedMetricWarning, match="at least two groups") as record:
        result = compare_correlations(rating, one, two, groups=np.zeros(80))
    assert np.isnan(result[1:]).all()
    assert record[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="at least 4 rows"):
        result = compare_correlations([1, 2, 3], [1, 3, 2], [2, 1, 3])
    assert np.isnan(result[1:]).all()
    with pytest.warns(UndefinedMetricWarning, match="without one of the groups") as record:
        result = compare_correlations(np.r_[np.ones(19), 2], one[:20], two[:20])
    assert np.isnan(result[1:]).all()
    assert record[0].filename == __file__
    # A perfect metric and its opposite differ by 2 without a doubt, or a spread to judge it by.
    with (
        pytest.warns(UndefinedMetricWarning, match="whichever groups are taken"),
        pytest.warns(UserWarning, match="If one is a distance"),
    ):
        result = compare_correlations(rating, rating, -rating, groups=song)
    assert result.difference == 2
    assert np.isnan(result[1:]).all()


def test_few_groups_are_warned_of(rng):
    rating, one, two, song = two_metrics(rng, n_songs=9)
    with pytest.warns(UserWarning, match="rests on 9 groups") as record:
        compare_correlations(rating, one, two, groups=song)
    assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "hotelling"}, "method='hotelling' is unknown"),
        ({"confidence_level": 95}, "confidence_level=95 should lie between 0 and 1"),
        ({"method": "zou", "score": kendall_score}, "not for kendall_score"),
        ({"higher_is_better": (True, False, True)}, "True, False or one of them for each metric"),
        ({"higher_is_better": (1, -1)}, "True, False or one of them for each metric"),
        ({"higher_is_better": "yes"}, "True, False or one of them for each metric"),
        ({"higher_is_better": None}, "True, False or one of them for each metric"),
        ({"groups": [1, 2]}, "groups should have shape"),
    ],
)
def test_bad_parameters(rng, parameters, message):
    rating, one, two, _ = two_metrics(rng)
    with pytest.raises(ValueError, match=message):
        compare_correlations(rating, one, two, **parameters)


def test_nan_predictions_are_refused(rng):
    rating, one, two, _ = two_metrics(rng)
    two[3] = np.nan
    with pytest.raises(ValueError, match="y_pred_other has 1 values that are NaN"):
        compare_correlations(rating, one, two)


# Holm's correction -----------------------------------------------------------------------------


def test_holm_by_hand():
    np.testing.assert_allclose(
        holm_correction([[0.01, 0.02], [0.04, 0.6]]), [[0.04, 0.06], [0.08, 0.6]]
    )
    # A later p-value is never smaller than an earlier one, and none is above 1.
    np.testing.assert_allclose(holm_correction([0.02, 0.021, 0.9, 0.95]), [0.08, 0.08, 1, 1])


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 5))
def test_holm_properties(p_values, n_missing):
    corrected = holm_correction(p_values + [np.nan] * n_missing)
    assert np.isnan(corrected[len(p_values) :]).all()
    corrected = corrected[: len(p_values)]
    assert (corrected >= np.array(p_values)).all()
    assert (corrected <= np.minimum(1, len(p_values) * np.array(p_values))).all()
    order = np.argsort(p_values)
    assert (np.diff(corrected[order]) >= 0).all()


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        holm_correction([0.1, 1.5, np.nan])
