"""Weights from intervals: usable by fit, and better than none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.linear_model import LinearRegression

from skperceptual.metrics import interval_weights, mean_opinion_scores

WIDTHS = st.lists(st.floats(0, 5), min_size=1, max_size=20)


@given(WIDTHS, st.floats(0.05, 1), st.floats(0.01, 100))
def test_weights_are_finite_and_fall_with_the_interval(widths, shrinkage, factor):
    widths = np.array(widths)
    weights = interval_weights(widths, shrinkage=shrinkage)
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(1)
    order = np.argsort(widths)
    assert (np.diff(weights[order]) <= 1e-12).all()
    np.testing.assert_allclose(interval_weights(factor * widths, shrinkage=shrinkage), weights)


def test_extremes_of_shrinkage():
    widths = np.array([0.2, 0.4, 0.8])
    inverse = interval_weights(widths, shrinkage=0)
    np.testing.assert_allclose(inverse / inverse[2], [16, 4, 1])
    np.testing.assert_allclose(interval_weights(widths, shrinkage=1), 1)
    np.testing.assert_allclose(interval_weights([0.0, 0.0]), 1)


def test_no_item_weighs_more_than_one_over_the_shrinkage():
    weights = interval_weights(np.array([0.0] + [1.0] * 99), shrinkage=0.25)
    typical = 1 / 0.99  # the weight that mean variance would have, over that of a width of 1
    assert weights[0] / weights[1] == pytest.approx((0.75 + 0.25 * 0.99) / (0.25 * 0.99), rel=1e-12)
    assert weights[0] / weights[1] <= typical / 0.25 + 1


def test_weights_help_a_fit(rng):
    x = rng.uniform(0, 1, (300, 200))
    n_votes = np.where(rng.random(x.shape) < 0.5, 3, 60)
    y = 1 + 4 * x + rng.normal(size=x.shape) / np.sqrt(n_votes)
    errors = {False: [], True: []}
    for row_x, row_y, n in zip(x, y, n_votes, strict=True):
        for weighted, slopes in errors.items():
            weights = interval_weights(1 / np.sqrt(n)) if weighted else None
            line = LinearRegression().fit(row_x[:, np.newaxis], row_y, sample_weight=weights)
            slopes.append(line.coef_[0] - 4)
    assert np.std(errors[True]) < 0.9 * np.std(errors[False])


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="pool_sd=True"):
        interval_weights([0.5, np.nan])
    votes = [[5, 4], [3, None], [2, 2]]
    pooled = mean_opinion_scores(votes, pool_sd=True)
    np.testing.assert_allclose(interval_weights(pooled["half_width"], shrinkage=0), [1.2, 0.6, 1.2])
    with pytest.raises(ValueError, match="weigh without limit"):
        interval_weights([0.0, 1.0], shrinkage=0)
    with pytest.raises(ValueError, match="should not be negative"):
        interval_weights([-1.0, 1.0])
    with pytest.raises(ValueError, match=r"shape \(n_items,\)"):
        interval_weights([])
    with pytest.raises(ValueError, match="shrinkage=2"):
        interval_weights([1.0], shrinkage=2)
