"""The compiled envelope against one that is written differently, and how it is compiled."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.kernels.limiter import limiter_gain

CEILING = 10 ** (-0.1 / 20)


def gain_by_hand(magnitude, threshold, makeup, release, hold):
    """Look for the maxima since the last restart of each half, instead of carrying them along."""
    period = math.floor(hold) + 1
    first_offset = math.floor(hold / 2) + 1  # when the second maximum starts anew at first
    gain, envelope = [], 0.0
    for count in range(1, len(magnitude) + 1):  # as the plugin counts: from 1
        starts = [
            max(1, count - count % period),
            max(1, count - (count - first_offset) % period) if count >= first_offset else 1,
        ]
        peak = max(magnitude[start - 1 : count].max() for start in starts)
        envelope = max(peak, release * envelope + (1 - release) * peak)
        gain.append(makeup * threshold / max(envelope, threshold))
    return np.array(gain)


def arguments(threshold_db: float, sr: int) -> tuple[float, ...]:
    threshold = 10 ** (threshold_db / 20)
    return threshold, CEILING / threshold, math.exp(-3 / (sr * 0.05)), sr / 128


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("threshold_db", [0.0, -15.0, -30.0])
def test_gain_is_that_of_the_rules_written_out(sr, threshold_db, rng):
    bursts = rng.uniform(0, 1, 4000) * (rng.uniform(0, 1, 4000) > 0.98) + 0.01 * rng.random(4000)
    found = limiter_gain(bursts, *arguments(threshold_db, sr))
    assert_allclose(found, gain_by_hand(bursts, *arguments(threshold_db, sr)), rtol=1e-12)


@given(
    st.lists(st.floats(0, 2), min_size=1, max_size=60),
    st.floats(0.01, 1),
    st.floats(0, 1),
    st.floats(1, 20),
)
def test_gain_is_that_of_the_rules_for_any_numbers(values, threshold, release, hold):
    magnitude = np.array(values)
    found = limiter_gain(magnitude, threshold, 1.5, release, hold)
    expected = gain_by_hand(magnitude, threshold, 1.5, release, hold)
    assert_allclose(found, expected, rtol=1e-9)
    assert (found * magnitude <= 1.5 * threshold * (1 + 1e-12)).all()


def test_maxima_start_anew_after_188_and_376_samples_at_48_khz():
    # A release of 0 shows the held peak itself, which the later of the two maxima forgets last.
    for place, until in [(0, 375), (186, 375), (187, 563), (374, 563), (375, 751)]:
        magnitude = np.zeros(1000)
        magnitude[place] = 1.0
        held = np.flatnonzero(limiter_gain(magnitude, 0.5, 1.0, 0.0, 375.0) == 0.5)
        assert_array_equal(held, np.arange(place, until))


def test_release_decays_to_1_over_e_in_16_7_ms():
    magnitude = np.zeros(3000)
    magnitude[0] = 1.0
    envelope = 1e-9 / limiter_gain(magnitude, 1e-9, 1.0, math.exp(-3 / 2400), 375.0)
    assert math.exp(-3 / 2400) == pytest.approx(0.9987507809, abs=5e-11)
    assert envelope[375 + 800] / envelope[375] == pytest.approx(math.exp(-1))


def test_read_only_memory_is_taken_and_single_precision_is_refused():
    magnitude = np.ones(4)
    magnitude.flags.writeable = False
    assert limiter_gain(magnitude, *arguments(-6.0, 48000)).shape == (4,)
    assert len(limiter_gain.signatures) == 1
    with pytest.raises(TypeError):
        limiter_gain(magnitude.astype(np.float32), *arguments(-6.0, 48000))


def test_compiles_in_seconds(tmp_path):
    code = (
        "import numba, numpy, time; start = time.perf_counter();"
        "from skperceptual.kernels.limiter import limiter_gain;"
        "print(time.perf_counter() - start)"
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
    assert seconds[1] < seconds[0]
