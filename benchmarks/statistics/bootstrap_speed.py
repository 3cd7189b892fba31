"""Seconds for 2000 draws of groups, of 1000 rated items and 10 metrics at once.

Run it with: python benchmarks/statistics/bootstrap_speed.py
"""

from __future__ import annotations

import time

import numpy as np

from skperceptual.metrics import kendall_score, pearson_score, spearman_score
from skperceptual.metrics.cluster_bootstrap import score_clusters

N_ITEMS, N_METRICS, N_RESAMPLES = 1000, 10, 2000


def main() -> None:
    rng = np.random.default_rng(0)
    for name, ratings in (
        ("continuous", rng.normal(size=N_ITEMS)),
        ("whole numbers", rng.integers(1, 6, N_ITEMS).astype(float)),
    ):
        metrics = ratings[:, np.newaxis] + rng.normal(size=(N_ITEMS, N_METRICS))
        for n_groups in (50, N_ITEMS):
            groups = np.arange(N_ITEMS) % n_groups
            for score in (spearman_score, pearson_score, kendall_score):
                start = time.perf_counter()
                score_clusters(score, ratings, metrics, groups=groups, n_resamples=N_RESAMPLES)
                seconds = time.perf_counter() - start
                print(f"{name} ratings, {n_groups} groups, {score.__name__}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
