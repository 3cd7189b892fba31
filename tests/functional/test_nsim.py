"""NSIM: published values, identity, gradients."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from skperceptual.functional import nsim, nsim_map
from skperceptual.functional.nsim import WINDOW, _blur

CASES = json.loads((Path(__file__).parents[1] / "data" / "visqol.json").read_text())


def patch_of_the_golden() -> tuple[np.ndarray, np.ndarray]:
    i, j = np.mgrid[:32, :30]
    reference = 20 + 10 * np.sin(0.7 * i + 0.3 * j)
    return reference, reference + 2 * np.cos(0.5 * i * j)


def test_values_are_those_of_visqol():
    golden = CASES["goldens"]["nsim_patch"]
    reference, degraded = map(torch.tensor, patch_of_the_golden())
    bands = nsim(reference, degraded)
    np.testing.assert_allclose(bands, golden["freq_band_means"], rtol=1e-12)
    deviations = nsim_map(reference, degraded).std(dim=-1)
    np.testing.assert_allclose(deviations, golden["freq_band_stddevs"], rtol=1e-11)
    assert bands.mean().item() == pytest.approx(golden["nsim"], rel=1e-13)


def test_window_is_that_of_visqol(rng):
    case = CASES["other_assertions"]["conv3x3"]
    image, expected = (np.reshape(case[key], (4, 5)).T for key in ("input", "expected"))
    np.testing.assert_allclose(_blur(torch.tensor(image)), expected, atol=case["tolerance"])
    center, edge, corner = WINDOW
    kernel = [[corner, edge, corner], [edge, center, edge], [corner, edge, corner]]
    image = rng.random((7, 3))
    found = _blur(torch.tensor(image))
    np.testing.assert_allclose(found, correlate(image, kernel, mode="nearest"), rtol=1e-12)


def test_equal_images_are_exactly_one(rng):
    image = torch.tensor(45 * rng.random((2, 5, 9)))
    assert (nsim_map(image, image) == 1).all()


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_gradient_is_finite_where_images_are_flat(offset):
    reference = torch.zeros(4, 5, dtype=torch.float64)
    degraded = torch.full((4, 5), offset, dtype=torch.float64, requires_grad=True)
    nsim(reference, degraded).sum().backward()
    assert torch.isfinite(degraded.grad).all()


def test_gradient_is_that_of_the_function(rng):
    reference = torch.tensor(rng.random((4, 5)))
    degraded = torch.tensor(rng.random((4, 5)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda image: nsim(reference, image), degraded)


def test_bad_data_range_is_refused():
    with pytest.raises(ValueError, match="data_range should be a positive number"):
        nsim(torch.zeros(3, 3), torch.zeros(3, 3), data_range=0)
