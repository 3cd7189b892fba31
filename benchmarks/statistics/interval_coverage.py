"""How often intervals of correlations hold the true one, where songs are rated in many versions.

A song that is rated too well, or that a metric misjudges, is so in all its versions. Ratings and
two equally good metrics are simulated with such effects of 13, 30 and 65 songs; the true
correlation is that of very many songs. For every method the table has the share of 95 % intervals
that hold it (93 to 97 % is asked for), the shares that lie wholly above and below it, and the mean
width. For the difference between the two metrics, which is truly zero, ``coverage`` is the share
of tests that do not find one.

Run it with: python benchmarks/statistics/interval_coverage.py [-o results.csv]
It takes about five minutes of one core, and writes a summary beside the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from skperceptual.metrics import compare_correlations, pearson_score, spearman_score
from skperceptual.metrics.cluster_bootstrap import score_clusters
from skperceptual.metrics.dependent_correlations import score_difference
from skperceptual.metrics.score_intervals import score_interval

# Standard deviations, where quality differs by 1 between versions: of songs in the ratings and
# in each metric, and of single versions in each metric.
SETTINGS = {
    "even songs, weak metric": {"song": 0.7, "version": 1.0},
    "even songs, strong metric": {"song": 0.3, "version": 0.3},
    "even songs, large effects": {"song": 1.0, "version": 0.7},
    "uneven songs, whole ratings": {"song": 0.5, "version": 0.5, "uneven": True},
}
SCORES = {"spearman": spearman_score, "pearson": pearson_score}
N_SONGS = (13, 30, 65)
N_VERSIONS, N_RESAMPLES, LEVEL = 8, 500, 0.95
MANY_SONGS = 50_000


def simulate(
    rng: np.random.Generator, n_songs: int, *, song: float, version: float, uneven: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give ratings, the predictions of two equally good metrics, and songs."""
    sizes = rng.integers(2, 21, n_songs) if uneven else np.full(n_songs, N_VERSIONS)
    songs = np.repeat(np.arange(n_songs), sizes)
    quality = rng.normal(size=len(songs))
    ratings = quality + song * rng.normal(size=n_songs)[songs]
    if uneven:
        ratings = np.clip(np.round(3 + ratings), 1, 5)
    metrics = quality[:, np.newaxis] + version * rng.normal(size=(len(songs), 2))
    metrics += song * rng.normal(size=(n_songs, 2))[songs]
    return ratings, metrics, songs


def judge(
    low: float, high: float, truth: float, found: dict[str, list[tuple[float, ...]]], method: str
) -> None:
    found.setdefault(method, []).append(
        (low <= truth <= high, low > truth, high < truth, high - low)
    )


def cover(
    setting: str, score_name: str, n_songs: int, n_simulations: int, n_drawn: int
) -> list[dict[str, object]]:
    """Simulate one row of settings; methods that draw take part in the first ``n_drawn``."""
    score = SCORES[score_name]
    ratings, metrics, _ = simulate(np.random.default_rng(0), MANY_SONGS, **SETTINGS[setting])
    truth = score(ratings, metrics[:, 0]) / 2 + score(ratings, metrics[:, 1]) / 2
    rng = np.random.default_rng(1)
    intervals: dict[str, list[tuple[float, ...]]] = {}
    differences: dict[str, list[tuple[float, ...]]] = {}
    for simulation in range(n_simulations):
        ratings, metrics, songs = simulate(rng, n_songs, **SETTINGS[setting])
        draws = simulation < n_drawn
        scores = score_clusters(
            score,
            ratings,
            metrics,
            groups=songs,
            n_resamples=N_RESAMPLES if draws else 0,
            random_state=simulation,
        )
        methods = ("jackknife", "fisher", "percentile", "bca") if draws else ("jackknife",)
        for method in methods:
            low, high = score_interval(scores, method=method, confidence_level=LEVEL)
            judge(low[0], high[0], truth, intervals, method)
        for method in ("jackknife", "bootstrap") if draws else ("jackknife",):
            result = score_difference(scores, 0, 1, method=method, confidence_level=LEVEL)
            judge(result.low, result.high, 0.0, differences, method)
        if draws:  # as if every version were a song of its own
            result = compare_correlations(ratings, *metrics.T, score=score, method="williams")
            differs = result.p_value < 1 - LEVEL
            above = differs and result.difference > 0
            differences.setdefault("williams", []).append(
                (not differs, above, differs and not above, np.nan)
            )
    return [
        {
            "setting": setting,
            "score": score_name,
            "truth": f"{truth if what == 'correlation' else 0:.3f}",
            "n_songs": n_songs,
            "interval_of": what,
            "method": method,
            "n_simulations": len(rows),
            **{
                name: f"{value:.4f}"
                for name, value in zip(
                    ("coverage", "above", "below", "mean_width"), np.mean(rows, axis=0), strict=True
                )
            },
        }
        for what, found in (("correlation", intervals), ("difference", differences))
        for method, rows in found.items()
    ]


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Give the range of coverage over settings and scores, in percent."""
    coverage = 100 * table["coverage"].astype(float)
    keys = [table["interval_of"], table["method"], table["n_songs"]]
    lowest, highest = (coverage.groupby(keys, sort=False).agg(end) for end in ("min", "max"))
    summary = lowest.map("{:.1f}".format) + " to " + highest.map("{:.1f}".format)
    summary = summary.unstack(sort=False)[list(N_SONGS)]
    summary.columns = [f"{n_songs} songs" for n_songs in N_SONGS]
    summary = summary.reset_index()
    return summary.rename(columns={"interval_of": "interval of"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    results = Path(__file__).resolve().parents[1] / "results" / "interval_coverage.csv"
    parser.add_argument("-o", "--output", type=Path, default=results)
    parser.add_argument("--simulations", type=int, default=3000)
    parser.add_argument(
        "--with-draws", type=int, default=800, help="of them, for methods that draw"
    )
    arguments = parser.parse_args()
    rows = []
    for setting in SETTINGS:
        for score_name in SCORES:
            for n_songs in N_SONGS:
                rows += cover(
                    setting, score_name, n_songs, arguments.simulations, arguments.with_draws
                )
                print(pd.DataFrame(rows[-7:]).to_string(index=False, header=False), flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(arguments.output, index=False, lineterminator="\n")
    summary = arguments.output.with_name(f"{arguments.output.stem}_summary.csv")
    summarize(table).to_csv(summary, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
