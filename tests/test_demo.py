"""The demonstration: what it compares, what it says, what it writes."""

from __future__ import annotations

import json
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skperceptual import MSE, NLPD, SSIM, LoadAudio, NLPDRegressor, load_audio
from skperceptual.datasets import make_rated_music
from skperceptual.demo import run, run_demo, write_rated_music
from skperceptual.demo.comparison import (
    CEILING,
    TABLE_1,
    TABLE_2,
    agreement_values,
    correlate,
    format_table,
    held_out_values,
    make_metrics,
)
from skperceptual.demo.published import (
    ALL,
    CONDITIONS,
    TABLE_1 as PAPER_TABLE_1,
    TABLE_2 as PAPER_TABLE_2,
    published_correlation,
)

TINY = run.Settings(10, n_mels=176, hop_length=376, n_folds=3, max_epochs=2)


# ---- files ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def music() -> Bunch:
    return make_rated_music(n_songs=3, clips_per_song=2, duration_seconds=0.5, random_state=0)


def test_files_hold_the_music_to_the_last_bit(music, tmp_path):
    table = write_rated_music(tmp_path, music)
    assert len(list(tmp_path.glob("audio/*.wav"))) == 3 * 2 * 5
    pairs = LoadAudio(sr=music.sr, folder=tmp_path, duration_seconds=0.5).transform(table)
    np.testing.assert_array_equal(pairs, music.pairs)


def test_table_is_readable_and_says_that_ratings_are_simulated(music, tmp_path):
    table = write_rated_music(tmp_path / "new" / "folder", music)
    saved = pd.read_csv(tmp_path / "new" / "folder" / "simulated_ratings.csv")
    pd.testing.assert_frame_equal(saved, table, check_dtype=False)
    assert [name for name in table if "rating" in name] == [
        "simulated_rating",
        "simulated_reference_rating",
    ]


# ---- the paper's figures ----------------------------------------------------------------------


def test_published_figures_are_turned_so_that_positive_is_agreement(shared):
    facts = json.loads((shared / "facts" / "pmqd.json").read_text(encoding="utf-8"))
    published = facts["published_spearman"]
    order = ["waveshape", "lowpass", "limiter", "noise", "all"]
    assert published["columns"] == order
    signs = {"SSIM": -1, "MS-SSIM": -1, "ViSQOL": -1}
    for name, row in published["table1"].items():
        ours = {"MS_SSIM": "MS-SSIM", "NLPD": "NLPD image"}.get(name, name)
        np.testing.assert_allclose(PAPER_TABLE_1[ours], signs.get(ours, 1) * np.array(row))
    names = {"original": "image", "no_dn": "none", "all_ones": "ones"}
    for name, row in published["table2_nlpd"].items():
        assert list(PAPER_TABLE_2[f"NLPD {names.get(name, name)}"]) == row


def test_published_correlation_of_what_the_paper_lacks():
    assert published_correlation("MSE", ALL) == 0.483
    assert published_correlation("PESQ", ALL) is None
    assert published_correlation("MSE", "codec") is None


# ---- values on songs held out -----------------------------------------------------------------


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    rng = np.random.default_rng(0)
    references = rng.random((24, 32, 32))
    noise = np.linspace(0.01, 0.5, 24)[:, None, None] * rng.standard_normal((24, 32, 32))
    return np.stack([references, references + noise], axis=1)


RATINGS = np.linspace(5, 1, 24)


def split(n_folds=3):
    groups = np.arange(24) % 12
    return list(GroupKFold(n_folds).split(RATINGS, groups=groups))


@pytest.mark.parametrize("metric", [MSE(), SSIM(), NLPD(n_levels=3)])
def test_what_learns_nothing_keeps_its_values(metric, images):
    values = held_out_values(metric, images, RATINGS, split())
    sign = 1 if metric.higher_is_better else -1
    np.testing.assert_array_equal(values, sign * metric.transform(images)[:, 0])
    assert spearmanr(values, RATINGS).statistic > 0.9


def test_what_learns_is_fitted_without_the_songs_that_it_values(images):
    metric = NLPD(n_levels=3, normalization="statistical")
    folds = split()
    values = held_out_values(metric, images, RATINGS, folds)
    for train, test in folds:
        fitted = metric.fit(images[train])
        on_train = agreement_values(fitted, images[train])
        expected = agreement_values(fitted, images[test])
        np.testing.assert_allclose(
            values[test], (expected - on_train.mean()) / on_train.std(), rtol=1e-9
        )


def test_ratings_of_the_songs_held_out_are_never_seen(images):
    metric = NLPDRegressor(n_levels=3, solver="lbfgs", max_epochs=3, increasing=False)
    (train, test), *_ = split()
    shuffled = RATINGS.copy()
    shuffled[test] = shuffled[test][::-1]
    values = [held_out_values(metric, images, y, [(train, test)]) for y in (RATINGS, shuffled)]
    np.testing.assert_array_equal(values[0][test], values[1][test])
    assert np.isnan(values[0][train]).all()


def test_condition_reaches_the_perceptual_fit(images):
    metric = NLPDRegressor(n_levels=3, solver="lbfgs", max_epochs=3, increasing=False)
    condition = np.where(np.arange(24) < 12, "loud", "soft")
    together, apart = (
        held_out_values(metric, images, RATINGS, split(), condition=labels)
        for labels in (None, condition)
    )
    assert np.abs(together - apart).max() > 1e-6


# ---- the tables -------------------------------------------------------------------------------


def rated(n_songs=12) -> Bunch:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(n_songs), 2)
    return Bunch(
        target=rng.integers(1, 6, size=2 * n_songs).astype(float),
        groups=groups,
        condition=np.tile(["noise", "lowpass"], n_songs),
    )


def test_correlations_are_those_of_scipy_with_the_paper_beside_them():
    data = rated()
    values = pd.DataFrame({"MSE": data.target + np.random.default_rng(2).normal(size=24)})
    table = correlate(values, data).set_index("condition")
    assert list(table.index) == ["noise", "lowpass", ALL]
    for condition, row in table.iterrows():
        kept = (data.condition == condition) | (condition == ALL)
        expected = spearmanr(values["MSE"][kept], data.target[kept])
        assert row["spearman"] == pytest.approx(expected.statistic)
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["low"] < row["spearman"] < row["high"]
        assert row["paper"] == PAPER_TABLE_1["MSE"][CONDITIONS.index(condition)]
    assert list(table["n_pairs"]) == [12, 12, 24]
    assert list(table["n_songs"]) == [12, 12, 12]


def test_pairs_without_a_value_are_left_out():
    data = rated()
    values = pd.DataFrame({"MSE": np.r_[[np.nan] * 4, np.arange(20.0)]})
    table = correlate(values, data).set_index("condition")
    assert list(table["n_pairs"]) == [10, 10, 20]


def test_constant_ratings_have_no_correlation():
    data = rated()
    data.target = np.where(data.condition == "noise", 3.0, data.target)
    table = correlate(pd.DataFrame({"other": np.arange(24.0)}), data).set_index("condition")
    assert table.loc["noise", ["spearman", "low", "high", "p"]].isna().all()
    assert table.loc[["lowpass", ALL], "spearman"].notna().all()
    assert table["paper"].isna().all()


def test_layout_of_a_table():
    rows = [
        ("MSE", "noise", 0.5, -0.1, 0.75, 0.641),
        ("MSE", ALL, -0.25, -0.5, 0.0, 0.483),
        (CEILING, "noise", 0.9, 0.8, 1.0, np.nan),
        (CEILING, ALL, 0.8, 0.7, 0.9, np.nan),
    ]
    columns = ["metric", "condition", "spearman", "low", "high", "paper"]
    lines = format_table(pd.DataFrame(rows, columns=columns), ("MSE", CEILING)).splitlines()
    assert [line.split() for line in lines] == [
        ["noise", "all"],
        ["MSE", "0.50", "-0.25"],
        ["95", "%", "interval", "-0.10", "0.75", "-0.50", "0.00"],
        ["the", "paper,", "PMQD", "0.64", "0.48"],
        ["ceiling", "0.90", "0.80"],
        ["95", "%", "interval", "0.80", "1.00", "0.70", "0.90"],
    ]
    assert len({len(line) for line in lines}) == 1


# ---- the demonstration ------------------------------------------------------------------------


class Transcript:
    def __init__(self) -> None:
        self.text = ""

    def __call__(self, text: str = "", end: str = "\n", flush: bool = False) -> None:
        self.text += text + end


@pytest.fixture(scope="module")
def tiny_demo(tmp_path_factory):
    folder, say = tmp_path_factory.mktemp("demo"), Transcript()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_QUICK", TINY)
        result = run_demo(folder, quick=True, say=say)
    return folder, say.text, result


def test_demo_writes_what_it_lists(tiny_demo):
    folder, text, _ = tiny_demo
    listed = text.split(f"{folder}/:\n")[1].split("\n\n")[0].splitlines()
    assert {line.split()[0] for line in listed} == {path.name for path in folder.iterdir()}
    assert len(list(folder.glob("audio/*.wav"))) == 10 * 5
    pictures = ("correlations.png", "ratings.png", "filters.png")
    assert all((folder / name).stat().st_size > 10_000 for name in pictures)


def test_demo_says_that_ratings_are_simulated(tiny_demo):
    folder, text, _ = tiny_demo
    tables = [line for line in text.splitlines() if line.startswith("Table")]
    assert len(tables) == 2
    assert all("SIMULATED" in line for line in [*tables, text.splitlines()[1]])
    for file in ("values.csv", "simulated_ratings.csv", "correlations.csv"):
        names = list(pd.read_csv(folder / file))
        assert all("simulated" in name for name in names if "rating" in name or "spear" in name)
    assert "spearman_with_simulated_rating" in names


def test_demo_compares_every_metric_with_the_paper_and_the_ceiling(tiny_demo):
    folder, text, result = tiny_demo
    names = list(make_metrics())
    assert list(result.metric_values) == names
    assert {*TABLE_1, *TABLE_2} == set(names)
    tables = text.split("Table 1.")[1].split("\n4. ")[0]
    assert all(f"\n  {name} " in tables for name in [*names, CEILING])
    assert tables.count("the paper, PMQD") == len(TABLE_1) + len(TABLE_2)
    saved = pd.read_csv(folder / "values.csv")
    np.testing.assert_allclose(saved[names], result.metric_values[names])
    assert len(saved) == 40
    over_all = result.correlations[result.correlations["condition"] == ALL]
    over_all = over_all.set_index("metric")["spearman"]
    assert over_all[names].idxmax() == result.best
    assert over_all[CEILING] > 0.7


def test_saved_metric_works_as_the_demo_says(tiny_demo):
    folder, text, result = tiny_demo
    lines = [line.strip() for line in text.splitlines()[-3:]]
    assert [line.split("(")[0] for line in lines] == [
        "import joblib",
        "metric = joblib.load",
        "metric.predict",
    ]
    pairs = result.data.pairs
    clean, noisy = pairs[result.data.condition == "noise"].iloc[0]
    names = {}
    exec("\n".join(lines[:2]), names)
    same, degraded = names["metric"].predict([(clean, clean), (clean, noisy)])
    assert same > degraded
    again = joblib.load(folder / "metric.joblib").predict(pairs)
    assert np.corrcoef(again, result.data.target)[0, 1] > 0.5


def test_demo_is_the_same_for_the_same_seed(tiny_demo, tmp_path, monkeypatch):
    folder, _, result = tiny_demo
    monkeypatch.setattr(run, "_QUICK", TINY)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    say = Transcript()
    again = run_demo(tmp_path, quick=True, say=say)
    pd.testing.assert_frame_equal(again.metric_values, result.metric_values)
    for name in ("values.csv", "correlations.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    last = [run_data.pairs["degraded"].iloc[-1] for run_data in (again.data, result.data)]
    np.testing.assert_array_equal(load_audio(last[0])[0], load_audio(last[1])[0])
    # and without matplotlib it leaves out the pictures, and says how to get them
    assert "pip install 'skperceptual[plot]'" in say.text
    assert not list(tmp_path.glob("*.png"))
    assert "ratings.png" not in say.text


def test_any_metric_can_be_the_best_and_saved(tiny_demo):
    _, _, result = tiny_demo
    few = Bunch(pairs=result.data.pairs[:8], target=result.data.target[:8])
    front_end = make_pipeline(LoadAudio(), run.MelSpectrogram(n_mels=176, hop_length=376))
    for name, metric in make_metrics(max_epochs=1).items():
        fitted = run._fit_best(metric, front_end, few)
        assert np.isfinite(fitted.predict(few.pairs)).all(), name


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("arguments", [["--quick"], []], ids=["quick", "full"])
def test_whole_demo(arguments, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "skperceptual.cli", "demo", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    table = pd.read_csv(tmp_path / "skperceptual-demo" / "correlations.csv")
    over_all = table[table["condition"] == ALL]
    assert (over_all["spearman_with_simulated_rating"] > 0.4).all()
