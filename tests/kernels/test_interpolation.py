"""The loop against the sum that it stands for."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose

from skperceptual.kernels.interpolation import interpolate_at


@given(seed=st.integers(0, 10**6), n_times=st.integers(1, 40), n_taps=st.sampled_from([2, 4, 8]))
def test_as_a_sum(seed, n_times, n_taps):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(n_times)
    taps = rng.standard_normal((17, n_taps))
    places = rng.uniform(-10, n_times + 10, size=20)
    places[:3] = np.round(places[:3])
    found = interpolate_at(signal, places, taps)
    padded = np.pad(signal, 100)
    for place, value in zip(places, found, strict=True):
        whole = int(np.floor(place))
        weights = [np.interp((place - whole) * 16, np.arange(17), column) for column in taps.T]
        first = 100 + whole - n_taps // 2 + 1
        assert_allclose(value, weights @ padded[first : first + n_taps], atol=1e-12)
