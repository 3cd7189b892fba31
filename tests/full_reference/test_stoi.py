"""STOI and ESTOI: the values of the package, and what it cannot score."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from sklearn.base import clone

from skperceptual.full_reference import STOI
from skperceptual.utils.estimator_checks import describe_check, estimator_checks_generator

pystoi = pytest.importorskip("pystoi", reason="needs the extra speech")

SR = 16000


def voice(seconds: float = 2.0, seed: int = 0, sr: int = SR) -> np.ndarray:
    """Noise in syllables."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * sr)) / sr
    return 0.1 * rng.standard_normal(len(time)) * (0.1 + np.sin(2 * np.pi * 3 * time) ** 2)


def noisy(signal: np.ndarray, level: float = 0.03) -> np.ndarray:
    return signal + level * np.random.default_rng(7).standard_normal(len(signal))


@pytest.fixture(scope="module")
def cases(shared):
    arrays = np.load(shared / "cases" / "images.npz", allow_pickle=False)
    return json.loads((shared / "cases" / "images.json").read_text())["speech"], arrays


# Values


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("sr", "suffix"), [(16000, ""), (8000, "_8k")])
def test_conformance(cases, extended, sr, suffix):
    talkers, arrays = cases
    key = ("estoi" if extended else "stoi") + suffix
    n_compared = 0
    for talker, versions in talkers.items():
        scored = {name: one for name, one in versions.items() if isinstance(one, dict)}
        names = [name for name, values in scored.items() if key in values]
        names = [name for name in names if f"speech__{talker}__{name}{suffix}" in arrays]
        reference = arrays[f"speech__{talker}__ref{suffix.removesuffix('k')[1:]}"]
        pairs = [(reference, arrays[f"speech__{talker}__{name}{suffix}"]) for name in names]
        expected = [versions[name][key] for name in names]
        found = STOI(sr=sr, extended=extended).transform(pairs)[:, 0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        n_compared += len(names)
    assert n_compared >= (6 if suffix else 18)


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("sr", [8000, 10000, 16000, 44100])
def test_values_are_those_of_the_package(sr, extended):
    references = [voice(seed=seed, sr=sr) for seed in range(2)]
    pairs = [(one, noisy(one)) for one in references]
    expected = [pystoi.stoi(*pair, sr, extended=extended) for pair in pairs]
    found = STOI(sr=sr, extended=extended).transform(pairs)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("extended", [False, True])
def test_equal_signals_get_1_and_rising_noise_less(extended):
    signal = voice()
    versions = [signal] + [noisy(signal, level) for level in (0.01, 0.03, 0.1, 1.0)]
    values = STOI(extended=extended).transform([(signal, one) for one in versions])[:, 0]
    assert values[0] == pytest.approx(1, abs=1e-12)
    assert (np.diff(values) < 0).all()


EXTENDED = STOI(sr=1000, extended=True)
# Processes are tried with the plain form. All frames count in the data of these checks, where
# silence alone tells the reference from the other signal; the next test has some.
ELSEWHERE = ("check_jobs_agree", "check_symmetry")
CHECKS = [
    check
    for _, check in estimator_checks_generator(EXTENDED, n_times=600)
    if check.func.__name__ not in ELSEWHERE
]


@pytest.mark.parametrize("check", CHECKS, ids=describe_check)
def test_extended_form_keeps_the_contract(check):
    check(clone(EXTENDED))


def test_extended_form_is_not_symmetric_where_there_is_silence():
    signal = voice()
    signal[SR : SR + 8000] = 0
    other = noisy(signal)
    forth, back = STOI(extended=True).transform([(signal, other), (other, signal)])[:, 0]
    assert forth > back + 0.01


def test_global_generator_is_neither_used_nor_moved():
    pair = [(voice(), noisy(voice()))]
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    first = STOI(extended=True).transform(pair)
    assert np.random.get_state()[1].tobytes() == state  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(STOI(extended=True).transform(pair), first)


def test_silent_degraded_signal_has_a_value_near_0():
    pair = [(voice(), np.zeros(2 * SR))]
    assert STOI().transform(pair)[0, 0] == 0
    assert abs(STOI(extended=True).transform(pair)[0, 0]) < 0.1


def test_names():
    assert STOI().get_feature_names_out().tolist() == ["stoi"]
    assert STOI(extended=True).get_feature_names_out().tolist() == ["estoi"]


# What has no value


BAD_PAIRS = {
    "the reference is silent": (np.zeros(SR), voice(1.0)),
    "0.4 s are too short, it needs 0.41 s": (voice(0.4), voice(0.4)),
    "0.001 s are too short": (voice(0.001), voice(0.001)),
    "too little is left of it": tuple(np.r_[voice(0.2, seed), np.zeros(SR)] for seed in (0, 1)),
}


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("reason", BAD_PAIRS)
def test_pair_without_a_value_is_nan_in_its_place(reason, extended):
    good = (voice(), noisy(voice()))
    metric = STOI(extended=extended)
    alone = metric.transform([good])
    with pytest.warns(UserWarning, match=rf"1 pair of 3, which get(.|\n)*row 1: .*{reason}"):
        values = metric.transform([good, BAD_PAIRS[reason], good])
    np.testing.assert_array_equal(values[:, 0], [alone[0, 0], np.nan, alone[0, 0]])
    with pytest.raises(ValueError, match=f"no value for pair 1: .*{reason}"):
        STOI(on_error="raise", extended=extended).transform([good, BAD_PAIRS[reason]])


@pytest.mark.parametrize("sr", [8000, 10000, 16000, 48000])
def test_shortest_signal_that_has_a_value(sr):
    shortest = next(
        n
        for n in range(int(0.39 * sr), sr, sr // 1000)
        if np.isfinite(_quietly(STOI(sr=sr), np.stack([[voice(1.0, sr=sr)[:n]] * 2])))
    )
    assert 0.405 < shortest / sr < 0.415


def _quietly(metric: STOI, X: np.ndarray) -> float:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return metric.transform(X)[0, 0]


# Bad input


def test_unequal_lengths_are_refused_with_the_fix():
    X = [(voice(), voice()), (voice(), voice()[:-5])]
    for call in (STOI().fit, STOI().transform):
        with pytest.raises(ValueError, match=r"pair 1.*\(32000,\).*\(31995,\).*FixDuration"):
            call(X)


def test_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pystoi", None)
    X = np.stack([[voice(), voice()]])
    with pytest.raises(ImportError, match=r"STOI needs pystoi.*skperceptual\[speech\]"):
        STOI().fit(X).transform(X)
