"""Scores of many draws at once are those of one draw at a time."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.metrics import (
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.cluster_bootstrap import (
    ClusterDraws,
    draw_clusters,
    leave_clusters_out,
    score_clusters,
    score_draws,
)

SCORES = pytest.mark.parametrize(
    "score", [spearman_score, pearson_score, kendall_score, concordance_index]
)


def one_at_a_time(score, rating, metrics, draws):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return np.array(
            [
                [score(rating, m, sample_weight=counts[draws.labels]) for m in metrics.T]
                for counts in draws.counts
            ]
        )


@SCORES
@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.sampled_from([0, 1, 9]))
def test_all_draws_at_once(score, seed, n_groups, decimals):
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(n_groups), rng.integers(0, n_groups, 10)]
    rating = rng.normal(size=len(labels)).round(decimals)
    metrics = (rating[:, None] + rng.normal(size=(len(labels), 3))).round(decimals)
    rating[0], metrics[0] = 7.0, -7.0  # none of them constant
    draws = draw_clusters(labels, len(labels), n_resamples=20, random_state=seed % 1000)
    found = score_draws(score, rating, metrics, draws)
    # To 1e-9: sums over groups round differently, and a draw may hold few rows that differ.
    np.testing.assert_allclose(found, one_at_a_time(score, rating, metrics, draws), atol=1e-9)


@SCORES
def test_undefined_draws_are_nan(score):
    draws = ClusterDraws(np.array([0, 0, 1, 2]), np.array([[1.0, 0, 0], [0, 2, 1], [0, 0, 3]]))
    rating, metric = np.array([1.0, 1, 2, 3]), np.array([[1.0, 2, 3, 3]]).T
    expected = one_at_a_time(score, rating, metric, draws)
    assert np.isnan(expected[[0, 2]]).all()
    np.testing.assert_array_equal(score_draws(score, rating, metric, draws), expected)


@pytest.mark.parametrize("scale", [1e-290, 1.0, 1e290])
@SCORES
def test_values_far_from_one_another(score, scale, rng):
    # Draws without the first row differ by a billionth of it.
    rating = np.r_[1e9, rng.normal(size=30)] * scale
    metric = np.r_[-2e9, rng.normal(size=30)][:, None] * scale
    draws = draw_clusters(None, 31, n_resamples=30)
    np.testing.assert_allclose(
        score_draws(score, rating, metric, draws),
        one_at_a_time(score, rating, metric, draws),
        rtol=1e-6,
        atol=1e-7,
    )


def test_many_rows_are_scored_in_pieces(rng):
    rating = rng.normal(size=3000).round(2)
    metrics = rating[:, None] + rng.normal(size=(3000, 2))
    draws = draw_clusters(np.arange(3000) % 70, 3000, n_resamples=3)
    for score in (spearman_score, kendall_score):
        np.testing.assert_allclose(
            score_draws(score, rating, metrics, draws),
            one_at_a_time(score, rating, metrics, draws),
            atol=1e-12,
        )


@SCORES
def test_leaving_out_deletes_rows(score, rng):
    song = np.array(list("aaabbcddddee"))
    rating, metric = rng.normal(size=(2, 12))
    scores = score_clusters(score, rating, metric[:, None], groups=song)
    expected = [score(rating[song != s], metric[song != s]) for s in "abcde"]
    np.testing.assert_allclose(scores.left_out[:, 0], expected, atol=1e-12)
    assert scores.values == pytest.approx([score(rating, metric)])
    assert (scores.n_groups, scores.n_samples, len(scores.drawn)) == (5, 12, 0)


def test_many_groups_are_left_out_in_bundles():
    draws = leave_clusters_out(np.arange(2500).repeat(2), 5000)
    weights = draws.counts[:, draws.labels]
    assert weights.shape == (1000, 5000)
    np.testing.assert_array_equal((weights == 0).sum(axis=0), 1)  # every row, once
    np.testing.assert_array_equal(weights[:, ::2], weights[:, 1::2])  # groups stay whole
    assert set((weights == 0).sum(axis=1)) == {4, 6}


def test_metrics_share_their_draws(rng):
    rating = rng.normal(size=40)
    metrics = rating[:, None] + rng.normal(size=(40, 3))
    song = np.arange(40) // 4
    together = score_clusters(spearman_score, rating, metrics, groups=song, n_resamples=50)
    for column in range(3):
        alone = score_clusters(
            spearman_score, rating, metrics[:, [column]], groups=song, n_resamples=50
        )
        np.testing.assert_array_equal(together.drawn[:, [column]], alone.drawn)
        np.testing.assert_array_equal(together.left_out[:, [column]], alone.left_out)


def test_a_constant_metric_does_not_spoil_the_others(rng):
    rating = rng.normal(size=20)
    metrics = np.column_stack([rating, np.ones(20)])
    with pytest.warns(UndefinedMetricWarning, match="predictions are all equal"):
        scores = score_clusters(pearson_score, rating, metrics, n_resamples=5)
    np.testing.assert_array_equal(np.isnan(scores.values), [False, True])
    np.testing.assert_allclose(scores.drawn[:, 0], 1.0)
    assert np.isnan(scores.drawn[:, 1]).all()


def test_missing_labels_are_refused(rng):
    with pytest.raises(ValueError, match=r"no label in row 2 \(NaN\)"):
        draw_clusters([1.0, 2.0, np.nan], 3)
