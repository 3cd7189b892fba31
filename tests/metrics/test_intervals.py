"""Confidence intervals of correlations: which rows are drawn together, and how wide they are."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import (
    concordance_index,
    correlation_interval,
    kendall_score,
    pearson_score,
    spearman_score,
)

DATA = Path(__file__).resolve().parents[1] / "data"
P1401 = json.loads((DATA / "p1401_errors.json").read_text())
METHODS = pytest.mark.parametrize(
    "method", ["jackknife", "fisher", "percentile", "bca", "bonett_wright"]
)


def rated_songs(rng, *, n_songs=20, n_versions=4, song_spread=0.7):
    """Ratings, predictions, songs; what a song gets too much it gets in all its versions."""
    song = np.repeat(np.arange(n_songs), n_versions)
    rating = rng.normal(size=len(song)) + song_spread * rng.normal(size=n_songs)[song]
    predicted = rating + rng.normal(size=len(song)) + song_spread * rng.normal(size=n_songs)[song]
    return rating, predicted, song


def test_weighing_rows_agrees_with_drawing_them(rng):
    rating, predicted, _ = rated_songs(rng, n_songs=200, n_versions=1)
    ours = correlation_interval(
        rating, predicted, score=pearson_score, method="percentile", n_resamples=4000
    )
    drawn = rng.integers(200, size=(4000, 200))
    scores = [np.corrcoef(rating[rows], predicted[rows])[0, 1] for rows in drawn]
    # Quantiles of two independent sets of 4000 draws: 0.01 is about five of their deviations.
    np.testing.assert_allclose(ours, np.quantile(scores, [0.025, 0.975]), atol=0.01)


def test_fisher_agrees_with_theory_for_many_independent_rows(rng):
    rating, predicted, _ = rated_songs(rng, n_songs=400, n_versions=1)
    low, high = correlation_interval(
        rating, predicted, score=pearson_score, method="fisher", n_resamples=4000
    )
    expected = np.arctanh(pearson_score(rating, predicted)) + np.array([-1, 1]) * 1.966 / 397**0.5
    np.testing.assert_allclose(np.arctanh([low, high]), expected, atol=0.01)


def test_each_draw_takes_all_rows_of_a_group(rng):
    rating, predicted, song = rated_songs(rng, n_songs=12)
    seen = []

    def record(y_true, y_pred, *, sample_weight=None):
        if sample_weight is not None:
            seen.append(np.asarray(sample_weight).reshape(12, 4))
        return spearman_score(y_true, y_pred, sample_weight=sample_weight)

    correlation_interval(
        rating, predicted, groups=song, score=record, method="percentile", n_resamples=50
    )
    for counts in seen:
        assert (counts == counts[:, :1]).all()
        assert counts[:, 0].sum() == 12
    assert len(seen) == 50


def test_repeating_every_row_within_its_group_changes_nothing(rng):
    rating, predicted, song = rated_songs(rng)
    once = correlation_interval(rating, predicted, groups=song)
    again = [np.tile(column, 5) for column in (rating, predicted, song)]
    np.testing.assert_allclose(
        correlation_interval(again[0], again[1], groups=again[2]), once, atol=1e-9
    )
    # Taken for independent rows, they would seem to know far more.
    low, high = correlation_interval(again[0], again[1])
    assert high - low < 0.6 * (once[1] - once[0])


@pytest.mark.parametrize("score", [spearman_score, pearson_score, kendall_score])
@METHODS
def test_interval_holds_the_score(rng, score, method):
    rating, predicted, song = rated_songs(rng)
    groups = None if method == "bonett_wright" else song
    low, high = correlation_interval(rating, predicted, groups=groups, score=score, method=method)
    assert -1 <= low < score(rating, predicted) < high <= 1


@pytest.mark.parametrize("method", ["jackknife", "fisher", "percentile", "bca"])
def test_concordance_has_the_interval_of_somers_d(rng, method):
    rating, predicted, song = rated_songs(rng)

    def somers_d(y_true, y_pred, *, sample_weight=None):
        return 2 * concordance_index(y_true, y_pred, sample_weight=sample_weight) - 1

    low, high = correlation_interval(
        rating, predicted, groups=song, score=concordance_index, method=method, n_resamples=200
    )
    assert 0 < low < high < 1
    expected = correlation_interval(
        rating, predicted, groups=song, score=somers_d, method=method, n_resamples=200
    )
    np.testing.assert_allclose([2 * low - 1, 2 * high - 1], expected, atol=1e-9)


def test_jackknife_by_hand(rng):
    rating, predicted, song = rated_songs(rng, n_songs=12)
    low, high = correlation_interval(rating, predicted, groups=song, score=pearson_score)
    z = np.arctanh(pearson_score(rating, predicted))
    without = np.arctanh(
        [pearson_score(rating[song != one], predicted[song != one]) for one in range(12)]
    )
    pseudo = 12 * z - 11 * without
    deviations = pseudo - pseudo.mean()
    freedom = (3.16 - 2.77 / 12**0.5) * (deviations**2).sum() ** 2 / (deviations**4).sum()
    margin = scipy.stats.t.ppf(0.975, min(freedom, 11)) * pseudo.std(ddof=1) / 12**0.5 * 12 / 11
    np.testing.assert_allclose(
        np.arctanh([low, high]), [pseudo.mean() - margin, pseudo.mean() + margin], rtol=1e-9
    )


def test_jackknife_draws_nothing(rng):
    rating, predicted, song = rated_songs(rng)
    first, second = (
        correlation_interval(rating, predicted, groups=song, random_state=seed) for seed in (3, 4)
    )
    assert first == second


def test_bca_is_that_of_scipy_for_independent_rows(rng):
    rating, predicted, _ = rated_songs(rng, n_songs=60, n_versions=1)
    ours = correlation_interval(
        rating, predicted, score=pearson_score, method="bca", n_resamples=9999
    )
    reference = scipy.stats.bootstrap(
        (rating, predicted),
        lambda x, y: np.corrcoef(x, y)[0, 1],
        paired=True,
        vectorized=False,
        method="BCa",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    # Quantiles of two independent sets of 9999 draws.
    np.testing.assert_allclose(ours, reference, atol=0.015)


def test_bonett_wright_equals_the_worked_table():
    low, high = correlation_interval(
        P1401["mos"], P1401["prediction"], score=pearson_score, method="bonett_wright"
    )
    np.testing.assert_allclose([low, high], P1401["pearson_interval"], atol=2e-5)


def test_bonett_wright_by_hand(rng):
    rating, predicted, song = rated_songs(rng, n_songs=30, n_versions=1)
    for score, variance in (
        (pearson_score, lambda r: 1 / 27),
        (spearman_score, lambda r: (1 + r**2 / 2) / 27),
        (kendall_score, lambda r: 0.437 / 26),
    ):
        found = correlation_interval(
            rating,
            predicted,
            groups=song,
            score=score,
            method="bonett_wright",
            confidence_level=0.9,
        )
        value = score(rating, predicted)
        expected = np.arctanh(value) + np.array([-1, 1]) * 1.6448536 * variance(value) ** 0.5
        np.testing.assert_allclose(np.arctanh(found), expected, rtol=1e-6)


def test_bonett_wright_warns_of_groups_and_of_few_rows(rng):
    rating, predicted, song = rated_songs(rng)
    with pytest.warns(UserWarning, match="80 rows for independent.* from 20 groups") as record:
        correlation_interval(rating, predicted, groups=song, method="bonett_wright")
    assert record[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="at least 4 rows, and there are 3") as record:
        found = correlation_interval([1, 2, 3], [1, 3, 2], method="bonett_wright")
    assert np.isnan(found).all()
    assert record[0].filename == __file__
    with pytest.raises(ValueError, match="not for concordance_index"):
        correlation_interval(rating, predicted, score=concordance_index, method="bonett_wright")


def test_sign_mirrors(rng):
    rating, predicted, song = rated_songs(rng)
    low, high = correlation_interval(rating, predicted, groups=song)
    mirrored = correlation_interval(rating, -predicted, groups=song)
    np.testing.assert_allclose(mirrored, [-high, -low], atol=1e-12)


def test_labels_and_their_order_do_not_matter_but_for_the_draws(rng):
    rating, predicted, song = rated_songs(rng, n_songs=100)
    names = np.array([f"song {number}" for number in song])
    order = rng.permutation(len(song))
    by_number = correlation_interval(rating, predicted, groups=song)
    by_name = correlation_interval(rating[order], predicted[order], groups=names[order])
    np.testing.assert_allclose(by_name, by_number, atol=0.02)


def test_same_seed_same_interval(rng):
    rating, predicted, song = rated_songs(rng)
    first, second, other = (
        correlation_interval(rating, predicted, groups=song, method="bca", random_state=seed)
        for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_chance_leaves_the_global_generator_alone(rng):
    rating, predicted, song = rated_songs(rng)
    before = np.random.get_state()  # noqa: NPY002
    first, second = (
        correlation_interval(rating, predicted, groups=song, method="fisher", random_state=None)
        for _ in range(2)
    )
    assert first != second
    for was, now in zip(before, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(now, was)


@pytest.mark.parametrize("score", [pearson_score, spearman_score])
def test_draws_of_large_sets_are_weighed_a_few_at_a_time(rng, score):
    rating = rng.normal(size=100_000)
    tracemalloc.start()
    correlation_interval(
        rating,
        rating + rng.normal(size=rating.size),
        groups=np.arange(rating.size) % 20,
        score=score,
        method="bca",
        n_resamples=100,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * rating.nbytes


@METHODS
def test_higher_confidence_is_wider(rng, method):
    rating, predicted, _ = rated_songs(rng)
    narrow, wide = (
        np.ptp(correlation_interval(rating, predicted, method=method, confidence_level=level))
        for level in (0.8, 0.99)
    )
    assert narrow < wide


@pytest.mark.parametrize("sign", [1, -1])
@METHODS
def test_perfect_predictions_have_a_finite_interval(sign, method):
    rating = np.arange(12.0)
    low, high = sorted(sign * np.array(correlation_interval(rating, sign * rating, method=method)))
    assert 0.99 < low <= high == 1


@pytest.mark.slow
def test_coverage_with_songs_in_common():
    """An interval at 95 % should hold the true value in about 95 % of data sets."""
    rng = np.random.default_rng(5)
    rating, predicted, _ = rated_songs(rng, n_songs=50_000, song_spread=1.0)
    truth = spearman_score(rating, predicted)
    hits = {"songs": 0, "rows": 0}
    for _ in range(300):
        rating, predicted, song = rated_songs(rng, n_songs=13, n_versions=12, song_spread=1.0)
        for name, groups in (("songs", song), ("rows", None)):
            low, high = correlation_interval(rating, predicted, groups=groups)
            hits[name] += low <= truth <= high
    assert hits["songs"] / 300 > 0.92
    assert hits["rows"] / 300 < 0.8  # what leaving groups out would claim


def test_few_groups_are_warned_of(rng):
    rating, predicted, song = rated_songs(rng, n_songs=9)
    with pytest.warns(UserWarning, match="rests on 9 groups"):
        correlation_interval(rating, predicted, groups=song)


def test_one_group_has_no_interval(rng):
    with pytest.warns(UndefinedMetricWarning, match=r"at least two groups .* there are 1"):
        interval = correlation_interval(rng.normal(size=9), rng.normal(size=9), groups=[0] * 9)
    assert np.isnan(interval).all()


def test_constant_predictions_have_no_interval(rng):
    with pytest.warns(UndefinedMetricWarning, match="predictions are all equal"):
        interval = correlation_interval(rng.normal(size=12), np.ones(12))
    assert np.isnan(interval).all()


def test_few_rows_have_no_interval():
    with pytest.warns(UndefinedMetricWarning, match="at least 4 rows, and there are 3") as record:
        assert np.isnan(correlation_interval([1, 2, 3], [1, 3, 2])).all()
    assert record[0].filename == __file__


@pytest.mark.parametrize("method", ["jackknife", "bca"])
def test_ratings_that_differ_in_one_group_alone(rng, method):
    rating = np.r_[np.ones(11), 2.0]
    with pytest.warns(UndefinedMetricWarning, match="without one of the groups") as record:
        interval = correlation_interval(rating, rng.normal(size=12), method=method)
    assert np.isnan(interval).all()
    assert record[0].filename == __file__
    # Most draws lack the one group that differs; the others have a correlation.
    low, high = correlation_interval(rating, rng.normal(size=12), method="fisher")
    assert -1 <= low < high <= 1


def test_draws_on_one_side_have_no_bca_interval():
    # Both draws of seed 1 score higher than all rows, or both lower.
    with (
        pytest.warns(UserWarning, match="rests on 3 groups"),
        pytest.warns(UndefinedMetricWarning, match="lie on one side") as record,
    ):
        interval = correlation_interval(
            [1, 2, 3, 4, 5, 9],
            [1, 3, 2, 5, 4, 9],
            groups=[0, 0, 1, 1, 2, 2],
            score=pearson_score,
            method="bca",
            n_resamples=2,
            random_state=1,
        )
    assert np.isnan(interval).all()
    assert record[-1].filename == __file__


def test_draws_that_are_all_undefined_have_no_interval():
    # Ratings differ between the two groups alone, and no draw of seed 5 takes both.
    with (
        pytest.warns(UserWarning, match="rests on 2 groups"),
        pytest.warns(UndefinedMetricWarning, match="in every draw but 0 of 2"),
    ):
        interval = correlation_interval(
            [1, 1, 2, 2],
            [1, 2, 3, 4],
            groups=[0, 0, 1, 1],
            method="fisher",
            n_resamples=2,
            random_state=5,
        )
    assert np.isnan(interval).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "bayes"}, "method='bayes' is unknown"),
        ({"groups": [1.0, np.nan] * 6}, "groups has no label in row 1"),
        ({"confidence_level": 95}, "confidence_level=95 should lie between 0 and 1"),
        ({"confidence_level": "95"}, "confidence_level='95' should lie between"),
        ({"n_resamples": 10.5}, "n_resamples=10.5 should be a whole number"),
        ({"groups": ["a", None] * 6}, "groups holds labels of several kinds"),
        ({"n_resamples": 1}, "n_resamples=1 should be a whole number of 2 or more"),
        ({"groups": [1, 2, 3]}, r"groups should have shape \(12,\), one label a row"),
    ],
)
def test_bad_parameters(rng, parameters, message):
    with pytest.raises(ValueError, match=message):
        correlation_interval(rng.normal(size=12), rng.normal(size=12), **parameters)
