"""HTML by construction: whatever is not HTML already becomes text, and never markup."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

__all__ = ["Html", "data_table", "element", "name_of", "text"]

# A name as short as this stays on one line.
_SHORT = 18
_WITHOUT_END = ("meta",)
# Joiners, which some scripts cannot be written without.
_ALLOWED = "\n\t\u200c\u200d"


class Html(str):
    """Text that is HTML already.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_html import Html, element
    >>> str(element("p", "1 < 2, ", Html("<b>true</b>")))
    '<p>1 &lt; 2, <b>true</b></p>'
    """

    __slots__ = ()


def text(content: object) -> Html:
    """Make anything text of a page.

    Parameters
    ----------
    content : object
        HTML stays; of the rest, special characters are escaped, and those that cannot be shown
        or that turn the direction of text are replaced.

    Returns
    -------
    Html
        The text.
    """
    if isinstance(content, Html):
        return content
    shown = (
        letter if letter.isprintable() or letter in _ALLOWED else "�" for letter in str(content)
    )
    return Html(html.escape("".join(shown), quote=True))


def element(tag: str, *content: object, **attributes: str | int | bool | None) -> Html:
    """Make an element.

    Parameters
    ----------
    tag : str
        Its name.
    *content : object
        What is in it.
    **attributes : str, int, bool or None
        Its attributes, their underscores for hyphens and one at the end for none; True stands
        for one without a value, None and False for none.

    Returns
    -------
    Html
        The element.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_html import element
    >>> str(element("a", "b & c", href="#d", class_="e", hidden=True))
    '<a href="#d" class="e" hidden>b &amp; c</a>'
    """
    words = [tag]
    for name, value in attributes.items():
        written = name.removesuffix("_").replace("_", "-")
        if value is True:
            words.append(written)
        elif value is not None and value is not False:
            words.append(f'{written}="{text(value)}"')
    inner = "".join(text(part) for part in content)
    end = "" if tag in _WITHOUT_END else f"</{tag}>"
    return Html(f"<{' '.join(words)}>{inner}{end}")


def name_of(content: object) -> Html:
    """Make a name from the table a piece of text that does not disturb what is around it.

    Parameters
    ----------
    content : object
        The name, in any script.

    Returns
    -------
    Html
        An element.
    """
    return element("bdi", content, class_="short" if len(str(content)) <= _SHORT else "long")


def data_table(
    caption: str,
    header: Sequence[object],
    rows: Sequence[Sequence[object]],
    *,
    words: Collection[int] = (0,),
) -> Html:
    """Make a table that scrolls by itself where the page is narrow.

    Parameters
    ----------
    caption : str
        What it holds.
    header : sequence of object
        Names of the columns.
    rows : sequence of sequence of object
        The cells; the first of a row names it.
    words : collection of int, default=(0,)
        Which columns hold words in place of numbers.

    Returns
    -------
    Html
        The table.
    """
    kinds = ["words" if column in words else None for column in range(len(header))]
    heads = [
        element("th", name, scope="col", class_=kind)
        for name, kind in zip(header, kinds, strict=True)
    ]
    lines = []
    for first, *cells in rows:
        row = [element("th", first, scope="row", class_="words")]
        row += [
            element("td", cell, class_=kind) for cell, kind in zip(cells, kinds[1:], strict=True)
        ]
        lines.append(element("tr", *row))
    table = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", *heads)),
        element("tbody", *lines),
    )
    return element("div", table, class_="scroll", role="region", tabindex=0, aria_label=caption)
