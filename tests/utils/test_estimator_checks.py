"""Every check finds the fault that it is there for, and a sound metric passes them all."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import check_estimator as check_tables

from skperceptual import MSE, NLPD, LaplacianPyramid, MelSpectrogram, NLPDRegressor
from skperceptual.base import PairMetric, SignalTransformer
from skperceptual.embeddings import FrechetAudioDistance, LogMelEmbedding
from skperceptual.utils.estimator_checks import (
    check_estimator,
    describe_check,
    estimator_checks_generator,
    expected_failed_checks,
    flat,
    parametrize_with_checks,
    small_estimators,
)
from skperceptual.utils.validation import check_images

SIZES = {"n_times": 200, "image_shape": (8, 10)}


class MeanAbsoluteError(PairMetric):
    """A metric as a user would write it."""

    higher_is_better = False
    bounds = (0.0, np.inf)
    symmetric = True
    _parameter_constraints: ClassVar = {"gain": [float]}

    def __init__(self, *, gain=1.0):
        self.gain = gain

    def _score_pair(self, reference, degraded):
        return self.gain * np.abs(reference - degraded).mean()

    def _pair_contributions(self, reference, degraded):
        bands = self.gain * np.abs(reference - degraded).mean(axis=1) / len(reference)
        return bands.sum(keepdims=True), bands


class NotSymmetric(MeanAbsoluteError):
    """Weighs what is missing twice as much as what was added."""

    symmetric = False

    def _score_pair(self, reference, degraded):
        difference = degraded - reference
        return np.where(difference < 0, -2 * difference, difference).mean()

    def _pair_contributions(self, reference, degraded):
        difference = degraded - reference
        parts = np.where(difference < 0, -2 * difference, difference)
        bands = parts.mean(axis=1) / len(reference)
        return bands.sum(keepdims=True), bands


def names_of(estimator):
    return [describe_check(check) for _, check in estimator_checks_generator(estimator, **SIZES)]


@pytest.mark.parametrize("metric", [MeanAbsoluteError(gain=2.0), NotSymmetric()])
def test_a_metric_of_a_users_own_passes(metric):
    passed = check_estimator(metric, **SIZES)
    assert [f"{name}[image_pairs]" for name in passed[1:]] == names_of(metric)[1:]
    expected = expected_failed_checks(flat(metric))
    outcomes = check_tables(flat(metric), expected_failed_checks=expected, on_skip=None)
    assert len(outcomes) > 40
    assert {outcome["status"] for outcome in outcomes} <= {"passed", "skipped"}


# One fault each, and the check that has to find it.


class KnowsItsBatch(MeanAbsoluteError):
    def score_pairs(self, batch):
        scores = super().score_pairs(batch)
        return scores / (1 + 1e-12 * len(scores))


class DependsOnOrder(MeanAbsoluteError):
    def score_pairs(self, batch):
        scores = super().score_pairs(batch)
        return scores + 1e-9 * np.arange(len(scores), dtype=scores.dtype)[:, None]


class WrongSign(MeanAbsoluteError):
    higher_is_better = True
    bounds = (-np.inf, 0.0)


class OffsetAtIdentity(MeanAbsoluteError):
    def _score_pair(self, reference, degraded):
        return super()._score_pair(reference, degraded) + 0.01


class BeyondItsBounds(MeanAbsoluteError):
    bounds = (0.0, 0.4)


class SymmetricAfterAll(MeanAbsoluteError):
    symmetric = False


class NotSymmetricAfterAll(NotSymmetric):
    symmetric = True


class PartsThatDoNotAddUp(MeanAbsoluteError):
    def _pair_contributions(self, reference, degraded):
        levels, bands = super()._pair_contributions(reference, degraded)
        return levels, 1.01 * bands


class TakesIntegers(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        return super()._validate_pairs(np.asarray(X, dtype=float), reset=reset)


class TakesDamage(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        if isinstance(X, np.ndarray) and X.dtype.kind == "f":
            X = np.nan_to_num(X)
        return super()._validate_pairs(X, reset=reset)


class TakesNoLists(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        if isinstance(X, list) and len(X) > 2:
            X = [*X[1:], X[0]]
        return super()._validate_pairs(X, reset=reset)


class TakesAnyShape(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        if isinstance(X, np.ndarray) and X.ndim == 5:
            X = X[0]
        return super()._validate_pairs(X, reset=reset)


class SilentAboutSilence(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        return check_images(X, pairs=True)


class RemembersTheLength(MeanAbsoluteError):
    def _validate_pairs(self, X, *, reset):
        batch = super()._validate_pairs(X, reset=reset)
        if reset:
            self.length_ = batch[0].shape[-1]
        if any(pair.shape[-1] != self.length_ for pair in batch):
            raise ValueError("Expected the length of fit.")
        return batch


class AlwaysDouble(MeanAbsoluteError):
    def score_pairs(self, batch):
        return super().score_pairs(batch).astype(np.float64)


class LosesPrecision(MeanAbsoluteError):
    def _score_pair(self, reference, degraded):
        if reference.dtype == np.float32:
            reference = reference.astype(np.float16)
            degraded = degraded + np.float32(0.01)
        return super()._score_pair(reference.astype(float), degraded)


class ChangesItsInput(MeanAbsoluteError):
    def _score_pair(self, reference, degraded):
        score = super()._score_pair(reference, degraded)
        degraded += 1e-3
        return score


class DependsOnLayout(MeanAbsoluteError):
    def transform(self, X):
        contiguous = not isinstance(X, np.ndarray) or X.flags["C_CONTIGUOUS"]
        return super().transform(X) * (1.0 if contiguous else 1 + 1e-12)


class KeepsTensors(MeanAbsoluteError):
    def fit(self, X, y=None):
        self.weights_ = torch.ones(3)
        return super().fit(X, y)


class ForgetsWhenSaved(MeanAbsoluteError):
    def fit(self, X, y=None):
        self.offset_ = 1.0
        return super().fit(X, y)

    def _score_pair(self, reference, degraded):
        return super()._score_pair(reference, degraded) * getattr(self, "offset_", 1.0)

    def __getstate__(self):
        return super().__getstate__() | {"offset_": 2.0}


class SeedsNumPy(MeanAbsoluteError):
    def fit(self, X, y=None):
        np.random.seed(0)  # noqa: NPY002
        return super().fit(X, y)


class SeedsTorch(MeanAbsoluteError):
    def fit(self, X, y=None):
        torch.manual_seed(0)
        return super().fit(X, y)


class NamesTwoFeatures(MeanAbsoluteError):
    def get_feature_names_out(self, input_features=None):
        return np.array(["a", "b"], dtype=object)


class NeedsFitUnsaid(MeanAbsoluteError):
    def fit(self, X, y=None):
        self.ready_ = True
        return super().fit(X, y)

    def _start(self, X):
        if not hasattr(self, "ready_"):
            raise ValueError("Fit first.")
        return super()._start(X)


class DeclaresNoConstraint(MeanAbsoluteError):
    _parameter_constraints: ClassVar = {}


class AcceptsAnyParameter(MeanAbsoluteError):
    _parameter_constraints: ClassVar = {"gain": [object]}

    def _score_pair(self, reference, degraded):
        return np.abs(reference - degraded).mean()


class DifferentOnTheCPU(MeanAbsoluteError):
    _parameter_constraints: ClassVar = {"gain": [float], "device": [str]}

    def __init__(self, *, gain=1.0, device="auto"):
        super().__init__(gain=gain)
        self.device = device

    def _score_pair(self, reference, degraded):
        factor = 1.1 if self.device == "cpu" else 1.0
        return factor * super()._score_pair(reference, degraded)


class DifferentInParallel(MeanAbsoluteError):
    _parameter_constraints: ClassVar = {"gain": [float], "n_jobs": [int, None]}

    def __init__(self, *, gain=1.0, n_jobs=None):
        super().__init__(gain=gain)
        self.n_jobs = n_jobs

    def _score_pair(self, reference, degraded):
        return super()._score_pair(reference, degraded) * (1 + 1e-12 * (self.n_jobs or 1))


FAULTS = [
    (KnowsItsBatch, "check_batch_invariance"),
    (DependsOnOrder, "check_batch_invariance"),
    (WrongSign, "check_more_noise_is_worse"),
    (OffsetAtIdentity, "check_identity_is_best"),
    (BeyondItsBounds, "check_bounds"),
    (SymmetricAfterAll, "check_symmetry"),
    (NotSymmetricAfterAll, "check_symmetry"),
    (PartsThatDoNotAddUp, "check_contributions"),
    (TakesIntegers, "check_integers_refused"),
    (TakesDamage, "check_damage_refused"),
    (TakesNoLists, "check_lists_equal_arrays"),
    (TakesAnyShape, "check_wrong_shapes_refused"),
    (SilentAboutSilence, "check_constant_reference_warns"),
    (RemembersTheLength, "check_other_lengths_after_fit"),
    (AlwaysDouble, "check_float32"),
    (LosesPrecision, "check_float32"),
    (ChangesItsInput, "check_inputs_unchanged"),
    (DependsOnLayout, "check_memory_layouts"),
    (KeepsTensors, "check_saved_state"),
    (ForgetsWhenSaved, "check_saved_state"),
    (SeedsNumPy, "check_global_state_unchanged"),
    (SeedsTorch, "check_global_state_unchanged"),
    (NamesTwoFeatures, "check_names_and_tables"),
    (NeedsFitUnsaid, "check_unfitted"),
    (DeclaresNoConstraint, "check_constraints"),
    (AcceptsAnyParameter, "check_wrong_parameters_refused"),
    (DifferentOnTheCPU, "check_devices_agree"),
    (DifferentInParallel, "check_jobs_agree"),
]


def run(estimator, name):
    """Run the checks of one name."""
    checks = [
        check
        for _, check in estimator_checks_generator(estimator, **SIZES)
        if check.func.__name__ == name
    ]
    assert checks, f"{name} does not apply"
    for check in checks:
        check(estimator)


@pytest.mark.parametrize(("faulty", "name"), FAULTS, ids=[cls.__name__ for cls, _ in FAULTS])
def test_check_finds_the_fault(faulty, name):
    sound = {
        "check_devices_agree": NLPD(),
        "check_jobs_agree": NLPDRegressor(n_levels=2, max_epochs=1),
    }
    run(sound.get(name, MeanAbsoluteError()), name)
    with pytest.raises((AssertionError, ValueError)):
        run(faulty(), name)


class LateByOne(SignalTransformer):
    """Swallows pairs whose axes are exchanged."""

    _parameter_constraints: ClassVar = {}

    def _validate_signals(self, X, *, reset):
        if isinstance(X, np.ndarray) and X.ndim == 3 and X.shape[-1] == 2:
            X = np.moveaxis(X, -1, 1)
        return super()._validate_signals(X, reset=reset)

    def _prepare(self):
        return lambda clip: clip[1:]


def test_exchanged_axes_taken_in_silence_are_found():
    with pytest.raises(AssertionError, match="Nothing was raised by"):
        run(LateByOne(), "check_swapped_axes_explained")


class PairDroppingFrontEnd(LateByOne):
    """Has trouble with pairs of unequal length and with empty clips."""

    def _validate_signals(self, X, *, reset):
        if isinstance(X, list):
            X = [np.stack([part[:100] for part in x]) for x in X if isinstance(x, tuple)] or X
        return super()._validate_signals(X, reset=reset)


def test_dropped_pairs_are_found():
    with pytest.raises((AssertionError, IndexError)):
        run(PairDroppingFrontEnd(), "check_unequal_pairs")


class ForgivesEmptyClips(LateByOne):
    def _validate_signals(self, X, *, reset):
        if isinstance(X, np.ndarray) and X.shape[-1] == 0:
            X = np.zeros((*X.shape[:-1], 5))
        return super()._validate_signals(X, reset=reset)


def test_empty_clips_taken_in_silence_are_found():
    with pytest.raises(AssertionError, match="minimum of 1"):
        run(ForgivesEmptyClips(), "check_nothing_refused")


class Regressor(NLPDRegressor):
    """A regressor with one fault, chosen by name."""

    fault = ""

    def fit(self, X, y, *, condition=None, groups=None, sample_weight=None):
        if self.fault == "drops metadata" and condition is not None:
            self.called_with_ = "condition"
        super().fit(X, y, condition=condition, groups=groups, sample_weight=sample_weight)
        if self.fault == "fails on lists" and isinstance(X, list):
            raise RuntimeError("no lists")
        return self

    def predict(self, X):
        rating = super().predict(X)
        return 10 - rating if self.fault == "falls with quality" else rating

    def distance(self, X):
        return super().distance(X) + (0.5 if self.fault == "distance of a copy" else 0.0)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("falls with quality", "check_ratings_fall_with_noise"),
        ("fails on lists", "check_model_selection"),
        ("distance of a copy", "check_distance"),
    ],
)
def test_check_of_regressors_finds_the_fault(fault, name, monkeypatch):
    regressor = Regressor(n_levels=2, normalization="ones")
    run(regressor, name)
    monkeypatch.setattr(Regressor, "fault", fault)
    with pytest.raises((AssertionError, RuntimeError)):
        run(regressor, name)


def test_metadata_that_is_not_requested_is_found(monkeypatch):
    regressor = NLPDRegressor(n_levels=2, max_epochs=1)
    run(regressor, "check_metadata")
    requests = "_NLPDRegressor__metadata_request__fit"  # Python's name for it
    monkeypatch.setattr(NLPDRegressor, requests, {"condition": False})
    with pytest.raises(Exception, match="condition"):
        run(regressor, "check_metadata")


class SetMetric(FrechetAudioDistance):
    """A distance of sets with one fault, chosen by name."""

    fault = ""

    def distance(self, X):
        distance = super().distance(X)
        faulty = {"falls": -distance, "no float": np.float64(distance), "constant": 1.0}
        return faulty.get(self.fault, distance)


@pytest.mark.parametrize("fault", ["falls", "no float", "constant"])
def test_check_of_distances_of_sets_finds_the_fault(fault, monkeypatch):
    metric = SetMetric(LogMelEmbedding(n_fft=64, hop_length=8, n_mels=2))
    run(metric, "check_distance_of_sets")
    monkeypatch.setattr(SetMetric, "fault", fault)
    with pytest.raises(AssertionError):
        run(metric, "check_distance_of_sets")


def test_only_distances_of_pairs_are_held_to_those_of_pairs():
    names = names_of(SetMetric(LogMelEmbedding()))
    assert "check_distance[signal_pairs]" not in names
    assert "check_distance_of_sets[signal_pairs]" not in names
    assert "check_distance[image_pairs]" in names_of(NLPDRegressor())


class ShapeBlind(TransformerMixin, BaseEstimator):
    """Reads samples of any shape, and forgets which one fit saw."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X).reshape(len(X), -1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = MSE().__sklearn_tags__().input_tags
        tags.input_tags.any_shape = True
        tags.requires_fit = False
        return tags


def test_forgotten_shape_is_found():
    with pytest.raises(AssertionError, match="Nothing was raised by transform of longer clips"):
        run(ShapeBlind(), "check_other_shapes_refused")


# How the checks are chosen and reported


def test_kinds_of_input_follow_from_the_tags():
    assert {name.partition("[")[2] for name in names_of(MSE())} == {"", "image_pairs]"}
    kinds = {name.partition("[")[2] for name in names_of(MelSpectrogram())}
    assert kinds == {"", "signals]", "signal_pairs]"}
    kinds = {name.partition("[")[2] for name in names_of(LaplacianPyramid())}
    assert kinds == {"", "images]", "image_pairs]"}


def test_only_metrics_are_held_to_the_contract_of_metrics():
    assert "check_symmetry[image_pairs]" in names_of(MSE())
    assert not any("symmetry" in name for name in names_of(LaplacianPyramid()))
    assert any("check_metadata" in name for name in names_of(NLPDRegressor()))
    assert not any("check_metadata" in name for name in names_of(NLPD()))


@pytest.mark.parametrize("estimator", [Ridge(), type("Own", (RegressorMixin, BaseEstimator), {})()])
def test_an_estimator_that_does_not_say_what_it_reads_is_refused(estimator):
    with pytest.raises(ValueError, match=r"do not say what X is.*PerceptualInputTags"):
        list(estimator_checks_generator(estimator))


def test_a_failure_names_its_check():
    with pytest.raises(AssertionError) as caught:
        check_estimator(SymmetricAfterAll(), **SIZES)
    assert caught.value.__notes__ == ["in check_symmetry[image_pairs] of SymmetricAfterAll"]


def test_an_excused_check_may_fail_and_is_not_reported_as_passed():
    excuse = {"check_symmetry": "it is only an example"}
    passed = check_estimator(SymmetricAfterAll(), expected_failed_checks=excuse, **SIZES)
    assert "check_symmetry" not in passed
    assert "check_bounds" in passed


def test_parametrize_marks_what_has_to_fail():
    reasons = {"check_symmetry": "replaced by check_bounds"}
    mark = parametrize_with_checks([MSE()], expected_failed_checks=lambda _: reasons, **SIZES).mark
    names, tests = mark.args
    assert names == ("estimator", "check")
    marked = {test.id: test.marks for test in tests if test.marks}
    assert list(marked) == ["MSE()-check_symmetry[image_pairs]"]
    (xfail,) = marked["MSE()-check_symmetry[image_pairs]"]
    assert xfail.kwargs == {"reason": "replaced by check_bounds", "strict": True}


def test_parametrize_refuses_classes():
    with pytest.raises(TypeError, match="Expected instances, got the class MSE"):
        parametrize_with_checks([MSE])


def test_an_estimator_without_an_entry_is_named():
    with pytest.raises(KeyError, match=r"MeanAbsoluteError has no parameters.*TEST_PARAMETERS"):
        small_estimators(MeanAbsoluteError)
