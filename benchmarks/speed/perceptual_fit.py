"""Fitting the normalisation of the NLPD to ratings: 624 pairs of 256 x 256, as the first paper has.

That is 156 references in 4 versions each. There is nobody to compare with: no other package fits a
full-reference metric to ratings. The images are noise, and the ratings chance: neither changes
how long an epoch takes, but how soon L-BFGS is done depends on both.
"""

from __future__ import annotations

import time

import numpy as np

import skperceptual as sp

N_REFERENCES, N_VERSIONS, SIDE = 156, 4, 256


def pairs_and_ratings() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    references = rng.random((N_REFERENCES, 1, SIDE, SIDE), dtype=np.float32)
    amounts = rng.uniform(0.01, 0.3, (N_REFERENCES, N_VERSIONS))
    noise = rng.standard_normal((N_REFERENCES, N_VERSIONS, SIDE, SIDE), dtype=np.float32)
    degraded = np.clip(references + amounts[..., None, None].astype(np.float32) * noise, 0, 1)
    pairs = np.stack([np.broadcast_to(references, degraded.shape), degraded], axis=2)
    ratings = 5 - 10 * amounts + 0.3 * rng.standard_normal(amounts.shape)
    condition = np.tile(np.arange(N_VERSIONS), N_REFERENCES)
    return pairs.reshape(-1, 2, SIDE, SIDE), ratings.ravel(), condition


def run() -> list[dict[str, object]]:
    pairs, ratings, condition = pairs_and_ratings()
    rows = []
    for solver, epochs in {"lbfgs": 30, "adam": 100}.items():
        metric = sp.NLPDRegressor(solver=solver, max_epochs=epochs, n_jobs=2, random_state=0)
        metric.fit(pairs[:16], ratings[:16], condition=condition[:16])  # compiled and loaded
        begin = time.perf_counter()
        metric.fit(pairs, ratings, condition=condition)
        seconds = time.perf_counter() - begin
        epochs = len(metric.history_)
        rows.append({"solver": solver, "pairs": len(pairs), "epochs": epochs, "seconds": seconds})
        print(f"  {solver}: {epochs} epochs in {seconds:.1f} s", flush=True)
    return rows
