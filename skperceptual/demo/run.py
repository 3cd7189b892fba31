"""The demonstration from beginning to end, as a user would write it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import Bunch

from skperceptual.demo.comparison import (
    ALL,
    SCORE,
    TABLE_1,
    TABLE_2,
    correlate,
    fit_parameters,
    format_table,
    make_metrics,
    predict_held_out,
)
from skperceptual.demo.rated_songs import SEVERITIES, write_rated_songs
from skperceptual.io import LoadAudio
from skperceptual.plotting import DivisiveNormDisplay, RatingDisplay
from skperceptual.spectrograms import MelSpectrogram


class Settings(NamedTuple):
    """How much of everything."""

    n_songs: int
    severities: tuple[float, ...]
    n_mels: int
    hop_length: int
    n_folds: int
    max_epochs: int


_FULL = Settings(12, SEVERITIES, n_mels=256, hop_length=260, n_folds=5, max_epochs=30)
_QUICK = Settings(6, SEVERITIES[1::2], n_mels=176, hop_length=376, n_folds=3, max_epochs=5)


def run_demo(
    folder: str | os.PathLike[str],
    *,
    random_state: int = 0,
    quick: bool = False,
    say: Callable[..., None] = print,
) -> Bunch:
    """Compare metrics on songs with simulated ratings, and save the best.

    Parameters
    ----------
    folder : path-like
        Where everything is written; it is made where it is missing.
    random_state : int, default=0
        Seed of the songs, the simulated ratings and the fits.
    quick : bool, default=False
        Take fewer songs, smaller images and shorter fits: a look at how it goes, in seconds.
    say : callable, default=print
        Takes what ``print`` takes, to report.

    Returns
    -------
    Bunch
        ``rated``, the data; ``predictions`` of songs held out, one column a metric;
        ``correlations``; ``best``, the name of the metric that was saved.

    Raises
    ------
    OSError
        When the folder cannot be written to.
    """
    start = perf_counter()
    folder = Path(folder)
    settings = _QUICK if quick else _FULL
    say("Do metrics hear what people hear? A demonstration on synthesised songs.")
    say("The ratings are SIMULATED by a formula, nobody listened: the numbers show how metrics")
    say("are fitted and compared, not which of them is better.")

    say("\n1. Songs, degraded versions, simulated ratings")
    rated = write_rated_songs(
        folder,
        n_songs=settings.n_songs,
        severities=settings.severities,
        random_state=random_state,
    )
    n_songs, conditions = len(np.unique(rated.groups)), list(dict.fromkeys(rated.condition))
    say(f"  {n_songs} songs, {len(rated.target)} degraded versions: {', '.join(conditions)}")

    say("\n2. From files to spectrograms")
    front_end = make_pipeline(
        LoadAudio(sr=rated.sr),
        MelSpectrogram(sr=rated.sr, n_mels=settings.n_mels, hop_length=settings.hop_length),
    )
    images = front_end.fit_transform(rated.pairs)
    n_bands, n_frames = images[0].shape[1:]
    say(f"  {len(images)} pairs of images, {n_bands} mel bands x {n_frames} frames")

    say("\n3. Metrics fitted to simulated ratings of some songs, tried on the others")
    metrics = make_metrics(max_epochs=settings.max_epochs, random_state=random_state)
    predictions = predict_held_out(metrics, images, rated, n_folds=settings.n_folds, say=say)
    correlations = correlate(predictions, rated)
    _save_tables(folder, rated, predictions, correlations)
    say("\nSpearman correlation with SIMULATED ratings of songs held out. 1: the metric puts the")
    say("versions in the same order as the ratings; 0: in no order that has to do with them.")
    say("\nTable 1. Metrics against SIMULATED ratings")
    say(format_table(correlations, TABLE_1))
    say("\nTable 2. NLPD with five divisive normalisations against SIMULATED ratings")
    say(format_table(correlations, TABLE_2))

    best = _find_best(correlations)
    say(f"\n4. The one with the highest correlation, {best}, fitted to all songs and saved")
    metric = make_pipeline(*[clone(step) for _, step in front_end.steps], *metrics[best])
    metric.fit(rated.pairs, rated.target, **fit_parameters(metric, rated.condition))
    _save_metric(metric, folder / "metric.joblib", rated, say=say)

    say("\n5. Pictures")
    pictures = _draw(folder, metrics, {best: metric}, images, rated, predictions[best], say=say)

    say(f"\nDone in {perf_counter() - start:.0f} s. In {folder}{os.sep}:")
    files = {
        "audio": f"{len(rated.target) + n_songs} WAV files: hear song01.wav, song01_noise_100.wav",
        "simulated_ratings.csv": "the pairs, their conditions and simulated ratings",
        "predictions.csv": "the same with what each metric predicts",
        "correlations.csv": "both tables",
        **pictures,
        "metric.joblib": f"the fitted metric, {best}",
    }
    for name, content in files.items():
        say(f"  {name:<23}{content}")
    say("\nUse the metric on recordings of your own, clean and degraded:")
    say("  import joblib")
    say(f"  metric = joblib.load({str(folder / 'metric.joblib')!r})")
    say('  metric.predict([("clean.wav", "degraded.wav")])')
    return Bunch(rated=rated, predictions=predictions, correlations=correlations, best=best)


def _save_tables(
    folder: Path, rated: Bunch, predictions: pd.DataFrame, correlations: pd.DataFrame
) -> None:
    table = pd.concat([rated.frame, predictions], axis=1)
    table.to_csv(folder / "predictions.csv", index=False)
    correlations.to_csv(folder / "correlations.csv", index=False)


def _find_best(correlations: pd.DataFrame) -> str:
    over_all = correlations[correlations["condition"] == ALL].set_index("metric")
    return str(over_all[SCORE].idxmax())


def _save_metric(metric: Pipeline, path: Path, rated: Bunch, *, say: Callable[..., None]) -> None:
    """Save the metric, load it again, and see that nothing was lost."""
    joblib.dump(metric, path)
    loaded = joblib.load(path)
    few = rated.pairs.tail(4)
    before, after = metric.predict(few), loaded.predict(few)
    if not np.array_equal(before, after):
        raise RuntimeError(f"The metric loaded from {path} predicts {after} instead of {before}.")
    say("  loaded again: identical predictions")
    for row, predicted in zip(few.itertuples(), after, strict=True):
        simulated = rated.target[row.Index]
        name = Path(row.degraded).name
        say(f"  {name:<24} predicted {predicted:.1f}, simulated rating {simulated:.1f}")


def _draw(
    folder: Path,
    metrics: dict[str, Pipeline],
    fitted: dict[str, Pipeline],
    images: Sequence[Any],
    rated: Bunch,
    predicted: pd.Series,
    *,
    say: Callable[..., None],
) -> dict[str, str]:
    """Draw predictions and filters; give the files, and what is in them."""
    try:
        ratings = RatingDisplay.from_predictions(
            rated.target, predicted, condition=rated.condition, name=str(predicted.name)
        )
    except ImportError as error:
        say(f"  left out: {error}")
        return {}
    ratings.ax_.set(
        title=f"{predicted.name}, songs held out",
        xlabel="predicted rating",
        ylabel="simulated rating",
    )
    ratings.figure_.savefig(folder / "ratings.png", dpi=150)
    say("  ratings.png")
    drawn = {}
    for normalization in ("image", "statistical", "perceptual"):
        name = f"NLPD {normalization}"
        metric = fitted.get(name)
        if metric is None:
            metric = metrics[name]
            metric.fit(images, rated.target, **fit_parameters(metric, rated.condition))
        drawn[normalization] = metric
    filters = DivisiveNormDisplay.from_estimator(drawn, color_scale="panel")
    filters.figure_.savefig(folder / "filters.png", dpi=150)
    say("  filters.png")
    return {
        "ratings.png": "simulated ratings over predicted ones",
        "filters.png": "divisive normalisations: published, and learned from these songs",
    }
