"""An interruption costs the chunk in work and nothing else; other inputs are refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skperceptual import MSE, NLPDRegressor, RatingMapping
from skperceptual.evaluation import chunked_prediction, predict_chunked


@pytest.fixture
def output(tmp_path):
    return tmp_path / "scores.csv"


@pytest.fixture
def part(tmp_path):
    return tmp_path / "scores.csv.part"


def read(path):
    """Read a file of results, each number exactly as it is written; pandas rounds some."""
    table = pd.read_csv(path, dtype=str).fillna("nan")
    return {name: np.array([float(cell) for cell in table[name]]) for name in table}


def interrupt(estimator, X, output, *, after, **options):
    estimator.rows_left = after
    with pytest.raises(KeyboardInterrupt):
        predict_chunked(estimator, X, output=output, **options)
    estimator.rows_left = np.inf
    estimator.seen = []


# -- going on ------------------------------------------------------------------------------------


def test_the_file_of_a_call_without_interruption(make_sums, rng, output, tmp_path):
    X = rng.normal(size=(10, 3))
    found = predict_chunked(make_sums().fit(), X, chunk_size=4, output=output)
    assert_array_equal(found, X.sum(axis=1), strict=True)
    table = read(output)
    assert list(table) == ["row", "predict"]
    assert_array_equal(table["row"], np.arange(10))
    assert_array_equal(table["predict"], found)
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("after", [0, 4, 8, 12, 16])
@pytest.mark.parametrize("chunk_size", [4, 3, 100])
def test_an_interruption_at_every_chunk(make_sums, rng, output, part, after, chunk_size):
    X = rng.normal(size=(18, 3))
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=after, chunk_size=4)
    assert part.exists() == (after > 0)  # nothing is left of what was not begun
    assert not output.exists()
    found = predict_chunked(estimator, X, chunk_size=chunk_size, output=output)
    assert sum(estimator.seen) == 18 - after
    assert_array_equal(found, X.sum(axis=1), strict=True)
    assert_array_equal(read(output)["predict"], found)
    assert not part.exists()


def test_interruption_upon_interruption(make_sums, rng, output, capsys):
    X = rng.normal(size=(20, 3))
    estimator = make_sums().fit()
    for chunk_size in (3, 1, 4, 2):
        interrupt(estimator, iter(X), output, after=4, chunk_size=chunk_size)
    capsys.readouterr()
    found = predict_chunked(estimator, X, output=output, verbose=1)
    assert estimator.seen == [20 - 3 - 4 - 4 - 4]
    assert_array_equal(found, X.sum(axis=1), strict=True)
    assert "| 15/20" in capsys.readouterr().err


def test_an_interruption_within_a_line(make_sums, output, part):
    X = np.arange(8.0)[:, np.newaxis] / 3
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=6, chunk_size=2)
    whole = part.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    assert len(ends) == 4  # what is computed, and three chunks
    for length in range(len(whole) + 1):
        if length % 5 and not any(abs(length - end) < 3 for end in ends):
            continue
        part.write_bytes(whole[:length])
        found = predict_chunked(estimator, X, chunk_size=2, output=output)
        assert_array_equal(found, X[:, 0], strict=True)
        n_done = max(sum(length >= end for end in ends) - 1, 0)
        assert sum(estimator.seen) == 8 - 2 * n_done, length
        assert len(pd.read_csv(output)) == 8
        estimator.seen = []
        output.unlink()


@pytest.mark.parametrize("rubbish", [b"\0" * 300, b"\0" * 300 + b"\n", b"[1, 2", b"\xff\n\n\n"])
def test_rubbish_at_the_end_as_after_a_power_failure(make_sums, output, part, rubbish):
    X = np.arange(8.0)[:, np.newaxis]
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=4, chunk_size=2)
    part.write_bytes(part.read_bytes() + rubbish)
    interrupt(estimator, X, output, after=2, chunk_size=2)
    assert_array_equal(predict_chunked(estimator, X, chunk_size=2, output=output), X[:, 0])
    assert estimator.seen == [2]


def test_a_damaged_line_is_computed_again(make_sums, output, part):
    X = np.arange(8.0)[:, np.newaxis] + 0.125
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=6, chunk_size=2)
    lines = part.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"2.125", b"7.125")
    part.write_bytes(b"".join(lines))
    assert_array_equal(predict_chunked(estimator, X, output=output), X[:, 0])
    assert estimator.seen == [2, 2]


def test_a_process_that_is_killed(make_sums, output, part, tmp_path):
    program = """
import sys, time
import numpy as np
from sklearn.base import BaseEstimator
from skperceptual.evaluation import predict_chunked

class Slow(BaseEstimator):
    def fit(self, X=None, y=None):
        self.is_fitted_ = True
        return self
    def predict(self, X):
        if sys.argv[2] == "slow" and X[0] >= 4:
            time.sleep(60)
        print(X[0], flush=True)
        return X / 7

found = predict_chunked(Slow().fit(), np.arange(8), chunk_size=2, output=sys.argv[1])
assert np.array_equal(found, np.arange(8) / 7)
"""
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, str(path), str(output)]
    with subprocess.Popen([*command, "slow"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() + process.stdout.readline() == b"0\n2\n"
        end = time.monotonic() + 10
        while part.read_bytes().count(b"\n") < 3 and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
    done = subprocess.run([*command, "fast"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["4", "6"]
    assert_array_equal(read(output)["predict"], np.arange(8) / 7)


def test_chunks_that_were_done_out_of_order(make_sums, output, part, rng):
    X = rng.normal(size=(20, 3))
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=18, chunk_size=2)
    header, *lines = part.read_bytes().splitlines(keepends=True)
    kept = [lines[index] for index in (7, 1, 2, 5)]
    part.write_bytes(header + b"".join(kept))
    with parallel_config("threading", n_jobs=3):
        found = predict_chunked(estimator, X, chunk_size=3, output=output)
    assert_array_equal(found, X.sum(axis=1), strict=True)
    assert sum(estimator.seen) == 20 - 8


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a process")
def test_workers_that_are_interrupted(tmp_path, output):
    program = """
import signal, sys, time
import numpy as np
from sklearn.base import BaseEstimator
from skperceptual.evaluation import predict_chunked

class Slow(BaseEstimator):
    def fit(self, X=None, y=None):
        self.is_fitted_ = True
        return self
    def predict(self, X):
        time.sleep(0.05)
        return X / 7

if __name__ == "__main__":
    # Under a shell that runs tests in the background it would ignore interruptions.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    X = np.arange(400)
    options = dict(chunk_size=2, n_jobs=2, output=sys.argv[1])
    print("ready", flush=True)
    try:
        predict_chunked(Slow().fit(), X, **options)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        found = predict_chunked(Slow().fit(), X, **options)
        assert np.array_equal(found, X / 7)
        print("done")
"""
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    part = tmp_path / "scores.csv.part"
    command = [sys.executable, str(path), str(output)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            end = time.monotonic() + 60
            while not (part.exists() and part.read_bytes().count(b"\n") > 5):
                assert time.monotonic() < end
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
            assert process.communicate(timeout=60) == ("interrupted\ndone\n", "")
        finally:
            process.kill()
    assert_array_equal(pd.read_csv(output)["row"], np.arange(400))


# -- the same inputs -----------------------------------------------------------------------------


def test_other_inputs_are_refused(make_sums, output, part, monkeypatch):
    X = np.arange(8.0)[:, np.newaxis]
    estimator = make_sums().fit()
    interrupt(estimator, X, output, after=6, chunk_size=2)
    before = part.read_bytes()
    changed = X.copy()
    changed[3] = np.nextafter(3, 4)
    for wrong in (changed, X[:5], X[:3], X.astype(np.float32), iter(changed)):
        for n_jobs in (1, 2):
            with (
                parallel_config("threading"),
                pytest.raises(ValueError, match=r"another X: rows \d to \d have changed"),
            ):
                predict_chunked(estimator, wrong, chunk_size=2, n_jobs=n_jobs, output=output)
    with pytest.raises(ValueError, match=r"another estimator \(parameters or fitted state\)\. "):
        predict_chunked(make_sums(dtype="float32").fit(), X, output=output)
    with pytest.raises(ValueError, match=r"another estimator .* and another method"):
        predict_chunked(make_sums(n_columns=1).fit(), X, method="fit", output=output)
    with pytest.raises(ValueError, match=r"scores.csv.part' holds .* another method\. .* delete"):
        predict_chunked(estimator, X, method="set_params", output=output)
    monkeypatch.setattr("skperceptual.evaluation.chunked_prediction.__version__", "99")
    with pytest.raises(ValueError, match="another version of skperceptual"):
        predict_chunked(estimator, X, output=output)
    monkeypatch.undo()
    assert part.read_bytes() == before
    assert_array_equal(predict_chunked(estimator, X, output=output), X[:, 0])
    assert estimator.seen == [2]


def test_x_may_have_grown(make_sums, output):
    X = np.arange(9.0)[:, np.newaxis]
    estimator = make_sums().fit()
    interrupt(estimator, X[:5], output, after=4, chunk_size=2)
    assert_array_equal(predict_chunked(estimator, X, chunk_size=2, output=output), X[:, 0])


def test_names_are_the_same_in_every_form_of_a_list(output, make_sums, monkeypatch):
    def lengths(X):
        return [[len(str(name)) for name in row] for row in X]

    names = [(f"{row}.wav", f"n{row}.wav") for row in range(6)]
    monkeypatch.setattr(make_sums, "numbers", staticmethod(lengths))
    estimator = make_sums().fit()
    interrupt(estimator, names, output, after=2, chunk_size=2)
    interrupt(estimator, np.array(names), output, after=2, chunk_size=2)
    paths = [tuple(map(Path, row)) for row in names]
    predict_chunked(estimator, iter(paths), output=output)
    assert estimator.seen == [2]


def test_tables_are_known_by_what_is_in_them(output, make_sums, monkeypatch):
    def lengths(X):
        return X["file"].str.len().to_numpy()[:, np.newaxis]

    monkeypatch.setattr(make_sums, "numbers", staticmethod(lengths))
    table = pd.DataFrame({"file": ["a", "bb", "ccc", "dddd"], "rating": [1.0, 2.0, np.nan, 4.0]})
    estimator = make_sums().fit()
    interrupt(estimator, table, output, after=2, chunk_size=2)
    for wrong in (table.rename(columns={"rating": "mos"}), table.assign(rating=0.0)):
        with pytest.raises(ValueError, match="of another X"):
            predict_chunked(estimator, wrong, output=output)
    again = pd.DataFrame({name: table[name].to_numpy() for name in table}, index=list("wxyz"))
    assert_array_equal(predict_chunked(estimator, again, output=output), [1, 2, 3, 4])


def test_an_estimator_is_known_again_in_another_process(tmp_path, rng):
    images = rng.random((12, 2, 16, 16))
    images[:, 1] = images[:, 0] * np.linspace(1, 0.5, 12)[:, np.newaxis, np.newaxis]
    ratings = np.linspace(5, 1, 12)
    estimators = {
        "mapped": make_pipeline(MSE(), RatingMapping()),
        "fitted": NLPDRegressor(n_levels=1, max_epochs=2, random_state=0),
    }
    program = """
import sys, joblib, numpy as np
from skperceptual.evaluation import predict_chunked
for name in sys.argv[2:]:
    for mmap_mode in (None, "r"):
        metric = joblib.load(f"{sys.argv[1]}/{name}.joblib", mmap_mode=mmap_mode)
        print(joblib.hash(metric, coerce_mmap=True))
"""
    for name, estimator in estimators.items():
        joblib.dump(estimator.fit(images, ratings), tmp_path / f"{name}.joblib")
        before = joblib.hash(estimator, coerce_mmap=True)
        estimator.predict(images)
        again = clone(estimator).fit(images.copy(), ratings.copy())
        assert joblib.hash(estimator, coerce_mmap=True) == before
        assert joblib.hash(again, coerce_mmap=True) == before
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *estimators],
        check=True,
        capture_output=True,
        text=True,
    )
    here = [joblib.hash(e, coerce_mmap=True) for e in estimators.values() for _ in range(2)]
    assert done.stdout.split() == here


def test_an_estimator_that_cannot_be_known_again(output, rng):
    double = make_pipeline(FunctionTransformer(lambda X: 2 * X))
    X = rng.random((5, 2))
    with pytest.raises(ValueError, match=r"cannot be recognised by a later call.*output=None"):
        predict_chunked(double, X, method="transform", output=output)
    assert_array_equal(predict_chunked(double, X, method="transform"), 2 * X)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "bool", "uint8", "U9"])
def test_values_come_back_to_the_last_bit(make_sums, output, dtype):
    X = np.array([0.1, 1 / 3, -0.0, 5e-324, 1.7e308, np.pi, 2.0, 0.0])[:, np.newaxis]
    if np.dtype(dtype).kind == "f":
        X = np.vstack([X, [[np.nan], [np.inf], [-np.inf]]])
    with np.errstate(all="ignore"):
        X = X.astype(dtype).astype(float) if dtype != "U9" else X
        estimator = make_sums(dtype=dtype).fit()
        expected = estimator.predict(X)
    interrupt(estimator, X, output, after=6, chunk_size=2)
    found = predict_chunked(estimator, X, chunk_size=2, output=output)
    assert_array_equal(found, expected, strict=True)
    if found.dtype.kind == "f":
        assert_array_equal(np.signbit(found), np.signbit(expected))
        table = read(output)["predict"]
        assert_array_equal(table.astype(dtype), expected)


@pytest.mark.parametrize(
    ("n_columns", "names"), [(None, ["predict"]), (1, ["predict"]), (2, ["predict_0", "predict_1"])]
)
def test_columns(make_sums, output, n_columns, names):
    estimator = make_sums(n_columns=n_columns).fit()
    X = np.arange(5.0)[:, np.newaxis]
    interrupt(estimator, X, output, after=2, chunk_size=2)
    found = predict_chunked(estimator, X, output=output)
    assert_array_equal(found, estimator.predict(X), strict=True)
    table = pd.read_csv(output)
    assert list(table) == ["row", *names]
    assert_array_equal(table[names].to_numpy().reshape(found.shape), found)


def test_labels_with_commas_and_quotes(output):
    X = np.arange(3)[:, np.newaxis]
    labels = np.array(['a "b"', "c, d", "é\n"], dtype=object)
    classifier = DecisionTreeClassifier(random_state=0).fit(X, labels)
    found = predict_chunked(classifier, X, chunk_size=1, output=output)
    assert found.tolist() == labels.tolist()
    assert found.dtype == object
    assert pd.read_csv(output)["predict"].tolist() == found.tolist()


def test_what_cannot_be_written(make_sums, output):
    imaginary = make_sums(dtype="complex128").fit()
    with pytest.raises(TypeError, match=r"Only numbers and text.*complex128"):
        predict_chunked(imaginary, np.ones((3, 1)), output=output)


def test_files_of_others_are_left_alone(make_sums, output, part):
    X = np.arange(5.0)[:, np.newaxis]
    estimator = make_sums().fit()
    for content in (b"my own file\n", b"something", b"\0\0\0\n", b"00000000 {}\n"):
        part.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"scores.csv.part' holds no unfinished results of this kind"
        ):
            predict_chunked(estimator, X, output=output)
        assert part.read_bytes() == content
    part.unlink()
    output.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"scores.csv' exists. .* delete it"):
        predict_chunked(estimator, X, output=output)
    assert output.read_text(encoding="utf-8") == "mine"
    with pytest.raises(FileNotFoundError, match=r"folder of .* does not exist. Make it first"):
        predict_chunked(estimator, X, output=output.parent / "missing" / "scores.csv")
    assert estimator.seen == []


def test_two_calls_at_once(make_sums, output, tmp_path):
    import threading

    X = np.arange(40.0)[:, np.newaxis]
    outcomes = []

    def call():
        try:
            outcomes.append(predict_chunked(make_sums().fit(), X, chunk_size=4, output=output))
        except FileExistsError:
            outcomes.append(None)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (found,) = [outcome for outcome in outcomes if outcome is not None]
    assert len(outcomes) == 3
    assert_array_equal(found, X[:, 0])
    assert list(tmp_path.iterdir()) == [output]


def test_a_crash_while_the_table_is_written(make_sums, output, part, monkeypatch, tmp_path):
    X = np.arange(5.0)[:, np.newaxis]
    estimator = make_sums().fit()
    original = chunked_prediction.csv.writer

    class Full(Exception):
        pass

    def fail(file, **options):
        original(file, **options).writerow(["row"])
        raise Full

    with monkeypatch.context() as patch:
        patch.setattr(chunked_prediction.csv, "writer", fail)
        with pytest.raises(Full):
            predict_chunked(estimator, X, output=output)
    assert list(tmp_path.iterdir()) == [part]
    estimator.seen = []
    assert_array_equal(predict_chunked(estimator, X, output=output), X[:, 0])
    assert estimator.seen == []
