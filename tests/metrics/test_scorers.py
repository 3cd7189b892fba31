"""The scorers where users put them: cross-validation, searches, workers, metadata routing."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skperceptual.metrics import (
    kendall_score,
    kendall_scorer,
    pearson_score,
    pearson_scorer,
    spearman_score,
    spearman_scorer,
    within_condition_score,
    within_condition_scorer,
)

SCORERS = pytest.mark.parametrize(
    ("scorer", "score"),
    [
        (spearman_scorer, spearman_score),
        (pearson_scorer, pearson_score),
        (kendall_scorer, kendall_score),
    ],
    ids=["spearman", "pearson", "kendall"],
)


class Identity(RegressorMixin, BaseEstimator):
    """Predict the first column."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X[:, 0]


def negative_rmse(y_true, y_pred):
    return -float(np.sqrt(np.mean((y_true - y_pred) ** 2)))


@pytest.fixture
def rated(rng):
    """Ratings that follow one of two features within conditions, and the other between them."""
    condition = np.tile(["noise", "codec", "filter"], 20)
    offset = np.unique(condition, return_inverse=True)[1]
    within = rng.normal(size=60)
    ratings = within + 3.0 * offset + 0.1 * rng.normal(size=60)
    X = np.column_stack([within - 10.0 * offset, rng.normal(size=60)])
    return X, ratings, condition


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@SCORERS
def test_scorer_keeps_the_sign(scorer, score, rng):
    X = rng.normal(size=(30, 1))
    y = -X[:, 0] + 0.3 * rng.normal(size=30)
    model = Identity().fit(X, y)
    assert scorer(model, X, y) == score(y, X[:, 0])
    assert scorer(model, X, y) < -0.5


@SCORERS
def test_scorer_survives_pickling_and_cloning(scorer, score, rng):
    X, y = rng.normal(size=(10, 1)), rng.normal(size=10)
    expected = scorer(Identity().fit(X, y), X, y)
    assert pickle.loads(pickle.dumps(scorer))(Identity().fit(X, y), X, y) == expected
    assert clone(scorer, safe=False)(Identity().fit(X, y), X, y) == expected
    assert get_scorer(scorer) is scorer


@SCORERS
def test_scorer_works_in_workers(scorer, score, rng):
    X = rng.normal(size=(40, 2))
    y = X[:, 0] + 0.5 * rng.normal(size=40)
    alone = cross_val_score(Ridge(), X, y, scoring=scorer, cv=4)
    parallel = cross_val_score(Ridge(), X, y, scoring=scorer, cv=4, n_jobs=2)
    np.testing.assert_array_equal(alone, parallel)
    by_hand = [
        score(y[test], Ridge().fit(X[train], y[train]).predict(X[test]))
        for train, test in KFold(4).split(X)
    ]
    np.testing.assert_allclose(alone, by_hand, atol=1e-15)


def test_scorer_ranks_the_candidates_of_a_search(rng):
    X = rng.normal(size=(60, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=60)
    pipe = make_pipeline(StandardScaler(), Ridge())
    search = GridSearchCV(
        pipe,
        {"ridge__alpha": [1.0, 100.0]},
        scoring={"rho": spearman_scorer, "tau": kendall_scorer},
        refit="rho",
        cv=GroupKFold(3),
    )
    search.fit(X, y, groups=np.arange(60) // 6)
    assert search.best_score_ == search.cv_results_["mean_test_rho"].max() > 0.9
    assert (search.cv_results_["mean_test_tau"] < search.cv_results_["mean_test_rho"]).all()


def test_scorer_takes_sample_weight_by_routing(rng, routing):
    X, y = rng.normal(size=(20, 1)), rng.normal(size=20)
    weights = rng.integers(1, 5, 20)
    scorer = clone(pearson_scorer, safe=False).set_score_request(sample_weight=True)
    found = cross_val_score(
        Identity(), X, y, cv=2, scoring=scorer, params={"sample_weight": weights}
    )
    first = slice(0, 10)
    expected = pearson_score(y[first], X[first, 0], sample_weight=weights[first])
    assert found[0] == pytest.approx(expected, abs=1e-15)


def test_constant_predictions_score_nan_with_a_warning(rng):
    X, y = rng.normal(size=(20, 1)), rng.normal(size=20)
    with pytest.warns(UndefinedMetricWarning, match="predictions are all equal"):
        scores = cross_val_score(DummyRegressor(), X, y, scoring=spearman_scorer, cv=2)
    assert np.isnan(scores).all()


@pytest.mark.parametrize("name", ["spearman", "pearson", "kendall"])
def test_within_condition_is_the_plain_mean(rated, name):
    X, y, condition = rated
    score = {"spearman": spearman_score, "pearson": pearson_score, "kendall": kendall_score}[name]
    keep = np.r_[0:50]  # conditions of unequal size count alike
    y, p, condition = y[keep], X[keep, 0], condition[keep]
    expected = np.mean([score(y[condition == c], p[condition == c]) for c in np.unique(condition)])
    assert within_condition_score(y, p, condition=condition, score=name) == pytest.approx(expected)
    assert within_condition_score(y, p, condition=condition, score=score) == pytest.approx(expected)
    # Between conditions this prediction is upside down.
    assert expected > 0.8 > 0 > score(y, p)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"],
        [1, 2],
        [0.5, 1.5],
        [True, False],
        [("noise", 1), 2],
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(["a", "b"], dtype="string"),
        np.array([["a"], ["b"]]),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_condition_labels_of_any_type(labels):
    if isinstance(labels, list) and isinstance(labels[0], tuple):
        column = np.empty(2, dtype=object)
        column[:] = labels
        labels = column
    repeated = (
        labels.take([0, 0, 0, 1, 1, 1])
        if isinstance(labels, pd.Series)
        else np.asarray(labels)[[0, 0, 0, 1, 1, 1]]
    )
    y = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    p = [1.0, 2.0, 3.0, 3.0, 2.0, 1.0]
    assert within_condition_score(y, p, condition=repeated) == 0.0


def test_undefined_conditions_are_left_out_and_named():
    y = [1.0, 2.0, 3.0, 2.0, 2.0, 2.0, 5.0]
    p = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]
    condition = ["ok", "ok", "ok", "flat", "flat", "flat", "single"]
    with pytest.warns(
        UndefinedMetricWarning, match=r"2 of 3 conditions \(flat, single\), left out"
    ):
        assert within_condition_score(y, p, condition=condition) == 1.0
    with pytest.warns(UndefinedMetricWarning, match="1 of 1 conditions.*so the score is NaN"):
        assert np.isnan(within_condition_score([1.0, 1.0], [1.0, 2.0], condition=["a", "a"]))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (["a", "b"], r"one label for each of the 3 samples.*\(2,\)"),
        ([["a", "b"]] * 3, r"one label for each"),
        (["a", None, "b"], "no label in row 1"),
        ([1.0, np.nan, 1.0], "no label in row 1"),
        (pd.Series(["a", "b", pd.NA], dtype="string"), "no label in row 2"),
    ],
)
def test_bad_conditions_are_refused(condition, message):
    with pytest.raises(ValueError, match=message):
        within_condition_score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], condition=condition)


@pytest.mark.parametrize("score", ["rmse", None, 3])
def test_unknown_scores_are_refused_at_once(score):
    with pytest.raises(ValueError, match="Use 'spearman', 'pearson', 'kendall' or a function"):
        within_condition_scorer(score)


@pytest.mark.usefixtures("routing")
def test_condition_is_cut_to_each_fold(rated):
    X, y, condition = rated
    scorer = within_condition_scorer("spearman")
    pipe = make_pipeline(StandardScaler(), LinearRegression())
    found = cross_val_score(pipe, X, y, cv=3, scoring=scorer, params={"condition": condition})
    expected = []
    for train, test in KFold(3).split(X):
        fitted = clone(pipe).fit(X[train], y[train])
        expected.append(scorer(fitted, X[test], y[test], condition=condition[test]))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.usefixtures("routing")
def test_condition_reaches_the_scorer_in_a_search_and_in_workers(rated):
    X, y, condition = rated
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge()),
        {"ridge__alpha": [0.1, 1e3]},
        scoring=within_condition_scorer("pearson"),
        cv=3,
        n_jobs=2,
    )
    search.fit(X, y, condition=condition)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    again = clone(search).set_params(n_jobs=None).fit(X, y, condition=condition)
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    assert search.score(X, y, condition=condition) == within_condition_score(
        y, search.predict(X), condition=condition, score="pearson"
    )


@pytest.mark.usefixtures("routing")
def test_several_scorers_share_one_condition(rated):
    X, y, condition = rated
    found = cross_validate(
        Identity(),
        X,
        y,
        cv=2,
        scoring={
            "all": spearman_scorer,
            "within": within_condition_scorer(),
            "rmse": within_condition_scorer(negative_rmse),
        },
        params={"condition": condition},
    )
    assert (found["test_all"] < 0).all()
    assert (found["test_within"] > 0.8).all()
    assert (found["test_rmse"] < 0).all()


def test_condition_is_passed_by_hand_without_routing(rated):
    X, y, condition = rated
    scorer = within_condition_scorer(kendall_score)
    model = Identity().fit(X, y)
    expected = within_condition_score(y, X[:, 0], condition=condition, score="kendall")
    assert scorer(model, X, y, condition=condition) == expected


def test_without_condition_the_error_explains_routing(rated):
    X, y, _ = rated
    scorer = within_condition_scorer("spearman")
    message = r"within_condition_scorer\('spearman'\) needs the condition.*enable_metadata_routing"
    with pytest.raises(ValueError, match=message):
        scorer(Identity().fit(X, y), X, y)
    with pytest.raises(ValueError, match="params="):
        cross_val_score(Identity(), X, y, scoring=scorer, error_score="raise")


def test_within_condition_scorer_survives_pickling(rated):
    X, y, condition = rated
    scorer = within_condition_scorer(negative_rmse)
    model = Identity().fit(X, y)
    expected = scorer(model, X, y, condition=condition)
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy(model, X, y, condition=condition) == expected
    assert repr(copy) == "within_condition_scorer(negative_rmse)"
