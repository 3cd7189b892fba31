"""Rounding to bits: its levels, its noise, and what dither does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.degradations import Quantization


def test_ladder():
    values = [Quantization(severity=severity).physical_value for severity in (0.0, 0.5, 1.0)]
    assert values == [12, 7.5, 3]


@given(x=st.floats(-1.5, 1.5), n_bits=st.integers(2, 24))
def test_values_are_the_nearest_levels(x, n_bits):
    n_steps = 2 ** (n_bits - 1) - 1
    (found,) = Quantization(n_bits=n_bits).transform(np.array([[x]]))[0]
    assert found * n_steps == pytest.approx(round(found * n_steps), abs=1e-6)
    assert abs(found - np.clip(x, -1, 1)) <= 0.5 / n_steps * (1 + 1e-9)
    assert Quantization(n_bits=n_bits).transform(np.array([[-x]]))[0, 0] == -found


@pytest.mark.parametrize("n_bits", [2, 3, 4, 6, 8, 12, 16])
def test_ratio_of_a_full_scale_ramp(n_bits):
    x = np.linspace(-1, 1, 2_000_001)
    error = Quantization(n_bits=n_bits).transform(x[np.newaxis])[0] - x
    found = 10 * np.log10(np.mean(x**2) / np.mean(error**2))
    assert found == pytest.approx(20 * np.log10(2 * (2 ** (n_bits - 1) - 1)), abs=0.01)


@pytest.mark.parametrize("n_bits", [8, 10, 12, 16])
def test_ratio_of_a_full_scale_sine(n_bits):
    x = np.sin(2 * np.pi * 0.0123456789 * np.arange(200_000))
    error = Quantization(n_bits=n_bits).transform(x[np.newaxis])[0] - x
    found = 10 * np.log10(np.mean(x**2) / np.mean(error**2))
    # Few bits differ: the sine stays long near ±1, which is a level, and there is one level less.
    assert found == pytest.approx(6.02 * n_bits + 1.76, abs=0.35)


def test_fractions_of_a_bit_lie_between():
    x = np.sin(2 * np.pi * 0.0123456789 * np.arange(50_000))[np.newaxis]
    errors = [np.std(Quantization(n_bits=n).transform(x) - x) for n in (8, 8.25, 8.5, 8.75, 9)]
    assert (np.diff(errors) < 0).all()


def test_triangular_dither_frees_the_error_of_the_signal():
    step = 1 / (2**7 - 1)
    for share in (0.0, 0.2, 0.5, 0.8):
        x = np.full((1, 200_000), 0.1 + share * step)
        error = Quantization(n_bits=8, dither="triangular", random_state=0).transform(x) - x
        assert error.mean() / step == pytest.approx(0, abs=0.005)
        assert error.var() / step**2 == pytest.approx(1 / 4, rel=0.02)


def test_rectangular_dither_frees_the_mean_alone():
    step = 1 / (2**7 - 1)
    variances = []
    for share in (0.0, 0.5):
        level = np.round(0.1 / step) * step + share * step
        x = np.full((1, 200_000), level)
        error = Quantization(n_bits=8, dither="rectangular", random_state=0).transform(x) - x
        assert error.mean() / step == pytest.approx(0, abs=0.005)
        variances.append(error.var() / step**2)
    assert_allclose(variances, [0, 1 / 4], atol=0.005)


def test_dither_keeps_what_is_below_half_a_step():
    x = 0.3 / (2**7 - 1) * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)[np.newaxis]
    assert not Quantization(n_bits=8).transform(x).any()
    kept = Quantization(n_bits=8, dither="triangular", random_state=0).transform(x)
    assert np.vdot(kept, x) / np.vdot(x, x) == pytest.approx(1, abs=0.1)


def test_dither_is_the_signals_own(rng):
    X = rng.uniform(-1, 1, size=(3, 200))
    step = Quantization(n_bits=4, dither="triangular", random_state=3)
    assert_array_equal(step.transform(X)[1:], step.transform(X[1:]))
    assert not np.array_equal(step.transform(X), step.set_params(random_state=4).transform(X))


def test_without_dither_no_seed_is_drawn(rng):
    x = rng.uniform(-1, 1, size=(1, 50))
    state = np.random.RandomState(0)
    Quantization(n_bits=4, random_state=state).transform(x)
    assert state.randint(1000) == np.random.RandomState(0).randint(1000)


def test_wrong_parameters():
    for step in (Quantization(n_bits=1), Quantization(dither="uniform")):
        with pytest.raises(ValueError, match="parameter of Quantization must be"):
            step.transform(np.zeros((1, 5)))
