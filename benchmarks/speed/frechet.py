"""Distances of sets of embeddings: two sets of 10 000 frames of 128 numbers, and of 512.

Compared with scipy's square root of the product of the covariances, which is the formula written
down, from the same frames in memory; one thread, warm, in turns. What is compared agrees: the
distances are checked first. The formula is faster, as products of covariances take fewer operations
than a QR decomposition of the frames, and loses half of the digits where a covariance has not full
rank. The kernel distance has nobody to compare with that takes its width from the reference.

Run it with: python benchmarks/speed/frechet.py [-o benchmarks/results]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.linalg
from timing import compare, seconds, threads

from skperceptual.embeddings import FrechetAudioDistance, KernelAudioDistance

N_FRAMES = 10_000
# What KAD's time grows with is the product of the numbers of frames.
N_KERNEL_FRAMES = 2_000


def frames(dim: int, offset: float, seed: int, n_frames: int = N_FRAMES) -> np.ndarray:
    """Give frames as one clip, with the falling spectrum that embeddings have."""
    rng = np.random.default_rng(seed)
    return offset + rng.standard_normal((1, n_frames, dim)) / np.sqrt(np.arange(1, dim + 1))


def by_square_root(reference: np.ndarray, measured: np.ndarray) -> float:
    means = reference.mean(axis=0) - measured.mean(axis=0)
    one, other = (np.cov(part, rowvar=False) for part in (reference, measured))
    root = scipy.linalg.sqrtm(one @ other)
    return float(means @ means + np.trace(one) + np.trace(other) - 2 * np.trace(root.real))


def run(n_turns: int = 7) -> list[dict[str, object]]:
    """Time fit and distance together: both sets are new."""
    rows: list[dict[str, object]] = []
    with threads(1):
        for dim in (128, 512):
            reference, measured = frames(dim, 0.0, 0), frames(dim, 0.01, 1)

            def ours(reference=reference, measured=measured) -> float:
                return FrechetAudioDistance("precomputed").fit(reference).distance(measured)

            def theirs(reference=reference, measured=measured) -> float:
                return by_square_root(reference[0], measured[0])

            if not np.isclose(ours(), theirs(), rtol=1e-9):
                raise ValueError(f"{ours()} and {theirs()} are not the same distance.")
            timing = compare(ours, theirs, n_turns)
            rows.append(
                {
                    "what": "FAD",
                    "frames": f"2 x {N_FRAMES} x {dim}",
                    "peer": "scipy.linalg.sqrtm",
                    **timing.summary(),
                }
            )
            print(f"  {rows[-1]}", flush=True)
        sets = [frames(128, 0.01 * seed, seed, N_KERNEL_FRAMES) for seed in range(2)]

        def kernel() -> float:
            return KernelAudioDistance("precomputed").fit(sets[0]).distance(sets[1])

        kernel()
        shape = f"2 x {N_KERNEL_FRAMES} x 128"
        rows.append({"what": "KAD", "frames": shape, "ours_ms": 1e3 * seconds(kernel, n_turns)})
        print(f"  {rows[-1]}", flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, help="a folder for speed_frechet.csv")
    parser.add_argument("--turns", type=int, default=7, help="how often each pair is timed")
    arguments = parser.parse_args()
    table = pd.DataFrame(run(arguments.turns))
    if arguments.output:
        table.to_csv(arguments.output / "speed_frechet.csv", index=False, float_format="%.4g")
