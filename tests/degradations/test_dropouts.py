"""How much is silent, where, and how the gaps begin and end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal

from skperceptual.degradations import Dropouts
from skperceptual.degradations.fades import raised_mask

CLIP = np.random.default_rng(0).uniform(0.1, 0.5, size=32000)


def silent(clip=CLIP, **parameters):
    parameters = {"random_state": 0, "fade_seconds": 0.0} | parameters
    return Dropouts(**parameters).transform([clip])[0] == 0


@given(percent=st.floats(0.01, 100), n_times=st.integers(1, 3000), seed=st.integers(0, 50))
def test_share_of_silence(percent, n_times, seed):
    found = silent(CLIP[:n_times], dropped_percent=percent, random_state=seed)
    assert found.sum() == max(1, round(percent / 100 * n_times))


def test_more_silence_covers_less():
    before = silent(severity=0.0)
    for severity in np.linspace(0.1, 1, 10):
        now = silent(severity=severity)
        assert now[before].all()
        assert now.sum() > before.sum()
        before = now


def test_gaps_are_of_one_duration_but_one():
    edges = np.flatnonzero(np.diff(silent(dropped_percent=2.0), prepend=False, append=False))
    lengths = np.sort(np.diff(edges.reshape(-1, 2))[:, 0])
    assert lengths.sum() == 640
    assert set(lengths.tolist()) <= {640}  # 40 ms of 2 s: one gap, shorter than one of 50 ms
    edges = np.flatnonzero(np.diff(silent(dropped_percent=6.0), prepend=False, append=False))
    lengths = np.sort(np.diff(edges.reshape(-1, 2))[:, 0])
    assert lengths.sum() == 1920
    assert lengths.max() in (800, 1600)


def test_the_rest_is_left_alone_but_for_fades():
    gaps = silent(dropped_percent=5.0)
    faded = Dropouts(dropped_percent=5.0, random_state=0).transform([CLIP])[0]
    assert_array_equal(faded == 0, gaps)
    far = np.convolve(gaps, np.ones(161), mode="same") < 0.5
    assert_array_equal(faded[far], CLIP[far])
    near = ~far & ~gaps
    assert (faded[near] < CLIP[near]).all()


def test_masks():
    mask = raised_mask([(5, 7), (12, 20)], 14, 3)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.array([1, 2, 3]) / 4)
    expected = np.zeros(14)
    expected[2:5], expected[5:7], expected[7:10] = rise, 1, rise[::-1]
    expected[9:12] = np.maximum(expected[9:12], rise)
    expected[12:] = 1
    np.testing.assert_allclose(mask, expected)
    assert_array_equal(raised_mask([], 3, 2), np.zeros(3))
    assert_array_equal(raised_mask([(0, 2)], 3, 0), [1, 1, 0])


def test_too_short_a_dropout_is_refused():
    with pytest.raises(ValueError, match="less than a sample at sr=100"):
        Dropouts(dropout_seconds=0.001, sr=100).fit(np.zeros((1, 5)))
