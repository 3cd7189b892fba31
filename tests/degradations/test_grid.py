"""Grids: what they hold, what they keep in memory, and what survives an interruption."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, MelSpectrogram, PMQDLowpass, RatingMapping
from skperceptual.degradations import (
    Degradation,
    MP3Codec,
    MuLaw,
    PacketLoss,
    WhiteNoise,
    degradation_grid,
    lazy_pairs,
)
from skperceptual.evaluation import predict_chunked

SR = 16000
FRONT_END = MelSpectrogram(n_fft=256, hop_length=128, n_mels=16)


@pytest.fixture
def signals(rng):
    return rng.uniform(-0.5, 0.5, size=(3, 2000)).astype(np.float32)


def grid_of(signals, degradations=("white_noise", "mu_law"), severities=(0.0, 0.5, 1.0), **options):
    degradations = list(degradations) if isinstance(degradations, tuple) else degradations
    return degradation_grid(signals, degradations, severities, **{"sr": SR} | options)


# --- What it holds --------------------------------------------------------------------------------


def test_rows(signals):
    grid = grid_of(signals, groups=["a", "b", "b"], random_state=0)
    assert len(grid.pairs) == len(grid.frame) == 3 * 2 * 3
    assert grid.sr == SR
    assert list(grid.condition[:6]) == ["white_noise"] * 3 + ["mu_law"] * 3
    assert_array_equal(grid.severity, np.tile([0, 0.5, 1], 6))
    assert_array_equal(grid.groups, np.repeat(["a", "b", "b"], 6))
    assert list(grid.frame) == [
        "signal", "group", "condition", "severity", "parameter", "value", "max_lag",
    ]  # fmt: skip
    assert list(grid.frame["value"][:6]) == [40, 20, 0, 8, 5.5, 3]
    assert "white_noise: snr_db 40 to 0 in 3 rungs" in grid.DESCR
    for row, line in grid.frame.iterrows():
        cls = {"white_noise": WhiteNoise, "mu_law": MuLaw}[line["condition"]]
        step = cls(severity=line["severity"])
        if cls is WhiteNoise:
            step.set_params(random_state=0)
        signal = signals[line["signal"]]
        assert_array_equal(grid.pairs[row], [signal, step.transform([signal])[0]])


def test_severities_are_sorted_and_can_differ(signals):
    grid = grid_of(signals[:1], severities={"white_noise": [1, 0.5, 0.5], "mu_law": 0.0})
    assert list(grid.severity) == [0.5, 1.0, 0.0]


def test_degradations_as_they_are(signals):
    degradations = {"mp3 24": MP3Codec(bitrate_kbps=24), "mild": WhiteNoise(severity=0.1)}
    grid = grid_of(signals[:2], degradations, None, random_state=1)
    assert list(grid.condition) == ["mp3 24", "mild"] * 2
    assert_array_equal(grid.severity, [np.nan, 0.1] * 2)
    assert list(grid.frame["value"]) == [24, 36] * 2
    expected = MP3Codec(bitrate_kbps=24).transform(signals[:1])[0]
    assert_array_equal(grid.pairs[0][1], expected)
    # nothing is done to what the user gave
    assert degradations["mild"].random_state is None


def test_names_for_one_or_several(signals):
    assert set(grid_of(signals, MuLaw()).condition) == {"MuLaw"}
    assert set(grid_of(signals, "mu_law").condition) == {"mu_law"}
    assert set(grid_of(signals, {"x": "mu_law"}).condition) == {"x"}


# --- Chance ---------------------------------------------------------------------------------------


def test_a_grid_never_changes(signals):
    for random_state in (None, 3, np.random.RandomState(0)):
        grid = grid_of(signals, random_state=random_state)
        once = grid.pairs.load()
        assert_array_equal(once, grid.pairs.load())
        for row in (0, 7, -1):
            assert_array_equal(grid.pairs[row], once[row])
        assert_array_equal(pickle.loads(pickle.dumps(grid.pairs))[2:4], once[2:4])
    first, second = (grid_of(signals).pairs[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_seeds_of_degradations_are_kept(signals):
    degradations = {"own": WhiteNoise(random_state=5), "given": WhiteNoise()}
    pairs = grid_of(signals[:1], degradations, [0.5], random_state=7).pairs
    for row, seed in enumerate((5, 7)):
        expected = WhiteNoise(random_state=seed).transform(signals[:1])[0]
        assert_array_equal(pairs[row][1], expected)


# --- Indexing -------------------------------------------------------------------------------------


def test_indices_of_an_array(signals):
    pairs = grid_of(signals, random_state=0).pairs
    everything = np.asarray(pairs)
    assert (pairs.shape, pairs.dtype) == (everything.shape, everything.dtype)
    assert pairs.shape == (18, 2, 2000)
    for key in (
        slice(3, 9), slice(None, None, 5), slice(18, 30), [4, 0, 4], np.array([2, 17]),
        np.arange(18) % 4 == 1, np.int64(3), -2, ([1, 2], ...),
    ):  # fmt: skip
        assert_array_equal(pairs[key], everything[key])
    assert_array_equal(list(pairs), everything)
    assert np.asarray(pairs, dtype=np.float64).dtype == np.float64
    for wrong in (18, [0, 18]):
        with pytest.raises(IndexError):
            pairs[wrong]
    with pytest.raises(IndexError, match="indexed by row alone"):
        pairs[:, 1]
    with pytest.raises(ValueError, match="without making them"):  # as NumPy 2 asks
        pairs.__array__(copy=False)


def test_lists_of_signals_give_lists(rng):
    clips = [rng.uniform(-0.5, 0.5, size=n) for n in (900, 1700)]
    pairs = grid_of(clips, random_state=0).pairs
    assert not hasattr(pairs, "shape")
    assert len(pairs) == 12
    assert pairs[-1].shape == (2, 1700)
    some = pairs[4:8]
    assert isinstance(some, list)
    assert [pair.shape[1] for pair in some] == [900, 900, 1700, 1700]
    assert [pair.shape for pair in pairs[[11, 0]]] == [(2, 1700), (2, 900)]
    assert "12 of a list" in repr(pairs)
    with pytest.raises(ValueError, match="make no array"):
        np.asarray(pairs)


# --- As X -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_list", [False, True])
def test_pairs_as_input(signals, as_list):
    grid = grid_of(list(signals) if as_list else signals, groups=[0, 1, 2], random_state=0)
    X = np.asarray(grid_of(signals, random_state=0).pairs)
    y = 5 - 4 * grid.severity + 0.1 * (grid.condition == "mu_law")
    metric = make_pipeline(FRONT_END, MSE(), RatingMapping())
    folds = {"groups": grid.groups, "cv": GroupKFold(3)}
    found = cross_val_predict(metric, grid.pairs, y, **folds)
    assert_array_equal(found, cross_val_predict(metric, X, y, **folds))
    assert cross_val_score(metric, grid.pairs, y, error_score="raise", **folds).shape == (3,)

    fitted = clone(metric).fit(X, y)
    expected = fitted.predict(X)
    assert_array_equal(predict_chunked(fitted, grid.pairs, chunk_size=5), expected)
    assert_array_equal(fitted.predict(grid.pairs[4:9]), expected[4:9])


def test_predictions_go_on_where_they_were(signals, tmp_path):
    grid = grid_of(signals, random_state=0)
    metric = make_pipeline(FRONT_END, MSE())
    expected = predict_chunked(metric, grid.pairs, method="transform")
    output = tmp_path / "distances.csv"

    class Stopped(Exception):
        pass

    def until(n_rows):
        for row, pair in enumerate(grid.pairs):
            if row == n_rows:
                raise Stopped
            yield pair

    with pytest.raises(Stopped):
        predict_chunked(metric, until(11), method="transform", chunk_size=4, output=output)
    found = predict_chunked(metric, grid.pairs, method="transform", chunk_size=4, output=output)
    assert_array_equal(found, expected)


# --- Memory, workers, cache -----------------------------------------------------------------------


def test_ten_thousand_conditions_need_the_memory_of_a_few(signals):
    grid = grid_of(signals, "mu_law", np.linspace(0, 1, 10_000))
    assert len(grid.pairs) == 30_000
    tracemalloc.start()
    for start in range(0, 30_000, 3000):
        assert grid.pairs[start : start + 20].shape == (20, 2, 2000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 20 * 2 * 2000 * 4


def test_workers_give_the_same(signals):
    expected = grid_of(signals, ("white_noise", "mp3_codec"), random_state=0).pairs.load()
    grid = grid_of(signals, ("white_noise", "mp3_codec"), random_state=0, n_jobs=2)
    assert_array_equal(grid.pairs.load(), expected)
    assert_array_equal(grid.pairs[3:5], expected[3:5])


def n_entries(folder):
    return len(list(Path(folder).rglob("output.pkl")))


@pytest.mark.parametrize("kind", ["str", "path", "memory"])
def test_a_cache_makes_each_pair_once(signals, tmp_path, kind, monkeypatch):
    memory = {
        "str": str(tmp_path),
        "path": tmp_path,
        "memory": joblib.Memory(tmp_path, verbose=0),
    }[kind]
    grid = grid_of(signals, random_state=0, memory=memory)
    expected = grid_of(signals, random_state=0).pairs.load()
    assert_array_equal(grid.pairs[2:5], expected[2:5])
    assert n_entries(tmp_path) == 3
    grid.pairs.fill_cache()
    assert n_entries(tmp_path) == 18

    def fail(self, X):
        raise AssertionError("was made before")

    monkeypatch.setattr(MuLaw, "transform", fail)
    monkeypatch.setattr(WhiteNoise, "transform", fail)
    again = grid_of(signals, random_state=0, memory=memory).pairs
    again.fill_cache()
    assert_array_equal(again.load(), expected)
    with pytest.raises(AssertionError, match="was made before"):
        grid_of(signals, random_state=1, memory=memory).pairs.load()
    monkeypatch.setattr(lazy_pairs.soundfile, "__libsndfile_version__", "9.9")
    with pytest.raises(AssertionError, match="was made before"):
        grid_of(signals, random_state=0, memory=memory).pairs.load()


def test_an_interruption_loses_nothing(signals, tmp_path, monkeypatch):
    calls = []
    transform = MuLaw.transform

    def interrupted(self, X):
        calls.append(self.severity)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return transform(self, X)

    monkeypatch.setattr(MuLaw, "transform", interrupted)
    grid = grid_of(signals, "mu_law", memory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        grid.pairs.fill_cache()
    assert n_entries(tmp_path) == 5
    grid.pairs.fill_cache()
    assert len(calls) == 6 + 4


def test_progress(signals, tmp_path, capsys):
    grid = grid_of(signals, "mu_law", verbose=1, memory=tmp_path)
    grid.pairs.load()
    assert "degradation_grid: 100%" in capsys.readouterr().err
    grid.pairs.fill_cache()
    assert "9/9" in capsys.readouterr().err
    grid.pairs[:4]
    assert capsys.readouterr().err == ""


# --- What users get wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degradations": []}, "at least one degradation"),
        ({"degradations": "mu-law"}, "Did you mean 'mu_law'"),
        ({"degradations": [MuLaw(), MuLaw(n_bits=3)]}, "Several degradations are called MuLaw"),
        ({"degradations": MuLaw(n_bits=3)}, "use severities=None"),
        ({"degradations": PMQDLowpass()}, r"for sr=48000, .* Use set_params\(sr=16000\)"),
        ({"severities": [0, 2]}, "Expected severities from 0 to 1"),
        ({"severities": []}, "Expected severities from 0 to 1"),
        ({"severities": {"mu_law": [0.5]}}, "severities lacks 'white_noise'"),
        ({"groups": [1, 2]}, r"one group for each of 3 signals, got shape \(2,\)"),
        ({"degradations": PacketLoss(burst=1.1)}, "burst=1.1 is too short"),
        ({"random_state": -1}, "is no seed"),
        ({"degradations": {"x": WhiteNoise(match="loud")}}, "'match' parameter of WhiteNoise"),
    ],
)
def test_wrong_arguments(signals, options, message):
    with pytest.raises(ValueError, match=message):
        grid_of(signals, **options)


def test_what_is_no_degradation(signals):
    for wrong in (WhiteNoise, FRONT_END, 3.0):
        with pytest.raises(TypeError, match="Expected a degradation for 'x'"):
            grid_of(signals, {"x": wrong})


def test_wrong_signals(signals):
    with pytest.raises(ValueError, match="Expected signals of shape"):
        grid_of(np.zeros((2, 2, 100)))
    with pytest.raises(ValueError, match="NaN"):
        grid_of(np.full((2, 100), np.nan))


class Fragile(Degradation):
    physical_parameter = "gain"

    def __init__(self, *, severity=0.5, gain=None, match="none"):
        self.severity = severity
        self.gain = gain
        self.match = match

    def _value_at(self, severity):
        return severity

    def _prepare(self):
        raise ZeroDivisionError("broken")


def test_an_error_says_where(signals):
    pairs = grid_of(signals, Fragile()).pairs
    with pytest.raises(ZeroDivisionError, match="broken") as caught:
        pairs[4]
    assert caught.value.__notes__ == ["This was found in Fragile() of signal 1."]
    with pytest.raises(ValueError, match="burst") as refused:
        grid_of(signals, {"lossy": PacketLoss(burst=1.1)})
    assert "of the condition 'lossy'" in refused.value.__notes__[0]


def test_there_has_to_be_a_cache_to_fill(signals):
    with pytest.raises(ValueError, match=r"memory='\.\.\.'"):
        grid_of(signals).pairs.fill_cache()
