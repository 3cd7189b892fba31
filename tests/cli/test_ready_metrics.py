"""The table of metrics by name."""

from __future__ import annotations

import pytest
from sklearn.utils import get_tags

from skperceptual import AlignPairs, LoadAudio, MelSpectrogram
from skperceptual.cli.errors import CommandError
from skperceptual.cli.metrics import make_metrics, ready_metric
from skperceptual.cli.options import Reading
from skperceptual.cli.ready_metrics import READY_METRICS, ReadyMetric


@pytest.mark.parametrize("name", READY_METRICS)
def test_every_entry_can_be_made_compared_and_laid_out(name):
    metric = READY_METRICS[name].make()
    low, high = metric.bounds
    assert low < high
    assert metric.higher_is_better in (True, False)
    assert len(READY_METRICS[name].description) <= 22
    # a name is a column of a table and must not be taken for a file
    assert name == name.lower()
    assert "/" not in name
    assert "." not in name


def test_defaults_are_those_of_the_package():
    load, mel, metric = (step.estimator for step in ready_metric("nlpd", Reading()).steps)
    assert load.get_params() == LoadAudio().get_params()
    assert mel.get_params() == MelSpectrogram().get_params()
    assert repr(metric) == "NLPD()"


def test_options_reach_the_steps():
    reading = Reading(48000, 32, 3072, 780, True, 0.5, 2.0)
    load, align, mel, _ = (step.estimator for step in ready_metric("mse", reading).steps)
    assert (load.sr, load.offset_seconds, load.duration_seconds) == (48000, 0.5, 2.0)
    assert load.unequal == "keep"
    assert align.get_params() == AlignPairs(sr=48000).get_params()
    assert (mel.sr, mel.n_mels, mel.n_fft, mel.hop_length) == (48000, 32, 3072, 780)


def test_metric_of_signals_gets_no_front_end_and_its_own_rate(monkeypatch):
    # any step that reads pairs of signals and has a rate may stand for ViSQOL here
    entry = ReadyMetric("for this test", "Spectrogram", {"sr": 48000})
    monkeypatch.setitem(READY_METRICS, "new", entry)
    steps = [step.estimator for step in ready_metric("new", Reading(align=True)).steps]
    assert [type(step).__name__ for step in steps] == ["LoadAudio", "AlignPairs", "Spectrogram"]
    assert {step.sr for step in steps} == {48000}


def test_only_what_learns_is_late():
    late = {name for name in READY_METRICS if ready_metric(name, Reading()).is_late}
    assert late == {n for n, m in READY_METRICS.items() if get_tags(m.make()).requires_fit}
    assert late == {"nlpd-ones"}


@pytest.mark.parametrize(
    ("name", "guess"), [("nlpdd", "'nlpd'"), ("MS_SSIM", "'ms-ssim'"), ("ms-sim", "'ms-ssim'")]
)
def test_unknown_name_names_the_nearest(name, guess):
    with pytest.raises(CommandError, match=f"no metric '{name}'. Did you mean {guess}"):
        make_metrics([name], Reading())


def test_unknown_name_far_from_all():
    with pytest.raises(CommandError, match=r"no metric 'loudness'. Use mse, ssim, .* joblib"):
        make_metrics(["loudness"], Reading())


def test_metric_given_twice():
    with pytest.raises(CommandError, match="two metrics are named 'mse'"):
        make_metrics(["mse", "ssim", "mse"], Reading())
