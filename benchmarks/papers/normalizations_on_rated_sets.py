"""Table 2's strategies of divisive normalisation on real rated recordings, out of fold.

Each set is a folder with ``ratings.csv`` and audio. Whole clips, 256 mel bands at 16 kHz, hop
260, aligned by cross-correlation; grouped five-fold cross-validation by source recording
(leave-one-talker-out where there are four); predictions of the held-out folds are pooled before
they are correlated. The interval is a cluster bootstrap over the groups (percentile, 95 %).

Run it with: python benchmarks/papers/normalizations_on_rated_sets.py FOLDER -o results.csv
where FOLDER holds the sets named in ``SETS``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skperceptual import AlignPairs, LoadAudio, MelSpectrogram, NLPDRegressor
from skperceptual.metrics import pearson_score, spearman_score

# Folder: columns of the rating and of the source recording.
SETS = {
    "p835_FB48": ("MOS_OVRL", "speaker"),
    "cvssp_sep_mushra": ("quality_mean", "track_id"),
    "neural_codec_mushra": ("mean", "signal"),
}

STRATEGIES = {
    "image": {"normalization": "image"},
    "ones": {"normalization": "ones"},
    "none": {"normalization": None},
    "statistical": {"normalization": "statistical"},
    "perceptual, Adam 1e-3 x 100": {"normalization": "perceptual"},
    "perceptual, L-BFGS x 30": {
        "normalization": "perceptual",
        "solver": "lbfgs",
        "max_epochs": 30,
    },
}


def load_set(
    folder: Path, rating: str, group: str
) -> tuple[list, np.ndarray, np.ndarray, np.ndarray]:
    """Give images, ratings and source recordings, and which pairs are hidden references."""
    table = pd.read_csv(folder / "ratings.csv")
    table = table[table["file"].notna()]
    hidden = (table["file"] == table["ref_file"]).to_numpy()
    files = pd.DataFrame(
        {
            "reference": [str(folder / name) for name in table["ref_file"]],
            "degraded": [str(folder / name) for name in table["file"]],
        }
    )
    front_end = make_pipeline(LoadAudio(), AlignPairs(), MelSpectrogram())
    images = front_end.fit_transform(files)
    return images, table[rating].to_numpy(), table[group].to_numpy(), hidden


def interval(
    ratings: np.ndarray, predictions: np.ndarray, groups: np.ndarray, *, seed: int = 0
) -> tuple[float, float]:
    """Give the 95 % percentile interval of Spearman's correlation, resampling whole groups."""
    rng = np.random.default_rng(seed)
    rows_of = [np.flatnonzero(groups == label) for label in np.unique(groups)]
    values = []
    for _ in range(2000):
        picked = rng.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[i] for i in picked])
        values.append(spearman_score(ratings[rows], predictions[rows]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def evaluate(
    parameters: dict, images: list, ratings: np.ndarray, groups: np.ndarray
) -> dict[str, float]:
    """Cross-validate one strategy by group and correlate the pooled held-out predictions."""
    metric = NLPDRegressor(random_state=0, n_jobs=-1, **parameters)
    folds = GroupKFold(min(5, len(np.unique(groups))))
    predictions = cross_val_predict(metric, images, ratings, groups=groups, cv=folds)
    low, high = interval(ratings, predictions, groups)
    found = {
        "pearson": pearson_score(ratings, predictions),
        "spearman": spearman_score(ratings, predictions),
        "low": low,
        "high": high,
    }
    counts = {"pairs": len(ratings), "groups": len(np.unique(groups))}
    return {**counts, **{name: round(value, 3) for name, value in found.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder that holds the rated sets")
    parser.add_argument("-o", "--output", type=Path, help="CSV file for the results")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    arguments = parser.parse_args()
    rows = []
    for name in arguments.sets:
        *everything, hidden = load_set(arguments.folder / name, *SETS[name])
        for kept in (~hidden, np.full(len(hidden), True)):
            images = [image for image, keep in zip(everything[0], kept, strict=True) if keep]
            ratings, groups = (part[kept] for part in everything[1:])
            label = "with" if kept.all() else "without"
            for strategy, parameters in STRATEGIES.items():
                row = {"set": name, "hidden refs": label, "normalization": strategy}
                rows.append({**row, **evaluate(parameters, images, ratings, groups)})
                print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1))
    if arguments.output is not None:
        pd.DataFrame(rows).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
