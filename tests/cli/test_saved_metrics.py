"""Fitted metrics in files, by ``score --metric metric.joblib``."""

from __future__ import annotations

import warnings
from itertools import pairwise

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from skperceptual import (
    MSE,
    NLPD,
    SSIM,
    AlignPairs,
    LoadAudio,
    MelSpectrogram,
    RatingMapping,
    ViSQOL,
    base,
)
from skperceptual.cli.errors import CommandError
from skperceptual.cli.metrics import saved_metric
from skperceptual.cli.options import Reading


@pytest.fixture
def files(table) -> pd.DataFrame:
    names = pd.read_csv(table)[["reference", "degraded"]]
    return str(table.parent) + "/" + names


@pytest.fixture
def ratings(files) -> np.ndarray:
    return np.array([5.0, 4.0, 3.0, 4.5, 3.5, 2.5])


@pytest.fixture
def score(run, read_scores, table):
    def score_table(*arguments):
        output = table.parent / "scores.csv"
        status, _, err = run("score", table, "-o", output, *arguments)
        assert (status, err) == (0, f"{output}: 6 pairs, {_names(arguments)}\n")
        return read_scores(output)

    return score_table


def _names(arguments) -> str:
    named = [value for flag, value in pairwise(arguments) if flag == "--metric"]
    return ", ".join(getattr(name, "stem", name) for name in named)


def test_pipeline_that_begins_with_files(score, files, ratings, tmp_path):
    metric = make_pipeline(LoadAudio(), MelSpectrogram(n_mels=64), NLPD(), RatingMapping())
    joblib.dump(metric.fit(files, ratings), tmp_path / "fitted.joblib")
    # it reads files in its own way, whatever is asked of the others
    scores = score("--metric", tmp_path / "fitted.joblib", "--metric", "mse", "--sr", "8000")
    np.testing.assert_array_equal(scores["fitted"], metric.predict(files))
    other = make_pipeline(LoadAudio(sr=8000), MelSpectrogram(sr=8000), MSE())
    np.testing.assert_array_equal(scores["mse"], other.transform(files)[:, 0])


def test_pipeline_that_begins_with_a_front_end(score, files, ratings, tmp_path):
    metric = make_pipeline(MelSpectrogram(sr=8000), make_union(MSE(), NLPD()), Ridge())
    metric.fit(LoadAudio(sr=8000).transform(files), ratings)
    joblib.dump(metric, tmp_path / "front.joblib")
    scores = score("--metric", tmp_path / "front.joblib", "--offset", "0.1")
    expected = metric.predict(LoadAudio(sr=8000, offset_seconds=0.1).transform(files))
    np.testing.assert_allclose(scores["front"], expected, rtol=1e-12)


def test_pipeline_without_ratings_gives_what_it_transforms_to(score, files, tmp_path):
    metric = make_pipeline(LoadAudio(), "passthrough", MelSpectrogram(), NLPD(n_levels=4))
    joblib.dump(metric.fit(files), tmp_path / "distance.joblib")
    scores = score("--metric", tmp_path / "distance.joblib")
    np.testing.assert_array_equal(scores["distance"], metric.transform(files)[:, 0])


def test_search(score, files, ratings, tmp_path):
    pipeline = make_pipeline(LoadAudio(), MelSpectrogram(), NLPD(), RatingMapping())
    search = GridSearchCV(pipeline, {"nlpd__n_levels": [2, 3]}, cv=2).fit(files, ratings)
    joblib.dump(search, tmp_path / "search.joblib")
    scores = score("--metric", tmp_path / "search.joblib")
    np.testing.assert_array_equal(scores["search"], search.predict(files))


def test_align_goes_before_a_front_end_alone(files, ratings, tmp_path):
    metric = make_pipeline(MelSpectrogram(sr=8000), NLPD(), RatingMapping())
    metric.fit(LoadAudio(sr=8000).transform(files), ratings)
    whole = make_pipeline(LoadAudio(sr=8000), *metric)
    joblib.dump(metric, tmp_path / "front.joblib")
    joblib.dump(whole, tmp_path / "whole.joblib")
    steps = [
        [step.estimator for step in saved_metric(tmp_path / name, Reading(align=True)).steps]
        for name in ("front.joblib", "whole.joblib")
    ]
    assert [type(step) for step in steps[0][:3]] == [LoadAudio, AlignPairs, MelSpectrogram]
    assert {step.sr for step in steps[0][:3]} == {8000}
    assert len(steps[1]) == len(whole)


def test_visqol_reads_whole_files_at_the_rate_that_it_resamples_from(
    score, files, ratings, tmp_path
):
    load = LoadAudio(sr=24000, unequal="keep")
    metric = ViSQOL(resample_from=24000, model="fit", regressor="monotone")
    metric.fit(load.transform(files), ratings)
    joblib.dump(metric, tmp_path / "fitted.joblib")
    scores = score("--metric", tmp_path / "fitted.joblib", "--align")
    np.testing.assert_array_equal(scores["fitted"], metric.predict(load.transform(files)))


def test_two_rates_are_refused(files, ratings, tmp_path):
    metric = ViSQOL(resample_from=(24000, 16000)).fit(
        [tuple(pair) for pair in 0.1 * np.ones((1, 2, 50000))]
    )
    joblib.dump(metric, tmp_path / "two.joblib")
    with pytest.raises(CommandError, match="at two rates, and files are read at one"):
        saved_metric(tmp_path / "two.joblib", Reading())


def test_name_may_be_any_path(score, files, tmp_path, monkeypatch):
    metric = make_pipeline(LoadAudio(), MelSpectrogram(), SSIM()).fit(files)
    monkeypatch.chdir(tmp_path)
    joblib.dump(metric, "plain")
    scores = score("--metric", "plain", "--metric", "ssim")
    np.testing.assert_array_equal(scores["plain"], scores["ssim"])


def dump_images(path, files):
    joblib.dump(make_pipeline(NLPD()).fit(np.random.default_rng(0).random((1, 2, 64, 64))), path)


def dump_function(path, files):
    joblib.dump(make_pipeline(FunctionTransformer(), NLPD()), path)


def dump_unfitted(path, files):
    joblib.dump(make_pipeline(LoadAudio(), MelSpectrogram(), RatingMapping()), path)


def dump_unfitted_search(path, files):
    joblib.dump(GridSearchCV(make_pipeline(LoadAudio(), RatingMapping()), {}), path)


def dump_dictionary(path, files):
    joblib.dump({"a": 1}, path)


def dump_nothing(path, files):
    path.write_bytes(b"")


def dump_text(path, files):
    path.write_text("hello world", encoding="utf-8")


def dump_foreign(path, files):
    path.write_bytes(b"\x80\x04cno_such_package\nModel\n.")


@pytest.mark.parametrize(
    ("dump", "complaint"),
    [
        (dump_images, "begins with NLPD, which reads neither file names nor pairs of signals"),
        (dump_function, "begins with FunctionTransformer, which reads neither"),
        (dump_unfitted, "is not fitted. Save it after fit."),
        (dump_unfitted_search, "is not fitted. Save it after fit."),
        (dump_dictionary, "is of type dict, and neither predicts nor transforms"),
        (dump_nothing, "cannot be opened as a metric saved with joblib (EOFError"),
        (dump_text, "cannot be opened as a metric saved with joblib ("),
        (dump_foreign, "No module named 'no_such_package'"),
    ],
)
def test_file_that_holds_no_such_metric(dump, complaint, run, table, files, tmp_path):
    dump(tmp_path / "bad.joblib", files)
    status, out, err = run("score", table, "--metric", tmp_path / "bad.joblib")
    assert (status, out) == (2, "")
    assert err.startswith("skperceptual: error: ")
    assert complaint in err
    assert "bad.joblib" in err
    assert len(err.splitlines()) == 1


def test_missing_file(run, table, tmp_path):
    status, _, err = run("score", table, "--metric", tmp_path / "gone.joblib")
    assert status == 2
    assert err == f"skperceptual: error: {tmp_path}/gone.joblib: No such file or directory\n"


class Faulty(MSE):
    """A step of the user's own, with a bug, or with more to say than one number."""

    def transform(self, X):
        if len(self.gives) == 0:
            return X.no_such_attribute
        return np.array([self.gives])

    gives: tuple = ()


@pytest.mark.parametrize(
    ("gives", "complaint"),
    [
        ((), "AttributeError: 'list' object has no attribute 'no_such_attribute'"),
        ((1.0, 2.0), "It gives 2 values a pair, where one is expected."),
        (("good",), "It gives 'good', where a number is expected."),
    ],
)
def test_metric_that_fails(gives, complaint, run, table, files, tmp_path, monkeypatch):
    metric = make_pipeline(LoadAudio(), MelSpectrogram(), Faulty()).fit(files)
    monkeypatch.setattr(Faulty, "gives", gives)
    monkeypatch.setattr("joblib.load", lambda path: metric)
    (tmp_path / "faulty.joblib").touch()
    status, _, err = run("score", table, "--metric", tmp_path / "faulty.joblib", "--metric", "mse")
    assert status == 2
    assert f"faulty: {complaint}" in err
    status, out, err = run(
        "score", table, "--metric", tmp_path / "faulty.joblib", "--metric", "mse", "--on-error=nan"
    )
    assert status == 0
    assert f"left empty: faulty: {complaint}" in err
    assert all(line.split(",")[-2] == "" for line in out.splitlines()[1:])


def test_version_that_wrote_it_is_told(run, table, files, tmp_path, monkeypatch):
    metric = make_pipeline(LoadAudio(), MelSpectrogram(), SSIM()).fit(files)
    with monkeypatch.context() as patch:
        patch.setattr(base, "__version__", "0.0.1")
        joblib.dump(metric, tmp_path / "old.joblib")
    status, _, err = run("score", table, "--metric", tmp_path / "old.joblib", "-o", tmp_path / "o")
    assert status == 0
    notes = [line for line in err.splitlines() if line.startswith("note: old")]
    assert len(notes) == 1
    assert "saved by skperceptual 0.0.1" in notes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", base.VersionWarning)
        assert joblib.load(tmp_path / "old.joblib")
