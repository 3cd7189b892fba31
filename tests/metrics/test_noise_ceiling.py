"""The ceiling against what a metric reaches that knows the quality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.datasets.simulated_ratings import NOISE_MODELS, expected_quality, simulate_votes
from skperceptual.metrics import (
    concordance_index,
    intraclass_correlation,
    kendall_score,
    mean_opinion_scores,
    noise_ceiling_from_errors,
    noise_ceiling_from_votes,
    pearson_score,
    spearman_score,
    votes_from_table,
)

CORRELATIONS = pytest.mark.parametrize(
    "score", [pearson_score, spearman_score, kendall_score], ids=lambda score: score.__name__
)


def rated_items(rng, *, n_items=600, n_raters=8, missing=0.0):
    """Quality, and votes for it on a scale of five."""
    quality = rng.normal(3, 0.7, (n_items, 1))
    votes = quality + rng.normal(0, 0.4, n_raters) + rng.normal(0, 0.8, (n_items, n_raters))
    votes = np.clip(np.round(votes), 1, 5)
    hidden = rng.random(votes.shape) < missing
    hidden[:, :2] = False
    votes[hidden] = np.nan
    return quality[:, 0], votes


@CORRELATIONS
@pytest.mark.parametrize(("n_raters", "missing"), [(2, 0.0), (5, 0.0), (8, 0.0), (24, 0.6)])
def test_ceiling_of_means_is_what_quality_itself_scores(rng, score, n_raters, missing):
    reached, estimated = [], []
    for seed in range(6):
        quality, votes = rated_items(rng, n_raters=n_raters, missing=missing)
        ceiling = noise_ceiling_from_votes(votes, score=score, n_splits=20, random_state=seed)
        reached.append(score(np.nanmean(votes, axis=1), quality))
        estimated.append(ceiling.ceiling)
    assert np.mean(estimated) == pytest.approx(np.mean(reached), abs=0.025)


@pytest.mark.parametrize("n_raters", [3, 5, 8, 15])
def test_ceiling_of_medians_is_what_quality_itself_scores(rng, n_raters):
    reached, estimated = [], []
    for seed in range(6):
        quality, votes = rated_items(rng, n_raters=n_raters)
        ceiling = noise_ceiling_from_votes(votes, rating="median", n_splits=20, random_state=seed)
        reached.append(spearman_score(np.median(votes, axis=1), quality))
        estimated.append(ceiling.ceiling)
    # The steps of the scale, which do not average out, leave it a little too high.
    assert -0.01 < np.mean(estimated) - np.mean(reached) < 0.03


def test_ceiling_of_simulated_crowdsourcing(rng):
    # Five votes a clip, by raters who hear ten clips each: rated by the median.
    model = NOISE_MODELS["default"]
    reached, estimated = [], []
    for seed in range(4):
        condition = rng.choice(list(model.knots), 780)
        intensity = rng.uniform(0, 100, 780)
        quality = model.clip * rng.normal(size=780) + [
            float(expected_quality(model, each, np.array(x)))
            for each, x in zip(condition, intensity, strict=True)
        ]
        table = simulate_votes(quality, model, rng)
        votes = votes_from_table(table, item="clip", vote="simulated_vote")
        ceiling = noise_ceiling_from_votes(votes, rating="median", n_splits=10, random_state=seed)
        reached.append(spearman_score(votes.median(axis=1), quality[votes.index]))
        estimated.append(ceiling.ceiling)
    assert np.mean(estimated) == pytest.approx(np.mean(reached), abs=0.03)


def test_halves_of_two_raters_are_spearman_browns_formula(rng):
    _, votes = rated_items(rng, n_raters=2)
    ceiling = noise_ceiling_from_votes(votes, score=pearson_score)
    correlation = pearson_score(votes[:, 0], votes[:, 1])
    reliability = 2 * correlation / (1 + correlation)
    assert ceiling.reliability == pytest.approx(reliability, rel=1e-12)
    assert ceiling.ceiling == pytest.approx(np.sqrt(reliability), rel=1e-12)


@pytest.mark.parametrize(("split", "form"), [("raters", "C,k"), ("votes", "A,k")])
def test_reliability_is_the_intraclass_correlation(rng, split, form):
    _, votes = rated_items(rng, n_items=400, n_raters=9)
    ceiling = noise_ceiling_from_votes(votes, score=pearson_score, split=split)
    assert ceiling.reliability == pytest.approx(intraclass_correlation(votes, form), abs=0.01)


def test_split_is_by_raters_where_all_rated_all(rng):
    _, votes = rated_items(rng, n_items=50)
    absent = np.column_stack([votes, np.full(50, np.nan)])
    by_raters = noise_ceiling_from_votes(votes, split="raters")
    assert noise_ceiling_from_votes(votes) == by_raters
    # A rater without votes does not make the design incomplete.
    assert noise_ceiling_from_votes(absent) == noise_ceiling_from_votes(absent, split="raters")
    votes[0, 0] = np.nan
    assert noise_ceiling_from_votes(votes) == noise_ceiling_from_votes(votes, split="votes")


def test_same_seed_same_ceiling(rng):
    _, votes = rated_items(rng, n_items=40)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other, free = (
        noise_ceiling_from_votes(votes, n_splits=5, random_state=seed) for seed in (3, 3, 4, None)
    )
    assert first == second
    assert len({first, other, free}) == 3
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_ratings_without_signal_have_no_ceiling():
    votes = np.array([[1, 5], [5, 1], [2, 4], [4, 2]])
    with pytest.warns(UndefinedMetricWarning, match="do not correlate"):
        ceiling = noise_ceiling_from_votes(votes)
    assert np.isnan(ceiling).all()
    with pytest.warns(UndefinedMetricWarning, match="do not correlate"):
        noise_ceiling_from_votes(np.full((5, 4), 3))


def test_items_with_one_vote_are_left_out_with_a_warning(rng):
    _, votes = rated_items(rng, n_items=60)
    more = np.vstack([votes, [3, *[np.nan] * 7], [np.nan] * 8])
    with pytest.warns(UndefinedMetricWarning, match=r"2 of 62 items \(60, 61\).*left out"):
        ceiling = noise_ceiling_from_votes(more)
    assert ceiling == noise_ceiling_from_votes(votes)


def test_votes_that_agree_leave_the_ceiling_at_one():
    votes = np.tile(np.arange(1.0, 6)[:, np.newaxis], 4)
    for rating in ("mean", "median"):
        ceiling = noise_ceiling_from_votes(votes, rating=rating)
        np.testing.assert_allclose(ceiling, 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"score": concordance_index}, "noise_ceiling_from_errors, which takes any score"),
        ({"rating": "mode"}, "'mean' or 'median'"),
        ({"split": "items"}, "'auto', 'raters' or 'votes'"),
        ({"n_splits": 0}, "n_splits=0"),
        ({"score": kendall_score, "rating": "median"}, "Use spearman_score"),
        ({"scale": (1, 2)}, "outside the scale"),
    ],
)
def test_parameters_are_checked(rng, arguments, message):
    with pytest.raises(ValueError, match=message):
        noise_ceiling_from_votes(rated_items(rng)[1], **arguments)


@pytest.mark.parametrize("score", [pearson_score, spearman_score, kendall_score, concordance_index])
def test_ceiling_from_errors_is_what_quality_itself_scores(rng, score):
    reached, estimated = [], []
    for seed in range(6):
        quality = rng.normal(3, 0.7, 500)
        error = rng.uniform(0.1, 0.6, 500)
        ratings = quality + error * rng.normal(size=500)
        ceiling = noise_ceiling_from_errors(
            ratings, error, score=score, n_draws=20, random_state=seed
        )
        reached.append(score(ratings, quality))
        estimated.append(ceiling.ceiling)
    assert np.mean(estimated) == pytest.approx(np.mean(reached), abs=0.02)


def test_both_ceilings_agree(rng):
    _, votes = rated_items(rng, n_raters=12)
    scores = mean_opinion_scores(votes - votes.mean(axis=0))
    by_errors = noise_ceiling_from_errors(scores["rating"], scores["standard_error"])
    by_votes = noise_ceiling_from_votes(votes)
    assert by_errors.ceiling == pytest.approx(by_votes.ceiling, abs=0.01)
    assert by_errors.reliability == pytest.approx(by_votes.reliability, abs=0.03)


def test_resolution_brings_ties(rng):
    quality = rng.normal(3, 0.7, 2000)
    ratings = np.round(quality + 0.3 * rng.normal(size=2000))
    reached = spearmanr(ratings, quality).statistic
    ceiling = noise_ceiling_from_errors(ratings, 0.3, resolution=1.0, n_draws=20)
    assert ceiling.ceiling == pytest.approx(reached, abs=0.01)
    assert noise_ceiling_from_errors(ratings, 0.3, n_draws=20).ceiling > reached + 0.03


def test_sure_ratings_have_a_ceiling_of_one(rng):
    assert noise_ceiling_from_errors(rng.normal(size=50), 0.0) == (1.0, 1.0)


@pytest.mark.parametrize("ratings", [[3.0, 3.1, 2.9], [3.0, 3.0, 3.0], [3.0]])
def test_ratings_that_differ_by_chance_have_no_ceiling(ratings):
    with pytest.warns(UndefinedMetricWarning, match="noise ceiling is NaN"):
        assert np.isnan(noise_ceiling_from_errors(ratings, 0.5).ceiling)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"standard_error": [0.1]}, "standard_error has 1 rows and y_true has 3"),
        ({"standard_error": -0.1}, "should not be negative"),
        ({"standard_error": np.nan}, "NaN or infinity"),
        ({"standard_error": 0.1, "resolution": 0}, "resolution=0"),
        ({"standard_error": 0.1, "n_draws": 1.5}, "n_draws=1.5"),
    ],
)
def test_errors_of_known_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        noise_ceiling_from_errors([1.0, 2.0, 3.0], **arguments)
