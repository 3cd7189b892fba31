"""Conformal intervals hold what they promise, for new recordings, and are what can be computed."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.utils.estimator_checks as scikit_learn_checks
from numpydoc.docscrape import ClassDoc
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skperceptual import NLPDRegressor, RatingMapping
from skperceptual.evaluation import ConformalRatings
from skperceptual.evaluation.conformal_bounds import group_weights, prediction_bounds
from skperceptual.metrics import interval_coverage
from skperceptual.utils.estimator_checks import SMALL_SIZES, parametrize_with_checks

ON_TABLES = [
    ConformalRatings(Ridge()),
    ConformalRatings(Ridge(), cv=2, scale=(-1000, 1000), confidence_level=0.5),
]
ON_PAIRS = ConformalRatings(NLPDRegressor(n_levels=2, normalization="ones"), cv=2)


@scikit_learn_checks.parametrize_with_checks(ON_TABLES)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([ON_PAIRS], **SMALL_SIZES)
def test_own_checks(estimator, check):
    check(clone(estimator))


def test_wrong_values_of_parameters_are_refused():
    scikit_learn_checks.check_param_validation("ConformalRatings", clone(ON_TABLES[0]))


def make_songs(n_songs, seed, n_features=2):
    """Give features, ratings and songs of unequal numbers of versions."""
    rng = np.random.default_rng(seed)
    song = np.repeat(np.arange(n_songs), rng.integers(2, 9, size=n_songs))
    X = rng.normal(size=(len(song), n_features))
    noise = 0.5 * (1 + (X[:, 0] > 0)) * rng.normal(size=len(song))
    return X, X[:, 0] + 0.7 * rng.normal(size=n_songs)[song] + noise, song


def test_documented_attributes_are_the_fitted_ones():
    names = {parameter.name for parameter in ClassDoc(ConformalRatings)["Attributes"]}
    frame = pd.DataFrame(make_songs(10, 0)[0], columns=["a", "b"])
    for method in ("cross", "split"):
        fitted = ConformalRatings(Ridge(), method=method).fit(frame, make_songs(10, 0)[1])
        assert {name for name in vars(fitted) if name.endswith("_")} == names


# Against what can be computed by hand


def test_split_is_a_quantile_of_absolute_errors():
    X, y, _ = make_songs(30, 0)
    metric = ConformalRatings(Ridge(), method="split", random_state=0, confidence_level=0.8)
    metric.fit(X, y)
    n_held = round(0.25 * len(y))
    assert len(metric.errors_) == n_held
    place = int(np.ceil(0.8 * (n_held + 1))) - 1  # Lei et al. 2018, algorithm 2
    half_width = np.sort(metric.errors_)[place]
    predicted = metric.predict(X)
    np.testing.assert_allclose(
        metric.predict_interval(X), predicted[:, None] + half_width * np.array([-1, 1])
    )


def test_prefit_takes_the_model_as_it_is():
    X, y, song = make_songs(60, 1)
    old = song < 30
    model = make_pipeline(StandardScaler(), Ridge()).fit(X[old], y[old])
    metric = ConformalRatings(FrozenEstimator(model), method="prefit")
    metric = clone(metric).fit(X[~old], y[~old], groups=song[~old])
    np.testing.assert_array_equal(metric.predict(X), model.predict(X))
    np.testing.assert_allclose(metric.errors_, np.abs(model.predict(X[~old]) - y[~old]))
    with pytest.raises(NotFittedError):
        ConformalRatings(Ridge(), method="prefit").fit(X, y)


def test_cross_is_the_jackknife_plus_of_groups():
    X, y, song = make_songs(12, 2)
    metric = ConformalRatings(Ridge(), cv=LeaveOneGroupOut(), confidence_level=0.8)
    metric.fit(X, y, groups=song)
    X_new = make_songs(3, 3)[0]
    lower, upper, weights = [], [], []
    for s in range(12):
        model = Ridge().fit(X[song != s], y[song != s])
        for row in np.flatnonzero(song == s):
            error = abs(model.predict(X[[row]])[0] - y[row])
            lower.append(model.predict(X_new) - error)
            upper.append(model.predict(X_new) + error)
            weights.append(1 / (13 * (song == s).sum()))
    for k, (low, high) in enumerate(metric.predict_interval(X_new)):
        # the smallest bound with 80 % of all weight at or below it, and the mirror image
        candidates = sorted(zip([bounds[k] for bounds in upper], weights, strict=True))
        reached = np.cumsum([weight for _, weight in candidates])
        assert high == pytest.approx(candidates[int(np.argmax(reached >= 0.8 - 1e-12))][0])
        candidates = sorted(zip([-bounds[k] for bounds in lower], weights, strict=True))
        reached = np.cumsum([weight for _, weight in candidates])
        assert low == pytest.approx(-candidates[int(np.argmax(reached >= 0.8 - 1e-12))][0])


def test_cross_errors_are_out_of_fold_and_predictions_of_all():
    X, y, song = make_songs(20, 4)
    metric = ConformalRatings(Ridge()).fit(X, y, groups=song)
    out_of_fold = cross_val_predict(Ridge(), X, y, groups=song, cv=GroupKFold(5))
    np.testing.assert_allclose(np.sort(metric.errors_), np.sort(np.abs(out_of_fold - y)))
    assert len(metric.estimators_) == 5
    np.testing.assert_array_equal(metric.predict(X), Ridge().fit(X, y).predict(X))


def test_each_group_counts_once():
    groups = np.array([4, 4, 4, 7])
    np.testing.assert_allclose(group_weights(groups), [1 / 9, 1 / 9, 1 / 9, 1 / 3])
    low, high = prediction_bounds(
        np.array([[0.0]]),
        np.zeros(4, dtype=int),
        np.array([1.0, 2.0, 3.0, 10.0]),
        group_weights(groups),
        confidence_level=0.34,
    )
    assert (low[0], high[0]) == (-10.0, 10.0)


def test_many_rows_are_bounded_in_chunks():
    rng = np.random.default_rng(0)
    predictions, errors = rng.normal(size=(600, 3)), rng.random(50)
    fold, weights = rng.integers(0, 3, size=50), np.full(50, 1 / 51)
    ends = prediction_bounds(predictions, fold, errors, weights, confidence_level=0.9)
    for row in (0, 255, 256, 599):
        alone = prediction_bounds(predictions[[row]], fold, errors, weights, confidence_level=0.9)
        assert [end[row] for end in ends] == [end[0] for end in alone]


# What is promised


@pytest.mark.parametrize(
    ("parameters", "most"),
    [
        ({"method": "split", "random_state": 0, "calibration_size": 0.5}, 0.85),
        ({"method": "cross"}, 0.85),
    ],
)
def test_new_songs_are_covered_as_promised(parameters, most):
    held, widths = [], []
    for seed in range(120):
        X, y, song = make_songs(39, seed)
        metric = ConformalRatings(Ridge(), confidence_level=0.8, **parameters)
        X_new, y_new, new = make_songs(30, 1000 + seed)
        ends = metric.fit(X, y, groups=song).predict_interval(X_new)
        table = interval_coverage(y_new, *ends.T, groups=new)
        held.append(table["coverage_of_groups"][0])
        widths.append(table["mean_width"][0])
    error = np.std(held) / np.sqrt(len(held))
    assert np.mean(held) > 0.8 - 3 * error
    assert np.mean(held) < most
    assert np.isfinite(widths).all()


def test_a_model_that_knows_recordings_needs_groups_to_be_honest():
    """A model that finds the other versions of a song is sure of them, and of no other song."""

    def coverage(seed, groups):
        rng = np.random.default_rng(seed)
        where = 10 * rng.normal(size=(40, 2))
        y = rng.normal(size=40)[song] + 0.1 * rng.normal(size=200)
        X = where[song] + 0.01 * rng.normal(size=(200, 2))
        metric = ConformalRatings(KNeighborsRegressor(1), confidence_level=0.8)
        metric.fit(X, y, groups=song if groups else None)
        X_new = 10 * rng.normal(size=(300, 2))
        ends = metric.predict_interval(X_new)
        y_new = rng.normal(size=300)
        return np.mean((ends[:, 0] <= y_new) & (y_new <= ends[:, 1]))

    song = np.repeat(np.arange(40), 5)
    assert np.mean([coverage(seed, groups=True) for seed in range(15)]) > 0.78
    assert np.mean([coverage(seed, groups=False) for seed in range(15)]) < 0.4


def test_too_few_groups_give_infinite_intervals_and_say_how_many_it_takes():
    X, y, song = make_songs(8, 0)
    metric = ConformalRatings(Ridge()).fit(X, y, groups=song)
    with pytest.warns(UserWarning, match="takes errors of 9 groups, and there are 8") as caught:
        ends = metric.predict_interval(X)
    assert caught[0].filename == __file__
    assert np.isinf(ends).all()
    assert np.isfinite(metric.predict_interval(X, confidence_level=0.8)).all()
    nine = ConformalRatings(Ridge()).fit(*make_songs(9, 0)[:2], groups=make_songs(9, 0)[2])
    assert np.isfinite(nine.predict_interval(X)).all()


def test_scale_cuts_intervals():
    X, y, song = make_songs(30, 0)
    free = ConformalRatings(Ridge()).fit(X, y, groups=song).predict_interval(X)
    metric = ConformalRatings(Ridge(), scale=(-1, 1)).fit(X, y, groups=song)
    np.testing.assert_array_equal(metric.predict_interval(X), np.clip(free, -1, 1))
    assert (free[:, 1] > 1).any()


def test_higher_confidence_is_wider_and_holds_the_prediction():
    X, y, song = make_songs(30, 0)
    metric = ConformalRatings(Ridge(), cv=3).fit(X, y, groups=song)
    predicted, wide = metric.predict(X), metric.predict_interval(X)
    narrow = metric.predict_interval(X, confidence_level=0.05)
    for ends in (wide, narrow):
        assert (ends[:, 0] <= predicted).all()
        assert (predicted <= ends[:, 1]).all()
    assert (np.diff(narrow) < np.diff(wide)).all()


# Metadata, forms of X, errors


class Listener(RegressorMixin, BaseEstimator):
    """Keep what fit was told."""

    __metadata_request__fit = {"condition": True, "groups": True}

    def fit(self, X, y, condition=None, groups=None, sample_weight=None):
        self.told_ = condition, groups, sample_weight
        self.mean_ = np.average(y, weights=sample_weight)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_metadata_reaches_the_steps_that_want_it():
    X, y, song = make_songs(10, 0)
    condition = np.where(y > 0, "loud", "soft")
    weight = np.arange(len(y)) % 3
    metric = ConformalRatings(make_pipeline(StandardScaler(), Listener()))
    metric.fit(X, y, groups=song, condition=condition, sample_weight=weight)
    counted = weight > 0
    for told, given in zip(metric.estimator_[-1].told_, (condition, song, weight), strict=True):
        np.testing.assert_array_equal(told, given[counted])
    scaler = StandardScaler().fit(X, sample_weight=weight)
    np.testing.assert_allclose(metric.estimator_[0].mean_, scaler.mean_)
    assert len(metric.errors_) == counted.sum()
    assert not any(
        "_metadata_request" in vars(step) for step in metric.estimator_.named_steps.values()
    )


def test_pickles_frames_and_jobs():
    X, y, song = make_songs(15, 0)
    frame = pd.DataFrame(X, columns=["a", "b"])
    metric = ConformalRatings(Ridge(), n_jobs=2).fit(frame, y, groups=song)
    alone = ConformalRatings(Ridge()).fit(X, y, groups=song)
    assert metric.feature_names_in_.tolist() == ["a", "b"]
    expected = alone.predict_interval(X)
    # A table lies differently in memory, which moves the last bits.
    np.testing.assert_allclose(metric.predict_interval(frame), expected, rtol=1e-12)
    copy = pickle.loads(pickle.dumps(alone))
    np.testing.assert_array_equal(copy.predict_interval(X), expected)
    values = ConformalRatings(RatingMapping()).fit(X[:, 0], y, groups=song)
    assert values.predict_interval([0.0, 1.0]).shape == (2, 2)


@pytest.mark.parametrize(
    ("parameters", "fit", "message"),
    [
        ({"cv": KFold(5)}, {}, "group.* on both sides of a split"),
        ({"cv": [(np.arange(40), np.arange(40, 50))]}, {}, "never leaves out some rows"),
        ({}, {"groups": np.zeros(70)}, "two groups or more"),
        ({"method": "split"}, {"groups": np.zeros(70)}, "takes two or more"),
        ({"scale": (5, 1)}, {}, "lowest and the highest rating"),
        ({}, {"groups": [1, 2]}, "groups should have shape"),
        ({}, {"y": np.full(70, np.nan)}, "Input y contains NaN"),
        ({}, {"y": np.ones(3)}, "inconsistent numbers of samples"),
    ],
)
def test_errors_say_what_to_do(parameters, fit, message):
    X, y, song = make_songs(15, 0)
    X, y, song = (values[:70] for values in (X, y, song))
    assert len(y) == 70
    known = {"y": y, "groups": song} | fit
    with pytest.raises(ValueError, match=message):
        ConformalRatings(DummyRegressor(), **parameters).fit(X, **known)


def test_wrong_confidence_levels_are_refused():
    X, y, _ = make_songs(15, 0)
    metric = ConformalRatings(Ridge()).fit(X, y)
    with pytest.raises(ValueError, match="confidence_level=90 should lie between"):
        metric.predict_interval(X, confidence_level=90)
