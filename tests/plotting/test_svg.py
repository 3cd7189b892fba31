"""Pictures for web pages: no traces in pyplot, no strangers in the page, colours of its text."""

from __future__ import annotations

import re
import sys
import warnings
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from skperceptual.plotting.svg import check_drawing, draw_svg, plain_label


def draw(function, prefix="one", alt="A picture."):
    return draw_svg(function, figsize=(3, 2), prefix=prefix, alt=alt)


def scatter_with_clipping(ax):
    ax.scatter([0, 1], [1, 0], color="black")
    ax.imshow([[0, 1], [1, 0]])


def test_identifiers_and_what_refers_to_them_begin_alike():
    pictures = [draw(scatter_with_clipping, prefix) for prefix in ("one", "two")]
    for prefix, svg in zip(("one", "two"), pictures, strict=True):
        names = re.findall(r'\bid="([^"]+)"', svg)
        used = re.findall(r'(?:url\(|href=")#([^")]+)', svg)
        assert names
        assert used
        assert set(used) <= set(names)
        assert all(name.startswith(f"{prefix}-") for name in names)
    assert pictures[0].replace("one-", "two-") != pictures[0]


def test_same_picture_twice_is_the_same():
    assert draw(scatter_with_clipping) == draw(scatter_with_clipping)


def test_black_is_the_colour_of_the_text_and_the_ground_is_left_out():
    svg = draw(lambda ax: ax.plot([0, 1], [1, 0], color="black"))
    assert "#000000" not in svg
    assert "stroke: currentColor" in svg
    assert "fill: #ffffff" not in svg


def test_nothing_comes_from_elsewhere():
    svg = draw(scatter_with_clipping)
    assert "http" not in svg
    assert "<style" not in svg  # it would hold for the whole page
    assert "<metadata" not in svg
    for link in re.findall(r'href="([^"]{0,30})', svg):
        assert link.startswith(("#", "data:image/png;base64,"))


def test_words_are_escaped():
    svg = draw(lambda ax: ax.set_title("<b>&"), alt='"><script>\u202e')
    assert "&lt;b&gt;&amp;" in svg
    assert 'aria-label="&quot;&gt;&lt;script&gt; "' in svg
    root = ET.fromstring(svg.replace("xlink:href", "href"))
    assert "<b>&" in [text.text for text in root.iter("text")]


@pytest.mark.parametrize(
    "name", ["$x^2$", "$\\frac{", "_private", "a\nb", "音質", "x" * 300, "", "$"]
)
def test_any_label_can_be_drawn(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw(lambda ax: (ax.plot([0, 1], label=plain_label(name) or " "), ax.legend()))
    words = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    if 0 < len(name) < 24:
        assert " ".join(name.split()) in [word.strip() for word in words]


def test_long_labels_keep_both_ends():
    label = plain_label("abcdefghijklmnopqrstuvwxyz", 10)
    assert label == "abcde…wxyz"
    assert len(label) == 10


def test_the_users_settings_neither_matter_nor_change():
    expected = draw(scatter_with_clipping)
    figures = plt.get_fignums()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert draw(scatter_with_clipping) == expected
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures


def test_warnings_about_anything_else_are_passed_on():
    def warn(ax):
        ax.plot(np.arange(2))
        warnings.warn("mind the gap", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="mind the gap"):
        draw(warn)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for call in (check_drawing, lambda: draw(scatter_with_clipping)):
        with pytest.raises(ImportError, match=r"skperceptual\[plot\]"):
            call()
