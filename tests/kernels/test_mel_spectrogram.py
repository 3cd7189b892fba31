"""The compiled mel spectrogram against the functional one, against formulas, and its promises."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_array_max_ulp

from skperceptual.functional.mel import mel_filterbank
from skperceptual.functional.scaling import to_decibels, to_log, to_log01
from skperceptual.functional.spectrogram import PAD_MODES, mel_spectrogram, padded_window
from skperceptual.kernels.mel_spectrogram import _logarithm, mel_image
from skperceptual.spectrograms.compiled_mel import (
    compiled_mel_spectrogram,
    is_compiled,
    scaling_of,
)

FRAMES = {
    "n_fft": 256,
    "hop_length": 100,
    "win_length": None,
    "window": "hann",
    "center": False,
    "pad_mode": "constant",
}
FILTERS = {
    "sr": 16000.0,
    "n_fft": 256,
    "n_mels": 20,
    "fmin": 0.0,
    "fmax": None,
    "htk": False,
    "norm": "slaney",
}
RANGE = (math.log(1e-3), math.log(10.0))


def kernel(frames=FRAMES, filters=FILTERS, *, power=1.0, scale=None, eps=1e-3, data_range=RANGE):
    scaling = scaling_of(scale, power=power, eps=eps, data_range=data_range)
    return compiled_mel_spectrogram(frames=frames, filters=filters, power=power, scaling=scaling)


def reference(clip, frames=FRAMES, filters=FILTERS, *, power=1.0):
    signal = torch.tensor(clip, dtype=torch.float64)
    return mel_spectrogram(signal, **{**frames, **filters}, power=power)


@st.composite
def settings_of_frames(draw):
    n_fft = 2 ** draw(st.integers(4, 12))
    center = draw(st.booleans())
    frames = {
        "n_fft": n_fft,
        "hop_length": draw(st.one_of(st.integers(1, 4), st.integers(5, 2 * n_fft))),
        "win_length": draw(st.one_of(st.none(), st.integers(2, n_fft))),
        "window": draw(st.sampled_from(["hann", "boxcar", "hamming", ("kaiser", 9.0)])),
        "center": center,
        "pad_mode": draw(st.sampled_from(PAD_MODES)),
    }
    # One block of 16 frames, less, more; clips of one sample or of exactly one frame.
    n_frames = draw(st.sampled_from([1, 2, 15, 16, 17, 33]))
    rest = draw(st.integers(0, frames["hop_length"] - 1))
    n_times = (n_frames - 1) * frames["hop_length"] + rest + (1 if center else n_fft)
    sr = draw(st.sampled_from([8000.0, 16000.0, 44100.0]))
    low = draw(st.floats(0.0, 0.3))
    filters = {
        "sr": sr,
        "n_fft": n_fft,
        "n_mels": draw(st.integers(1, 80)),
        "fmin": low * sr,
        "fmax": draw(st.one_of(st.none(), st.floats(low + 0.15, 0.5).map(lambda f: f * sr))),
        "htk": draw(st.booleans()),
        "norm": draw(st.sampled_from(["slaney", None])),
    }
    return frames, filters, n_times


@settings(max_examples=150)
@given(settings_of_frames(), st.sampled_from([1.0, 2.0, 0.6, 3.0]), st.integers(0, 2**32 - 1))
def test_bands_are_those_of_the_function(parameters, power, seed):
    frames, filters, n_times = parameters
    clip = np.random.default_rng(seed).standard_normal(n_times)
    assume(mel_filterbank(**filters).any())
    expected = reference(clip, frames, filters, power=power).numpy()
    found = kernel(frames, filters, power=power)(clip, np.float64)
    assert found.shape == expected.shape
    # What cancels in a bin is of the size of the frame, and so is what rounding leaves of it.
    rounding = (1e-14 * frames["n_fft"] * np.abs(clip).max()) ** power
    atol = mel_filterbank(**filters).sum(axis=1).max() * rounding
    assert_allclose(found, expected, rtol=1e-9, atol=atol)
    single = kernel(frames, filters, power=power)(clip, np.float32)
    assert_array_equal(single, found.astype(np.float32))


@pytest.mark.parametrize("power", [1.0, 2.0, 0.6])
@pytest.mark.parametrize("data_range", [RANGE, (-3.0, 1.5)])
def test_scales_are_those_of_the_functions(power, data_range, rng):
    # A frame of each level from full scale down to 140 dB below, and silence.
    levels = 10.0 ** -np.append(np.arange(8), np.inf)
    clip = np.repeat(levels, 600) * rng.standard_normal(600 * len(levels))
    bands = reference(clip, power=power)
    expected = {
        "log": to_log(bands),
        "log01": to_log01(bands, data_range=data_range),
        "db": to_decibels(bands, power=power, top_db=None),
    }
    for scale, image in expected.items():
        compute = kernel(power=power, scale=scale, data_range=data_range)
        found = compute(clip, np.float64)
        assert_allclose(found, image.numpy(), rtol=1e-12, atol=1e-13, err_msg=scale)
        assert_allclose(
            compute(clip, np.float32), image.numpy(), rtol=1e-6, atol=1e-13, err_msg=scale
        )


@pytest.mark.parametrize("eps", [1e-300, 1e-7, 1e-3, 0.3, 1.0, 50.0])
def test_silence_is_exactly_the_floor(eps):
    silence = np.zeros(5000)
    data_range = (math.log(eps), math.log(eps) + 9.0)
    for dtype in (np.float32, np.float64):
        assert not kernel()(silence, dtype).any()
        assert not kernel(scale="log01", eps=eps, data_range=data_range)(silence, dtype).any()
        assert (kernel(scale="db")(silence, dtype) == -100).all()
        assert_array_max_ulp(
            kernel(scale="log", eps=eps)(silence, dtype), np.full((20, 48), np.log(eps), dtype)
        )


def test_a_frame_knows_nothing_of_the_frames_beside_it(rng):
    clip = np.zeros(20 * 256)
    clip[7 * 256 : 8 * 256] = 1e6 * rng.standard_normal(256)
    image = kernel(dict(FRAMES, hop_length=256))(clip, np.float64)
    assert (image[:, 7] > 0).all()
    assert not np.delete(image, 7, axis=1).any()


@pytest.mark.parametrize("n_fft", [16, 32, 512, 1024])
def test_an_impulse_is_as_strong_in_every_bin(n_fft):
    filters = dict(FILTERS, n_fft=n_fft, n_mels=4)
    frames = dict(FRAMES, n_fft=n_fft, hop_length=n_fft)
    place = n_fft // 2 + 3
    clip = np.zeros(n_fft)
    clip[place] = 0.7
    (bands,) = kernel(frames, filters)(clip, np.float64).T
    height = 0.7 * padded_window("hann", None, n_fft)[place]
    assert_allclose(bands, height * mel_filterbank(**filters).sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("bin_", [0, 1, 37, 64, 127, 128])
def test_a_sinusoid_on_a_bin_is_in_that_bin_alone(bin_):
    frames = dict(FRAMES, window="boxcar")
    clip = np.cos(2 * np.pi * bin_ * np.arange(256 + 700) / 256)
    height = 256.0 if bin_ in (0, 128) else 128.0  # which stand for one exponential, not two
    # Filters of the full height at every tenth of a bin: that no bin is taken for its neighbour.
    filters = dict(FILTERS, n_mels=200, norm=None)
    image = kernel(frames, filters)(clip, np.float64)
    expected = height * mel_filterbank(**filters)[:, bin_]
    assert_allclose(image, np.repeat(expected[:, np.newaxis], 8, axis=1), atol=1e-10)


@given(st.floats(2.3e-308, 1.7e308))
def test_logarithm_is_that_of_the_processor_but_for_the_last_bit(x):
    assert abs(_logarithm(np.float64(x)) - math.log(x)) <= math.ulp(math.log(x))


def test_logarithm_passes_on_what_is_no_number():
    assert _logarithm(np.float64(np.inf)) == np.inf
    assert np.isnan(_logarithm(np.float64(np.nan)))
    assert _logarithm(np.float64(1.0)) == 0.0


def test_overflow_is_infinite_in_its_own_bands_alone():
    (image,) = kernel(power=2.0, scale="log")(np.full(256, 1e160), np.float64).T
    assert image[0] == np.inf
    assert np.isfinite(image[5:]).all()


def test_calls_give_the_same_bits_in_any_thread(rng):
    clips = rng.standard_normal((24, 9000))
    compute = kernel(scale="log01")
    alone = [compute(clip, np.float32) for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda clip: compute(clip, np.float32), clips))
    assert_array_equal(together, alone)


def test_read_only_reversed_and_single_precision_clips_are_taken(rng):
    clip = rng.standard_normal(2000)
    compute = kernel()
    backwards = compute(clip[::-1], np.float64)
    assert_array_equal(backwards, compute(clip[::-1].copy(), np.float64))
    single = clip.astype(np.float32)
    single.flags.writeable = False
    before = single.copy()
    assert_array_equal(compute(single, np.float64), compute(single.astype(np.float64), np.float64))
    assert_array_equal(single, before)
    assert len(mel_image.signatures) == 1


def test_what_is_not_compiled():
    assert all(is_compiled(2**k, 1e-3) for k in range(4, 16))
    assert not any(is_compiled(n_fft, 1e-3) for n_fft in (2, 8, 24, 100, 1000, 1023))
    assert not is_compiled(1024, 1e-310)


def test_compiles_in_seconds(tmp_path):
    code = (
        "import numba, numpy, time; start = time.process_time();"
        "from skperceptual.kernels.mel_spectrogram import mel_image;"
        "print(time.process_time() - start)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    seconds = [
        float(
            subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=60, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert seconds[0] < 30  # a guard against minutes, on machines of any speed
    assert list(tmp_path.rglob("*.nbi")), "nothing was kept for the second time"
    assert seconds[1] < seconds[0] / 3
