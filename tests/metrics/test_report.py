"""Reports hold what the single functions give, and say once what they cannot tell."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual import RatingMapping
from skperceptual.metrics import (
    compare_correlations,
    compare_metrics,
    correlation_interval,
    holm_correction,
    kendall_score,
    mean_opinion_scores,
    noise_ceiling_from_errors,
    noise_ceiling_from_votes,
    outlier_ratio,
    pearson_score,
    rating_report,
    rmse,
    rmse_interval,
    rmse_star,
    spearman_score,
)

COLUMNS = [
    *("metric", "condition", "n", "n_groups"),
    *("srcc", "srcc_low", "srcc_high", "krcc", "krcc_low", "krcc_high"),
    *("plcc", "plcc_low", "plcc_high", "rmse", "rmse_low", "rmse_high"),
    *("rmse_star", "outlier_ratio", "ceiling"),
    *("difference", "difference_low", "difference_high", "p_value", "p_value_holm"),
]


def make_items(n_songs=20, n_versions=6, seed=0):
    """Give ratings, a good metric, a poor one, a distance, songs and conditions."""
    rng = np.random.default_rng(seed)
    n_items = n_songs * n_versions
    song = np.repeat(np.arange(n_songs), n_versions)
    condition = np.tile(["codec", "noise"], n_items // 2)
    quality = rng.normal(size=n_items)
    ratings = np.clip(np.round(2 * (3 + quality)) / 2, 1, 5)
    metrics = {
        "good": quality + 0.4 * rng.normal(size=n_items),
        "poor": quality + 1.5 * rng.normal(size=n_items) + rng.normal(size=n_songs)[song],
        "distance": np.exp(-quality + 0.6 * rng.normal(size=n_items)),
    }
    return ratings, metrics, song, condition


RISES = {"good": True, "poor": True, "distance": False}


def row_of(table, metric, condition="all"):
    rows = table[(table["metric"] == metric) & (table["condition"] == condition)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_one_row_a_metric_and_condition_all_items_first():
    ratings, metrics, song, condition = make_items()
    table = compare_metrics(ratings, metrics, groups=song, condition=condition)
    assert list(table.columns) == COLUMNS
    assert table["metric"].tolist() == [*metrics] * 3
    assert table["condition"].tolist() == ["all"] * 3 + ["codec"] * 3 + ["noise"] * 3
    assert table["n"].tolist() == [120] * 3 + [60] * 6
    assert (table["n_groups"] == 20).all()
    assert table[["ceiling", "rmse_star", "difference", "p_value_holm"]].isna().all(axis=None)


def test_correlations_are_those_of_scipy_with_their_sign():
    ratings, metrics, song, condition = make_items()
    table = compare_metrics(ratings, metrics, groups=song, condition=condition)
    for label, rows in (("all", slice(None)), ("codec", condition == "codec")):
        for name, values in metrics.items():
            cells = row_of(table, name, label)
            pairs = ratings[rows], values[rows]
            assert cells["srcc"] == pytest.approx(stats.spearmanr(*pairs)[0], abs=1e-12)
            assert cells["krcc"] == pytest.approx(stats.kendalltau(*pairs)[0], abs=1e-12)
            assert cells["plcc"] == pytest.approx(stats.pearsonr(*pairs)[0], abs=1e-12)
    assert row_of(table, "distance")["srcc"] < -0.5


@pytest.mark.parametrize("method", ["jackknife", "fisher", "percentile", "bca"])
def test_intervals_are_those_of_correlation_interval(method):
    ratings, metrics, song, condition = make_items()
    options = {"method": method, "n_resamples": 200, "random_state": 3, "confidence_level": 0.9}
    table = compare_metrics(ratings, metrics, groups=song, condition=condition, **options)
    noise = condition == "noise"
    for name, score in (
        ("srcc", spearman_score),
        ("krcc", kendall_score),
        ("plcc", pearson_score),
    ):
        cells = row_of(table, "poor", "noise")
        expected = correlation_interval(
            ratings[noise], metrics["poor"][noise], groups=song[noise], score=score, **options
        )
        np.testing.assert_allclose([cells[f"{name}_low"], cells[f"{name}_high"]], expected)


def test_metrics_do_not_change_one_another():
    ratings, metrics, song, _ = make_items()
    options = {"groups": song, "method": "fisher", "n_resamples": 100}
    together = compare_metrics(ratings, metrics, **options)
    for name, values in metrics.items():
        alone = rating_report(ratings, values, name=name, **options)
        pd.testing.assert_frame_equal(
            alone, together[together["metric"] == name].reset_index(drop=True)
        )


@pytest.mark.parametrize("kind", ["linear", "cubic", "logistic", "isotonic"])
def test_errors_are_those_after_mapping(kind):
    ratings, metrics, song, _ = make_items()
    half_width = np.linspace(0.1, 0.5, len(ratings))
    cells = rating_report(
        ratings, metrics["distance"], groups=song, mapping=kind, half_width=half_width
    ).iloc[0]
    mapping = RatingMapping(kind).fit(metrics["distance"], ratings)
    mapped, ddof = mapping.predict(metrics["distance"]), mapping.n_parameters_
    assert cells["rmse"] == pytest.approx(rmse(ratings, mapped, ddof=ddof))
    assert cells["rmse_star"] == pytest.approx(rmse_star(ratings, mapped, half_width, ddof=ddof))
    assert cells["outlier_ratio"] == outlier_ratio(ratings, mapped, half_width)
    expected = rmse_interval(ratings, mapped, groups=song, ddof=ddof)
    np.testing.assert_allclose([cells["rmse_low"], cells["rmse_high"]], expected)


def test_one_mapping_serves_all_conditions_which_share_its_degrees_of_freedom():
    ratings, metrics, song, _ = make_items(n_songs=30)
    condition = np.where(song < 10, "few", "many")
    table = compare_metrics(ratings, metrics, groups=song, condition=condition, mapping="linear")
    for name in metrics:
        every, *parts = (row_of(table, name, label) for label in ("all", "few", "many"))
        squares = sum(part["n"] * part["rmse"] ** 2 for part in parts)
        assert squares / every["n"] == pytest.approx(every["rmse"] ** 2)


def test_values_on_the_scale_of_the_ratings_need_no_mapping():
    ratings, metrics, *_ = make_items()
    on_scale = 3 + metrics["good"]
    plain = rating_report(ratings, on_scale, mapping=None).iloc[0]
    assert plain["rmse"] == pytest.approx(rmse(ratings, on_scale, ddof=1))
    unbiased = rating_report(ratings, on_scale, mapping=None, ddof=0).iloc[0]
    assert unbiased["rmse"] == pytest.approx(rmse(ratings, on_scale, ddof=0))
    elsewhere = rating_report(ratings, metrics["good"], mapped=on_scale).iloc[0]
    assert elsewhere["rmse"] == unbiased["rmse"]
    assert elsewhere["plcc"] == pytest.approx(plain["plcc"])


@pytest.mark.parametrize("compared", ["srcc", "krcc", "plcc"])
@pytest.mark.parametrize("method", ["jackknife", "fisher"])
def test_differences_are_those_of_compare_correlations_and_holm(method, compared):
    ratings, metrics, song, condition = make_items()
    options = {"n_resamples": 200, "random_state": 5}
    table = compare_metrics(
        ratings,
        metrics,
        groups=song,
        condition=condition,
        baseline="poor",
        higher_is_better=RISES,
        compared=compared,
        method=method,
        **options,
    )
    score = {"srcc": spearman_score, "krcc": kendall_score, "plcc": pearson_score}[compared]
    for label, rows in (("all", slice(None)), ("codec", condition == "codec")):
        p_values = []
        for name in ("good", "distance"):
            expected = compare_correlations(
                ratings[rows],
                metrics[name][rows],
                metrics["poor"][rows],
                groups=song[rows],
                score=score,
                higher_is_better=(RISES[name], True),
                method="jackknife" if method == "jackknife" else "bootstrap",
                **options,
            )
            cells = row_of(table, name, label)
            found = cells[["difference", "difference_low", "difference_high", "p_value"]]
            np.testing.assert_allclose(
                found.astype(float),
                [expected.difference, expected.low, expected.high, expected.p_value],
            )
            p_values.append(expected.p_value)
        corrected = [row_of(table, name, label)["p_value_holm"] for name in ("good", "distance")]
        np.testing.assert_allclose(corrected, holm_correction(p_values))
        baseline = row_of(table, "poor", label)
        assert baseline[["difference", "p_value", "p_value_holm"]].isna().all()


def test_a_distance_said_to_be_a_similarity_is_doubted():
    ratings, metrics, song, _ = make_items()
    with pytest.warns(UserWarning, match="said to rise with quality, but fall") as caught:
        compare_metrics(ratings, metrics, groups=song, baseline="good")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    compare_metrics(ratings, metrics, groups=song, baseline="good", higher_is_better=RISES)


# Ceilings


def test_ceiling_and_half_width_come_from_votes():
    rng = np.random.default_rng(0)
    quality = rng.normal(3, 0.7, size=(60, 1))
    votes = np.clip(np.round(quality + rng.normal(0, 0.8, size=(60, 7))), 1, 5)
    votes[rng.random(votes.shape) < 0.1] = np.nan
    means = mean_opinion_scores(votes)
    cells = rating_report(means["rating"], quality[:, 0], votes=votes, mapping=None).iloc[0]
    assert cells["ceiling"] == noise_ceiling_from_votes(votes).ceiling
    assert cells["outlier_ratio"] == outlier_ratio(
        means["rating"], quality[:, 0], means["half_width"]
    )
    medians = np.nanmedian(votes, axis=1)
    of_medians = rating_report(medians, quality[:, 0], votes=votes).iloc[0]
    assert of_medians["ceiling"] == noise_ceiling_from_votes(votes, rating="median").ceiling
    assert of_medians["ceiling"] != cells["ceiling"]


def test_ceiling_comes_from_half_widths_where_there_are_no_votes():
    ratings, metrics, *_ = make_items()
    cells = rating_report(ratings, metrics["good"], half_width=0.5).iloc[0]
    assert cells["ceiling"] == noise_ceiling_from_errors(ratings, 0.5 / stats.norm.ppf(0.975))[0]


def test_single_votes_take_the_scatter_of_the_others():
    votes = np.tile([[1.0, 2, 2], [3, 3, 4], [5, 4, 5], [4, 5, 4]], (3, 1))
    votes[3, 1:] = np.nan
    ratings = np.nanmean(votes, axis=1)
    with pytest.warns(UndefinedMetricWarning, match="fewer than two votes"):
        cells = rating_report(ratings, ratings + 0.01, votes=votes, mapping=None).iloc[0]
    assert cells["outlier_ratio"] == 0
    nobody = np.where(np.arange(12)[:, None] == 3, np.nan, votes)
    with pytest.raises(ValueError, match="votes has none in row 3"):
        rating_report(ratings, ratings, votes=nobody)


# What is averaged


def test_conditions_are_averaged_before_mapping_and_correlating():
    ratings, metrics, song, _ = make_items(n_songs=8, n_versions=12)
    level = np.tile(np.arange(12), 8)
    table = compare_metrics(
        ratings, metrics, groups=song, condition=level, per="condition", half_width=0.3
    )
    assert table["condition"].tolist() == ["all"] * 3
    assert table[["n", "n_groups"]].to_numpy().tolist() == [[12, 12]] * 3
    mean_ratings = np.array([ratings[level == k].mean() for k in range(12)])
    mean_values = np.array([metrics["distance"][level == k].mean() for k in range(12)])
    cells = row_of(table, "distance")
    assert cells["srcc"] == pytest.approx(stats.spearmanr(mean_ratings, mean_values)[0])
    mapping = RatingMapping("cubic").fit(mean_values, mean_ratings)
    mapped = mapping.predict(mean_values)
    assert cells["rmse"] == pytest.approx(rmse(mean_ratings, mapped, ddof=4))
    half_width = 0.3 / np.sqrt(8)
    assert cells["rmse_star"] == pytest.approx(rmse_star(mean_ratings, mapped, half_width, ddof=4))


def test_labels_are_averaged_within_their_conditions_and_groups():
    ratings, metrics, song, condition = make_items()
    label = [f"{s} {c}" for s, c in zip(song, condition, strict=True)]
    table = compare_metrics(ratings, metrics, groups=song, condition=condition, per=label)
    assert table["condition"].unique().tolist() == ["all", "codec", "noise"]
    assert row_of(table, "good")[["n", "n_groups"]].tolist() == [40, 20]
    frame = pd.DataFrame({"y": ratings, "x": metrics["good"], "song": song, "c": condition})
    means = frame.groupby(["c", "song"]).mean().loc["noise"]
    expected = stats.pearsonr(means["y"], means["x"])[0]
    assert row_of(table, "good", "noise")["plcc"] == pytest.approx(expected)
    with pytest.raises(ValueError, match="several conditions"):
        compare_metrics(ratings, metrics, condition=condition, per=song)


def test_votes_of_averaged_items_are_joined():
    rng = np.random.default_rng(0)
    quality = np.repeat(rng.normal(3, 0.7, size=30), 2)
    votes = np.clip(np.round(quality[:, None] + rng.normal(0, 1, size=(60, 4))), 1, 5)
    cells = rating_report(
        votes.mean(axis=1), quality, votes=votes, per=np.repeat(np.arange(30), 2)
    ).iloc[0]
    assert cells["ceiling"] == noise_ceiling_from_votes(votes.reshape(30, 8)).ceiling


def test_correlations_within_groups_are_averaged_by_fisher_z():
    ratings, metrics, song, condition = make_items(n_songs=15, n_versions=10)
    table = compare_metrics(
        ratings,
        metrics,
        groups=song,
        condition=condition,
        per="group",
        baseline="poor",
        higher_is_better=RISES,
    )
    z = {
        name: np.arctanh(
            [stats.kendalltau(ratings[song == s], values[song == s])[0] for s in range(15)]
        )
        for name, values in metrics.items()
    }
    cells = row_of(table, "poor")
    assert cells["krcc"] == pytest.approx(np.tanh(z["poor"].mean()))
    assert cells["n_groups"] == 15
    # z is a plain mean, of which the jackknife gives the plain standard error, widened.
    error = z["poor"].std(ddof=1) / np.sqrt(15) * 15 / 14
    width = np.arctanh(cells["krcc_high"]) - np.arctanh(cells["krcc_low"])
    assert 2 * stats.t.ppf(0.975, 14) * error <= width * (1 + 1e-9)
    assert width < 2 * stats.t.ppf(0.975, 5) * error
    assert row_of(table, "good")["difference"] > 0
    assert row_of(table, "good")["difference_low"] < row_of(table, "good")["difference"]
    offset = 100 * song
    shifted = compare_metrics(ratings, {"good": metrics["good"] + offset}, groups=song, per="group")
    assert shifted["srcc"][0] == row_of(table, "good")["srcc"]


@pytest.mark.filterwarnings("ignore:Some results are doubtful:UserWarning")
def test_groups_without_a_correlation_are_left_out():
    ratings = np.array([1.0, 2, 3, 1, 2, 3, 4, 4, 4, 1, 2])
    values = np.array([1.0, 3, 2, 5, 5, 5, 1, 2, 3, 1, 2])
    song = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3])
    with pytest.warns(UndefinedMetricWarning, match="there are 1"):
        cells = rating_report(ratings, values, groups=song, per="group", mapping=None).iloc[0]
    assert cells[["n", "n_groups"]].tolist() == [3, 1]
    assert cells["srcc"] == pytest.approx(0.5)
    assert cells["rmse"] == pytest.approx(rmse(ratings, values))  # of every item


def test_perfect_order_of_few_items_counts_for_less_than_one():
    ratings, song = np.tile([1.0, 2, 3, 4], 12), np.repeat(np.arange(12), 4)
    cells = rating_report(ratings, ratings + song, groups=song, per="group").iloc[0]
    assert cells["srcc"] == pytest.approx(6 / 7)


# NaN


def test_omitting_changes_the_items_of_no_other_metric():
    ratings, metrics, song, condition = make_items()
    gappy = metrics | {"poor": np.where(np.arange(120) % 7 == 0, np.nan, metrics["poor"])}
    options = {"groups": song, "condition": condition, "baseline": "good"}
    options |= {"higher_is_better": RISES}
    whole = compare_metrics(ratings, metrics, **options)
    table = compare_metrics(ratings, gappy, nan_policy="omit", **options)
    there = ~np.isnan(gappy["poor"])
    own = [name for name in COLUMNS if not name.startswith("p_value_holm")]
    for name in ("good", "distance"):
        pd.testing.assert_frame_equal(
            table.loc[table["metric"] == name, own], whole.loc[whole["metric"] == name, own]
        )
    cells = row_of(table, "poor")
    assert cells["n"] == there.sum()
    assert cells["srcc"] == spearman_score(ratings[there], gappy["poor"][there])
    common = compare_correlations(
        ratings[there], gappy["poor"][there], metrics["good"][there], groups=song[there]
    )
    assert cells["difference"] == pytest.approx(common.difference)
    assert cells["p_value"] == pytest.approx(common.p_value)


def test_items_without_a_rating_are_left_out_for_all():
    ratings, metrics, song, condition = make_items()
    rated = np.arange(120) % 5 != 2
    gappy = np.where(rated, ratings, np.nan)
    table = compare_metrics(
        gappy, metrics, groups=song, condition=condition, half_width=0.2, nan_policy="omit"
    )
    expected = compare_metrics(
        ratings[rated],
        {name: values[rated] for name, values in metrics.items()},
        groups=song[rated],
        condition=condition[rated],
        half_width=0.2,
    )
    pd.testing.assert_frame_equal(table, expected)


def test_propagated_nan_concern_one_metric():
    ratings, metrics, *_ = make_items()
    metrics["poor"][3] = np.nan
    with pytest.warns(UndefinedMetricWarning, match="'poor' in 'all'"):
        table = compare_metrics(ratings, metrics, nan_policy="propagate")
    assert table.set_index("metric")["srcc"].isna().to_dict() == {
        "good": False,
        "poor": True,
        "distance": False,
    }


def test_averages_with_a_gap_are_left_out():
    ratings, metrics, song, _ = make_items()
    metrics["good"][0] = np.nan
    table = compare_metrics(
        ratings, metrics, groups=song, per=song, nan_policy="omit", mapping="linear"
    )
    assert table.set_index("metric")["n"].to_dict() == {"good": 19, "poor": 20, "distance": 20}


# What cannot be told is said once


def only_warning(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    (warning,) = caught
    assert warning.filename == __file__
    return result, warning


def test_constant_metrics_are_named_once():
    ratings, metrics, song, condition = make_items()
    metrics["constant"] = np.ones(120)
    table, warning = only_warning(
        lambda: compare_metrics(ratings, metrics, groups=song, condition=condition, baseline="good",
                                higher_is_better=RISES | {"constant": True})
    )  # fmt: skip
    assert warning.category is UndefinedMetricWarning
    assert "all values of the metric are equal ('constant' in 'all', 'codec', 'noise')" in str(
        warning.message
    )
    cells = table[table["metric"] == "constant"]
    assert cells[["srcc", "krcc_low", "plcc_high", "rmse", "p_value"]].isna().all(axis=None)
    assert table.loc[table["metric"] == "good", "srcc"].notna().all()


def test_a_constant_baseline_leaves_no_differences():
    ratings, metrics, *_ = make_items()
    metrics = {"constant": np.ones(120), "good": metrics["good"]}
    table, _ = only_warning(lambda: compare_metrics(ratings, metrics, baseline="constant"))
    assert table["difference"].isna().all()
    assert np.isfinite(table["srcc"][1])


@pytest.mark.parametrize(
    ("n_items", "ratings", "reason"),
    [
        (20, np.full(20, 3.0), "all ratings are equal"),
        (3, np.array([1.0, 2.0, 4.0]), "at least 4 rows"),
        (1, np.array([2.0]), "there are 1"),
        (0, np.array([]), "there are 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:Some results are doubtful:UserWarning")
def test_too_little_gives_nan_with_a_reason(n_items, ratings, reason):
    values = np.sin(np.arange(n_items))
    with pytest.warns(UndefinedMetricWarning, match=reason):
        table = rating_report(ratings, values, mapping="linear")
    assert table[["srcc_low", "krcc_low", "plcc_low"]].isna().all(axis=None)


def test_ties_everywhere_are_no_hindrance():
    rng = np.random.default_rng(0)
    ratings, values = rng.integers(1, 3, size=60), rng.integers(0, 2, size=60)
    table = rating_report(ratings, values, mapping="linear")
    assert table["krcc"][0] == pytest.approx(stats.kendalltau(ratings, values)[0])
    assert table[["srcc_low", "srcc_high", "rmse"]].notna().all(axis=None)


def test_a_single_group_has_no_interval_and_few_have_doubtful_ones():
    ratings, metrics, song, condition = make_items()
    table, warning = only_warning(
        lambda: rating_report(ratings, metrics["good"], groups=np.zeros(120))
    )
    assert "two groups" in str(warning.message)
    assert np.isfinite(table["srcc"][0])
    assert np.isnan(table["srcc_low"][0])
    _, warning = only_warning(
        lambda: compare_metrics(ratings, metrics, groups=song % 4, condition=condition)
    )
    assert "rests on 4 groups" in str(warning.message)


def test_a_mapping_that_cannot_be_fitted_leaves_the_correlations():
    ratings, values = np.tile([1.0, 2, 3, 4, 5, 2], 2), np.tile([0.0, 0, 1, 1, 2, 2], 2)
    with pytest.warns(UndefinedMetricWarning, match="use mapping='linear' or None"):
        table = rating_report(ratings, values, mapping="cubic")
    assert np.isnan(table["rmse"][0])
    assert np.isfinite(table["srcc"][0])


# Errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_pred": {"a": [1.0, 2, 3]}}, r"y_pred\['a'\] has 3 rows and y_true has 120"),
        ({"y_pred": {"a": [np.nan] * 120}}, "nan_policy='omit' judges"),
        ({"y_pred": {"a": [np.inf] * 120}}, r"y_pred\['a'\] has 120 infinite values"),
        ({"y_pred": {"a": ["x"] * 120}}, "should be numeric"),
        ({"y_pred": {}}, "one metric or more"),
        ({"baseline": "nobody"}, "none of the metrics"),
        ({"higher_is_better": {"good": True}}, "lacks 'poor'"),
        ({"higher_is_better": "yes"}, "True, False or one of them"),
        ({"condition": ["all"] * 120}, "Call it otherwise"),
        ({"condition": [None] * 120}, "no label in row 0"),
        ({"condition": ["x"] * 3}, "one label for each of the 120 items"),
        ({"groups": [1, 2]}, "groups should have shape"),
        ({"per": "song"}, "per='song' is unknown"),
        ({"per": "group"}, "needs groups="),
        ({"per": "condition"}, "needs condition="),
        ({"mapping": "quartic"}, "mapping='quartic' is unknown"),
        ({"mapped": {"good": [1.0] * 120}}, "give the mapped values of each"),
        ({"ddof": -1}, "ddof=-1"),
        ({"half_width": -1.0}, "half_width should be"),
        ({"votes": np.ones((3, 4))}, "votes has 3 rows for 120 items"),
        ({"method": "williams"}, "method='williams' is unknown"),
        ({"compared": "rmse"}, "compared='rmse' is unknown"),
        ({"nan_policy": "drop"}, "nan_policy='drop' is unknown"),
        ({"n_resamples": 0}, "n_resamples=0"),
    ],
)
def test_errors_say_what_to_do(change, message):
    ratings, metrics, *_ = make_items()
    with pytest.raises(ValueError, match=message):
        compare_metrics(ratings, **({"y_pred": metrics} | change))


def test_values_without_names_are_refused():
    ratings, metrics, *_ = make_items()
    with pytest.raises(TypeError, match=r"Use {'name': values}"):
        compare_metrics(ratings, list(metrics.values()))


def test_forms_of_the_same_data_give_the_same():
    ratings, metrics, song, condition = make_items()
    expected = compare_metrics(ratings, metrics, groups=song, condition=condition)
    table = compare_metrics(
        pd.Series(ratings),
        pd.DataFrame(metrics),
        groups=pd.Series([f"song {s:02}" for s in song]),
        condition=pd.Categorical(condition),
    )
    pd.testing.assert_frame_equal(table, expected)
    column = {name: values[:, np.newaxis] for name, values in metrics.items()}
    pd.testing.assert_frame_equal(
        compare_metrics(ratings[:, np.newaxis], column, groups=song, condition=condition), expected
    )
    rng = np.random.RandomState(4)
    drawn = compare_metrics(ratings, metrics, method="fisher", n_resamples=50, random_state=rng)
    again = compare_metrics(ratings, metrics, method="fisher", n_resamples=50, random_state=rng)
    assert not drawn["srcc_low"].equals(again["srcc_low"])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_items_and_the_scale_of_metrics_do_not_matter(seed):
    ratings, metrics, song, condition = make_items()
    options = {"baseline": "poor", "higher_is_better": RISES, "mapping": "linear"}
    expected = compare_metrics(ratings, metrics, groups=song, condition=condition, **options)
    rng = np.random.default_rng(seed)
    order = np.r_[0, 1, 2 + rng.permutation(118)]  # conditions come in order of appearance
    scale, shift = rng.uniform(0.1, 10), rng.normal()
    changed = {name: shift + scale * values[order] for name, values in metrics.items()}
    relabelled = rng.permutation(20)[song[order]]
    found = compare_metrics(
        ratings[order], changed, groups=relabelled, condition=condition[order], **options
    )
    pd.testing.assert_frame_equal(found, expected, rtol=1e-7, atol=1e-9)


def test_ten_metrics_of_a_thousand_items_take_seconds():
    rng = np.random.default_rng(0)
    ratings = np.round(rng.normal(3, 1, size=1000) * 4) / 4
    metrics = {f"metric {k}": ratings + rng.normal(size=1000) for k in range(10)}
    started = time.process_time()
    compare_metrics(ratings, metrics, groups=np.repeat(np.arange(100), 10), method="fisher")
    assert time.process_time() - started < 15  # about 1 s; a loop over draws takes minutes
