"""The page of ``skperceptual evaluate``: it stands alone, and all can read it."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

FILES = ["correlations.csv", "differences.csv", "report.html", "scores.csv"]
INJECTION = '<script>alert("1")</script><img src=x onerror=alert(2)>&amp;'
SCORES = ["--score-column", "good:higher", "fair:lower", "noise:higher"]
GROUPED = [*SCORES, "--group", "song"]


def check_alone(page) -> None:
    """Nothing is fetched from anywhere, and nothing runs."""
    assert not {"script", "link", "iframe", "object", "img", "base"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "xlink:href", "src"):
                is_here = value.startswith(("#", "data:image/png;base64,")) or value in FILES
                assert is_here, (tag, name, value)
            if name == "style":
                assert "url(" not in value
    assert not re.search(r"https?:", page.source)
    assert "@import" not in page.source
    assert set(re.findall(r"url\((.)", page.source)) <= {"#"}


def check_accessible(page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.all("a"):
        if attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids
    names = set(re.findall(r'(?:url\(|xlink:href=")#([^")]+)', page.source))
    assert names <= set(ids)
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    assert len(page.all("table")) == len(page.all("caption")) > 0
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    pictures = page.all("svg")
    assert pictures
    assert all(attributes["role"] == "img" for attributes in pictures)
    assert all(len(attributes["aria-label"]) > 10 for attributes in pictures)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("n_metrics", [1, 2, 3])
def test_page_stands_alone_and_is_accessible(n_metrics, judge, ratings):
    columns = SCORES[: n_metrics + 1]
    frame = ratings.assign(level=np.tile([8, 16, 32], 20))
    options = ["--group", "song", "--condition", "codec", "--level", "level"]
    page = judge(frame, *columns, *options)
    check_alone(page)
    check_accessible(page)
    for scheme in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert scheme in page.source


def test_nothing_of_the_table_becomes_markup(judge, ratings):
    named = {"good": INJECTION, "fair": "$\\frac{x", "codec": "<b>codec</b>", "song": "<i>"}
    frame = ratings.rename(columns=named)
    frame["<b>codec</b>"] = np.where(np.arange(60) % 2, INJECTION, "</svg><p>\u202eopus\x07")
    arguments = [f"{INJECTION}:higher", "$\\frac{x:lower", "noise:higher"]
    options = ["--condition", "<b>codec</b>", "--group", "<i>", "--baseline", INJECTION]
    page = judge(frame, "--score-column", *arguments, *options, name="<u>&amp;.csv")
    check_alone(page)
    check_accessible(page)
    assert not {"b", "u", "i"} & {tag for tag, _ in page.tags}
    assert page.answer.startswith(f"{INJECTION} agrees best")
    assert "Which metric agrees with <u>&amp;.csv?" in page.text
    assert "\u202e" not in page.source  # would turn the text around it
    assert "\x07" not in page.source


def test_names_in_any_script(judge, ratings, recwarn):
    frame = ratings.rename(columns={"good": "音質", "fair": "نموذج"})
    frame["codec"] = np.where(np.arange(60) % 2, "歌のコーデック", "кодек")
    page = judge(
        frame, "--score-column", "音質:higher", "نموذج:lower", "--condition", "codec", name="ひ.csv"
    )
    assert page.answer.startswith("音質 agrees best")
    assert not recwarn.list
    pictures = [word.strip() for tags, word in page.inside if "text" in tags]
    assert "音質" in pictures  # as text, which the browser has letters for


def test_long_names_that_begin_alike_stay_apart(judge, ratings):
    long = [f"{'a' * 90}{end}" for end in ("x", "y", "z")]
    frame = ratings.rename(columns=dict(zip(["good", "fair", "noise"], long, strict=True)))
    columns = [f"{long[0]}:higher", f"{long[1]}:lower", f"{long[2]}:higher"]
    page = judge(frame, "--score-column", *columns, "--group", "song")
    pictures = {word.strip() for tags, word in page.inside if "text" in tags}
    shown = {word for word in pictures if word.startswith("aaaa")}
    assert len(shown) >= 3
    assert all(len(word) < 45 for word in shown)


def test_hundreds_of_conditions_are_limited_and_counted(judge, rng):
    n = 400 * 8
    rating = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "rating": rating,
            "good": rating + 0.5 * rng.normal(size=n),
            "codec": np.repeat([f"codec {k}" for k in range(400)], 8),
            "song": np.tile(np.arange(8), 400),
        }
    )
    arguments = ["--score-column", "good:higher", "--condition", "codec", "--group", "song"]
    page = judge(frame, *arguments)
    assert "9 of 400 conditions are drawn" in page.text
    assert "288 more rows" in page.text
    assert "Another 100 rows are in the CSV files" in page.text
    assert len(page.source) < 2_000_000


def test_what_was_run(judge, ratings, tmp_path, report):
    page = judge(ratings, *GROUPED)
    command = f"skperceptual evaluate {tmp_path / 'ratings.csv'} {' '.join(GROUPED)} -o {report}"
    assert command in page.text
    for words in ("SHA-256 of the table", "Rows judged 60", "numpy", "matplotlib", "Python 3."):
        assert words.replace(" ", "") in page.text.replace(" ", "")


def test_drawing_leaves_no_trace(judge, ratings):
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    judge(ratings, *GROUPED)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before
