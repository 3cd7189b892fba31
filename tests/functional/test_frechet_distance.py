"""The Fréchet distance: formula, square roots by scipy, low rank, gradients, properties."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, strategies as st

from skperceptual.functional import (
    covariance_root,
    frechet_distance,
    gaussian_frechet_distance,
    gaussian_root,
)


def draw(rng, n_frames, dim, *, offset=0.0):
    """Frames with the falling spectrum that embeddings have."""
    return torch.tensor(
        offset + rng.standard_normal((n_frames, dim)) / np.arange(1, dim + 1) ** 0.5
    )


def by_square_root(reference, degraded):
    """The distance as its definition has it, with scipy's square root of a product."""
    one, other = (np.cov(frames.numpy().T) for frames in (reference, degraded))
    root = scipy.linalg.sqrtm(one @ other)
    between = np.square(reference.numpy().mean(0) - degraded.numpy().mean(0)).sum()
    return between + np.trace(one) + np.trace(other) - 2 * np.trace(root).real


@pytest.mark.parametrize(
    ("sizes", "dim", "tolerance"),
    [
        ((2000, 1500), 32, 1e-12),
        ((300, 250), 128, 1e-12),
        ((50, 60), 64, 3e-6),
        ((9, 400), 64, 3e-6),
    ],
)
def test_equals_scipy_square_root(rng, sizes, dim, tolerance):
    # Square roots of singular products have half of the digits: there the tolerance is scipy's.
    reference, degraded = (draw(rng, n, dim, offset=n / 1000) for n in sizes)
    expected = by_square_root(reference, degraded)
    assert frechet_distance(reference, degraded).item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("sizes", [(2000, 32), (50, 64), (200, 512), (2, 128), (64, 64)])
def test_a_set_is_at_zero_from_itself(rng, sizes):
    frames = 100 * draw(rng, *sizes, offset=50.0)
    assert frechet_distance(frames, frames).item() < 1e-9
    assert frechet_distance(frames, frames.flip(0)).item() < 1e-9


def test_gaussians_whose_covariances_commute_have_a_closed_form(rng):
    # |m1 - m2|^2 + sum of (s1 - s2)^2: exactly, for frames whitened to those moments.
    deviations = torch.tensor(rng.uniform(0.5, 3, size=(2, 6)))
    means = torch.tensor(rng.normal(size=(2, 6)))
    sets = []
    for mean, deviation in zip(means, deviations, strict=True):
        frames = torch.tensor(rng.standard_normal((500, 6)))
        frames = torch.linalg.qr(frames - frames.mean(0)).Q * 499**0.5
        sets.append(frames * deviation + mean)
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    torch.testing.assert_close(frechet_distance(*sets), expected, rtol=1e-12, atol=0)


def test_in_one_dimension_it_is_the_distance_of_means_and_deviations(rng):
    one, other = (
        torch.tensor(rng.normal(size=(30, 1))),
        torch.tensor(rng.normal(2, 3, size=(40, 1))),
    )
    expected = (one.mean() - other.mean()) ** 2 + (one.std() - other.std()) ** 2
    torch.testing.assert_close(frechet_distance(one, other), expected)


sizes = st.integers(2, 30)


@given(sizes, sizes, st.integers(1, 12), st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 1e4]))
def test_is_a_symmetric_distance_that_no_rotation_or_offset_changes(n, m, dim, seed, scale):
    rng = np.random.default_rng(seed)
    one, other = scale * draw(rng, n, dim), scale * draw(rng, m, dim, offset=0.2)
    found = frechet_distance(one, other)
    assert found >= 0
    unit = 1e-10 * scale**2
    assert frechet_distance(other, one) == pytest.approx(found.item(), rel=1e-10, abs=unit)
    rotation = torch.linalg.qr(torch.tensor(rng.normal(size=(dim, dim)))).Q
    moved = [frames @ rotation + 3 * scale for frames in (one, other)]
    assert frechet_distance(*moved).item() == pytest.approx(found.item(), rel=1e-9, abs=unit)
    order = torch.tensor(rng.permutation(n))
    assert frechet_distance(one[order], other).item() == pytest.approx(found.item(), abs=unit)
    doubled = frechet_distance(2 * one, 2 * other).item()
    assert doubled == pytest.approx(4 * found.item(), rel=1e-9, abs=unit)


def test_single_precision_is_computed_in_double(rng):
    frames = draw(rng, 40, 64, offset=30.0).float()
    found = frechet_distance(frames, frames + 1e-3)
    assert found.dtype == torch.float32
    exact = frechet_distance(frames.double(), (frames + 1e-3).double())
    assert found.item() == pytest.approx(exact.item(), rel=1e-6)


def test_leading_axes_are_items(rng):
    one, other = draw(rng, 60, 5).reshape(3, 20, 5), draw(rng, 30, 5).reshape(3, 10, 5)
    found = frechet_distance(one, other)
    assert found.shape == (3,)
    for row in range(3):
        assert found[row].item() == pytest.approx(frechet_distance(one[row], other[row]).item())


@pytest.mark.parametrize("sizes", [(12, 9, 4), (4, 5, 8), (4, 20, 8)])
def test_gradients_are_right(rng, sizes):
    n, m, dim = sizes
    one = draw(rng, n, dim).requires_grad_()
    other = draw(rng, m, dim, offset=0.3).requires_grad_()
    assert torch.autograd.gradcheck(frechet_distance, (one, other))


def test_the_gradient_at_zero_is_zero_and_descent_leads_there(rng):
    reference = draw(rng, 40, 6)
    moved = reference.clone().requires_grad_()
    frechet_distance(reference, moved).backward()
    assert moved.grad.abs().max() < 1e-9
    moved = (0.5 * reference + 1).requires_grad_()
    optimiser = torch.optim.Adam([moved], lr=0.05)
    before = frechet_distance(reference, moved).item()
    for _ in range(200):
        optimiser.zero_grad()
        loss = frechet_distance(reference, moved)
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-3 * before


def test_covariances_give_what_frames_give(rng):
    one, other = draw(rng, 300, 12), draw(rng, 200, 12, offset=0.4)
    moments = [
        part
        for frames in (one, other)
        for part in (frames.mean(0), covariance_root(torch.cov(frames.T)))
    ]
    found = gaussian_frechet_distance(*moments)
    torch.testing.assert_close(found, frechet_distance(one, other), rtol=1e-11, atol=0)
    root = gaussian_root(one)[1]
    torch.testing.assert_close(root.T @ root, torch.cov(one.T), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (torch.eye(3)[:2], r"\(\.\.\., dim, dim\), got \(2, 3\)"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (torch.tensor([[1.0, 0.0], [0.0, -0.5]]), "negative eigenvalues, got one of -0.5"),
        (torch.full((2, 2), torch.nan), "NaN or infinity"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, message):
    with pytest.raises(ValueError, match=message):
        covariance_root(covariance)


@pytest.mark.parametrize(
    ("degraded", "error", "message"),
    [
        (np.zeros((5, 3)), TypeError, "torch.Tensor, got ndarray"),
        (torch.zeros(5, 3, dtype=torch.int64), TypeError, "floating point, got torch.int64"),
        (torch.zeros(3), ValueError, r"n_frames, dim\).*got \(3,\)"),
        (torch.zeros(0, 3), ValueError, "at least one frame"),
        (torch.zeros(1, 3, dtype=torch.float64), ValueError, "at least two frames"),
        (torch.zeros(5, 4, dtype=torch.float64), ValueError, "one embedding"),
        (torch.zeros(3, 6, dtype=torch.float64), ValueError, r"swapped: use degraded.transpose"),
        (torch.zeros(5, 3), ValueError, "degraded.to"),
        (torch.full((5, 3), torch.inf, dtype=torch.float64), ValueError, "NaN or infinity"),
    ],
)
def test_wrong_frames_are_refused(degraded, error, message):
    with pytest.raises(error, match=message):
        frechet_distance(torch.zeros(6, 3, dtype=torch.float64), degraded)
