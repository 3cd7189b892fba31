"""The coder against one step by step in Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal

from skperceptual.degradations.companding import _ADAPTATIONS, _STEPS
from skperceptual.kernels.adpcm import adpcm_round_trip


def quantized(rest, step, n_bits):
    """Give the code of a magnitude and what it stands for, by division."""
    magnitude, change = 0, step >> (n_bits - 1)
    for bit in range(n_bits - 2, -1, -1):
        part = step >> (n_bits - 2 - bit)
        if rest >= part:
            magnitude |= 1 << bit
            rest -= part
            change += part
    return magnitude, change


def step_by_step(samples, bits):
    decoded, place = [int(samples[0])], 0
    for sample, n_bits in zip(samples[1:].tolist(), bits[1:].tolist(), strict=True):
        difference = sample - decoded[-1]
        magnitude, change = quantized(abs(difference), int(_STEPS[place]), n_bits)
        after = decoded[-1] + (change if difference >= 0 else -change)
        decoded.append(min(max(after, -32768), 32767))
        place = min(max(place + int(_ADAPTATIONS[n_bits, magnitude]), 0), 88)
    return decoded


@given(
    seed=st.integers(0, 10**6),
    n_times=st.integers(1, 60),
    level=st.sampled_from([3, 300, 32768]),
    n_bits=st.sampled_from([2, 3, 4, 5, None]),
)
def test_as_step_by_step(seed, n_times, level, n_bits):
    rng = np.random.default_rng(seed)
    samples = rng.integers(-level, level, size=n_times)
    bits = rng.integers(2, 6, size=n_times) if n_bits is None else np.full(n_times, n_bits)
    found = adpcm_round_trip(samples, bits, _STEPS, _ADAPTATIONS)
    assert_array_equal(found, step_by_step(samples, bits))


def test_tables():
    assert _STEPS.shape == (89,)
    assert (_STEPS[0], _STEPS[-1]) == (7, 32767)
    ratios = _STEPS[1:] / _STEPS[:-1]
    assert ratios[20:] == pytest.approx(1.1, abs=0.02)
    assert (np.diff(_ADAPTATIONS[2:]) >= 0).sum() > 50
