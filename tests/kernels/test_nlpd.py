"""The compiled NLPD against the function in double precision, and how it is compiled."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.functional import (
    laplacian_pyramid,
    level_distances,
    nlpd,
    nlpd_differences,
    resolve_normalization,
)
from skperceptual.kernels.nlpd import extended_laplacian_levels, nlpd_energies

# What single precision may cost, of the distance.
RTOL = 1e-5


def single(*parts):
    return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in parts)


def distances(reference, degraded, normalization):
    return np.sqrt(nlpd_energies(*single(reference, degraded, *normalization))[0])


def differences_by_function(reference, degraded, normalization):
    """Take the numbers that the kernel gets, and go on in double precision."""
    images = (torch.tensor(part).double() for part in single(reference, degraded))
    return nlpd_differences(
        *images,
        n_levels=len(normalization[1]),
        normalization=tuple(torch.tensor(part).double() for part in single(*normalization)),
    )


def assert_same(reference, degraded, normalization):
    found = distances(reference, degraded, normalization)
    expected = level_distances(differences_by_function(reference, degraded, normalization)).numpy()
    # Levels that hardly differ are as exact in absolute terms, but count for nothing.
    assert_allclose(found, expected, rtol=2e-4, atol=RTOL * expected.mean())
    assert_allclose(found.mean(), expected.mean(), rtol=RTOL)
    assert_allclose(np.mean(found**0.6), np.mean(expected**0.6), rtol=RTOL)


@st.composite
def normalizations(draw):
    n_levels, k = draw(st.integers(1, 8)), draw(st.sampled_from([1, 3, 5, 7, 9]))
    generator = np.random.default_rng(draw(st.integers(0, 2**31)))
    filters = generator.random((n_levels, k, k))
    filters *= generator.random(filters.shape) < draw(st.sampled_from([0.0, 0.2, 1.0]))
    filters /= max(filters.sum(axis=(1, 2)).max(), 1.0)
    return filters, generator.uniform(0.01, 0.5, n_levels)


@given(
    normalization=normalizations(),
    shape=st.tuples(st.integers(8, 70), st.integers(8, 70)),
    seed=st.integers(0, 2**31),
    difference=st.sampled_from([1e-4, 1e-2, 1.0]),
)
@settings(max_examples=60)
def test_same_as_the_function_in_double_precision(normalization, shape, seed, difference):
    generator = np.random.default_rng(seed)
    reference = generator.random(shape) ** 2
    degraded = reference + difference * generator.uniform(-1, 1, shape)
    assert_same(reference, degraded, normalization)


@given(normalization=normalizations(), shape=st.tuples(st.integers(1, 7), st.integers(1, 7)))
@settings(max_examples=20)
def test_images_smaller_than_the_neighbourhood(normalization, shape):
    generator = np.random.default_rng(shape[0])
    reference, degraded = generator.random((2, *shape))
    with pytest.MonkeyPatch.context() as patch:
        # The estimator refuses them; the mathematics does not.
        patch.setattr("skperceptual.functional.pyramid.minimum_side", lambda *_: 1)
        assert_same(reference, degraded, normalization)


def image(kind, shape=(61, 94)):
    row, column = np.indices(shape)
    return {
        "noise": np.random.default_rng(0).random(shape),
        "smooth": 0.5 + 0.4 * np.sin(row / 9) * np.cos(column / 13),
        "constant": np.full(shape, 0.3),
        "silence": np.zeros(shape),
        "half silent": np.where(row < shape[0] // 2, 0, 0.5 + 0.3 * np.sin(column)),
    }[kind]


def dense(n_levels):
    """Give weights as the perceptual fit leaves them: none is exactly 0."""
    filters, sigmas = resolve_normalization("image", n_levels)
    generator = np.random.default_rng(n_levels)
    return filters + 0.03 * generator.random(filters.shape), sigmas * generator.uniform(0.5, 1)


NORMALIZATIONS = {
    "image": lambda n_levels: resolve_normalization("image", n_levels),
    "image 3x3": lambda n_levels: resolve_normalization("image", n_levels, kernel_size=3),
    "none": lambda n_levels: resolve_normalization(None, n_levels),
    "dense": dense,
}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("kind", ["noise", "smooth", "constant", "half silent"])
@pytest.mark.parametrize("n_levels", [1, 2, 5, 6, 8])
def test_precision_does_not_depend_on_what_differs(normalization, kind, n_levels):
    reference = image(kind)
    noise = np.random.default_rng(1).standard_normal(reference.shape)
    one_pixel = np.zeros_like(reference)
    one_pixel[3, 5] = 1e-3
    for degraded in (
        reference + 1e-4 * noise,
        reference + 0.1 * noise,
        reference + 1e-3,
        0.7 * reference,
        single(reference)[0] + one_pixel,
        image("silence"),
        image("noise") * 0.5,
    ):
        assert_same(reference, degraded, NORMALIZATIONS[normalization](n_levels))


def test_constants_differ_in_the_residual_alone():
    normalization = resolve_normalization("image", 6)
    found = distances(image("constant"), image("constant") + 0.47, normalization)
    assert_array_equal(found[:5], 0)
    assert_same(image("constant"), image("constant") + 0.47, normalization)


def test_every_conformance_value(shared):
    cases = json.loads((shared / "cases" / "images.json").read_text())["nlpd"]
    images = np.load(shared / "cases" / "images.npz")
    compared = 0
    for case, described in cases.items():
        expected = described["implementations"].get("matlab2016", {}).get("value")
        if expected is None:
            continue
        pair = images[f"{case}__ref"], images[f"{case}__dist"]
        for order in (pair, pair[::-1]):
            found = distances(*order, resolve_normalization("image", 6)).mean()
            assert_allclose(found, expected, rtol=5e-7, atol=1e-12)
        # At other depths and with other filters, the function in double precision knows.
        for n_levels in (1, 3, 8):
            assert_same(*pair, resolve_normalization("image", n_levels))
            assert_same(*pair, dense(n_levels))
        compared += 1
    assert compared >= 20


@pytest.mark.parametrize("n_levels", [1, 4, 6])
@pytest.mark.parametrize("shape", [(33, 40), (8, 9), (64, 31)])
def test_energies_of_the_rows(rng, n_levels, shape):
    reference, degraded = rng.random((2, *shape))
    mean_squares, rows = nlpd_energies(*single(reference, degraded, *dense(n_levels)))
    assert rows.shape == (n_levels, shape[0])
    for level, difference in enumerate(
        differences_by_function(reference, degraded, dense(n_levels))
    ):
        expected = difference.square().sum(dim=-1).numpy()
        assert_allclose(rows[level, : len(expected)], expected, rtol=1e-4)
        assert_array_equal(rows[level, len(expected) :], 0)
        assert mean_squares[level] == pytest.approx(rows[level].sum() / difference.numel())


@given(
    arrays(np.float32, (9, 11), elements=st.floats(-100, 100, width=32)),
    arrays(np.float32, (9, 11), elements=st.floats(-100, 100, width=32)),
    normalizations(),
)
def test_exactly_symmetric_and_exactly_0_for_identical_images(one, other, normalization):
    normalization = single(*normalization)
    forth, back = (nlpd_energies(*pair, *normalization) for pair in ((one, other), (other, one)))
    for ours, theirs in zip(forth, back, strict=True):
        assert_array_equal(ours, theirs)
    for part in nlpd_energies(one, one.copy(), *normalization):
        assert_array_equal(part, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", [(0, 0), (20, 30)])
@pytest.mark.parametrize("in_both", [True, False])
def test_what_is_not_finite_is_passed_on(rng, value, where, in_both):
    pair = rng.random((2, 33, 47), dtype=np.float32)
    pair[1][where] = value
    if in_both:
        pair[0][where] = value
    mean_squares, _ = nlpd_energies(*pair, *single(*resolve_normalization("image", 6)))
    assert not np.isfinite(mean_squares).any()


def test_images_and_sigmas_too_small_to_be_squared(rng):
    filters, sigmas = dense(4)
    pair = 1e-25 * rng.random((2, 33, 47))
    pair[:, :20] = 0
    assert_same(*pair, (filters, 1e-25 * sigmas))


def test_read_only_memory_maps_are_taken_without_compiling_again(rng, tmp_path):
    pair = rng.random((2, 33, 47), dtype=np.float32)
    normalization = single(*resolve_normalization("image", 6))
    expected = nlpd_energies(*pair, *normalization)
    np.save(tmp_path / "pair.npy", pair)
    mapped = np.load(tmp_path / "pair.npy", mmap_mode="r")
    for part in normalization:
        part.flags.writeable = False
    for ours, theirs in zip(nlpd_energies(*mapped, *normalization), expected, strict=True):
        assert_array_equal(ours, theirs)
    assert len(nlpd_energies.signatures) == 1
    for wrong in (pair[0].astype(np.float64), pair[0, ::2]):
        with pytest.raises(TypeError):
            nlpd_energies(wrong, pair[1], *normalization)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_runs_in_workers(rng, backend):
    pairs = rng.random((4, 2, 33, 47), dtype=np.float32)
    normalization = single(*resolve_normalization("image", 6))

    def score(pair):  # in here it is pickled whole: workers need not find this module
        from skperceptual.kernels.nlpd import nlpd_energies

        return nlpd_energies(*pair, *normalization)[0]

    found = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(score)(p) for p in pairs)
    assert_array_equal(found, [score(pair) for pair in pairs])


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_runs_in_a_forked_child(rng):
    arguments = *rng.random((2, 33, 47), dtype=np.float32), *single(*dense(6))
    expected = nlpd_energies(*arguments)[0]
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(nlpd_energies(*arguments)[0]), daemon=True)
    child.start()
    assert receiver.poll(60), "the child hangs"
    assert_array_equal(receiver.recv(), expected)
    child.join()


def test_many_times_faster_than_the_function(rng):
    """Half of what is measured on an idle machine: a loop that is no longer vectorised fails."""
    pair = rng.random((2, 256, 256), dtype=np.float32)
    tensors = torch.tensor(pair)
    normalization = single(*resolve_normalization("image", 6))
    with torch.inference_mode():
        by_function = min(_seconds(lambda: nlpd(*tensors)) for _ in range(10))
    compiled = min(_seconds(lambda: nlpd_energies(*pair, *normalization)) for _ in range(30))
    assert by_function > 5 * compiled


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@pytest.mark.parametrize("margin", [0, 1, 2])
@pytest.mark.parametrize("n_levels", [1, 2, 6])
@pytest.mark.parametrize("shape", [(8, 8), (33, 40), (64, 31)])
def test_levels_with_their_border(rng, margin, n_levels, shape):
    picture = rng.random(shape, dtype=np.float32)
    expected = laplacian_pyramid(torch.tensor(picture).double(), n_levels)
    sizes = [(level.shape[0] + 2 * margin) * (level.shape[1] + 2 * margin) for level in expected]
    levels = np.full(sum(sizes), np.nan, dtype=np.float32)
    picture.flags.writeable = False
    extended_laplacian_levels(picture, n_levels, margin, levels)
    for found, level in zip(np.split(levels, np.cumsum(sizes)[:-1]), expected, strict=True):
        bordered = np.pad(level.numpy(), margin)
        assert_allclose(found.reshape(bordered.shape), bordered, atol=2e-7)


def test_compiles_in_seconds(tmp_path):
    code = (
        "import numba, time; start = time.process_time();"
        "import skperceptual.kernels.nlpd; print(time.process_time() - start)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    seconds = [
        float(
            subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert seconds[0] < 30  # a guard against minutes, on machines of any speed
    assert list(tmp_path.rglob("*.nbi")), "nothing was kept for the second time"
    assert seconds[1] < seconds[0] / 3
