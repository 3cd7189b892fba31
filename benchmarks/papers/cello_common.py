"""What the parts of the cello benchmark share: sizes, data, fitted scorers, rows on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from resuming import check_setting
from sklearn.utils import Bunch

from skperceptual import CelloQualityClassifier, Spectrogram
from skperceptual.datasets import make_synthetic_cellos

CONTRASTS = ("both", "eq", "damping", "none")
# As in the paper: 30 ms in a frame of 512. The floor lies well below what the scorer looks at.
FRONT_END = Spectrogram(win_length=480, eps=1e-5)
# How all scorers learn, the smallest among them too.
TRAINING = {"batch_size": 16, "learning_rate": 2e-3}
# A network of convolutions and a mean does not know which frequency it looks at, and the classes
# differ in gain by frequency. The table of sizes says what going without costs.
CUE = "bands"


class Size(NamedTuple):
    """How large a run is."""

    data: dict[str, int]
    more_instruments: dict[str, int]
    folds_data: dict[str, int]
    n_folds: int
    seeds: tuple[int, ...]
    epochs: int
    filters: tuple[int, ...]
    other_filters: tuple[tuple[int, ...], ...]
    n_masked: int
    alphas: tuple[float, ...]
    mask_steps: int


FULL = Size(
    data={"excerpts_per_instrument": 8},
    more_instruments={
        "n_train": 96,
        "n_validation": 24,
        "n_test": 24,
        "excerpts_per_instrument": 4,
    },
    folds_data={
        "n_train": 32,
        "n_validation": 0,
        "n_test": 0,
        "n_pieces": 16,
        "excerpts_per_instrument": 8,
    },
    n_folds=4,
    seeds=(0, 1, 2),
    epochs=20,
    filters=(8, 16, 32, 32),
    other_filters=((2, 4, 8, 8), (4, 8, 16, 16), (16, 32, 64, 64)),
    n_masked=12,
    alphas=(0.01, 0.03, 0.1, 0.3, 1.0),
    mask_steps=200,
)
TINY = Size(
    data={"n_train": 6, "n_validation": 0, "n_test": 3, "excerpts_per_instrument": 2},
    more_instruments={
        "n_train": 12,
        "n_validation": 0,
        "n_test": 6,
        "excerpts_per_instrument": 1,
    },
    folds_data={
        "n_train": 6,
        "n_validation": 0,
        "n_test": 0,
        "n_pieces": 2,
        "excerpts_per_instrument": 2,
    },
    n_folds=2,
    seeds=(0, 1),
    epochs=2,
    filters=(4, 4),
    other_filters=((2, 2),),
    n_masked=2,
    alphas=(0.1,),
    mask_steps=5,
)


class Work:
    """A folder of finished rows and fitted scorers, so that nothing is computed twice."""

    def __init__(self, folder: Path, size: Size, device: str) -> None:
        self.folder = folder
        self.size = size
        self.device = device
        folder.mkdir(parents=True, exist_ok=True)
        setting = {**size._asdict(), "training": TRAINING, "cue": CUE, "scorer": repr(FRONT_END)}
        check_setting(folder, json.loads(json.dumps(setting)))

    def rows(
        self, table: str, key: dict[str, Any], make: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Compute the rows of a key that are not there yet, and save them."""
        name = " ".join(f"{label}={value}" for label, value in key.items())
        path = self.folder / table / f"{name}.csv"
        if path.exists():
            return
        start = perf_counter()
        found = pd.DataFrame([{**key, **row} for row in make()])
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".part")
        found.to_csv(unfinished, index=False)
        unfinished.replace(path)
        print(f"  {name:<50}{perf_counter() - start:7.0f} s", flush=True)

    def table(self, table: str) -> pd.DataFrame:
        """Give all rows of a table that are finished."""
        paths = sorted((self.folder / table).glob("*.csv"))
        return pd.concat(
            [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths],
            ignore_index=True,
        )

    def scorer(
        self,
        contrast: str,
        seed: int,
        filters: tuple[int, ...] | None = None,
        cue: str | None = CUE,
        *,
        more_instruments: bool = False,
    ) -> CelloQualityClassifier:
        """Give the scorer of a data set, trained on all but its test instruments."""
        filters = filters or self.size.filters
        name = f"{contrast}, seed {seed}, {'-'.join(map(str, filters))}, cue {cue}"
        name += ", more instruments.joblib" if more_instruments else ".joblib"
        path = self.folder / "scorers" / name
        if not path.exists():
            data = self.data(contrast, seed, more_instruments=more_instruments)
            rows = data.split != "test"
            scorer = self.classifier(seed, filters, cue)
            start = perf_counter()
            scorer.fit(data.images[rows], data.target[rows], groups=data.groups[rows])
            scorer.fit_seconds_ = perf_counter() - start
            path.parent.mkdir(exist_ok=True)
            joblib.dump(scorer, path)
        return joblib.load(path)

    def classifier(
        self, seed: int, filters: tuple[int, ...], cue: str | None = CUE
    ) -> CelloQualityClassifier:
        """Give the classifier of all experiments, not yet fitted."""
        return CelloQualityClassifier(
            n_filters=filters,
            frequency_cue=cue,
            time_poolings=min(3, len(filters)),
            max_epochs=self.size.epochs,
            **TRAINING,
            random_state=seed,
            device=self.device,
        )

    def data(self, contrast: str, seed: int, *, more_instruments: bool = False) -> Bunch:
        """Give simulated cellos and their spectrograms; every seed has instruments of its own."""
        options = self.size.more_instruments if more_instruments else self.size.data
        return _make_data(contrast, seed, tuple(options.items()))

    def folds_data(self, contrast: str) -> Bunch:
        """Give simulated cellos without splits, for cross-validation."""
        return _make_data(contrast, 100, tuple(self.size.folds_data.items()))


@lru_cache(maxsize=1)
def _make_data(contrast: str, seed: int, options: tuple[tuple[str, int], ...]) -> Bunch:
    data = make_synthetic_cellos(contrast=contrast, random_state=seed, **dict(options))
    data.images = FRONT_END.transform(data.signals)
    return data


def interval_of_groups(
    values: np.ndarray, groups: np.ndarray, *, n_draws: int = 2000
) -> tuple[float, float]:
    """Give the 95 % interval of a mean over draws of whole groups."""
    names, labels = np.unique(groups, return_inverse=True)
    sums = np.bincount(labels, weights=values)
    counts = np.bincount(labels)
    draws = np.random.default_rng(0).integers(len(names), size=(n_draws, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
