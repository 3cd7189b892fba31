"""NLPD against the published implementations, and its gradient."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from skperceptual.functional import (
    divisive_normalization,
    laplacian_pyramid,
    level_distances,
    nlpd,
    nlpd_differences,
    pool_levels,
    resolve_normalization,
)

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "nlpd.npz")

# Ours: name of the published implementation, options, relative tolerance against its doubles.
# The torch sources keep their constants as float32.
FORMS = {
    "laparra2016": ("matlab2016", {}, 1e-10),
    "pyiqa": ("pyiqa", {"kernel_size": 3}, 1e-7),
    "laparra2017": ("google_tf", {"convention": "laparra2017", "pooling": "norm0.6"}, 1e-10),
    "hepburn": ("hepburn_torch", {"convention": "hepburn", "pooling": "norm0.6"}, 1e-7),
}
CONVENTIONS = ("laparra2016", "laparra2017", "hepburn")


def level_rms(reference, degraded, options):
    options = {name: value for name, value in options.items() if name != "pooling"}
    return level_distances(nlpd_differences(reference, degraded, **options))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_golden_values(form, dtype):
    _, options, rtol = FORMS[form]
    tolerances = {"rtol": rtol, "atol": 1e-12}
    if dtype == torch.float32:
        tolerances = {"rtol": 5e-6, "atol": 5e-7}
    compared = 0
    for case in {name.split("__")[0] for name in GOLDEN.files}:
        if f"{case}__{form}" not in GOLDEN:
            continue
        pair = torch.tensor(GOLDEN[f"{case}__pair"], dtype=dtype)
        expected = GOLDEN[f"{case}__{form}"]
        value = nlpd(pair[0], pair[1], **options).item()
        np.testing.assert_allclose(value, expected[0], **tolerances)
        np.testing.assert_allclose(
            level_rms(*pair, options).numpy(), expected[1:], rtol=tolerances["rtol"] * 10, atol=1e-6
        )
        compared += 1
    assert compared >= 2


@pytest.mark.parametrize("form", FORMS)
def test_every_conformance_value(shared, form):
    source, options, _ = FORMS[form]
    cases = json.loads((shared / "cases" / "images.json").read_text())
    images = np.load(shared / "cases" / "images.npz")
    exact, single = cases["tolerance"]["nlpd_float64"][source], cases["tolerance"]["nlpd_float32"]
    compared = 0
    for case, described in cases["nlpd"].items():
        expected = described["implementations"].get(source, {}).get("value")
        if expected is None:
            continue
        pair = torch.tensor(np.stack([images[f"{case}__ref"], images[f"{case}__dist"]]))
        constant = "const" in case
        rtol = exact.get("constant_pairs_rtol", exact["rtol"]) if constant else exact["rtol"]
        np.testing.assert_allclose(
            nlpd(*pair.double(), **options).item(), expected, rtol=rtol, atol=exact["atol"]
        )
        atol = 3e-4 if constant and "pooling" in options else single["atol"]
        np.testing.assert_allclose(
            nlpd(*pair.float(), **options).item(), expected, rtol=single["rtol"], atol=atol
        )
        compared += 1
    assert compared >= 16


@pytest.mark.parametrize("form", FORMS)
def test_every_conformance_band(shared, form):
    source, options, _ = FORMS[form]
    images = np.load(shared / "cases" / "images.npz")
    convention = options.get("convention", "laparra2016")
    arrays = resolve_normalization(
        "image", 6, kernel_size=options.get("kernel_size", 5), convention=convention
    )
    filters, sigmas = (torch.tensor(part) for part in arrays)
    border = "reflect" if convention == "hepburn" else "zeros"
    compared = 0
    for name in images.files:
        case, _, rest = name.partition("__bands__")
        implementation, _, level = rest.partition("__")
        if implementation != source:
            continue
        k = int(level) - 1
        image = torch.tensor(images[f"{case}__ref"]).double()
        band = laplacian_pyramid(image, convention=convention)[k]
        ours = divisive_normalization(band, filters[k], sigmas[k], border=border)
        # The bands are stored as float32; torch sources hold float32 constants.
        atol = 3e-6 if "torch" in source or source == "pyiqa" else 1e-11
        np.testing.assert_allclose(ours.numpy(), images[name], rtol=1.2e-7, atol=atol)
        compared += 1
    assert compared >= 12


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
def test_identical_images_are_exactly_0_apart_with_gradient_0(convention, pooling):
    image = torch.rand(2, 70, 70, requires_grad=True)
    distance = nlpd(image, image.detach().clone(), convention=convention, pooling=pooling)
    assert torch.equal(distance, torch.zeros(2))
    distance.sum().backward()
    assert torch.equal(image.grad, torch.zeros_like(image))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
@pytest.mark.parametrize("content", ["noise", "zeros", "one pixel"])
def test_gradient_is_finite(convention, pooling, content):
    reference = torch.zeros(70, 70)
    degraded = torch.zeros(70, 70)
    if content == "noise":
        reference, degraded = torch.rand(2, 70, 70)
    elif content == "one pixel":
        degraded[30, 40] = 1e-3
    degraded.requires_grad_()
    nlpd(reference, degraded, convention=convention, pooling=pooling).backward()
    assert torch.isfinite(degraded.grad).all()


def test_gradient_is_right():
    images = torch.rand(2, 9, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    degraded = images[1].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: nlpd(images[0], x, n_levels=3), degraded)


@pytest.mark.parametrize("convention", ["laparra2016", "hepburn"])
def test_an_item_gives_the_same_bits_alone_and_in_a_batch(convention):
    reference, degraded = torch.rand(2, 4, 70, 81)
    together = nlpd(reference, degraded, convention=convention)
    alone = [nlpd(r, d, convention=convention) for r, d in zip(reference, degraded, strict=True)]
    assert torch.equal(together, torch.stack(alone))


@given(seed=st.integers(0, 2**31), n_levels=st.integers(1, 6))
def test_symmetric_and_not_negative(seed, n_levels):
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.rand(2, 16, 19, generator=generator, dtype=torch.float64)
    forth, back = (nlpd(a, b, n_levels=n_levels) for a, b in ((one, other), (other, one)))
    assert forth == back
    assert forth > 0


def test_power_mean_and_the_norm_of_hepburn():
    distances = torch.tensor([0.5, 0.1, 0.2], dtype=torch.float64)
    mean = pool_levels(distances, pooling="norm0.6", convention="laparra2017")
    expected = np.mean(distances.numpy() ** 0.6) ** (1 / 0.6)
    assert mean.item() == pytest.approx(expected)
    norm = pool_levels(distances, pooling="norm0.6", convention="hepburn")
    assert norm.item() == pytest.approx(expected * 3 ** (1 / 0.6))


def test_unknown_pooling_and_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match=r"mean, norm0\.6"):
        nlpd(torch.rand(8, 8), torch.rand(8, 8), pooling="max")
    with pytest.raises(ValueError, match="same shape"):
        nlpd(torch.rand(8, 8), torch.rand(8, 9))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
def test_what_is_not_finite_is_passed_on(value, convention, pooling):
    reference = torch.rand(70, 70)
    degraded = reference.clone()
    degraded[30, 40] = value
    assert not torch.isfinite(nlpd(reference, degraded, convention=convention, pooling=pooling))


def test_weights_given_as_tensors_can_be_learned():
    reference, degraded = torch.rand(2, 16, 16, dtype=torch.float64)
    filters, sigmas = (torch.tensor(part) for part in resolve_normalization("image", 3))
    filters.requires_grad_()
    sigmas.requires_grad_()
    distance = nlpd(reference, degraded, n_levels=3, normalization=(filters, sigmas))
    assert distance.item() == pytest.approx(nlpd(reference, degraded, n_levels=3).item())
    distance.backward()
    assert (filters.grad != 0).any()
    assert (sigmas.grad != 0).all()


@pytest.mark.parametrize(
    ("images", "error"),
    [
        ((torch.rand(16, 16) * 255).byte(), TypeError),
        (np.zeros((16, 16)), TypeError),
        (torch.rand(16), ValueError),
    ],
)
def test_what_is_no_image_is_refused(images, error):
    with pytest.raises(error):
        nlpd(images, images)


def test_laparra2017_refuses_decibels():
    with pytest.raises(ValueError, match="scale='log01'"):
        nlpd(-80 * torch.rand(70, 70), -80 * torch.rand(70, 70), convention="laparra2017")
