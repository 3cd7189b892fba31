"""Tables 1 and 2 and figure 2 of "What you hear is what you see", in full.

On PMQD where ``fetch_pmqd`` has put it, else on as much synthesised music with SIMULATED ratings.
Spectrograms as in the paper, 512 x 1024; two protocols, the paper's split (the last song of each
genre is tested) and five folds by song. The paper leaves the mel scale, the scale of magnitudes
and the sign of weights open: HTK without area normalisation, a logarithm mapped to [0, 1], and
weights that are never negative are chosen here. ViSQOL compares signals (mono, 16 bit, 48 kHz) in
audio mode, with Google's map (``--visqol-model``, or where ``fetch_visqol_model`` has put it) and
with the one that this package ships. FAD compares each degraded clip with all references of the
training songs, by the embedding that this package ships, and by VGGish where its weights are.

Every value is saved as soon as it is there, so that a run that was interrupted goes on where it
was. Run it with:

    python benchmarks/papers/audio_quality_tables.py --work FOLDER -o benchmarks/results

It takes an hour on two cores that have other work too, with the paper's recipe for the perceptual
fit (100 epochs of Adam) once, for its split; ``--adam-everywhere`` fits it in the folds and to the
other simulated ratings too, which takes an hour more. ``--small`` takes 256 x 256 images and 26
songs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from skperceptual import (
    DivisiveNormDisplay,
    FrechetAudioDistance,
    LoadAudio,
    MelSpectrogram,
    NLPDRegressor,
    VGGish,
    ViSQOL,
)
from skperceptual.datasets import fetch_pmqd, fetch_visqol_model, make_rated_music
from skperceptual.demo.comparison import (
    CEILING,
    agreement_values,
    correlate,
    fit_metric,
    held_out_values,
    make_metrics,
)
from skperceptual.demo.published import CONDITIONS, TABLE_1, TABLE_2
from skperceptual.embeddings import MissingWeightsError

PAPER = {"sr": 16050, "n_fft": 2048, "hop_length": 64, "n_mels": 512}
SMALL = {"sr": 16000, "n_fft": 1024, "hop_length": 260, "n_mels": 256}
MEL_SCALE = {"htk": True, "norm": None}
SEED = 0
PERCEPTUAL = "NLPD perceptual"
OTHER_SOLVER = "NLPD perceptual, L-BFGS"
SIGNAL_SR = 48000
SHIPPED_MAP = "ViSQOL, shipped map"
SHIPPED_EMBEDDING = "FAD, shipped embedding"


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


def find_ratings() -> list[str]:
    """Name the ratings to correlate with, the ones that the tables show last."""
    try:
        fetch_pmqd(download_if_missing=False)
    except OSError:
        return ["simulated, low noise", "simulated, high noise", "simulated, default noise"]
    return ["PMQD"]


def load_data(ratings: str, settings: dict, n_songs: int) -> Bunch:
    """Give one of the data sets with its images, and what both protocols need of it."""
    if ratings == "PMQD":
        data = fetch_pmqd(download_if_missing=False)
        data.ceiling = None
        data.is_test = (data.frame["split"] == "test").to_numpy()
        data.reference_ratings = data.frame["reference_rating"].to_numpy()
        signals = LoadAudio(sr=settings["sr"], duration_seconds=4.208).transform(data.pairs)
    else:
        data = simulate(ratings, settings["sr"], n_songs)
        data.ceiling = data.frame["latent_quality"]
        # The last song of each genre is tested, as in the paper.
        number = data.frame["song"].str.extract(r"(\d+)$")[0].astype(int)
        last = number.groupby(data.frame["genre"]).transform("max")
        data.is_test = (number == last).to_numpy()
        data.reference_ratings = data.frame["simulated_reference_rating"].to_numpy()
        signals = data.pairs
    data.ratings = ratings
    data.images = MelSpectrogram(**settings, **MEL_SCALE).transform(signals)
    return data


def simulate(ratings: str, sr: int, n_songs: int) -> Bunch:
    """Make the same songs and ratings at any rate."""
    noise = ratings.split()[1]
    return make_rated_music(n_songs=n_songs, sr=sr, noise=noise, random_state=SEED, n_jobs=2)


def load_signals(data: Bunch, n_songs: int) -> np.ndarray:
    """Give the pairs as metrics of signals want them, mono, 16 bit and 48 kHz."""
    if data.ratings == "PMQD":
        signals = LoadAudio(sr=SIGNAL_SR, duration_seconds=4.208).transform(data.pairs)
    else:
        signals = simulate(data.ratings, SIGNAL_SR, n_songs).pairs
    return np.round(signals * 2**15) / 2**15


def make_signal_metrics(google: Path | None) -> dict:
    """Give ViSQOL and FAD by what comes with the package, and by what has to be downloaded."""
    metrics = {} if google is None else {"ViSQOL": ViSQOL(model=google, n_jobs=-1)}
    metrics[SHIPPED_MAP] = ViSQOL(n_jobs=-1)
    if has_vggish():
        metrics["FAD"] = FrechetAudioDistance("vggish", sr=SIGNAL_SR)
    return {**metrics, SHIPPED_EMBEDDING: FrechetAudioDistance(sr=SIGNAL_SR)}


def has_vggish() -> bool:
    """Say whether the weights of VGGish are where the package looks for them."""
    try:
        VGGish().fit(np.zeros((1, 16000)))
    except MissingWeightsError:
        return False
    return True


def find_google_map(path: Path | None) -> Path | None:
    """Give the path of Google's map, unless it is nowhere."""
    try:
        return path or fetch_visqol_model(download_if_missing=False)
    except OSError:
        return None


def make_all_metrics(*, with_adam: bool) -> dict:
    """Give the metrics of both tables; the perceptual fit by L-BFGS and by the paper's recipe."""
    metrics = make_metrics(random_state=SEED)
    lbfgs = metrics.pop(PERCEPTUAL).set_params(max_cache_bytes=2**33)
    if not with_adam:
        return {**metrics, OTHER_SOLVER: lbfgs}
    adam = NLPDRegressor(
        solver="adam", increasing=False, n_jobs=-1, random_state=SEED, max_cache_bytes=2**33
    )
    return {**metrics, PERCEPTUAL: adam, OTHER_SOLVER: lbfgs}


def compute_split(values: Values, data: Bunch, metrics: dict, filters: Path) -> None:
    """Fit to the paper's training songs, value its test songs, and keep the filters fitted."""
    train, test = np.flatnonzero(~data.is_test), np.flatnonzero(data.is_test)

    def fit_and_value(name: str, metric: BaseEstimator) -> np.ndarray:
        images = [data.images[row] for row in train]
        fitted = fit_metric(metric, images, data.target[train], data.condition[train])
        if hasattr(fitted, "filters_"):
            path = filters / f"{column_of('split', name, data)}.npz"
            np.savez(path, filters=fitted.filters_, sigmas=fitted.sigmas_)
        found = np.full(len(data.target), np.nan)
        found[test] = agreement_values(fitted, [data.images[row] for row in test])
        return found

    for name, metric in metrics.items():
        values.compute(column_of("split", name, data), partial(fit_and_value, name, metric))


def compute_folds(values: Values, data: Bunch, metrics: dict) -> None:
    """Value all songs by metrics fitted to others."""
    folds = list(GroupKFold(5).split(data.target, groups=data.groups))
    for name, metric in metrics.items():
        compute = partial(
            held_out_values, metric, data.images, data.target, folds, condition=data.condition
        )
        values.compute(column_of("folds", name, data), compute)


def compute_signals(values: Values, data: Bunch, metrics: dict, n_songs: int) -> None:
    """Value all pairs by metrics of signals, those that learn by references of other songs."""
    columns = [
        column_of(protocol, name, data) for protocol in ("split", "folds") for name in metrics
    ]
    if all(column in values.table for column in columns):
        return
    pairs = list(load_signals(data, n_songs))
    protocols = {
        "split": [(np.flatnonzero(~data.is_test), np.flatnonzero(data.is_test))],
        "folds": list(GroupKFold(5).split(data.target, groups=data.groups)),
    }
    for name, metric in metrics.items():
        for protocol, folds in protocols.items():
            compute = partial(value_signals, metric, pairs, data.target, folds)
            values.compute(column_of(protocol, name, data), compute)


def value_signals(
    metric: BaseEstimator, pairs: list, ratings: np.ndarray, folds: list
) -> np.ndarray:
    """Value the pairs that the folds test; ViSQOL predicts, and learns nothing."""
    if not hasattr(metric, "predict"):
        return held_out_values(metric, pairs, ratings, folds)
    found = np.full(len(pairs), np.nan)
    tested = np.concatenate([test for _, test in folds])
    found[tested] = metric.predict([pairs[row] for row in tested])
    return found


def column_of(protocol: str, name: str, data: Bunch) -> str:
    """Name the column of one computation; only what learns from ratings depends on them."""
    learns_ratings = name in (PERCEPTUAL, OTHER_SOLVER)
    return f"{protocol}; {name}; {data.ratings if learns_ratings else 'any ratings'}"


def tabulate(values: Values, data: Bunch, metrics: dict, protocol: str) -> pd.DataFrame:
    """Correlate all values of one protocol with the ratings."""
    columns = {name: values.table[column_of(protocol, name, data)] for name in metrics}
    if data.ceiling is not None:
        columns[CEILING] = data.ceiling.where(data.is_test | (protocol == "folds"))
    table = correlate(pd.DataFrame(columns), data)
    table.insert(0, "protocol", protocol)
    table.insert(0, "ratings", data.ratings)
    return table


def load_filters(folder: Path, data: Bunch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Give the normalisations of figure 2, fitted to the training songs."""
    filters = {}
    for name in ("NLPD image", "NLPD statistical", PERCEPTUAL, OTHER_SOLVER):
        with np.load(folder / f"{column_of('split', name, data)}.npz") as arrays:
            filters[name] = arrays["filters"], arrays["sigmas"]
    return filters


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
    table.insert(0, "ratings", data.ratings)
    return table.reset_index()


def lay_out(correlations: pd.DataFrame, paper: dict) -> pd.DataFrame:
    """Lay out one protocol as the paper's table does, with the paper's figures in parentheses."""
    found = correlations.set_index(["metric", "condition"]).to_dict("index")
    computed = dict.fromkeys(correlations["metric"])
    others = [OTHER_SOLVER, CEILING] if PERCEPTUAL in paper else [CEILING]
    rows = [*paper, *(name for name in others if name in computed)]
    for after, name in (("ViSQOL", SHIPPED_MAP), ("FAD", SHIPPED_EMBEDDING)):
        if after in rows:
            rows.insert(rows.index(after) + 1, name)
    table = []
    for metric in rows:
        row = {"metric": metric}
        for number, condition in enumerate(CONDITIONS):
            cell = ""
            if metric in computed:
                of = found[metric, condition]
                p = "p<.001" if of["p"] < 0.001 else f"p={of['p']:.3f}".replace("0.", ".")
                cell = f"{of['spearman']:.2f} [{of['low']:.2f}, {of['high']:.2f}], {p}"
            if metric in paper:
                cell += f" ({paper[metric][number]:.2f})"
            row[condition] = cell.strip()
        table.append(row)
    return pd.DataFrame(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--work", type=Path, required=True, help="folder to resume from")
    parser.add_argument("--adam-everywhere", action="store_true", help="see above")
    parser.add_argument("--visqol-model", type=Path, help="Google's map, in libsvm's format")
    parser.add_argument("--small", action="store_true", help="26 songs, 256 x 256 images")
    arguments = parser.parse_args()
    settings, n_songs = (SMALL, 26) if arguments.small else (PAPER, 65)
    start = perf_counter()
    arguments.work.mkdir(parents=True, exist_ok=True)
    of_signals = make_signal_metrics(find_google_map(arguments.visqol_model))
    tables, shares = [], []
    every_ratings = find_ratings()
    for ratings in every_ratings:
        data = load_data(ratings, settings, n_songs)
        print(f"{ratings}: {len(data.target)} pairs, images {data.images.shape[2:]}", flush=True)
        values = Values(arguments.work / "values.csv", len(data.target))
        is_last = ratings == every_ratings[-1]
        metrics = make_all_metrics(with_adam=is_last or arguments.adam_everywhere)
        compute_split(values, data, metrics, arguments.work)
        compute_signals(values, data, of_signals, n_songs)
        metrics |= of_signals
        tables.append(tabulate(values, data, metrics, "split"))
        shares.append(share_above_reference(data))
    metrics = make_all_metrics(with_adam=arguments.adam_everywhere)
    compute_folds(values, data, metrics)
    metrics |= of_signals
    tables.append(tabulate(values, data, metrics, "folds"))

    arguments.output.mkdir(parents=True, exist_ok=True)
    stem = arguments.output / "audio_quality"
    pd.concat(tables).round(4).to_csv(f"{stem}_correlations.csv", index=False)
    for protocol, correlations in zip(("split", "folds"), tables[-2:], strict=True):
        for number, paper in ((1, TABLE_1), (2, TABLE_2)):
            table = lay_out(correlations, paper)
            table.to_csv(f"{stem}_table_{number}_{protocol}.csv", index=False)
            print(f"\nTable {number}, {protocol}, {ratings}\n{table.to_string()}")
    pd.concat(shares).round(3).to_csv(f"{stem}_above_reference.csv", index=False)
    filters = load_filters(arguments.work, data)
    describe_filters(filters).round(4).to_csv(f"{stem}_filter_weights.csv", index=False)
    rows = {name: name.split()[-1] for name in filters}  # names that fit beside a row
    display = DivisiveNormDisplay.from_filters(
        {rows[name]: weights for name, (weights, _) in filters.items()},
        sigmas={rows[name]: sigmas for name, (_, sigmas) in filters.items()},
        color_scale="panel",
    )
    display.figure_.savefig(f"{stem}_filters.png", dpi=110)
    print(f"\n{perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
