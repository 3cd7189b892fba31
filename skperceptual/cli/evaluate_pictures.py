"""The pictures of a report, drawn by the displays of the package."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skperceptual.cli.evaluate_answer import interval, number
from skperceptual.cli.evaluate_judgement import ALL, LEVEL, Judgement
from skperceptual.plotting import (
    CorrelationsDisplay,
    DegradationBarsDisplay,
    MetricCorrelationsDisplay,
    RatingDisplay,
    SignificanceMatrixDisplay,
)
from skperceptual.plotting.svg import draw_svg, plain_label

__all__ = [
    "MAX_BARS",
    "MAX_SYMBOLS",
    "Picture",
    "draw_alikeness",
    "draw_bars",
    "draw_correlations",
    "draw_differences",
    "draw_ratings",
]

#: Beyond which bars, or the symbols of conditions, are too many to be told apart.
MAX_BARS = 40
MAX_SYMBOLS = 6

_MAX_POINTS = 500  # that are drawn one by one
_MAX_ERRORBARS = 150
_DARK = "#1a1a1a"  # on coloured cells, which are light on dark pages too


class Picture(NamedTuple):
    """A picture as an element of a page, and how wide it is to be at least.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_pictures import Picture
    >>> Picture("<svg></svg>", 0).min_width
    0
    """

    svg: str
    min_width: int


def _draw(
    draw: Callable[[Any], object], size: tuple[float, float], prefix: str, alt: str, least: int = 0
) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is doubtful or undefined there is word already
        return Picture(draw_svg(draw, figsize=size, prefix=prefix, alt=alt), least)


def _short_names(names: list[str], longest: int = 24) -> dict[str, str]:
    """Give names that fit into pictures, different ones for different metrics."""
    short: dict[str, str] = {}
    for name in names:
        label = plain_label(name, longest)
        if label in ("ratings", *short.values()):
            label = f"{plain_label(name, longest - 4)} ({len(short) + 1})"
        short[name] = label
    return short


def draw_correlations(judgement: Judgement, condition: str, prefix: str) -> Picture:
    """Draw the correlation of each metric with ratings, with its interval.

    Parameters
    ----------
    judgement : Judgement
        The result.
    condition : str
        Of which condition.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The forest plot.
    """
    rows = judgement.agreement
    rows = rows[rows["condition"] == condition].set_index("metric")
    rows = rows.loc[[metric.name for metric in judgement.metrics]].reset_index()
    is_small = condition != ALL
    short = _short_names(list(rows["metric"]), 16 if is_small else 24)
    spoken = "; ".join(
        f"{row['metric']} {number(row['srcc'])}"
        + (f", {sure}" if (sure := interval(row["srcc_low"], row["srcc_high"])) else "")
        for _, row in rows.iterrows()
    )
    ceiling = math.nan if is_small else rows["ceiling"].iloc[0]

    def draw(ax: Any) -> None:
        CorrelationsDisplay.from_correlations(
            rows.assign(metric=rows["metric"].map(short)),
            value="srcc",
            low="srcc_low",
            high="srcc_high",
            value_name="" if is_small else "rank correlation with ratings",
            ax=[ax],
            errorbar_kwargs={"capsize": 3, "elinewidth": 1.8, "markersize": 6},
        )
        ax.set_title("")
        lowest = math.floor(4 * np.nanmin([0.0, *rows["srcc_low"], *rows["srcc"]])) / 4
        step = 0.5 if lowest < 0 else 0.25
        ax.set_xticks(np.arange(math.ceil(lowest / step) * step, 1.01, step))
        ax.set_xlim(lowest - 0.03, 1.03)
        if math.isfinite(ceiling):
            ax.axvline(ceiling, color="black", linestyle=":", linewidth=1.2, zorder=0)
            ax.annotate(
                "ceiling",
                (ceiling, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(-3, 2),
                textcoords="offset points",
                ha="right",
                fontsize="small",
            )

    size = (3.4, 0.6 + 0.3 * len(rows)) if is_small else (4.8, 1.0 + 0.32 * len(rows))
    what = f" in {condition}" if is_small else ""
    alt = f"Rank correlation with ratings and 95 % interval{what}: {spoken}."
    return _draw(draw, size, prefix, alt)


def draw_differences(judgement: Judgement, prefix: str) -> Picture:
    """Draw the differences between metrics as a table in colours.

    Parameters
    ----------
    judgement : Judgement
        The result, of two metrics or more.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The significance matrix.
    """
    table = judgement.differences
    names = [metric.name for metric in judgement.metrics]
    short = _short_names(names, 18)
    pairs = pd.DataFrame(
        {
            "metric": table["metric"].map(short),
            "other": table["other"].map(short),
            "difference": table["difference"],
            "p_value": table["p_value_holm"],
        }
    )

    def draw(ax: Any) -> None:
        display = SignificanceMatrixDisplay.from_comparisons(
            pairs, adjusted=True, significance_level=LEVEL, ax=ax
        )
        _keep_dark(display.texts_)

    n_different = int((table["p_value_holm"] < LEVEL).sum())
    alt = (
        f"Differences between every two metrics; {n_different} of {len(table)} are larger than "
        "chance would make them. The table beside it has the same numbers."
    )
    side = 0.78 * len(names)
    return _draw(
        draw, (2.6 + side, 1.4 + 0.8 * side), prefix, alt, _least_width(2.6 + side, len(names))
    )


def draw_alikeness(judgement: Judgement, prefix: str) -> Picture:
    """Draw how metrics correlate with each other, turned so that more is better.

    Parameters
    ----------
    judgement : Judgement
        The result, of two metrics or more.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The table in colours.
    """
    names = [metric.name for metric in judgement.metrics]
    short = _short_names(names, 18)
    turned = {
        short[metric.name]: metric.sign * judgement.values[metric.name]
        for metric in judgement.metrics
    }

    def draw(ax: Any) -> None:
        display = MetricCorrelationsDisplay.from_predictions(
            turned, y_true=judgement.ratings, order="alike", ax=ax
        )
        _keep_dark(display.texts_)

    alt = f"Rank correlations among ratings, {', '.join(names)}, as a table in colours."
    side = 1.4 + 0.56 * (len(names) + 1)
    return _draw(draw, (side + 1.3, side), prefix, alt, _least_width(side, len(names)))


def draw_ratings(judgement: Judgement, metric: str, prefix: str) -> Picture:
    """Draw ratings over the values of a metric, with the curve that maps one to the other.

    Parameters
    ----------
    judgement : Judgement
        The result.
    metric : str
        Name of the metric.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        The scatter.
    """
    labels = judgement.labels
    condition = labels.get("condition")
    if condition is not None and len(judgement.conditions) <= MAX_SYMBOLS:
        short = _short_names(judgement.conditions)
        condition = np.array([short[name] for name in condition], dtype=object)
    else:
        condition = None
    widths = labels.get("half_width") if len(judgement.ratings) <= _MAX_ERRORBARS else None

    def draw(ax: Any) -> None:
        display = RatingDisplay.from_predictions(
            judgement.ratings,
            judgement.values[metric],
            condition=condition,
            half_width=widths,
            mapping=judgement.mapping,
            ax=ax,
            line_kwargs={"color": "black"},
        )
        ax.margins(x=0.05)
        if len(judgement.ratings) > _MAX_POINTS:
            for scatter in display.scatters_:
                scatter.set_rasterized(True)
        if condition is not None:
            _put_legend_below(ax)

    found = judgement.table
    raw = found[(found["metric"] == metric) & (found["condition"] == ALL)]["srcc"].iloc[0]
    alt = (
        f"{len(judgement.ratings)} ratings over the values of {metric}, with the fitted curve; "
        f"rank correlation {number(raw)}."
    )
    return _draw(draw, (3.6, 3.5 if condition is None else 3.9), prefix, alt)


def draw_bars(judgement: Judgement, prefix: str) -> Picture:
    """Draw mean ratings by condition and level, and what the best metric makes of them.

    Parameters
    ----------
    judgement : Judgement
        The result, with conditions.
    prefix : str
        A word of its own for the picture.

    Returns
    -------
    Picture
        Bars, with points on them.
    """
    labels = judgement.labels
    short = _short_names(judgement.conditions, 18)
    condition = [short[name] for name in labels["condition"]]
    name = _short_names([judgement.best.name])[judgement.best.name]

    def draw(ax: Any) -> None:
        DegradationBarsDisplay.from_predictions(
            judgement.ratings,
            {name: judgement.map_best()},
            condition=condition,
            level=labels.get("level"),
            groups=labels.get("group"),
            bottom=min(0.0, float(judgement.ratings.min())),
            ax=ax,
        )
        _put_legend_below(ax)

    n_bars = len(judgement.conditions) * len(set(labels.get("level", [""])))
    width = max(4.8, 1.4 + 0.36 * n_bars)
    alt = f"Mean rating of each of {n_bars} conditions, and what {judgement.best.name} predicts."
    return _draw(draw, (width, 3.6), prefix, alt, int(width * 60) if width > 6 else 0)


def _put_legend_below(ax: Any) -> None:
    """Move the legend to where it covers nothing and takes no width."""
    handles, words = ax.get_legend_handles_labels()
    ax.get_legend().remove()
    ax.figure.legend(
        handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize="small"
    )


def _keep_dark(texts: Any) -> None:
    for text in np.ravel(texts):
        if text.get_color() == "black":
            text.set_color(_DARK)


def _least_width(inches: float, n_metrics: int) -> int:
    """Give the pixels below which the numbers in a table become too small to read."""
    return int(inches * 70) if n_metrics > 3 else 0
