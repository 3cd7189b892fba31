"""Choices between two versions, and pairs taken for the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score

from skperceptual.metrics import jnd_average_precision, two_afc_agreement

# Examples with numbers to check by hand have fewer than 10 references; one test is of the warning.
pytestmark = pytest.mark.filterwarnings("ignore:The interval rests on")

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "rating_statistics.json").read_text())

SHARES = st.lists(st.integers(0, 4).map(lambda k: k / 4), min_size=2, max_size=12)


def judged_triplets(rng, n_references=15, n_triplets=6):
    """Draw distances, shares and references; a reference is hard or easy in all its triplets."""
    reference = np.repeat(np.arange(n_references), n_triplets)
    skill = rng.uniform(0.2, 1, n_references)[reference]
    distance = rng.random((2, len(reference)))
    prefers_1 = np.where(distance[1] < distance[0], skill, 1 - skill)
    return *distance, rng.binomial(5, prefers_1) / 5, reference


def test_worked_case():
    case = GOLDEN["two_afc"]
    given_, expected = case["input"], case["expect"]
    found = two_afc_agreement(given_["d0"], given_["d1"], given_["frac_prefer_1"])
    assert found.agreement == pytest.approx(expected["score"], rel=1e-12)
    assert found.human_ceiling == pytest.approx(expected["human_ceiling"], rel=1e-12)
    assert found.human_self == pytest.approx(expected["human_self_agreement"], rel=1e-12)
    for d0, d1, share, score in zip(*given_.values(), expected["per_item"], strict=True):
        with pytest.warns(UndefinedMetricWarning, match="two groups"):
            alone = two_afc_agreement([d0], [d1], [share])
        assert alone.agreement == pytest.approx(score)


@given(SHARES, st.randoms(use_true_random=False))
def test_bounds_and_symmetry(shares, random):
    share = np.array(shares)
    first, second = ([random.choice([0.0, 0.5, 1.0]) for _ in shares] for _ in range(2))
    found = two_afc_agreement(first, second, share, n_resamples=2)
    assert 1 - found.human_ceiling - 1e-12 <= found.agreement <= found.human_ceiling + 1e-12
    assert 0.5 - 1e-12 <= found.human_self <= found.human_ceiling + 1e-12
    swapped = two_afc_agreement(second, first, 1 - share, n_resamples=2)
    np.testing.assert_allclose(swapped, found, atol=1e-12)
    similarity = two_afc_agreement(
        -np.array(first), -np.array(second), share, higher_is_better=True, n_resamples=2
    )
    assert similarity == found
    opposite = two_afc_agreement(second, first, share, n_resamples=2)
    assert opposite.agreement == pytest.approx(1 - found.agreement)


def test_who_chooses_as_most_do_reaches_the_ceiling():
    share = np.array([0.2, 0.8, 1.0, 0.4])
    found = two_afc_agreement(share, 1 - share, share)
    assert found.agreement == found.human_ceiling


def test_interval_draws_references(rng):
    first, second, share, reference = judged_triplets(rng)
    found = two_afc_agreement(first, second, share, groups=reference, n_resamples=4000)
    agreement = np.where(second < first, share, 1 - share).reshape(15, 6)
    drawn = agreement[rng.integers(15, size=(4000, 15))].mean(axis=(1, 2))
    np.testing.assert_allclose(found[1:3], np.quantile(drawn, [0.025, 0.975]), atol=0.01)
    rows = two_afc_agreement(first, second, share)
    assert rows.high - rows.low < found.high - found.low


@pytest.mark.filterwarnings("default")
def test_few_references_are_told_of(rng):
    first, second, share, reference = judged_triplets(rng, n_references=9)
    with pytest.warns(UserWarning, match="rests on 9 groups"):
        two_afc_agreement(first, second, share, groups=reference, n_resamples=10)
    with pytest.warns(UserWarning, match="rests on 9 groups"):
        jnd_average_precision(first, share, groups=reference, n_resamples=10)


def test_references_of_unequal_size(rng):
    first, second, share, reference = judged_triplets(rng)
    kept = rng.random(len(share)) < np.linspace(0.2, 1, len(share))
    found = two_afc_agreement(
        first[kept], second[kept], share[kept], groups=reference[kept], n_resamples=500
    )
    assert found.low < found.agreement < found.high


def test_jnd_equals_scikit_learn_judgement_by_judgement(rng):
    distance = rng.random(40).round(1)
    n_same = rng.binomial(3, 1 - distance)
    found = jnd_average_precision(distance, n_same / 3, n_resamples=10)
    votes = np.concatenate([[1] * k + [0] * (3 - k) for k in n_same])
    expected = average_precision_score(votes, -np.repeat(distance, 3))
    assert found.average_precision == pytest.approx(expected, rel=1e-12)
    assert found.chance == pytest.approx(votes.mean(), rel=1e-12)
    similar = jnd_average_precision(1 - distance, n_same / 3, higher_is_better=True, n_resamples=10)
    assert similar.average_precision == pytest.approx(found.average_precision)


def test_jnd_of_equal_distances_is_chance():
    found = jnd_average_precision([1.0, 1.0, 1.0, 1.0], [1, 0, 0, 0])
    assert found.average_precision == found.chance == 0.25


def test_jnd_interval_draws_references(rng):
    distance = rng.random(60)
    same = rng.binomial(1, 1 - distance)
    copies = np.tile(np.arange(60), 4)
    once = jnd_average_precision(distance, same, n_resamples=300)
    grouped = jnd_average_precision(
        np.tile(distance, 4), np.tile(same, 4), groups=copies, n_resamples=300
    )
    alone = jnd_average_precision(np.tile(distance, 4), np.tile(same, 4), n_resamples=300)
    assert once.low < once.average_precision < once.high
    np.testing.assert_allclose(grouped, once, rtol=1e-9)
    assert alone.high - alone.low < 0.7 * (grouped.high - grouped.low)


def test_jnd_that_nobody_took_for_the_same():
    with pytest.warns(UndefinedMetricWarning, match="nobody took any pair for the same"):
        found = jnd_average_precision([0.1, 0.2], [0, 0])
    assert np.isnan(found[:3]).all()
    assert found.chance == 0


def test_one_reference_has_no_interval():
    with pytest.warns(UndefinedMetricWarning, match="two groups to tell apart, and there are 1"):
        found = two_afc_agreement([0.1, 0.2], [0.2, 0.1], [0, 1], groups=["a", "a"])
    assert found.agreement == 1
    assert np.isnan([found.low, found.high]).all()
    with pytest.warns(UndefinedMetricWarning, match="there are 1"):
        assert np.isnan(jnd_average_precision([0.1, 0.2], [0, 1], groups=["a", "a"]).low)


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        (([0.1], [0.2], [2]), {}, "divide counts by the number who judged"),
        (([0.1, 0.2], [0.2, 0.1], [0.5]), {}, "one value a judged item"),
        (([], [], []), {}, "at least one"),
        (([0.1], [np.nan], [0.5]), {}, "NaN or infinity"),
        (([0.1], [0.2], [0.5]), {"confidence_level": 0}, "between 0 and 1"),
        (([0.1], [0.2], [0.5]), {"n_resamples": 1}, "2 or more"),
        (([0.1], [0.2], [0.5]), {"groups": [1, 2]}, "groups should have shape"),
    ],
)
def test_errors_say_what_to_do(columns, arguments, message):
    with pytest.raises(ValueError, match=message):
        two_afc_agreement(*columns, **arguments)
    with pytest.raises(ValueError, match=message):
        jnd_average_precision(*columns[1:], **arguments)
