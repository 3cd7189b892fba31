"""The differentiable Pearson correlation against the score, and where gradients could break."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual.functional import pearson_correlation
from skperceptual.metrics import pearson_score


@given(
    st.integers(2, 30),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-150, 1e-3, 1.0, 1e9, 1e150]),
    st.booleans(),
)
def test_equals_the_score(n, seed, scale, weighted):
    rng = np.random.default_rng(seed)
    x, y = scale * rng.normal(size=n), rng.normal(size=n)
    weights = rng.integers(1, 4, n).astype(float)
    found = pearson_correlation(
        torch.tensor(x), torch.tensor(y), torch.tensor(weights) if weighted else None
    )
    expected = pearson_score(x, y, sample_weight=weights if weighted else None)
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_leading_axes_are_kept_and_broadcast(rng):
    x, y = torch.tensor(rng.normal(size=(3, 1, 8))), torch.tensor(rng.normal(size=(4, 8)))
    weight = torch.tensor(rng.random(8))
    found = pearson_correlation(x, y, weight)
    assert found.shape == (3, 4)
    for i in range(3):
        for j in range(4):
            one = pearson_correlation(x[i, 0], y[j], weight)
            torch.testing.assert_close(found[i, j], one, rtol=0, atol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_is_right(rng, weighted):
    x, y = (torch.tensor(rng.normal(size=(2, 6)), requires_grad=True) for _ in range(2))
    weight = torch.tensor(rng.random((2, 6)) + 0.1, requires_grad=True) if weighted else None
    arguments = (x, y) if weight is None else (x, y, weight)
    assert torch.autograd.gradcheck(pearson_correlation, arguments)


def test_rows_without_weight_count_nowhere():
    x = torch.tensor([1.0, 2.0, 4.0, 1e30], requires_grad=True)
    y = torch.tensor([1.0, 3.0, 2.0, -1e30])
    weight = torch.tensor([1.0, 1.0, 1.0, 0.0])
    found = pearson_correlation(x, y, weight)
    found.backward()
    assert found.item() == pytest.approx(pearson_score([1, 2, 4], [1, 3, 2]), abs=1e-6)
    assert x.grad[3] == 0
    assert (x.grad[:3] != 0).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("x", "weight"),
    [
        ([0.1, 0.1, 0.1], None),
        ([0.0, 0.0, 0.0], None),
        ([1e30, 1e30, 1e30], None),
        ([0.1, 0.1, 5.0], [1.0, 1.0, 0.0]),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        ([0.5, 1.0, 2.0], [0.0, 1.0, 0.0]),
        ([7.0], None),
        # differences that are nothing but rounding, or too small to divide by
        ("rounding", None),
        ("subnormal", None),
    ],
)
def test_constant_input_gives_zero_without_nan(x, weight, dtype):
    limits = torch.finfo(dtype)
    if x == "rounding":
        x = [1.0, 1.0 + limits.eps, 1.0 - limits.eps]
    elif x == "subnormal":
        x = [0.0, limits.tiny / 8, limits.tiny / 4]
    x = torch.tensor(x, dtype=dtype, requires_grad=True)
    y = torch.arange(len(x), dtype=dtype).requires_grad_()
    weight = None if weight is None else torch.tensor(weight, dtype=dtype)
    with torch.autograd.set_detect_anomaly(True):
        found = pearson_correlation(x, y, weight)
        (1 - found).backward()
    assert found.item() == 0
    assert (x.grad == 0).all()
    assert (y.grad == 0).all()


@pytest.mark.parametrize("scale", [1e-25, 1e-18, 1e18, 3e38])
def test_float32_stays_finite_at_any_scale(scale):
    x = (torch.tensor([0.0, 0.3, 1.0, -1.0]) * scale).requires_grad_()
    found = pearson_correlation(x, torch.tensor([1.0, 2.0, 4.0, 3.0]))
    found.backward()
    expected = pearson_score([0.0, 0.3, 1.0, -1.0], [1.0, 2.0, 4.0, 3.0])
    assert found.item() == pytest.approx(expected, abs=1e-6)
    assert x.grad.isfinite().all()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_gradients_are_finite_for_any_finite_input(values):
    x = torch.tensor(values, dtype=torch.float32, requires_grad=True)
    y = torch.tensor(values[::-1], dtype=torch.float32, requires_grad=True)
    found = pearson_correlation(x, y)
    found.backward()
    assert -1 <= found.item() <= 1
    assert x.grad.isfinite().all()
    assert y.grad.isfinite().all()


def test_nan_is_passed_on():
    assert pearson_correlation(torch.tensor([1.0, torch.nan, 2.0]), torch.rand(3)).isnan()


def test_perfect_correlation_has_no_gradient():
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    found = pearson_correlation(x, 3 - 2 * x.detach())
    found.backward()
    assert found.item() == pytest.approx(-1, abs=1e-7)
    assert x.grad.abs().max() < 1e-6


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ([1.0, 2.0], torch.rand(2), TypeError, "x should be a floating-point.*got list"),
        (torch.tensor([1, 2]), torch.rand(2), TypeError, "x should be.*torch.int64"),
        (torch.rand(2), torch.rand(3), ValueError, "one value a sample on the last axis"),
        (torch.rand(1), torch.rand(3), ValueError, "one value a sample on the last axis"),
        (torch.rand(2, 3), torch.rand(4, 3), ValueError, "leading axes that broadcast"),
        (torch.rand(0), torch.rand(0), ValueError, "one value a sample"),
        (torch.tensor(1.0), torch.tensor(1.0), ValueError, "one value a sample"),
    ],
)
def test_bad_input_is_refused(x, y, error, message):
    with pytest.raises(error, match=message):
        pearson_correlation(x, y)
