"""Raters who are left out, and those who are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import screen_bs1116, screen_bt500, screen_mushra

GOLDEN = json.loads((Path(__file__).parents[2] / "data" / "rating_statistics.json").read_text())


def votes_with_a_stray(rng, n_items=60, n_raters=24):
    votes = rng.uniform(1.5, 4.5, (n_items, 1)) + rng.normal(0, 0.4, (n_items, n_raters))
    votes[:, 3] += np.tile([1.0, -1.0], n_items // 2)
    votes[:, 7] += 0.8  # biased, not inconsistent
    return votes


def bt500_by_hand(votes):
    """Follow the recommendation, vote by vote."""
    n_raters = votes.shape[1]
    above, below, heard = np.zeros((3, n_raters), dtype=int)
    for item in votes:
        given = item[~np.isnan(item)]
        mean, sd = given.mean(), given.std()
        kurtosis = scipy.stats.kurtosis(given, fisher=False)
        limit = 2 * sd if 2 <= kurtosis <= 4 else np.sqrt(20) * sd
        for rater, vote in enumerate(item):
            heard[rater] += not np.isnan(vote)
            above[rater] += vote > mean + limit
            below[rater] += vote < mean - limit
    return above, below, heard


@pytest.mark.parametrize("share", [1.0, 0.7])
def test_bt500_equals_the_procedure_by_hand(rng, share):
    votes = votes_with_a_stray(rng)
    votes[rng.random(votes.shape) >= share] = np.nan
    screening = screen_bt500(votes)
    above, below, heard = bt500_by_hand(votes)
    for column, expected in (("above", above), ("below", below), ("n_votes", heard)):
        np.testing.assert_array_equal(screening[column], expected)
    strays = above + below
    rejected = [
        s / n > 0.05 and abs(a - b) / s < 0.3
        for s, n, a, b in zip(strays, heard, above, below, strict=True)
    ]
    np.testing.assert_array_equal(screening["rejected"], rejected)
    assert rejected[3]
    assert screening.loc[7, "share"] > 0.05
    assert not rejected[7]


def test_bt500_rejects_nobody_who_agrees():
    screening = screen_bt500(np.full((20, 6), 3.3))
    assert not screening["rejected"].any()
    assert (screening[["above", "below"]] == 0).all(axis=None)
    assert screening["imbalance"].isna().all()


def test_bt500_of_five_votes_rejects_nobody(rng):
    votes = rng.integers(1, 6, (200, 5)).astype(float)
    votes[:, 0] = np.tile([1.0, 5.0], 100)
    votes[:, 1:] = 3.0
    assert (screen_bt500(votes)["share"] == 0).all()


def test_bt500_cannot_judge_who_did_not_vote():
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 3 raters \(2\) gave no vote"):
        screening = screen_bt500([[5, 4, None], [3, 3, None]])
    assert not screening.loc[2, "rejected"]
    assert np.isnan(screening.loc[2, "share"])


def test_mushra_equals_the_worked_case():
    case = GOLDEN["mushra"]
    trials = np.array(case["input"]["listener_scores_items_by_system"])
    reference, _, mid, low = (trials[:, [column]] for column in range(4))
    row = screen_mushra(reference, mid, low_anchor=low).loc[0]
    expected = case["expect"]
    assert row["reference_below"] == expected["frac_HR_below_90"]
    assert row["anchor_above"] == expected["frac_mid_anchor_above_90"]
    assert row["rejected"] == (
        expected["exclude_rule1_gt_15pct"] or expected["exclude_rule2_gt_15pct"]
    )


def test_mushra_share_is_of_the_trials_that_were_graded():
    # 1 of 6 trials is more than 15 %, 1 of 7 is not.
    reference = np.full((7, 2), 100.0)
    reference[0] = 80
    reference[6, 0] = np.nan
    assert screen_mushra(reference)["rejected"].tolist() == [True, False]
    assert screen_mushra(reference)["n_trials"].tolist() == [6, 7]
    assert screen_mushra(reference)["anchor_above"].isna().all()


def test_mushra_thresholds_are_exclusive():
    reference, anchor = np.full((4, 1), 90.0), np.full((4, 1), 90.0)
    assert not screen_mushra(reference, anchor).loc[0, "rejected"]
    assert screen_mushra(reference, anchor + 1, scale=(0, 100)).loc[0, "rejected"]
    assert screen_mushra(reference - 1, anchor).loc[0, "rejected"]


def test_mpeg_rule_rejects_at_the_first_mistake():
    reference = np.full((10, 5), 100.0)
    mid, low = np.full((10, 5), 60.0), np.full((10, 5), 30.0)
    reference[0, 1] = 89  # missed the reference once
    mid[0, 2] = 20  # below the low anchor once
    low[0, 3], mid[0, 3] = 99, np.nan  # nothing is out of order
    reference[0, 4], mid[0, 4] = 95, 96  # the anchor above the reference once
    screening = screen_mushra(reference, mid, low_anchor=low, rule="mpeg")
    assert screening["rejected"].tolist() == [False, True, True, False, True]
    assert not screen_mushra(reference, mid, low_anchor=low)["rejected"].any()


def test_mushra_errors_say_what_to_do():
    reference = pd.DataFrame([[100, 90]], index=["t"], columns=["a", "b"])
    with pytest.raises(ValueError, match=r"mid_anchor has shape \(2, 2\)"):
        screen_mushra(reference, [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="columns of mid_anchor are named otherwise"):
        screen_mushra(reference, reference[["b", "a"]])
    with pytest.raises(ValueError, match="2 hidden_reference lie outside the scale"):
        screen_mushra([[101, 102]])
    with pytest.raises(ValueError, match="rule='p800' is unknown"):
        screen_mushra(reference, rule="p800")
    with pytest.raises(ValueError, match="share=15"):
        screen_mushra(reference, share=15)


def test_bs1116_equals_scipy(rng):
    reference = np.clip(5 - rng.exponential(0.2, (12, 6)), 1, 5)
    grades = np.clip(reference - rng.normal([1, 0.4, 0.2, 0, 0, 0], 0.5, (12, 6)), 1, 5)
    grades[0, 1] = np.nan
    reference[1, 2] = np.nan
    screening = screen_bs1116(grades, reference)
    for rater in range(6):
        difference = (grades - reference)[:, rater]
        test = scipy.stats.ttest_1samp(difference[~np.isnan(difference)], 0, alternative="less")
        assert screening.loc[rater, "t"] == pytest.approx(test.statistic, rel=1e-9)
        assert screening.loc[rater, "p_value"] == pytest.approx(test.pvalue, rel=1e-9)
        assert screening.loc[rater, "rejected"] == (test.pvalue >= 0.05)
    assert screening["n_trials"].tolist() == [12, 11, 11, 12, 12, 12]


def test_bs1116_of_differences_that_are_all_equal():
    grades = np.tile([4.0, 5.0, 5.0], (4, 1))
    reference = np.tile([5.0, 5.0, 4.0], (4, 1))
    screening = screen_bs1116(grades, reference)
    assert screening["p_value"].tolist() == [0, 0.5, 1]
    assert screening["rejected"].tolist() == [False, True, True]


def test_bs1116_cannot_judge_by_one_trial():
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 2 raters \(1\) gave fewer than 2 votes"):
        screening = screen_bs1116([[3, 4], [2.9, None]], [[5, 5], [5, 5]])
    assert screening["rejected"].tolist() == [False, False]
    assert np.isnan(screening.loc[1, "p_value"])
    with pytest.raises(ValueError, match="significance=5"):
        screen_bs1116([[3]], [[5]], significance=5)
