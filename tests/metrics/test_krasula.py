"""Pairs that differ and pairs that do not, against scikit-learn's areas and published values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from skperceptual.metrics import compare_krasula, krasula_analysis, mean_opinion_scores
from skperceptual.metrics.rated_pairs import CRITERIA, RatedPairs

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "rating_statistics.json").read_text())


def rated_items(rng, *, n_items=40, noise=0.6):
    """Draw ratings, their standard errors, and a metric."""
    rating = rng.uniform(1, 5, n_items)
    return rating, rng.uniform(0.1, 0.4, n_items), rating + rng.normal(0, noise, n_items)


def by_hand(rating, error, metric, z=1.959963984540054):
    """Go through the pairs one by one, and leave the areas to scikit-learn."""
    different, similar = [], []
    for i in range(len(rating)):
        for k in range(i):
            sign = 1 if rating[i] >= rating[k] else -1
            gap = abs(rating[i] - rating[k]) / np.sqrt(error[i] ** 2 + error[k] ** 2)
            (different if gap > z else similar).append(sign * (metric[i] - metric[k]))
    different, similar = np.array(different), np.array(similar)
    truth = np.repeat([1, 0], [len(different), len(similar)])
    ds = roc_auc_score(truth, np.abs(np.concatenate([different, similar])))
    bw = roc_auc_score(np.repeat([1, 0], len(different)), np.concatenate([different, -different]))
    c0 = np.mean(np.where(different == 0, 0.5, different > 0))
    return ds, bw, c0, np.percentile(np.abs(similar), 95), len(truth), len(different)


def test_worked_case():
    case = GOLDEN["krasula"]
    given_, expected = case["input"], case["expect"]
    error = np.array(given_["sd"]) / np.sqrt(given_["n_votes"])
    found = krasula_analysis(given_["mos"], given_["prediction"], error)
    names = {"correct_classification": "c0_correct_classification"}
    for name, value in found._asdict().items():
        assert value == pytest.approx(expected[names.get(name, name)], rel=1e-9), name


# github.com/Netflix/vmaf, python/test/perf_metric_test.py, test_auc_perf_multiple_metrics (Apache
# and BSD licences): four items with ten votes drawn from seed 1. It takes every ordered pair, each
# item with itself included, and tells apart at z > 2.
VMAF = {
    "auc_different_similar": (0.9375, 0.6250),
    "auc_better_worse": (1.0, 0.8125),
    "correct_classification": (1.0, 0.75),
}
VMAF_P = {"auc_different_similar": 0.02746864, "auc_better_worse": 0.06136883}


def vmaf_pairs():
    votes = np.random.RandomState(1).normal(size=(4, 10)) + np.arange(1, 5)[:, np.newaxis]
    scores = mean_opinion_scores(votes)
    first, second = (index.ravel() for index in np.indices((4, 4)))
    gap = scores["rating"].to_numpy()[first] - scores["rating"].to_numpy()[second]
    error = scores["standard_error"].to_numpy()
    is_different = np.abs(gap) > 2 * np.hypot(error[first], error[second])
    sign = np.where(gap < 0, -1.0, 1.0)
    metrics = np.array([[1.0, 2, 3, 4], [3, 1, 2, 4]])
    return RatedPairs(
        4, first, second, is_different, [sign * (m[first] - m[second]) for m in metrics]
    )


@pytest.mark.parametrize("name", VMAF)
def test_criteria_equal_those_of_vmaf_on_its_pairs(name):
    pairs = vmaf_pairs()
    found = [CRITERIA[name](values, pairs)(np.ones(4)) for values in pairs.differences]
    np.testing.assert_allclose(found, VMAF[name], atol=1e-6)


@pytest.mark.parametrize("name", VMAF_P)
def test_delong_equals_that_of_vmaf_on_its_pairs(name):
    pairs = vmaf_pairs()
    first, second = (CRITERIA[name](values, pairs) for values in pairs.differences)
    variance = np.sum((first.influences() - second.influences()) ** 2)
    if name == "auc_better_worse":
        # There, a pair and its mirror image pass for two independent ones: half the variance.
        variance /= 2
    z = abs(first(np.ones(4)) - second(np.ones(4))) / np.sqrt(variance)
    assert 2 * scipy.stats.norm.sf(z) == pytest.approx(VMAF_P[name], abs=1e-6)


@pytest.mark.parametrize("digits", [0, 1, 8])
@pytest.mark.parametrize("z_threshold", [1.0, 1.959963984540054])
def test_equals_scikit_learn_pair_by_pair(rng, digits, z_threshold):
    rating, error, metric = rated_items(rng)
    metric = metric.round(digits)  # ties
    found = krasula_analysis(rating, metric, error, z_threshold=z_threshold)
    np.testing.assert_allclose(found, by_hand(rating, error, metric, z_threshold), rtol=1e-12)


@given(st.randoms(use_true_random=False), st.integers(-3, 3))
def test_order_scale_and_sign(random, exponent):
    rng = np.random.default_rng(random.randrange(2**32))
    rating, error, metric = rated_items(rng, n_items=15)
    found = krasula_analysis(rating, metric, error)
    order = rng.permutation(15)
    again = krasula_analysis(rating[order], 2.0**exponent * metric[order], error[order])
    np.testing.assert_allclose(again[:3], found[:3], rtol=1e-12)
    assert again.threshold95 == pytest.approx(2.0**exponent * found.threshold95, rel=1e-12)
    distance = krasula_analysis(rating, -metric, error, higher_is_better=False)
    assert distance == found
    wrong_way = krasula_analysis(rating, -metric, error)
    assert wrong_way.auc_different_similar == found.auc_different_similar
    assert wrong_way.auc_better_worse == pytest.approx(1 - found.auc_better_worse)
    assert wrong_way.correct_classification == pytest.approx(1 - found.correct_classification)


def test_a_constant_metric_is_chance(rng):
    rating, error, _ = rated_items(rng)
    assert krasula_analysis(rating, np.ones(40), error)[:4] == (0.5, 0.5, 0.5, 0)


def test_items_of_which_all_votes_are_equal():
    found = krasula_analysis([1.0, 1.0, 2.0], [0.1, 0.2, 0.3], 0.0)
    assert (found.n_pairs, found.n_different) == (3, 2)


def test_pairs_of_one_kind_only_are_nan_with_a_warning():
    with pytest.warns(UndefinedMetricWarning, match="raters tell none of 3 pairs apart"):
        none = krasula_analysis([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 5.0)
    assert np.isnan(none[:3]).all()
    assert none.threshold95 == pytest.approx(1.9)
    with pytest.warns(UndefinedMetricWarning, match="no pair that raters do not tell apart"):
        every = krasula_analysis([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0.01)
    assert np.isnan([every.auc_different_similar, every.threshold95]).all()
    assert every.correct_classification == 1


def test_one_item_has_no_pairs():
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(krasula_analysis([1.0], [1.0], 0.1)[:4]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0], 0.1), "y_pred has 1 rows and y_true has 2"),
        (([1.0, 2.0], [1.0, np.nan], 0.1), "NaN or infinity"),
        (([1.0, 2.0], [1.0, 2.0], -0.1), "should not be negative"),
        (([1.0, 2.0], [1.0, 2.0], [0.1, 0.1, 0.1]), "standard_error has 3 rows"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        krasula_analysis(*arguments)
    with pytest.raises(ValueError, match="z_threshold=0"):
        krasula_analysis([1.0, 2.0], [1.0, 2.0], 0.1, z_threshold=0)


def test_comparison_has_the_values_of_both(rng):
    rating, error, metric = rated_items(rng)
    other = rating + rng.normal(0, 1.5, 40)
    for method in ("bootstrap", "delong"):
        rises = (True, False)
        table = compare_krasula(
            rating, metric, -other, error, method=method, n_resamples=50, higher_is_better=rises
        )
        np.testing.assert_array_equal(table["value"], krasula_analysis(rating, metric, error)[:3])
        np.testing.assert_array_equal(table["other"], krasula_analysis(rating, other, error)[:3])
        np.testing.assert_allclose(table["difference"], table["value"] - table["other"])


def test_bootstrap_draws_items(rng):
    """Weighing pairs by how often both items were drawn is the same as drawing the items."""
    rating, error, metric = rated_items(rng, n_items=12)
    other = rating + rng.normal(0, 1.5, 12)
    table = compare_krasula(rating, metric, other, error, n_resamples=400)
    differences = []
    for _ in range(400):
        rows = rng.integers(12, size=12)
        i, k = np.triu_indices(12, k=1)
        i, k = rows[i], rows[k]
        i, k = i[i != k], k[i != k]  # an item and its copy are no pair
        sign = np.where(rating[i] < rating[k], -1.0, 1.0)
        apart = np.abs(rating[i] - rating[k]) > 1.959963984540054 * np.hypot(error[i], error[k])
        scores = []
        for column in (metric, other):
            d = sign * (column[i] - column[k])
            scores.append(
                [
                    roc_auc_score(apart, np.abs(d)),
                    roc_auc_score(
                        np.repeat([1, 0], apart.sum()), np.concatenate([d[apart], -d[apart]])
                    ),
                    np.mean(d[apart] > 0),
                ]
            )
        differences.append(np.subtract(*scores))
    expected = np.std(differences, axis=0, ddof=1)
    found = (table["high"] - table["low"]) / 2 / scipy.stats.t.ppf(0.975, 11)
    np.testing.assert_allclose(found, expected, rtol=0.2)  # 400 draws each: 5 % of either


def test_bootstrap_draws_groups_whole(rng):
    rating, error, metric = rated_items(rng, n_items=16)
    other = rating + rng.normal(0, 1.2, 16)
    copies = [np.tile(column, 3) for column in (rating, metric, other, error)]
    groups = np.tile(np.arange(16), 3)
    once = compare_krasula(rating, metric, other, error, n_resamples=200)
    grouped = compare_krasula(*copies[:3], copies[3], groups=groups, n_resamples=200)
    alone = compare_krasula(*copies[:3], copies[3], n_resamples=200)

    def width(table):
        return (table["high"] - table["low"])["auc_better_worse"]

    assert width(grouped) == pytest.approx(width(once), rel=0.1)
    assert width(alone) < 0.75 * width(grouped)


@pytest.mark.parametrize("method", ["bootstrap", "delong"])
def test_a_metric_does_not_differ_from_itself(rng, method):
    rating, error, metric = rated_items(rng)
    table = compare_krasula(rating, metric, 2 * metric, error, method=method, n_resamples=20)
    assert (table["difference"] == 0).all()
    assert (table["p_value"] == 1).all()


def test_bootstrap_rejects_as_often_as_it_says_and_delong_too_often(rng):
    rejected = {"bootstrap": [], "delong": []}
    for seed in range(60):
        rating, error, metric = rated_items(rng, n_items=20, noise=0.8)
        other = rating + rng.normal(0, 0.8, 20)
        for method, found in rejected.items():
            table = compare_krasula(
                rating, metric, other, error, method=method, n_resamples=100, random_state=seed
            )
            found.append(table["p_value"].to_numpy() < 0.05)
    assert np.mean(rejected["bootstrap"]) < 0.1
    assert np.mean(rejected["delong"]) > 0.1


def test_mcnemar_counts_pairs_that_one_metric_alone_gets_right(rng):
    rating, error, metric = rated_items(rng, n_items=15)
    other = rating + rng.normal(0, 1.5, 15)
    table = compare_krasula(rating, metric, other, error, method="delong")
    first, second = [], []
    for i in range(15):
        for k in range(i):
            if abs(rating[i] - rating[k]) > 1.959963984540054 * np.hypot(error[i], error[k]):
                better = rating[i] > rating[k]
                first.append((metric[i] > metric[k]) == better)
                second.append((other[i] > other[k]) == better)
    gain = np.array(first, dtype=int) - np.array(second, dtype=int)
    better, worse = (gain == 1).sum(), (gain == -1).sum()
    expected = scipy.stats.binomtest(better, better + worse).pvalue
    assert table.loc["correct_classification", "p_value"] == pytest.approx(expected)


def test_few_groups_and_ignored_groups_are_told_of(rng):
    rating, error, metric = rated_items(rng)
    groups = np.arange(40) % 9
    with pytest.warns(UserWarning, match="rests on 9 groups"):
        compare_krasula(rating, metric, -metric, error, groups=groups, n_resamples=5)
    with pytest.warns(UserWarning, match=r"ignores groups.*Use method='bootstrap'"):
        compare_krasula(rating, metric, -metric, error, groups=groups, method="delong")


def test_a_difference_without_spread_has_no_p_value_and_says_so():
    rating = np.arange(12.0)
    with pytest.warns(UndefinedMetricWarning, match="differ by 0.5 in every draw"):
        table = compare_krasula(rating, rating, np.ones(12), 1.0, n_resamples=20)
    assert np.isnan(table.loc["correct_classification", "p_value"])
    assert table.loc["correct_classification", "difference"] == 0.5


def test_comparison_of_one_group_is_nan_with_a_warning(rng):
    rating, error, metric = rated_items(rng)
    with pytest.warns(UndefinedMetricWarning, match="two groups to tell apart, and there are 1"):
        table = compare_krasula(rating, metric, -metric, error, groups=np.zeros(40))
    assert table[["low", "high", "p_value"]].isna().all(axis=None)
    assert table["difference"].notna().all()


@pytest.mark.parametrize("method", ["bootstrap", "delong"])
def test_comparison_without_pairs_is_nan_with_a_warning(method):
    rating = np.arange(12.0)
    with pytest.warns(UndefinedMetricWarning, match="tell none"):
        table = compare_krasula(rating, rating, -rating, 9.0, method=method, n_resamples=5)
    assert table.isna().all(axis=None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "hanley"}, "method='hanley' is unknown"),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"n_resamples": 1}, "2 or more"),
        ({"higher_is_better": (True,)}, "one bool, or two"),
        ({"groups": [1, 2]}, "groups should have shape"),
    ],
)
def test_comparison_parameters_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare_krasula([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], 0.4, **arguments)
