"""What every degradation promises as an estimator; new ones are held to it by themselves.

What it does to sound is in test_contract.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skperceptual import MSE, MelSpectrogram
from skperceptual.degradations import Degradation, degradation_names, get_degradation
from skperceptual.degradations.levels import match_level, reference_amplitude, rms
from skperceptual.utils.estimator_checks import check_estimator, small_estimators

CLASSES = [type(get_degradation(name)) for name in degradation_names()]
SEVERITIES = [0.0, 0.25, 0.5, 0.75, 1.0]
each_class = pytest.mark.parametrize("cls", CLASSES)


def make(cls, **parameters):
    """Make a degradation without chance in it."""
    step = cls(**parameters)
    return step.set_params(random_state=0) if "random_state" in step.get_params() else step


def test_there_are_degradations_to_hold_to_it():
    assert len(CLASSES) >= 20


@each_class
@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_the_physical_parameter_says_the_same_as_severity(cls, severity, hiss):
    graded = make(cls, severity=severity)
    given = {cls.physical_parameter: graded.physical_value}
    expected = graded.transform(hiss[np.newaxis, :2000])
    # it is used in place of severity, whatever that is
    for other in (0.0, 0.3):
        direct = make(cls, severity=other, **given)
        assert direct.physical_value == graded.physical_value
        assert_array_equal(direct.transform(hiss[np.newaxis, :2000]), expected)


@each_class
def test_severity_is_a_ladder_of_different_rungs(cls, hiss):
    values = [make(cls, severity=severity).physical_value for severity in SEVERITIES]
    steps = np.diff(values)
    assert (steps > 0).all() or (steps < 0).all()
    x = hiss[np.newaxis, :9600] / 4
    # Where the measure of a ladder may pause, so may its small steps.
    near = (0, 0.02, 0.04) if cls.graded_by else (0, 0.5, 1)
    results = [make(cls, severity=severity).transform(x) for severity in near]
    assert not np.array_equal(results[0], x), "severity 0 is the mildest rung, not the identity"
    assert not np.array_equal(results[0], results[1])
    assert not np.array_equal(results[1], results[2])


@each_class
def test_severity_out_of_range_is_refused(cls):
    for wrong in (-0.1, 1.1, 50, "0.5", None):
        with pytest.raises(ValueError, match=f"'severity' parameter of {cls.__name__}"):
            cls(severity=wrong).transform(np.zeros((1, 100)))


@each_class
def test_clone_and_set_params_change_what_is_in_force(cls, hiss):
    step = make(cls, severity=0.1)
    again = clone(step).set_params(severity=0.9)
    assert again.physical_value == make(cls, severity=0.9).physical_value
    assert step.physical_value == make(cls, severity=0.1).physical_value
    x = hiss[np.newaxis, :2000]
    assert_array_equal(again.fit_transform(x), make(cls, severity=0.9).transform(x))


@each_class
def test_pairs_and_channels_are_refused_with_the_fix(cls, hiss):
    pairs = np.stack([hiss[:100], hiss[100:200]])[np.newaxis].repeat(3, axis=0)
    objects = np.empty(2, dtype=object)
    objects[:] = [(hiss[:5], hiss[:7]), (hiss[:4], hiss[:6])]
    step = make(cls)
    for wrong, came in [
        (pairs, r"an array of shape \(3, 2, 100\)"),
        (list(pairs), "a list of pairs"),
        ([(hiss[:9], hiss[:8])], "a list of pairs"),
        ([[hiss[:9], hiss[:8]]], "a list of pairs"),
        (objects, "pairs"),
    ]:
        for call in (step.fit, step.transform, step.fit_transform):
            with pytest.raises(ValueError, match=f"Expected signals of shape .*{came}") as caught:
                call(wrong)
            assert f"np.stack([signals, {cls.__name__}().transform(signals)]" in str(caught.value)
            assert "X.mean(axis=1)" in str(caught.value)


@each_class
def test_two_signals_are_no_pair(cls, hiss):
    step = make(cls)
    expected = step.transform(np.stack([hiss[:100], hiss[100:200]]))
    for X in ([hiss[:100], hiss[100:200]], (hiss[:100], hiss[100:200])):
        assert_array_equal(step.transform(X), expected)


@each_class
def test_results_are_those_of_double_precision(cls, hiss):
    for parameters in [step.get_params() for step in small_estimators(cls)]:
        step = make(cls, **parameters)
        narrow = hiss[np.newaxis, :3000].astype(np.float32)
        expected = step.transform(narrow.astype(np.float64)).astype(np.float32)
        assert_array_equal(step.transform(narrow), expected)


@each_class
def test_grid_search_over_severity(cls, rng):
    signals = rng.uniform(-0.5, 0.5, size=(8, 3000)) * rng.uniform(0.1, 1, size=(8, 1))
    front_end = MelSpectrogram(sr=48000, n_fft=256, hop_length=256, n_mels=8)
    features = FunctionTransformer(np.mean, kw_args={"axis": 2})
    model = make_pipeline(make(cls), front_end, features, Ridge())
    name = f"{cls.__name__.lower()}__severity"
    search = GridSearchCV(model, {name: [0.1, 0.9]}, cv=2, error_score="raise")
    search.fit(signals, np.square(signals).mean(axis=1))
    assert search.best_params_[name] in (0.1, 0.9)
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0


@each_class
def test_pairs_are_made_of_signals_and_their_degraded_versions(cls, music):
    signals = np.stack([music[:24000], music[24000:48000]])
    scores = []
    for severity in (0.0, 1.0):
        degraded = make(cls, severity=severity).transform(signals)
        pairs = np.stack([signals, degraded], axis=1)
        scores.append(
            make_pipeline(MelSpectrogram(sr=48000, n_fft=4096), MSE()).fit_transform(pairs)
        )
    assert (scores[1] > scores[0]).all()


# --- Subclasses that users write ------------------------------------------------------------------


class Delay(Degradation):
    """Delay by up to 100 samples: the smallest one that overrides everything there is."""

    physical_parameter = "n_samples"
    _parameter_constraints = {**Degradation._parameter_constraints, "n_samples": [int, None]}

    def __init__(self, *, severity=0.5, n_samples=None, match="none"):
        self.severity = severity
        self.n_samples = n_samples
        self.match = match

    @property
    def max_lag(self):
        return self.physical_value

    def _value_at(self, severity):
        return round(1 + 99 * severity)

    def _min_samples(self):
        return self.physical_value

    def _check_parameters(self):
        if self.n_samples is not None and self.n_samples < 0:
            raise ValueError("nothing can be known before it is heard")

    def _prepare(self):
        n = self.physical_value
        return lambda clip: np.concatenate([np.zeros(n), clip[: len(clip) - n]])


def test_a_subclass_needs_little(hiss):
    step = Delay(severity=1.0)
    assert (step.physical_value, step.max_lag) == (100, 100)
    assert_array_equal(step.transform(hiss[np.newaxis])[0, 100:], hiss[:-100])
    assert step.transform([hiss[:200].astype(np.float32)])[0].dtype == np.float32
    with pytest.raises(ValueError, match="at least 100"):
        step.transform(np.zeros((1, 99)))
    for call in (Delay(n_samples=-1).fit, Delay(n_samples=-1).transform):
        with pytest.raises(ValueError, match="before it is heard"):
            call(hiss[np.newaxis])


def test_a_subclass_passes_the_checks_of_the_package():
    passed = check_estimator(Delay(n_samples=3), n_times=300)
    assert "check_batch_invariance" in passed


class Halve(Degradation):
    """Without match, which only comes as a parameter where a class takes it."""

    physical_parameter = "gain"
    _parameter_constraints = {
        "severity": Degradation._parameter_constraints["severity"],
        "gain": [float, None],
    }

    def __init__(self, *, severity=0.5, gain=None):
        self.severity = severity
        self.gain = gain

    def _value_at(self, severity):
        return 0.5

    def _prepare(self):
        return lambda clip: self.physical_value * clip


def test_a_subclass_may_do_without_match():
    assert_array_equal(Halve().transform(np.ones((1, 3))), [[0.5, 0.5, 0.5]])
    check_estimator(Halve(), n_times=300)


# --- Level ----------------------------------------------------------------------------------------


@given(gain=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_matching_undoes_any_gain(gain, seed):
    clip = np.random.default_rng(seed).uniform(-1, 1, size=50)
    for match in ("rms", "peak"):
        assert_allclose(match_level(gain * clip, clip, match), clip, rtol=1e-12)
    assert_array_equal(match_level(gain * clip, clip, "none"), gain * clip)


def test_matching_leaves_silence_alone():
    silence, sound = np.zeros(4), np.array([0.5, -0.5, 0.0, 0.1])
    for match in ("rms", "peak"):
        assert_array_equal(match_level(silence, sound, match), silence)
        assert_array_equal(match_level(sound, silence, match), sound)
        assert_array_equal(match_level(1e-11 * sound, sound, match), 1e-11 * sound)


def test_matched_peaks_and_root_mean_squares():
    clip, degraded = np.array([0.3, -0.4, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])
    assert_allclose(match_level(degraded, clip, "rms"), [0.5, 0, 0, 0])
    assert_allclose(match_level(degraded, clip, "peak"), [0.4, 0, 0, 0])


def test_levels_at_the_ends_of_floating_point():
    assert rms(np.array([3e200, -4e200])) == pytest.approx(12.5**0.5 * 1e200)
    assert rms(np.array([3e-200, -4e-200])) == pytest.approx(12.5**0.5 * 1e-200)
    assert rms(np.zeros(3)) == 0
    assert reference_amplitude(np.array([0.1, -0.2]), "peak") == 0.2
    assert reference_amplitude(np.array([0.1, -0.2]), "full_scale") == 1
