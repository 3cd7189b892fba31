"""What the equaliser finds, against what the bodies are known to differ by."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from cello_common import FRONT_END, Work
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skperceptual import SpectralMaskEqualizer
from skperceptual.functional import log_spectral_distance, remove_level
from skperceptual.plotting import EqualizerDisplay, MaskSmoothingDisplay, SaliencyDisplay
from skperceptual.preprocessing import align

CONTRAST = "both"
LOW_HZ, HIGH_HZ = 65.0, 5000.0
# At which a spectrum is compared: every twelfth of an octave.
PLACES = LOW_HZ * 2 ** np.arange(0, np.log2(HIGH_HZ / LOW_HZ), 1 / 12)
STARTS = {
    "grid": {"init": "grid", "roughness": "tikhonov"},
    "blocks": {"init": "blocks", "roughness": "variance"},
}
UNRESTRAINED = "random, alpha = beta = 0"
COLUMNS = [
    "score_before",
    "score_after",
    "share_below_0.3",
    "score_control",
    "transfer",
    "rms_db",
    "roughness_to_unrestrained",
    "correlation_with_bodies",
    "lsd_before_db",
    "lsd_after_db",
]


def masks(work: Work) -> pd.DataFrame:
    """Equalise excerpts of class B that were held out."""
    for start in STARTS:
        for alpha in work.size.alphas:
            key = {"start": start, "alpha": alpha}
            work.rows("masks", key, partial(_equalise, work, key))
    key = {"start": UNRESTRAINED, "alpha": 0.0}
    work.rows("masks", key, partial(_equalise, work, key))
    table = work.table("masks")
    numbers = table.drop(columns=["instrument"]).groupby(["start", "alpha"], sort=False).mean()
    numbers["share_below_0.3"] = (
        (table["score_after"] < 0.3).groupby([table["start"], table["alpha"]]).mean()
    )
    numbers["roughness_to_unrestrained"] = (
        numbers["roughness"] / numbers.loc[(UNRESTRAINED, 0.0), "roughness"]
    )
    return numbers[COLUMNS].reset_index()


def known_difference(data: Bunch, places: np.ndarray) -> np.ndarray:
    """Give the difference of the class means of log responses, smoothed over 1/3 octave."""
    by_class = []
    for label in "AB":
        rows = (data.instruments["class"] == label).to_numpy()
        responses = data.log_responses[rows].astype(np.float64)
        by_class.append(smooth(responses, data.frequencies, places).mean(axis=0))
    return by_class[0] - by_class[1]


def smooth(log_values: np.ndarray, frequencies: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Average powers over a third of an octave around each place, as logarithms of magnitude."""
    sums = np.concatenate(
        [np.zeros((len(log_values), 1)), np.cumsum(np.exp(2 * log_values), axis=1)], axis=1
    )
    first = np.searchsorted(frequencies, places * 2 ** (-1 / 6))
    last = np.maximum(np.searchsorted(frequencies, places * 2 ** (1 / 6)), first + 1)
    return 0.5 * np.log((sums[:, last] - sums[:, first]) / (last - first))


def _equalizer(work: Work, key: dict[str, Any]) -> SpectralMaskEqualizer:
    scorer = work.scorer(CONTRAST, work.size.seeds[0])
    options = {"max_iter": work.size.mask_steps, "random_state": 0, "alpha": key["alpha"]}
    if key["start"] == UNRESTRAINED:
        options |= {"init": "random", "beta": 0.0}
    else:
        options |= STARTS[key["start"]]
    return SpectralMaskEqualizer(
        FrozenEstimator(make_pipeline(FRONT_END, scorer)), front_end=FRONT_END, **options
    )


def _chosen(work: Work, data: Bunch) -> np.ndarray:
    """Choose excerpts of B, spread over the instruments held out."""
    rows = np.flatnonzero((data.split == "test") & (data.target == "B"))
    order = np.argsort(data.frame.iloc[rows].groupby("instrument").cumcount(), kind="stable")
    return rows[order][: work.size.n_masked]


def _equalise(work: Work, key: dict[str, Any]) -> list[dict[str, Any]]:
    """Find masks, and say what they do, one row an excerpt."""
    other = work.scorer(CONTRAST, work.size.seeds[-1])  # which has heard other instruments
    data = work.data(CONTRAST, work.size.seeds[0])
    rows = _chosen(work, data)
    equalizer = _equalizer(work, key).fit(data.images[rows])
    found = np.asarray(equalizer.masks_, dtype=np.float64)
    joblib.dump(
        (equalizer, rows), work.folder / f"equalizer, {key['start']}, alpha {key['alpha']:g}.joblib"
    )
    report = equalizer.report(data.images[rows], masks=found, other_estimator=other)
    bands = FRONT_END.band_frequencies()
    mean_mask = np.interp(PLACES, bands, found.mean(axis=(0, 2)))
    truth = known_difference(data, PLACES)
    report["correlation_with_bodies"] = np.corrcoef(mean_mask, truth)[0, 1]
    distances = [_distances_to_twin(data, row, mask) for row, mask in zip(rows, found, strict=True)]
    report[["lsd_before_db", "lsd_after_db"]] = distances
    report.insert(0, "instrument", data.groups[rows])
    return report.to_dict("records")


def _distances_to_twin(data: Bunch, row: int, mask: np.ndarray) -> tuple[float, float]:
    """Give the log-spectral distance to A playing the same, before the mask and after it.

    In time, within the band, without level, and no further down than the scorer listens.
    """
    per_instrument = int((data.groups == data.groups[row]).sum())
    twin = row - per_instrument
    if data.piece[twin] != data.piece[row] or data.target[twin] != "A":
        raise RuntimeError(f"Row {twin} is not what row {row} has for a twin.")
    expensive, cheap = data.images[twin], data.images[row]
    frames = align(expensive, cheap)
    bands = FRONT_END.band_frequencies()
    in_band = (bands >= LOW_HZ) & (bands <= HIGH_HZ)

    def heard(image: np.ndarray) -> torch.Tensor:
        return remove_level(torch.from_numpy(image[in_band].astype(np.float64)))

    return tuple(
        log_spectral_distance(heard(expensive), heard(image[:, frames]), remove_level=True).item()
        for image in (cheap, cheap + mask)
    )


def draw_figures(work: Work, output: Path) -> None:
    """Draw the paper's figures 1 to 3, and the mean masks against the truth, of what is there."""
    import matplotlib.pyplot as plt

    paths = sorted(work.folder.glob("equalizer, *.joblib"))
    if not paths:
        return
    data = work.data(CONTRAST, work.size.seeds[0])
    truth = known_difference(data, PLACES)
    bands = FRONT_END.band_frequencies()
    fitted = {path.stem.removeprefix("equalizer, "): joblib.load(path) for path in paths}

    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    decibels = 20 / np.log(10)
    ax.semilogx(PLACES, decibels * (truth - truth.mean()), "k", lw=2, label="bodies, A less B")
    shown = [f"{start}, alpha {alpha:g}" for start in STARTS for alpha in work.size.alphas[::2]]
    for name in shown:
        if name not in fitted:
            continue
        equalizer, _ = fitted[name]
        mean_mask = np.interp(PLACES, bands, np.mean(equalizer.masks_, axis=(0, 2)))
        ax.semilogx(PLACES, decibels * (mean_mask - mean_mask.mean()), label=f"mask, {name}")
    ax.set(xlabel="Frequency (Hz)", ylabel="Gain without its mean (dB)")
    figure.legend(loc="outside right upper")
    figure.savefig(output / "cello_masks_and_bodies.png", dpi=110)

    middle = work.size.alphas[len(work.size.alphas) // 2]
    for start, make in (("grid", EqualizerDisplay), ("blocks", MaskSmoothingDisplay)):
        equalizer, rows = fitted.get(f"{start}, alpha {middle:g}", (None, None))
        if equalizer is None:
            continue
        if make is EqualizerDisplay:
            display = make.from_estimator(equalizer, data.images[rows[:1]])
            name = "cello_equalizer"
        else:
            display = make.from_estimator(equalizer, sample=[0, min(1, len(rows) - 1)])
            name = "cello_mask_smoothing"
        display.figure_.savefig(output / f"{name}.png", dpi=110)
    model = make_pipeline(FRONT_END, work.scorer(CONTRAST, work.size.seeds[0]))
    expensive = np.flatnonzero((data.split == "test") & (data.target == "A"))[:2]
    display = SaliencyDisplay.from_estimator(
        model, data.signals[expensive], sample=[0, 1], target="A"
    )
    display.figure_.savefig(output / "cello_saliency.png", dpi=110)
    plt.close("all")
