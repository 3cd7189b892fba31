"""PESQ: the values of the package, and what it cannot score or could not survive."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from skperceptual.full_reference import PESQ
from skperceptual.full_reference.utterances import count_utterances
from skperceptual.utils.resampling import resample

pesq = pytest.importorskip("pesq", reason="needs the extra speech")

SR = 16000


def voice(seconds: float = 2.0, seed: int = 0, sr: int = SR) -> np.ndarray:
    """Noise in syllables, with what a voice has most of."""
    rng = np.random.default_rng(seed)
    n_times = int(seconds * sr)
    time = np.arange(n_times) / sr
    breath = np.convolve(rng.standard_normal(n_times), np.ones(6) / 6, mode="same")
    tones = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    return 0.1 * (tones + breath) * np.sin(2 * np.pi * 1.7 * time) ** 4


def noisy(signal: np.ndarray, level: float = 0.01, seed: int = 7) -> np.ndarray:
    return signal + level * np.random.default_rng(seed).standard_normal(len(signal))


@pytest.fixture(scope="module")
def cases(shared):
    arrays = np.load(shared / "cases" / "images.npz", allow_pickle=False)
    return json.loads((shared / "cases" / "images.json").read_text())["speech"], arrays


# Values


@pytest.mark.parametrize(
    ("parameters", "key", "suffix"),
    [
        ({}, "pesq_wb_16k", ""),
        ({"mode": "nb"}, "pesq_nb_16k", ""),
        ({"mode": "nb", "sr": 8000}, "pesq_nb_8k", "_8k"),
    ],
)
def test_conformance(cases, parameters, key, suffix):
    talkers, arrays = cases
    n_compared = 0
    for talker, versions in talkers.items():
        scored = {name: one for name, one in versions.items() if isinstance(one, dict)}
        names = [name for name, values in scored.items() if key in values]
        names = [name for name in names if f"speech__{talker}__{name}{suffix}" in arrays]
        reference = arrays[f"speech__{talker}__ref{suffix.removesuffix('k')[1:]}"]
        pairs = [(reference, arrays[f"speech__{talker}__{name}{suffix}"]) for name in names]
        expected = [versions[name][key] for name in names]
        found = PESQ(**parameters).transform(pairs)[:, 0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
        n_compared += len(names)
    assert n_compared >= (6 if suffix else 18)


@pytest.mark.parametrize(("sr", "mode"), [(16000, "wb"), (16000, "nb"), (8000, "nb")])
def test_values_are_those_of_the_package(sr, mode):
    references = [voice(seed=seed, sr=sr) for seed in range(3)]
    pairs = [
        (one, noisy(one)[: len(one) - cut]) for cut, one in zip((0, 0, 99), references, strict=True)
    ]
    expected = [pesq.pesq(sr, *pair, mode) for pair in pairs]
    np.testing.assert_array_equal(PESQ(sr=sr, mode=mode).transform(pairs)[:, 0], expected)


@pytest.mark.parametrize("mode", ["wb", "nb"])
def test_equal_signals_get_the_best_value_and_any_signal_one_within_bounds(mode):
    metric = PESQ(mode=mode)
    low, high = metric.bounds
    signal = voice()
    same = metric.transform([(signal, signal)])[0, 0]
    assert same == pytest.approx(high, abs=1e-6)
    others = [-signal, signal[::-1], noisy(0 * signal, 0.5), np.sign(signal), 0 * signal + 0.5]
    values = metric.transform([(signal, other) for other in others])
    assert ((values > low) & (values <= high + 1e-6)).all()


def test_common_gain_changes_nothing():
    signal = voice()
    pair = np.stack([signal, noisy(signal)])
    loud, soft = PESQ().transform(np.stack([pair, pair / 8]))[:, 0]
    assert loud == pytest.approx(soft, abs=1e-5)


def test_resamples_where_asked_to():
    signal = voice(sr=48000)
    pair = (signal, noisy(signal))
    by_hand = [tuple(resample(part, 48000, 16000) for part in pair)]
    expected = PESQ().transform(by_hand)
    np.testing.assert_array_equal(PESQ(resample_from=48000).transform([pair]), expected)
    assert PESQ().transform([pair])[0, 0] != expected[0, 0]


def test_names():
    assert PESQ().get_feature_names_out().tolist() == ["pesq_wb"]
    assert PESQ(mode="nb").get_feature_names_out().tolist() == ["pesq_nb"]


# What has no value


SILENT = np.zeros(SR)
BAD_PAIRS = {
    "the reference is silent": (SILENT, voice(1.0)),
    "the degraded signal is silent": (voice(1.0), SILENT),
    r"0.125 s are too short, it needs 0.25 s": (voice(0.125), voice(0.125)),
    "0.125 s are too short": (voice(1.0), voice(0.125)),
    "takes for an utterance": (np.r_[voice(0.12), np.zeros(SR)], np.r_[voice(0.12), np.zeros(SR)]),
}


@pytest.mark.parametrize("reason", BAD_PAIRS)
def test_pair_without_a_value_is_nan_in_its_place(reason):
    good = (voice(), noisy(voice()))
    alone = PESQ().transform([good])
    with pytest.warns(UserWarning, match=rf"1 pair of 3, which get(.|\n)*row 1: .*{reason}"):
        values = PESQ().transform([good, BAD_PAIRS[reason], good])
    np.testing.assert_array_equal(values[:, 0], [alone[0, 0], np.nan, alone[0, 0]])
    with pytest.raises(ValueError, match=rf"no value for pair 1: .*{reason}.*on_error='nan'"):
        PESQ(on_error="raise").transform([good, BAD_PAIRS[reason]])


def test_there_is_one_warning_for_many_pairs():
    pairs = [(SILENT, SILENT)] * 25
    with pytest.warns(UserWarning, match=r"25 pairs of 25(.|\n)*and 5 more rows") as caught:
        PESQ().transform(pairs)
    assert [warning.filename for warning in caught] == [__file__]


def bursts(n: int, pause: float = 0.3) -> np.ndarray:
    return np.concatenate(
        [np.r_[voice(0.59, seed), np.zeros(int(pause * SR))] for seed in range(n)]
    )


def test_more_utterances_than_the_package_can_hold_do_not_end_the_process():
    # 60 of them are a segmentation fault of the package, 52 wrong values.
    long = bursts(60)
    assert count_utterances(long, SR) > 50
    with pytest.warns(UserWarning, match=r"about \d+ utterances in \d+ s.*cut it into clips"):
        assert np.isnan(PESQ().transform([(long, noisy(long))])).all()


def test_long_signals_of_few_utterances_are_scored():
    long = bursts(30)
    assert len(long) > 20 * SR
    assert PESQ().transform([(long, noisy(long, 1e-3))])[0, 0] > 1


@pytest.mark.parametrize("n", [1, 7, 30])
def test_utterances_are_counted(n):
    assert count_utterances(bursts(n), SR) == n


def test_count_needs_a_sound_that_is_long_enough():
    assert count_utterances(np.zeros(10), SR) == 0
    assert count_utterances(np.ones(SR), SR) <= 1


# Bad input


def test_wide_band_at_the_rate_of_telephones_is_refused():
    X = np.stack([[voice(), voice()]])
    for call in (PESQ(sr=8000).fit, PESQ(sr=8000).transform):
        with pytest.raises(ValueError, match=r"16000 Hz only, and sr=8000\. Use mode='nb'"):
            call(X)


@pytest.mark.parametrize("sr", [44100, 16000.5])
def test_other_rates_are_refused(sr):
    with pytest.raises(ValueError, match="'sr' parameter of PESQ"):
        PESQ(sr=sr).fit(np.stack([[voice(), voice()]]))


def test_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pesq", None)
    metric = PESQ().fit(np.stack([[voice(), voice()]]))  # what needs no package works without
    with pytest.raises(ImportError, match=r"PESQ needs pesq.*skperceptual\[speech\]"):
        metric.transform(np.stack([[voice(), voice()]]))
