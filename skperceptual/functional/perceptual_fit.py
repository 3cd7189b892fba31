"""The perceptual fit of divisive normalisation (Namgyal et al. 2023, section 4.2).

Filters and constants are changed until the distance correlates best (Pearson) with ratings.
Weights stay >= 0 and constants > 0: without that, denominators change sign within some tens of
epochs and the fit collapses. Two solvers:

``"adam"``
    The paper's: Adam on the weights and constants themselves, here clipped after each step.
``"lbfgs"``
    L-BFGS-B on the logarithms of ``weight + 1e-3`` and of the constants, within bounds (Pearson
    ignores scale, so that a constant may otherwise grow without limit and switch its level off)
    and with a small pull towards the starting point. All weights move, the zero ones included,
    and some 30 evaluations do what takes Adam hundreds of epochs.

The gradient is in closed form: with ``D = sigma + sum_j p_j |z_j|`` and ``y = z / D``, a level's
mean squared difference ``E = mean((y1 - y2)**2)`` has
``dE/dp_j = 2 mean((y1 - y2) (y2 |z2_j| / D2 - y1 |z1_j| / D1))``, and ``dE/dsigma`` is the same
without the ``|z_j|``. One compiled pass over a pair gives all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from skperceptual.functional.band_cache import BandCache
from skperceptual.functional.correlation import pearson_correlation
from skperceptual.functional.nlpd import pool_levels, safe_power
from skperceptual.kernels.nlpd_gradient import level_energy_and_gradient

# Bounds of the parameters; the offset lets a weight of exactly 0 have a logarithm.
_LOWEST, _HIGHEST, _OFFSET = 1e-5, 100.0, 1e-3

Parameters = tuple[NDArray[np.float64], NDArray[np.float64]]
Batches = Sequence[NDArray[np.intp]]


@dataclass
class CorrelationObjective:
    """Correlation of NLPD with ratings, and its gradient by filters and sigmas.

    Parameters
    ----------
    cache : BandCache
        Levels of all pairs.
    ratings : ndarray of shape (n_pairs,)
        What people said.
    sample_weight : ndarray of shape (n_pairs,)
        Weight of each pair.
    direction : {-1, 1}
        -1 when ratings fall as the distance grows (quality), 1 when they rise.
    pooling, convention : str
        As in :func:`skperceptual.functional.nlpd`.
    n_jobs : int or None
        Threads that share the pairs.
    """

    cache: BandCache
    ratings: NDArray[np.float64]
    sample_weight: NDArray[np.float64]
    direction: int
    pooling: str
    convention: str
    n_jobs: int | None = None

    def __call__(self, parameters: Parameters, batches: Batches) -> tuple[float, Parameters]:
        """Average the correlation over batches of pairs.

        Parameters
        ----------
        parameters : tuple of ndarray
            Filters, of shape (n_levels, k, k), and sigmas, of shape (n_levels,).
        batches : sequence of ndarray of int
            Rows of the pairs that are correlated together.

        Returns
        -------
        correlation : float
            Signed so that higher is better.
        gradient : tuple of ndarray
            Its derivatives by the filters and by the sigmas.
        """
        total = 0.0
        by_filters, by_sigmas = (np.zeros_like(part) for part in parameters)
        for rows in batches:
            energies, filter_slopes, sigma_slopes = self._energies(parameters, rows)
            leaf = torch.tensor(energies, requires_grad=True)
            distances = pool_levels(
                safe_power(leaf, 0.5), pooling=self.pooling, convention=self.convention
            )
            correlation = self.direction * pearson_correlation(
                distances,
                torch.as_tensor(self.ratings[rows]),
                torch.as_tensor(self.sample_weight[rows]),
            )
            (slope,) = torch.autograd.grad(correlation, leaf)
            total += correlation.item() / len(batches)
            share = slope.numpy() / len(batches)
            by_filters += np.einsum("nl,nlij->lij", share, filter_slopes)
            by_sigmas += np.einsum("nl,nl->l", share, sigma_slopes)
        return total, (by_filters, by_sigmas)

    def _energies(self, parameters: Parameters, rows: NDArray[np.intp]) -> tuple[NDArray, ...]:
        """Give the mean squared difference of each pair and level, and its derivatives."""
        n_threads = min(joblib.effective_n_jobs(self.n_jobs), len(rows))
        chunks = np.array_split(rows, n_threads)
        parts = joblib.Parallel(n_jobs=n_threads, require="sharedmem")(
            joblib.delayed(self._energies_of)(parameters, chunk) for chunk in chunks
        )
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _energies_of(self, parameters: Parameters, rows: NDArray[np.intp]) -> tuple[NDArray, ...]:
        filters, sigmas = (part.astype(np.float32) for part in parameters)
        energies = np.empty((len(rows), len(sigmas)))
        by_filters = np.empty((len(rows), *filters.shape))
        by_sigmas = np.empty_like(energies)
        for n, row in enumerate(rows):
            pair = self.cache.levels(int(row), 0), self.cache.levels(int(row), 1)
            for level, (reference, degraded) in enumerate(zip(*pair, strict=True)):
                energies[n, level], by_sigmas[n, level] = level_energy_and_gradient(
                    reference, degraded, filters[level], sigmas[level], by_filters[n, level]
                )
        return energies, by_filters, by_sigmas


class FitStopped(Exception):
    """Raised inside a solver when the monitor has seen enough."""


@dataclass
class FitMonitor:
    """Keeps the history of a fit and its best parameters, and decides when to stop.

    Parameters
    ----------
    objective : CorrelationObjective
        What is being maximised.
    max_epochs : int
        Epochs (L-BFGS: evaluations) after which to stop.
    validation : ndarray of int, optional
        Rows whose correlation picks the best parameters and stops the fit when it no longer
        grows.
    patience : int, default=10
        Epochs without a better validation correlation before stopping.
    report : callable, optional
        Called with each entry of the history.
    """

    objective: CorrelationObjective
    max_epochs: int
    validation: NDArray[np.intp] | None = None
    patience: int = 10
    report: Callable[[dict[str, float]], None] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    _best_value: float = -np.inf

    def start(self, parameters: Parameters) -> None:
        """Take the starting point as the best so far.

        Parameters
        ----------
        parameters : tuple of ndarray
            Filters and sigmas before the first step.
        """
        self.best = parameters
        if self.validation is not None:
            self._best_value = self.objective(parameters, [self.validation])[0]

    def record(self, parameters: Parameters, correlation: float, value: float) -> None:
        """Note one epoch.

        Parameters
        ----------
        parameters : tuple of ndarray
            Filters and sigmas of the epoch.
        correlation : float
            Training correlation, signed so that higher is better.
        value : float
            What decides which epoch is best where there are no validation pairs.

        Raises
        ------
        FitStopped
            When the fit should end.
        """
        epoch = len(self.history) + 1
        entry = {"epoch": epoch, "correlation": correlation}
        if self.validation is not None:
            value = self.objective(parameters, [self.validation])[0]
            entry["validation"] = value
        self.history.append(entry)
        if value > self._best_value:
            self.best, self.best_epoch, self._best_value = parameters, epoch, value
        if self.report is not None:
            self.report(entry)
        if epoch >= self.max_epochs or (
            self.validation is not None and epoch - self.best_epoch >= self.patience
        ):
            raise FitStopped


def fit_adam(
    monitor: FitMonitor,
    start: Parameters,
    batches: Batches,
    *,
    learning_rate: float,
    random_state: np.random.RandomState,
) -> Parameters:
    """Climb with Adam, one batch a step, clipping weights and sigmas after each.

    Parameters
    ----------
    monitor : FitMonitor
        Keeps the history and decides when to stop.
    start : tuple of ndarray
        Filters and sigmas to start from.
    batches : sequence of ndarray of int
        Rows of the training pairs that are correlated together.
    learning_rate : float
        Step size of Adam.
    random_state : RandomState
        Orders the batches within an epoch.

    Returns
    -------
    tuple of ndarray
        The last filters and sigmas or, with validation pairs, the best.
    """
    tensors = [torch.tensor(part, dtype=torch.float64) for part in start]
    optimizer = torch.optim.Adam(tensors, lr=learning_rate)
    monitor.start(start)
    with suppress(FitStopped):
        while True:
            correlations = []
            for batch in random_state.permutation(len(batches)):
                correlation, gradient = monitor.objective(_arrays(tensors), [batches[batch]])
                correlations.append(correlation)
                for tensor, slope in zip(tensors, gradient, strict=True):
                    tensor.grad = torch.as_tensor(-slope)
                optimizer.step()
                for tensor, floor in zip(tensors, (0.0, _LOWEST), strict=True):
                    tensor.clamp_(min=floor)
            # The paper keeps the last epoch: each is better than the one before.
            last = float(len(monitor.history))
            monitor.record(_arrays(tensors), float(np.mean(correlations)), last)
    return monitor.best


def fit_lbfgs(
    monitor: FitMonitor, start: Parameters, batches: Batches, *, alpha: float
) -> Parameters:
    """Climb with L-BFGS-B on the logarithms of the parameters.

    Parameters
    ----------
    monitor : FitMonitor
        Keeps the history and decides when to stop.
    start : tuple of ndarray
        Filters and sigmas to start from.
    batches : sequence of ndarray of int
        Rows of the training pairs that are correlated together.
    alpha : float
        Weight of the mean squared move of the logarithms from the start.

    Returns
    -------
    tuple of ndarray
        The best filters and sigmas: by the penalised training correlation or, with validation
        pairs, by theirs.
    """
    n_weights = start[0].size
    origin = np.concatenate([np.log(start[0].ravel() + _OFFSET), np.log(start[1])])
    lowest = np.where(np.arange(len(origin)) < n_weights, np.log(_OFFSET), np.log(_LOWEST))
    bounds = Bounds(np.minimum(lowest, origin), np.maximum(np.log(_HIGHEST), origin))

    scale = 0.0

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal scale
        filters = np.maximum(np.exp(theta[:n_weights]) - _OFFSET, 0.0).reshape(start[0].shape)
        parameters = filters, np.exp(theta[n_weights:])
        correlation, gradient = monitor.objective(parameters, batches)
        move = theta - origin
        value = correlation - alpha * float(np.mean(move**2))
        monitor.record(parameters, correlation, value)
        slope = np.concatenate([part.ravel() for part in gradient]) * np.exp(theta)
        slope = 2 * alpha * move / len(move) - slope
        # With every parameter bounded, L-BFGS-B takes the gradient itself as its first step. A
        # correlation's is so small that ten evaluations go by before anything moves; scaled, the
        # first step has length 1.
        scale = scale or 1 / max(float(np.linalg.norm(slope)), _LOWEST)
        return -scale * value, scale * slope

    monitor.start(start)
    with suppress(FitStopped):
        minimize(loss, origin, jac=True, method="L-BFGS-B", bounds=bounds)
    return monitor.best


def _arrays(tensors: list[torch.Tensor]) -> Parameters:
    filters, sigmas = (tensor.numpy().copy() for tensor in tensors)
    return filters, sigmas
