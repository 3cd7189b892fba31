"""Correlation of NLPD with ratings, and its gradient by filters and sigmas.

The gradient is in closed form: with ``D = sigma + sum_j p_j |z_j|`` and ``y = z / D``, a level's
mean squared difference ``E = mean((y1 - y2)**2)`` has
``dE/dp_j = 2 mean((y1 - y2) (y2 |z2_j| / D2 - y1 |z1_j| / D1))``, and ``dE/dsigma`` is the same
without the ``|z_j|``. One compiled pass over a pair gives all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import joblib
import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.functional.correlation import pearson_correlation
from skperceptual.functional.nlpd import pool_levels, safe_power
from skperceptual.kernels.nlpd_gradient import level_energy_and_gradient
from skperceptual.regression.band_cache import BandCache
from skperceptual.utils.thread_pool import ordered_map

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
            correlation = self._correlation(leaf, rows)
            (slope,) = torch.autograd.grad(correlation, leaf)
            total += correlation.item() / len(batches)
            share = slope.numpy() / len(batches)
            by_filters += np.einsum("nl,nlij->lij", share, filter_slopes)
            by_sigmas += np.einsum("nl,nl->l", share, sigma_slopes)
        return total, (by_filters, by_sigmas)

    def value(self, parameters: Parameters, batches: Batches) -> float:
        """Average the correlation over batches of pairs, without the gradient: in half the time.

        Parameters
        ----------
        parameters : tuple of ndarray
            Filters, of shape (n_levels, k, k), and sigmas, of shape (n_levels,).
        batches : sequence of ndarray of int
            Rows of the pairs that are correlated together.

        Returns
        -------
        float
            Signed so that higher is better.
        """
        total = 0.0
        for rows in batches:
            energies, _, _ = self._energies(parameters, rows, gradient=False)
            total += self._correlation(torch.from_numpy(energies), rows).item() / len(batches)
        return total

    def _correlation(self, energies: torch.Tensor, rows: NDArray[np.intp]) -> torch.Tensor:
        distances = pool_levels(
            safe_power(energies, 0.5), pooling=self.pooling, convention=self.convention
        )
        return self.direction * pearson_correlation(
            distances,
            torch.as_tensor(self.ratings[rows]),
            torch.as_tensor(self.sample_weight[rows]),
        )

    def _energies(
        self, parameters: Parameters, rows: NDArray[np.intp], *, gradient: bool = True
    ) -> tuple[NDArray, ...]:
        """Give the mean squared difference of each pair and level, and its derivatives."""
        n_threads = min(joblib.effective_n_jobs(self.n_jobs), len(rows))
        # Not joblib's threads: it looks only every 10 ms whether they are done, and this is called
        # a thousand times for a few milliseconds each.
        parts = ordered_map(
            lambda chunk: self._energies_of(parameters, chunk, gradient),
            np.array_split(rows, n_threads),
        )
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _energies_of(
        self, parameters: Parameters, rows: NDArray[np.intp], gradient: bool
    ) -> tuple[NDArray, ...]:
        filters, sigmas = (part.astype(np.float32) for part in parameters)
        energies = np.empty((len(rows), len(sigmas)))
        shape = filters.shape if gradient else (len(filters), 0, 0)
        by_filters = np.empty((len(rows), *shape))
        by_sigmas = np.empty_like(energies)
        for n, row in enumerate(rows):
            pair = self.cache.levels(int(row), 0), self.cache.levels(int(row), 1)
            for level, (reference, degraded) in enumerate(zip(*pair, strict=True)):
                energies[n, level], by_sigmas[n, level] = level_energy_and_gradient(
                    reference, degraded, filters[level], sigmas[level], by_filters[n, level]
                )
        return energies, by_filters, by_sigmas
