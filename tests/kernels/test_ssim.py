"""The compiled similarity against the functions in float64, and what it promises besides."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.full_reference.ssim import row_losses
from skperceptual.functional.ms_ssim import WANG_2003_WEIGHTS, fit_scales, scale_terms
from skperceptual.functional.ssim import fit_window
from skperceptual.kernels.ssim import halve, similarity_losses

TESTS = Path(__file__).resolve().parents[1]
CASES = json.loads((TESTS / "data" / "image_similarity.json").read_text())["cases"]
# The images of the golden values are made where the functions are tested.
make_waves = runpy.run_path(str(TESTS / "functional" / "conftest.py"))["_waves"]
CONSTANTS = (0.01**2, 0.03**2)
# Smooth, edged and flat images, alone and with noise: where sums of squares cancel, and not.
KINDS = ["noise", "fine noise", "near", "waves", "steps", "steps and noise", "constants", "negated"]


def make_pair(kind: str, shape: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    band, frame = np.indices(shape)
    noise, other = rng.random((2, *shape)) - 0.5
    waves = 0.5 + 0.4 * np.sin(band / 9 + 1) * np.cos(frame / 7)
    steps = ((band // 14 + frame // 13) % 2).astype(float)
    return {
        "noise": (noise, other),
        "fine noise": (0.03 * noise, 0.03 * other),
        "near": (noise, noise + 1e-4 * other),
        "waves": (waves, 0.6 * waves + 0.2),
        "steps": (steps, 0.9 * steps + 0.02 * noise),
        "steps and noise": (steps + 0.05 * noise, steps + 0.05 * other),
        "constants": (np.full(shape, 0.3), np.full(shape, 0.7)),
        "negated": (noise, -noise),
    }[kind]


def compare(reference, degraded, taps, n_scales, data_range, atol, relative=False) -> None:
    """Compare the means of all rows and of all scales with those of the functions in float64."""
    reference, degraded = np.float32(reference), np.float32(degraded)
    pair = torch.tensor(reference).double(), torch.tensor(degraded).double()
    expected = scale_terms(*pair, taps, (1.0,) * n_scales, data_range)
    found = row_losses(reference, degraded, taps, n_scales, data_range)
    assert len(found) == n_scales
    for rows, means, mean in zip(found, expected.band_means, expected.means, strict=True):
        assert (rows >= 0).all()
        assert_allclose(1 - rows, means, rtol=0, atol=3 * atol)
        found_mean, mean = 1 - rows.mean(), mean.item()
        assert found_mean == pytest.approx(mean, rel=0, abs=atol * abs(mean) if relative else atol)


@settings(max_examples=150)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 90), st.integers(1, 300)),
    window_size=st.integers(0, 20).map(lambda half: 2 * half + 1),
    sigma=st.floats(0.2, 20),
    data_range=st.sampled_from([0.1, 1.0, 2.5, 255.0, 65535.0]),
    level=st.sampled_from([0.0, 0.5, -3.0, 40.0]),
    seed=st.integers(0, 1000),
)
def test_means_are_those_of_the_functions(kind, shape, window_size, sigma, data_range, level, seed):
    pair = (data_range * (image + level) for image in make_pair(kind, shape, seed))
    taps, exponents = fit_scales(min(shape), window_size, sigma, (1.0, 1.0, 1.0))
    compare(*pair, taps, len(exponents), data_range, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.0, 0.5, 100.0])
@pytest.mark.parametrize("n_scales", [1, 5])
def test_ordinary_sizes_agree_closely(kind, level, n_scales):
    reference, degraded = make_pair(kind, (177, 301), seed=1)
    compare(level + reference, level + degraded, fit_window(11, 1.5, 99), n_scales, 1.0, atol=2e-7)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['shape']}")
def test_equals_the_golden_values(case):
    pair = [image.numpy().astype(np.float32) for image in make_waves(case["shape"], case["kind"])]
    taps = fit_window(11, 1.5, min(case["shape"]))
    (rows,) = row_losses(*pair, taps, 1, 1.0)
    assert 1 - rows.mean() == pytest.approx(case["ssim"], rel=1e-6)
    if "ms_ssim" in case:
        means = [1 - rows.mean() for rows in row_losses(*pair, taps, 5, 1.0)]
        score = np.prod(np.array(means) ** WANG_2003_WEIGHTS)
        assert score == pytest.approx(case["ms_ssim"], abs=1e-5)  # that one's window is float32


def test_agrees_on_the_conformance_images(shared):
    with np.load(shared / "cases" / "images.npz") as arrays:
        names = [name.removesuffix("__dist") for name in arrays.files if name.endswith("__dist")]
        pairs = {name: (arrays[f"{name}__ref"], arrays[f"{name}__dist"]) for name in names}
    assert len(pairs) > 10
    for pair in pairs.values():
        taps, exponents = fit_scales(min(pair[0].shape), 11, 1.5, WANG_2003_WEIGHTS)
        compare(*pair, taps, 1, 1.0, atol=1e-5, relative=True)
        compare(*pair, taps, len(exponents), 1.0, atol=1e-5, relative=True)


@pytest.mark.parametrize("level", [1e4, 1e6])
def test_a_small_variance_about_a_large_mean_keeps_its_digits(level, rng):
    # Exact where the function in float64 is not: the levels differ, contrast and structure do not.
    reference, degraded = np.round(64 * rng.random((2, 64, 80))) / 16
    taps = fit_window(11, 1.5, 99)
    near = row_losses(np.float32(reference), np.float32(degraded), taps, 2, 1.0)[0]
    far = row_losses(np.float32(level + reference), np.float32(level + degraded), taps, 2, 1.0)[0]
    assert_allclose(far, near, rtol=1e-6)


def test_what_a_nearly_identical_pair_lacks_keeps_its_digits(rng):
    reference = rng.random((64, 80), dtype=np.float32)
    degraded = reference + np.float32(2.0**-13) * (np.indices((64, 80)).sum(axis=0) % 2)
    degraded = degraded.astype(np.float32)
    taps = fit_window(11, 1.5, 99)
    pair = torch.tensor(reference).double(), torch.tensor(degraded).double()
    expected = 1 - scale_terms(*pair, taps, (1.0,), 1.0).means.item()
    (rows,) = row_losses(reference, degraded, taps, 1, 1.0)
    assert 0 < expected < 1e-7
    assert rows.mean() == pytest.approx(expected, rel=1e-6)


@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(20, 60), st.integers(20, 150)),
    window_size=st.sampled_from([1, 3, 7, 11, 17]),
    level=st.floats(-1e3, 1e3),
)
def test_identical_images_lack_nothing_and_order_changes_no_bit(kind, shape, window_size, level):
    reference, degraded = (np.float32(level + x) for x in make_pair(kind, shape, seed=0))
    taps = fit_window(window_size, 1.5, 99)
    n_scales = 1 if window_size > 7 else 2
    for rows in row_losses(reference, reference.copy(), taps, n_scales, 1.0):
        assert_array_equal(rows, 0)
    one_way = row_losses(reference, degraded, taps, n_scales, 1.0)
    other_way = row_losses(degraded, reference, taps, n_scales, 1.0)
    for first, second in zip(one_way, other_way, strict=True):
        assert_array_equal(first, second)


@pytest.mark.parametrize("place", [(0, 0), (30, 100), (59, 199)])
def test_nan_is_passed_on_to_the_rows_that_touch_it(place, rng):
    reference, degraded = rng.random((2, 60, 200), dtype=np.float32)
    expected = row_losses(reference, degraded, fit_window(11, 1.5, 99), 1, 1.0)[0]
    degraded[place] = np.nan
    found = row_losses(reference, degraded, fit_window(11, 1.5, 99), 1, 1.0)[0]
    first_band = np.arange(50)
    touched = (first_band <= place[0]) & (place[0] <= first_band + 10)
    assert_array_equal(np.isnan(found), touched)
    assert_allclose(found[~touched], expected[~touched], rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 5), (4, 7), (9, 40), (33, 35)])
def test_halves_average_what_is_there(shape, rng):
    image = rng.random(shape, dtype=np.float32)
    bands, frames = shape
    expected = [
        [image[b : b + 2, f : f + 2].mean(dtype=np.float64) for f in range(0, frames, 2)]
        for b in range(0, bands, 2)
    ]
    assert_allclose(halve(image, 0.0), expected, rtol=2e-7)
    assert_allclose(halve(image, 0.5), np.array(expected) - 0.5, atol=1e-7)


def test_read_only_memory_is_taken_and_other_types_are_refused(rng):
    reference, degraded = rng.random((2, 30, 30), dtype=np.float32)
    taps = np.array([0.5, 0.25], dtype=np.float32)
    arguments = (taps, 2, 1.0, *CONSTANTS)
    expected = similarity_losses(reference, degraded, *arguments)
    for array in (reference, degraded, taps):
        array.flags.writeable = False
    assert_array_equal(similarity_losses(reference, degraded, *arguments), expected)
    assert len(similarity_losses.signatures) == 1
    for wrong in (reference.astype(np.float64), reference[:, ::2]):
        with pytest.raises(TypeError):
            similarity_losses(wrong, degraded, *arguments)


def test_compiles_in_seconds(tmp_path):
    # the processor's time: tests run side by side
    code = (
        "import numba, numpy, time; start = time.process_time();"
        "import skperceptual.kernels.ssim;"
        "print(time.process_time() - start)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", code],
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            ).stdout
        )
        for _ in range(2)
    ]
    assert seconds[0] < 30  # a guard against minutes, on machines of any speed
    assert list(tmp_path.rglob("*.nbi")), "nothing was kept for the second time"
    assert seconds[1] < seconds[0] / 2
