"""Clipping at a level, at a share of the samples, and softly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.degradations import HardClipping, PercentileClipping, SoftClipping

X = np.array([[0.5, -0.4, 0.04, 0.0, -0.001]])
clips = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-3, 3, allow_subnormal=False))


@pytest.mark.parametrize(
    ("cls", "values"),
    [
        (HardClipping, [-1, -15.5, -30]),
        (PercentileClipping, [0.1, 2, 40]),
        (SoftClipping, [0.5, 10**0.5, 20]),
    ],
)
def test_ladders(cls, values):
    found = [cls(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    assert_allclose(found, values)
    assert [found[0], found[2]] == [values[0], values[2]]


def test_hard_clipping_relative_to_peak_and_full_scale():
    step = HardClipping(threshold_db=-20.0)
    assert_allclose(step.transform(X), [[0.05, -0.05, 0.04, 0, -0.001]], rtol=1e-12)
    assert_allclose(step.transform(7 * X), 7 * step.transform(X), rtol=1e-12)
    step.set_params(relative_to="full_scale")
    assert_allclose(step.transform(X), [[0.1, -0.1, 0.04, 0, -0.001]], rtol=1e-12)
    assert_array_equal(step.set_params(threshold_db=0).transform(X), X)
    assert_array_equal(step.transform(4 * X), np.clip(4 * X, -1, 1))


@given(clips, st.floats(-60, 0))
def test_hard_clipping_cuts_at_the_threshold_and_nothing_else(x, threshold_db):
    (found,) = HardClipping(threshold_db=threshold_db).transform([x])
    threshold = 10 ** (threshold_db / 20) * np.abs(x).max()
    kept = np.abs(x) <= threshold
    assert_array_equal(found[kept], x[kept])
    assert_allclose(found[~kept], np.sign(x[~kept]) * threshold, rtol=1e-12)


@pytest.mark.parametrize("percent", [0.5, 5.0, 30.0])
def test_share_of_clipped_samples(percent, rng):
    x = rng.standard_normal(10001)
    (found,) = PercentileClipping(percent=percent).transform([x])
    assert 100 * np.mean(found != x) == pytest.approx(percent, abs=0.02)
    assert_allclose(np.abs(found).max(), np.percentile(np.abs(x), 100 - percent))
    assert_array_equal(found, np.clip(x, -np.abs(found).max(), np.abs(found).max()))


def test_digital_silence_does_not_count(rng):
    x = rng.standard_normal(1000)
    padded = np.concatenate([np.zeros(5000), x])
    (found,) = PercentileClipping(percent=20.0).transform([padded])
    assert_array_equal(found[5000:], PercentileClipping(percent=20.0).transform([x])[0])
    assert_array_equal(PercentileClipping(percent=0).transform([x])[0], x)


@given(clips, st.floats(0.01, 100))
def test_soft_clipping_is_the_formula(x, drive):
    peak = np.abs(x).max()
    (found,) = SoftClipping(drive=drive).transform([x])
    expected = peak * np.tanh(drive * (x / peak)) / np.tanh(drive) if peak else x
    assert_allclose(found, expected, rtol=1e-12, atol=1e-300)
    assert np.abs(found).max() == pytest.approx(peak, rel=1e-12)
    assert (np.abs(found) >= np.abs(x) * (1 - 1e-12)).all()


def test_soft_clipping_relative_to_full_scale():
    found = SoftClipping(drive=2.0, relative_to="full_scale").transform(np.array([[0.01, 1, 50]]))
    assert_allclose(found[0], [0.01 * 2 / np.tanh(2), 1, 1 / np.tanh(2)], rtol=2e-4)


def test_a_full_scale_square_is_the_end_of_all_of_them():
    time = np.arange(1000) / 1000
    x = np.sin(2 * np.pi * 5 * (time + 1 / 4000))[np.newaxis]
    for step in (HardClipping(threshold_db=-150.0), SoftClipping(drive=1e6)):
        assert_allclose(step.set_params(match="peak").transform(x), np.sign(x), rtol=1e-4)


def test_wrong_parameters():
    for step in (
        HardClipping(threshold_db=1.0),
        HardClipping(relative_to="rms"),
        PercentileClipping(percent=100),
        SoftClipping(drive=0),
    ):
        with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
            step.transform(X)
