"""What the sections of a report are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skperceptual.cli.evaluate_answer import interval, number
from skperceptual.cli.evaluate_html import Html, data_table, element, name_of
from skperceptual.cli.evaluate_judgement import LEVEL
from skperceptual.cli.evaluate_pictures import Picture

__all__ = ["conclude", "correlation", "figure", "folded_table", "paragraph", "with_interval"]

# What a page shows at once, what it folds away, and beyond which it counts the rest.
_ROWS = 12
_FOLDED_ROWS = 300


def paragraph(*content: object, class_: str | None = None) -> Html:
    """Make a paragraph."""
    return element("p", *content, class_=class_)


def figure(picture: Picture, *caption: object, above: bool = False, on_paper: bool = False) -> Html:
    """Make a figure of a picture and what it means; a wide one scrolls where there is no room.

    On paper, which is white also in the dark, dark lines are seen before light areas.
    """
    kind = 'class="picture paper"' if on_paper else 'class="picture"'
    svg = Html(picture.svg.replace('class="picture"', kind, 1))
    if picture.min_width:
        inner = element("div", svg, style=f"min-width: {picture.min_width}px")
        svg = element(
            "div", inner, class_="scroll", role="region", tabindex=0, aria_label="Wide picture"
        )
    words = element("figcaption", *caption)
    return (
        element("figure", words, svg, class_="titled") if above else element("figure", svg, words)
    )


def with_interval(value: float, low: float, high: float) -> Html:
    """Write a number and its interval."""
    sure = interval(low, high)
    return element(
        "span", number(value), *([" ", element("span", sure, class_="range")] if sure else [])
    )


def correlation(row: Any, name: str) -> Html:
    """Write one of the correlations in a row of results."""
    return with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])


def folded_table(
    caption: str, header: Sequence[object], rows: list[Any], **options: Any
) -> list[Html]:
    """Show the first rows of a table, fold more of them, and count the rest."""
    parts = [data_table(caption, header, rows[:_ROWS], **options)]
    more = rows[_ROWS:_FOLDED_ROWS]
    if more:
        table = data_table(f"{caption} (continued)", header, more, **options)
        parts.append(element("details", element("summary", f"{len(more)} more rows"), table))
    if len(rows) > _FOLDED_ROWS:
        n_left = len(rows) - _FOLDED_ROWS
        parts.append(paragraph(f"Another {n_left} rows are in the CSV files beside this page."))
    return parts


def conclude(p_value: float, better: str) -> Html:
    """Say what a corrected p-value means for two metrics, the better of which is named."""
    if math.isnan(p_value):
        return element("span", "not known")
    if p_value < LEVEL:
        return element("span", name_of(better), " agrees better")
    return element("span", "may be chance")
