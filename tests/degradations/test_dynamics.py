"""Limiter and compressor: where the gain ends up, and how fast."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual import PMQDLimiter
from skperceptual.degradations import Compressor, Limiter

SR = 16000


def reduction_db(step, x):
    """Give by how many dB each sample gets quieter."""
    (found,) = step.transform([x])
    return 20 * np.log10(x / found)


def test_ladders():
    assert [Limiter(severity=s).physical_value for s in (0.0, 1.0)] == [-3, -30]
    assert_allclose(
        [Compressor(severity=s).physical_value for s in (0, 0.5, 1)], [1.2, 24**0.5, 20]
    )
    assert Compressor(severity=1.0).physical_value == 20


# --- Limiter --------------------------------------------------------------------------------------


@given(
    hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-4, 4, allow_subnormal=False)),
    st.floats(-60, 0),
    st.sampled_from(["peak", "full_scale"]),
)
def test_nothing_exceeds_the_threshold_and_nothing_is_amplified(x, threshold_db, relative_to):
    step = Limiter(threshold_db=threshold_db, relative_to=relative_to)
    (found,) = step.transform([x])
    top = np.abs(x).max() if relative_to == "peak" else 1.0
    assert (np.abs(found) <= 10 ** (threshold_db / 20) * top * (1 + 1e-9)).all()
    assert (np.abs(found) <= np.abs(x) * (1 + 1e-9)).all()
    assert (found * x >= 0).all()


def test_it_is_pmqds_limiter_without_make_up_gain(rng):
    x = rng.uniform(-1, 1, size=(2, 9600)) * rng.uniform(0, 1, size=(2, 9600)) ** 4
    for threshold_db in (-3.0, -20.0):
        step = Limiter(
            threshold_db=threshold_db,
            hold_seconds=1 / 128,
            release_seconds=0.05 / 3,
            relative_to="full_scale",
            sr=48000,
        )
        makeup = 10 ** ((-0.1 - threshold_db) / 20)
        expected = PMQDLimiter(threshold_db=threshold_db).transform(x)
        assert_allclose(makeup * step.transform(x), expected, rtol=1e-9)


def test_hold_and_release_of_the_limiter():
    x = np.full(SR, 0.1)
    x[0] = 1.0
    step = Limiter(threshold_db=-40.0, hold_seconds=0.02, release_seconds=0.1)
    envelope = 0.01 * 10 ** (reduction_db(step, x) / 20)
    held = int(np.flatnonzero(envelope < 0.999)[0])
    assert 0.01 * SR <= held <= 0.02 * SR + 1
    after = (envelope - 0.1)[held:]
    assert after[1600] / after[0] == pytest.approx(math.exp(-1), rel=1e-6)
    at_once = Limiter(threshold_db=-20.0, hold_seconds=0, release_seconds=0)
    assert_allclose(at_once.transform([x])[0], np.full(SR, 0.1))


# --- Compressor -----------------------------------------------------------------------------------


def static_curve_db(level, threshold, ratio, knee):
    """Give the level that the soft-knee curve of Giannoulis et al. maps a level to."""
    above = level - threshold
    if 2 * above < -knee:
        return level
    if knee > 0 and 2 * abs(above) <= knee:
        return level + (1 / ratio - 1) * (above + knee / 2) ** 2 / (2 * knee)
    return threshold + above / ratio


@given(
    level=st.floats(-80, 6),
    threshold=st.floats(-60, 0),
    ratio=st.floats(1, 100),
    knee=st.sampled_from([0.0, 1.0, 12.0]),
)
def test_static_curve(level, threshold, ratio, knee):
    step = Compressor(
        ratio=ratio,
        threshold_db=threshold,
        knee_db=knee,
        attack_seconds=0,
        release_seconds=0,
        relative_to="full_scale",
    )
    x = np.array([[10 ** (level / 20)]])
    found = 20 * np.log10(step.transform(x)[0, 0])
    assert found == pytest.approx(static_curve_db(level, threshold, ratio, knee), abs=1e-9)


def test_attack_and_release_are_time_constants():
    loud, quiet = np.full(4000, 0.5), np.full(8000, 0.001)
    step = Compressor(
        ratio=4.0,
        threshold_db=-20.0,
        knee_db=0,
        attack_seconds=0.01,
        release_seconds=0.1,
        relative_to="full_scale",
    )
    found = reduction_db(step, np.concatenate([loud, quiet]))
    final = 0.75 * (20 + 20 * math.log10(0.5))
    assert found[159] == pytest.approx(final * (1 - math.exp(-1)), rel=1e-9)
    assert found[3999] == pytest.approx(final, rel=1e-6)
    assert found[4000 + 1599] == pytest.approx(final * math.exp(-1), rel=1e-6)


def test_a_ratio_of_1_changes_nothing(hiss):
    assert_array_equal(Compressor(ratio=1).transform([hiss])[0], hiss)


@pytest.mark.parametrize("ratio", [2.0, 5.0, 20.0])
def test_differences_of_level_are_divided_by_the_ratio(ratio, hiss):
    signal = np.concatenate([hiss, 0.01 * hiss])
    step = Compressor(ratio=ratio, threshold_db=-150.0, sr=48000)
    loud, quiet = np.split(step.transform([signal])[0], 2)
    # once release, the slower of the two, has settled
    found = 20 * np.log10(loud[24000:].std() / quiet[24000:].std())
    assert found == pytest.approx(40 / ratio, abs=0.5)


@pytest.mark.parametrize("cls", [Limiter, Compressor])
def test_relative_to_peak_any_gain_gives_the_same(cls, music):
    step = cls(sr=48000)
    expected = step.transform([music])[0]
    assert_allclose(step.transform([0.01 * music])[0], 0.01 * expected, rtol=1e-9)
    step.set_params(relative_to="full_scale")
    assert not np.allclose(step.transform([0.01 * music])[0], 0.01 * expected, rtol=1e-3)


def test_wrong_parameters():
    for step in (
        Limiter(threshold_db=1.0),
        Limiter(release_seconds=-1),
        Compressor(ratio=0.5),
        Compressor(knee_db=-1),
        Compressor(relative_to="rms"),
    ):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(np.zeros((1, 50)))
