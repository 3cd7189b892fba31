"""``skperceptual evaluate``: what the report says, what it is made of, and what it refuses."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from skperceptual import save_audio
from skperceptual.metrics import (
    compare_correlations,
    compare_metrics,
    concordance_index,
    holm_correction,
    spearman_score,
)

FILES = ["correlations.csv", "differences.csv", "report.html", "scores.csv"]


SCORES = ["--score-column", "good:higher", "fair:lower", "noise:higher"]
GROUPED = [*SCORES, "--group", "song"]
METRICS = ["--metrics", "mse", "nlpd", "--n-mels", "64"]


# ---- numbers ------------------------------------------------------------------------------


def test_tables_hold_what_the_functions_give(judge, ratings, report):
    judge(ratings, *GROUPED, "--condition", "codec", "--baseline", "fair")
    assert sorted(path.name for path in report.iterdir()) == FILES
    found = pd.read_csv(report / "correlations.csv")
    expected = compare_metrics(
        ratings["rating"],
        ratings[["good", "fair", "noise"]],
        groups=ratings["song"],
        condition=ratings["codec"],
        baseline="fair",
        higher_is_better={"good": True, "fair": False, "noise": True},
    )
    shown = found[found["per"] == "row"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shown[expected.columns], expected)
    differences = pd.read_csv(report / "differences.csv")
    assert list(zip(differences["metric"], differences["other"], strict=True)) == [
        ("good", "fair"), ("good", "noise"), ("fair", "noise")
    ]  # fmt: skip
    signs = {"good": 1, "fair": -1, "noise": 1}
    for row in differences.itertuples():
        one, other = (signs[name] * ratings[name] for name in (row.metric, row.other))
        result = compare_correlations(ratings["rating"], one, other, groups=ratings["song"])
        assert row.difference == pytest.approx(result.difference)
        assert (row.low, row.high) == pytest.approx((result.low, result.high))
        assert row.p_value == pytest.approx(result.p_value)
    np.testing.assert_allclose(differences["p_value_holm"], holm_correction(differences["p_value"]))
    scores = pd.read_csv(report / "scores.csv")
    np.testing.assert_allclose(scores["good"], ratings["good"], rtol=1e-15)
    np.testing.assert_array_equal(scores["line"], np.arange(60) + 2)
    assert scores["left_out"].isna().all()


def test_means_of_conditions(judge, ratings, report, rng):
    codec = np.repeat(list("abcdef"), 10)
    page = judge(ratings.assign(codec=codec), *GROUPED, "--condition", "codec")
    found = pd.read_csv(report / "correlations.csv")
    means = ratings[["rating", "good", "fair"]].groupby(codec).mean()
    of_means = found[found["per"] == "mean of a condition"].set_index("metric")
    assert of_means.loc["fair", "srcc"] == pytest.approx(
        spearman_score(means["rating"], means["fair"])
    )
    assert of_means.loc["good", "n"] == 6
    assert "Agreement with the mean ratings of 6 conditions" in page.text


def test_metrics_are_scored_as_score_does(run, rated_sounds, table, report, page, read_scores):
    status, out, err = run("evaluate", rated_sounds, *METRICS, "-o", report)
    assert (status, out) == (0, ""), err
    assert sorted(path.name for path in report.iterdir()) == FILES
    scores = read_scores(report / "scores.csv")
    assert scores["left_out"].iloc[6:].tolist() == ["hidden reference", "no rating"]
    assert scores["mse"].iloc[6:].isna().all()
    expected = table.parent / "scored.csv"
    run("score", table, "--metric", "mse", "--metric", "nlpd", "--n-mels", "64", "-o", expected)
    of_score = read_scores(expected)
    np.testing.assert_array_equal(scores["nlpd"].iloc[:6], of_score["nlpd"])
    np.testing.assert_array_equal(scores["mse"].iloc[:6], of_score["mse"])
    text = page().text
    assert "Few groups: All rows come from 2 groups" in text  # the references
    assert "Hidden references: 1 of 8 rows (line 8)" in text
    assert "Rows without a rating: 1 of 8 rows (line 9)" in text
    assert "MelSpectrogram(n_mels=64)" in text
    assert "lower" in text


def test_votes_become_ratings(judge, ratings, report, rng):
    votes = {
        f"rater {k}": np.clip(np.round(ratings["rating"] + 0.5 * rng.normal(size=60)), 1, 5)
        for k in range(6)
    }
    votes["rater 0"][3] = np.nan
    frame = ratings.drop(columns="rating").assign(**votes)
    page = judge(frame, *GROUPED, "--votes", *votes)
    scores = pd.read_csv(report / "scores.csv")
    np.testing.assert_allclose(scores["rating"], frame[list(votes)].mean(axis=1))
    ceiling = pd.read_csv(report / "correlations.csv")["ceiling"].iloc[0]
    assert f"would be expected to reach about {ceiling:.2f}" in page.text
    assert "RMSE*" in page.text


def test_half_widths_give_outliers_and_a_ceiling(judge, ratings, report):
    frame = ratings.assign(ci=0.4)
    page = judge(frame, *GROUPED, "--half-width", "ci")
    assert "Outliers" in page.text
    assert pd.read_csv(report / "correlations.csv")["outlier_ratio"].notna().all()
    frame.loc[2, "ci"] = np.nan
    page = judge(frame, *GROUPED, "--half-width", "ci", "--overwrite")
    assert "The column 'ci' is empty in some rows, so it was not used" in page.text
    assert "Outliers" not in page.text


# ---- the answer ---------------------------------------------------------------------------


def test_answer_names_the_best_and_how_sure_that_is(judge, ratings, run):
    answer = judge(ratings, *GROUPED).answer
    assert answer.startswith("good agrees best with the ratings.")
    share = 100 * concordance_index(ratings["rating"], ratings["good"])
    assert f"it puts about {share:.0f} in the right order" in answer
    assert re.search(r"The next is fair with 0\.\d\d, lower by 0\.\d\d \(95 % interval", answer)
    found = re.search(r"a difference larger than chance would make it \((.*?)\)", answer)
    assert re.fullmatch(r"p [<=] 0\.0\d+, corrected for 3 comparisons", found[1])
    assert "Lower than good by more than chance: fair and noise." in answer


def test_metrics_that_are_not_told_apart(judge, ratings):
    twin = ratings["good"] + 0.001 * np.arange(60) % 7
    page = judge(ratings.assign(fair=-twin), *GROUPED)
    assert re.match(
        "(good|fair) comes out highest, but the ratings do not tell it apart from (good|fair).",
        page.answer,
    )
    assert "chance alone may have made that difference" in page.answer


def test_a_single_metric(judge, ratings):
    page = judge(ratings, "--score-column", "good:higher", "--group", "song")
    assert page.answer.startswith("good agrees with the ratings at 0.9")
    assert "differences" not in [attributes.get("id") for attributes in page.all("h2")]


def test_no_metric_agrees(judge, ratings):
    page = judge(ratings, "--score-column", "noise:higher", "--group", "song")
    assert page.answer.startswith("These ratings do not show that any of the metrics agrees")


def test_the_answer_is_told_on_the_terminal(run, tmp_path, ratings, report):
    ratings.to_csv(tmp_path / "ratings.csv", index=False)
    arguments = ["evaluate", tmp_path / "ratings.csv", *GROUPED, "-o", report]
    _, out, err = run(*arguments)
    assert out == ""
    assert "good agrees best with the ratings." in err
    assert err.splitlines()[-1] == f"{report / 'report.html'}: 60 pairs, good, fair, noise"
    assert run(*arguments, "--overwrite", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("name", "column"), [("ratings.csv", "simulated_rating"), ("Simulated.csv", "rating")]
)
def test_simulated_ratings_are_called_so(name, column, judge, ratings):
    frame = ratings.rename(columns={"rating": column})
    page = judge(frame, *GROUPED, "--rating", column, name=name)
    assert "with the simulated ratings is" in page.answer
    assert "nobody listened" in page.text
    assert (("span",), "Simulated ratings") in [(tags[-1:], word) for tags, word in page.inside]


def test_the_baseline_is_shown_overall_and_by_condition(judge, ratings):
    page = judge(ratings, *GROUPED, "--condition", "codec", "--baseline", "noise")
    assert "Rank correlation of each metric less that of the baseline, noise" in page.text
    assert "less that of the baseline, noise, in each condition" in page.text


# ---- what to keep in mind -----------------------------------------------------------------


def test_cautions(judge, ratings):
    frame = ratings.assign(same=1.0, wrong=-ratings["good"])
    frame.loc[4, "good"] = np.inf
    frame["codec"] = np.where(np.arange(60) < 9, "flat", "other")
    frame.loc[:8, "rating"] = 3.0
    columns = ["same:higher", "wrong:higher", "good:higher"]
    text = judge(frame, "--condition", "codec", "--score-column", *columns).text
    assert "No groups: Every row counts as a recording of its own." in text
    assert "Not judged: same: it gives all rows the same value." in text
    assert (
        "Wrong direction: wrong is said to be higher for better recordings, but is lower for those "
        "with better ratings." in text
    )
    assert "Conditions without a correlation: In 1 condition of 2" in text
    assert "Rows without a score: 1 of 60 rows (line 6) lack a score" in text


def test_one_group_has_no_intervals(judge, ratings):
    page = judge(ratings.assign(song="the same"), *GROUPED)
    assert "good has the highest correlation, but how sure that is cannot be said." in page.answer
    assert "One group: All rows are of one group" in page.text
    assert "nan" not in page.text.lower().split()


def test_pairs_that_cannot_be_scored(run, rated_sounds, report, page):
    rows = rated_sounds.read_text(encoding="utf-8").replace("one_2.wav", "text.wav")
    rated_sounds.write_text(rows, encoding="utf-8")
    before = set(rated_sounds.parent.iterdir())
    status, _, err = run("evaluate", rated_sounds, *METRICS, "-o", report)
    assert status == 2
    assert "line 3, degraded: 'text.wav'" in err
    assert set(rated_sounds.parent.iterdir()) == before
    status, _, err = run("evaluate", rated_sounds, *METRICS, "-o", report, "--on-error", "nan")
    assert status == 0, err
    assert "Rows without a score: 1 of 8 rows (line 3)" in page().text
    assert "From scoring: the files of 1 of 6 rows cannot be used" in page().text


def test_a_fitted_metric_may_have_seen_the_ratings(run, rated_sounds, report, page, tmp_path):
    import joblib
    from sklearn.pipeline import make_pipeline

    from skperceptual import MSE, LoadAudio, MelSpectrogram, RatingMapping

    pairs = pd.read_csv(rated_sounds).iloc[:6]
    metric = make_pipeline(LoadAudio(), MelSpectrogram(n_mels=16), MSE(), RatingMapping())
    names = pairs[["reference", "degraded"]].map(lambda name: str(rated_sounds.parent / name))
    joblib.dump(metric.fit(names, pairs["rating"]), tmp_path / "mine.joblib")
    status, _, err = run(
        "evaluate", rated_sounds, "--metrics", tmp_path / "mine.joblib", "-o", report
    )
    assert status == 0, err
    assert "Fitted metric: mine was fitted before." in page().text


# ---- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "arguments", "complaint"),
    [
        ({}, [], "there is nothing to judge"),
        ({}, ["--score-column", "good"], "does not say which scores are better: write good:higher"),
        ({}, ["--score-column", "good:up"], "does not say which scores are better"),
        ({}, ["--score-column", "gold:higher"], "no column 'gold' (did you mean 'good'?)"),
        ({}, [*SCORES, "--rating", "mos"], "no column 'mos'"),
        ({}, [*SCORES, "--group", "songs"], "no column 'songs' (did you mean 'song'?)"),
        ({}, [*SCORES, "--metrics", "nlpd"], "no column 'reference', 'degraded'"),
        ({}, [*SCORES, "--metrics", "nlpt"], "there is no metric 'nlpt'. Did you mean 'nlpd'?"),
        ({}, [*SCORES, "--baseline", "mse"], "the baseline 'mse' is none of the metrics: good"),
        ({}, [*SCORES, "good:lower"], "two metrics are named 'good'"),
        ({}, [*SCORES, "--scale", "1", "3"], "outside --scale (1, 3)"),
        ({"rating": np.nan}, SCORES, "'rating' is empty: there are no ratings"),
        ({"rating": "bad"}, SCORES, "60 ratings in the column 'rating' are no finite numbers"),
        ({"rating": 3.0}, SCORES, "all 60 ratings are 3: no metric can agree"),
        ({"good": "x"}, SCORES, "60 numbers in the column 'good' are no finite numbers"),
        ({"song": np.nan}, GROUPED, "The column 'song' is empty in 60 rows"),
        (
            {"good": np.nan, "fair": np.nan, "noise": np.nan},
            SCORES,
            "no metric has a score in a row that has a rating",
        ),
        ({"good": 1, "fair": 1, "noise": 1}, SCORES, "every metric gives the same value"),
        ({"good": 1}, [*SCORES, "--baseline", "good"], "the baseline 'good': it gives all rows"),
        ({"ci": -1}, [*SCORES, "--half-width", "ci"], "has widths below 0"),
    ],
)
def test_refusals(change, arguments, complaint, judge, ratings, report):
    err = judge(ratings.assign(**change), *arguments, status=2)
    assert complaint in " ".join(err.split())
    assert "Traceback" not in err
    assert "load_rated_pairs" not in err
    assert not report.exists()


def test_too_few_rows(judge, ratings):
    ratings.loc[3:, "rating"] = np.nan
    err = judge(ratings, *SCORES, status=2)
    assert "3 of 60 rows can be judged by, 57 left out (no rating). It takes 4" in err


def test_files_that_cannot_be_read(run, tmp_path, report):
    assert "does not exist" in run("evaluate", tmp_path / "no.csv", *SCORES, "-o", report)[2]
    (tmp_path / "latin.csv").write_bytes("rating,good\n3,é\n".encode("latin-1"))
    err = run("evaluate", tmp_path / "latin.csv", *SCORES, "-o", report)[2]
    assert "is not in UTF-8 (line 2). Save it as 'CSV UTF-8'." in err
    assert "pandas" not in err


def test_places_where_no_report_can_be(judge, ratings, report, tmp_path, run):
    report.write_text("mine", encoding="utf-8")
    assert "is a file. Name a folder" in judge(ratings, *GROUPED, status=2)
    table = tmp_path / "ratings.csv"
    nowhere = tmp_path / "no" / "where"
    status, _, err = run("evaluate", table, *GROUPED, "-o", nowhere)
    assert status == 2
    assert "does not exist. Make it first." in err


def test_the_table_is_never_replaced(run, judge, ratings, report):
    judge(ratings, *GROUPED)
    table = report / "scores.csv"
    before = table.read_bytes()
    arguments = ["evaluate", table, *SCORES, "--group", "group", "--overwrite"]
    status, _, err = run(*arguments, "-o", report)
    assert status == 2
    assert "the report would replace" in err
    assert table.read_bytes() == before
    assert run(*arguments, "-o", report.with_name("other"))[0] == 0


def test_repeated_pairs(run, rated_sounds, report):
    rows = rated_sounds.read_text(encoding="utf-8")
    rated_sounds.write_text(f"{rows}one.wav,./one_1.wav,4\n", encoding="utf-8")
    arguments = ["evaluate", rated_sounds, *METRICS, "-o", report]
    status, _, err = run(*arguments)
    assert status == 2
    assert "1 pair of 6 stands in several rows:\n  line 2, line 10\n" in err
    assert run(*arguments, "--repeated-pairs", "keep")[0] == 0
    assert len(pd.read_csv(report / "scores.csv")) == 9


def test_hidden_references_on_request(run, rated_sounds, report, page, sounds):
    save_audio(sounds / "other.wav", np.zeros(100), 16000)
    status, _, err = run(
        "evaluate", rated_sounds, *METRICS, "--hidden-references", "include", "-o", report
    )
    assert status == 0, err
    assert "Hidden references: Rows that compare a recording with itself are kept" in page().text


def test_without_matplotlib(judge, ratings, report, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    err = judge(ratings, *GROUPED, status=2)
    assert "pip install 'skperceptual[plot]'" in err
    assert not report.exists()


def test_help_needs_nothing_heavy():
    code = (
        "import sys\nfrom skperceptual.cli import main\n"
        "try: main(['evaluate', '--help'])\n"
        "except SystemExit: print({'torch', 'sklearn', 'numpy', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert printed.stdout.endswith("\nset()\n")


def test_help(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run("evaluate", "--help")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "--score-column" in out
    with contextlib.suppress(SystemExit):
        assert "required: -o/--output" in run("evaluate", "a.csv")[2]
