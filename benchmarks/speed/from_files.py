"""From WAV files to NLPD scores: a pipeline of ours, and the composition of what people have.

The composition reads with librosa, resamples with soxr, computes the mel spectrogram in dB with
librosa, and compares the images with pyiqa's NLPD, one pair after the other and with the threads
that each library takes by itself. Ours is ``predict_chunked`` on two processes that run already.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import peers
import torch
from image_metrics import PAPER
from sklearn.pipeline import make_pipeline
from tqdm.auto import tqdm

import skperceptual as sp
from skperceptual.datasets import make_music
from skperceptual.evaluation import predict_chunked

N_PAIRS, N_SONGS, SR, DURATION = 500, 25, 48000, 4.2
N_NAIVE = 20  # of the pairs, in each turn: the composition is slow, and slow in proportion
N_JOBS = 2


def write_files(folder: Path) -> pd.DataFrame:
    """Write 25 pieces of synthesised music and 20 noisy versions of each, 16 bits a sample."""
    music = make_music(n_songs=N_SONGS, sr=SR, duration_seconds=DURATION, random_state=0).signals
    rng = np.random.default_rng(0)
    rows = []
    for song, clean in enumerate(tqdm(music, desc="writing files")):
        sp.save_audio(folder / f"{song}.wav", clean, SR)
        for version in range(N_PAIRS // N_SONGS):
            noisy = clean + 0.1 * rng.random() * rng.standard_normal(clean.size)
            sp.save_audio(folder / f"{song}_{version}.wav", np.clip(noisy, -1, 1), SR)
            rows.append((str(folder / f"{song}.wav"), str(folder / f"{song}_{version}.wav")))
    return pd.DataFrame(rows, columns=["reference", "degraded"])


def naive(files: pd.DataFrame) -> list[float]:
    nlpd = peers.pyiqa_nlpd()
    scores = []
    for names in files.itertuples(index=False):
        images = []
        for name in names:
            signal, _ = librosa.load(name, sr=PAPER["sr"], res_type="soxr_hq")
            images.append(torch.tensor(peers.librosa_image(signal, **PAPER))[None, None])
        scores.append(float(nlpd(*images)))
    return scores


def run(n_turns: int) -> list[dict[str, object]]:
    pipeline = make_pipeline(
        sp.LoadAudio(sr=PAPER["sr"]),
        sp.MelSpectrogram(**PAPER, power=2.0),
        sp.NLPD(),
    )
    with tempfile.TemporaryDirectory() as name:
        files = write_files(Path(name))
        few = files.iloc[:: N_PAIRS // N_NAIVE]

        def ours(n_jobs: int | None) -> float:
            begin = time.perf_counter()
            predict_chunked(pipeline, files, chunk_size=16, method="transform", n_jobs=n_jobs)
            return (time.perf_counter() - begin) / len(files)

        def theirs() -> float:
            begin = time.perf_counter()
            naive(few)
            return (time.perf_counter() - begin) / len(few)

        ours(N_JOBS), theirs()
        turns = np.array([[ours(N_JOBS), ours(None), theirs()] for _ in range(n_turns)])
    rows = []
    names = ("WAV files to NLPD, 2 processes", "WAV files to NLPD, 1 process")
    for column, what in enumerate(names):
        ratios = turns[:, 2] / turns[:, column]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        rows.append(
            {
                "what": what,
                "items": N_PAIRS,
                "threads": 2,
                "peer": "librosa + pyiqa",
                "ours_ms": 1e3 * np.median(turns[:, column]),
                "theirs_ms": 1e3 * np.median(turns[:, 2]),
                "times_faster": middle,
                "low": low,
                "high": high,
            }
        )
    return rows
