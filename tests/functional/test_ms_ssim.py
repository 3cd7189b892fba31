"""MS-SSIM against pytorch-msssim on even sizes, and its rules for every other size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from skperceptual.functional import combine_terms, ms_ssim, ms_ssim_terms, ssim
from skperceptual.functional.ms_ssim import WANG_2003_WEIGHTS

DATA = Path(__file__).resolve().parents[1] / "data"
GOLDEN = [
    case
    for case in json.loads((DATA / "image_similarity.json").read_text())["cases"]
    if "ms_ssim" in case
]
# pytorch-msssim makes its window in float32.
WINDOW_ATOL = 1e-5


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['kind']}-{case['shape']}")
def test_equals_the_golden_values(case, waves):
    found = ms_ssim(*waves(case["shape"], case["kind"])).item()
    assert found == pytest.approx(case["ms_ssim"], abs=WINDOW_ATOL)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['kind']}-{case['shape']}")
def test_golden_values_are_those_of_pytorch_msssim(case, waves):
    package = pytest.importorskip("pytorch_msssim")
    pair = (image[None, None] for image in waves(case["shape"], case["kind"]))
    found = package.ms_ssim(*pair, data_range=1.0).item()
    assert found == pytest.approx(case["ms_ssim"], abs=1e-9)


def test_equals_the_conformance_values(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())
    compared = 0
    with np.load(shared / "cases" / "images.npz") as arrays:
        for name, case in cases["ssim"].items():
            expected = case["ms_ssim"]["pytorch_msssim"]
            pair = tuple(
                torch.tensor(arrays[f"{name}__{part}"].astype(np.float64))
                for part in ("ref", "dist")
            )
            if isinstance(expected, dict) or any(side % 16 for side in pair[0].shape):
                continue
            terms = ms_ssim_terms(*pair)
            scales = case["pytorch_msssim_scales"]
            product = [*scales["contrast_structure"][:4], scales["ssim"][4]]
            np.testing.assert_allclose(terms.means, product, atol=WINDOW_ATOL, err_msg=name)
            assert ms_ssim(*pair).item() == pytest.approx(expected, abs=WINDOW_ATOL), name
            compared += 1
    assert compared == 9


def test_a_stripe_of_the_opposite_sign_clips_to_zero(waves):
    reference, _ = waves([176, 176], "ripple")
    degraded = (1 - reference).requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        found = ms_ssim(reference, degraded)
        found.backward()
    assert (ms_ssim_terms(reference, degraded).means < 0).any()
    assert found.item() == 0
    assert (degraded.grad == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["identical", "zeros", "constants", "noise", "one constant"])
def test_gradients_are_finite(kind, dtype):
    torch.manual_seed(0)
    noise = torch.rand(37, 42, dtype=dtype)
    reference, degraded = {
        "identical": (noise, noise.clone()),
        "zeros": (torch.zeros_like(noise), torch.zeros_like(noise)),
        "constants": (torch.full_like(noise, 0.3), torch.full_like(noise, 0.7)),
        "noise": (noise, torch.rand(37, 42, dtype=dtype)),
        "one constant": (noise, torch.full_like(noise, 0.5)),
    }[kind]
    reference.requires_grad_()
    degraded.requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        ms_ssim(reference, degraded, window_size=5, weights=(0.2, 0.3, 0.5)).backward()
    assert reference.grad.isfinite().all()
    assert degraded.grad.isfinite().all()


def test_gradient_of_a_vanishing_term_is_finite():
    # x ** 0.0448 has the slope 1e41 at the smallest subnormal float32.
    torch.manual_seed(0)
    pair = torch.rand(2, 20, 20)
    terms = ms_ssim_terms(*pair, window_size=3, weights=(0.0448, 0.9552))
    for value in (0.0, 1e-45, 1e-38, 2e-38, 1e-30):
        means = torch.tensor([value, 0.5], requires_grad=True)
        combine_terms(terms._replace(means=means)).backward()
        assert means.grad.isfinite().all()


def test_gradient_is_right():
    torch.manual_seed(0)
    reference = torch.rand(1, 13, 14, dtype=torch.float64)
    degraded = (0.8 * reference + 0.1 * torch.rand_like(reference)).requires_grad_()

    def small(degraded):
        return ms_ssim(reference, degraded, window_size=3, weights=(0.2, 0.3, 0.5))

    assert torch.autograd.gradcheck(small, (degraded,))


def test_identical_images_score_exactly_one(waves):
    for shape in ([176, 176], [161, 300]):
        reference, _ = waves(shape, "ripple")
        assert ms_ssim(reference, reference.clone()) == 1
        assert ms_ssim(reference.float(), reference.float()) == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("shape", "parameters"),
    [((161, 165), {}), ((9, 33_000), {"window_size": 3, "weights": (0.2, 0.3, 0.5)})],
)
def test_an_item_gives_the_same_bits_alone_and_in_any_batch(shape, parameters, dtype):
    torch.manual_seed(0)
    reference = torch.rand(2, *shape, dtype=dtype)
    degraded = (reference + 0.1 * torch.randn_like(reference)).clamp(0, 1)
    found = ms_ssim(reference, degraded, **parameters)
    assert found.shape == (2,)
    for row in range(2):
        assert torch.equal(ms_ssim(reference[row], degraded[row], **parameters), found[row])


@pytest.mark.parametrize(
    ("side", "n_scales"), [(161, 5), (160, 4), (81, 4), (80, 3), (41, 3), (40, 2), (20, 1), (11, 1)]
)
def test_small_images_use_the_scales_that_fit(side, n_scales, waves):
    reference, degraded = waves([side, 300], "ripple")
    if n_scales == 5:
        terms = ms_ssim_terms(reference, degraded)
        assert terms.weights == WANG_2003_WEIGHTS
    else:
        with pytest.warns(
            UserWarning, match=f"{side} bands and 300 frames are too small"
        ) as record:
            terms = ms_ssim_terms(reference, degraded)
        assert len(record) == 1
        assert record[0].filename == __file__
        first = np.array(WANG_2003_WEIGHTS[:n_scales])
        np.testing.assert_allclose(terms.weights, first / first.sum(), rtol=1e-14)
    assert terms.means.shape == (n_scales,)
    # A side of n becomes one of ceil(n / 2), and the window of 11 costs 10.
    rows = [-(-side // 2**scale) - 10 for scale in range(n_scales)]
    assert [len(band) for band in terms.band_means] == rows


@pytest.mark.parametrize(("side", "size"), [(10, 9), (4, 3), (1, 1)])
def test_images_below_the_window_use_one_scale_and_a_smaller_window(side, size, waves):
    pair = waves([side, 40], "ripple")
    with pytest.warns(UserWarning, match=f"a window of {size} and weights") as record:
        found = ms_ssim(*pair)
    assert len(record) == 1
    alone = ssim(*pair, window_size=size, sigma=1.5 * size / 11)
    assert found.item() == pytest.approx(max(alone.item(), 0), abs=1e-15)


def test_odd_sides_average_what_is_there():
    # Three rows and columns halve to two: a 2x2 block, a 2x1, a 1x2 and the last pixel.
    image = torch.arange(9.0).reshape(3, 3) / 9
    half = torch.tensor([[2.0, 3.5], [6.5, 8.0]]) / 9
    noise = torch.tensor([[0.0, 0.2, 0.1], [0.3, 0.0, 0.4], [0.1, 0.1, 0.0]])
    noise_half = torch.tensor([[0.125, 0.25], [0.1, 0.0]])
    terms = ms_ssim_terms(image, image + noise, window_size=1, weights=(0.5, 0.5))
    expected = ssim(half, half + noise_half, window_size=1)
    torch.testing.assert_close(terms.means[1], expected)


def test_terms_are_means_of_their_bands_and_multiply_to_the_score(waves):
    pair = tuple(torch.stack([image, image.flip(0)]) for image in waves([200, 170], "ripple"))
    terms = ms_ssim_terms(*pair)
    assert terms.means.shape == (2, 5)
    for scale, band in enumerate(terms.band_means):
        torch.testing.assert_close(band.mean(-1), terms.means[:, scale], rtol=1e-13, atol=0)
    assert torch.equal(combine_terms(terms), ms_ssim(*pair))
    by_hand = (terms.means ** torch.tensor(terms.weights, dtype=torch.float64)).prod(-1)
    torch.testing.assert_close(by_hand, ms_ssim(*pair), rtol=1e-13, atol=0)


def test_given_weights_and_their_number_are_used(waves):
    pair = waves([90, 100], "ripple")
    assert ms_ssim(*pair, weights=[1.0]).item() == pytest.approx(ssim(*pair).item(), abs=1e-15)
    once, twice = ms_ssim(*pair, weights=(0.5, 0.5)), ms_ssim(*pair, weights=(1.0, 1.0))
    torch.testing.assert_close(once**2, twice)


@pytest.mark.parametrize("weights", [(), (0.5, 0.0), (0.5, -0.5), (0.5, float("nan"))])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights should be positive numbers, one a scale"):
        ms_ssim(torch.rand(200, 200), torch.rand(200, 200), weights=weights)


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        ms_ssim(torch.rand(200, 200), torch.rand(200, 201))
    with pytest.raises(TypeError, match=r"torch\.Tensor"):
        ms_ssim(np.zeros((200, 200)), torch.rand(200, 200))
