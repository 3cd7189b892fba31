"""What the values of a study say: ranges by level, and correlations between metrics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from skperceptual.cli.study_degradations import LEVELS
from skperceptual.cli.study_request import METRICS
from skperceptual.metrics import correlation_interval, pearson_score, spearman_score

__all__ = ["ALL", "Results", "correlate", "find_ranges", "summarize_study"]

#: Stands for all contents together.
ALL = "all"

_SCORES = {"pearson": pearson_score, "spearman": spearman_score}


class Results(NamedTuple):
    """The tables of a study.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.cli.study_results import Results
    >>> Results(pd.DataFrame(), ["pesq"], ["speech"], pd.DataFrame(), pd.DataFrame()).contents
    ['speech']
    """

    values: pd.DataFrame
    metrics: list[str]
    contents: list[str]
    ranges: pd.DataFrame
    correlations: pd.DataFrame

    def rows_of(self, content: str) -> pd.DataFrame:
        """Give the values of one content, or of all."""
        rows = self.values
        return rows if content == ALL else rows[rows["content"] == content]

    def correlation(self, content: str, one: str, other: str) -> pd.Series:
        """Give the row of two metrics."""
        rows = self.correlations
        found = rows[
            (rows["content"] == content)
            & (rows["metric"].isin([one, other]))
            & (rows["other"].isin([one, other]))
        ]
        return found.iloc[0]


def summarize_study(values: pd.DataFrame, metrics: Sequence[str]) -> Results:
    """Compute the tables of a study.

    Parameters
    ----------
    values : DataFrame
        One row for each version of each recording: ``file``, ``content``, ``degradation``,
        ``level``, and a column for each metric.
    metrics : sequence of str
        Which columns are metrics; those without any value are left out.

    Returns
    -------
    Results
        All of them; contents end with :data:`ALL` where there are several.
    """
    kept = [name for name in metrics if values[name].notna().any()]
    contents = list(dict.fromkeys(values["content"]))
    if len(contents) > 1:
        contents.append(ALL)
    shell = Results(values, kept, contents, pd.DataFrame(), pd.DataFrame())
    by_content = [(content, shell.rows_of(content)) for content in contents]
    ranges = [find_ranges(rows, kept).assign(content=content) for content, rows in by_content]
    found = [correlate(rows, kept).assign(content=content) for content, rows in by_content]
    return shell._replace(ranges=_join(ranges), correlations=_join(found))


def _join(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["content", *(name for name in table.columns if name != "content")]]


def find_ranges(values: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Give the range of each metric over the nine degradations.

    Parameters
    ----------
    values : DataFrame
        As for :func:`summarize_study`.
    metrics : sequence of str
        Columns of it.

    Returns
    -------
    DataFrame
        One row a metric: ``metric``; the mean of each level over recordings and degradations,
        ``low``, ``high``, ``extreme``; the mildest and the harshest of the nine by their means,
        ``best``, ``best_version``, ``worst``, ``worst_version``; ``n``, how many values there are.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.cli.study_results import find_ranges
    >>> values = pd.DataFrame(
    ...     [("noise", "low", 3.0), ("noise", "high", 2.0), ("bitrate", "low", 3.5)],
    ...     columns=["degradation", "level", "pesq"],
    ... )
    >>> find_ranges(values, ["pesq"])[["low", "best", "best_version", "worst_version"]]
        low  best   best_version worst_version
    0  3.25   3.5  bitrate (low)  noise (high)
    """
    versions = values["degradation"] + " (" + values["level"] + ")"
    rows = []
    for name in metrics:
        column = values[name]
        means = column.groupby(versions, sort=False).mean().dropna()
        by_level = column.groupby(values["level"]).mean()
        row = {"metric": name, **{level: by_level.get(level, np.nan) for level in LEVELS}}
        if len(means):
            ordered = means.sort_values(ascending=not METRICS[name].higher_is_better, kind="stable")
            row |= {"best": ordered.iloc[0], "best_version": ordered.index[0]}
            row |= {"worst": ordered.iloc[-1], "worst_version": ordered.index[-1]}
        rows.append({**row, "n": int(column.notna().sum())})
    return pd.DataFrame(rows)


def correlate(values: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Correlate every two metrics over all versions of all recordings.

    Parameters
    ----------
    values : DataFrame
        As for :func:`summarize_study`.
    metrics : sequence of str
        Columns of it.

    Returns
    -------
    DataFrame
        One row for every two metrics: ``metric``, ``other``; ``pearson`` and ``spearman``, each
        with the interval at 95 % for other recordings, by the jackknife over files (``_low`` and
        ``_high``, NaN for a single file); ``within_file``, the mean over files of Spearman's
        correlation among the versions of each; ``n`` versions of ``n_files``. Signs are those of
        the values: a distance and a similarity correlate negatively.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.cli.study_results import correlate
    >>> values = pd.DataFrame({"file": ["a"] * 4, "stoi": [1, 2, 3, 5], "pesq": [2, 4, 6, 8]})
    >>> correlate(values, ["stoi", "pesq"])[["pearson", "spearman", "n"]].round(3)
       pearson  spearman  n
    0    0.983       1.0  4
    """
    rows = []
    with warnings.catch_warnings():
        # Of few recordings, and of correlations that are undefined, the report has word itself.
        warnings.simplefilter("ignore")
        for one, other in combinations(metrics, 2):
            both = values[["file", one, other]].dropna()
            row = {"metric": one, "other": other, "n": len(both), "n_files": both["file"].nunique()}
            for key, score in _SCORES.items():
                row |= _with_interval(key, score, both, one, other)
            within = [spearman_score(file[one], file[other]) for file in _files(both)]
            row["within_file"] = float(np.nanmean(within)) if np.isfinite(within).any() else np.nan
            rows.append(row)
    names = [f"{key}{end}" for key in _SCORES for end in ("", "_low", "_high")]
    columns = ["metric", "other", *names, "within_file", "n", "n_files"]
    return pd.DataFrame(rows, columns=columns)


def _with_interval(
    key: str, score: Callable[..., float], both: pd.DataFrame, one: str, other: str
) -> dict[str, float]:
    if len(both) < 2:
        return {key: np.nan, f"{key}_low": np.nan, f"{key}_high": np.nan}
    low, high = correlation_interval(both[one], both[other], groups=both["file"], score=score)
    return {key: score(both[one], both[other]), f"{key}_low": low, f"{key}_high": high}


def _files(both: pd.DataFrame) -> list[pd.DataFrame]:
    return [rows for _, rows in both.groupby("file", sort=False) if len(rows) > 2]
