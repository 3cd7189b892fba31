"""Clips and pairs in threads: the same results, and torch left where it is."""

from __future__ import annotations

import threading
from typing import ClassVar

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skperceptual import NLPD, RatingMapping, base
from skperceptual.base import PairMetric, SignalTransformer, map_clips
from skperceptual.metrics import spearman_scorer
from skperceptual.utils.estimator_checks import SMALL_SIZES, all_estimators, small_estimators
from skperceptual.utils.estimator_checks.inputs import (
    CheckInputs,
    assert_same_results,
    fit,
    kinds_read_by,
    results,
)


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")


def frames(clip):
    """Give what a front end could, of a shape that depends on the length."""
    return np.lib.stride_tricks.sliding_window_view(clip, 8)[::4].copy()


def batches(rng):
    signals = rng.normal(size=(7, 40)).astype(np.float32)
    pairs = rng.normal(size=(5, 2, 40))
    return {
        "signals": signals,
        "pairs": pairs,
        "a pair": pairs[:1],
        "ragged signals": [signals[0], signals[1, :20], signals[2, :33]],
        "ragged pairs": [pairs[0], pairs[1, :, :20]],
        "uneven pairs": [(pairs[0, 0], pairs[0, 1, :20]), (pairs[1, 0, :9], pairs[1, 1, :9])],
    }


@pytest.mark.parametrize("name", batches(np.random.default_rng()))
def test_threads_give_what_a_loop_gives(name, rng):
    X = batches(rng)[name]
    alone = [[frames(clip) for clip in ([item] if np.ndim(item[0]) == 0 else item)] for item in X]
    for in_threads in (False, True):
        mapped = map_clips(frames, X, in_threads=in_threads)
        assert isinstance(mapped, list) == isinstance(X, list)
        for item, result, expected in zip(X, mapped, alone, strict=True):
            assert isinstance(result, tuple) == isinstance(item, tuple)
            parts = result if np.ndim(item[0]) else [result]
            for part, image in zip(parts, expected, strict=True):
                assert_array_equal(part, image, strict=True)


def test_clips_run_side_by_side_also_those_of_one_pair():
    for X in (np.zeros((1, 2, 4)), [np.zeros((2, 4))], [(np.zeros(4), np.zeros(5))]):
        together = threading.Barrier(2)
        map_clips(lambda clip, both=together: (both.wait(10), clip)[1], X, in_threads=True)


def test_a_failure_is_that_of_the_first_clip():
    def fail(clip):
        raise ValueError(f"clip {clip[0]:g}")

    X = np.arange(20.0)[:, np.newaxis]
    for clips in (X, list(X)):
        with pytest.raises(ValueError, match="clip 0"):
            map_clips(fail, clips, in_threads=True)


def thread_of_each_call(releases_gil):
    """Make a metric and a front end that note the threads they run in."""
    idents = set()

    class Difference(PairMetric):
        higher_is_better: ClassVar[bool] = False
        bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
        symmetric: ClassVar[bool] = True

        def _releases_gil(self, batch):
            return releases_gil and batch[0].dtype == np.float32

        def _score_pair(self, reference, degraded):
            idents.add(threading.get_ident())
            return float(np.abs(reference - degraded).max())

        def _pair_contributions(self, reference, degraded):
            idents.add(threading.get_ident())
            parts = np.abs(reference - degraded).max(axis=1)
            return parts.sum(keepdims=True), parts

    class Frames(SignalTransformer):
        def _releases_gil(self, batch):
            return releases_gil and batch[0][0].dtype == np.float32

        def _prepare(self):
            def function(clip):
                idents.add(threading.get_ident())
                return frames(clip)

            return function

    return Difference(), Frames(), idents


@pytest.mark.parametrize("releases_gil", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_run_only_what_says_that_it_releases_the_lock(
    monkeypatch, rng, releases_gil, dtype
):
    metric, front_end, idents = thread_of_each_call(releases_gil)
    pairs = rng.normal(size=(9, 2, 40)).astype(dtype)
    entered = []
    original = base.single_threaded
    monkeypatch.setattr(base, "single_threaded", lambda: (entered.append(1), original())[1])
    images = front_end.transform(pairs)
    scores = metric.transform(images)
    assert scores.dtype == dtype
    assert scores.shape == (9, 1)
    assert_array_equal(scores[:, 0], np.abs(images[:, 0] - images[:, 1]).max(axis=(1, 2)))
    in_pool = releases_gil and dtype == np.float32
    assert (threading.get_ident() in idents) != in_pool
    assert len(entered) == (0 if in_pool else 2)
    idents.clear()
    assert metric.contributions(images).dtype == dtype
    assert (threading.get_ident() in idents) != in_pool
    with pytest.raises(ValueError, match="by='row' is unknown"):
        metric.contributions(images, by="row")


@pytest.mark.parametrize("name", dict(all_estimators()))
def test_the_number_of_threads_changes_no_bit(monkeypatch, name):
    for estimator in small_estimators(dict(all_estimators())[name]):
        for kind in kinds_read_by(estimator):
            inputs = CheckInputs(kind, **SMALL_SIZES)
            fitted = fit(estimator, inputs)
            X = inputs.batch(dtype=np.float32)
            found = []
            for n_threads in ("1", "3", "16"):
                monkeypatch.setenv("NUMBA_NUM_THREADS", n_threads)
                found.append(results(fitted, X, inputs))
            for other in found[1:]:
                assert_same_results(other, found[0], f"{name} on {kind}")


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_grid_search_in_workers(backend, rng):
    metric, front_end, _ = thread_of_each_call(releases_gil=True)
    pairs = rng.normal(size=(12, 2, 40)).astype(np.float32)
    pairs[:, 1] = pairs[:, 0] + np.arange(1, 13)[:, np.newaxis] * pairs[:, 1] / 10
    ratings = np.linspace(5, 1, 12)
    if backend != "threading":  # processes may not find what tests define
        front_end, metric = "passthrough", NLPD(n_levels=2)
        pairs = rng.random((12, 2, 16, 16), dtype=np.float32)
    search = GridSearchCV(
        make_pipeline(front_end, metric, RatingMapping()),
        {"ratingmapping__kind": ["linear", "isotonic"]},
        scoring=spearman_scorer,
        cv=GroupKFold(3),
    )
    expected = search.fit(pairs, ratings, groups=np.arange(12) // 2).cv_results_
    search.set_params(n_jobs=2)
    with parallel_config(backend):
        found = search.fit(pairs, ratings, groups=np.arange(12) // 2).cv_results_
    assert_array_equal(found["mean_test_score"], expected["mean_test_score"])
    assert np.isfinite(found["mean_test_score"]).all()
