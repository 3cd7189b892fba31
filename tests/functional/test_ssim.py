"""SSIM against scikit-image, and the promises about exactness, gradients and small images."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes
from skimage.metrics import structural_similarity

from skperceptual.functional import ssim, ssim_map
from skperceptual.functional.ssim import fit_window

DATA = Path(__file__).resolve().parents[1] / "data"
GOLDEN = json.loads((DATA / "image_similarity.json").read_text())


def skimage_ssim(reference, degraded, *, data_range=1.0, sigma=1.5):
    return structural_similarity(
        reference,
        degraded,
        data_range=data_range,
        gaussian_weights=True,
        sigma=sigma,
        use_sample_covariance=False,
    )


def as_tensors(*images):
    return tuple(torch.tensor(image) for image in images)


def as_arrays(*images):
    return tuple(image.numpy() for image in images)


@pytest.mark.parametrize(
    "case", GOLDEN["cases"], ids=lambda case: f"{case['kind']}-{case['shape']}"
)
def test_equals_the_golden_values(case, waves):
    assert ssim(*waves(case["shape"], case["kind"])).item() == pytest.approx(
        case["ssim"], rel=1e-12
    )


@pytest.mark.parametrize(
    "case", GOLDEN["cases"], ids=lambda case: f"{case['kind']}-{case['shape']}"
)
def test_golden_values_are_those_of_scikit_image(case, waves):
    pair = waves(case["shape"], case["kind"])
    assert skimage_ssim(*as_arrays(*pair)) == pytest.approx(case["ssim"], rel=1e-12)


@given(array_shapes(min_dims=2, max_dims=2, min_side=11, max_side=40), st.integers(0, 99))
def test_equals_scikit_image_on_noise(shape, seed):
    rng = np.random.default_rng(seed)
    reference = rng.random(shape)
    degraded = reference + rng.normal(scale=rng.choice([0.01, 0.3, 2.0]), size=shape)
    found = ssim(*as_tensors(reference, degraded)).item()
    assert found == pytest.approx(skimage_ssim(reference, degraded), abs=1e-12)


def test_equals_scikit_image_with_other_parameters(rng):
    reference = 80 * rng.random((50, 60)) - 80
    degraded = reference + rng.normal(size=(50, 60))
    # scikit-image cuts its window at 3.5 sigma: 2.3 gives 17
    found = ssim(*as_tensors(reference, degraded), data_range=80, window_size=17, sigma=2.3).item()
    expected = skimage_ssim(reference, degraded, data_range=80, sigma=2.3)
    assert found == pytest.approx(expected, abs=1e-10)


def test_equals_the_conformance_values(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())
    rtol = cases["tolerance"]["ssim"]["float64_rtol"]
    with np.load(shared / "cases" / "images.npz") as arrays:
        for name, case in cases["ssim"].items():
            pair = (arrays[f"{name}__{part}"].astype(np.float64) for part in ("ref", "dist"))
            found = ssim(*as_tensors(*pair)).item()
            assert found == pytest.approx(case["ssim"]["skimage"], rel=rtol), name


def test_map_belongs_to_the_middle_of_the_window():
    reference = torch.rand(20, 24, dtype=torch.float64)
    degraded = reference.clone()
    degraded[9, 15] += 0.5
    changed = (ssim_map(reference, degraded) != 1).nonzero()
    # Pixel (9, 15) is seen from the window positions 4..14 and 10..18, counted from 5.
    assert changed.amin(0).tolist() == [0, 5]
    assert changed.amax(0).tolist() == [9, 13]


def test_float32_agrees_with_float64(waves):
    pair = waves((64, 80), "ripple")
    single = ssim(*(image.float() for image in pair))
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(ssim(*pair).item(), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(11, 11), (33, 47), (12, 40_000), (64, 65)])
def test_an_item_gives_the_same_bits_alone_and_in_any_batch(shape, dtype):
    torch.manual_seed(0)
    reference = torch.rand(2, 2, *shape, dtype=dtype)
    degraded = (reference + 0.1 * torch.randn_like(reference)).clamp(0, 1)
    found = ssim(reference, degraded)
    for i, j in np.ndindex(2, 2):
        assert torch.equal(ssim(reference[i, j], degraded[i, j]), found[i, j])
    # nor does the layout in memory count
    turned = reference.mT.contiguous().mT
    assert torch.equal(ssim(turned, degraded), found)


def test_the_number_of_threads_does_not_change_a_bit(waves):
    pair = waves((256, 300), "ripple")
    before = torch.get_num_threads()
    try:
        values = []
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            values.append(ssim(*pair))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(values[0], values[1])
    assert torch.equal(values[0], values[2])


@given(
    array_shapes(min_dims=2, max_dims=3, min_side=11, max_side=20),
    st.sampled_from([1e-6, 1.0, 1e3]),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_identity_symmetry_and_bounds(shape, scale, dtype):
    torch.manual_seed(len(shape))
    reference = (scale * torch.randn(shape)).to(dtype)
    degraded = (scale * torch.randn(shape)).to(dtype)
    assert (ssim(reference, reference) == 1).all()
    assert (ssim_map(reference, reference.clone()) == 1).all()
    forward = ssim_map(reference, degraded)
    assert torch.equal(forward, ssim_map(degraded, reference))
    assert (forward.abs() <= 1).all()


def test_rounding_of_images_beyond_the_data_range_stays_in_bounds():
    # In float32 the rounding of these squares is larger than the constants of data_range=1.
    torch.manual_seed(0)
    reference = 1000 + torch.rand(1, 30, 30)
    degraded = 1000 + torch.rand(1, 30, 30)
    reference.requires_grad_()
    found = ssim_map(reference, degraded)
    found.sum().backward()
    assert (found.abs() <= 1).all()
    assert reference.grad.isfinite().all()


@pytest.mark.parametrize(
    ("shape", "size"), [((10, 30), 9), ((30, 9), 9), ((4, 4), 3), ((2, 50), 1), ((1, 1), 1)]
)
def test_small_images_use_a_smaller_window_and_say_so(shape, size, waves):
    reference, degraded = waves(shape, "ripple")
    with pytest.warns(UserWarning, match=f"window of {size} is used") as record:
        found = ssim(reference, degraded)
    assert len(record) == 1
    assert record[0].filename == __file__
    same = ssim(reference, degraded, window_size=size, sigma=1.5 * size / 11)
    assert torch.equal(found, same)
    with pytest.warns(UserWarning, match="window of"):
        assert ssim(reference, reference) == 1


def test_window_is_that_of_the_paper():
    taps = fit_window(11, 1.5, 100)
    # Wang et al. (2004): 11 taps, sigma 1.5, unit sum
    expected = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    np.testing.assert_allclose(taps, expected / expected.sum(), rtol=1e-14)


def test_gradient_is_right():
    torch.manual_seed(0)
    pair = tuple(torch.rand(2, 7, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def small(reference, degraded):
        return ssim(reference, degraded, window_size=5)

    assert torch.autograd.gradcheck(small, pair)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["identical", "zeros", "constants", "noise", "negative"])
def test_gradients_are_finite(kind, dtype):
    torch.manual_seed(0)
    noise = torch.rand(24, 24, dtype=dtype)
    reference, degraded = {
        "identical": (noise, noise.clone()),
        "zeros": (torch.zeros_like(noise), torch.zeros_like(noise)),
        "constants": (torch.full_like(noise, 0.3), torch.full_like(noise, 0.7)),
        "noise": (noise, torch.rand(24, 24, dtype=dtype)),
        "negative": (noise, 1 - noise),
    }[kind]
    reference.requires_grad_()
    degraded.requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        ssim(reference, degraded).backward()
    assert reference.grad.isfinite().all()
    assert degraded.grad.isfinite().all()
    if kind == "identical":  # the maximum
        assert degraded.grad.abs().max() < 1e-6


def test_descent_on_the_score_restores_the_image():
    torch.manual_seed(0)
    reference = torch.rand(20, 20, dtype=torch.float64)
    degraded = torch.rand(20, 20, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([degraded], lr=0.05)
    before = ssim(reference, degraded).item()
    for _ in range(30):
        optimizer.zero_grad()
        (1 - ssim(reference, degraded)).backward()
        optimizer.step()
    assert before < 0.3
    assert ssim(reference, degraded).item() > 0.8


@pytest.mark.parametrize("function", [ssim, ssim_map])
@pytest.mark.parametrize(
    ("reference", "degraded", "error", "message"),
    [
        (
            np.zeros((20, 20)),
            torch.zeros(20, 20),
            TypeError,
            "reference.*torch.Tensor, got ndarray",
        ),
        (torch.zeros(20, 20), torch.zeros(20, 20).int(), TypeError, "degraded.*floating.*int32"),
        (
            torch.zeros(20, 20),
            torch.zeros(20, 21),
            ValueError,
            r"same shape.*\(20, 20\).*\(20, 21\)",
        ),
        (torch.zeros(20), torch.zeros(20), ValueError, r"\(..., n_bands, n_frames\)"),
        (torch.zeros(0, 20), torch.zeros(0, 20), ValueError, "at least one band"),
        (torch.zeros(20, 20), torch.zeros(20, 20).double(), ValueError, "share type and device"),
    ],
)
def test_bad_images_are_refused(function, reference, degraded, error, message):
    with pytest.raises(error, match=message):
        function(reference, degraded)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window_size": 10}, "window_size should be an odd"),
        ({"window_size": 0}, "window_size should be an odd"),
        ({"window_size": 7.5}, "window_size should be an odd"),
        ({"sigma": 0.0}, "sigma should be a positive number"),
        ({"sigma": float("nan")}, "sigma should be a positive number"),
        ({"data_range": 0.0}, "data_range should be a positive number"),
        ({"data_range": float("inf")}, "data_range should be a positive number"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        ssim(torch.zeros(20, 20), torch.zeros(20, 20), **parameters)


def test_an_empty_batch_gives_an_empty_result():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ssim(torch.zeros(0, 20, 20), torch.zeros(0, 20, 20)).shape == (0,)
