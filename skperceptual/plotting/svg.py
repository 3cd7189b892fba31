"""Pictures as SVG to stand in a web page, in the colours of the page's text."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable
from typing import Any

from skperceptual.utils.optional import import_optional

__all__ = ["check_drawing", "draw_svg", "plain_label"]

_PURPOSE = "Drawing pictures"
# Whatever the user's own settings are; words stay words, which browsers have all letters for.
_SETTINGS = {
    "svg.fonttype": "none",
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
}
_POINTS_TO_PIXELS = 4 / 3
_DOTS_PER_INCH = 150  # of what is drawn as pixels, as many points are


def check_drawing() -> None:
    """Find out before long work whether pictures can be drawn after it.

    Raises
    ------
    ImportError
        Without matplotlib; the message names the extra that brings it.
    """
    import_optional("matplotlib", extra="plot", purpose=_PURPOSE)


def draw_svg(
    draw: Callable[[Any], object], *, figsize: tuple[float, float], prefix: str, alt: str
) -> str:
    """Draw a picture, without a trace of it in pyplot, and give it as an SVG element.

    What is black becomes the colour of the text around it, and the ground is left out, so that
    the picture fits a light page as well as a dark one.

    Parameters
    ----------
    draw : callable
        Takes the axes of an empty figure, and draws in them.
    figsize : (float, float)
        Width and height in inches.
    prefix : str
        A word that no other picture of the page has: all identifiers begin with it.
    alt : str
        What to read to someone who does not see it.

    Returns
    -------
    str
        The element ``<svg ...>...</svg>``, for a page in HTML.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> from skperceptual.plotting.svg import draw_svg
    >>> svg = draw_svg(
    ...     lambda ax: ax.plot([0, 1], "k"), figsize=(2, 2), prefix="line", alt="A rising line."
    ... )
    >>> svg[:59]
    '<svg class="picture" role="img" aria-label="A rising line."'
    >>> "http" in svg
    False
    """
    matplotlib = import_optional("matplotlib", extra="plot", purpose=_PURPOSE)
    figures = import_optional("matplotlib.figure", extra="plot", purpose=_PURPOSE)
    file = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Letters that matplotlib has no picture of, the browser writes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_SETTINGS, "svg.hashsalt": prefix})
        figure = figures.Figure(figsize=figsize, layout="constrained")
        draw(figure.subplots())
        figure.savefig(file, format="svg", dpi=_DOTS_PER_INCH, transparent=True)
    return _embed(file.getvalue(), prefix, alt)


def plain_label(text: str, longest: int = 24) -> str:
    r"""Make any text a label that matplotlib writes as it is, and in which it finds no formula.

    Parameters
    ----------
    text : str
        Anything.
    longest : int, default=24
        Number of letters beyond which the middle is left out.

    Returns
    -------
    str
        The label.

    Examples
    --------
    >>> from skperceptual.plotting.svg import plain_label
    >>> plain_label("_costs $5"), plain_label("abcdefghijklmnopq", 8)
    (' _costs \\$5', 'abcd…opq')
    """
    text = _printable(text)
    if len(text) > longest:
        text = f"{text[: longest // 2]}…{text[-(longest - longest // 2 - 1) :]}"
    # A label that begins with an underscore stays out of legends.
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _embed(svg: str, prefix: str, alt: str) -> str:
    """Take what stands in a file of its own apart from what stands in a page."""
    head, _, body = svg[svg.index("<svg") :].partition(">")
    box = re.search(r'viewBox="([\d.\- ]+)"', head)
    assert box is not None
    width = float(box[1].split()[2]) * _POINTS_TO_PIXELS
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", body)
    body = re.sub(r"font-family: [^;\"]*; ?", "", body)
    body = body.replace("#000000", "currentColor")
    spoken = html.escape(_printable(alt))
    return (
        f'<svg class="picture" role="img" aria-label="{spoken}" viewBox="{box[1]}" '
        f'style="max-width: {width:.0f}px">{body.strip()}'
    )
