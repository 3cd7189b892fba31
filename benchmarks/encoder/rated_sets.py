"""Recordings that people judged, and how well a similarity of two recordings agrees with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sources import SR

from skperceptual import AlignPairs, load_audio
from skperceptual.metrics import compare_correlations, correlation_interval, spearman_score

SELECTION = ("cvssp_sep_mushra", "timbre_dissimilarity")
HELD_OUT = ("p835_FB48", "neural_codec_mushra")
RATINGS = {
    "cvssp_sep_mushra": "quality_mean",
    "p835_FB48": "MOS_OVRL",
    "neural_codec_mushra": "mean",
}
GROUPS = {"cvssp_sep_mushra": "track_id", "p835_FB48": "speaker", "neural_codec_mushra": "signal"}
# Codecs' waveforms are not the original's, so that longer delays would be found by chance.
MAX_LAG_SECONDS = {"p835_FB48": 0.1, "neural_codec_mushra": 0.01}

DIFFERENCE = ("difference", "difference_low", "difference_high")

Embed = Callable[[NDArray[np.float32]], NDArray[np.floating]]


@dataclass
class RatedSet:
    """Pairs of signals (by their places in a list), what people said, and groups of pairs.

    In sets of dissimilarities both what people said and similarities are ranked within each group,
    since every study had its own scale.
    """

    signals: list[NDArray[np.float32]]
    pairs: NDArray[np.intp]
    ratings: NDArray[np.float64]
    groups: NDArray
    within_groups: bool = False

    @property
    def n_groups(self) -> int:
        """Number of songs, studies, talkers or sentences."""
        return len(np.unique(self.groups))

    def similarities(self, embed: Embed) -> NDArray[np.float64]:
        """Give the similarity of every pair."""
        frames = [embed(signal) for signal in self.signals]
        values = np.array([frame_cosine(frames[one], frames[other]) for one, other in self.pairs])
        return ranked_within(values, self.groups) if self.within_groups else values

    def judge(self, values: NDArray[np.float64]) -> dict[str, float]:
        """Correlate similarities with what people said."""
        low, high = correlation_interval(self.ratings, values, groups=self.groups)
        return {"spearman": spearman_score(self.ratings, values), "low": low, "high": high}

    def difference(self, values: NDArray, baseline: NDArray) -> dict[str, float]:
        """Compare two similarities' correlations."""
        found = compare_correlations(self.ratings, values, baseline, groups=self.groups)
        return dict(zip(DIFFERENCE, (found.difference, found.low, found.high), strict=True))


def frame_cosine(frames: NDArray, others: NDArray) -> float:
    """Give the mean cosine of frames of the same time."""
    n_frames = min(len(frames), len(others))
    frames, others = frames[:n_frames], others[:n_frames]
    lengths = np.linalg.norm(frames, axis=1) * np.linalg.norm(others, axis=1)
    return float(np.mean((frames * others).sum(axis=1) / np.maximum(lengths, 1e-12)))


def ranked_within(values: NDArray, groups: NDArray) -> NDArray[np.float64]:
    """Rank values within each group, from 0 to 1."""
    ranks = np.empty(len(values))
    for group in np.unique(groups):
        rows = groups == group
        ranks[rows] = (rankdata(values[rows]) - 0.5) / rows.sum()
    return ranks


def load_set(folder: Path, name: str) -> RatedSet:
    """Read a set at the encoder's rate, without hidden references."""
    if name == "timbre_dissimilarity":
        return load_timbre(folder / name)
    table = pd.read_csv(folder / name / "ratings.csv")
    table = table[table["file"].notna() & (table["file"] != table["ref_file"])]
    signals: list[NDArray[np.float32]] = []
    for reference, degraded in zip(table["ref_file"], table["file"], strict=True):
        pair = [load_audio(folder / name / file, sr=SR)[0] for file in (reference, degraded)]
        n_times = min(map(len, pair))
        pair = [clip[:n_times] for clip in pair]
        if name in MAX_LAG_SECONDS:
            aligned = AlignPairs(sr=SR, max_lag_seconds=MAX_LAG_SECONDS[name])
            pair = list(aligned.transform([np.stack(pair)])[0])
        signals += pair
    return RatedSet(
        signals,
        np.arange(len(signals)).reshape(-1, 2),
        table[RATINGS[name]].to_numpy(dtype=float),
        table[GROUPS[name]].to_numpy(),
    )


def load_timbre(folder: Path) -> RatedSet:
    """Read tones of several studies and how unlike people found any two of one study."""
    signals, pairs, likeness, groups = [], [], [], []
    for study in pd.read_csv(folder / "index.csv")["dataset"]:
        table = pd.read_csv(folder / study / "dissimilarity.csv", index_col=0)
        one, other = np.triu_indices(len(table), 1)
        pairs.append(np.stack([one, other], axis=1) + len(signals))
        signals += [load_audio(folder / study / file, sr=SR)[0] for file in table.index]
        likeness.append(-table.to_numpy()[one, other])
        groups += [study] * len(one)
    labels = np.array(groups)
    return RatedSet(
        signals,
        np.concatenate(pairs),
        ranked_within(np.concatenate(likeness), labels),
        labels,
        within_groups=True,
    )
