"""The tables of ``skperceptual study``: those of the report that it follows, and by hand."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skperceptual.cli.study_degradations import VERSIONS, degrade
from skperceptual.cli.study_results import correlate, find_ranges, summarize_study
from skperceptual.degradations import GhoshNoise, GhoshQuantization, GhoshResampling
from skperceptual.metrics import correlation_interval, pearson_score, spearman_score

REPORT = json.loads((Path(__file__).parents[1] / "data" / "embedding_report.json").read_text())
METRICS = ["openl3", "vggish", "pesq", "stoi"]


@pytest.fixture
def printed() -> pd.DataFrame:
    """The 18 rows of the report, one recording a content."""
    table = pd.DataFrame(REPORT["rows"], columns=REPORT["columns"])
    return table.assign(file=table["content"])


@pytest.fixture
def made(rng) -> pd.DataFrame:
    """Two metrics on eleven made-up recordings, some values missing."""
    rows = [
        (f"{content} {number}", content, one.degradation, one.level)
        for content, n in (("speech", 6), ("music", 5))
        for number in range(n)
        for one in VERSIONS
    ]
    table = pd.DataFrame(rows, columns=["file", "content", "degradation", "level"])
    table["pesq"] = 3 + rng.normal(size=len(table))
    table["nlpd"] = 1 - 0.2 * table["pesq"] + 0.1 * rng.normal(size=len(table))
    table.loc[[3, 40], "nlpd"] = np.nan
    return table


# The report


@pytest.mark.parametrize("pair", REPORT["pearson"])
def test_pearson_figures_of_the_report_follow_from_its_table(printed, pair):
    found = correlate(printed, METRICS).set_index(["metric", "other"]).loc[tuple(pair.split())]
    assert found["pearson"] == pytest.approx(REPORT["pearson"][pair], abs=2e-3)
    assert found["n"] == 18


def test_its_rank_correlations(printed):
    table = correlate(printed, METRICS).set_index(["metric", "other"])["spearman"]
    expected = {"openl3 pesq": 0.697, "openl3 stoi": 0.777, "vggish pesq": 0.847}
    for pair, value in (expected | {"vggish stoi": 0.381}).items():
        assert table[tuple(pair.split())] == pytest.approx(value, abs=1e-2)  # of rounded values


def test_its_ranges_are_those_of_compression_save_two(printed):
    # What it calls "Low -> Extreme" is the first and the last of the three compressions.
    compressed = printed[printed["degradation"] == "compression"]
    found = compressed.set_index(["content", "level"])[METRICS].round(2)
    differ = [
        (content, metric)
        for content, ranges in REPORT["ranges"].items()
        for metric, pair in ranges.items()
        if [found.loc[(content, level), metric] for level in ("low", "extreme")] != pair
    ]
    assert differ == [("speech", "vggish"), ("music", "openl3")]


def test_ranges_of_the_report_by_level(printed):
    speech = find_ranges(printed[printed["content"] == "speech"], METRICS).set_index("metric")
    assert speech.loc["pesq", "best_version"] == "compression (low)"
    assert speech.loc["pesq", "worst"] == 1.04
    assert speech.loc["stoi", "worst_version"] == "bitrate (extreme)"
    assert speech.loc["pesq", "low"] == pytest.approx((2.47 + 3.66 + 4.07) / 3)


# By hand


def test_degradations_are_those_of_the_report(rng):
    signal = 0.1 * rng.normal(size=4000)
    by_hand = [
        *(GhoshNoise(noise_sd=sd, random_state=42) for sd in (0.002, 0.01, 0.02)),
        *(GhoshResampling(factor=factor) for factor in (2, 4, 6)),
        *(GhoshQuantization(n_bits=bits) for bits in (12, 8, 4)),
    ]
    for version, degradation in zip(VERSIONS, by_hand, strict=True):
        found = degrade(signal, version, sr=16000, seed=42)
        np.testing.assert_array_equal(found, degradation.transform(signal[np.newaxis])[0])


def test_correlations_are_those_of_the_functions(made):
    results = summarize_study(made, ["pesq", "nlpd"])
    assert results.contents == ["speech", "music", "all"]
    for content, rows in [("all", made), *made.groupby("content")]:
        found = results.correlation(content, "nlpd", "pesq")
        both = rows.dropna()
        assert (found["n"], found["n_files"]) == (len(both), both["file"].nunique())
        for name, score in (("pearson", pearson_score), ("spearman", spearman_score)):
            assert found[name] == score(both["pesq"], both["nlpd"])
            assert (found[f"{name}_low"], found[f"{name}_high"]) == interval(both, score)
        within = [spearman_score(file["pesq"], file["nlpd"]) for _, file in both.groupby("file")]
        assert found["within_file"] == pytest.approx(np.mean(within))


def interval(both: pd.DataFrame, score) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return correlation_interval(both["pesq"], both["nlpd"], groups=both["file"], score=score)


def test_distances_are_best_where_they_are_least(made):
    found = find_ranges(made, ["nlpd"]).iloc[0]
    versions = made["degradation"] + " (" + made["level"] + ")"
    means = made["nlpd"].groupby(versions).mean()
    assert (found["best"], found["best_version"]) == (means.min(), means.idxmin())
    assert (found["worst"], found["worst_version"]) == (means.max(), means.idxmax())
    assert found["high"] == pytest.approx(made[made["level"] == "high"]["nlpd"].mean())
    assert found["n"] == len(made) - 2


def test_one_recording_has_correlations_without_intervals(made):
    results = summarize_study(made[made["file"] == "music 0"], ["pesq", "nlpd"])
    assert results.contents == ["music"]
    found = results.correlation("music", "pesq", "nlpd")
    assert np.isfinite([found["pearson"], found["spearman"], found["within_file"]]).all()
    assert np.isnan([found["pearson_low"], found["spearman_high"]]).all()


def test_metrics_without_values_are_left_out(made):
    results = summarize_study(made.assign(stoi=np.nan), ["pesq", "stoi", "nlpd"])
    assert results.metrics == ["pesq", "nlpd"]
    only_one = summarize_study(made, ["pesq"])
    assert len(only_one.correlations) == 0
