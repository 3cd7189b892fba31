"""The demonstration from beginning to end, as a user would write it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import Bunch

from skperceptual.calibration import RatingMapping
from skperceptual.datasets import load_rated_pairs, make_rated_music
from skperceptual.demo.comparison import (
    CEILING,
    TABLE_1,
    TABLE_2,
    correlate,
    fit_metric,
    format_table,
    held_out_values,
    make_metrics,
)
from skperceptual.demo.published import ALL
from skperceptual.demo.rated_files import write_rated_music
from skperceptual.io import LoadAudio
from skperceptual.plotting import CorrelationsDisplay, DivisiveNormDisplay, RatingDisplay
from skperceptual.regression import NLPDRegressor
from skperceptual.spectrograms import MelSpectrogram


class Settings(NamedTuple):
    """How much of everything."""

    n_songs: int
    n_mels: int
    hop_length: int
    n_folds: int
    max_epochs: int


_FULL = Settings(13, n_mels=256, hop_length=260, n_folds=5, max_epochs=30)
_QUICK = Settings(13, n_mels=176, hop_length=376, n_folds=3, max_epochs=5)


def run_demo(
    folder: str | os.PathLike[str],
    *,
    random_state: int = 0,
    quick: bool = False,
    say: Callable[..., None] = print,
) -> Bunch:
    """Repeat the first paper's tables on songs with simulated ratings, and save the best metric.

    Parameters
    ----------
    folder : path-like
        Where everything is written; it is made where it is missing.
    random_state : int, default=0
        Seed of the songs, the simulated ratings and the fits.
    quick : bool, default=False
        Take smaller images and shorter fits: a look at how it goes, in seconds.
    say : callable, default=print
        Takes what ``print`` takes, to report.

    Returns
    -------
    Bunch
        ``data``; ``metric_values`` on songs held out, one column a metric;
        ``correlations``; ``best``, the name of the metric that was saved.

    Raises
    ------
    OSError
        When the folder cannot be written to.
    """
    start = perf_counter()
    folder = Path(folder)
    settings = _QUICK if quick else _FULL
    say("Do metrics for pictures hear what people hear? A demonstration on synthesised songs.")
    say("The ratings are SIMULATED, nobody listened: the numbers show how metrics are fitted and")
    say("compared, not which of them is better.")

    say("\n1. Songs, degraded versions, simulated ratings")
    music = make_rated_music(n_songs=settings.n_songs, clips_per_song=1, random_state=random_state)
    table = write_rated_music(folder, music)
    data = load_rated_pairs(
        folder / "simulated_ratings.csv",
        rating="simulated_rating",
        group="song",
        condition="condition",
        scale=(1, 5),
    )
    n_songs, conditions = len(np.unique(data.groups)), list(dict.fromkeys(data.condition))
    say(f"  {n_songs} songs, {len(data.target)} degraded versions: {', '.join(conditions)}")

    say("\n2. From files to spectrograms")
    front_end = make_pipeline(
        LoadAudio(sr=music.sr),
        MelSpectrogram(sr=music.sr, n_mels=settings.n_mels, hop_length=settings.hop_length),
    )
    images = front_end.fit_transform(data.pairs)
    n_bands, n_frames = images[0].shape[1:]
    say(f"  {len(images)} pairs of images, {n_bands} mel bands x {n_frames} frames")

    say("\n3. Metrics on songs held out, fitted to the others where there is something to fit")
    # The perceptual fit takes all degradations together: of one alone, as in the paper, there are
    # ten pairs, too few to learn from.
    metrics = make_metrics(max_epochs=settings.max_epochs, random_state=random_state)
    values = _compare(metrics, images, data, settings.n_folds, say=say)
    correlations = correlate(values.assign(**{CEILING: data.frame["latent_quality"]}), data)
    pd.concat([table, values], axis=1).to_csv(folder / "values.csv", index=False)
    named = correlations.rename(columns={"spearman": "spearman_with_simulated_rating"})
    named.to_csv(folder / "correlations.csv", index=False)
    _say_tables(correlations, say=say)

    best = _find_best(correlations)
    say(f"\n4. The one with the highest correlation, {best}, fitted to all songs and saved")
    metric = _fit_best(metrics[best], front_end, data)
    _save_metric(metric, folder / "metric.joblib", data, say=say)

    say("\n5. Pictures")
    normalizations = {
        name: fit_metric(metrics[f"NLPD {name}"], images, data.target)
        for name in ("image", "statistical", "perceptual")
    }
    pictures = _draw(folder, normalizations, correlations, values[best], data, say=say)

    say(f"\nDone in {perf_counter() - start:.0f} s. In {folder}{os.sep}:")
    files = {
        "audio": f"WAV files: hear {Path(data.pairs['degraded'][0]).name}",
        "simulated_ratings.csv": "the pairs, their degradations and simulated ratings",
        "values.csv": "the same with the value of each metric, higher for better pairs",
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
    return Bunch(data=data, metric_values=values, correlations=correlations, best=best)


def _compare(
    metrics: dict[str, Any], images: Any, data: Bunch, n_folds: int, *, say: Callable[..., None]
) -> pd.DataFrame:
    folds = list(GroupKFold(n_folds).split(images, groups=data.groups))
    values = {}
    for number, (name, metric) in enumerate(metrics.items(), start=1):
        start = perf_counter()
        say(f"  {number}/{len(metrics)}  {name:<18}", end="", flush=True)
        values[name] = held_out_values(metric, images, data.target, folds)
        say(f"{perf_counter() - start:5.1f} s")
    return pd.DataFrame(values)


def _say_tables(correlations: pd.DataFrame, *, say: Callable[..., None]) -> None:
    n_songs = correlations["n_songs"].max()
    say(
        "\nSpearman correlation with SIMULATED ratings. 1: the metric puts the versions in the same"
    )
    say("order as the ratings, 0: in no order that has to do with them. Below each is its 95 %")
    say(f"interval ({n_songs} songs leave it wide), and what the paper found with human ratings of")
    say("PMQD. The ceiling is what a metric would reach that knew the quality behind the ratings.")
    say("\nTable 1. Metrics against SIMULATED ratings")
    say(format_table(correlations, (*TABLE_1, CEILING)))
    say("\nTable 2. NLPD with five divisive normalisations against SIMULATED ratings")
    say(format_table(correlations, TABLE_2))


def _find_best(correlations: pd.DataFrame) -> str:
    over_all = correlations[correlations["condition"] == ALL].set_index("metric")
    return str(over_all["spearman"].drop(CEILING).idxmax())


def _fit_best(metric: Any, front_end: Pipeline, data: Bunch) -> Pipeline:
    """Fit the whole way from file names to ratings, to all songs."""
    steps = [clone(step) for step in (*front_end, metric)]
    if not isinstance(metric, NLPDRegressor):  # which has a map to ratings of its own
        steps.append(RatingMapping())
    return make_pipeline(*steps).fit(data.pairs, data.target)


def _save_metric(metric: Pipeline, path: Path, data: Bunch, *, say: Callable[..., None]) -> None:
    """Save the metric, load it again, and see that nothing was lost."""
    joblib.dump(metric, path)
    loaded = joblib.load(path)
    few = data.pairs.tail(4)
    before, after = metric.predict(few), loaded.predict(few)
    if not np.array_equal(before, after):
        raise RuntimeError(f"The metric loaded from {path} predicts {after} instead of {before}.")
    say("  loaded again: identical predictions")
    for row, predicted in zip(few.itertuples(), after, strict=True):
        simulated = data.target[row.Index]
        name = Path(row.degraded).name
        say(f"  {name:<24} predicted {predicted:.1f}, simulated rating {simulated:.1f}")


def _draw(
    folder: Path,
    normalizations: dict[str, Any],
    correlations: pd.DataFrame,
    values: pd.Series,
    data: Bunch,
    *,
    say: Callable[..., None],
) -> dict[str, str]:
    """Draw both tables, the best metric's values and the filters; say what is in each file."""
    try:
        tables = CorrelationsDisplay.from_correlations(
            correlations,
            reference="paper",
            reference_name="the paper, PMQD",
            value_name="Spearman correlation with SIMULATED ratings",
        )
    except ImportError as error:
        say(f"  left out: {error}")
        return {}
    ratings = RatingDisplay.from_predictions(
        data.target,
        RatingMapping(increasing=True).fit(values, data.target).predict(values),
        condition=data.condition,
        name=str(values.name),
    )
    ratings.ax_.set(
        title=f"{values.name}, songs held out",
        xlabel="value, mapped to the scale of ratings",
        ylabel="simulated rating",
    )
    filters = DivisiveNormDisplay.from_estimator(normalizations, color_scale="panel")
    pictures: dict[str, tuple[Any, str]] = {
        "correlations.png": (tables, "both tables with their intervals"),
        "ratings.png": (ratings, "simulated ratings over the values of the best metric"),
        "filters.png": (
            filters,
            "divisive normalisations: published, and learned from these songs",
        ),
    }
    for name, (display, _) in pictures.items():
        display.figure_.savefig(folder / name, dpi=150)
        say(f"  {name}")
    return {name: content for name, (_, content) in pictures.items()}
