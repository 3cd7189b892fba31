"""The solvers of the perceptual fit (Namgyal et al. 2023, section 4.2).

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
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from skperceptual.regression.correlation_objective import (
    Batches,
    CorrelationObjective,
    Parameters,
)

# Bounds of the parameters; the offset lets a weight of exactly 0 have a logarithm.
_LOWEST, _HIGHEST, _OFFSET = 1e-5, 100.0, 1e-3


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
    validation : sequence of ndarray of int, optional
        Batches of rows whose mean correlation picks the best parameters and stops the fit when it
        no longer grows.
    patience : int, default=10
        Epochs without a better validation correlation before stopping.
    report : callable, optional
        Called with each entry of the history.
    """

    objective: CorrelationObjective
    max_epochs: int
    validation: Batches | None = None
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
            self._best_value = self.objective.value(parameters, self.validation)

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
            value = self.objective.value(parameters, self.validation)
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
    gradient = None
    with suppress(FitStopped):
        while True:
            for number in random_state.permutation(len(batches)):
                if gradient is None:
                    gradient = monitor.objective(_arrays(tensors), [batches[number]])[1]
                for tensor, slope in zip(tensors, gradient, strict=True):
                    tensor.grad = torch.as_tensor(-slope)
                optimizer.step()
                for tensor, floor in zip(tensors, (0.0, _LOWEST), strict=True):
                    tensor.clamp_(min=floor)
                gradient = None
            if len(batches) > 1:
                correlation = monitor.objective.value(_arrays(tensors), batches)
            else:  # there is at once the gradient of the next step
                correlation, gradient = monitor.objective(_arrays(tensors), batches)
            # Without validation pairs the paper's recipe keeps whatever epoch is the last.
            last = float(len(monitor.history))
            monitor.record(_arrays(tensors), correlation, last)
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
