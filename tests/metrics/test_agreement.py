"""Agreement between raters, against published tables and the analysis of variance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import intraclass_correlation, kendall_w, krippendorff_alpha

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "rating_statistics.json").read_text())
CASE = GOLDEN["rater_models"]
VOTES = np.array(CASE["input"]["ratings_items_by_raters"])
FORMS = ["1,1", "A,1", "C,1", "1,k", "A,k", "C,k"]

# P. E. Shrout and J. L. Fleiss, "Intraclass correlations", Psychological Bulletin 86, 1979, table 2
# (six targets, four judges) and table 4.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
PRINTED = {"1,1": 0.17, "A,1": 0.29, "C,1": 0.71, "1,k": 0.44, "A,k": 0.62, "C,k": 0.91}

# K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011, example C: four observers of
# twelve units, with gaps.
_ = np.nan
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T


@pytest.mark.parametrize("form", FORMS)
def test_icc_equals_the_worked_case_and_a_published_table(form):
    expected = CASE["expect"]["icc"][f"ICC({form})"]
    assert intraclass_correlation(VOTES, form) == pytest.approx(expected, rel=1e-9)
    assert intraclass_correlation(SHROUT_FLEISS, form) == pytest.approx(PRINTED[form], abs=0.005)


def mean_squares(votes):
    n_items, n_raters = votes.shape
    by_item, by_rater = votes.mean(axis=1), votes.mean(axis=0)
    items = n_raters * np.sum((by_item - votes.mean()) ** 2) / (n_items - 1)
    raters = n_items * np.sum((by_rater - votes.mean()) ** 2) / (n_raters - 1)
    rest = votes - by_item[:, np.newaxis] - by_rater + votes.mean()
    return items, raters, np.sum(rest**2) / (n_items - 1) / (n_raters - 1)


@given(arrays(np.float64, (6, 4), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0])))
def test_icc_of_complete_votes_is_that_of_mcgraw_and_wong(votes):
    (n, k), (items, raters, rest) = votes.shape, mean_squares(votes)
    single = items + (k - 1) * rest + k * (raters - rest) / n
    mean = items + (raters - rest) / n
    if min(single, mean) < 1e-6:
        return
    assert intraclass_correlation(votes, "A,1") == pytest.approx((items - rest) / single, abs=1e-9)
    assert intraclass_correlation(votes, "A,k") == pytest.approx((items - rest) / mean, abs=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_icc_with_votes_missing_at_random(rng, form):
    item, rater, chance = 0.8, 0.4, 0.6
    found, n_votes = [], []
    for _ in range(30):
        votes = item * rng.normal(size=(60, 1)) + rater * rng.normal(size=40)
        votes = votes + chance * rng.normal(size=votes.shape)
        votes[rng.random(votes.shape) < 0.8] = np.nan
        found.append(intraclass_correlation(votes, form))
        n_votes.append(np.mean(1 / np.maximum((~np.isnan(votes)).sum(axis=1), 1)))
    noise = chance**2 + (0 if form.startswith("C") else rater**2)
    noise *= np.mean(n_votes) if form.endswith("k") else 1
    assert np.mean(found) == pytest.approx(item**2 / (item**2 + noise), abs=0.03)


@given(
    arrays(np.float64, (5, 4), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])),
    st.sampled_from([0.1, 3.0, 20.0]),
    st.floats(-50, 50),
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_agreement_does_not_depend_on_scale_or_order(votes, factor, shift):
    if np.isnan(votes).all():
        return
    other = (factor * votes + shift)[::-1, ::-1]
    for form in FORMS:
        first = intraclass_correlation(votes, form)
        if abs(first) < 1e3:  # where variances do not cancel
            second = intraclass_correlation(other, form)
            assert second == pytest.approx(first, abs=1e-6, nan_ok=True)
    for level in ("nominal", "ordinal"):
        first, second = (krippendorff_alpha(v.round(6), level=level) for v in (votes, other))
        assert first == pytest.approx(second, abs=1e-9, nan_ok=True)
        assert np.isnan(first) or first <= 1


@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_alpha_equals_the_worked_case(level):
    expected = CASE["expect"]["krippendorff_alpha"][level]
    assert krippendorff_alpha(VOTES, level=level) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_equals_krippendorff(level, printed):
    assert krippendorff_alpha(OBSERVERS, level=level) == pytest.approx(printed, abs=5e-4)


def test_alpha_of_chance_is_zero_and_of_agreement_one(rng):
    assert krippendorff_alpha(rng.integers(1, 6, (2000, 4))) == pytest.approx(0, abs=0.03)
    assert krippendorff_alpha([[1, 1, None], [4, None, 4], [2, 2, 2]]) == 1


@given(arrays(np.float64, (6, 4), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0])))
def test_w_is_friedmans_statistic(votes):
    if (np.ptp(votes, axis=0) == 0).all():
        return
    friedman = scipy.stats.friedmanchisquare(*votes).statistic
    assert kendall_w(votes) == pytest.approx(friedman / (4 * 5), abs=1e-9)


def test_w_needs_every_vote():
    with pytest.raises(ValueError, match=r"1 votes are missing.*1 of 2 did.*krippendorff_alpha"):
        kendall_w([[1, 2], [3, None]])


@pytest.mark.parametrize(
    ("agreement", "votes"),
    [
        (intraclass_correlation, np.full((4, 3), 3.3)),
        (intraclass_correlation, [[1, 2, 3]]),
        (intraclass_correlation, [[1], [2], [3]]),
        (intraclass_correlation, np.where(np.eye(4) > 0, np.arange(4.0), np.nan)),
        (krippendorff_alpha, np.full((4, 3), 3.3)),
        (krippendorff_alpha, [[1], [2], [3]]),
        (kendall_w, [[1], [2], [3]]),
        (kendall_w, [[1, 2, 3]]),
        (kendall_w, [[1, 2], [1, 2]]),
    ],
)
def test_undefined_is_nan_with_a_warning(agreement, votes):
    with pytest.warns(UndefinedMetricWarning, match="is NaN"):
        assert np.isnan(agreement(votes))


def test_raters_who_each_vote_once_leave_the_forms_without_raters():
    votes = np.full((3, 6), np.nan)
    votes[np.arange(6) // 2, np.arange(6)] = [1, 2, 3, 4, 5, 5]
    assert intraclass_correlation(votes, "1,1") > 0.5
    with pytest.warns(UndefinedMetricWarning, match="'A,1' is NaN"):
        assert np.isnan(intraclass_correlation(votes, "A,1"))


def test_parameter_errors():
    with pytest.raises(ValueError, match="form='2,1' is unknown"):
        intraclass_correlation(VOTES, "2,1")
    with pytest.raises(ValueError, match="level='ratio' is unknown"):
        krippendorff_alpha(VOTES, level="ratio")
    for agreement in (intraclass_correlation, krippendorff_alpha, kendall_w):
        with pytest.raises(ValueError, match="outside the scale"):
            agreement(VOTES, scale=(1, 4))
