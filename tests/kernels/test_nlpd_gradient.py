"""How the kernel is compiled; its values are tested with the perceptual fit that uses it."""

import multiprocessing

import joblib
import numba
import numpy as np
import pytest

from skperceptual.kernels.compilation import compiled
from skperceptual.kernels.nlpd_gradient import level_energy_and_gradient


@pytest.fixture
def arguments(rng):
    reference, degraded = rng.random((2, 14, 17), dtype=np.float32)
    weights = rng.random((5, 5), dtype=np.float32)
    return reference, degraded, weights, np.float32(0.1), np.zeros((5, 5))


def test_read_only_memory_maps_are_taken_without_compiling_again(arguments, tmp_path):
    expected = level_energy_and_gradient(*arguments)
    np.save(tmp_path / "reference.npy", arguments[0])
    mapped = np.load(tmp_path / "reference.npy", mmap_mode="r")
    assert not mapped.flags.writeable
    assert level_energy_and_gradient(mapped, *arguments[1:]) == expected
    assert len(level_energy_and_gradient.signatures) == 1


def test_double_precision_and_strided_arrays_are_refused(arguments):
    reference, *rest = arguments
    for wrong in (reference.astype(np.float64), reference[:, ::2]):
        with pytest.raises(TypeError):
            level_energy_and_gradient(wrong, *rest)


def test_identical_levels_are_exactly_0_apart(arguments):
    reference, _, *rest = arguments
    energy, by_sigma = level_energy_and_gradient(reference, reference.copy(), *rest)
    assert energy == by_sigma == 0
    assert (rest[-1] == 0).all()


def test_nan_is_passed_on(arguments):
    reference, *rest = arguments
    reference[7, 8] = np.nan
    assert np.isnan(level_energy_and_gradient(reference, *rest)[0])


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_runs_in_workers(arguments, backend):
    def energy(arguments):  # in here it is pickled whole: workers need not find this module
        from skperceptual.kernels.nlpd_gradient import level_energy_and_gradient

        return level_energy_and_gradient(*arguments)[0]

    expected = energy(arguments)
    found = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(energy)(arguments) for _ in range(4)
    )
    assert found == [expected] * 4


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_runs_in_a_forked_child(arguments):
    expected = level_energy_and_gradient(*arguments)[0]
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=lambda: sender.send(level_energy_and_gradient(*arguments)[0]), daemon=True
    )
    child.start()
    assert receiver.poll(60), "the child hangs"
    assert receiver.recv() == expected
    child.join()


def test_compiles_without_a_cache_where_none_can_be_written(monkeypatch):
    njit, tried = numba.njit, []

    def refusing(*args, cache=False, **options):
        tried.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*args, **options)

    monkeypatch.setattr(numba, "njit", refusing)

    @compiled(numba.float64(numba.float64))
    def double(x):
        return 2 * x

    assert double(3.0) == 6.0
    assert tried == [True, False]
