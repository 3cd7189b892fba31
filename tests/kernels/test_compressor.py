"""The compiled smoothing of a compressor's gain against the same, written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.kernels.compressor import smoothed_reduction


def by_hand(wanted, attack, release):
    """Branch as the detector of Giannoulis et al. does, and weight the new value with the rest."""
    followed = [0.0]
    for value in wanted:
        left = attack if value > followed[-1] else release
        followed.append(left * followed[-1] + (1 - left) * value)
    return np.array(followed[1:])


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80), st.floats(0, 1), st.floats(0, 1))
def test_it_follows_the_rules(values, attack, release):
    wanted = np.array(values)
    found = smoothed_reduction(wanted, attack, release)
    assert_allclose(found, by_hand(wanted, attack, release), rtol=1e-9, atol=1e-9)


def test_without_smoothing_it_is_what_is_wanted(rng):
    wanted = rng.uniform(0, 30, size=500)
    assert_array_equal(smoothed_reduction(wanted, 0.0, 0.0), wanted)
    assert_array_equal(smoothed_reduction(wanted, 1.0, 1.0), np.zeros(500))


def test_read_only_memory_is_taken_and_single_precision_is_refused():
    wanted = np.ones(4)
    wanted.flags.writeable = False
    assert smoothed_reduction(wanted, 0.5, 0.5).shape == (4,)
    assert len(smoothed_reduction.signatures) == 1
    with pytest.raises(TypeError):
        smoothed_reduction(wanted.astype(np.float32), 0.5, 0.5)
