"""Dynamic time warping of spectrograms: what it finds, and what it does not go by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal

from skperceptual import Spectrogram
from skperceptual.datasets import make_synthetic_cellos
from skperceptual.preprocessing import align


def brute_force(costs, stall):
    """Give the least cost of any path, by trying all."""
    n, m = costs.shape

    def best(row, column):
        if row == n - 1 and column == m - 1:
            return 0.0
        found = []
        if row + 1 < n and column + 1 < m:
            found.append(costs[row + 1, column + 1] + best(row + 1, column + 1))
        if row + 1 < n:
            found.append(costs[row + 1, column] + stall + best(row + 1, column))
        if column + 1 < m:
            found.append(costs[row, column + 1] + stall + best(row, column + 1))
        return min(found)

    return best(0, 0) + costs[0, 0]


def directions(image):
    moving = image - image.mean(axis=1, keepdims=True)
    return moving / np.linalg.norm(moving, axis=0)


@given(st.integers(0, 50), st.integers(2, 6), st.integers(2, 6))
def test_frames_lie_on_a_path_of_least_cost(seed, n_frames, n_other):
    rng = np.random.default_rng(seed)
    reference, other = rng.normal(size=(4, n_frames)), rng.normal(size=(4, n_other))
    frames = align(reference, other)
    assert frames.shape == (n_frames,)
    assert (np.diff(frames) >= 0).all()
    costs = 1 - directions(reference).T @ directions(other)
    # A path through these places alone is no cheaper, and with what lies between no dearer.
    least = brute_force(costs, 0.01)
    allowed = np.full(costs.shape, np.inf)
    for row, frame in enumerate(frames):
        allowed[row, frame] = costs[row, frame]
        low = frames[row - 1] if row else 0
        high = frames[row + 1] if row + 1 < n_frames else n_other - 1
        allowed[row, low : high + 1] = costs[row, low : high + 1]
    assert brute_force(allowed, 0.01) == pytest.approx(least, abs=1e-9)


@given(st.integers(0, 99), st.lists(st.integers(1, 4), min_size=6, max_size=6))
def test_held_frames_are_found(seed, repeats):
    score = np.random.default_rng(seed).normal(size=(30, 6))
    other = np.repeat(score, repeats, axis=1)
    frames = align(score, other)
    assert_array_equal(other[:, frames], score)
    assert_array_equal(score[:, align(other, score)], other)


def test_a_spectrogram_is_aligned_with_itself_frame_by_frame(rng):
    image = np.repeat(rng.normal(size=(20, 8)), 12, axis=1)  # held notes leave it a choice
    assert_array_equal(align(image, image), np.arange(96))


def test_level_and_equalisation_make_no_difference(rng):
    reference = rng.normal(size=(20, 40))
    other = reference[:, np.sort(rng.integers(0, 40, 60))]
    frames = align(reference, other)
    assert_array_equal(align(reference, other + rng.normal(0, 5, size=(20, 1))), frames)
    assert_array_equal(align(3.0 * reference + 7, other - 2), frames)


def test_two_takes_come_into_time():
    """What goes on in the music agrees after, and a limit that is wide enough changes nothing."""
    cellos = make_synthetic_cellos(
        n_train=4, n_validation=0, n_test=0, excerpts_per_instrument=3, random_state=1
    )
    images = Spectrogram().transform(cellos.signals)
    before, after = [], []
    for row in (0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20):
        frames = align(images[row], images[row + 3])
        assert_array_equal(align(images[row], images[row + 3], max_shift_frames=150), frames)
        before.append(np.mean(cellos.states[row] == cellos.states[row + 3]))
        after.append(np.mean(cellos.states[row] == cellos.states[row + 3][frames]))
    assert np.mean(before) < 0.85
    assert np.mean(after) > 0.88


def test_a_limit_is_kept(rng):
    score = rng.normal(size=(20, 10))
    reference = np.repeat(score, [9] + [1] * 9, axis=1)
    other = np.repeat(score, [1] * 9 + [9], axis=1)
    line = np.arange(18)
    assert np.abs(align(reference, other) - line).max() > 5
    for limit in (1, 3):
        assert np.abs(align(reference, other, max_shift_frames=limit) - line).max() <= limit
    assert_array_equal(align(reference, other, max_shift_frames=0), line)
    longer = align(reference, np.repeat(other, 3, axis=1), max_shift_frames=2)
    assert np.abs(longer - line * 53 / 17).max() <= 2.5


@given(st.integers(0, 99), st.integers(1, 12), st.integers(1, 40), st.integers(0, 4))
def test_a_limit_leaves_a_way_and_is_kept(seed, n_frames, n_other, limit):
    """Also where the better way is just outside, and where one frame stands for many."""
    score = np.random.default_rng(seed).normal(size=(10, 41))
    late, early = score[:, 1 : 1 + n_other], score[:, :n_frames]
    for reference, other in ((early, late), (late, early)):
        n, m = reference.shape[1], other.shape[1]
        frames = align(reference, other, max_shift_frames=limit)
        assert frames.shape == (n,)
        away = np.abs(frames - np.linspace(0, m - 1, n)).max()
        if n == m:
            assert away <= limit
        elif n > 1:  # one frame of the shorter is as long as several of the longer
            assert away <= limit + max(1, (m - 1) / (n - 1)) / 2 + 0.5


def test_frames_that_do_not_differ_have_no_say(rng):
    image = rng.normal(size=(5, 10))
    constant = np.ones((5, 10))
    assert_array_equal(align(constant, image), np.arange(10))
    assert_array_equal(align(np.ones((5, 1)), np.ones((5, 1))), [0])


def test_lists_and_float32_are_taken(rng):
    image = rng.normal(size=(5, 10)).astype(np.float32)
    assert_array_equal(align(image.tolist(), image), np.arange(10))


@pytest.mark.parametrize(
    ("reference", "other", "message"),
    [
        (np.zeros(5), np.zeros((3, 5)), "one image of shape"),
        (np.zeros((2, 3, 5)), np.zeros((3, 5)), "Align one pair at a time"),
        (np.zeros((3, 5)), np.zeros((4, 5)), "reference has 3 bands and other 4"),
        (np.full((3, 5), np.nan), np.zeros((3, 5)), "NaN"),
        (np.zeros((3, 0)), np.zeros((3, 5)), "0 feature"),
        (np.zeros((1, 9000)), np.zeros((1, 9000)), "too many to align at once"),
    ],
)
def test_bad_images_are_refused(reference, other, message):
    with pytest.raises(ValueError, match=message):
        align(reference, other)


def test_bad_limits_are_refused():
    with pytest.raises(ValueError, match="max_shift_frames"):
        align(np.zeros((3, 5)), np.zeros((3, 5)), max_shift_frames=-1)
