"""The kernel distance against sums written out, blocks, medians, gradients."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.spatial.distance import cdist, pdist

from skperceptual.functional import kernel_distance, mean_kernel, median_distance


def written_out(reference, degraded, bandwidth):
    def kernel(one, other):
        return np.exp(-cdist(one, other, "sqeuclidean") / (2 * bandwidth**2))

    n, m = len(reference), len(degraded)
    within = sum(
        (kernel(frames, frames).sum() - len(frames)) / (len(frames) * (len(frames) - 1))
        for frames in (reference, degraded)
    )
    return 100 * (within - 2 * kernel(reference, degraded).sum() / (n * m))


@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(1, 8),
    st.integers(0, 10**6),
    st.sampled_from([0.3, 1.0, 20.0]),
)
def test_equals_sums_written_out(n, m, dim, seed, bandwidth):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(n, dim)), rng.normal(0.3, 2, size=(m, dim))
    found = kernel_distance(torch.tensor(one), torch.tensor(other), bandwidth=bandwidth).item()
    assert found == pytest.approx(written_out(one, other, bandwidth), abs=1e-9)
    assert -200 <= found <= 200
    back = kernel_distance(torch.tensor(other), torch.tensor(one), bandwidth=bandwidth).item()
    assert back == pytest.approx(found, abs=1e-9)


def test_blocks_make_no_difference(rng, monkeypatch):
    one, other = (torch.tensor(rng.normal(size=(n, 7))) for n in (101, 64))
    whole = kernel_distance(one, other, bandwidth=2.0), median_distance(one)
    # By its name: the package has a function of that name.
    module = import_module("skperceptual.functional.kernel_distance")
    monkeypatch.setattr(module, "_BLOCK", 300)
    parts = kernel_distance(one, other, bandwidth=2.0), median_distance(one)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-10)


def test_frames_far_from_the_origin_keep_their_digits(rng):
    one, other = (torch.tensor(rng.normal(size=(50, 5))) for _ in range(2))
    near = kernel_distance(one, other, bandwidth=2.0)
    far = kernel_distance(one + 1e6, other + 1e6, bandwidth=2.0)
    assert far.item() == pytest.approx(near.item(), abs=1e-5)


def test_is_centred_on_zero_for_one_distribution(rng):
    values = [
        kernel_distance(*torch.tensor(rng.normal(size=(2, 30, 4))), bandwidth=2.0).item()
        for _ in range(300)
    ]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / 300**0.5


@pytest.mark.parametrize("n_frames", [2, 3, 4, 57])
def test_median_is_that_of_all_pairs(rng, n_frames):
    frames = rng.normal(size=(n_frames, 3))
    found = median_distance(torch.tensor(frames)).item()
    assert found == pytest.approx(np.median(pdist(frames)), rel=1e-9)


def test_gradients_are_right(rng):
    one, other = (torch.tensor(rng.normal(size=(n, 3)), requires_grad=True) for n in (5, 4))
    assert torch.autograd.gradcheck(lambda a, b: kernel_distance(a, b, bandwidth=1.5), (one, other))


def test_leading_axes_are_items_and_the_type_is_kept(rng):
    one, other = (torch.tensor(rng.normal(size=(2, n, 3))).float() for n in (9, 6))
    found = kernel_distance(one, other, bandwidth=1.0)
    assert (found.shape, found.dtype) == ((2,), torch.float32)
    for row in range(2):
        alone = kernel_distance(one[row], other[row], bandwidth=1.0)
        assert found[row].item() == pytest.approx(alone.item(), abs=1e-5)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.nan, np.inf])
def test_a_wrong_bandwidth_is_refused(bandwidth):
    frames = torch.zeros(4, 2)
    with pytest.raises(ValueError, match="bandwidth above 0"):
        kernel_distance(frames, frames, bandwidth=bandwidth)


def test_a_single_frame_is_refused():
    for call in (
        lambda: kernel_distance(torch.zeros(4, 2), torch.zeros(1, 2), bandwidth=1.0),
        lambda: mean_kernel(torch.zeros(1, 2), bandwidth=1.0),
        lambda: median_distance(torch.zeros(1, 2)),
    ):
        with pytest.raises(ValueError, match="at least two frames"):
            call()
