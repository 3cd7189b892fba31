"""The report as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from skperceptual._version import __version__
from skperceptual.cli.evaluate_answer import are_simulated, explain, headline, number
from skperceptual.cli.evaluate_html import Html, element, name_of
from skperceptual.cli.evaluate_judgement import Judgement
from skperceptual.cli.evaluate_provenance import show_files, show_run
from skperceptual.cli.evaluate_request import Request
from skperceptual.cli.evaluate_scores import JudgedMetric
from skperceptual.cli.evaluate_sections import make_sections
from skperceptual.cli.evaluate_style import STYLE
from skperceptual.cli.evaluate_table import RatedTable
from skperceptual.cli.evaluate_warnings import Caution, warn

__all__ = ["make_page"]

_WORDS = {
    "Rank correlation (Spearman)": "How far two columns put things in the same order: 1 in the "
    "same, 0 in none, −1 in the opposite one. What the numbers are otherwise does not matter.",
    "Kendall's tau": "The same by pairs: the share in the same order less the share in the "
    "opposite one.",
    "Linear correlation (Pearson)": "How far points lie on a straight line.",
    "95 % interval": "Made in this way for many tests, 95 of 100 intervals hold the true value. "
    "What varies are the groups (recordings, songs, talkers): all rows of a group go together.",
    "p-value": "How often chance alone would make two metrics differ so much if they were equally "
    "good.",
    "Group": "What several rows have in common, such as the song that they are versions of.",
    "Condition": "What was done to recordings, such as a codec.",
    "Ceiling": "The correlation that a metric would be expected to have that knows the quality of "
    "each recording: ratings of a few people are not quite it.",
}


def make_page(
    request: Request,
    table: RatedTable,
    metrics: Sequence[JudgedMetric],
    judgement: Judgement,
    notes: list[str],
    when: datetime,
) -> str:
    """Make the page.

    Parameters
    ----------
    request : Request
        What was asked for.
    table : RatedTable
        What was read.
    metrics : sequence of JudgedMetric
        All of them, also those that could not be judged.
    judgement : Judgement
        The result.
    notes : list of str
        What metrics had to say about the files.
    when : datetime
        The time.

    Returns
    -------
    str
        A document in HTML.
    """
    simulated = are_simulated(request)
    sections = {
        **make_sections(judgement, request.baseline),
        "run": ("What was run", show_run(request, table, metrics, judgement, when)),
        "files": ("Other files", show_files()),
        "words": ("Words", [_show_words()]),
    }
    warnings = warn(table, judgement, notes, request)
    if warnings:
        sections = {"mind": ("What to keep in mind", [_show_warnings(warnings)]), **sections}
    links = [
        element("li", element("a", title, href=f"#{name}")) for name, (title, _) in sections.items()
    ]
    answer = element(
        "section",
        element("h2", headline(judgement), id="answer"),
        *(element("p", sentence) for sentence in explain(judgement, simulated=simulated)),
        class_="answer",
        aria_labelledby="answer",
    )
    body = [
        element(
            "header",
            element("p", "Metrics judged against ratings", class_="eyebrow"),
            element("h1", "Which metric agrees with ", name_of(request.table.name), "?"),
            *([element("span", "Simulated ratings", class_="tag")] if simulated else []),
        ),
        element(
            "main",
            answer,
            _show_facts(judgement),
            element("nav", element("ul", *links), aria_label="Sections"),
            *(
                element(
                    "section",
                    element("h2", title, id=name),
                    *content,
                    aria_labelledby=name,
                )
                for name, (title, content) in sections.items()
            ),
        ),
        element(
            "footer",
            f"Made by skperceptual {__version__} on {when.strftime('%Y-%m-%d')}. This page loads "
            "nothing from elsewhere.",
        ),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Which metric agrees with {request.table.name}?"),
        element("style", Html(STYLE)),
    )
    page = element("html", head, element("body", *body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _show_facts(judgement: Judgement) -> Html:
    facts = {"Rated pairs": f"{len(judgement.ratings)}"}
    if "group" in judgement.labels:
        facts["Groups"] = f"{judgement.n_groups}"
    if judgement.conditions:
        facts["Conditions"] = f"{len(judgement.conditions)}"
    facts["Metrics"] = f"{len(judgement.metrics)}"
    low, high = np.min(judgement.ratings), np.max(judgement.ratings)
    facts["Range of ratings"] = f"{_plain(low)} to {_plain(high)}"
    cells = [
        element("div", element("dt", name), element("dd", fact)) for name, fact in facts.items()
    ]
    return element("dl", *cells, class_="facts")


def _plain(value: float) -> str:
    text = number(value, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _show_warnings(warnings: list[Caution]) -> Html:
    lines = [element("li", element("strong", f"{title}: "), text) for title, text in warnings]
    return element("ul", *lines, class_="warnings")


def _show_words() -> Html:
    parts = []
    for word, meaning in _WORDS.items():
        parts += [element("dt", word), element("dd", meaning)]
    return element("dl", *parts, class_="words")
