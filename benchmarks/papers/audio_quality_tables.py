"""Tables 1 and 2 and figure 2 of "What you hear is what you see", in full.

On PMQD where ``fetch_pmqd`` has put it, else on as much synthesised music with SIMULATED ratings.
Spectrograms as in the paper, 512 x 1024; two protocols, the paper's split (the last song of each
genre is tested) and five folds by song. The paper leaves the mel scale, the scale of magnitudes
and the sign of weights open: HTK without area normalisation, a logarithm mapped to [0, 1], and
weights that are never negative are chosen here.

Every value is saved as soon as it is there, so that a run that was interrupted goes on where it
was. Run it with:

    python benchmarks/papers/audio_quality_tables.py --work FOLDER -o benchmarks/results

It takes about TIME_IN_FULL on two cores; ``--small`` takes 256 x 256 images and 26 songs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from skperceptual import DivisiveNormDisplay, LoadAudio, MelSpectrogram, NLPDRegressor
from skperceptual.datasets import fetch_pmqd, make_rated_music
from skperceptual.demo.comparison import (
    CEILING,
    correlate,
    fit_metric,
    held_out_values,
    make_metrics,
)
from skperceptual.demo.published import CONDITIONS, TABLE_1, TABLE_2

PAPER = {"sr": 16050, "n_fft": 2048, "hop_length": 64, "n_mels": 512}
SMALL = {"sr": 16000, "n_fft": 1024, "hop_length": 260, "n_mels": 256}
MEL_SCALE = {"htk": True, "norm": None}
SEED = 0
PERCEPTUAL = "NLPD perceptual"
OTHER_SOLVER = "NLPD perceptual, L-BFGS"


class Values:
    """A table of values on disk, one column a computation, that grows column by column."""

    def __init__(self, path: Path, n_pairs: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.table = pd.read_csv(path) if path.exists() else pd.DataFrame(index=range(n_pairs))
        if len(self.table) != n_pairs:
            raise SystemExit(f"{path} is of other data ({len(self.table)} pairs): remove it.")

    def compute(self, name: str, function: Callable[[], np.ndarray]) -> None:
        """Compute a column that is not there yet, and save the table."""
        if name in self.table:
            return
        start = perf_counter()
        self.table[name] = function()
        unfinished = self.path.with_suffix(".part")
        self.table.to_csv(unfinished, index=False)
        unfinished.replace(self.path)
        print(f"  {name:<60}{perf_counter() - start:7.0f} s", flush=True)


def load_data(settings: dict, n_songs: int, noise: str) -> Bunch:
    """Give PMQD where it is present, else simulated ratings; ``images`` and ``split`` added."""
    front_end = MelSpectrogram(**settings, **MEL_SCALE)
    try:
        data = fetch_pmqd(download_if_missing=False)
    except OSError:
        data = make_rated_music(
            n_songs=n_songs, sr=settings["sr"], noise=noise, random_state=SEED, n_jobs=2
        )
        data.name, data.ceiling = f"simulated, {noise} noise", data.frame["latent_quality"]
        # The last song of each genre is tested, as in the paper.
        number = data.frame["song"].str.extract(r"(\d+)$")[0].astype(int)
        last = number.groupby(data.frame["genre"]).transform("max")
        data.is_test = (number == last).to_numpy()
        data.reference_ratings = data.frame["simulated_reference_rating"].to_numpy()
        data.signals = data.pairs
    else:
        data.name, data.ceiling = "PMQD", None
        data.is_test = (data.frame["split"] == "test").to_numpy()
        data.reference_ratings = data.frame["reference_rating"].to_numpy()
        data.signals = LoadAudio(sr=settings["sr"], duration_seconds=4.208).transform(data.pairs)
    data.images = front_end.transform(data.signals)
    return data


def make_all_metrics() -> dict:
    """Give the metrics of both tables; the perceptual fit by the paper's recipe, and by L-BFGS."""
    metrics = make_metrics(random_state=SEED)
    lbfgs = metrics.pop(PERCEPTUAL).set_params(max_cache_bytes=2**33)
    adam = NLPDRegressor(
        solver="adam", increasing=False, n_jobs=-1, random_state=SEED, max_cache_bytes=2**33
    )
    return {**metrics, PERCEPTUAL: adam, OTHER_SOLVER: lbfgs}


def compute_values(values: Values, data: Bunch, noise: str) -> None:
    """Value all pairs by all metrics in both protocols."""
    rows = np.arange(len(data.target))
    protocols = {
        "split": [(rows[~data.is_test], rows[data.is_test])],
        "folds": list(GroupKFold(5).split(rows, groups=data.groups)),
    }
    for name, metric in make_all_metrics().items():
        for protocol, folds in protocols.items():
            learns_ratings = isinstance(metric, NLPDRegressor)
            if learns_ratings and noise != "default" and protocol == "folds":
                continue  # the other simulations get one fit instead of six
            column = f"{protocol}|{name}|{noise if learns_ratings else 'any'}"
            compute = partial(
                held_out_values, metric, data.images, data.target, folds, condition=data.condition
            )
            values.compute(column, compute)


def tabulate(values: Values, data: Bunch, noise: str) -> pd.DataFrame:
    """Correlate all values with the ratings, in both protocols."""
    tables = []
    for protocol in ("split", "folds"):
        names = list(make_all_metrics())
        columns = {}
        for name in names:
            stem = f"{protocol}|{name}|"
            for column in (f"{stem}any", f"{stem}{noise}"):
                if column in values.table:
                    columns[name] = values.table[column]
        if data.ceiling is not None:
            tested = data.is_test | (protocol == "folds")
            columns[CEILING] = data.ceiling.where(tested)
        table = correlate(pd.DataFrame(columns), data)
        table.insert(0, "protocol", protocol)
        table.insert(0, "data", data.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def fit_filters(path: Path, data: Bunch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Fit the three normalisations of figure 2 to the training songs, once."""
    if not path.exists():
        metrics, arrays = make_all_metrics(), {}
        train = np.flatnonzero(~data.is_test)
        images = [data.images[row] for row in train]
        for name in ("NLPD image", "NLPD statistical", PERCEPTUAL, OTHER_SOLVER):
            fitted = fit_metric(metrics[name], images, data.target[train], data.condition[train])
            arrays[f"{name} filters"], arrays[f"{name} sigmas"] = fitted.filters_, fitted.sigmas_
        np.savez(path, **arrays)
    with np.load(path) as arrays:
        names = dict.fromkeys(name.rsplit(" ", 1)[0] for name in arrays)
        return {name: (arrays[f"{name} filters"], arrays[f"{name} sigmas"]) for name in names}


def describe_filters(filters: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Say where the weight of each filter lies: by row (frequency) and by column (time)."""
    rows = []
    offsets = ("-2", "-1", "0", "+1", "+2")
    for name, (weights, sigmas) in filters.items():
        for level, (kernel, sigma) in enumerate(zip(weights, sigmas, strict=True)):
            share = kernel / kernel.sum()
            by_band = dict(zip((f"band {at}" for at in offsets), share.sum(axis=1), strict=True))
            by_frame = dict(zip((f"frame {at}" for at in offsets), share.sum(axis=0), strict=True))
            sums = {"sum": kernel.sum(), "sigma": sigma}
            rows.append({"normalization": name, "level": level, **sums, **by_band, **by_frame})
    return pd.DataFrame(rows)


def share_above_reference(data: Bunch) -> pd.DataFrame:
    """Count the degraded clips that are rated above, and at, their originals."""
    above = pd.DataFrame(
        {
            "condition": data.condition,
            "above": data.target > data.reference_ratings,
            "equal": data.target == data.reference_ratings,
        }
    )
    table = above.groupby("condition", sort=False).mean()
    table.loc["all"] = above[["above", "equal"]].mean()
    table.insert(0, "data", data.name)
    return table.reset_index()


def lay_out(correlations: pd.DataFrame, rows: dict) -> pd.DataFrame:
    """Lay out one protocol as the paper's table: correlation with interval, beside the paper's."""
    of = correlations.set_index(["metric", "condition"])
    table = []
    extra = [name for name in (OTHER_SOLVER, CEILING) if name in set(correlations["metric"])]
    if "NLPD perceptual" not in rows:
        extra.remove(OTHER_SOLVER)
    for metric in [*rows, *extra]:
        row = {"metric": metric}
        for number, condition in enumerate(CONDITIONS):
            found = of.loc[(metric, condition)] if (metric, condition) in of.index else None
            cell = "" if found is None else "{spearman:.2f} [{low:.2f}, {high:.2f}]".format(**found)
            paper = f" ({rows[metric][number]:.2f})" if metric in rows else ""
            row[condition] = f"{cell}{paper}".strip()
        table.append(row)
    return pd.DataFrame(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--work", type=Path, required=True, help="folder to resume from")
    parser.add_argument("--small", action="store_true", help="26 songs, 256 x 256 images")
    parser.add_argument("--noise", nargs="+", default=["default", "low", "high"])
    arguments = parser.parse_args()
    settings, n_songs = (SMALL, 26) if arguments.small else (PAPER, 65)
    start = perf_counter()
    tables, shares = [], []
    for noise in arguments.noise:
        data = load_data(settings, n_songs, noise)
        print(f"{data.name}: {len(data.target)} pairs, images {data.images.shape[2:]}", flush=True)
        values = Values(arguments.work / "values.csv", len(data.target))
        compute_values(values, data, noise)
        tables.append(tabulate(values, data, noise))
        shares.append(share_above_reference(data))
        if noise == arguments.noise[0]:
            filters = fit_filters(arguments.work / "filters.npz", data)
        if data.name == "PMQD":  # has ratings of its own
            break
    arguments.output.mkdir(parents=True, exist_ok=True)
    stem = arguments.output / "audio_quality"
    everything = pd.concat(tables, ignore_index=True)
    everything.round(4).to_csv(f"{stem}_correlations.csv", index=False)
    for protocol in ("split", "folds"):
        for number, rows in ((1, TABLE_1), (2, TABLE_2)):
            table = lay_out(tables[0][tables[0]["protocol"] == protocol], rows)
            table.to_csv(f"{stem}_table_{number}_{protocol}.csv", index=False)
            print(f"\nTable {number}, {protocol}, {tables[0]['data'][0]}\n{table.to_string()}")
    pd.concat(shares).round(3).to_csv(f"{stem}_above_reference.csv", index=False)
    describe_filters(filters).round(4).to_csv(f"{stem}_filter_weights.csv", index=False)
    display = DivisiveNormDisplay.from_filters(
        {name: weights for name, (weights, _) in filters.items()},
        sigmas={name: sigmas for name, (_, sigmas) in filters.items()},
        color_scale="panel",
    )
    display.figure_.savefig(f"{stem}_filters.png", dpi=110)
    print(f"\n{perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
