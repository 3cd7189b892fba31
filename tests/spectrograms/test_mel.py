"""The mel spectrogram: librosa's values, the papers' sizes, scales, and what it warns of."""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from skperceptual.functional.scaling import to_decibels, to_log, to_log01
from skperceptual.functional.spectrogram import mel_spectrogram
from skperceptual.spectrograms import MelSpectrogram

DATA = Path(__file__).resolve().parents[1] / "data"
GOLDEN = json.loads((DATA / "mel_spectrogram.json").read_text())["cases"]
LIBROSA = {"center": True, "power": 2.0, "scale": None}
BANDS = set(inspect.signature(mel_spectrogram).parameters)


def sine(frequency, *, n_times=8000, sr=16000, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(n_times) / sr)[np.newaxis]


def image01(power_mel):
    """Scale as in the conformance cases: decibels below the maximum, -80 dB becoming 0."""
    power_mel = power_mel.astype(np.float64)
    return 1 + librosa.power_to_db(power_mel, ref=np.max, amin=1e-10, top_db=80.0) / 80


def at(image, samples):
    row, column = (samples.get(k, samples.get(f"{k}_index")) for k in ("band", "frame"))
    return image[samples.get("mel_index", row), column]


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_golden_values(name):
    case = GOLDEN[name]
    with np.load(DATA / "mel_spectrogram.npz") as archive:
        signals = archive["signal"][np.newaxis] / 32768
    front_end = MelSpectrogram(**{**LIBROSA, **case["params"]})
    (bands,) = front_end.fit_transform(signals)
    assert list(bands.shape) == case["shape"]
    np.testing.assert_allclose(at(bands, case["bands"]), case["bands"]["value"], rtol=1e-9)
    images = image01(bands)
    np.testing.assert_allclose(at(images, case["image01"]), case["image01"]["value"], atol=1e-10)


@pytest.fixture(scope="module")
def conformance(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())["mel"]
    with np.load(shared / "cases" / "images.npz") as archive:
        signals = {name: archive[case["array"]] for name, case in cases.items()}
    return cases, signals


def test_equals_every_conformance_case(conformance):
    cases, signals = conformance
    assert len(cases) >= 13
    for name, case in cases.items():
        front_end = MelSpectrogram(**{**LIBROSA, **case["params"]})
        expected, samples = case["power_mel"], case["power_mel"]["samples"]
        (bands,) = front_end.fit_transform(signals[name][np.newaxis].astype(np.float64))
        assert list(bands.shape) == expected["shape"]
        np.testing.assert_allclose(at(bands, samples), samples["value"], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(bands.sum(), expected["sum"], rtol=1e-12)
        np.testing.assert_allclose((bands**2).sum(), expected["sum_sq"], rtol=1e-12)
        rows, columns = bands[::32].sum(axis=1), bands[:, ::64].sum(axis=0)
        np.testing.assert_allclose(rows, expected["row_sums_every_32"], rtol=1e-9)
        np.testing.assert_allclose(columns, expected["col_sums_every_64"], rtol=1e-9)
        images = image01(bands)
        levels = np.round(images * 255).astype(np.uint8)
        digest = hashlib.sha256(levels.tobytes()).hexdigest()
        assert digest == case["sha256_of_image01_rounded_to_1_255"], name

        (single,) = front_end.fit_transform(signals[name][np.newaxis])
        assert single.dtype == np.float32
        assert np.abs(single - bands).max() <= 1e-7 * bands.max()
        np.testing.assert_allclose(at(single, samples), samples["value"], rtol=1e-7)
        samples = case["image01"]["samples"]
        np.testing.assert_allclose(at(image01(single), samples), samples["value"], atol=1e-8)


@pytest.mark.parametrize("n_times", [67520, 67538, 67583])
def test_size_of_the_first_paper(n_times, rng):
    front_end = MelSpectrogram(sr=16050, n_fft=2048, hop_length=64, n_mels=512)
    signals = 0.1 * rng.standard_normal((1, n_times))
    assert front_end.fit_transform(signals).shape == (1, 512, 1024)
    shorter = signals[:, : n_times - 2048]
    assert front_end.set_params(center=True).transform(shorter).shape == (1, 512, 1024)


def test_size_of_the_second_paper(rng):
    signals = 0.1 * rng.standard_normal((1, round(4.208 * 16000)))
    front_end = MelSpectrogram(sr=16000, n_fft=1024, hop_length=260, n_mels=256)
    assert front_end.fit_transform(signals).shape == (1, 256, 256)
    assert front_end.set_params(center=True).transform(signals).shape == (1, 256, 259)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_scales_are_what_they_say(power, rng):
    signals = 0.3 * rng.standard_normal((2, 8000))
    front_end = MelSpectrogram(n_mels=40, power=power, scale=None)
    bands = front_end.fit_transform(signals)
    assert bands.min() > 0
    log = front_end.set_params(scale="log").transform(signals)
    np.testing.assert_allclose(log, np.log(bands + 1e-3), rtol=1e-12)
    low, high = front_end.log_range()
    image = front_end.set_params(scale="log01").transform(signals)
    np.testing.assert_allclose(image, np.clip((log - low) / (high - low), 0, 1), atol=1e-14)
    decibels = front_end.set_params(scale="db").transform(signals)
    reference = librosa.power_to_db if power == 2 else librosa.amplitude_to_db
    np.testing.assert_allclose(decibels, [reference(S, ref=1.0) for S in bands], atol=1e-10)


def test_silence_is_black_and_a_full_scale_sine_is_white():
    front_end = MelSpectrogram()
    assert front_end.log_range()[0] == pytest.approx(np.log(1e-3))
    loudest = 2.996 * 16000 / 1024  # where a scan of all frequencies found the largest band
    image = front_end.fit_transform(np.concatenate([sine(loudest), 0 * sine(loudest)]))
    assert image[0].max() == pytest.approx(1.0, abs=1e-3)
    assert not image[1].any()
    assert front_end.transform(sine(loudest, amplitude=0.5)).max() < 0.95


def test_range_depends_on_parameters_alone_and_can_be_given(rng):
    front_end = MelSpectrogram()
    before = front_end.log_range()
    front_end.fit(0.9 * rng.standard_normal((2, 8000)))
    assert front_end.log_range() == before
    assert front_end.set_params(eps=1e-5).log_range()[0] == pytest.approx(np.log(1e-5))
    assert front_end.set_params(data_range=(-4, 4)).log_range() == (-4.0, 4.0)
    image = front_end.transform(sine(440))
    assert image.min() == 0
    assert image.max() == pytest.approx(
        (front_end.set_params(scale="log").transform(sine(440)).max() + 4) / 8
    )


@pytest.mark.parametrize("data_range", [(1.0, -1.0), (0.0,), (2.0, 2.0), (np.nan, 1.0)])
def test_bad_range_is_refused(data_range):
    with pytest.raises(ValueError, match=r"data_range=\(low, high\)"):
        MelSpectrogram(data_range=data_range).fit_transform(sine(440))


def test_bands_are_centred_where_librosa_says():
    for htk in (False, True):
        front_end = MelSpectrogram(n_mels=40, fmin=50.0, fmax=7000.0, htk=htk)
        expected = librosa.mel_frequencies(42, fmin=50.0, fmax=7000.0, htk=htk)[1:-1]
        np.testing.assert_allclose(front_end.band_frequencies(), expected, rtol=1e-12)


def test_empty_filters_are_named_once_a_call(rng):
    signals = 0.1 * rng.standard_normal((3, 2000))
    front_end = MelSpectrogram(n_mels=256, htk=True, norm=None).fit(signals)
    with pytest.warns(UserWarning, match=r"1 of 256 mel filters.*: filter 0 \(6\.9 Hz\)\.") as seen:
        images = front_end.transform(signals)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert not images[:, 0].any()
    with pytest.warns(UserWarning, match=r"mel filters.*, \.\.\.\. Raise n_fft or fmin"):
        MelSpectrogram(n_mels=256, n_fft=256, hop_length=100).transform(signals)
    assert (
        front_end.set_params(n_fft=2048, win_length=1024)
        .transform(0.1 * rng.standard_normal((1, 4000)))[:, 0]
        .any()
    )


def test_a_bank_of_empty_filters_is_refused():
    front_end = MelSpectrogram(n_mels=1, fmin=1001.0, fmax=1002.0)
    with pytest.raises(ValueError, match="No mel filter holds a bin"):
        front_end.fit_transform(sine(440))


@pytest.mark.parametrize(
    "make", [lambda x: x, lambda x: x[:, np.newaxis].repeat(2, axis=1), lambda x: [(x[0], x[0])]]
)
def test_signals_far_beyond_full_scale_are_reported(make):
    signals = make(sine(440, amplitude=12345.0))
    front_end = MelSpectrogram().fit(signals)
    with pytest.warns(UserWarning, match=r"1\.23\d*e\+04, where full scale is 1") as seen:
        front_end.transform(signals)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        front_end.set_params(scale="log").transform(signals)
        MelSpectrogram().transform(sine(440, amplitude=1.9))


@pytest.mark.parametrize("scale", ["log01", "log", "db", None])
@pytest.mark.parametrize(
    "frames",
    [
        {"sr": 16050, "n_fft": 2048, "hop_length": 64, "n_mels": 512},
        {"center": True, "pad_mode": "reflect", "power": 2.0, "win_length": 800},
        {"n_fft": 1000, "n_mels": 64},  # not a power of two
        {"n_fft": 8, "hop_length": 8, "n_mels": 2},  # too short
        {"eps": 1e-310, "data_range": (-700.0, 0.0)},  # subnormal
    ],
)
def test_what_is_compiled_is_what_the_functions_say(frames, scale, rng):
    """Down to the rounding of the result, whichever of the two computes it."""
    fading = 10.0 ** -np.linspace(0, 6, 12000)
    signals = (0.2 * fading * rng.standard_normal((2, 12000))).astype(np.float32)
    front_end = MelSpectrogram(**frames, scale=scale)
    parameters = {name: value for name, value in front_end.get_params().items() if name in BANDS}
    bands = mel_spectrogram(torch.tensor(signals.astype(np.float64)), **parameters)
    expected = {
        "log01": lambda: to_log01(bands, data_range=front_end.log_range(), eps=front_end.eps),
        "log": lambda: to_log(bands, eps=front_end.eps),
        "db": lambda: to_decibels(bands, power=front_end.power),
        None: lambda: bands,
    }[scale]().numpy()
    double = front_end.transform(signals.astype(np.float64))
    np.testing.assert_allclose(double, expected, rtol=1e-9, atol=1e-13)
    single = front_end.transform(signals)
    np.testing.assert_allclose(single, expected, rtol=1.3e-7, atol=1e-13)


def test_clips_side_by_side_are_the_clips_one_by_one(rng, monkeypatch):
    signals = 0.1 * rng.standard_normal((9, 2, 4000))
    images = MelSpectrogram().transform(signals)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    np.testing.assert_array_equal(MelSpectrogram().transform(signals), images)


def test_frequencies_above_half_the_rate_are_refused():
    with pytest.raises(ValueError, match="whose half is 4000 Hz"):
        MelSpectrogram(sr=8000, fmax=8000.0).fit_transform(sine(440))
