"""Curves over severity are the scores that were computed, and say in which unit."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, SSIM, MelSpectrogram, PMQDDistortion, PMQDLimiter
from skperceptual.evaluation import audit_metric
from skperceptual.plotting import SeverityCurvesDisplay

SEVERITIES = [0.0, 0.5, 1.0]


def make_scores(metrics=("far", "near"), n_signals=3):
    """Distances that grow with severity, "near" being a similarity of 10 less them."""
    rows = []
    for metric in metrics:
        turn = (lambda score: score) if metric == "far" else (lambda score: 10 - 2 * score)
        for signal in range(n_signals):
            rows.append((metric, "identity", "none", np.nan, None, np.nan, signal, turn(0.0)))
            for degradation, factor, parameter, values in (
                ("noise", 1.0, "noise_db", [-40.0, -20.0, 0.0]),
                ("low-pass", 3.0, "cutoff_hz", [20000.0, 4000.0, 1000.0]),
            ):
                for severity, value in zip(SEVERITIES, values, strict=True):
                    score = turn(factor * (signal + 1) * severity)
                    rows.append(
                        (metric, "degraded", degradation, severity, parameter, value, signal, score)
                    )
    columns = ["metric", "kind", "degradation", "severity", "parameter", "value", "signal", "score"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def labels(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()]


def test_one_panel_a_metric_with_its_own_scores():
    display = SeverityCurvesDisplay(scores=make_scores()).plot()
    assert [panel.get_title() for panel in display.axes_] == ["far", "near"]
    noise, low_pass = display.lines_[0]
    np.testing.assert_allclose(noise.get_xydata(), [[0, 0], [0.5, 1], [1, 2]])
    np.testing.assert_allclose(low_pass.get_ydata(), [0, 3, 6])
    np.testing.assert_allclose(display.lines_[1][0].get_ydata(), [10, 8, 6])
    assert [line.get_ydata()[0] for line in display.identity_lines_] == [0, 10]
    assert labels(display.axes_[-1]) == ["noise", "low-pass", "signal itself"]
    assert display.axes_[0].get_ylabel() == "score"


def test_several_metrics_in_a_panel_are_relative_losses():
    display = SeverityCurvesDisplay(scores=make_scores()).plot(panels="degradation")
    assert [panel.get_title() for panel in display.axes_] == ["noise", "low-pass"]
    for far, near in display.lines_:
        np.testing.assert_allclose(far.get_ydata(), near.get_ydata())
    np.testing.assert_allclose(display.lines_[1][0].get_ydata(), [0, 0.5, 1])
    np.testing.assert_allclose(display.lines_[0][0].get_ydata(), [0, 1 / 6, 1 / 3])
    assert display.axes_[0].get_ylabel() == "loss, relative to the worst"
    assert display.axes_[0].get_ylim() == display.axes_[1].get_ylim()
    assert labels(display.axes_[-1]) == ["far", "near", "signal itself"]


def test_a_single_metric_keeps_its_scores():
    display = SeverityCurvesDisplay(scores=make_scores(["near"])).plot(panels="degradation")
    np.testing.assert_allclose(display.lines_[0][0].get_ydata(), [10, 8, 6])
    assert labels(display.axes_[-1]) == ["signal itself"]


def test_physical_parameters():
    display = SeverityCurvesDisplay(scores=make_scores(["far"])).plot(
        panels="degradation", x="physical"
    )
    np.testing.assert_allclose(display.lines_[0][0].get_xdata(), [-40, -20, 0])
    np.testing.assert_allclose(display.lines_[1][0].get_xdata(), [1000, 4000, 20000])
    np.testing.assert_allclose(display.lines_[1][0].get_ydata(), [6, 3, 0])
    assert [panel.get_xlabel() for panel in display.axes_] == ["noise (dB)", "cutoff (Hz)"]
    assert [panel.get_xscale() for panel in display.axes_] == ["linear", "log"]


def test_spreads():
    def edges(spread):
        drawn = SeverityCurvesDisplay(scores=make_scores(["far"])).plot(spread=spread).spreads_[0]
        return [] if not drawn else drawn[0]

    area = edges("range").get_paths()[0].vertices
    at_the_end = area[area[:, 0] == 1][:, 1]
    assert (at_the_end.min(), at_the_end.max()) == (1, 3)
    area = edges("quartiles").get_paths()[0].vertices
    at_the_end = area[area[:, 0] == 1][:, 1]
    assert (at_the_end.min(), at_the_end.max()) == (1.5, 2.5)
    assert [line.get_ydata()[-1] for line in edges("signals")] == [1, 2, 3]
    assert edges(None) == []
    single = SeverityCurvesDisplay(scores=make_scores(["far"], n_signals=1)).plot()
    assert single.spreads_ == [[]]


def test_styles_are_passed_on():
    display = SeverityCurvesDisplay(scores=make_scores(["far"])).plot(
        line_kwargs={"color": "red", "marker": "x"}, spread_kwargs={"alpha": 0.5}
    )
    assert display.lines_[0][0].get_color() == "red"
    assert display.spreads_[0][0].get_alpha() == 0.5
    np.testing.assert_allclose(display.spreads_[0][0].get_facecolor()[0][:3], [1, 0, 0])


def test_audits_and_estimators_give_the_same_curves():
    signals = 0.1 * np.random.default_rng(0).standard_normal((2, 16000))
    degradations = {"distortion": PMQDDistortion(), "limiter": PMQDLimiter(sr=16000)}
    front_end = MelSpectrogram(sr=16000, n_mels=32)
    metrics = {"MSE": make_pipeline(front_end, MSE()), "SSIM": make_pipeline(front_end, SSIM())}
    audits = {
        name: audit_metric(metric, signals, degradations, sr=16000)
        for name, metric in metrics.items()
    }
    drawn = SeverityCurvesDisplay.from_audit(audits)
    computed = SeverityCurvesDisplay.from_estimator(metrics, signals, degradations, sr=16000)
    for lines, others in zip(drawn.lines_, computed.lines_, strict=True):
        for line, other in zip(lines, others, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())
    assert SeverityCurvesDisplay.from_audit(audits["MSE"]).axes_[0].get_title() == (
        "MelSpectrogram + MSE"
    )


def test_mistakes():
    display = SeverityCurvesDisplay(scores=make_scores())
    with pytest.raises(ValueError, match="panels='rows' is unknown"):
        display.plot(panels="rows")
    with pytest.raises(ValueError, match="x='level' is unknown"):
        display.plot(x="level")
    with pytest.raises(ValueError, match="spread='std' is unknown"):
        display.plot(spread="std")
    with pytest.raises(ValueError, match="The 2 degradations have no physical parameter"):
        display.plot(x="physical")
    endless = make_scores().replace({"score": {10.0: np.inf}})
    with pytest.raises(ValueError, match=r"not finite here\. Use panels='metric'"):
        SeverityCurvesDisplay(scores=endless).plot(panels="degradation")
    assert SeverityCurvesDisplay(scores=endless).plot().identity_lines_[1] is None
    with pytest.raises(ValueError, match=r"audit_metric gives.* got DataFrame"):
        SeverityCurvesDisplay.from_audit(make_scores())
    with pytest.raises(ValueError, match="at least one audit"):
        SeverityCurvesDisplay.from_audit({})
    with pytest.raises(ValueError, match="at least one estimator"):
        SeverityCurvesDisplay.from_estimator({}, np.ones((1, 8)), PMQDDistortion(), sr=16000)
