"""Peak memory of ``predict_chunked`` against the number of files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from timing import extra_megabytes

import skperceptual as sp
from skperceptual.evaluation import predict_chunked

N_PAIRS = (64, 512, 4096)
CHUNK_SIZE = 32


def scoring(folder: str, n_pairs: int) -> Callable[[], object]:
    """Prepare scoring one pair of files many times, in this process."""
    pipeline = make_pipeline(sp.LoadAudio(sr=16000), sp.MelSpectrogram(), sp.NLPD())
    pair = (f"{folder}/clean.wav", f"{folder}/noisy.wav")
    pipeline.transform([pair])
    rows = (pair for _ in range(n_pairs))
    return lambda: predict_chunked(pipeline, rows, chunk_size=CHUNK_SIZE, method="transform")


def run() -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    clean, noise = 0.1 * rng.standard_normal((2, 64000))
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        sp.save_audio(Path(name) / "clean.wav", clean, 16000)
        sp.save_audio(Path(name) / "noisy.wav", clean + 0.1 * noise, 16000)
        for n_pairs in N_PAIRS:
            megabytes = extra_megabytes(scoring, name, n_pairs)
            print(f"  {n_pairs} pairs: {megabytes:.0f} MB", flush=True)
            rows.append({"pairs": n_pairs, "chunk_size": CHUNK_SIZE, "extra_mb": megabytes})
    return rows
