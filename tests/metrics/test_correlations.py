"""The correlations against SciPy, against repetition of rows, and against what users feed them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from skperceptual.metrics import (
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)

DATA = Path(__file__).resolve().parents[1] / "data"

SCIPY = {
    pearson_score: lambda y, p: scipy.stats.pearsonr(y, p).statistic,
    spearman_score: lambda y, p: scipy.stats.spearmanr(y, p).statistic,
    kendall_score: lambda y, p: scipy.stats.kendalltau(y, p).statistic,
    concordance_index: lambda y, p: (scipy.stats.somersd(y, p).statistic + 1) / 2,
}
SCORES = pytest.mark.parametrize("score", list(SCIPY), ids=lambda score: score.__name__)
CORRELATIONS = pytest.mark.parametrize(
    "score", [pearson_score, spearman_score, kendall_score], ids=lambda score: score.__name__
)


@st.composite
def rated(draw, min_weight=1):
    """Ratings and predictions with many ties, neither of them constant, and whole weights."""
    n = draw(st.integers(2, 25))
    columns = []
    for _ in range(2):
        values = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
        columns.append(np.array(values) * draw(st.sampled_from([1.0, 0.1, 1e-9, 1e9])))
    weights = draw(st.lists(st.integers(min_weight, 4), min_size=n, max_size=n))
    return *columns, np.array(weights)


def score_or_nan(score, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return score(*args, **kwargs)


@SCORES
@given(rated())
def test_equals_scipy(score, data):
    y, p, _ = data
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return
    assert score(y, p) == pytest.approx(SCIPY[score](y, p), abs=1e-12)


@SCORES
def test_equals_scipy_without_ties(score, rng):
    y = rng.normal(size=60)
    p = 0.5 * y + rng.normal(size=60)
    assert score(y, p) == pytest.approx(SCIPY[score](y, p), abs=1e-12)


@SCORES
def test_equals_scipy_on_a_printed_example(score):
    table = json.loads((DATA / "p1401_small_table.json").read_text())
    y, p = table["mos"], table["prediction"]
    expected = {
        pearson_score: table["pearson"],
        spearman_score: table["spearman"],
        kendall_score: table["kendall_tau_b"],
        # 45 pairs without ties: tau is 2 c - 1
        concordance_index: (table["kendall_tau_b"] + 1) / 2,
    }
    assert score(y, p) == pytest.approx(expected[score], abs=1e-12)


def test_equals_the_conformance_values(shared):
    case = json.loads((shared / "cases" / "rating_statistics.json").read_text())
    case = case["p1401_small_table"]
    y, p = case["input"]["mos"], case["input"]["prediction"]
    assert pearson_score(y, p) == pytest.approx(case["expect"]["pearson"], rel=1e-6)
    assert spearman_score(y, p) == pytest.approx(case["expect"]["spearman"], rel=1e-6)
    assert kendall_score(y, p) == pytest.approx(case["expect"]["kendall_tau_b"], rel=1e-6)


@SCORES
@given(rated(min_weight=0))
def test_whole_weights_repeat_rows(score, data):
    y, p, weights = data
    rows = np.repeat(np.arange(len(y)), weights)
    weighted = score_or_nan(score, y, p, sample_weight=weights)
    repeated = score_or_nan(score, y[rows], p[rows])
    assert weighted == pytest.approx(repeated, abs=1e-12, nan_ok=True)


@SCORES
@given(rated(), st.sampled_from([1e-300, 1e-3, 7.0, 1e300]))
def test_only_the_ratio_of_weights_counts(score, data, factor):
    y, p, weights = data
    first = score_or_nan(score, y, p, sample_weight=weights)
    second = score_or_nan(score, y, p, sample_weight=weights * factor)
    assert first == pytest.approx(second, abs=1e-12, nan_ok=True)


@CORRELATIONS
@given(rated())
def test_sign_is_kept(score, data):
    y, p, weights = data
    value = score_or_nan(score, y, p, sample_weight=weights)
    assert -1 <= value <= 1 or np.isnan(value)
    opposite = score_or_nan(score, y, -p, sample_weight=weights)
    assert opposite == pytest.approx(-value, abs=1e-12, nan_ok=True)
    swapped = score_or_nan(score, p, y, sample_weight=weights)
    assert swapped == pytest.approx(value, abs=1e-12, nan_ok=True)


@given(rated())
def test_concordance_counts_pairs(data):
    y, p, weights = data
    counted = total = 0.0
    for i in range(len(y)):
        for j in range(i):
            if y[i] != y[j]:
                weight = weights[i] * weights[j]
                agreement = np.sign(y[i] - y[j]) * np.sign(p[i] - p[j])
                counted += weight * (1 + agreement) / 2
                total += weight
    expected = counted / total if total else np.nan
    value = score_or_nan(concordance_index, y, p, sample_weight=weights)
    assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_concordance_is_the_area_under_the_roc_curve(rng):
    y = rng.integers(0, 2, 60)
    p = rng.normal(size=60).round(1)
    assert concordance_index(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)


def test_concordance_of_a_constant_prediction_is_a_half():
    assert concordance_index([1.0, 2.0, 3.0], [7.0, 7.0, 7.0]) == 0.5


@CORRELATIONS
def test_perfect_agreement_is_one(score):
    y = np.arange(1.0, 50.0)
    assert score(y, 2 * y) == 1.0
    assert score(y, -y) == -1.0


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 8e307])
def test_pearson_is_exact_at_any_scale(scale):
    y = np.array([0.0, 1.0, 0.5, 0.25])
    p = np.array([0.0, 1.0, 0.75, -1.0]) * scale
    expected = pearson_score(y, np.array([0.0, 1.0, 0.75, -1.0]))
    # 1e-320 is subnormal and has few digits left
    assert pearson_score(y, p) == pytest.approx(expected, rel=1e-3 if scale < 1e-300 else 1e-12)


def test_pearson_keeps_its_digits_on_a_large_offset():
    p = np.array([0.0, 1.0, 3.0, 2.0, 5.0])
    y = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert pearson_score(y, p + 2.0**40) == pytest.approx(pearson_score(y, p), abs=1e-12)


@CORRELATIONS
@pytest.mark.parametrize(
    ("y", "p", "reason"),
    [
        ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], "the predictions are all equal"),
        ([4.0, 4.0, 4.0], [0.1, 0.2, 0.3], "the ratings are all equal"),
        ([4.0], [0.1], "there are 1"),
        ([], [], "there are 0"),
    ],
)
def test_undefined_is_nan_with_a_warning(score, y, p, reason):
    with pytest.warns(UndefinedMetricWarning, match=reason):
        assert np.isnan(score(y, p))


@SCORES
def test_rows_without_weight_count_nowhere(score):
    with pytest.warns(UndefinedMetricWarning, match="there are 1 with a weight above zero"):
        assert np.isnan(score([1.0, 2.0], [1.0, 2.0], sample_weight=[0.0, 2.0]))


def test_warning_names_the_line_of_the_caller():
    with pytest.warns(UndefinedMetricWarning) as record:
        spearman_score([1.0, 1.0], [1.0, 2.0])
    assert record[0].filename == __file__


@SCORES
def test_columns_lists_and_series_are_read_alike(score, rng):
    y, p = rng.normal(size=(2, 12))
    expected = score(y, p)
    assert score(list(y), p[:, np.newaxis]) == expected
    assert score(pd.Series(y), pd.DataFrame({"nlpd": p})) == expected
    assert score(y.astype(object), p) == expected
    assert isinstance(expected, float)


def test_float32_predictions_need_no_conversion(rng):
    y, p = rng.normal(size=(2, 30)).astype(np.float32)
    expected = scipy.stats.pearsonr(y.astype(float), p.astype(float)).statistic
    assert pearson_score(y, p) == pytest.approx(expected, abs=1e-12)


@SCORES
@pytest.mark.parametrize(
    ("y", "p", "weights", "message"),
    [
        ([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]], None, r"y_pred.*choose one column, y_pred\[:, 0\]"),
        ([1.0, 2.0], 3.0, None, "y_pred should have shape.*one value a row"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], None, "y_pred has 3 rows and y_true has 2"),
        ([1.0, np.nan], [1.0, 2.0], None, "y_true has 1 values that are NaN.*row 1.*isfinite"),
        ([1.0, 2.0], [np.inf, 2.0], None, "y_pred has 1 values.*infinity"),
        (["1", "2"], [1.0, 2.0], None, r"y_true should be numeric.*dtype=float"),
        (np.array(["1", "2"], dtype=object), [1.0, 2.0], None, "y_true should be numeric"),
        ([1j, 2.0], [1.0, 2.0], None, "y_true should be numeric"),
        ([1.0, 2.0], [1.0, 2.0], [1.0], "sample_weight has 1 rows for 2 samples"),
        ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0], "1 negative values.*zero to leave a row out"),
    ],
)
def test_bad_input_is_refused_with_the_fix(score, y, p, weights, message):
    with pytest.raises(ValueError, match=message):
        score(y, p, sample_weight=weights)


@pytest.mark.parametrize("score", [kendall_score, concordance_index])
def test_pairs_of_many_samples_need_little_memory(score, rng):
    # A table of all pairs would be 3.2 GB.
    y = rng.normal(size=20_000)
    p = y + rng.normal(size=20_000)
    weighted = score(y, p, sample_weight=np.full(20_000, 2.0))
    assert weighted == pytest.approx(score(y, p), abs=1e-12)
