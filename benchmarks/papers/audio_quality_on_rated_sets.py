"""The first paper's metrics on recordings that people rated.

Each set is a folder with ``ratings.csv`` and audio: speech in noise (p835_FB48), separated vocals
(cvssp_sep_mushra), neural speech codecs (neural_codec_mushra). Whole clips, 16 kHz, 256 mel bands,
aligned by cross-correlation, with hidden references left out and, separately, with them. Metrics
that learn are judged on source recordings held out (five folds, four where there are four
talkers); the interval is that of ``correlation_interval``. A second table has the perceptual fit
to one set, judged on the others.

The waveforms of neural codecs hardly resemble what they code, so that the lag of the largest
cross-correlation is chance; they are also aligned within 10 ms, less than a frame.

Run it with: python benchmarks/papers/audio_quality_on_rated_sets.py FOLDER -o benchmarks/results
where FOLDER holds the sets. It takes about a quarter of an hour on two cores, and goes on where it
was interrupted: sets that the results have already are left as they are.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from skperceptual import NLPD, AlignPairs, LoadAudio, MelSpectrogram, NLPDRegressor
from skperceptual.datasets import load_rated_pairs
from skperceptual.demo.comparison import (
    agreement_values,
    fit_metric,
    held_out_values,
    make_metrics,
)
from skperceptual.metrics import correlation_interval, pearson_score, spearman_score


class RatedSet(NamedTuple):
    """Columns of a set's table, and how far its recordings may be shifted."""

    rating: str
    group: str
    max_lag_seconds: float = 0.1


SETS = {
    "p835_FB48": RatedSet("MOS_OVRL", "speaker"),
    "cvssp_sep_mushra": RatedSet("quality_mean", "track_id"),
    "neural_codec_mushra": RatedSet("mean", "signal"),
    "neural_codec_mushra, lag < 10 ms": RatedSet("mean", "signal", max_lag_seconds=0.01),
}
FRONT_ENDS = {
    "default": {},
    "htk=True, norm=None": {"htk": True, "norm": None},
}


def make_all_metrics() -> dict:
    """Give the first paper's metrics, the perceptual fit in two ways, two more forms of NLPD."""
    metrics = make_metrics(random_state=0)
    lbfgs = metrics.pop("NLPD perceptual")
    adam = NLPDRegressor(increasing=False, n_jobs=-1, random_state=0)
    return {
        **metrics,
        "NLPD perceptual": adam,
        "NLPD perceptual, L-BFGS": lbfgs,
        "NLPD laparra2017": NLPD(convention="laparra2017"),
        "NLPD hepburn": NLPD(convention="hepburn"),
    }


def load_set(folder: Path, name: str, front_end: str) -> pd.DataFrame:
    """Give one row a pair: its images, rating, source recording, and whether it is hidden."""
    rated_set = SETS[name]
    data = load_rated_pairs(
        folder / name.split(",", maxsplit=1)[0] / "ratings.csv",
        reference="ref_file",
        degraded="file",
        rating=rated_set.rating,
        group=rated_set.group,
        hidden_references="include",
        unusable_files="exclude",
    )
    steps = (
        LoadAudio(),
        AlignPairs(max_lag_seconds=rated_set.max_lag_seconds),
        MelSpectrogram(**FRONT_ENDS[front_end]),
    )
    return pd.DataFrame(
        {
            "images": make_pipeline(*steps).fit_transform(data.pairs),
            "rating": data.target,
            "group": data.groups,
            "hidden": (data.pairs["reference"] == data.pairs["degraded"]).to_numpy(),
        }
    )


def judge(values: np.ndarray, rows: pd.DataFrame) -> dict[str, float]:
    """Correlate values with ratings."""
    low, high = correlation_interval(rows["rating"], values, groups=rows["group"])
    return {
        "pairs": len(rows),
        "groups": rows["group"].nunique(),
        "spearman": round(spearman_score(rows["rating"], values), 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "pearson": round(pearson_score(rows["rating"], values), 3),
    }


def compare_metrics(folder: Path, name: str, front_end: str) -> pd.DataFrame:
    """Judge all metrics on one set, with hidden references and without."""
    everything = load_set(folder, name, front_end)
    results = []
    for hidden, rows in (("without", everything[~everything["hidden"]]), ("with", everything)):
        images, ratings = list(rows["images"]), rows["rating"].to_numpy()
        folds = GroupKFold(min(5, rows["group"].nunique()))
        splits = list(folds.split(images, groups=rows["group"]))
        for metric_name, metric in make_all_metrics().items():
            values = held_out_values(metric, images, ratings, splits)
            result = {"set": name, "mel": front_end, "hidden refs": hidden, "metric": metric_name}
            results.append(result | judge(values, rows))
            print(pd.DataFrame(results[-1:]).to_string(index=False, header=False), flush=True)
    return pd.DataFrame(results)


def transfer(folder: Path, names: list[str]) -> pd.DataFrame:
    """Fit the perceptual normalisation to one set, and judge it on the others."""
    sets = {name: load_set(folder, name, "default") for name in names}
    metrics = make_all_metrics()
    results = []
    for hidden in ("without", "with"):
        kept = {
            name: rows if hidden == "with" else rows[~rows["hidden"]] for name, rows in sets.items()
        }
        for metric_name in ("NLPD image", "NLPD perceptual", "NLPD perceptual, L-BFGS"):
            for fitted_to, train in kept.items():
                fitted = fit_metric(metrics[metric_name], list(train["images"]), train["rating"])
                for judged_on, test in kept.items():
                    if judged_on == fitted_to:
                        continue
                    result = {"hidden refs": hidden, "metric": metric_name}
                    result |= {"fitted to": fitted_to, "judged on": judged_on}
                    values = agreement_values(fitted, list(test["images"]))
                    results.append(result | judge(values, test))
    table = pd.DataFrame(results)
    # What learns nothing is the same wherever it was fitted.
    fixed = table["metric"] == "NLPD image"
    table.loc[fixed, "fitted to"] = "-"
    return table.drop_duplicates()


def lay_out(table: pd.DataFrame, *, rows: list[str], columns: str) -> pd.DataFrame:
    """Lay out correlations with their intervals, as the documentation shows them."""
    cells = table.apply("{0[spearman]:.2f} [{0[low]:.2f}, {0[high]:.2f}]".format, axis=1)
    table = table.assign(cell=cells)
    order = {name: list(dict.fromkeys(table[name])) for name in (*rows, columns)}
    wide = table.pivot(index=rows, columns=columns, values="cell").reset_index()
    wide = wide.sort_values(rows, key=lambda column: column.map(order[column.name].index))
    return wide[[*rows, *order[columns]]].fillna("")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder that holds the rated sets")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="The interval rests on 4 groups")
    warnings.filterwarnings("ignore", message=".*mel filters hold no bin")
    warnings.filterwarnings("ignore", message=".*rated rows name files that cannot be used")
    warnings.filterwarnings("ignore", message="Some images are too small for window_size")
    start = perf_counter()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "rated_sets_metrics.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["set", "mel"])
    for mel in FRONT_ENDS:
        for name in SETS:
            if not ((table["set"] == name) & (table["mel"] == mel)).any():
                found = compare_metrics(arguments.folder, name, mel)
                table = pd.concat([table, found], ignore_index=True) if len(table) else found
                table.to_csv(path, index=False)
    path = arguments.output / "rated_sets_transfer.csv"
    if not path.exists():
        names = [name for name in SETS if "," not in name]
        transfer(arguments.folder, names).to_csv(path, index=False)
    moved = pd.read_csv(path)
    for hidden in ("without", "with"):
        stem = f"{arguments.output}/rated_sets_{hidden}_hidden_references"
        for mel, short in (("default", "default"), ("htk=True, norm=None", "htk")):
            chosen = table[(table["mel"] == mel) & (table["hidden refs"] == hidden)]
            lay_out(chosen, rows=["metric"], columns="set").to_csv(
                f"{stem}_{short}.csv", index=False
            )
        chosen = moved[moved["hidden refs"] == hidden]
        wide = lay_out(chosen, rows=["metric", "fitted to"], columns="judged on")
        wide.to_csv(f"{stem}_transfer.csv", index=False)
    print(f"{perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
