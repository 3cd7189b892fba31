"""The perceptual fit: its compiled gradient, its solvers, its bounds and its cache."""

import numpy as np
import pytest
import torch

from skperceptual.functional import (
    divisive_normalization,
    laplacian_pyramid,
    level_distances,
    pearson_correlation,
    pool_levels,
    resolve_normalization,
)
from skperceptual.regression.band_cache import BandCache
from skperceptual.regression.correlation_objective import CorrelationObjective
from skperceptual.regression.solvers import FitMonitor, FitStopped, fit_adam, fit_lbfgs

N_LEVELS = 4


@pytest.fixture
def rated(rng):
    """Pairs whose noise lies in a few bands, with ratings that follow only one kind of noise."""
    references = rng.random((14, 40, 52)) ** 2
    severity = rng.random((14, 2))
    noise = rng.standard_normal((14, 40, 52)) * severity[:, 0, None, None]
    hum = np.sin(np.arange(52) / 8) * severity[:, 1, None, None]
    pairs = np.stack([references, references + 0.1 * noise + 0.3 * hum], axis=1)
    return pairs, 5 - 4 * severity[:, 0] + 0.1 * rng.standard_normal(14)


def cache_of(pairs, convention="laparra2016", kernel_size=5, max_bytes=2**30):
    return BandCache(
        pairs, N_LEVELS, convention=convention, kernel_size=kernel_size, max_bytes=max_bytes
    )


def objective_of(cache, ratings, **options):
    settings = {
        "sample_weight": np.ones(len(ratings)),
        "direction": -1,
        "pooling": "mean",
        "convention": "laparra2016",
        **options,
    }
    return CorrelationObjective(cache, ratings, **settings)


def by_autograd(pairs, ratings, weight, parameters, batches, *, pooling, convention):
    filters, sigmas = (torch.tensor(part, requires_grad=True) for part in parameters)
    border = "reflect" if convention == "hepburn" else "zeros"
    differences = []
    both = torch.tensor(pairs).transpose(0, 1)
    for level, band in enumerate(laplacian_pyramid(both, N_LEVELS, convention=convention)):
        normalized = divisive_normalization(band, filters[level], sigmas[level], border=border)
        differences.append(normalized[0] - normalized[1])
    distances = pool_levels(level_distances(differences), pooling=pooling, convention=convention)
    total = torch.zeros((), dtype=torch.float64)
    for rows in batches:
        correlation = pearson_correlation(
            distances[rows], torch.tensor(ratings[rows]), torch.tensor(weight[rows])
        )
        total = total - correlation / len(batches)
    total.backward()
    return total.item(), filters.grad.numpy(), sigmas.grad.numpy()


@pytest.mark.parametrize("convention", ["laparra2016", "laparra2017", "hepburn"])
@pytest.mark.parametrize("pooling", ["mean", "norm0.6"])
def test_compiled_gradient_equals_autograd(rated, rng, convention, pooling):
    pairs, ratings = rated
    weight = rng.random(len(ratings))
    filters, sigmas = resolve_normalization("image", N_LEVELS, convention=convention)
    parameters = filters + 0.01 * rng.random(filters.shape), sigmas
    batches = [np.arange(7), np.arange(7, 14)]
    expected = by_autograd(
        pairs, ratings, weight, parameters, batches, pooling=pooling, convention=convention
    )
    with cache_of(pairs, convention) as cache:
        objective = objective_of(
            cache, ratings, sample_weight=weight, pooling=pooling, convention=convention, n_jobs=2
        )
        value, gradient = objective(parameters, batches)
        assert objective.value(parameters, batches) == value
    # The kernel works in single precision.
    assert value == pytest.approx(expected[0], abs=1e-6)
    for ours, reference in zip(gradient, expected[1:], strict=True):
        np.testing.assert_allclose(ours, reference, atol=2e-4 * np.abs(reference).max())


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
def test_kernel_size(rated, rng, kernel_size):
    pairs, ratings = rated
    parameters = 0.05 * rng.random((N_LEVELS, kernel_size, kernel_size)), np.full(N_LEVELS, 0.05)
    expected = by_autograd(
        pairs, ratings, np.ones(14), parameters, [np.arange(14)],
        pooling="mean", convention="laparra2016",
    )  # fmt: skip
    with cache_of(pairs, kernel_size=kernel_size) as cache:
        value, gradient = objective_of(cache, ratings)(parameters, [np.arange(14)])
    assert value == pytest.approx(expected[0], abs=1e-6)
    np.testing.assert_allclose(gradient[0], expected[1], atol=2e-4 * np.abs(expected[1]).max())


def test_identical_pairs_have_gradient_0_and_do_not_spread_nan(rated):
    pairs, ratings = rated
    pairs = pairs.copy()
    pairs[:2, 1] = pairs[:2, 0]
    start = resolve_normalization("image", N_LEVELS)
    with cache_of(pairs) as cache:
        value, gradient = objective_of(cache, ratings)(start, [np.arange(14)])
        nothing, none = objective_of(cache, ratings)(start, [np.arange(2)])
    assert np.isfinite(value)
    assert all(np.isfinite(part).all() for part in gradient)
    assert nothing == 0
    assert all((part == 0).all() for part in none)


def run(solver, pairs, ratings, *, max_epochs, validation=None, patience=10, batches=None):
    start = resolve_normalization("image", N_LEVELS)
    with cache_of(pairs) as cache:
        monitor = FitMonitor(
            objective_of(cache, ratings), max_epochs, validation=validation, patience=patience
        )
        batches = [np.arange(len(ratings))] if batches is None else batches
        if solver == "adam":
            random_state = np.random.RandomState(0)
            best = fit_adam(monitor, start, batches, learning_rate=0.01, random_state=random_state)
        else:
            best = fit_lbfgs(monitor, start, batches, alpha=0.01)
    return monitor, best


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_solvers_climb_and_keep_denominators_positive(rated, solver):
    pairs, ratings = rated
    monitor, (filters, sigmas) = run(solver, pairs, ratings, max_epochs=40)
    assert monitor.history[-1]["correlation"] > monitor.history[0]["correlation"] + 0.02
    assert (filters >= 0).all()
    assert (sigmas > 0).all()
    assert [entry["epoch"] for entry in monitor.history] == [*range(1, len(monitor.history) + 1)]


def test_unclipped_weights_would_leave_the_allowed_region(rated):
    """Adam does push zero weights below zero, so the clipping test above is no formality."""
    pairs, ratings = rated
    start = resolve_normalization("image", N_LEVELS)
    with cache_of(pairs) as cache:
        _, (by_filters, _) = objective_of(cache, ratings)(start, [np.arange(14)])
    assert (by_filters[start[0] == 0] < 0).any()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_max_epochs_is_kept(rated, solver):
    monitor, _ = run(solver, *rated, max_epochs=3)
    assert len(monitor.history) == 3


def test_adam_keeps_the_last_epoch_without_validation(rated):
    monitor, _ = run("adam", *rated, max_epochs=4)
    assert monitor.best_epoch == 4


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_best_epoch_on_validation_pairs_is_kept(rated, solver, rng):
    pairs, ratings = rated
    ratings = ratings.copy()
    ratings[10:] = rng.permutation(ratings[10:])[::-1]  # training cannot help on these
    validation = [np.arange(10, 14)]
    monitor, best = run(
        solver, pairs, ratings, max_epochs=60, validation=validation, patience=3,
        batches=[np.arange(10)],
    )  # fmt: skip
    start = resolve_normalization("image", N_LEVELS)
    with cache_of(pairs) as cache:
        objective = objective_of(cache, ratings)
        reached, before = (objective(parameters, validation)[0] for parameters in (best, start))
    seen = [before] + [entry["validation"] for entry in monitor.history]
    assert monitor.best_epoch == int(np.argmax(seen))
    assert reached == seen[monitor.best_epoch]


class ScriptedObjective:
    """Gives validation correlations from a list, one a call."""

    def __init__(self, values):
        self.values = iter(values)

    def value(self, parameters, batches):
        return next(self.values)


@pytest.mark.parametrize(
    ("values", "stopped_after", "best"),
    [
        ([0.5, 0.6, 0.5, 0.5, 0.5, 0.9], 4, 1),  # three epochs without a better one
        ([0.5, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5, 0.9], 6, 3),  # a better one starts the count anew
        ([0.5, 0.1, 0.1, 0.1, 0.9], 3, 0),  # never better than the start
    ],
)
def test_patience_counts_from_the_best_epoch(values, stopped_after, best):
    monitor = FitMonitor(ScriptedObjective(values), 100, validation=[np.arange(3)], patience=3)
    monitor.start("start")
    for epoch in range(1, stopped_after):
        monitor.record(f"epoch {epoch}", 0.0, 0.0)
    with pytest.raises(FitStopped):
        monitor.record(f"epoch {stopped_after}", 0.0, 0.0)
    assert len(monitor.history) == stopped_after
    assert monitor.best_epoch == best
    assert monitor.best == (f"epoch {best}" if best else "start")


def test_history_belongs_to_the_parameters_that_are_kept(rated):
    pairs, ratings = rated
    for batches in ([np.arange(14)], [np.arange(7), np.arange(7, 14)]):
        monitor, best = run("adam", pairs, ratings, max_epochs=5, batches=batches)
        with cache_of(pairs) as cache:
            reached = objective_of(cache, ratings)(best, batches)[0]
        assert monitor.history[-1]["correlation"] == reached


def test_a_strong_pull_keeps_the_start(rated):
    pairs, ratings = rated
    start = resolve_normalization("image", N_LEVELS)
    with cache_of(pairs) as cache:
        monitor = FitMonitor(objective_of(cache, ratings), 20)
        filters, sigmas = fit_lbfgs(monitor, start, [np.arange(14)], alpha=1e6)
    np.testing.assert_allclose(filters, start[0], atol=1e-4)
    np.testing.assert_allclose(sigmas, start[1], rtol=1e-2)


def steep_objective(parameters, batches):
    """Rise without end as every parameter grows."""
    filters, sigmas = parameters
    value = np.log(filters + 1e-3).sum() + np.log(sigmas).sum()
    return value, (1 / (filters + 1e-3), 1 / sigmas)


def test_lbfgs_stays_within_its_bounds():
    start = resolve_normalization("image", N_LEVELS)
    monitor = FitMonitor(steep_objective, 200)
    filters, sigmas = fit_lbfgs(monitor, start, [np.arange(14)], alpha=0.0)
    assert filters.max() == pytest.approx(100, rel=1e-3)
    assert sigmas.max() == pytest.approx(100, rel=1e-3)


def test_adam_orders_batches_by_its_random_state_alone(rated):
    halves = [np.arange(7), np.arange(7, 14)]
    np.random.seed(0)  # noqa: NPY002  another global state must not matter
    one = run("adam", *rated, max_epochs=5, batches=halves)[1]
    np.random.seed(1)  # noqa: NPY002
    other = run("adam", *rated, max_epochs=5, batches=halves)[1]
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


class TestBandCache:
    def test_holds_the_levels_extended_by_the_margin(self, rated):
        pairs, _ = rated
        with cache_of(pairs) as cache:
            expected = laplacian_pyramid(torch.tensor(pairs[3, 1]), N_LEVELS)
            for ours, band in zip(cache.levels(3, 1), expected, strict=True):
                np.testing.assert_allclose(ours, np.pad(band.numpy(), 2), atol=1e-7)

    def test_keeps_a_shared_reference_once(self, rated):
        pairs, _ = rated
        shared_reference = pairs.copy()
        shared_reference[:, 0] = pairs[0, 0]
        with cache_of(pairs) as full, cache_of(shared_reference) as shared:
            assert shared.n_bytes == pytest.approx(full.n_bytes * 15 / 28)
            np.testing.assert_array_equal(shared.levels(5, 0)[0], shared.levels(0, 0)[0])

    def test_spills_to_a_file_that_close_removes(self, rated, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        pairs, ratings = rated
        start = resolve_normalization("image", N_LEVELS)
        with cache_of(pairs, max_bytes=0) as spilled, cache_of(pairs) as kept:
            assert not spilled.in_memory
            assert kept.in_memory
            assert len(list(tmp_path.rglob("*.float32"))) == 1
            values = [
                objective_of(cache, ratings)(start, [np.arange(14)])[0] for cache in (spilled, kept)
            ]
        assert values[0] == values[1]
        assert not list(tmp_path.iterdir())

    def test_a_failing_fit_leaves_no_file_behind(self, rated, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(KeyboardInterrupt), cache_of(rated[0], max_bytes=0):
            raise KeyboardInterrupt
        assert not list(tmp_path.iterdir())

    def test_an_interrupt_while_it_is_filled_leaves_no_file_behind(
        self, rated, tmp_path, monkeypatch
    ):
        def interrupt(*args, **options):
            raise KeyboardInterrupt

        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr("skperceptual.regression.band_cache.laplacian_pyramid", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cache_of(rated[0], max_bytes=0)
        assert not list(tmp_path.iterdir())

    def test_images_of_different_size(self, rng):
        pairs = [rng.random((2, 20, 30)), rng.random((2, 20, 41))]
        with cache_of(pairs) as cache:
            assert cache.levels(1, 0)[0].shape == (24, 45)
            assert cache.levels(0, 1)[0].shape == (24, 34)
