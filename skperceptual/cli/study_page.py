"""The study as one page that needs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from skperceptual._version import __version__
from skperceptual.cli.evaluate_answer import number
from skperceptual.cli.evaluate_html import Html, data_table, element, name_of
from skperceptual.cli.evaluate_parts import correlation, figure, paragraph
from skperceptual.cli.evaluate_provenance import list_versions
from skperceptual.cli.evaluate_style import STYLE
from skperceptual.cli.study_degradations import LEVELS, VERSIONS
from skperceptual.cli.study_pictures import draw_bars, draw_heatmap, draw_scatter
from skperceptual.cli.study_recordings import Recording
from skperceptual.cli.study_request import METRICS, Request
from skperceptual.cli.study_results import ALL, Results
from skperceptual.utils.messages import counted

__all__ = ["headline", "make_page"]

_FEW_FILES = 10
_FIRST_BESIDE = ("pesq", "stoi")
_OF_SPEECH = {"pesq", "pesq-nb", "stoi", "estoi"}

Section = tuple[str, list[Html]]


def make_page(
    request: Request,
    recordings: Sequence[Recording],
    results: Results,
    notes: Sequence[str],
    missing: Mapping[str, str],
    files: Mapping[str, str],
    when: datetime,
) -> str:
    """Make the page.

    Parameters
    ----------
    request : Request
        What was asked for.
    recordings : sequence of Recording
        What was studied.
    results : Results
        The tables.
    notes : sequence of str
        What metrics had to say.
    missing : mapping of str to str
        Metrics that could not be computed, and what they lack.
    files : mapping of str to str
        The other files of the folder, and what they hold.
    when : datetime
        The time.

    Returns
    -------
    str
        A document in HTML.
    """
    sections: dict[str, Section] = {}
    cautions = _cautions(recordings, results, notes, missing)
    if cautions:
        sections["mind"] = ("What to keep in mind", [element("ul", *cautions, class_="warnings")])
    if len(results.metrics) > 1:
        sections["correlations"] = ("How metrics follow one another", _show_pairs(results))
        sections["alike"] = ("All correlations", _show_heatmaps(results))
    sections["ranges"] = ("How far each metric moves", _show_ranges(results))
    sections["degradations"] = ("By degradation", _show_bars(results))
    sections["run"] = ("What was run", _show_run(request, recordings, results, when))
    sections["files"] = ("Other files", _show_files(files))
    links = [
        element("li", element("a", title, href=f"#{name}")) for name, (title, _) in sections.items()
    ]
    title = f"Nine degradations of {counted(len(recordings), 'recording')}"
    body = [
        element(
            "header",
            element("p", "Metrics on degraded recordings", class_="eyebrow"),
            element("h1", title),
        ),
        element(
            "main",
            element(
                "section",
                element("h2", headline(results), id="answer"),
                paragraph(
                    "Nobody listened: these are metrics beside metrics. PESQ and STOI were made "
                    "for speech, and agreement with them is no agreement with people."
                ),
                class_="answer",
                aria_labelledby="answer",
            ),
            _show_facts(recordings, results),
            element("nav", element("ul", *links), aria_label="Sections"),
            *(
                element("section", element("h2", head, id=name), *content, aria_labelledby=name)
                for name, (head, content) in sections.items()
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
        element("title", title),
        element("style", Html(STYLE)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', *body), lang='en')}\n"


def headline(results: Results) -> str:
    """Give the result in one sentence.

    Parameters
    ----------
    results : Results
        The tables.

    Returns
    -------
    str
        The sentence.
    """
    embeddings, others = _split(results)
    beside = [name for name in _FIRST_BESIDE if name in others] or others[:1]
    if not (embeddings and beside):
        names = ", ".join(METRICS[name].label for name in results.metrics)
        return f"{names} on {counted(len(results.values), 'degraded version')}."
    one = embeddings[0]
    content = results.contents[-1]
    found = [
        f"{number(results.correlation(content, one, other)['pearson'])} with {METRICS[other].label}"
        for other in beside
    ]
    return f"{METRICS[one].label}: Pearson {' and '.join(found)}."


def _split(results: Results) -> tuple[list[str], list[str]]:
    """Give metrics on embeddings, and the others."""
    embeddings = [name for name in results.metrics if METRICS[name].embedding is not None]
    return embeddings, [name for name in results.metrics if name not in embeddings]


def _show_facts(recordings: Sequence[Recording], results: Results) -> Html:
    facts = {"Recordings": f"{len(recordings)}"}
    contents = [content for content in results.contents if content != ALL]
    for content in contents if 1 < len(contents) <= 4 else []:
        n_files = sum(recording.content == content for recording in recordings)
        facts[f"of {content}"] = f"{n_files}"
    facts |= {"Degraded versions": f"{len(results.values)}", "Metrics": f"{len(results.metrics)}"}
    cells = [
        element("div", element("dt", name), element("dd", fact)) for name, fact in facts.items()
    ]
    return element("dl", *cells, class_="facts")


def _cautions(
    recordings: Sequence[Recording],
    results: Results,
    notes: Sequence[str],
    missing: Mapping[str, str],
) -> list[Html]:
    cautions = {f"{METRICS[name].label} is missing": text for name, text in missing.items()}
    contents = [recording.content for recording in recordings]
    if set(contents) - {"speech"} and _OF_SPEECH & set(results.metrics):
        cautions["Made for speech"] = (
            "PESQ and STOI were made and validated for speech. Their values for anything else are "
            "numbers without that meaning."
        )
    if "fad" in results.metrics:
        cautions["FAD of single recordings"] = (
            "it is made for sets of many recordings; with the few frames of one, most of it is "
            "bias, which is alike only for recordings of one length."
        )
    few = [one for one in dict.fromkeys(contents) if contents.count(one) < _FEW_FILES]
    if few:
        cautions["Few recordings"] = (
            f"fewer than {_FEW_FILES} of {', '.join(few)}. Intervals from so few are guesses "
            "themselves, and a single recording has none."
        )
    told = [*cautions.items(), *(("No value or a remark", note) for note in notes)]
    return [element("li", element("strong", f"{title}: "), text) for title, text in told]


# -- correlations --------------------------------------------------------------------------------


def _show_pairs(results: Results) -> list[Html]:
    embeddings, others = _split(results)
    rows_of = embeddings or results.metrics[:1]
    columns_of = (
        others if embeddings and others else [m for m in results.metrics if m not in rows_of]
    )
    parts = [
        paragraph(
            "Pearson's correlation tells how far values lie on a straight line, Spearman's how far "
            "they come in the same order; “within recordings” is Spearman's among the nine "
            "versions of one recording, averaged. Intervals (95 %) are for other recordings of the "
            "same kind. Distances, which fall as quality rises, keep their sign."
        )
    ]
    for content in results.contents:
        rows = []
        for one in rows_of:
            for other in columns_of:
                found = results.correlation(content, one, other)
                rows.append(
                    [
                        element("span", METRICS[one].label, " and ", METRICS[other].label),
                        correlation(found, "pearson"),
                        correlation(found, "spearman"),
                        number(found["within_file"]),
                    ]
                )
        header = [
            "Metrics",
            "Pearson, 95 % interval",
            "Spearman, 95 % interval",
            "Within recordings",
        ]
        parts.append(data_table(f"Correlations, {_name(content)}", header, rows))
    pictures = [
        figure(
            draw_scatter(results, one, other, f"scatter{row}x{column}"),
            f"{METRICS[other].label} over {METRICS[one].label}",
            above=True,
        )
        for row, one in enumerate(rows_of)
        for column, other in enumerate(columns_of)
        if results.values[[one, other]].dropna().shape[0] > 1
    ]
    return [*parts, element("div", *pictures, class_="grid")]


def _show_heatmaps(results: Results) -> list[Html]:
    known = results.correlations.dropna(subset="pearson")["content"].unique()
    pictures = [
        figure(draw_heatmap(results, content, f"heatmap{place}"), _name(content), above=True)
        for place, content in enumerate(results.contents)
        if content in known
    ]
    return [
        paragraph("Pearson's correlation of every two metrics, over all versions of a content."),
        *pictures,
    ]


def _name(content: str) -> str:
    return "all recordings" if content == ALL else content


# -- ranges and degradations ---------------------------------------------------------------------


def _show_ranges(results: Results) -> list[Html]:
    rows: list[list[object]] = []
    for _, row in results.ranges.iterrows():
        if row["content"] == ALL:
            continue
        digits = 3 if METRICS[row["metric"]].embedding else 2
        rows.append(
            [
                element("span", METRICS[row["metric"]].label, ", ", name_of(row["content"])),
                *(number(row[level], digits) for level in LEVELS),
                element("span", number(row["best"], digits), " ", _quiet(row.get("best_version"))),
                element(
                    "span", number(row["worst"], digits), " ", _quiet(row.get("worst_version"))
                ),
            ]
        )
    header = ["Metric", "Low", "High", "Extreme", "Best of the nine", "Worst of the nine"]
    return [
        paragraph(
            "Means over recordings: of the three degradations at each level, and of the version "
            "that the metric finds mildest and harshest. A level of one degradation is no level of "
            "another: 12 bits with a low-pass are less than hardly audible noise to one metric, "
            "and more to the next."
        ),
        data_table("Range of each metric, from low to extreme", header, rows),
    ]


def _quiet(text: Any) -> Html:
    return element("span", text if isinstance(text, str) else "", class_="range")


def _show_bars(results: Results) -> list[Html]:
    meanings = [[version.name, version.meaning] for version in VERSIONS]
    parts = [
        data_table("The nine degradations", ["Name", "What is done"], meanings, words=(0, 1)),
        paragraph(
            "Every version is then scaled to a peak of 1, as in the report. Lines on bars: 95 % "
            "intervals of the mean over recordings. Bars need not begin at 0."
        ),
    ]
    for place, content in enumerate(one for one in results.contents if one != ALL):
        pictures = [
            figure(
                draw_bars(results, content, name, f"bars{place}x{column}"),
                METRICS[name].label,
                above=True,
            )
            for column, name in enumerate(results.metrics)
            if results.rows_of(content)[name].notna().any()
        ]
        parts += [element("h3", name_of(content)), element("div", *pictures, class_="grid")]
    return parts


# -- what was run --------------------------------------------------------------------------------


def _show_run(
    request: Request, recordings: Sequence[Recording], results: Results, when: datetime
) -> list[Html]:
    seconds = [recording.seconds(request.duration_seconds) for recording in recordings]
    about: list[list[object]] = [
        ["Recordings", f"{len(recordings)}, {min(seconds):.1f} to {max(seconds):.1f} s"],
        ["Converted to", "16000 Hz, mean of the channels"],
        ["Seed of the noise", request.seed],
        ["Made", when.strftime("%Y-%m-%d %H:%M %Z").strip()],
        ["Made with", list_versions()],
    ]
    settings = [
        [METRICS[name].label, METRICS[name].description, _way(name)] for name in results.metrics
    ]
    return [
        element("h3", "Command"),
        element("pre", element("code", shlex.join(["skperceptual", *request.command]))),
        data_table("What was studied", ["What", "Value"], about, words=(0, 1)),
        data_table("The metrics", ["Metric", "What it is", "Better is"], settings, words=range(3)),
        paragraph(
            "Intervals: the jackknife over recordings (skperceptual.metrics.correlation_interval). "
            "The study is S. Ghosh's, Implementation of a neural network-based perceptual loss for "
            "audio, TU Ilmenau, 2025."
        ),
    ]


def _way(name: str) -> str:
    return "higher" if METRICS[name].higher_is_better else "lower"


def _show_files(files: Mapping[str, str]) -> list[Html]:
    lines = [
        element("li", element("a", name, href=name), f": {content}.")
        for name, content in files.items()
    ]
    return [element("p", "In the same folder:"), element("ul", *lines)]
