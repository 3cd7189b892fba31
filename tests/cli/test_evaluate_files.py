"""The folder of ``skperceptual evaluate``: all of its files or none, and what is done is kept."""

from __future__ import annotations

import pandas as pd
import pytest

from skperceptual.cli import evaluate_output, evaluate_run, score_table, scoring

FILES = ["correlations.csv", "differences.csv", "report.html", "scores.csv"]
SCORES = ["--score-column", "good:higher", "fair:lower", "noise:higher"]
GROUPED = [*SCORES, "--group", "song"]
METRICS = ["--metrics", "mse", "nlpd", "--n-mels", "64"]


def test_a_report_is_replaced_only_when_asked(judge, ratings, report):
    judge(ratings, *GROUPED)
    (report / "mine.txt").write_text("mine", encoding="utf-8")
    old = {path.name: path.read_bytes() for path in report.iterdir()}
    err = judge(ratings.iloc[:40], *GROUPED, status=2)
    assert "correlations.csv, differences.csv already" in err
    assert "--overwrite" in err
    assert {path.name: path.read_bytes() for path in report.iterdir()} == old
    judge(ratings.iloc[:40], *GROUPED, "--overwrite")
    assert sorted(path.name for path in report.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (report / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert len(pd.read_csv(report / "scores.csv")) == 40


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("where", ["page", "disk"])
def test_nothing_is_left_of_a_report_that_failed(
    where, is_new, judge, ratings, report, monkeypatch
):
    if not is_new:
        judge(ratings, *GROUPED)
    before = {path.name: path.read_bytes() for path in report.iterdir()} if not is_new else None

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    if where == "page":
        monkeypatch.setattr(evaluate_run, "make_page", fail)
    else:
        monkeypatch.setattr(evaluate_output.os, "fsync", fail)
    err = judge(ratings.iloc[:40], *GROUPED, "--overwrite", status=2)
    assert "No space left on device" in err
    if is_new:
        assert not report.exists()
    else:
        assert {path.name: path.read_bytes() for path in report.iterdir()} == before


def test_going_on_after_an_interruption(run, rated_sounds, report, monkeypatch, tmp_path):
    arguments = ["evaluate", rated_sounds, *METRICS]
    assert run(*arguments, "-o", tmp_path / "whole")[0] == 0
    monkeypatch.setattr(score_table, "_MAX_ROWS", 2)
    score_pairs, done = scoring.score_pairs, []

    def interrupt(metrics, pairs):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(pairs)
        return score_pairs(metrics, pairs)

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "score_pairs", interrupt)
        status, _, err = run(*arguments, "-o", report)
    part = report / "scores.csv.part"
    assert status == 130
    assert err.endswith(
        f"\nskperceptual: interrupted. 4 of 6 pairs are scored, and their scores kept in '{part}'. "
        "The same command goes on from there.\n"
    )
    assert [path.name for path in report.iterdir()] == [part.name]
    status, _, err = run(*arguments, "-o", report)
    assert status == 0
    assert f"note: going on after 4 pairs, whose scores are in '{part}'" in err
    assert sorted(path.name for path in report.iterdir()) == FILES
    for name in FILES:
        if name.endswith(".csv"):
            assert (report / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_an_interruption_while_judging_keeps_the_scores(run, rated_sounds, report, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluate_run, "judge", interrupt)
        status, _, err = run("evaluate", rated_sounds, *METRICS, "-o", report)
    assert status == 130
    assert "6 of 6 pairs are scored" in err
    monkeypatch.setattr(scoring, "score_pairs", interrupt)
    assert run("evaluate", rated_sounds, *METRICS, "-o", report)[0] == 0
