"""Each fault of a metric is caught by the check that is meant for it, and by no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from skperceptual import (
    MSE,
    NLPD,
    SSIM,
    AlignPairs,
    MelSpectrogram,
    NLPDRegressor,
    Normalize,
    PMQDLowpass,
    PMQDNoise,
    RatingMapping,
)
from skperceptual.degradations import Degradation
from skperceptual.evaluation import MetricAudit, audit_metric
from skperceptual.evaluation.audit_evidence import tabulate_ladders
from skperceptual.evaluation.audit_pairs import level_pairs, shifted_pairs

SR = 8000
CHECKS = [
    "identity",
    "sign",
    "symmetry",
    "monotonicity",
    "level",
    "delay",
    "batch",
    "determinism",
    "finite",
]


def sounds(n_signals=2, n_times=6400):
    """Noise whose level and colour change, so that every frame differs from its neighbours."""
    rng = np.random.default_rng(0)
    time = np.arange(n_times) / SR
    level = 0.05 * (1.2 + np.sin(2 * np.pi * np.array([[3.0], [5.0]])[:n_signals] * time))
    return level * rng.standard_normal((n_signals, n_times))


SIGNALS = sounds()


class WhiteNoise(Degradation):
    """Noise of the same shape at all severities, from 60 dB below full scale to 10 dB below."""

    physical_parameter = "noise_db"
    _parameter_constraints = {**Degradation._parameter_constraints, "noise_db": [float, None]}

    def __init__(self, *, severity=0.5, noise_db=None):
        self.severity = severity
        self.noise_db = noise_db

    def _value_at(self, severity):
        return -60.0 + 50.0 * severity

    def _prepare(self):
        noise = np.random.default_rng(1).standard_normal(20000)
        return lambda clip: clip + 10 ** (self.physical_value / 20) * noise[: len(clip)]


class Metric(TransformerMixin, BaseEstimator):
    """Mean difference of logarithmic spectra, and one thing wrong with it."""

    higher_is_better = False
    symmetric = True
    bounds = (0.0, np.inf)

    def __init__(self, fault=None):
        self.fault = fault

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        values = np.array([self.score(*pair) for pair in X])
        if self.fault == "batch":
            values *= 1 + 0.01 * (len(X) - 1)
        if self.fault == "chance":
            self.calls = getattr(self, "calls", 0) + 1
            values += 1e-3 * np.random.default_rng(self.calls).standard_normal(len(X))
        return values[:, np.newaxis]

    def score(self, reference, degraded):
        one, other = log_spectrum(reference), log_spectrum(degraded)
        value = np.abs(one - other).mean()
        louder = other.mean() - one.mean()
        silent = not (reference.any() and degraded.any())
        alike = 1.0 if silent else np.corrcoef(reference, degraded)[0, 1]
        match self.fault:
            case "asymmetric":
                return value * (1 - 0.05 * np.tanh(louder))
            case "sign":
                return -value
            case "steps back":
                return value - 0.4 * (0.5 < value < 1.0)
            case "deaf":
                return 0.0
            case "offset":
                return value + 0.1
            case "better than itself":
                return value + 0.05 * np.array_equal(reference, degraded)
            case "polarity":
                return value + (alike < -0.9)
            case "loud":
                return 0.2 if louder > 2 and alike > 0.999 else value
            case "phase":
                return value + 2 * (1 - abs(alike))
            case "nan":
                return np.nan if silent else value
            case "crash" if silent:
                raise ZeroDivisionError("float division by zero")
            case "refuses" if silent:
                raise ValueError("Expected sound, got silence.")
            case "silence":
                return value + (not reference.any() and not degraded.any())
        return value


def log_spectrum(clip):
    frames = np.lib.stride_tricks.sliding_window_view(clip, 512)[::128] * np.hanning(512)
    bands = np.abs(np.fft.rfft(frames))[:, 1:].reshape(len(frames), 16, 16).mean(axis=2)
    return np.log(bands + 1e-2)


def audit(metric, **options):
    return audit_metric(metric, SIGNALS, {"noise": WhiteNoise()}, **{"sr": SR, **options})


def violated(found):
    outcomes = found.summary["outcome"]
    names = sorted(outcomes.index[outcomes == "violated"])
    assert names == sorted(set(found.violations["check"]))
    return names


# ---- one fault, one check ------------------------------------------------------------------


def test_a_sound_metric_passes():
    found = audit(Metric())
    assert violated(found) == []
    assert found.passed
    assert list(found.summary.index) == CHECKS
    assert set(found.summary["outcome"]) == {"passed"}


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("asymmetric", "symmetry"),
        ("sign", "sign"),
        ("offset", "identity"),
        ("better than itself", "identity"),
        ("polarity", "level"),
        ("loud", "level"),
        ("phase", "delay"),
        ("batch", "batch"),
        ("chance", "determinism"),
        ("nan", "finite"),
        ("crash", "finite"),
        ("silence", "finite"),
    ],
)
def test_one_fault_violates_one_check(fault, check):
    options = {"best_score": None} if fault == "better than itself" else {}
    found = audit(Metric(fault), **options)
    assert violated(found) == [check]
    assert not found.passed
    assert found.summary.loc[check, "n_violations"] == len(found.violations)


def test_a_step_back_violates_monotonicity():
    # Gains walk through the same values, and would step back with it.
    found = audit(Metric("steps back"), gains_db=[], severities=np.linspace(0, 1, 11))
    assert violated(found) == ["monotonicity"]
    row = found.violations.iloc[0]
    assert row["expected"].startswith("no better at severity")
    ladder = found.ladders.set_index("signal").loc["mean"]
    assert ladder["worse_at"] < ladder["better_at"] == row["severity"]
    assert ladder["reversal"] > 0.05
    assert ladder["spearman"] < 1
    tolerated = audit(
        Metric("steps back"), gains_db=[], severities=np.linspace(0, 1, 11), max_reversal=1.0
    )
    assert violated(tolerated) == []


def test_a_deaf_metric_violates_sign_and_monotonicity():
    found = audit(Metric("deaf"))
    assert violated(found) == ["monotonicity", "sign"]
    assert set(found.violations["found"]) == {"none", "the same at all severities"}
    assert found.scale == 0


def test_silence_may_be_refused_with_a_reason():
    found = audit(Metric("refuses"))
    assert violated(found) == []
    assert "silent reference gets a ValueError" in found.summary.loc["finite", "finding"]


def test_a_nan_for_sound_is_found():
    def nan_when_loud(X):
        values = np.mean((X[:, 0] - X[:, 1]) ** 2, axis=1)
        return np.where(values > 0.05, np.nan, values)

    found = audit(FunctionTransformer(nan_when_loud), higher_is_better=False)
    rows = found.violations[found.violations["check"] == "finite"]
    assert set(rows["degradation"]) == {"noise"}
    assert set(rows["severity"]) == {1.0}


# ---- what is claimed, and what is seen -----------------------------------------------------


def test_without_claims_properties_are_reported():
    found = audit(Metric("asymmetric"), higher_is_better=None, symmetric=None, best_score=None)
    outcomes = found.summary["outcome"]
    assert list(outcomes[outcomes == "not applicable"].index) == ["sign", "symmetry"]
    assert "Lower is better" in found.summary.loc["sign", "finding"]
    assert "changes the score by" in found.summary.loc["symmetry", "finding"]


def test_claims_can_be_made_for_a_metric():
    assert violated(audit(Metric(), higher_is_better=True, best_score=0.0)) == ["sign"]
    assert violated(audit(Metric(), best_score=1)) == ["identity"]


def test_ratios_may_be_infinite_for_a_signal_itself():
    def signal_to_noise(X):
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = np.sum((X[:, 0] - X[:, 1]) ** 2, axis=1)
            return 10 * np.log10(np.sum(X[:, 0] ** 2, axis=1) / noise)

    found = audit(FunctionTransformer(signal_to_noise), higher_is_better=True)
    assert violated(found) == ["finite"]
    assert set(found.violations["degradation"]) == {"silence against itself", "silent reference"}
    assert found.summary.loc["level", "outcome"] == "not applicable"


def test_ratings_that_a_regressor_predicts():
    front_end = MelSpectrogram(sr=SR, n_mels=32)
    severities = np.linspace(0, 1, 8)
    pairs = np.stack(
        [[SIGNALS[0], WhiteNoise(severity=s).transform(SIGNALS[:1])[0]] for s in severities]
    )
    metric = make_pipeline(front_end, NLPDRegressor(n_levels=3, normalization="image"))
    metric.fit(pairs, 5 - 4 * severities)
    found = audit(metric, higher_is_better=True)
    assert violated(found) == []
    by_hand = metric.predict(np.stack([SIGNALS[:1], SIGNALS[:1]], axis=1))
    assert found.scores.query("kind == 'identity'")["score"].iloc[0] == by_hand[0]
    mapped = make_pipeline(front_end, MSE(), RatingMapping()).fit(pairs, 5 - 4 * severities)
    assert audit(mapped).summary.loc["sign", "outcome"] == "not applicable"


# ---- metrics of this package ---------------------------------------------------------------


@pytest.mark.parametrize(
    "metric", [MSE(), SSIM(), NLPD(n_levels=4), NLPD(n_levels=4, normalization=None)]
)
def test_metrics_of_this_package_pass(metric):
    pipeline = make_pipeline(MelSpectrogram(sr=SR, n_mels=32, hop_length=128, n_fft=512), metric)
    found = audit(pipeline)
    assert violated(found) == []
    assert set(found.summary["outcome"]) == {"passed"}


def test_normalised_levels_cost_nothing():
    front_end = MelSpectrogram(sr=SR, n_mels=32)
    plain = audit(make_pipeline(front_end, MSE())).sensitivity
    levelled = audit(make_pipeline(Normalize(), front_end, MSE())).sensitivity
    assert (plain.loc[plain["change"] == "gain", "relative"] > 1e-4).all()
    np.testing.assert_allclose(levelled.loc[levelled["change"] == "gain", "loss"], 0, atol=1e-12)


def test_alignment_takes_delays_away_and_symmetry_with_them():
    front_end = MelSpectrogram(sr=SR, n_mels=32)
    plain = audit(make_pipeline(front_end, MSE()))
    aligned = audit(make_pipeline(AlignPairs(), front_end, MSE()))
    costs = [
        found.sensitivity.query("change == 'delay'")["relative"].max() for found in (plain, aligned)
    ]
    assert costs[0] > 0.01 > costs[1]


# ---- what is scored ------------------------------------------------------------------------


def test_scores_are_those_of_the_metric():
    found = audit(Metric(), severities=[0.2, 0.8])
    rows = found.scores.query("kind == 'degraded'")
    assert list(rows["value"]) == [-50.0, -20.0] * 2
    assert set(rows["parameter"]) == {"noise_db"}
    degraded = [WhiteNoise(severity=severity).transform(SIGNALS) for severity in (0.2, 0.8)]
    for row in rows.to_dict("records"):
        one = degraded[row["severity"] == 0.8][row["signal"]]
        assert row["score"] == Metric().score(SIGNALS[row["signal"]], one)
    swapped = found.scores.query("kind == 'swapped' and signal == 1 and severity == 0.8")
    assert swapped["score"].item() == Metric().score(degraded[1][1], SIGNALS[1])


def test_gains_stay_below_full_scale_and_differ_in_level_alone():
    pairs = {value: pair for _, _, value, pair in level_pairs(SIGNALS[0], [-6.0, 1.0, 20.0])}
    for gain, (reference, copy) in list(pairs.items())[1:]:
        np.testing.assert_allclose(copy, 10 ** (gain / 20) * reference)
        assert np.abs(copy).max() <= 1
    np.testing.assert_array_equal(pairs[1.0][0], SIGNALS[0])
    assert np.abs(pairs[20.0][1]).max() == pytest.approx(1)


def test_delays_are_delays_and_nothing_else():
    time = np.arange(4000) / SR
    tone = np.sin(2 * np.pi * 440 * time)
    for _, _, delay_ms, (reference, late) in shifted_pairs(tone, SR, [2.5, 10.0]):
        lags = np.arange(len(tone)) - SR * delay_ms / 1000
        margin = int(np.ceil(SR * 0.01)) + 1
        expected = np.sin(2 * np.pi * 440 * lags / SR)[2 * margin : -margin]
        np.testing.assert_array_equal(reference, tone[2 * margin : -margin])
        # Half a sample late is as good as the fading of the ends, which rings a little.
        np.testing.assert_allclose(late, expected, atol=1e-3 if delay_ms == 62.5e-3 else 1e-9)


def test_precision_is_kept():
    seen = set()

    def look(X):
        seen.add(np.asarray(X).dtype)
        return np.mean((X[:, 0] - X[:, 1]) ** 2, axis=1)

    audit_metric(FunctionTransformer(look), SIGNALS.astype(np.float32), WhiteNoise(), sr=SR)
    assert seen == {np.dtype(np.float32)}


def test_signals_of_unequal_lengths():
    signals = [SIGNALS[0], SIGNALS[1, :5000]]
    found = audit_metric(Metric(), signals, WhiteNoise(), sr=SR)
    assert violated(found) == []
    together = audit(Metric()).scores.query("signal == 0 and kind == 'degraded'")["score"]
    alone = found.scores.query("signal == 0 and kind == 'degraded'")["score"]
    np.testing.assert_array_equal(alone, together)


def test_degradations_are_left_as_they_were_and_share_one_chance():
    noise = PMQDNoise(severity=0.3, sr=SR)
    signals = sounds(1, 4000)
    first, second = (
        audit_metric(Metric(), signals, [noise], sr=SR, delays_ms=[1.0]).scores for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    assert noise.get_params() == PMQDNoise(severity=0.3, sr=SR).get_params()
    other = audit_metric(Metric(), signals, [noise], sr=SR, delays_ms=[1.0], random_state=1).scores
    assert not first["score"].equals(other["score"])


def test_severities_of_each_degradation():
    ladders = {"noise": WhiteNoise(), "low-pass": PMQDLowpass(sr=SR)}
    severities = {"noise": [0.5], "low-pass": [1.0, 0.9]}
    found = audit_metric(Metric(), SIGNALS, ladders, sr=SR, severities=severities)
    counts = found.scores.query("kind == 'degraded'").groupby("degradation")["severity"].unique()
    assert {name: list(values) for name, values in counts.items()} == {
        "noise": [0.5],
        "low-pass": [0.9, 1.0],
    }


def test_one_severity_makes_no_ladder():
    assert audit(Metric(), severities=[0.5]).summary.loc["monotonicity", "outcome"] == (
        "not applicable"
    )


def test_processes_give_the_same():
    metric = make_pipeline(MelSpectrogram(sr=SR, n_mels=16), MSE())
    degradation = PMQDNoise(sr=SR)
    one = audit_metric(metric, SIGNALS, degradation, sr=SR)
    two = audit_metric(metric, SIGNALS, degradation, sr=SR, n_jobs=2)
    pd.testing.assert_frame_equal(one.scores, two.scores)


def test_progress(capsys):
    audit(Metric(), verbose=1)
    assert "audit_metric: 100%" in capsys.readouterr().err


# ---- the ladders ---------------------------------------------------------------------------


def test_ladders_of_both_directions():
    scores = pd.DataFrame(
        {
            "degradation": "noise",
            "severity": np.tile([1.0, 0.0, 0.5, 0.75], 2),
            "signal": np.repeat([0, 1], 4),
            "score": [4.0, 0.0, 3.0, 1.0, 4.0, 0.0, 1.0, 2.0],
        }
    )
    for sign in (1, -1):
        table = tabulate_ladders(scores.assign(score=sign * scores["score"]), rises=sign < 0)
        table = table.set_index("signal")
        assert table.loc[0, "reversal"] == 0.5
        assert (table.loc[0, "worse_at"], table.loc[0, "better_at"]) == (0.5, 0.75)
        assert table.loc[0, "spearman"] == pytest.approx(0.8 * sign)
        assert table.loc[0, "kendall"] == pytest.approx(2 / 3 * sign)
        assert table.loc[1, "reversal"] == 0
        assert np.isnan(table.loc[1, "better_at"])
        assert table.loc["mean", "reversal"] == pytest.approx(0.5 / 4)


# ---- how it shows itself -------------------------------------------------------------------


def test_representations():
    found = audit(make_pipeline(FunctionTransformer(), Metric("sign")))
    assert isinstance(found, MetricAudit)
    lines = repr(found).splitlines()
    assert lines[0] == "Audit of FunctionTransformer + Metric: 1 of 9 checks violated"
    assert [line.split()[0] for line in lines[1:]] == CHECKS
    page = found._repr_html_()
    assert "lower is better, as claimed" in page
    many = audit(Metric("offset"))._repr_html_()
    assert "violated" in many


def test_worst_violations_come_first():
    sizes = audit(Metric("asymmetric")).violations["size"]
    assert sizes.is_monotonic_decreasing
    assert sizes.iloc[0] > 0


# ---- mistakes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "error", "message"),
    [
        (MSE, TypeError, r"got the class MSE. Write MSE\(\)"),
        (np.mean, TypeError, "FunctionTransformer"),
        (WhiteNoise.__doc__, ValueError, "neither predict nor transform"),
        (make_pipeline(MelSpectrogram(sr=SR), NLPD(normalization="ones")), NotFittedError, "fit"),
        (
            make_pipeline(MelSpectrogram(sr=SR, n_mels=32), make_union(MSE(), SSIM())).fit(
                np.stack([SIGNALS, SIGNALS], axis=1)
            ),
            ValueError,
            r"one number for each of 1 pairs, got an array of shape \(1, 2\)",
        ),
    ],
)
def test_wrong_metrics(metric, error, message):
    with pytest.raises(error, match=message):
        audit(metric)


@pytest.mark.parametrize(
    ("degradations", "error", "message"),
    [
        ([], ValueError, "at least one degradation"),
        ([WhiteNoise], TypeError, "got the class"),
        ([Metric()], TypeError, "degradations with a severity"),
        ([WhiteNoise(), WhiteNoise()], ValueError, "Several degradations are called WhiteNoise"),
        (WhiteNoise(noise_db=-20.0), ValueError, r"noise_db=-20.0, which its severity cannot"),
        (PMQDNoise(), ValueError, r"sr=48000, but the signals are said to have sr=8000"),
    ],
)
def test_wrong_degradations(degradations, error, message):
    with pytest.raises(error, match=message):
        audit_metric(Metric(), SIGNALS, degradations, sr=SR)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"severities": []}, "between 0 and 1"),
        ({"severities": [0, 1.5]}, "between 0 and 1"),
        ({"severities": {"other": [0]}}, "severities lacks 'noise'"),
        ({"delays_ms": [-1]}, "delays of 0 ms or more"),
        ({"gains_db": [np.inf]}, "finite gains"),
        ({"delays_ms": [500]}, "needs signals of 24006 samples"),
        ({"sr": 0}, "'sr' parameter"),
        ({"symmetric": "yes"}, "'symmetric' parameter"),
        ({"method": "predict"}, "no method 'predict'; it has 'transform'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        audit(Metric(), **options)


def test_wrong_signals():
    with pytest.raises(ValueError, match="got silence in signals 1"):
        audit_metric(Metric(), np.stack([SIGNALS[0], 0 * SIGNALS[0]]), WhiteNoise(), sr=SR)
    with pytest.raises(ValueError, match="Expected signals of shape"):
        audit_metric(Metric(), np.stack([SIGNALS, SIGNALS], axis=1), WhiteNoise(), sr=SR)


def test_errors_say_which_pair():
    with pytest.raises(ValueError, match="cutoff") as error:
        audit_metric(Metric(), SIGNALS, {"low-pass": PMQDLowpass(sr=SR)}, sr=SR)
    assert error.value.__notes__ == [
        "This came of degrading signal 0 with 'low-pass' at severity 0."
    ]

    def fail_when_loud(X):
        if np.abs(X).max() > 0.9:
            raise ValueError("too loud")
        return np.mean((X[:, 0] - X[:, 1]) ** 2, axis=1)

    with pytest.raises(ValueError, match="too loud") as error:
        audit(FunctionTransformer(fail_when_loud))
    assert error.value.__notes__ == [
        "This came of scoring signal 0 with 'noise' at severity 1 (degraded)."
    ]


def test_an_interruption_is_passed_on():
    def stop(X):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(FunctionTransformer(stop))
