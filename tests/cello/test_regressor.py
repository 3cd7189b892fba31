"""Ratings of instruments."""

from __future__ import annotations

import numpy as np
import pytest

from skperceptual import InstrumentQualityRegressor


def rated(n_instruments=12, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_instruments), 6)
    ratings = rng.uniform(1, 5, n_instruments)[groups]
    slope = np.linspace(-0.5, 0.5, 20)[:, None] * (ratings[:, None, None] - 3)
    return rng.standard_normal((len(groups), 20, 30)) + slope, ratings, groups


@pytest.fixture(scope="module")
def fitted():
    X, ratings, groups = rated()
    return InstrumentQualityRegressor(
        n_filters=(6, 8), frequency_cue="bands", excerpt_frames=30, learning_rate=0.02,
        batch_size=16, max_epochs=30, dropout=0.0, random_state=0,
    ).fit(X, ratings, groups=groups)  # fmt: skip


def test_ratings_of_unseen_instruments(fitted):
    X, ratings, _ = rated(seed=1)
    assert np.corrcoef(fitted.predict(X), ratings)[0, 1] > 0.8
    assert fitted.score(X, ratings) > 0.5


def test_higher_ratings_are_higher_predictions(fitted):
    X, ratings, _ = rated(seed=1)
    best, worst = X[ratings == ratings.max()], X[ratings == ratings.min()]
    assert fitted.predict(best).mean() > fitted.predict(worst).mean()


def test_early_stopping_is_grouped(fitted):
    losses = [row["validation_loss"] for row in fitted.history_]
    assert None not in losses
    assert min(losses) < 0.5  # of the variance of the ratings


def test_equal_ratings_are_predicted():
    X, _, _ = rated()
    constant = InstrumentQualityRegressor(
        n_filters=(3,), excerpt_frames=30, max_epochs=3, validation_fraction=0, random_state=0
    ).fit(X, np.full(len(X), 2.5))
    assert np.abs(constant.predict(X) - 2.5).max() < 1


def test_mistakes():
    X, ratings, _ = rated()
    model = InstrumentQualityRegressor(excerpt_frames=30, validation_fraction=0)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, np.where(ratings > 3, np.nan, ratings))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, ratings[:5])
    with pytest.raises(ValueError, match="requires y"):
        model.fit(X, None)


def test_failed_fit_leaves_the_former_one_whole(fitted):
    X, ratings, _ = rated(seed=1)
    before = fitted.predict(X)
    with pytest.raises(ValueError, match="one group for each"):
        fitted.fit(X[:, :10], 7 * ratings, groups=[1, 2])
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_a_single_instrument():
    X, ratings, _ = rated()
    model = InstrumentQualityRegressor(
        n_filters=(3,), excerpt_frames=30, max_epochs=1, random_state=0
    )
    with pytest.warns(UserWarning, match="All recordings are of one group, Amati. .* nobody can"):
        model.fit(X, ratings, groups=np.full(len(X), "Amati"))
    assert model.history_[0]["validation_loss"] is None
