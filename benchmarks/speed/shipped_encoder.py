"""The shipped embedding: how many times faster than real time, on one core.

Clips in memory, one thread, warm, the best of several turns; beside it VGGish with random weights,
which take the same time as the published ones.

Run it with: python benchmarks/speed/shipped_encoder.py [-o benchmarks/results]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from timing import seconds, threads

from skperceptual.embeddings import AuditoryEmbedding, EmbeddingSimilarity
from skperceptual.functional.vggish import vggish_log_mel, vggish_windows
from skperceptual.networks import VGGishNetwork

SR = 16000


def calls(duration: float) -> dict[str, tuple[Callable[[], object], float]]:
    """Give what is timed, and how many seconds of audio it reads."""
    rng = np.random.default_rng(0)
    pair = 0.1 * rng.standard_normal((1, 2, round(duration * SR))).astype(np.float32)
    embedding, similarity = AuditoryEmbedding(), EmbeddingSimilarity()
    network, signal = VGGishNetwork().eval(), torch.from_numpy(pair[0, :1])

    def vggish() -> object:
        with torch.inference_mode():
            return network(vggish_log_mel(vggish_windows(signal))[0])

    return {
        "AuditoryEmbedding": (lambda: embedding.transform(pair[:, 0]), duration),
        "EmbeddingSimilarity": (lambda: similarity.transform(pair), 2 * duration),
        "VGGish, random weights": (vggish, duration),
    }


def run(n_turns: int = 7) -> list[dict[str, object]]:
    """Time clips of a usual and of a long duration."""
    rows: list[dict[str, object]] = []
    with threads(1):
        for duration in (4.0, 60.0):
            for name, (call, heard) in calls(duration).items():
                call()
                taken = min(seconds(call, 1) for _ in range(n_turns))
                rows.append(
                    {
                        "what": name,
                        "clip_seconds": duration,
                        "ms": 1e3 * taken,
                        "times_real_time": heard / taken,
                    }
                )
                print(f"  {rows[-1]}", flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, help="a folder for speed_shipped_encoder.csv")
    parser.add_argument("--turns", type=int, default=7, help="how often each is timed")
    arguments = parser.parse_args()
    table = pd.DataFrame(run(arguments.turns))
    if arguments.output:
        path = arguments.output / "speed_shipped_encoder.csv"
        table.to_csv(path, index=False, float_format="%.4g")
