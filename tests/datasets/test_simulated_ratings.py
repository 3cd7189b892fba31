"""Simulated ratings: that their expectation is what humans said, and how votes are given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import binom, norm
from sklearn.isotonic import IsotonicRegression

from skperceptual.datasets.simulated_ratings import (
    HUMAN_MEAN_OF_ORIGINALS,
    HUMAN_MEANS,
    NOISE_MODELS,
    ORIGINAL,
    expected_quality,
    simulate_votes,
)
from skperceptual.metrics import spearman_score

CENTERS = np.array([10.0, 30.0, 50.0, 70.0, 90.0])


def expected_median(quality, model):
    """The expected median of five votes, exactly, over songs and clips of the average quality."""
    nodes, weights = hermegauss(80)
    nodes = quality + np.hypot(model.song, model.clip) * nodes
    spread = np.hypot(model.rater_bias, model.residual)
    up_to = norm.cdf((np.arange(1, 5)[:, None] + 0.5 - nodes) / spread)
    up_to = (1 - model.lapse) * up_to + model.lapse * np.arange(1, 5)[:, None] / 5
    median_above = 1 - binom.sf(2, 5, up_to)
    return 1 + np.average(median_above.sum(axis=0), weights=weights)


@pytest.mark.parametrize("noise", NOISE_MODELS)
@pytest.mark.parametrize("condition", HUMAN_MEANS)
def test_expected_medians_are_the_human_means(noise, condition):
    model = NOISE_MODELS[noise]
    human = np.array(HUMAN_MEANS[condition])
    if condition in ("limiter", "lowpass"):
        human = IsotonicRegression(increasing=False).fit_transform(CENTERS, human)
    qualities = expected_quality(model, condition, CENTERS)
    np.testing.assert_allclose(qualities, model.knots[condition], atol=1e-12)
    found = [expected_median(quality, model) for quality in qualities]
    np.testing.assert_allclose(found, human, atol=1e-4)


@pytest.mark.parametrize("noise", NOISE_MODELS)
def test_expected_median_of_originals_is_the_human_mean(noise):
    model = NOISE_MODELS[noise]
    (quality,) = expected_quality(model, ORIGINAL, np.array([0.0]))
    assert expected_median(quality, model) == pytest.approx(HUMAN_MEAN_OF_ORIGINALS, abs=1e-4)


def test_human_means_are_those_published(shared):
    import json

    facts = json.loads((shared / "facts" / "pmqd.json").read_text(encoding="utf-8"))
    published = facts["rating_means"]
    for condition, means in HUMAN_MEANS.items():
        assert list(means) == published[condition]
    assert published["original"] == HUMAN_MEAN_OF_ORIGINALS


@pytest.mark.parametrize("noise", NOISE_MODELS)
@pytest.mark.parametrize("condition", HUMAN_MEANS)
def test_quality_falls_with_intensity_and_has_no_kink_at_the_ends(noise, condition):
    intensity = np.linspace(0, 100, 2001)
    quality = expected_quality(NOISE_MODELS[noise], condition, intensity)
    slopes = np.diff(quality)
    assert (slopes <= 1e-12).all()
    assert np.abs(np.diff(slopes)).max() < 1e-3 * np.ptp(quality)
    assert np.ptp(np.diff(quality[intensity <= 10])) < 1e-12


def test_every_clip_has_five_raters_and_every_rater_ten_clips(rng):
    votes = simulate_votes(rng.uniform(1, 5, size=200), NOISE_MODELS["default"], rng)
    assert (votes.groupby("clip")["rater"].nunique() == 5).all()
    assert (votes.groupby("rater")["clip"].nunique() == 10).all()
    assert votes["rater"].nunique() == 100
    assert set(votes["simulated_vote"]) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("n_clips", [1, 9, 10, 11, 975])
def test_any_number_of_clips_can_be_rated(rng, n_clips):
    votes = simulate_votes(np.full(n_clips, 3.0), NOISE_MODELS["default"], rng)
    assert len(votes) == 5 * n_clips
    assert not votes.duplicated(["clip", "rater"]).any()
    assert votes.groupby("rater").size().max() <= 10


def test_scatter_of_votes_and_of_medians(rng):
    model = NOISE_MODELS["default"]
    three = simulate_votes(np.full(20_000, 3.0), model, rng)
    assert three["simulated_vote"].std() == pytest.approx(0.941, abs=0.01)
    original = model.original + np.hypot(model.song, model.clip) * rng.standard_normal(20_000)
    medians = simulate_votes(original, model, rng).groupby("clip")["simulated_vote"].median()
    shares = [np.mean(medians == rating) for rating in range(1, 6)]
    np.testing.assert_allclose(shares, [0, 0.0048, 0.1756, 0.6143, 0.2053], atol=0.01)


def test_a_lenient_rater_is_lenient_in_all_votes(rng):
    model = NOISE_MODELS["default"]._replace(residual=0.3, lapse=0.0)
    votes = simulate_votes(np.full(5000, 3.0), model, rng)
    of_rater = votes.groupby("rater")["simulated_vote"].mean().std()
    # Means of ten independent votes would scatter by about a third of single votes.
    assert of_rater > 0.6 * votes["simulated_vote"].std()


@pytest.mark.parametrize(
    ("noise", "ceiling"), [("default", 0.839), ("low", 0.886), ("high", 0.797)]
)
def test_ceiling_of_780_pairs(rng, noise, ceiling):
    """Spearman's correlation of the quality behind the votes with the ratings."""
    model = NOISE_MODELS[noise]
    scores = []
    for _ in range(10):
        song = np.repeat(model.song * rng.standard_normal(65), 3)
        effect = song + model.clip * rng.standard_normal(195)
        quality = np.concatenate(
            [
                expected_quality(model, condition, rng.uniform(0, 100, size=195)) + effect
                for condition in HUMAN_MEANS
            ]
        )
        rating = simulate_votes(quality, model, rng).groupby("clip")["simulated_vote"].median()
        scores.append(spearman_score(rating, quality))
    # One data set scatters by .012 to .016, the mean of ten by about .005.
    assert np.mean(scores) == pytest.approx(ceiling, abs=0.015)
