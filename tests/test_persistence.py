"""What was fitted opens elsewhere, later, and without pickle, and gives the same bits there."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

import skperceptual.base
from skperceptual import (
    MSE,
    NLPD,
    DivisiveNorm,
    LaplacianPyramid,
    MelSpectrogram,
    NLPDRegressor,
    PyramidDistance,
    RatingMapping,
)
from skperceptual._version import __version__
from skperceptual.base import VersionWarning
from skperceptual.utils.estimator_checks import (
    SMALL_SIZES,
    all_estimators,
    assert_plain_state,
    small_estimators,
)
from skperceptual.utils.estimator_checks.inputs import (
    CheckInputs,
    assert_same_results,
    fit,
    kinds_read_by,
    results,
)

SIGNAL_PAIRS = CheckInputs("signal_pairs", n_times=16000, image_shape=(0, 0))
# A part of these is the user's own code, which no file format brings along.
HOLD_CODE = ("FunctionEmbedding", "TorchEmbedding")
TRAINED = [
    (estimator, CheckInputs(kind, **SMALL_SIZES))
    for name, cls in all_estimators()
    if name not in HOLD_CODE
    for estimator in small_estimators(cls)
    for kind in kinds_read_by(estimator)[-1:]
]
each_trained = pytest.mark.parametrize(
    ("estimator", "inputs"), TRAINED, ids=["".join(repr(e).split()) for e, _ in TRAINED]
)

PREDICT_ELSEWHERE = """
import sys
import joblib
import numpy as np
metric, pairs = joblib.load(sys.argv[1]), np.load(sys.argv[2])
np.save(sys.argv[3], metric.predict(pairs))
"""


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    return SIGNAL_PAIRS.batch(dtype=np.float32)


@pytest.fixture(scope="module")
def metric(pairs) -> BaseEstimator:
    """The pipeline of the README, at the sizes of the README, fitted for two epochs."""
    regressor = NLPDRegressor(max_epochs=2, random_state=0)
    return make_pipeline(MelSpectrogram(sr=16000), regressor).fit(pairs, SIGNAL_PAIRS.ratings)


def test_a_fitted_pipeline_is_a_small_file_and_predicts_the_same_bits(metric, pairs, tmp_path):
    path = tmp_path / "metric.joblib"
    joblib.dump(metric, path)
    assert path.stat().st_size < 1_000_000
    expected = metric.predict(pairs)
    assert np.ptp(expected) > 0.1
    np.testing.assert_array_equal(joblib.load(path).predict(pairs), expected)
    np.testing.assert_array_equal(joblib.load(path, mmap_mode=None).predict(pairs), expected)


def test_another_process_predicts_the_same_bits(metric, pairs, tmp_path):
    files = [str(tmp_path / name) for name in ("metric.joblib", "pairs.npy", "found.npy")]
    joblib.dump(metric, files[0])
    np.save(files[1], pairs)
    command = [sys.executable, "-W", "error", "-c", PREDICT_ELSEWHERE, *files]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert finished.returncode == 0, finished.stderr
    np.testing.assert_array_equal(np.load(files[2]), metric.predict(pairs))


def test_a_memory_mapped_file_predicts_the_same_bits(metric, pairs, tmp_path):
    path = tmp_path / "metric.joblib"
    joblib.dump(metric, path)
    mapped = joblib.load(path, mmap_mode="r")
    np.testing.assert_array_equal(mapped.predict(pairs), metric.predict(pairs))


def test_nothing_of_torch_is_kept(metric):
    assert_plain_state(metric)
    assert b"torch" not in pickle.dumps(metric)


def test_what_is_kept_of_torch_would_be_noticed():
    import torch

    for odd in (torch.zeros(2), torch.nn.Linear(1, 1), torch.float32, [{"a": (torch.zeros(1),)}]):
        metric = MSE()
        metric.odd = odd
        with pytest.raises(AssertionError, match=r"estimator\.odd"):
            assert_plain_state(metric)


def test_generators_and_functions_in_the_state_would_be_noticed():
    for odd in (lambda: 0, np.array([None]), open, MSE):
        metric = MSE()
        metric.odd = odd
        with pytest.raises(AssertionError, match=r"estimator\.odd"):
            assert_plain_state(metric)


# Without pickle: skops opens a file when its types are trusted, and these are our classes alone


@each_trained
def test_skops_needs_to_trust_our_own_classes_only(estimator, inputs):
    skops_io = pytest.importorskip("skops.io")
    fitted = fit(estimator, inputs)
    X = inputs.batch()
    file = skops_io.dumps(fitted)
    untrusted = skops_io.get_untrusted_types(data=file)
    assert untrusted
    assert all(name.startswith("skperceptual.") for name in untrusted)
    loaded = skops_io.loads(file, trusted=untrusted)
    assert_same_results(results(loaded, X, inputs), results(fitted, X, inputs), "a skops file")
    with pytest.raises(TypeError, match="skperceptual"):
        skops_io.loads(file, trusted=[])


def test_skops_keeps_a_whole_pipeline(metric, pairs, tmp_path):
    skops_io = pytest.importorskip("skops.io")
    path = tmp_path / "metric.skops"
    skops_io.dump(metric, path)
    untrusted = skops_io.get_untrusted_types(file=path)
    assert sorted(name.rpartition(".")[2] for name in untrusted) == [
        "MelSpectrogram",
        "NLPDRegressor",
        "RatingMapping",
    ]
    assert path.stat().st_size < 1_000_000
    loaded = skops_io.load(path, trusted=untrusted)
    np.testing.assert_array_equal(loaded.predict(pairs), metric.predict(pairs))


# Which version wrote it


def save(metric, path, how):
    if how == "pickle":
        path.write_bytes(pickle.dumps(metric))
    elif how == "joblib":
        joblib.dump(metric, path)
    else:
        pytest.importorskip("skops.io").dump(metric, path)


def load(path, how):
    if how == "pickle":
        return pickle.loads(path.read_bytes())
    if how == "joblib":
        return joblib.load(path)
    skops_io = pytest.importorskip("skops.io")
    return skops_io.load(path, trusted=skops_io.get_untrusted_types(file=path))


@pytest.mark.parametrize("other", ["0.0.1", "99.0"])
@pytest.mark.parametrize("how", ["pickle", "joblib", "skops"])
def test_a_file_of_another_version_warns_with_both(monkeypatch, tmp_path, other, how):
    path = tmp_path / "metric"
    with monkeypatch.context() as patched:
        patched.setattr(skperceptual.base, "__version__", other)
        save(NLPD(), path, how)
    message = rf"NLPD was saved by skperceptual {other} .* by {__version__}\b"
    with pytest.warns(VersionWarning, match=message):
        loaded = load(path, how)
    assert repr(loaded) == "NLPD()"
    assert not hasattr(loaded, "_skperceptual_version")


@pytest.mark.parametrize("how", ["pickle", "joblib", "skops"])
def test_a_file_of_this_version_is_silent(tmp_path, how):
    path = tmp_path / "metric"
    save(make_pipeline(LaplacianPyramid(), NLPD(), RatingMapping()), path, how)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(path, how)


def test_a_file_from_before_versions_were_kept_warns():
    state = NLPD().__getstate__()
    del state["_skperceptual_version"]
    with pytest.warns(VersionWarning, match="skperceptual unknown"):
        NLPD().__setstate__(state)


# What lies in files today means the same tomorrow


def test_kept_filters_give_the_distances_of_an_independent_calculation():
    with np.load(Path(__file__).parent / "data" / "fitted_state.npz", allow_pickle=False) as kept:
        state = dict(kept)
    given = (state["filters"], state["sigmas"])
    direct = NLPD(n_levels=3, normalization=given).fit_transform(state["pairs"])
    apart = make_pipeline(LaplacianPyramid(3), DivisiveNorm(given), PyramidDistance())
    np.testing.assert_allclose(direct[:, 0], state["distances"], rtol=1e-12)
    np.testing.assert_allclose(
        apart.fit_transform(state["pairs"])[:, 0], state["distances"], rtol=1e-12
    )


def test_fitted_attributes_alone_restore_a_metric():
    inputs = CheckInputs("image_pairs", **SMALL_SIZES)
    fitted = fit(NLPDRegressor(n_levels=2, max_epochs=2), inputs)
    restored = NLPD(n_levels=2, normalization=(fitted.filters_, fitted.sigmas_))
    found = restored.transform(inputs.batch())
    np.testing.assert_array_equal(found, fitted.transform(inputs.batch()))
    np.testing.assert_array_equal(
        fitted.mapping_.predict(found[:, 0]), fitted.predict(inputs.batch())
    )
