"""What raters add of their own: bias removal, P.910 recovery, ZREC, and the SOS hypothesis."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

from skperceptual.metrics import (
    mean_opinion_scores,
    recover_opinion_scores,
    remove_rater_bias,
    sos_parameter,
    zrec_opinion_scores,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "data" / "rating_statistics.json").read_text())
CASE = GOLDEN["rater_models"]
VOTES = np.array(CASE["input"]["ratings_items_by_raters"])
EXPECTED = CASE["expect"]


def draw_raters(rng, n_items=40, n_raters=16, share=1.0):
    """Votes of raters of all kinds, the quality behind them, biases and inconsistencies."""
    quality = rng.uniform(1.5, 4.5, n_items)
    bias = rng.normal(0, 0.4, n_raters)
    inconsistency = np.where(np.arange(n_raters) % 4, 0.4, 1.5)
    votes = quality[:, np.newaxis] + bias + inconsistency * rng.normal(size=(n_items, n_raters))
    hidden = rng.random(votes.shape) >= share
    hidden[:, 0] = hidden[0] = False
    votes[hidden] = np.nan
    return votes, quality + bias.mean(), bias - bias.mean(), inconsistency


def error(ratings, quality):
    return np.sqrt(np.mean((ratings - quality) ** 2))


def test_bias_removal_equals_the_worked_case():
    corrected = mean_opinion_scores(remove_rater_bias(VOTES))
    np.testing.assert_allclose(corrected["rating"], EXPECTED["p913_12_4_bias_removed_mos"])
    np.testing.assert_allclose(corrected["sd"], EXPECTED["p913_12_4_bias_removed_sd"], rtol=1e-9)


def test_bias_removal_keeps_gaps_and_narrows_intervals(rng):
    votes, quality, *_ = draw_raters(rng, share=0.6)
    corrected = remove_rater_bias(votes)
    np.testing.assert_array_equal(np.isnan(corrected), np.isnan(votes))
    before, after = mean_opinion_scores(votes), mean_opinion_scores(corrected)
    assert after["sd"].mean() < before["sd"].mean()
    assert error(after["rating"], quality) < error(before["rating"], quality)


def test_bias_removal_leaves_a_rater_without_votes_alone():
    corrected = remove_rater_bias([[5, 3, None], [4, 2, None]])
    np.testing.assert_array_equal(corrected, [[4, 4, np.nan], [3, 3, np.nan]])


def test_recovery_without_regularisation_equals_the_worked_case_and_warns_of_collapse():
    case = EXPECTED["p910_annexE_alternating_projection"]
    with pytest.warns(UserWarning, match="collapsed: the ratings are the votes of rater 0"):
        recovered = recover_opinion_scores(VOTES, nu=0)
    assert recovered.n_iter == case["iterations"]
    for column, name in (("rating", "mos"), ("standard_error", "item_standard_error")):
        np.testing.assert_allclose(recovered.ratings[column], case[name], atol=1e-6)
    for column in ("bias", "inconsistency"):
        np.testing.assert_allclose(recovered.raters[column], case[f"rater_{column}"], atol=1e-6)


def test_recovery_does_not_collapse(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recovered = recover_opinion_scores(VOTES)
    assert recovered.raters["inconsistency"].min() > 0.3
    # Rater 4 votes against the others, and it shows.
    assert recovered.raters["inconsistency"].idxmax() == 4


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_recovery_finds_quality_and_raters(rng, share):
    plain, recovered, found_bias, true_bias, inconsistency = [], [], [], [], []
    covered = []
    for _ in range(20):
        votes, quality, bias, _ = draw_raters(rng, share=share)
        result = recover_opinion_scores(votes)
        plain.append(error(mean_opinion_scores(votes)["rating"], quality))
        recovered.append(error(result.ratings["rating"], quality))
        found_bias.append(result.raters["bias"])
        true_bias.append(bias)
        inconsistency.append(result.raters["inconsistency"])
        covered.append((result.ratings["low"] <= quality) & (result.ratings["high"] >= quality))
    assert np.mean(recovered) < 0.7 * np.mean(plain)
    assert np.corrcoef(np.ravel(found_bias), np.ravel(true_bias))[0, 1] > 0.9
    by_rater = np.mean(inconsistency, axis=0)
    assert by_rater[np.arange(16) % 4 == 0].min() > 2 * by_rater[np.arange(16) % 4 > 0].max()
    assert 0.92 < np.mean(covered) < 0.98


def test_recovery_of_much_regularisation_is_bias_removal():
    # All raters are then equally sure; in a complete design that leaves the means.
    recovered = recover_opinion_scores(VOTES, nu=1e9)
    np.testing.assert_allclose(recovered.ratings["rating"], EXPECTED["mos"], atol=1e-6)


def test_recovery_does_not_depend_on_order(rng):
    votes, *_ = draw_raters(rng, share=0.5)
    items, raters = rng.permutation(votes.shape[0]), rng.permutation(votes.shape[1])
    first, second = recover_opinion_scores(votes), recover_opinion_scores(votes[items][:, raters])
    np.testing.assert_allclose(second.ratings["rating"], first.ratings["rating"][items], atol=1e-7)
    np.testing.assert_allclose(second.raters["bias"], first.raters["bias"][raters], atol=1e-7)


def test_recovery_with_empty_items_and_raters():
    votes = pd.DataFrame(VOTES, index=list("abcdefg"))
    votes.loc["empty"] = np.nan
    votes["absent"] = np.nan
    with pytest.warns(UndefinedMetricWarning, match=r"\(empty\) have no vote"):
        recovered = recover_opinion_scores(votes)
    pd.testing.assert_series_equal(
        recovered.ratings["rating"][:-1].reset_index(drop=True),
        recover_opinion_scores(VOTES).ratings["rating"].reset_index(drop=True),
    )
    assert np.isnan(recovered.ratings.loc["empty", "rating"])
    assert recovered.raters.loc["absent"].isna().tolist() == [True, True, False]


def test_recovery_refuses_parts_without_a_rater_in_common():
    votes = np.full((4, 4), np.nan)
    votes[:2, :2], votes[2:, 2:] = 3, 4
    with pytest.raises(ValueError, match=r"2 parts.*of \[2, 2\] items.*each part by itself"):
        recover_opinion_scores(votes)


def test_recovery_of_as_many_votes_as_unknowns_has_no_interval():
    with pytest.warns(UndefinedMetricWarning, match="no more votes than ratings and biases"):
        recovered = recover_opinion_scores([[5, 3], [4, None], [None, 1]])
    assert recovered.ratings["half_width"].isna().all()
    assert recovered.ratings["rating"].notna().all()


def test_recovery_without_regularisation_gives_a_single_vote_no_interval():
    votes = np.vstack([VOTES, [3, *[np.nan] * 4]])
    with (
        pytest.warns(UndefinedMetricWarning, match=r"1 of 8 items \(7\) have no interval"),
        pytest.warns(UserWarning, match="collapsed"),
    ):
        recovered = recover_opinion_scores(votes, nu=0)
    assert recovered.ratings["half_width"].isna().tolist() == [False] * 7 + [True]


def test_recovery_of_votes_that_agree():
    recovered = recover_opinion_scores([[5, 4], [4, 3], [2, 1]])
    np.testing.assert_allclose(recovered.ratings["rating"], [4.5, 3.5, 1.5])
    np.testing.assert_allclose(recovered.raters["bias"], [0.5, -0.5])


def test_recovery_says_when_it_has_not_converged():
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        recover_opinion_scores(VOTES, max_iter=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nu": -1}, "0 or more, such as 5"),
        ({"nu": np.nan}, "0 or more, such as 5"),
        ({"max_iter": 0}, "1 or more"),
        ({"tol": 0}, "above 0"),
        ({"confidence_level": 1}, "between 0 and 1"),
    ],
)
def test_recovery_parameters_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        recover_opinion_scores(VOTES, **arguments)


def test_zrec_equals_the_worked_case():
    case, result = EXPECTED["zrec"], zrec_opinion_scores(VOTES)
    np.testing.assert_allclose(result.ratings["rating"], case["mos"], rtol=1e-9)
    np.testing.assert_allclose(result.raters["bias_factor"], case["rater_bias_factor"], rtol=1e-9)
    np.testing.assert_allclose(
        result.raters["inconsistency"], case["rater_inconsistency"], rtol=1e-9
    )
    # The case takes 1.96 for the normal quantile.
    scaled = result.ratings["standard_error"] * 1.96
    np.testing.assert_allclose(scaled, case["ci95"], rtol=1e-9)


def test_zrec_finds_quality_with_votes_missing_at_random(rng):
    runs = []
    for _ in range(20):
        votes, quality, *_ = draw_raters(rng, share=0.6)
        zrec, plain = zrec_opinion_scores(votes).ratings, mean_opinion_scores(votes)
        runs.append([error(zrec["rating"], quality), error(plain["rating"], quality)])
    assert np.mean(runs, axis=0)[0] < 0.8 * np.mean(runs, axis=0)[1]


def test_zrec_of_an_item_about_which_all_agree():
    votes = np.vstack([VOTES, np.full(5, 3.3)])
    with_it, without = zrec_opinion_scores(votes), zrec_opinion_scores(VOTES)
    pd.testing.assert_frame_equal(
        with_it.raters.drop(columns="n_votes"), without.raters.drop(columns="n_votes")
    )
    last = with_it.ratings.iloc[-1]
    assert last["rating"] == pytest.approx(3.3, rel=1e-12)
    assert last["standard_error"] == pytest.approx(0, abs=1e-12)


def test_zrec_gives_no_rater_all_the_weight():
    # Rater 2 votes once: a spread of zero, which would be an infinite weight.
    votes = np.array([[5, 4, 1], [4, 2, np.nan], [1, 2, np.nan], [3, 5, np.nan]])
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 3 raters \(2\) have no inconsistency"):
        result = zrec_opinion_scores(votes)
    assert result.raters.loc[2, "inconsistency"] == pytest.approx(
        np.sqrt(np.mean(result.raters.loc[:1, "inconsistency"] ** 2))
    )
    assert result.ratings["rating"].between(1, 5).all()


def test_zrec_of_votes_that_all_agree():
    result = zrec_opinion_scores([[5, 5], [2, 2]])
    assert result.ratings["rating"].tolist() == [5, 2]
    assert result.ratings["half_width"].tolist() == [0, 0]


def test_zrec_of_single_and_missing_votes():
    votes = np.vstack([VOTES, [3, *[np.nan] * 4], np.full(5, np.nan)])
    with pytest.warns(UndefinedMetricWarning) as caught:
        ratings = zrec_opinion_scores(votes).ratings
    assert len(caught) == 2
    assert ratings["rating"].isna().tolist() == [False] * 8 + [True]
    assert ratings["half_width"].isna().tolist() == [False] * 7 + [True] * 2


@pytest.mark.parametrize("ddof", [0, 1])
def test_sos_equals_the_worked_case(ddof):
    expected = EXPECTED[f"sos_a_ddof{ddof}"]
    assert sos_parameter(VOTES, ddof=ddof) == pytest.approx(expected, rel=1e-9)


def test_sos_does_not_depend_on_the_scale():
    assert sos_parameter(25 * (VOTES - 1), scale=(0, 100)) == pytest.approx(sos_parameter(VOTES))


def test_sos_of_votes_at_the_ends_of_the_scale_is_one(rng):
    votes = np.where(rng.random((40, 8)) < 0.5, 5.0, 1.0)
    votes[rng.random(votes.shape) < 0.2] = np.nan
    assert sos_parameter(votes, ddof=0) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("n_votes", [6, 40])
def test_sos_finds_its_parameter(rng, n_votes):
    # A beta distribution of mean m on the scale has the variance (m - low)(high - m) / (s + 1).
    mean = rng.uniform(0.1, 0.9, (2000, 1))
    votes = 1 + 4 * rng.beta(3 * mean, 3 * (1 - mean), (2000, n_votes))
    votes[:, 2:] = np.where(rng.random((2000, n_votes - 2)) < 0.3, np.nan, votes[:, 2:])
    # (m - low)(high - m) of the mean vote is expected to be smaller by a n-th of the variance.
    few = np.mean(1 / (~np.isnan(votes)).sum(axis=1))
    assert 0.245 < sos_parameter(votes) < 0.25 / (1 - 0.5 * few)


def test_sos_where_no_item_tells_anything():
    with pytest.warns(UndefinedMetricWarning, match="mean between the ends"):
        assert np.isnan(sos_parameter([[5, 5], [1, 1], [3, None]]))
    with pytest.raises(ValueError, match="outside the scale"):
        sos_parameter([[0, 5]])
    with pytest.raises(ValueError, match="should be 0 or 1"):
        sos_parameter(VOTES, ddof=2)
