"""How far the paper's recipe for the statistical fit ends from the exact solution.

The paper minimises equation 4 with Adam (learning rate 0.01, one reference a batch, 10 epochs)
and says nothing about the sign of the weights. Here the exact non-negative solution, Adam clipped
at 0 after each step, unconstrained Adam and the unconstrained least-squares solution are compared
on the loss of equation 4 and on the smallest denominator that each gives on the references.

Run it with: python benchmarks/papers/statistical_fit.py FOLDER [-o results.csv]
where FOLDER holds audio files (any that libsndfile reads).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from skperceptual import FixDuration, LoadAudio, MelSpectrogram
from skperceptual.functional import (
    NeighborhoodMoments,
    fit_normalization,
    laplacian_pyramid,
    neighborhood_sum,
)

N_LEVELS, KERNEL_SIZE = 6, 5
PAPER = {"sr": 16050, "n_fft": 2048, "hop_length": 64, "n_mels": 512, "center": True}
PAPER_SAMPLES = 65472  # 1024 frames


def fit_adam(
    pyramids: list[list[torch.Tensor]],
    sigmas: np.ndarray,
    *,
    learning_rate: float,
    epochs: int,
    clipped: bool,
    seed: int = 0,
) -> np.ndarray:
    """Follow the paper's recipe; the centre weight stays 0."""
    weights = torch.full((N_LEVELS, KERNEL_SIZE, KERNEL_SIZE), 1 / 24, dtype=torch.float64)
    weights[:, KERNEL_SIZE // 2, KERNEL_SIZE // 2] = 0
    products, sums, centers = zip(*(_moments(pyramid) for pyramid in pyramids), strict=True)
    optimizer = torch.optim.Adam([weights], lr=learning_rate)
    constants = torch.tensor(sigmas)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for row in rng.permutation(len(pyramids)):
            flat = weights.reshape(N_LEVELS, -1)
            slope = 2 * (
                torch.einsum("lij,lj->li", products[row], flat)
                + constants[:, None] * sums[row]
                - centers[row]
            )
            slope[:, KERNEL_SIZE**2 // 2] = 0
            weights.grad = slope.reshape(weights.shape)
            optimizer.step()
            if clipped:
                weights.clamp_(min=0)
    return weights.numpy()


def _moments(pyramid: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give the second moments, first moments and moments with the centre of one reference."""
    moments = NeighborhoodMoments(kernel_size=KERNEL_SIZE)
    moments.add(pyramid)
    products, sums = moments.means()
    center = KERNEL_SIZE**2 // 2
    return (
        torch.tensor(products),
        torch.tensor(sums),
        torch.tensor(products[:, :, center]),
    )


def smallest_denominator(
    pyramids: list[list[torch.Tensor]], filters: np.ndarray, sigmas: np.ndarray
) -> tuple[float, float]:
    """Give the smallest denominator relative to sigma, and the share that is not positive."""
    smallest, bad, total = np.inf, 0, 0
    for pyramid in pyramids:
        for level, band in enumerate(pyramid):
            around = neighborhood_sum(band.double().abs(), torch.tensor(filters[level]))
            denominator = around / sigmas[level] + 1
            smallest = min(smallest, denominator.min().item())
            bad += int((denominator <= 0).sum())
            total += denominator.numel()
    return smallest, bad / total


def unconstrained(moments: NeighborhoodMoments, sigmas: np.ndarray) -> np.ndarray:
    """Solve equation 4 without a sign constraint."""
    products, sums = moments.means()
    center = KERNEL_SIZE**2 // 2
    around = np.delete(np.arange(KERNEL_SIZE**2), center)
    filters = np.zeros((N_LEVELS, KERNEL_SIZE**2))
    for level, sigma in enumerate(sigmas):
        right = products[level][around, center] - sigma * sums[level][around]
        left = products[level][np.ix_(around, around)]
        filters[level, around] = np.linalg.lstsq(left, right, rcond=None)[0]
    return filters.reshape(N_LEVELS, KERNEL_SIZE, KERNEL_SIZE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of audio files")
    parser.add_argument("-o", "--output", type=Path, help="CSV file for the results")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.iterdir() if path.suffix == ".flac")
    signals = FixDuration(sr=PAPER["sr"], duration_seconds=PAPER_SAMPLES / PAPER["sr"]).transform(
        LoadAudio(sr=PAPER["sr"]).transform([str(path) for path in files])
    )
    images = MelSpectrogram(**PAPER).transform(signals)
    pyramids = [laplacian_pyramid(torch.tensor(image), N_LEVELS) for image in images]
    moments = NeighborhoodMoments(kernel_size=KERNEL_SIZE)
    for pyramid in pyramids:
        moments.add(pyramid)
    exact, sigmas = fit_normalization(pyramids, "statistical", N_LEVELS)
    epochs = 10
    solutions = {
        "exact, weights >= 0": exact,
        f"Adam .01 x {epochs}, clipped": fit_adam(
            pyramids, sigmas, learning_rate=0.01, epochs=epochs, clipped=True
        ),
        f"Adam .001 x {10 * epochs}, clipped": fit_adam(
            pyramids, sigmas, learning_rate=0.001, epochs=10 * epochs, clipped=True
        ),
        f"Adam .01 x {epochs}, free": fit_adam(
            pyramids, sigmas, learning_rate=0.01, epochs=epochs, clipped=False
        ),
        "least squares, free": unconstrained(moments, sigmas),
    }
    best = moments.loss(exact, sigmas)
    rows = []
    for name, filters in solutions.items():
        excess = moments.loss(filters, sigmas) / best - 1
        smallest, bad = smallest_denominator(pyramids, filters, sigmas)
        rows.append(
            {
                "solution": name,
                "n_references": len(files),
                "excess_loss_min": excess.min(),
                "excess_loss_max": excess.max(),
                "max_weight_difference": np.abs(filters - exact).max(),
                "n_negative_weights": int((filters < 0).sum()),
                "smallest_denominator_over_sigma": smallest,
                "share_of_denominators_not_positive": bad,
            }
        )
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if arguments.output is not None:
        table.to_csv(arguments.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
