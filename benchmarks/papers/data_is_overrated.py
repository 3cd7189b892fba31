"""Table 1 and figure 2 of "Data is overrated", with what the paper leaves out.

Autoencoders are trained with MSE, NLPD and MS-SSIM, on uniform noise and on music, several seeds
each, and reconstruct the spectrograms of other music. Every model is judged with hard codes (the
bits that are counted) and soft ones (the paper's equation 1), with the running statistics of batch
normalisation and with those of the test batch, since the paper says neither; beside coders that
nobody trained, at equal bits. Those trained on noise are also trained with another kernel size,
which the paper's text leaves open. Intervals are over songs. Each model is kept as soon as it is
trained, and training itself goes on where it was interrupted. The folder ``--work`` is for one
setting: sizes, front end and music.

    python benchmarks/papers/data_is_overrated.py --work FOLDER -o benchmarks/results --full

is the paper's setting, for a GPU: 128 filters of 5 x 5, batches of 64 whole images. Without
``--full`` it is a reduced one for a CPU: 32 filters of 3 x 3, trained on batches of 16 crops of
64 x 64, tested on whole images; 8192 bits an image instead of 32768.

Test music: the folder ``--test``, else PMQD where ``fetch_pmqd`` has put it, else synthesised
songs. Training music: the folder ``--music`` (the paper has MusicCaps), the first 4.208 s of each
file, else synthesised songs. A ``manifest.csv`` in the folder of test music whose columns ``file``
and ``source_group`` say what belongs together is heeded by the intervals.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from time import perf_counter

import joblib
import numpy as np
import pandas as pd
from image_coders import make_coders
from resuming import check_setting

from skperceptual import (
    MSE,
    MSSSIM,
    NLPD,
    CompressiveAutoencoder,
    FixDuration,
    LoadAudio,
    MelSpectrogram,
    ReconstructionDisplay,
)
from skperceptual.datasets import fetch_pmqd, load_audio_folder, make_music
from skperceptual.metrics.cluster_bootstrap import draw_clusters

SECONDS = 4.208
FRONT_END = {"n_fft": 1024, "hop_length": 260, "n_mels": 256, "htk": True, "norm": None}
METRICS = {
    "mse": MSE(),
    "nlpd": NLPD(),
    "nlpd hepburn norm0.6": NLPD(convention="hepburn", pooling="norm0.6"),
    "ms-ssim": MSSSIM(),
}
LOSSES = ("mse", "nlpd", "ms-ssim")
TRAININGS = {"noise": "U(x)", "data": "P(x)"}
MODES = tuple(product(("soft", "hard"), ("running", "batch")))
PAPER_ITERATIONS = 425
CURVE = (50, 100, 200, 300, PAPER_ITERATIONS, 600, 800, 1000)
# Table 1 of the paper: MSE, NLPD, MS-SSIM.
TABLE_1 = {
    ("data", "mse"): (0.003119, 3.738, 0.9593),
    ("data", "nlpd"): (0.008987, 2.962, 0.9658),
    ("data", "ms-ssim"): (0.003528, 3.390, 0.9717),
    ("noise", "mse"): (0.03174, 7.504, 0.8419),
    ("noise", "nlpd"): (0.01124, 4.912, 0.8995),
    ("noise", "ms-ssim"): (0.02316, 5.999, 0.8682),
}
PAPER_COLUMNS = ("mse", "nlpd hepburn norm0.6", "ms-ssim")
N_DRAWS = 4000


@dataclass(frozen=True)
class Size:
    """How large networks and batches are."""

    n_filters: int
    kernel_size: int
    batch_size: int
    crop_size: int | None


FULL = Size(n_filters=128, kernel_size=5, batch_size=64, crop_size=None)
REDUCED = Size(n_filters=32, kernel_size=3, batch_size=16, crop_size=64)
OTHER_KERNEL_SIZE = {3: 5, 5: 3}


# ---- music --------------------------------------------------------------------------------


def to_images(signals: list[np.ndarray] | np.ndarray) -> np.ndarray:
    fixed = FixDuration(duration_seconds=SECONDS, pad_mode="reflect").transform(signals)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "1 of 256 mel filters")  # as in the paper
        return MelSpectrogram(**FRONT_END).transform(np.asarray(fixed, dtype=np.float32))


def load_test_music(folder: Path | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Give images, the song of each, and what they are."""
    if folder is not None:
        data = load_audio_folder(folder)
        names = data.frame["file"]
        manifest = folder / "manifest.csv"
        groups = names
        if manifest.exists():
            groups = names.map(pd.read_csv(manifest).set_index("file")["source_group"])
        signals = LoadAudio().transform(data.signals)
        return to_images(signals), groups.to_numpy(), f"{len(names)} clips of recorded music"
    try:
        data = fetch_pmqd(download_if_missing=False)
    except OSError:
        data = make_music(n_songs=39, duration_seconds=SECONDS, random_state=2, n_jobs=2)
        return to_images(data.signals), data.groups, "39 synthesised songs"
    references = np.unique(data.pairs["reference"])
    signals = LoadAudio(duration_seconds=SECONDS).transform(references)
    return to_images(signals), references, f"{len(references)} references of PMQD"


def load_training_music(folder: Path | None, n_songs: int) -> tuple[np.ndarray, str]:
    if folder is None:
        data = make_music(
            n_songs=n_songs,
            clips_per_song=2,
            duration_seconds=SECONDS,
            random_state=1,
            n_jobs=2,
            verbose=1,
        )
        return to_images(data.signals), f"2 clips of each of {n_songs} synthesised songs"
    data = load_audio_folder(folder, min_duration_seconds=SECONDS, unusable_files="exclude")
    signals = LoadAudio(duration_seconds=SECONDS).transform(data.signals)
    return to_images(signals), f"{len(signals)} recordings"


# ---- setting ------------------------------------------------------------------------------


def describe_setting(
    size: Size, music: np.ndarray, test: np.ndarray, groups: np.ndarray
) -> dict[str, object]:
    """Say what results of the folder to resume from depend on, beside training, loss and seed."""
    arrays = {"music": music, "test": test, "groups": np.asarray(groups, dtype=str)}
    return {
        "size": asdict(size),
        "front_end": FRONT_END,
        **{name: joblib.hash(array) for name, array in arrays.items()},
    }


# ---- models -------------------------------------------------------------------------------


def judge(references: np.ndarray, versions: np.ndarray) -> pd.DataFrame:
    """Give one row an image, one column a metric."""
    pairs = np.stack([references, versions.astype(references.dtype)], axis=1)
    return pd.DataFrame({name: metric.transform(pairs)[:, 0] for name, metric in METRICS.items()})


class Models:
    """The models of one size, trained where they are not on disk yet."""

    def __init__(self, work: Path, size: Size, music: np.ndarray, device: str) -> None:
        self.work = work
        self.size = size
        self.music = music
        self.device = device

    def path(self, training: str, loss: str, seed: int, suffix: str) -> Path:
        """Name a file of one model."""
        folder = self.work / f"kernel-{self.size.kernel_size}"
        folder.mkdir(exist_ok=True)
        return folder / f"{training}-{loss}-{seed}{suffix}"

    def load(self, training: str, loss: str, seed: int) -> CompressiveAutoencoder:
        """Give the model at the paper's number of iterations."""
        return joblib.load(self.path(training, loss, seed, ".joblib"))

    def values(
        self, training: str, loss: str, seed: int, test: np.ndarray, stops: Sequence[int]
    ) -> pd.DataFrame:
        """Train a model and judge it after each of these numbers of iterations."""
        path = self.path(training, loss, seed, ".csv")
        tables = [pd.read_csv(path)] if path.exists() else []
        done = set(tables[0]["iteration"]) if tables else set()
        for iterations in sorted(set(stops) - done):
            start = perf_counter()
            model = CompressiveAutoencoder(
                loss=loss,
                training=training,
                n_filters=self.size.n_filters,
                kernel_size=self.size.kernel_size,
                batch_size=self.size.batch_size,
                crop_size=self.size.crop_size,
                max_iter=iterations,
                checkpoint=self.path(training, loss, seed, ".npz"),
                random_state=seed,
                device=self.device,
            )
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Training images of")
                model.fit(self.music)
            if model.n_iter_ < iterations:
                raise KeyboardInterrupt
            is_main = iterations == PAPER_ITERATIONS
            for quantization, batch_norm in MODES if is_main else MODES[:1]:
                versions = model.reconstruct(test, quantization=quantization, batch_norm=batch_norm)
                table = judge(test, versions)
                about = {"iteration": iterations, "codes": quantization, "batch norm": batch_norm}
                tables.append(table.assign(image=range(len(test)), **about))
            if is_main:
                joblib.dump(model, self.path(training, loss, seed, ".joblib"))
                entropy = model.code_entropy(test)
                tables[-1]["entropy_bits"] = entropy  # of the hard codes, on the test music
            unfinished = path.with_suffix(".part")
            pd.concat(tables).to_csv(unfinished, index=False)
            unfinished.replace(path)
            print(
                f"  {self.size.kernel_size} x {self.size.kernel_size} {TRAININGS[training]} "
                f"{loss:8} seed {seed} {iterations:5} iterations "
                f"{perf_counter() - start:6.0f} s",
                flush=True,
            )
        about = {"kernel size": self.size.kernel_size, "training": training}
        return pd.concat(tables).assign(loss=loss, seed=seed, **about)


def untrained(size: Size, music: np.ndarray, test: np.ndarray, n_seeds: int) -> pd.DataFrame:
    """Judge networks as they were drawn, their running statistics alone learned from music."""
    tables = []
    for seed in range(n_seeds):
        model = CompressiveAutoencoder(
            loss="mse",
            n_filters=size.n_filters,
            kernel_size=size.kernel_size,
            batch_size=min(size.batch_size, 16),
            crop_size=size.crop_size,
            learning_rate=1e-12,
            max_iter=30,
            random_state=seed,
        ).fit(music)
        tables.append(judge(test, model.reconstruct(test)).assign(image=range(len(test))))
    return pd.concat(tables)


# ---- tables -------------------------------------------------------------------------------


def over_songs(by_image: pd.Series, groups: np.ndarray) -> tuple[float, float, float]:
    """Give the mean over images and its 95 % interval over songs."""
    values = by_image.sort_index().to_numpy()
    draws = draw_clusters(groups, len(values), n_resamples=N_DRAWS, random_state=0)
    weights = draws.counts[:, draws.labels]
    means = weights @ values / weights.sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def over_songs_and_seeds(by_seed: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """Give the mean over seeds (rows) and images, and its 95 % interval over songs and seeds."""
    n_seeds, n_images = by_seed.shape
    songs = draw_clusters(groups, n_images, n_resamples=N_DRAWS, random_state=0)
    seeds = draw_clusters(None, n_seeds, n_resamples=N_DRAWS, random_state=1)
    of_images = songs.counts[:, songs.labels]
    totals = np.einsum("ds,si,di->d", seeds.counts, by_seed, of_images)
    means = totals / (seeds.counts.sum(axis=1) * of_images.sum(axis=1))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(by_seed.mean()), float(low), float(high)


def tabulate(values: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    """Give Table 1 in all modes: the mean over seeds, its interval over songs, and the paper."""
    rows = []
    main = values[values["iteration"] == PAPER_ITERATIONS]
    keys = ["kernel size", "codes", "batch norm", "training", "loss"]
    for key, part in main.groupby(keys, sort=False):
        for metric in METRICS:
            mean, low, high = over_songs(part.groupby("image")[metric].mean(), groups)
            by_seed = part.groupby("seed")[metric].mean()
            row = dict(zip(keys, key, strict=True)) | {"metric": metric}
            row |= {"mean": mean, "low": low, "high": high}
            row |= {"lowest seed": by_seed.min(), "highest seed": by_seed.max()}
            if metric in PAPER_COLUMNS:
                row["paper"] = TABLE_1[key[3:]][PAPER_COLUMNS.index(metric)]
            rows.append(row)
    return pd.DataFrame(rows)


def test_claims(values: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    """Compare models image by image; a claim holds where the whole interval is on its side.

    The 95 % intervals are of draws of songs and of seeds at once; ``seeds for`` counts the seeds
    whose own mean is on the side of the claim.
    """
    main = values[values["iteration"] == PAPER_ITERATIONS]
    rising = "ms-ssim"
    pairs = [
        (f"(ii) U(x): {loss} has lower MSE than mse", "mse", "noise", loss, "mse")
        for loss in ("nlpd", "ms-ssim")
    ]
    for training, claim in (("data", "(i) P(x)"), ("noise", "(iii) U(x)")):
        for metric, best in zip(PAPER_COLUMNS, LOSSES, strict=True):
            winner = best if training == "data" else "nlpd"
            for other in LOSSES:
                is_claim_ii = training == "noise" and (metric, other) == ("mse", "mse")
                if other != winner and not is_claim_ii:
                    name = f"{claim}: {winner} beats {other} in {metric}"
                    pairs.append((name, metric, training, winner, other))
    rows = []
    keys = ["kernel size", "codes", "batch norm"]
    for key, mode in main.groupby(keys, sort=False):
        for claim, metric, training, winner, other in pairs:
            if training not in set(mode["training"]):
                continue
            tables = [
                mode[(mode["training"] == training) & (mode["loss"] == loss)].set_index(
                    ["seed", "image"]
                )[metric]
                for loss in (winner, other)
            ]
            difference = (tables[0] - tables[1]).unstack("image").to_numpy()
            mean, low, high = over_songs_and_seeds(difference, groups)
            side = 1 if metric == rising else -1
            by_seed = difference.mean(axis=1)
            verdict = "holds" if side * (low if side > 0 else high) > 0 else "not shown"
            if side * (high if side > 0 else low) < 0:
                verdict = "the reverse holds"
            row = dict(zip(keys, key, strict=True)) | {"claim": claim}
            row |= {"difference": mean, "low": low, "high": high, "verdict": verdict}
            row["seeds for"] = f"{int((side * by_seed > 0).sum())} of {len(by_seed)}"
            rows.append(row)
    return pd.DataFrame(rows)


def shorten_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """Keep the usual way to test, and say in how many of the ways the verdict is the same."""
    keys = ["kernel size", "claim"]
    usual = claims[(claims["codes"] == "hard") & (claims["batch norm"] == "running")]
    verdicts = claims.groupby(keys)["verdict"].agg(list)
    rows = []
    for row in usual.drop(columns=["codes", "batch norm"]).to_dict("records"):
        all_ways = verdicts[(row["kernel size"], row["claim"])]
        same = all_ways.count(row["verdict"])
        rows.append(row | {"same verdict in": f"{same} of {len(all_ways)} ways"})
    return pd.DataFrame(rows)


def tabulate_coders(
    test: np.ndarray, groups: np.ndarray, bits: float, drawn: pd.DataFrame
) -> pd.DataFrame:
    """Judge what nobody trained."""
    rows = []
    judged = {
        name: judge(test, np.stack([coder(image.astype(float)) for image in test]))
        for name, coder in make_coders(bits).items()
    }
    judged["network as drawn, hard codes"] = drawn.groupby("image")[list(METRICS)].mean()
    for name, table in judged.items():
        for metric in METRICS:
            mean, low, high = over_songs(table[metric], groups)
            rows.append({"coder": name, "metric": metric, "mean": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def draw_figure_2(models: Models, test: np.ndarray, image: int, path: Path) -> None:
    """Draw one image and what the models of the first seed make of it."""
    front_end = MelSpectrogram(**FRONT_END)
    panels = {"input": test[image]}
    for training, loss in product(TRAININGS, LOSSES):
        model = models.load(training, loss, 0)
        panels[f"{TRAININGS[training]}, {loss}"] = model.reconstruct(test[image][np.newaxis])[0]
    display = ReconstructionDisplay.from_images(
        panels,
        frequencies=front_end.band_frequencies(),
        times=front_end.frame_times(test.shape[2]),
        n_columns=len(LOSSES),
    )
    display.figure_.savefig(path, dpi=110)


def draw_curves(first: pd.DataFrame, path: Path) -> None:
    """Draw the metric that each model of the first seed was trained with, along its training."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(LOSSES), figsize=(10, 3.2), layout="constrained")
    for ax, loss in zip(axes, LOSSES, strict=True):
        for training, name in TRAININGS.items():
            part = first[(first["training"] == training) & (first["loss"] == loss)]
            curve = part.groupby("iteration")[loss].mean()
            ax.plot(curve.index, curve, marker="o", label=name)
        ax.axvline(PAPER_ITERATIONS, color="0.7", linestyle=":")
        ax.set(title=f"trained with {loss}", xlabel="iteration", ylabel=f"{loss} on test music")
    axes[0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--work", type=Path, required=True, help="folder to resume from")
    parser.add_argument("--full", action="store_true", help="the paper's size")
    parser.add_argument("--music", type=Path, help="folder of music to train on")
    parser.add_argument("--test", type=Path, help="folder of music to test on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--songs", type=int, default=130, help="songs to synthesise for training")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    size = FULL if arguments.full else REDUCED
    for folder in (arguments.work, arguments.output):
        folder.mkdir(parents=True, exist_ok=True)
    test, groups, test_name = load_test_music(arguments.test)
    music, music_name = load_training_music(arguments.music, arguments.songs)
    print(f"{size}\ntest: {test_name}\nP(x): {music_name}", flush=True)
    try:
        check_setting(arguments.work, describe_setting(size, music, test, groups))
    except ValueError as error:
        parser.error(str(error))
    models = Models(arguments.work, size, music, arguments.device)
    other_size = replace(size, kernel_size=OTHER_KERNEL_SIZE[size.kernel_size])
    others = Models(arguments.work, other_size, music, arguments.device)
    seeds = range(arguments.seeds)
    early = [stop for stop in CURVE if stop <= PAPER_ITERATIONS]
    # What Table 1 needs comes first, then the claim's sensitivity, then the rest of the curves.
    plan = [
        *((models, *names, 0, early) for names in product(TRAININGS, LOSSES)),
        *(
            (models, *names, [PAPER_ITERATIONS])
            for names in product(TRAININGS, LOSSES, seeds)
            if names[2] > 0
        ),
        *((others, "noise", *names, [PAPER_ITERATIONS]) for names in product(LOSSES, seeds)),
        *((models, *names, 0, CURVE) for names in product(TRAININGS, LOSSES)),
    ]
    tables = {}
    for trained, training, loss, seed, stops in plan:
        key = (trained.size.kernel_size, training, loss, seed)
        tables[key] = trained.values(training, loss, seed, test, stops)
    values = pd.concat(tables.values())
    bits = models.load("noise", "mse", 0).entropy_bound_
    coders = tabulate_coders(test, groups, bits, untrained(size, music, test, arguments.seeds))
    hard = values[(values["codes"] == "hard") & values["entropy_bits"].notna()]
    entropy = hard.groupby(["kernel size", "training", "loss"])["entropy_bits"].mean().reset_index()
    keys = ["training", "loss", "iteration"]
    first = values[(values["seed"] == 0) & (values["kernel size"] == size.kernel_size)]
    first = first[(first["codes"] == "soft") & (first["batch norm"] == "running")]
    table_1 = tabulate(values, groups)
    claims = test_claims(values, groups)
    as_in_paper = (table_1["codes"] == "soft") & (table_1["batch norm"] == "running")
    as_in_paper &= table_1["kernel size"] == size.kernel_size
    results = {
        "table_1": table_1[as_in_paper].drop(columns=["kernel size", "codes", "batch norm"]),
        "table_1_all_ways": table_1,
        "claims": shorten_claims(claims),
        "claims_all_ways": claims,
        "coders": coders,
        "entropy": entropy.assign(bound=bits),
        "curves": first.groupby(keys)[list(METRICS)].mean().reset_index(),
    }
    stem = f"data_is_overrated{'' if arguments.full else '_reduced'}"
    for name, table in results.items():
        table.to_csv(arguments.output / f"{stem}_{name}.csv", index=False, float_format="%.5g")
        print(f"\n{name}\n{table.to_string(index=False)}")
    about = f"{size}\ntest music: {test_name}\ntraining music: {music_name}\n"
    (arguments.output / f"{stem}_setting.txt").write_text(about, encoding="utf-8")
    draw_figure_2(models, test, 0, arguments.output / f"{stem}_figure_2.png")
    draw_curves(first, arguments.output / f"{stem}_curves.png")


if __name__ == "__main__":
    main()
