"""The pictures of a study, drawn by the displays of the package."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skperceptual.cli.evaluate_answer import number
from skperceptual.cli.evaluate_pictures import Picture
from skperceptual.cli.study_degradations import VERSIONS
from skperceptual.cli.study_request import METRICS
from skperceptual.cli.study_results import ALL, Results
from skperceptual.plotting import (
    DegradationBarsDisplay,
    MetricCorrelationsDisplay,
    RatingDisplay,
)
from skperceptual.plotting.svg import draw_svg, plain_label

__all__ = ["draw_bars", "draw_heatmap", "draw_scatter"]

_MAX_POINTS = 500  # that are drawn one by one
_MANY_POINTS = 150  # that would hide one another
_SMALL = {"s": 12, "alpha": 0.5, "linewidths": 0}
_MAX_CONTENTS = 6  # that symbols tell apart
_DARK = "#1a1a1a"  # on coloured cells, which are light on dark pages too
_LONGEST = 20  # letters of a label
_LOWEST = {"pesq": 1.0, "pesq-nb": 1.0}  # where a scale begins that has no 0


def _draw(
    draw: Callable[[Any], object], size: tuple[float, float], prefix: str, alt: str, least: int = 0
) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is doubtful or undefined there is word already
        return Picture(draw_svg(draw, figsize=size, prefix=prefix, alt=alt), least)


def draw_bars(results: Results, content: str, metric: str, prefix: str) -> Picture:
    """Draw the mean of a metric for each degradation and level.

    Parameters
    ----------
    results : Results
        The tables.
    content : str
        Of which content.
    metric : str
        Which metric.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        Bars with intervals over recordings.
    """
    rows = results.rows_of(content)[["file", "degradation", "level", metric]].dropna()
    means = rows.groupby(["degradation", "level"], sort=False)[metric].mean()
    bottom = _LOWEST.get(metric, 0.0)
    if means.min() > 0.5 * means.max():  # bars from 0 would hide what similarities near 1 say
        bottom = float(np.floor(20 * (means.min() - 0.2 * np.ptp(means))) / 20)

    def draw(ax: Any) -> None:
        DegradationBarsDisplay.from_predictions(
            rows[metric],
            condition=rows["degradation"],
            level=rows["level"],
            groups=rows["file"],
            value_name=METRICS[metric].label,
            bottom=bottom,
            ax=ax,
        )
        ax.set_ylim(bottom=bottom)
        handles, words = ax.get_legend_handles_labels()
        ax.get_legend().remove()
        ax.figure.legend(
            handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize="small"
        )

    spoken = "; ".join(
        f"{version.name} {number(means[version.degradation, version.level])}"
        for version in VERSIONS
        if (version.degradation, version.level) in means.index
    )
    alt = f"Mean {METRICS[metric].label} by degradation and level, {content}: {spoken}."
    return _draw(draw, (3.9, 3.0), prefix, alt)


def draw_scatter(results: Results, embedding: str, other: str, prefix: str) -> Picture:
    """Draw one metric over another, all versions of all recordings, with the trend line.

    Parameters
    ----------
    results : Results
        The tables.
    embedding : str
        The metric along the horizontal axis.
    other : str
        The metric along the vertical one.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The scatter; contents differ in colour and in shape.
    """
    rows = results.values[["content", embedding, other]].dropna()
    contents = [content for content in results.contents if content != ALL]
    several = 1 < len(contents) <= _MAX_CONTENTS
    condition = rows["content"].map(lambda name: plain_label(name, _LONGEST)) if several else None
    found = results.correlation(results.contents[-1], embedding, other)
    title = f"Pearson {number(found['pearson'])}, Spearman {number(found['spearman'])}"

    def draw(ax: Any) -> None:
        display = RatingDisplay.from_predictions(
            rows[other],
            rows[embedding],
            condition=None if condition is None else condition.to_numpy(dtype=object),
            mapping="linear",
            ax=ax,
            scatter_kwargs=_SMALL if len(rows) > _MANY_POINTS else None,
            line_kwargs={"color": "black"},
        )
        ax.set(xlabel=METRICS[embedding].label, ylabel=METRICS[other].label)
        ax.set_title(title)
        ax.margins(x=0.05)
        low, high = rows[other].min(), rows[other].max()
        margin = 0.06 * (high - low) or 1.0
        ax.set_ylim(low - margin, high + margin)  # the line may leave where nothing is
        if len(rows) > _MAX_POINTS:
            for scatter in display.scatters_:
                scatter.set_rasterized(True)
        if several:
            handles, words = ax.get_legend_handles_labels()
            ax.get_legend().remove()
            ax.figure.legend(
                handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize="small"
            )

    alt = (
        f"{METRICS[other].label} over {METRICS[embedding].label} for {len(rows)} versions, with a "
        f"straight line. {title}."
    )
    return _draw(draw, (3.6, 3.5 if not several else 3.8), prefix, alt)


def draw_heatmap(results: Results, content: str, prefix: str) -> Picture:
    """Draw the correlations of all metrics as a table in colours.

    Parameters
    ----------
    results : Results
        The tables, of two metrics or more.
    content : str
        Of which content.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The heatmap.
    """
    found = results.correlations[results.correlations["content"] == content]
    labels = {name: METRICS[name].label for name in results.metrics}
    names = list(labels.values())
    table = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for _, row in found.iterrows():
        one, other = labels[row["metric"]], labels[row["other"]]
        table.loc[one, other] = table.loc[other, one] = row["pearson"]

    def draw(ax: Any) -> None:
        display = MetricCorrelationsDisplay(correlations=table, value_name="Pearson correlation")
        for text in np.ravel(display.plot(ax).texts_):
            if text.get_color() == "black":
                text.set_color(_DARK)

    alt = f"Pearson correlations among {', '.join(names)}, {content}, as a table in colours."
    side = 1.5 + 0.56 * len(names)
    return _draw(draw, (side + 1.3, side), prefix, alt, int(side * 70) if len(names) > 4 else 0)
