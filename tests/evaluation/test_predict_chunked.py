"""In chunks as in one go: any X, any backend, in little memory, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skperceptual import (
    MSE,
    DivisiveNorm,
    LaplacianPyramid,
    LoadAudio,
    MelSpectrogram,
    PyramidDistance,
    RatingMapping,
    save_audio,
)
from skperceptual.evaluation import predict_chunked
from skperceptual.io import AudioFileError


@pytest.fixture
def table(tmp_path, rng):
    """A table of ten pairs of files, of different lengths."""
    rows = []
    for row in range(10):
        clean = 0.1 * rng.standard_normal(1000 + 100 * row)
        names = [str(tmp_path / f"{role}{row}.wav") for role in ("clean", "noisy")]
        save_audio(names[0], clean, 8000)
        save_audio(names[1], clean + 0.01 * row * rng.standard_normal(len(clean)), 8000)
        rows.append(names)
    return pd.DataFrame(rows, columns=["reference", "degraded"], index=range(5, 15))


@pytest.fixture
def metric(table):
    front_end = MelSpectrogram(sr=8000, n_fft=256, hop_length=64, n_mels=16)
    steps = LoadAudio(sr=8000), front_end, MSE(), RatingMapping()
    return make_pipeline(*steps).fit(table, np.linspace(5, 1, 10))


def run(program: str, *arguments: str, folder) -> str:
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, str(path), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- the same as in one go -----------------------------------------------------------------------


@pytest.mark.parametrize("chunk_size", [1, 3, 10, 64])
def test_files(table, metric, chunk_size):
    expected = metric.predict(table)
    forms = {
        "table": table,
        "array": table.to_numpy(),
        "list": [tuple(row) for row in table.to_numpy()],
        "generator": (tuple(row) for row in table.to_numpy()),
        "map": map(tuple, table.to_numpy()),
        "view": {tuple(row): 0 for row in table.to_numpy()}.keys(),
    }
    for name, X in forms.items():
        found = predict_chunked(metric, X, chunk_size=chunk_size)
        assert_array_equal(found, expected, strict=True, err_msg=name)


def test_signals_images_and_pyramids(rng):
    references = rng.random((9, 16, 16), dtype=np.float32)
    pairs = np.stack([references, references * rng.random((9, 1, 1), dtype=np.float32)], axis=1)
    distance = make_pipeline(LaplacianPyramid(2), DivisiveNorm(), PyramidDistance()).fit(pairs)
    expected = distance.transform(pairs)
    for X in (pairs, list(pairs)):
        found = predict_chunked(distance, X, chunk_size=4, method="transform")
        assert_array_equal(found, expected, strict=True)
    pyramids = distance[:-1].transform(pairs)
    found = predict_chunked(distance[-1], pyramids, chunk_size=4, method="transform")
    assert_array_equal(found, expected, strict=True)


def test_an_array_on_disk_is_read_in_parts(tmp_path, make_sums):
    np.save(tmp_path / "X.npy", np.arange(40.0).reshape(20, 2))
    seen = []

    class Watched(np.memmap):
        def __getitem__(self, key):
            seen.append(key)
            return super().__getitem__(key)

    X = np.load(tmp_path / "X.npy", mmap_mode="r").view(Watched)
    estimator = make_sums().fit()
    assert_array_equal(predict_chunked(estimator, X, chunk_size=8), X.sum(axis=1))
    assert estimator.seen == [8, 8, 4]
    assert seen[0] == slice(0, 8)


def test_every_method_and_type_of_result(rng):
    X = rng.normal(size=(50, 3))
    classifier = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "good", "bad"))
    for method in ("predict", "predict_proba", "decision_function", "predict_log_proba"):
        found = predict_chunked(classifier, X, chunk_size=7, method=method)
        assert_array_equal(found, getattr(classifier, method)(X), strict=True)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing", "sequential"])
def test_backends(table, metric, backend):
    expected = metric.predict(table)
    with parallel_config(backend, n_jobs=2):
        for X in (table, iter(table.to_numpy())):
            assert_array_equal(predict_chunked(metric, X, chunk_size=1), expected, strict=True)


def test_slow_chunks_keep_their_place():
    class Slow(BaseEstimator):
        def fit(self, X=None, y=None):
            self.is_fitted_ = True
            return self

        def predict(self, X):
            time.sleep(0.05 if X[0] in (0, 7, 14) else 0)
            return np.asarray(X)

    with parallel_config("threading"):
        found = predict_chunked(Slow().fit(), np.arange(60), chunk_size=1, n_jobs=4)
    assert_array_equal(found, np.arange(60))


def test_the_configuration_holds_in_workers():
    class Configuration(BaseEstimator):
        def fit(self, X=None, y=None):
            self.is_fitted_ = True
            return self

        def predict(self, X):
            return np.full(len(X), get_config()["working_memory"])

    for backend in ("threading", "loky"):
        with parallel_config(backend), config_context(working_memory=77):
            found = predict_chunked(Configuration().fit(), range(4), chunk_size=1, n_jobs=2)
        assert_array_equal(found, [77] * 4)


# -- at scale ------------------------------------------------------------------------------------

ONCE = """
import os, sys, time
from pathlib import Path
import numpy as np
from joblib import parallel_config
from sklearn.base import BaseEstimator
from skperceptual.evaluation import predict_chunked

folder = Path(sys.argv[1])

class Counted(BaseEstimator):
    def __init__(self, size=0, folder=None):
        self.size = size
        self.folder = folder
    def fit(self, X=None, y=None):
        self.weights_ = np.arange(float(self.size))
        return self
    def predict(self, X):
        time.sleep(0.02)
        Path(self.folder, f"worked {os.getpid()}").touch()
        return np.asarray(X) + self.weights_.sum()
    def __getstate__(self):
        with Path(self.folder, "sent").open("a") as file:
            file.write("x")
        return super().__getstate__()
    def __setstate__(self, state):
        super().__setstate__(state)
        with Path(self.folder, f"opened {os.getpid()}").open("a") as file:
            file.write("x")

def check(name, size, **config):
    here = folder / f"{name} {size}"
    here.mkdir()
    estimator = Counted(size, str(here)).fit()
    with parallel_config(**config):
        found = predict_chunked(estimator, np.arange(40), chunk_size=1, n_jobs=2)
    assert np.array_equal(found, np.arange(40) + estimator.weights_.sum()), found
    counts = {path.name: len(path.read_text()) for path in here.iterdir()}
    workers = {name.split()[1] for name in counts if name.startswith("worked")}
    print(name, size, len(workers), counts["sent"], {counts[f"opened {w}"] for w in workers})

if __name__ == "__main__":
    if sys.argv[2] == "dask":
        from distributed import Client, LocalCluster
        options = dict(n_workers=2, threads_per_worker=1, dashboard_address=None)
        with LocalCluster(**options) as cluster, Client(cluster):
            for size in (1, 300_000):
                check("dask", size, backend="dask")
    else:
        for size in (1, 300_000):  # the larger one goes through a memory-mapped file
            check(sys.argv[2], size, backend=sys.argv[2])
"""


@pytest.mark.parametrize(
    "backend",
    [
        "loky",
        pytest.param("multiprocessing", marks=pytest.mark.slow),
        pytest.param("dask", marks=pytest.mark.slow),
    ],
)
def test_each_worker_opens_the_estimator_once(tmp_path, backend):
    printed = run(ONCE, str(tmp_path), backend, folder=tmp_path)
    sizes = ("1", "300000")
    assert printed.splitlines() == [f"{backend} {size} 2 1 {{1}}" for size in sizes]


MEMORY = """
import sys, tracemalloc
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skperceptual import LoadAudio, save_audio
from skperceptual.evaluation import predict_chunked

save_audio(sys.argv[1], 0.1 * np.random.default_rng(0).standard_normal(8000), 16000)

def power(X):
    return np.mean(np.square(X), axis=(1, 2), keepdims=True)[:, 0]

estimator = make_pipeline(LoadAudio(duration_seconds=0.5), FunctionTransformer(power))

def peak(n_rows, **options):
    names = ((sys.argv[1], sys.argv[1]) for _ in range(n_rows))
    tracemalloc.start()
    values = predict_chunked(estimator, names, chunk_size=16, method="transform", **options)
    assert len(values) == n_rows
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6

peak(32)
for options in ({}, {"output": sys.argv[1]}, {"n_jobs": 2}):
    few, many = (
        peak(n, **{k: f"{v}.{n}.csv" if k == "output" else v for k, v in options.items()})
        for n in (100, 1000)
    )
    print(few, many)
"""


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    # 100 rows are 6.4 MB of audio, 1000 are 64.
    for line in run(MEMORY, str(tmp_path / "a.wav"), folder=tmp_path).splitlines():
        few, many = map(float, line.split())
        assert few < 6
        assert many - few < 1


def test_progress(make_sums, capsys):
    predict_chunked(make_sums().fit(), np.ones((10, 2)), chunk_size=4)
    assert capsys.readouterr() == ("", "")
    predict_chunked(make_sums().fit(), np.ones((10, 2)), chunk_size=4, verbose=1)
    assert "10/10" in capsys.readouterr().err
    predict_chunked(make_sums().fit(), dict.fromkeys(range(10)).keys(), chunk_size=4, verbose=1)
    assert "10/10" in capsys.readouterr().err
    predict_chunked(make_sums().fit(), iter(np.ones((10, 2))), chunk_size=4, verbose=1)
    assert "10row" in capsys.readouterr().err


# -- what goes wrong -----------------------------------------------------------------------------


def test_estimators_that_cannot_be_used(make_sums):
    with pytest.raises(NotFittedError):
        predict_chunked(RatingMapping(), np.ones((3, 2)))
    with pytest.raises(TypeError, match="class, not an instance"):
        predict_chunked(make_sums, np.ones((3, 2)))
    for wrong in ("transform", "predcit", "dtype", 3):
        with pytest.raises(ValueError, match=f"Sums has no method {wrong!r}.*'predict'"):
            predict_chunked(make_sums().fit(), np.ones((3, 2)), method=wrong)


@pytest.mark.parametrize("chunk_size", [0, -1, 2.5, None, "64"])
def test_chunk_sizes_that_are_none(make_sums, chunk_size):
    with pytest.raises(ValueError, match="chunk_size to be a whole number above 0"):
        predict_chunked(make_sums().fit(), np.ones((3, 2)), chunk_size=chunk_size)


def test_x_that_is_not_made_of_rows(make_sums, tmp_path):
    for X in ("a.wav", tmp_path, 3, None, {"a": 1}):
        with pytest.raises(TypeError, match="iterable of its rows"):
            predict_chunked(make_sums().fit(), X)
    for X in ([], iter([]), np.ones((0, 3)), pd.DataFrame({"file": []})):
        for n_jobs in (1, 2):
            with (
                parallel_config("threading"),
                pytest.raises(ValueError, match=r"0 sample\(s\) while a minimum of 1 is required"),
            ):
                predict_chunked(make_sums().fit(), X, n_jobs=n_jobs)


def test_results_that_are_not_numbers_for_each_row(rng):
    images = rng.random((6, 16, 16))

    class Wrong(BaseEstimator):
        def fit(self, X=None, y=None):
            self.is_fitted_ = True
            return self

        def short(self, X):
            return np.ones(len(X) - 1)

        def single(self, X):
            return np.float64(1)

        def ragged(self, X):
            return [np.ones(n) for n in range(len(X))]

        def growing(self, X):
            return np.ones((len(X), 1 + int(X[0].sum() > 0)))

    expected = "one number, or one row of numbers, for each of 3 rows, got"
    for method, came in {
        "short": r"an array of shape \(2,\)",
        "single": r"an array of shape \(\)",
        "ragged": "list",
    }.items():
        with pytest.raises(ValueError, match=f"{expected} {came}"):
            predict_chunked(Wrong().fit(), images, chunk_size=3, method=method)
    with pytest.raises(ValueError, match=expected):
        predict_chunked(LaplacianPyramid(2).fit(images), images, chunk_size=3, method="transform")
    images[:3] = 0
    with pytest.raises(ValueError, match=r"shape \(1,\) in the chunk from row 0, and of .* row 3"):
        predict_chunked(Wrong().fit(), images, chunk_size=3, method="growing")


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky", "multiprocessing"])
def test_a_chunk_that_fails_names_its_rows(backend, table, metric):
    table.iloc[7, 1] = "missing.wav"
    with parallel_config(backend, n_jobs=2), pytest.raises(AudioFileError) as caught:
        predict_chunked(metric, table, chunk_size=3)
    assert caught.value.rows == (7,)
    assert "row 7, degraded: 'missing.wav'" in str(caught.value)
    assert caught.value.__notes__ == ["This was found in rows 6 to 8 of X."]


def test_an_error_of_any_other_kind_is_passed_on_with_its_rows(rng):
    pairs = rng.random((6, 2, 8, 8))
    pairs[5, 1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="image 1 has 1 values that are NaN") as caught:
        predict_chunked(MSE().fit(pairs[:2]), pairs, chunk_size=2, method="transform")
    (note,) = caught.value.__notes__
    assert note == (
        "This was found in rows 4 to 5 of X: what the message may call the first (row, item, "
        "clip, image or pair 0) is row 4."
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_the_generator_is_its_own(make_sums, n_jobs):
    def rows():
        yield from np.ones((5, 2))
        raise OSError("the list of names ends here")

    with parallel_config("threading"), pytest.raises(OSError, match="ends here"):
        predict_chunked(make_sums().fit(), rows(), chunk_size=2, n_jobs=n_jobs)
