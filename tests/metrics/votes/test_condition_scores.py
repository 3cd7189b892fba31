"""Ratings of conditions, after P.1401 and CrowdMOS."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import condition_opinion_scores, crowd_opinion_scores

# The example in the README of github.com/stefantaubert/mean-opinion-score, which follows the
# authors' code: rows are raters there, columns sentences. It prints 3.85 ± 1.3316.
CROWD = np.array(
    [
        [4, 5, np.nan, 4, np.nan, 3],
        [4, 4, 4, 5, np.nan, 4],
        [np.nan, 3, 5, 4, np.nan, 1],
        [np.nan] * 6,
    ]
).T


def test_crowd_interval_equals_a_published_one():
    scores = crowd_opinion_scores(CROWD).loc["all"]
    assert scores["rating"] == pytest.approx(3.85, abs=0.005)
    assert scores[["n_items", "n_raters", "n_votes"]].tolist() == [5, 3, 13]
    # That program counts the rater who never voted among the four of its degrees of freedom.
    assert scores["standard_error"] * student_t.ppf(0.975, 3) == pytest.approx(1.3316, abs=5e-5)
    expected = scores["standard_error"] * student_t.ppf(0.975, 2)
    assert scores["half_width"] == pytest.approx(expected, rel=1e-12)


def draw_crowd(rng, n_items=20, n_raters=15, sds=(0.5, 0.4, 0.7), share=0.5):
    item, rater, chance = sds
    votes = 3 + item * rng.normal(size=(n_items, 1)) + rater * rng.normal(size=n_raters)
    votes = votes + chance * rng.normal(size=votes.shape)
    votes[rng.random(votes.shape) > share] = np.nan
    return votes


def test_crowd_interval_covers(rng):
    runs = pd.DataFrame([crowd_opinion_scores(draw_crowd(rng)).loc["all"] for _ in range(300)])
    assert 0.94 < np.mean((runs["low"] <= 3) & (runs["high"] >= 3)) <= 0.99


def test_crowd_finds_the_parts(rng):
    votes = [draw_crowd(rng, n_items=150, n_raters=120) for _ in range(10)]
    parts = pd.concat([crowd_opinion_scores(each) for each in votes]).mean()
    np.testing.assert_allclose(
        parts[["item_sd", "rater_sd", "residual_sd"]], [0.5, 0.4, 0.7], atol=0.03
    )


@pytest.mark.parametrize("by_rater", [True, False])
def test_crowd_parts_that_cannot_be_told_apart_stay_with_chance(rng, by_rater):
    votes = np.full((12, 12), np.nan)
    if by_rater:  # each rater votes once, three on each item
        votes[np.arange(12) // 3, np.arange(12)] = rng.normal(3, 1, 12)
    else:
        votes[np.arange(12), np.arange(12) // 3] = rng.normal(3, 1, 12)
    scores = crowd_opinion_scores(votes).loc["all"]
    assert scores["rater_sd" if by_rater else "item_sd"] == 0
    whole = np.nanvar(votes)
    parts = (scores[["item_sd", "rater_sd", "residual_sd"]] ** 2).sum()
    assert parts == pytest.approx(whole, rel=1e-9)


def test_crowd_of_single_votes_is_the_plain_standard_error(rng):
    votes = np.full((9, 9), np.nan)
    np.fill_diagonal(votes, rng.normal(3, 1, 9))
    scores = crowd_opinion_scores(votes).loc["all"]
    assert scores["standard_error"] == pytest.approx(np.nanstd(votes) / 3, rel=1e-12)


def test_crowd_needs_two_items_and_two_raters():
    with pytest.warns(UndefinedMetricWarning, match="two items and two raters"):
        scores = crowd_opinion_scores([[3, 4, 5]])
    assert scores.loc["all", "rating"] == 4
    assert np.isnan(scores.loc["all", "half_width"])


def test_condition_of_equal_counts_is_p1401(rng):
    votes = rng.integers(1, 6, (6, 8)).astype(float)
    scores = condition_opinion_scores(votes, ["b", "b", "b", "a", "a", "a"])
    assert scores.index.tolist() == ["b", "a"]
    for label, part in (("b", votes[:3]), ("a", votes[3:])):
        row = scores.loc[label]
        pooled = np.sqrt(part.var(axis=1, ddof=1).mean())
        assert row["rating"] == pytest.approx(part.mean(), rel=1e-12)
        assert row["sd"] == pytest.approx(pooled, rel=1e-12)
        half_width = student_t.ppf(0.975, 24 - 3) * pooled / np.sqrt(24)
        assert row["half_width"] == pytest.approx(half_width, rel=1e-12)
        assert row[["n_items", "n_votes"]].tolist() == [3, 24]


@pytest.mark.parametrize("average", ["items", "votes"])
def test_condition_intervals_cover_with_votes_missing_at_random(rng, average):
    quality = np.array([1.5, 3.0, 4.5])
    truths, lows, highs = [], [], []
    for _ in range(500):
        votes = quality[:, np.newaxis] + rng.normal(size=(3, 6))
        votes[rng.random(votes.shape) < 0.4] = np.nan
        votes[:, 0] = quality + rng.normal(size=3)
        n = (~np.isnan(votes)).sum(axis=1)
        if n.max() == 1:
            continue
        row = condition_opinion_scores(votes, ["c"] * 3, average=average).loc["c"]
        truths.append(quality.mean() if average == "items" else np.average(quality, weights=n))
        lows.append(row["low"])
        highs.append(row["high"])
    inside = (np.array(lows) <= truths) & (np.array(highs) >= truths)
    assert 0.92 < inside.mean() < 0.98


def test_empty_conditions_are_nan_with_a_warning():
    votes = [[5, 4], [None, None], [3, None]]
    with pytest.warns(UndefinedMetricWarning) as caught:
        scores = condition_opinion_scores(votes, ["a", "b", "c"])
    assert [str(w.message)[:22] for w in caught] == [
        "1 of 3 conditions (b) ",
        "1 of 3 conditions (c) ",
    ]
    assert scores["rating"].isna().tolist() == [False, True, False]
    assert scores["half_width"].isna().tolist() == [False, True, True]
    with pytest.warns(UndefinedMetricWarning):
        crowd = crowd_opinion_scores(votes, ["a", "b", "c"])
    assert crowd["rating"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("scores", [condition_opinion_scores, crowd_opinion_scores])
def test_condition_errors_say_what_to_do(scores):
    with pytest.raises(ValueError, match=r"condition should have shape \(2,\), one label an item"):
        scores([[1, 2], [3, 4]], ["a"])
    with pytest.raises(ValueError, match="condition is empty for 1 items, the first in row 1"):
        scores([[1, 2], [3, 4]], ["a", None])
    with pytest.raises(ValueError, match="outside the scale"):
        scores([[1, 7], [3, 4]], ["a", "a"], scale=(1, 5))


def test_average_is_checked():
    with pytest.raises(ValueError, match="'items' or 'votes'"):
        condition_opinion_scores([[1, 2]], ["a"], average="raters")
