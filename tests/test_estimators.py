"""Every public estimator passes scikit-learn's checks, and ours on the data that it is made for.

Both are driven by one table of parameters, and by what ``skperceptual.__all__`` holds, so that no
estimator can be forgotten.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import sklearn.utils.estimator_checks as scikit_learn_checks
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils import get_tags

from skperceptual import (
    MSE,
    NLPD,
    SSIM,
    DivisiveNorm,
    LaplacianPyramid,
    MelSpectrogram,
    NLPDRegressor,
    PyramidDistance,
    RatingMapping,
)
from skperceptual.utils.estimator_checks import (
    SMALL_SIZES,
    TEST_PARAMETERS,
    all_estimators,
    describe_check,
    estimator_checks_generator,
    expected_failed_checks,
    flat,
    parametrize_with_checks,
    small_estimators,
)
from skperceptual.utils.estimator_checks.inputs import (
    KINDS,
    CheckInputs,
    assert_same_results,
    fit,
    kinds_read_by,
    results,
)

ESTIMATORS = [estimator for _, cls in all_estimators() for estimator in small_estimators(cls)]
FIRST = [small_estimators(cls)[0] for _, cls in all_estimators()]
# What learns is checked in all its ways of working, what does not in the first: the others may
# need more samples than the columns of scikit-learn's tables. File names are no tables of numbers.
TABLES = [
    estimator if get_tags(estimator).input_tags.two_d_array else flat(estimator)
    for _, cls in all_estimators()
    for place, estimator in enumerate(small_estimators(cls))
    if (place == 0 or get_tags(estimator).requires_fit)
    and not get_tags(estimator).input_tags.string
]


def _without_address(text: str | None) -> str | None:
    # The address of a function differs between the processes that share the tests.
    return None if text is None else re.sub(r"at0x[0-9a-f]+", "", text)


def shown(value: object) -> str | None:
    return _without_address("".join(repr(value).split()))


def test_table_of_parameters_holds_every_public_estimator():
    assert set(TEST_PARAMETERS) == {name for name, _ in all_estimators()}


def test_every_estimator_says_what_it_reads():
    silent = [
        type(estimator).__name__
        for estimator in FIRST
        if not kinds_read_by(estimator) and not get_tags(estimator).input_tags.one_d_array
    ]
    assert silent == []


# (i) scikit-learn's checks: natively where X is a table, through `flat` where it is not


# The random rows of scikit-learn are no degradations of their references: distances rise with the
# targets as often as they fall, a constant can be the best map, and delays are found anywhere.
with_random_rows = pytest.mark.filterwarnings(
    "ignore:Before the fit the ratings rise with the distance:UserWarning",
    "ignore:The delays of .* lie at the limit:UserWarning",
    "ignore:The mapping is constant:UserWarning",
    "ignore:The ratings do not rise with the similarities:UserWarning",
    "ignore:The images span:UserWarning",
    "ignore:The delays of .* may be chance:UserWarning",
)


# These checks fit two hundred rows, each of which is a pair of signals to compare, or a recording
# of many excerpts.
LONG_CHECKS = {"check_regressor_data_not_an_array", "check_regressors_train"}
LONG_TO_FIT = {"FlatInstrumentQualityRegressor", "FlatViSQOL"}


def scikit_learn_cases():
    """Parametrize by scikit-learn's checks, the long ones of which are slow tests."""
    mark = scikit_learn_checks.parametrize_with_checks(
        TABLES, expected_failed_checks=expected_failed_checks
    )
    names, cases = mark.args
    marked = []
    for case in cases:
        estimator, check = getattr(case, "values", case)
        is_long = type(estimator).__name__ in LONG_TO_FIT and check.func.__name__ in LONG_CHECKS
        marks = [*getattr(case, "marks", ()), *([pytest.mark.slow] if is_long else [])]
        marked.append(pytest.param(estimator, check, marks=marks))
    named = mark.kwargs["ids"]
    return pytest.mark.parametrize(names, marked, ids=lambda value: _without_address(named(value)))


@with_random_rows
@scikit_learn_cases()
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# (ii) what needs no data, on the classes as they are


DATA_FREE = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("name", DATA_FREE)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=shown)
def test_scikit_learn_checks_without_data(estimator, name):
    getattr(scikit_learn_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("estimator", [e for e in FIRST if e.get_params()], ids=shown)
def test_wrong_values_of_parameters_are_refused(estimator):
    scikit_learn_checks.check_param_validation(type(estimator).__name__, clone(estimator))


LEARNING = [estimator for estimator in ESTIMATORS if get_tags(estimator).requires_fit]


@pytest.mark.parametrize("estimator", LEARNING, ids=shown)
def test_unfitted_estimators_say_so(estimator):
    scikit_learn_checks.check_estimators_unfitted(type(estimator).__name__, clone(estimator))


# (iii) our own checks, on signals, pairs, images and Pyramids


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failed_checks, **SMALL_SIZES)
def test_own_checks(estimator, check):
    check(clone(estimator))


def test_every_kind_of_input_is_read_by_some_estimator():
    assert {kind for estimator in FIRST for kind in kinds_read_by(estimator)} == set(KINDS)


def all_check_names() -> set[str]:
    """Names of scikit-learn's checks and of ours that run on some estimator."""
    own = {
        describe_check(check).partition("[")[0]
        for estimator in ESTIMATORS
        for _, check in estimator_checks_generator(estimator, **SMALL_SIZES)
    }
    return own | {name for name in dir(scikit_learn_checks) if name.startswith("check_")}


@pytest.mark.parametrize("estimator", [*ESTIMATORS, *TABLES], ids=shown)
def test_expected_failures_name_their_replacement(estimator):
    names = all_check_names()
    for check, reason in expected_failed_checks(estimator).items():
        assert check in names
        replacements = re.findall(r"check_\w+", reason)
        assert replacements
        assert set(replacements) <= names


# All estimators at once, as each of these is costly or needs several of them


def test_a_worker_process_gives_the_same():
    def results_of(estimator, inputs):  # in here it is pickled whole: workers need no tests
        return results(fit(estimator, inputs), inputs.batch(), inputs)

    jobs = [
        (estimator, CheckInputs(kind, **SMALL_SIZES))
        for estimator in FIRST
        for kind in kinds_read_by(estimator)[-1:]
    ]
    here = [results_of(*job) for job in jobs]
    there = Parallel(n_jobs=2)(delayed(results_of)(*job) for job in jobs)
    for (estimator, _), expected, found in zip(jobs, here, there, strict=True):
        assert_same_results(found, expected, f"{estimator!r} in a worker")


SIGNAL_PAIRS = CheckInputs("signal_pairs", n_times=1200, image_shape=(0, 0))
FRONT_END = MelSpectrogram(n_fft=128, hop_length=32, n_mels=16)
SMALL_REGRESSOR = NLPDRegressor(n_levels=3, max_epochs=2, random_state=0)
PIPELINES = {
    "fitted metric": make_pipeline(FRONT_END, SMALL_REGRESSOR),
    "taken apart": make_pipeline(
        FRONT_END,
        LaplacianPyramid(3),
        DivisiveNorm("statistical"),
        PyramidDistance(),
        RatingMapping(),
    ),
    "several metrics": make_pipeline(
        FRONT_END,
        make_union(MSE(), NLPD(n_levels=3), SSIM(window_size=3)),
        StandardScaler(),
        SVR(),
    ),
    "regressor as a feature": make_pipeline(
        FRONT_END, make_union(MSE(), SMALL_REGRESSOR), StandardScaler(), SVR()
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_on_pairs_of_signals(name):
    pipeline = PIPELINES[name]
    X, y = SIGNAL_PAIRS.batch(), SIGNAL_PAIRS.ratings
    expected = clone(pipeline).fit(X, y).predict(X)
    assert np.corrcoef(expected, y)[0, 1] > 0.5
    with config_context(transform_output="pandas"):
        # A table lies differently in memory, which moves the last bit of StandardScaler's means.
        found = clone(pipeline).fit(X, y).predict(X)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(clone(pipeline).fit(list(X), y).predict(list(X)), expected)


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_in_model_selection(name):
    pipeline = PIPELINES[name]
    X, y, groups = SIGNAL_PAIRS.batch(), SIGNAL_PAIRS.ratings, SIGNAL_PAIRS.groups
    folds = {"cv": GroupKFold(2), "groups": groups}
    scores = cross_val_score(pipeline, X, y, error_score="raise", **folds)
    by_hand = []
    for train, test in GroupKFold(2).split(X, y, groups):
        by_hand.append(clone(pipeline).fit(X[train], y[train]).score(X[test], y[test]))
    np.testing.assert_array_equal(scores, by_hand)
    assert cross_val_predict(pipeline, X, y, n_jobs=2, **folds).shape == y.shape
    search = GridSearchCV(
        pipeline,
        {"melspectrogram__n_mels": [12, 16]},
        cv=GroupKFold(2),
        error_score="raise",
    )
    search.fit(X, y, groups=groups)
    assert search.best_estimator_[0].n_mels in (12, 16)


@pytest.mark.parametrize("routing", [False, True])
def test_condition_reaches_the_regressor_of_a_pipeline(routing):
    X, y = SIGNAL_PAIRS.batch(), SIGNAL_PAIRS.ratings
    condition = SIGNAL_PAIRS.condition
    pipeline = PIPELINES["fitted metric"]
    direct = clone(SMALL_REGRESSOR).fit(FRONT_END.transform(X), y, condition=condition)
    without = clone(SMALL_REGRESSOR).fit(FRONT_END.transform(X), y)
    assert not np.array_equal(direct.filters_, without.filters_)
    with config_context(enable_metadata_routing=routing):
        key = "condition" if routing else "nlpdregressor__condition"
        fitted = clone(pipeline).fit(X, y, **{key: condition})
        np.testing.assert_array_equal(fitted[-1].filters_, direct.filters_)
        scores = cross_val_score(pipeline, X, y, params={key: condition}, cv=3, error_score="raise")
        assert np.isfinite(scores).all()


def test_set_output_works_on_features_and_says_so_where_there_are_none():
    images = CheckInputs("image_pairs", **SMALL_SIZES).batch()
    table = SSIM(window_size=3).set_output(transform="pandas").fit_transform(images)
    assert list(table.columns) == ["ssim"]
    union = make_union(MSE(), SSIM(window_size=3)).set_output(transform="pandas")
    assert list(union.fit_transform(images).columns) == ["mse__mse", "ssim__ssim"]
    assert not hasattr(FRONT_END, "set_output")


def test_regressors_keep_the_scale_of_the_ratings():
    for estimator in ESTIMATORS:
        if is_regressor(estimator) and kinds_read_by(estimator):
            inputs = CheckInputs(kinds_read_by(estimator)[0], **SMALL_SIZES)
            predicted = fit(estimator, inputs).predict(inputs.batch())
            assert abs(predicted.mean() - inputs.ratings.mean()) < 0.5


def test_flat_refuses_what_reads_tables():
    with pytest.raises(ValueError, match="MelSpectrogram reads tables already"):
        flat(MelSpectrogram())


def test_flat_keeps_parameters_and_class():
    metric = flat(NLPD(n_levels=3, pooling="norm0.6"))
    assert isinstance(metric, NLPD)
    assert isinstance(metric, BaseEstimator)
    assert metric.get_params() == NLPD(n_levels=3, pooling="norm0.6").get_params()
    assert type(clone(metric)) is type(metric)
