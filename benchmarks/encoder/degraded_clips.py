"""Clean clips, each in many conditions, with what full-reference metrics say of the damage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from artefacts import ARTEFACTS
from numpy.typing import NDArray
from sources import SR
from tqdm import tqdm

from skperceptual import MSE, MSSSIM, NLPD, NSIM, GammatoneSpectrogram, MelSpectrogram
from skperceptual.degradations import get_degradation

CONDITIONS = (
    "adpcm",
    "aliasing",
    "bandpass",
    "colored_noise",
    "compressor",
    "dropouts",
    "hard_clipping",
    "highpass",
    "lowpass",
    "mp3_codec",
    "mu_law",
    "opus_codec",
    "packet_loss",
    "pink_noise",
    "pmqd_distortion",
    "quantization",
    "reverberation",
    "soft_clipping",
    "vorbis_codec",
    "white_noise",
    *ARTEFACTS,
)
# Two severities a clip and condition, one from each half of the ladder.
N_RUNGS = 2
TEACHERS = ("nlpd", "ms_ssim", "nsim", "mse")


@dataclass
class DegradedClips:
    """References and their versions, as 16-bit integers, and a row for each version."""

    clean: NDArray[np.int16]
    degraded: NDArray[np.int16]
    frame: pd.DataFrame


def make_clips(clean: NDArray[np.float32], cache: Path, random_state: int) -> None:
    """Degrade and score all clips, and leave them in a folder."""
    cache.mkdir(parents=True, exist_ok=True)
    degraded, frame = degrade_all(clean, random_state)
    np.save(cache / "clean.npy", to_integers(clean))
    np.save(cache / "degraded.npy", degraded)
    frame.to_csv(cache / "frame.csv", index=False)


def load_clips(cache: Path) -> DegradedClips:
    """Read what :func:`make_clips` left."""
    return DegradedClips(
        np.load(cache / "clean.npy"),
        np.load(cache / "degraded.npy", mmap_mode="r"),
        pd.read_csv(cache / "frame.csv"),
    )


def degrade_all(
    clean: NDArray[np.float32], random_state: int
) -> tuple[NDArray[np.int16], pd.DataFrame]:
    """Put every clip through every condition at two severities."""
    n_rows = len(clean) * len(CONDITIONS) * N_RUNGS
    degraded = np.empty((n_rows, clean.shape[1]), dtype=np.int16)
    teachers, rows = make_teachers(), []
    for source, clip in enumerate(tqdm(clean, desc="degrading")):
        rng = np.random.default_rng([random_state, source])
        other = clean[(source + rng.integers(1, len(clean))) % len(clean)]
        first = len(rows)
        for condition in CONDITIONS:
            for rung in range(N_RUNGS):
                severity = (rung + rng.random()) / N_RUNGS
                degraded[len(rows)] = to_integers(degrade(clip, other, condition, severity, rng))
                rows.append({"source": source, "condition": condition, "severity": severity})
        scores = score(teachers, clip, degraded[first : len(rows)])
        for row, values in zip(rows[first:], scores, strict=True):
            row.update(zip(TEACHERS, values, strict=True))
    return degraded, pd.DataFrame(rows)


def degrade(
    clip: NDArray, other: NDArray, condition: str, severity: float, rng: np.random.Generator
) -> NDArray:
    """Degrade one clip."""
    if condition in ARTEFACTS:
        wide, other = clip.astype(np.float64), other.astype(np.float64)
        return ARTEFACTS[condition](wide, other, severity, rng)
    degradation = get_degradation(condition, severity=severity)
    chosen = {"sr": SR, "random_state": int(rng.integers(2**31))}
    known = degradation.get_params()
    degradation.set_params(**{name: value for name, value in chosen.items() if name in known})
    return degradation.transform(clip[np.newaxis])[0]


def make_teachers() -> dict:
    """Give the front end and the metric of each teacher, the larger the better."""
    mel = MelSpectrogram(htk=True, norm=None)
    return {
        "nlpd": (mel, NLPD(), -1),
        "ms_ssim": (mel, MSSSIM(), 1),
        "nsim": (GammatoneSpectrogram(sr=SR), NSIM(pooling="mean"), 1),
        "mse": (mel, MSE(), -1),
    }


def score(teachers: dict, clip: NDArray, versions: NDArray[np.int16]) -> NDArray:
    """Give (n_versions, n_teachers) scores, the larger the better."""
    versions = to_floats(versions)
    pairs = np.stack([np.broadcast_to(clip, versions.shape), versions], axis=1)
    columns = []
    for front_end, metric, sign in teachers.values():
        columns.append(sign * metric.fit_transform(front_end.transform(pairs)).ravel())
    return np.stack(columns, axis=1)


def to_integers(clips: NDArray) -> NDArray[np.int16]:
    return np.round(np.clip(clips, -1, 1) * 32767).astype(np.int16)


def to_floats(clips: NDArray[np.int16]) -> NDArray[np.float32]:
    return clips.astype(np.float32) / 32767
