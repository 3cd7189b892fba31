"""Means, medians and trimmed means of votes, and their intervals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import (
    mean_opinion_scores,
    median_opinion_scores,
    mos_half_width,
    trimmed_mean_opinion_scores,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "data" / "rating_statistics.json").read_text())
RATERS = GOLDEN["rater_models"]
VOTES = np.array(RATERS["input"]["ratings_items_by_raters"])
SCORES = pytest.mark.parametrize(
    "scores",
    [mean_opinion_scores, median_opinion_scores, trimmed_mean_opinion_scores],
    ids=lambda scores: scores.__name__,
)


def incomplete(rng, n_items=30, n_raters=12, share=0.6):
    votes = rng.integers(1, 6, (n_items, n_raters)).astype(float)
    votes[rng.random(votes.shape) > share] = np.nan
    votes[:, :4] = np.where(np.isnan(votes[:, :4]), 3, votes[:, :4])
    return votes


def test_worked_case():
    expected = RATERS["expect"]
    means = mean_opinion_scores(VOTES)
    np.testing.assert_allclose(means["rating"], expected["mos"], rtol=1e-12)
    np.testing.assert_allclose(means["sd"], expected["sd_ddof1"], rtol=1e-12)
    np.testing.assert_allclose(means["half_width"], expected["ci95_t"], rtol=1e-12)
    np.testing.assert_array_equal(median_opinion_scores(VOTES)["rating"], expected["median"])


@pytest.mark.parametrize(("interval", "name"), [("t", "t"), (1.96, "1.96")])
def test_half_widths_of_known_deviations(interval, name):
    case = GOLDEN["mos_half_widths"]
    widths = mos_half_width(case["sd"], case["n_votes"], interval=interval)
    np.testing.assert_allclose(widths, case[name], rtol=1e-12)


def test_normal_interval_is_that_of_endlessly_many_votes():
    normal, many = (mos_half_width(1.0, 10**9, interval=kind) for kind in ("normal", "t"))
    np.testing.assert_allclose(normal, many, rtol=1e-8)


@pytest.mark.parametrize("confidence_level", [0.8, 0.95])
def test_mean_equals_scipy_with_votes_missing_at_random(rng, confidence_level):
    votes = incomplete(rng)
    scores = mean_opinion_scores(votes, confidence_level=confidence_level)
    for (_, row), item in zip(scores.iterrows(), votes, strict=True):
        heard = item[~np.isnan(item)]
        expected = scipy.stats.ttest_1samp(heard, 0).confidence_interval(confidence_level)
        np.testing.assert_allclose([row["low"], row["high"]], expected, rtol=1e-12)
        assert row["n_votes"] == len(heard)
        assert row["standard_error"] == pytest.approx(scipy.stats.sem(heard), rel=1e-12)


def test_trimmed_mean_equals_scipy_with_votes_missing_at_random(rng):
    votes = incomplete(rng)
    scores = trimmed_mean_opinion_scores(votes)
    for (_, row), item in zip(scores.iterrows(), votes, strict=True):
        heard = item[~np.isnan(item)]
        assert row["rating"] == pytest.approx(scipy.stats.trim_mean(heard, 0.2), rel=1e-12)
        # Yuen's test against far distant equal votes has the standard error in its statistic.
        far = np.full(len(heard), 100.0) + np.tile([0, 1e-9], len(heard))[: len(heard)]
        yuen = scipy.stats.ttest_ind(far, heard, equal_var=False, trim=0.2)
        if row["standard_error"] > 0:
            assert yuen.statistic == pytest.approx(
                (100 - row["rating"]) / row["standard_error"], rel=1e-6
            )


def test_trimming_nothing_is_the_mean(rng):
    votes = incomplete(rng)
    pd.testing.assert_frame_equal(
        trimmed_mean_opinion_scores(votes, proportion=0), mean_opinion_scores(votes)
    )


def test_whole_shares_are_trimmed_whole():
    votes = [[*range(9), 109]]  # 0.3 * 10 is 3 less a rounding error
    scores = trimmed_mean_opinion_scores(votes, proportion=0.3)
    assert scores.loc[0, "rating"] == 4.5
    assert scores.loc[0, "standard_error"] == pytest.approx(
        np.sqrt(np.var([3, 3, 3, 3, 4, 5, 6, 6, 6, 6], ddof=1) * 9 / (4 * 3))
    )


def test_median_equals_numpy_with_votes_missing_at_random(rng):
    votes = incomplete(rng)
    np.testing.assert_array_equal(
        median_opinion_scores(votes)["rating"], np.nanmedian(votes, axis=1)
    )


def test_median_error_by_hand():
    # 9 votes: c = 5 - 3 = 2, so the second vote from either end; beyond it lie 10 of 512 orders.
    votes = np.array([[1, 3, 4, 4, 5, 6, 7, 8, 30]])
    z = scipy.stats.norm.isf(10 / 512)
    error = median_opinion_scores(votes).loc[0, "standard_error"]
    assert error == pytest.approx((8 - 3) / (2 * z), rel=1e-12)


@pytest.mark.parametrize("n_votes", [5, 8, 24])
@SCORES
def test_intervals_cover(rng, scores, n_votes):
    table = scores(rng.normal(size=(4000, n_votes)))
    coverage = np.mean((table["low"] <= 0) & (table["high"] >= 0))
    assert coverage == pytest.approx(0.95, abs=0.02)


def test_pooled_deviation(rng):
    votes = incomplete(rng)
    scores = mean_opinion_scores(votes, pool_sd=True)
    own = mean_opinion_scores(votes)
    n = own["n_votes"]
    pooled = np.sqrt(((n - 1) * own["sd"] ** 2).sum() / (n - 1).sum())
    np.testing.assert_allclose(scores["standard_error"], pooled / np.sqrt(n), rtol=1e-12)
    quantile = scipy.stats.t.ppf(0.975, (n - 1).sum())
    np.testing.assert_allclose(
        scores["half_width"], quantile * scores["standard_error"], rtol=1e-12
    )


def test_pooled_deviation_serves_an_item_with_one_vote():
    votes = [[5, 4, 4], [2, None, None], [1, 2, 2]]
    with pytest.warns(
        UndefinedMetricWarning, match=r"1 of 3 items \(1\) have no interval.*pool_sd"
    ):
        alone = mean_opinion_scores(votes)
    assert np.isnan(alone.loc[1, "half_width"])
    assert mean_opinion_scores(votes, pool_sd=True).notna()["half_width"].all()


@SCORES
def test_items_without_votes_are_nan_with_a_warning(scores):
    votes = pd.DataFrame([[5, 4, 3], [None] * 3], index=["x", "y"], dtype=float)
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 2 items \(y\) have no vote"):
        table = scores(votes)
    assert table.loc["y", "n_votes"] == 0
    assert table.loc["y"].drop("n_votes").isna().all()
    assert table.loc["x"].notna().all()


@SCORES
@given(
    arrays(np.float64, (4, 6), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0])),
    st.permutations(range(6)),
    st.floats(0.1, 10),
    st.floats(-5, 5),
)
def test_order_of_raters_and_scale_do_not_matter(scores, votes, order, factor, shift):
    first = scores(votes)
    pd.testing.assert_frame_equal(scores(votes[:, order]), first)
    second = scores(factor * votes + shift)
    np.testing.assert_allclose(second["rating"], factor * first["rating"] + shift, atol=1e-9)
    np.testing.assert_allclose(second["half_width"], factor * first["half_width"], atol=1e-6)
    assert (first["low"] <= first["rating"]).all()
    assert (first["rating"] <= first["high"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interval": "z"}, "interval='z' is unknown"),
        ({"interval": -1.96}, "such as 1.96"),
        ({"confidence_level": 95}, "between 0 and 1"),
    ],
)
def test_parameter_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        mean_opinion_scores(VOTES, **arguments)
    with pytest.raises(ValueError, match=message):
        mos_half_width(1.0, 5, **arguments)


@pytest.mark.parametrize("proportion", [0.5, -0.1, "a fifth"])
def test_trimming_all_is_refused(proportion):
    with pytest.raises(ValueError, match=r"below 0\.5"):
        trimmed_mean_opinion_scores(VOTES, proportion=proportion)


def test_half_width_of_too_few_votes_is_nan():
    np.testing.assert_array_equal(
        np.isnan(mos_half_width([0.5, np.nan, 0.5], [1, 5, 2])), [1, 1, 0]
    )
    with pytest.raises(ValueError, match="should not be negative"):
        mos_half_width([-1.0], 5)
    with pytest.raises(ValueError, match="one number an item"):
        mos_half_width([1.0, 2.0], [3, 4, 5])
