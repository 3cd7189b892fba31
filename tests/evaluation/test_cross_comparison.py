"""Pipelines are judged on recordings that they were not fitted to, and leaks are found."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skperceptual import MSE, NLPD, SSIM, NLPDRegressor, RatingMapping
from skperceptual.evaluation import ConformalRatings, cross_compare
from skperceptual.evaluation.fold_leaks import source_of_rows
from skperceptual.evaluation.metadata_fit import fit_with_metadata
from skperceptual.metrics import compare_metrics, interval_coverage, spearman_score

N_SONGS, SEVERITIES = 20, (0.02, 0.05, 0.1, 0.2)


@pytest.fixture(scope="module")
def data():
    """Pairs of images, ratings, songs and conditions."""
    rng = np.random.default_rng(0)
    song = np.repeat(np.arange(N_SONGS), len(SEVERITIES))
    severity = np.tile(SEVERITIES, N_SONGS)
    references = rng.random((N_SONGS, 12, 14))[song]
    noise = severity[:, None, None] * rng.normal(size=references.shape)
    pairs = np.stack([references, references + noise], axis=1)
    ratings = 5 + np.log2(0.02 / severity) + 0.4 * rng.normal(size=len(song))
    return pairs, ratings, song, np.where(song % 2, "odd", "even")


class Column(TransformerMixin, BaseEstimator):
    """Give the first column, and count the fits."""

    def __init__(self, higher_is_better=True, learns=False):
        self.higher_is_better = higher_is_better
        self.learns = learns

    def fit(self, X, y=None):
        self.offset_ = float(np.mean(X[:, 0])) if self.learns else 0.0
        return self

    def transform(self, X):
        return X[:, :1] - self.offset_ if self.learns else X[:, :1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.learns
        return tags


def make_table(n_songs=15, seed=0):
    rng = np.random.default_rng(seed)
    song = np.repeat(np.arange(n_songs), 6)
    X = rng.normal(size=(6 * n_songs, 3))
    y = (
        3
        + X @ [0.8, 0.3, 0]
        + 0.4 * rng.normal(size=len(song))
        + 0.3 * rng.normal(size=n_songs)[song]
    )
    return X, y, song


# Values


def test_metrics_and_regressors_side_by_side(data):
    pairs, ratings, song, condition = data
    metrics = {
        "mse": MSE(),
        "ssim": SSIM(window_size=3),
        "both": make_pipeline(make_union(MSE(), SSIM(window_size=3)), Ridge(1e-3)),
    }
    result = cross_compare(
        metrics, pairs, ratings, groups=song, condition=condition, baseline="mse", half_width=0.3
    )
    np.testing.assert_array_equal(result.scores["mse"], MSE().transform(pairs)[:, 0])
    folds = GroupKFold(5)
    expected = cross_val_predict(metrics["both"], pairs, ratings, groups=song, cv=folds)
    np.testing.assert_allclose(result.predictions["both"], expected)
    np.testing.assert_array_equal(result.scores["both"], result.predictions["both"])
    mapped = make_pipeline(SSIM(window_size=3), RatingMapping("cubic"))
    expected = cross_val_predict(mapped, pairs, ratings, groups=song, cv=folds)
    np.testing.assert_allclose(result.predictions["ssim"], expected)
    for number, (_, test) in enumerate(folds.split(pairs, ratings, song)):
        assert (result.folds[test] == number).all()
    pd.testing.assert_frame_equal(
        result.table,
        compare_metrics(
            ratings,
            result.scores,
            mapped=result.predictions,
            groups=song,
            condition=condition,
            baseline="mse",
            higher_is_better={"mse": False, "ssim": True, "both": True},
            half_width=0.3,
        ),
    )
    rows = result.table.set_index(["metric", "condition"])
    assert rows.loc[("mse", "all"), "srcc"] == spearman_score(ratings, MSE().transform(pairs))
    error = result.predictions["ssim"] - ratings
    assert rows.loc[("ssim", "all"), "rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert "intervals" not in result
    assert "estimators" not in result


@pytest.mark.parametrize("learns", [False, True])
def test_what_learns_is_mapped_by_what_it_gave_in_training(learns):
    X, y, song = make_table()
    metric = Column(learns=learns)
    result = cross_compare(
        {"column": metric}, X, y, groups=song, mapping="linear", return_estimators=True
    )
    expected = cross_val_predict(
        make_pipeline(metric, RatingMapping()), X, y, groups=song, cv=GroupKFold(5)
    )
    np.testing.assert_allclose(result.predictions["column"], expected)
    offsets = [one.offset_ for one in result.estimators["column"]]
    assert len(set(offsets)) == (5 if learns else 1)


def test_mappings_are_weighted():
    X, y, song = make_table()
    weight = np.where(X[:, 0] > 0, 5.0, 0.5)
    result = cross_compare(
        {"column": Column()}, X, y, groups=song, mapping="linear", sample_weight=weight
    )
    train = result.folds != 0
    mapping = RatingMapping().fit(X[train, 0], y[train], sample_weight=weight[train])
    expected = mapping.predict(X[~train, 0])
    np.testing.assert_allclose(result.predictions["column"][~train], expected)


def test_metrics_in_steps_learn_if_one_of_them_does():
    X, y, song = make_table()
    scaled = make_pipeline(StandardScaler(), make_union(Column()))
    result = cross_compare({"scaled": scaled}, X, y, groups=song, mapping="linear")
    by_hand = np.empty(len(y))
    for train, test in GroupKFold(5).split(X, y, song):
        by_hand[test] = clone(scaled).fit(X[train]).transform(X[test])[:, 0]
    np.testing.assert_allclose(result.scores["scaled"], by_hand)


def test_one_test_set_leaves_the_others_without_predictions():
    X, y, song = make_table()
    train, test = np.flatnonzero(song < 4), np.flatnonzero(song >= 4)
    result = cross_compare(
        {"column": Column(), "ridge": Ridge()}, X, y, groups=song, cv=[(train, test)],
        mapping="linear", condition=np.arange(90) % 2,
    )  # fmt: skip
    assert result.predictions.iloc[train].isna().all(axis=None)
    assert result.predictions.iloc[test].notna().all(axis=None)
    assert (result.folds == np.where(song < 4, -1, 0)).all()
    assert result.table["n"].tolist() == [66, 66, 33, 33, 33, 33]
    mapping = RatingMapping().fit(X[train, 0], y[train])
    np.testing.assert_allclose(result.predictions["column"][test], mapping.predict(X[test, 0]))


def test_directions_are_the_metrics_own_word():
    X, y, song = make_table()
    X = X * [-1, 1, 1]
    metrics = {"falls": Column(higher_is_better=False), "ridge": Ridge()}
    table = cross_compare(metrics, X, y, groups=song, baseline="ridge").table
    assert table["srcc"][0] < -0.6
    assert abs(table["difference"][0]) < 0.3
    rises = {"falls": True, "ridge": True}
    with pytest.warns(UserWarning, match="said to rise with quality, but fall") as caught:
        cross_compare(metrics, X, y, groups=song, baseline="ridge", higher_is_better=rises)
    assert caught[0].filename == __file__


def test_forms_of_x_and_jobs_give_the_same(data):
    pairs, ratings, song, _ = data
    metrics = {"mse": MSE(), "both": make_pipeline(make_union(MSE(), NLPD(n_levels=2)), Ridge())}
    expected = cross_compare(metrics, pairs, ratings, groups=song)
    again = cross_compare(metrics, list(pairs), pd.Series(ratings), groups=song, n_jobs=2)
    pd.testing.assert_frame_equal(again.table, expected.table)
    X, y, groups = make_table()
    frame = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(len(y))[::-1])
    names = [f"song {k}" for k in groups]
    table = cross_compare({"ridge": Ridge()}, frame, y, groups=pd.Series(names)).table
    assert table["n_groups"][0] == 15


def test_file_names_are_read_in_each_fold(tmp_path):
    from skperceptual import LoadAudio, MelSpectrogram, save_audio

    rng = np.random.default_rng(0)
    names, ratings = [], []
    for song in range(10):
        clean = rng.normal(scale=0.1, size=2000)
        save_audio(tmp_path / f"{song}.wav", clean, 8000)
        for level in (0.01, 0.03, 0.1):
            name = tmp_path / f"{song}_{level}.wav"
            save_audio(name, clean + level * rng.normal(size=2000), 8000)
            names.append((str(tmp_path / f"{song}.wav"), str(name)))
            ratings.append(1 - level)
    song = np.repeat(np.arange(10), 3)
    metric = make_pipeline(
        LoadAudio(sr=8000), MelSpectrogram(sr=8000, n_fft=256, hop_length=128, n_mels=16), MSE()
    )
    table = pd.DataFrame(names, columns=["reference", "degraded"])
    result = cross_compare({"mse": metric}, table, ratings, groups=song, mapping="linear")
    assert result.table["srcc"][0] < -0.9
    with pytest.raises(ValueError, match=r"10 references on both sides.*\n.*/\d\.wav"):
        cross_compare({"mse": metric}, table, ratings, groups=np.arange(30))


# Leaks


def test_a_cv_that_divides_groups_is_refused():
    X, y, song = make_table()
    folds = KFold(5, shuffle=True, random_state=0)
    with pytest.raises(ValueError, match=r"15 groups on both sides of a split:\n  0 in rows"):
        cross_compare({"ridge": Ridge()}, X, y, groups=song, cv=folds)
    with pytest.warns(UserWarning, match="on both sides") as caught:
        cross_compare({"ridge": Ridge()}, X, y, groups=song, cv=folds, on_leak="warn")
    assert caught[0].filename == __file__
    assert len(caught) == 1


def test_one_reference_in_several_groups_is_refused(data):
    pairs, ratings, *_ = data
    with pytest.raises(ValueError, match="20 references on both sides") as found:
        cross_compare({"mse": MSE()}, pairs, ratings, groups=np.arange(len(ratings)))
    assert "one of the same content in rows" in str(found.value)
    assert "on_leak='warn'" in str(found.value)
    cross_compare({"mse": MSE()}, pairs, ratings, groups=data[2], cv=3)


SIGNAL, OTHER = np.arange(5.0), np.ones(5)


@pytest.mark.parametrize(
    ("X", "n_sources"),
    [
        (np.array([[SIGNAL, OTHER], [SIGNAL, SIGNAL], [OTHER, SIGNAL]]), 2),
        ([np.stack([SIGNAL, OTHER]), np.stack([SIGNAL, SIGNAL]), np.stack([OTHER, SIGNAL])], 2),
        ([(SIGNAL, OTHER[:3]), (SIGNAL.copy(), SIGNAL), (OTHER, SIGNAL)], 2),
        ([[SIGNAL, OTHER], [SIGNAL, SIGNAL]], 1),
        ([SIGNAL, OTHER, SIGNAL.copy()], 2),
        ([("a.wav", "b.wav"), (Path("./a.wav"), "c.wav"), ("b.wav", "a.wav")], 2),
        (np.array([["a.wav", "b.wav"], ["c.wav", "b.wav"]], dtype=object), 2),
        (["a.wav", "b.wav", "a.wav"], 2),
        (pd.Series(["a.wav", "b.wav", "a.wav"]), 2),
        (pd.DataFrame({"file": ["a.wav", "a.wav"], "x": [1, 2]}), 1),
        (pd.DataFrame({"degraded": ["a.wav", "b.wav"], "reference": ["c.wav", "c.wav"]}), 1),
    ],
)
def test_sources_are_recognised(X, n_sources):
    sources = source_of_rows(X)
    assert len(sources) == len(X)
    assert len(set(sources)) == n_sources


@pytest.mark.parametrize(
    "X",
    [
        np.ones((4, 3)),
        [[1.0, 2.0], [1.0, 2.0]],
        np.ones((4, 3, 5)),
        pd.DataFrame({"a": [1.0, 1.0]}),
        pd.Series([1.0, 1.0]),
    ],
)
def test_tables_of_numbers_have_no_sources(X):
    assert source_of_rows(X) is None


# Metadata


class Listener(RegressorMixin, BaseEstimator):
    """Keep what fit was told, and predict the mean."""

    __metadata_request__fit = {"condition": True, "groups": True}

    def fit(self, X, y, condition=None, groups=None, sample_weight=None):
        self.told_ = condition, groups, sample_weight
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_) + 0.01 * X[:, 0]


def test_metadata_reaches_the_steps_that_request_it():
    X, y, song = make_table()
    condition, weight = np.where(X[:, 0] > 0, "odd", "even"), np.arange(len(y)) % 4 + 1.0
    pipeline = make_pipeline(StandardScaler(), Listener())
    result = cross_compare(
        {"listener": pipeline}, X, y, groups=song, condition=condition, sample_weight=weight,
        return_estimators=True,
    )  # fmt: skip
    for number, fitted in enumerate(result.estimators["listener"]):
        train = result.folds != number
        for told, given in zip(fitted[-1].told_, (condition, song, weight), strict=True):
            np.testing.assert_array_equal(told, given[train])
        expected = StandardScaler().fit(X[train], sample_weight=weight[train])
        np.testing.assert_allclose(fitted[0].mean_, expected.mean_)
    assert not hasattr(pipeline[-1], "told_")


def test_requests_are_obeyed_and_left_as_they_were():
    from sklearn import config_context

    X, y, song = make_table()
    with config_context(enable_metadata_routing=True):
        declining = Listener().set_fit_request(groups=False, sample_weight=False)
    known = {"groups": song, "condition": None, "sample_weight": np.ones(len(y))}
    fitted = fit_with_metadata(make_pipeline(StandardScaler(), declining), X, y, known)
    assert fitted[-1].told_ == (None, None, None)
    assert "_metadata_request" not in vars(fitted[0])
    assert vars(declining)["_metadata_request"].fit.requests["groups"] is False


def test_groups_reach_the_folds_of_a_grid_search():
    X, y, song = make_table()
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=GroupKFold(3), error_score="raise")
    result = cross_compare(
        {"search": search}, X, y, groups=song, sample_weight=np.ones(len(y)), return_estimators=True
    )
    for number, fitted in enumerate(result.estimators["search"]):
        train = result.folds != number
        by_hand = clone(search).fit(X[train], y[train], groups=song[train])
        assert fitted.best_params_ == by_hand.best_params_


def test_condition_reaches_a_perceptual_fit(data):
    pairs, ratings, song, condition = data
    metric = NLPDRegressor(n_levels=2, max_epochs=2, early_stopping=False, random_state=0)
    result = cross_compare(
        {"nlpd": metric}, pairs, ratings, groups=song, condition=condition, cv=2,
        return_estimators=True,
    )  # fmt: skip
    train = result.folds != 0
    by_hand = clone(metric).fit(pairs[train], ratings[train], condition=condition[train])
    np.testing.assert_array_equal(result.estimators["nlpd"][0].filters_, by_hand.filters_)


# Intervals


def test_intervals_hold_what_they_promise():
    held = []
    for seed in range(40):
        X, y, song = make_table(n_songs=20, seed=seed)
        result = cross_compare(
            {"ridge": Ridge(), "column": Column()}, X, y, groups=song, interval=0.8, cv=10
        )
        held.append(result.coverage["coverage"].to_numpy())
    error = np.std(held) / np.sqrt(len(held))
    assert np.abs(np.mean(held, axis=0) - 0.82).max() < 0.025 + 2 * error


def test_intervals_are_quantiles_of_the_errors_of_other_folds():
    X, y, song = make_table()
    condition = np.arange(90) % 3
    result = cross_compare(
        {"ridge": Ridge()}, X, y, groups=song, condition=condition, interval=0.75, scale=(1, 5)
    )
    errors = np.abs(result.predictions["ridge"] - y).to_numpy()
    for number in range(5):
        test = result.folds == number
        others = np.sort(errors[~test])  # 12 songs of 6 rows: 1 / 78 each
        half = others[int(np.ceil(0.75 * 78)) - 1]
        predicted = result.predictions["ridge"][test]
        expected = np.clip([predicted - half, predicted + half], 1, 5)
        np.testing.assert_allclose(result.intervals["ridge"][test].T, expected)
    low, high = result.intervals["ridge", "low"], result.intervals["ridge", "high"]
    expected = interval_coverage(y, low, high, groups=song, condition=condition)
    pd.testing.assert_frame_equal(result.coverage.drop(columns="metric"), expected)


def test_pipelines_with_intervals_are_asked_for_their_own():
    X, y, song = make_table(n_songs=20)
    metric = ConformalRatings(Ridge(), method="split", random_state=0, calibration_size=0.5)
    result = cross_compare({"conformal": metric}, X, y, groups=song, interval=0.8)
    for train, test in GroupKFold(5).split(X, y, song):
        fitted = clone(metric).fit(X[train], y[train], groups=song[train])
        expected = fitted.predict_interval(X[test], confidence_level=0.8)
        np.testing.assert_allclose(result.intervals.iloc[test], expected)


def test_too_few_groups_for_intervals_are_named():
    X, y, song = make_table(n_songs=10)
    with pytest.warns(UserWarning, match="takes errors of 9 groups, and there are 8"):
        result = cross_compare({"ridge": Ridge()}, X, y, groups=song, interval=0.9)
    assert np.isinf(result.intervals).all(axis=None)
    assert result.coverage["coverage"][0] == 1


# NaN and errors


def test_nan_of_one_metric_are_for_nan_policy():
    X, y, song = make_table()
    X[5, 0] = np.nan
    metrics = {
        "column": FunctionTransformer(lambda X: X[:, :1]),
        "other": FunctionTransformer(lambda X: X[:, 1:2]),
    }
    with pytest.raises(ValueError, match="column: 1 of 90, the first in row 5"):
        cross_compare(metrics, X, y, groups=song)
    result = cross_compare(metrics, X, y, groups=song, nan_policy="omit", interval=0.8)
    assert result.table["n"].tolist() == [89, 90]
    assert result.coverage["n"].tolist() == [89, 90]
    assert np.flatnonzero(result.predictions["column"].isna()).tolist() == [5]


class Broken(Ridge):
    """Fail in fit, as estimators do."""

    def fit(self, X, y):
        if X[0, 0] != 0:
            raise RuntimeError("out of order")
        return super().fit(X, y)


def test_errors_of_pipelines_say_where():
    X, y, song = make_table()
    with pytest.raises(RuntimeError, match="out of order") as error:
        cross_compare({"ridge": Ridge(), "broken": Broken()}, X, y, groups=song)
    assert error.value.__notes__ == ["This was found in 'broken', fold 0."]
    constant = FunctionTransformer(lambda X: np.ones((len(X), 1)))
    with pytest.raises(ValueError, match="cubic") as error:
        cross_compare({"constant": constant}, X, y, groups=song)
    assert error.value.__notes__ == ["This was found in mapping 'constant' to ratings, fold 0."]


def test_interruptions_come_through():
    X, y, song = make_table()

    class Interrupted(Ridge):
        def fit(self, X, y):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_compare({"ridge": Interrupted()}, X, y, groups=song)


def test_progress_is_shown_where_asked(capsys):
    X, y, song = make_table()
    cross_compare({"ridge": Ridge()}, X, y, groups=song)
    assert capsys.readouterr().err == ""
    cross_compare({"ridge": Ridge()}, X, y, groups=song, verbose=1)
    assert "cross_compare" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pipelines": {}}, "one pipeline or more"),
        ({"pipelines": {1: Ridge()}}, "named by text"),
        ({"pipelines": {"a": LogisticRegression()}}, "is a classifier"),
        ({"pipelines": {"a": StandardScaler()}}, "one number for each of"),
        ({"baseline": "nobody"}, "none of the pipelines"),
        ({"groups": None}, "need groups="),
        ({"groups": np.zeros(90)}, "two groups or more"),
        ({"groups": [1, 2]}, "groups should have one entry for each of the 90 rows"),
        ({"groups": [None] * 90}, "groups is missing in row 0"),
        ({"condition": np.ones((90, 2))}, "condition should have one entry"),
        ({"y": np.ones(3)}, "X has 90 rows and y has 3"),
        ({"y": [np.nan] * 90}, "NaN or infinity"),
        ({"cv": [([0, 1], [2, 3]), ([4, 5], [3])]}, "row 3 more than once"),
        ({"cv": [(range(60), range(50, 90))]}, "row 50 in both parts of a split"),
        ({"cv": []}, "gives no split"),
        ({"on_leak": "ignore"}, "on_leak='ignore' is unknown"),
        ({"interval": 90}, "interval=90 should lie between"),
        ({"scale": (5, 1)}, "lowest and the highest rating"),
        ({"higher_is_better": "yes"}, "higher_is_better='yes' is unknown"),
    ],
)
def test_wrong_arguments_say_what_to_do(change, message):
    X, y, song = make_table()
    arguments = {"pipelines": {"ridge": LinearRegression()}, "X": X, "y": y, "groups": song}
    with pytest.raises(ValueError, match=message):
        cross_compare(**(arguments | change))


@pytest.mark.parametrize("X", ["a.wav", {"a": 1}, iter([1, 2])])
def test_what_has_no_rows_is_refused(X):
    with pytest.raises(TypeError, match="an array or a list of rows"):
        cross_compare({"ridge": Ridge()}, X, [1.0, 2.0], groups=[0, 1])


@pytest.mark.parametrize("pipelines", [[Ridge()], {"a": Ridge}, {"a": np.mean}, {"a": "ridge"}])
def test_what_is_no_pipeline_is_refused(pipelines):
    X, y, song = make_table()
    with pytest.raises(TypeError, match=r"Expected pipelines|is no estimator"):
        cross_compare(pipelines, X, y, groups=song)


def test_rows_that_are_recordings_of_their_own():
    X, y, _ = make_table()
    folds = KFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = cross_compare({"ridge": Ridge()}, X, y, cv=folds).table
    assert table["n_groups"][0] == 90
