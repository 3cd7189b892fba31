"""NLPDRegressor: the five normalisations, metadata, early stopping, errors."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import (
    NLPD,
    DivisiveNorm,
    LaplacianPyramid,
    NLPDRegressor,
    PyramidDistance,
    RatingMapping,
)
from skperceptual.metrics import pearson_score, spearman_scorer
from skperceptual.regression.correlation_objective import CorrelationObjective


@pytest.fixture
def rated(rng):
    """Pairs with noise, which lowers the rating, and a slow hum, which does not."""
    references = rng.random((24, 32, 40)) ** 2
    severity = rng.random((24, 2))
    noise = 0.1 * rng.standard_normal((24, 32, 40)) * severity[:, 0, None, None]
    hum = 0.3 * np.sin(np.arange(40) / 8) * severity[:, 1, None, None]
    pairs = np.stack([references, references + noise + hum], axis=1)
    return pairs, 5 - 4 * severity[:, 0] + 0.1 * rng.standard_normal(24)


def regressor(**parameters):
    defaults = {"n_levels": 4, "solver": "lbfgs", "max_epochs": 15, "random_state": 0}
    return NLPDRegressor(**{**defaults, **parameters})


@pytest.mark.parametrize("normalization", ["image", "ones", "statistical", None])
def test_equals_the_pipeline_taken_apart(rated, normalization):
    pairs, ratings = rated
    whole = regressor(normalization=normalization).fit(pairs, ratings)
    apart = make_pipeline(
        LaplacianPyramid(4), DivisiveNorm(normalization), PyramidDistance(), RatingMapping()
    ).fit(pairs, ratings)
    np.testing.assert_allclose(whole.predict(pairs), apart.predict(pairs), atol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_perceptual_fit_beats_its_start(rated, solver):
    pairs, ratings = rated
    start = pearson_score(ratings, -NLPD(n_levels=4).fit_transform(pairs)[:, 0])
    metric = regressor(solver=solver, max_epochs=60, learning_rate=0.01).fit(pairs, ratings)
    reached = pearson_score(ratings, -metric.distance(pairs))
    assert reached > start + 0.02
    last = metric.history_[metric.best_epoch_ - 1]["correlation"]
    assert last == pytest.approx(reached, abs=1e-5)
    assert (metric.filters_ >= 0).all()
    assert (metric.sigmas_ > 0).all()


def test_starts_from_image_weights_and_mean_magnitudes(rated):
    pairs, ratings = rated
    metric = regressor(solver="adam", max_epochs=1, learning_rate=1e-12).fit(pairs, ratings)
    image, ones = (NLPD(n_levels=4, normalization=name).fit(pairs) for name in ("image", "ones"))
    np.testing.assert_allclose(metric.filters_, image.filters_, atol=1e-10)
    np.testing.assert_allclose(metric.sigmas_, ones.sigmas_, atol=1e-10)


def test_predict_is_the_map_of_the_distance(rated):
    pairs, ratings = rated
    metric = regressor().fit(pairs, ratings)
    distance = metric.distance(pairs)
    np.testing.assert_array_equal(metric.transform(pairs), distance[:, None])
    np.testing.assert_array_equal(metric.predict(pairs), metric.mapping_.predict(distance))
    parts = metric.contributions(pairs)
    np.testing.assert_allclose(parts.sum(axis=1), distance, rtol=1e-10)
    same = np.stack([pairs[:, 0], pairs[:, 0]], axis=1)
    np.testing.assert_array_equal(metric.distance(same), 0)


@pytest.mark.parametrize("mapping", ["linear", "cubic", "logistic", "isotonic"])
def test_maps_keep_the_order(rated, mapping):
    pairs, ratings = rated
    metric = regressor(normalization="image", mapping=mapping).fit(pairs, ratings)
    order = np.argsort(metric.distance(pairs))
    assert (np.diff(metric.predict(pairs)[order]) <= 1e-9).all()


def test_sample_weight_is_repetition(rated, rng):
    pairs, ratings = rated
    counts = rng.integers(0, 3, len(ratings))  # a weight of 0 leaves the pair out
    rows = np.repeat(np.arange(len(ratings)), counts)
    one = regressor().fit(pairs, ratings, sample_weight=counts)
    many = regressor().fit(pairs[rows], ratings[rows])
    np.testing.assert_allclose(one.predict(pairs), many.predict(pairs), rtol=1e-5)
    assert not np.allclose(one.filters_, regressor().fit(pairs, ratings).filters_)


def test_a_pair_of_weight_0_does_not_count(rated, rng):
    pairs, ratings = rated
    weight = np.ones(24)
    weight[5] = 0
    spoiled = pairs.copy()
    spoiled[5] = rng.random(pairs[5].shape)
    one, other = (regressor().fit(X, ratings, sample_weight=weight) for X in (pairs, spoiled))
    np.testing.assert_array_equal(one.filters_, other.filters_)
    np.testing.assert_array_equal(one.predict(pairs), other.predict(pairs))


@pytest.mark.parametrize("weight", [-np.ones(24), np.zeros(24)])
def test_weights_without_a_meaning_are_named(rated, weight):
    with pytest.raises(ValueError, match=r"sample_weight should|at least one non-zero"):
        regressor().fit(*rated, sample_weight=weight)


@pytest.mark.parametrize("normalization", ["ones", "statistical", "perceptual"])
def test_a_reference_counts_once_however_often_it_is_rated(rated, normalization):
    pairs, ratings = rated
    few = regressor(normalization=normalization, solver="adam", max_epochs=1, learning_rate=1e-12)
    once = few.fit(pairs, ratings).sigmas_
    rows = np.concatenate([np.arange(24), np.zeros(40, dtype=int)])
    often = few.fit(pairs[rows], ratings[rows]).sigmas_
    np.testing.assert_allclose(often, once, rtol=1e-9)


def test_condition_correlates_within_conditions(rated):
    pairs, ratings = rated
    condition = np.arange(24) % 2
    shifted = ratings + 10 * condition  # differences between conditions are no longer seen
    one = regressor().fit(pairs, ratings, condition=condition)
    other = regressor().fit(pairs, shifted, condition=condition)
    np.testing.assert_allclose(one.filters_, other.filters_, atol=1e-4)
    everything = regressor().fit(pairs, shifted, condition=None)
    assert not np.allclose(everything.filters_, one.filters_, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The mapping is constant")  # it pools the conditions
def test_condition_decides_the_direction_and_the_validation(rated):
    """Across conditions the noisier one is rated higher; within each, noise lowers the rating."""
    pairs, ratings = rated
    condition = np.repeat([0, 1], 12)
    louder = pairs.copy()
    louder[12:, 1] += 3 * (pairs[12:, 1] - pairs[12:, 0])
    one = regressor().fit(louder, ratings + 20 * condition, condition=condition)
    other = regressor().fit(louder, ratings, condition=condition)
    np.testing.assert_allclose(one.filters_, other.filters_, atol=1e-6)
    groups = np.arange(24) % 6
    one, other = (
        regressor(validation_fraction=0.4).fit(louder, y, condition=condition, groups=groups)
        for y in (ratings + 20 * condition, ratings)
    )
    assert [entry["validation"] for entry in one.history_] == pytest.approx(
        [entry["validation"] for entry in other.history_], abs=1e-6
    )


def test_small_conditions_are_left_out_with_a_warning(rated):
    pairs, ratings = rated
    condition = np.array(["hiss"] * 22 + ["hum"] * 2)
    with pytest.warns(UserWarning, match=r"leaves out 2 pairs whose condition \(hum\)"):
        regressor().fit(pairs, ratings, condition=condition)


def test_too_little_to_hold_out_within_conditions_fits_on_everything(rated):
    pairs, ratings = rated
    condition, two_groups = np.arange(24) // 4, np.arange(24) % 2
    with pytest.warns(UserWarning, match="within one condition.*without early stopping"):
        metric = regressor().fit(pairs, ratings, condition=condition, groups=two_groups)
    assert "validation" not in metric.history_[0]


def test_whole_groups_are_held_out(rated, monkeypatch):
    pairs, ratings = rated
    groups = np.arange(24) // 3
    seen = []
    correlation = CorrelationObjective._correlation

    def watch(self, energies, rows):
        seen.append(rows)
        return correlation(self, energies, rows)

    monkeypatch.setattr(CorrelationObjective, "_correlation", watch)
    regressor(max_epochs=2).fit(pairs, ratings, groups=groups)
    train, held_out = max(seen, key=len), min(seen, key=len)
    assert set(groups[train]).isdisjoint(groups[held_out])
    assert sorted([*train, *held_out]) == [*range(24)]


def test_a_missing_device_is_named_before_any_work(rated):
    with pytest.raises(ValueError, match="device='warp'"):
        regressor(device="warp").fit(*rated)


@pytest.mark.parametrize("name", ["condition", "groups"])
@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_are_named(rated, name, missing):
    labels = np.array(["a"] * 24, dtype=object)
    labels[7] = missing
    with pytest.raises(ValueError, match=f"{name} has no label for pair 7"):
        regressor().fit(*rated, **{name: labels})


def test_groups_stop_early_on_whole_groups(rated):
    pairs, ratings = rated
    metric = regressor(max_epochs=100, n_iter_no_change=3).fit(
        pairs, ratings, groups=np.arange(24) // 3
    )
    assert all("validation" in entry for entry in metric.history_)
    assert len(metric.history_) - metric.best_epoch_ <= 3 or len(metric.history_) < 100
    without = regressor().fit(pairs, ratings)
    assert not any("validation" in entry for entry in without.history_)
    off = regressor(early_stopping=False).fit(pairs, ratings, groups=np.arange(24) // 3)
    np.testing.assert_array_equal(off.filters_, without.filters_)


def test_early_stopping_without_groups_warns_of_leakage(rated):
    with pytest.warns(UserWarning, match="groups="):
        regressor(early_stopping=True).fit(*rated)


def test_too_few_groups_for_a_split(rated):
    pairs, ratings = rated
    one_group = np.zeros(24)
    with pytest.warns(UserWarning, match="Fitting without early stopping"):
        metric = regressor().fit(pairs, ratings, groups=one_group)
    assert len(metric.history_) > 0
    with pytest.raises(ValueError, match="early_stopping=False"):
        regressor(early_stopping=True).fit(pairs, ratings, groups=one_group)


def test_random_state_decides_everything(rated):
    pairs, ratings = rated
    fits = [
        regressor(solver="adam", random_state=seed, validation_fraction=0.4).fit(
            pairs, ratings, groups=np.arange(24) // 2, condition=np.arange(24) % 2
        )
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(fits[0].filters_, fits[1].filters_)
    assert not np.array_equal(fits[0].filters_, fits[2].filters_)


def test_threads_and_spilled_bands_change_nothing(rated):
    pairs, ratings = rated
    plain = regressor().fit(pairs, ratings)
    for parameters in ({"n_jobs": 2}, {"max_cache_bytes": 0}):
        other = regressor(**parameters).fit(pairs, ratings)
        np.testing.assert_array_equal(other.filters_, plain.filters_)


def test_dissimilarities_rise_with_the_distance(rated):
    pairs, ratings = rated
    with pytest.warns(UserWarning, match="dissimilarities"):
        guessed = regressor().fit(pairs, -ratings)
    said = regressor(increasing=True).fit(pairs, -ratings)
    np.testing.assert_allclose(guessed.predict(pairs), said.predict(pairs))
    assert said.mapping_.increasing_
    quality = regressor(increasing=False).fit(pairs, ratings)
    np.testing.assert_allclose(quality.filters_, said.filters_, atol=1e-5)


def test_search_and_cross_validation(rated):
    pairs, ratings = rated
    song = np.arange(24) // 2
    scores = cross_val_score(
        regressor(), pairs, ratings, groups=song, cv=GroupKFold(3), scoring=spearman_scorer,
        params={"condition": np.arange(24) % 2},
    )  # fmt: skip
    assert (scores > 0.5).all()
    search = GridSearchCV(
        regressor(), {"normalization": ["image", None, "perceptual"], "n_levels": [2, 4]},
        scoring=spearman_scorer, cv=GroupKFold(3),
    )  # fmt: skip
    search.fit(pairs, ratings, groups=song)
    assert search.best_score_ > 0.5


def test_metadata_is_requested_by_default(rated):
    pairs, ratings = rated
    condition = np.arange(24) % 2
    expected = regressor().fit(pairs, ratings, condition=condition).filters_
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(regressor()).fit(pairs, ratings, condition=condition)
        scores = cross_val_score(
            make_pipeline(regressor(early_stopping=False)), pairs, ratings, cv=GroupKFold(3),
            params={"condition": condition, "groups": np.arange(24) // 2}, error_score="raise",
        )  # fmt: skip
    np.testing.assert_array_equal(pipeline[-1].filters_, expected)
    assert np.isfinite(scores).all()
    pipeline = make_pipeline(regressor())
    pipeline.fit(pairs, ratings, nlpdregressor__condition=condition)
    np.testing.assert_array_equal(pipeline[-1].filters_, expected)


def test_progress(rated, capsys):
    regressor(verbose=1).fit(*rated)
    assert "NLPDRegressor(lbfgs)" in capsys.readouterr().err
    regressor().fit(*rated)
    assert capsys.readouterr().err == ""


def test_pandas_output_does_not_reach_inside(rated):
    pairs, ratings = rated
    expected = regressor().fit(pairs, ratings).predict(pairs)
    with sklearn.config_context(transform_output="pandas"):
        metric = regressor().fit(pairs, ratings)
        np.testing.assert_array_equal(metric.predict(pairs), expected)
        assert list(metric.transform(pairs).columns) == ["nlpd"]


def test_clone_is_unfitted(rated):
    metric = clone(regressor().fit(*rated))
    for method in ("predict", "distance", "transform", "contributions"):
        with pytest.raises(NotFittedError):
            getattr(metric, method)(rated[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:-1], "24 pairs and 23 ratings"),
        (lambda y: np.full_like(y, 3.0), "ratings of these 24 pairs are constant"),
        (lambda y: np.where(np.arange(24) == 7, np.nan, y), "NaN or infinity: rating 7"),
        (lambda y: None, "requires y to be passed"),
        (lambda y: np.stack([y, y], axis=1), "1d array"),
    ],
)
def test_bad_ratings_are_named(rated, change, message):
    pairs, ratings = rated
    with pytest.raises(ValueError, match=message):
        regressor().fit(pairs, change(ratings))


def test_constant_ratings_within_every_condition_are_named(rated):
    pairs, _ = rated
    condition = np.arange(24) % 2
    with pytest.raises(ValueError, match=r"constant within every condition"):
        regressor().fit(pairs, condition.astype(float), condition=condition)


@pytest.mark.parametrize("name", ["condition", "groups", "sample_weight"])
def test_metadata_of_the_wrong_length_is_named(rated, name):
    with pytest.raises(ValueError, match=name):
        regressor().fit(*rated, **{name: np.ones(23)})


@pytest.mark.parametrize(
    "parameters",
    [
        {"normalization": "learned"},
        {"solver": "sgd"},
        {"mapping": "spline"},
        {"max_epochs": 0},
        {"learning_rate": 0.0},
        {"alpha": -1.0},
        {"early_stopping": "always"},
        {"validation_fraction": 1.5},
    ],
)
def test_unknown_parameter_values_are_named(rated, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        NLPDRegressor(**parameters).fit(*rated)


def test_ragged_pairs_equal_an_array(rated):
    pairs, ratings = rated
    from_array = regressor().fit(pairs, ratings)
    from_list = regressor().fit(list(pairs), ratings)
    np.testing.assert_array_equal(from_list.filters_, from_array.filters_)
    longer = [np.concatenate([pair, pair], axis=2) for pair in pairs]
    assert from_array.predict(longer).shape == (24,)
