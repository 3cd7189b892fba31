"""The study of embeddings as quality metrics of S. Ghosh's report, on other recordings.

Implementation of a neural network-based perceptual loss for audio, seminar report, TU Ilmenau,
2025: one recording of speech and one of music, nine degradations each, two embeddings beside PESQ
and STOI. Here ``skperceptual study`` does the same with many recordings, and with the metrics that
can be computed where it runs; the tables put the two side by side.

Run it with: python benchmarks/papers/embedding_report.py FOLDER -o benchmarks/results
where FOLDER holds folders of recordings, speech/ and music/. With 84 recordings of 4 to 5 s it
takes some minutes on one core. The study itself, with its page, goes to the folder that --study
names, and is not computed again if it is there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter

import pandas as pd

from skperceptual.cli import main as skperceptual
from skperceptual.cli.study_degradations import LEVELS, VERSIONS
from skperceptual.cli.study_request import METRICS
from skperceptual.cli.study_results import Results, correlate, summarize_study

CONTENTS = ("speech", "music")
ALSO = ("log-mel", "fad", "nlpd", "ms-ssim")
REPORT = Path(__file__).parents[2] / "tests" / "data" / "embedding_report.json"
PRINTED = ("openl3", "vggish", "pesq", "stoi")
BESIDE = ("pesq", "stoi", "estoi")


def load_report() -> tuple[pd.DataFrame, dict]:
    """Give the rows that the report prints, and its other figures."""
    report = json.loads(REPORT.read_text())
    table = pd.DataFrame(report["rows"], columns=report["columns"])
    return table.assign(file=table["content"]), report


def run_study(folder: Path, study: Path, n_jobs: int) -> pd.DataFrame:
    """Run the study unless it is there; give its values."""
    values = study / "all_metrics.csv"
    if not values.exists():
        audio = [str(folder / content) for content in CONTENTS]
        command = ["study", *audio, "-o", str(study), "-j", str(n_jobs), "--also", *ALSO]
        if skperceptual(command) != 0:
            raise SystemExit("the study failed")
    table = pd.read_csv(values)
    return table.assign(file=table["file"].map(lambda name: Path(name).name))


def cell(row: pd.Series, name: str) -> str:
    """Write a correlation with its interval."""
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def lay_out_correlations(results: Results, name: str) -> pd.DataFrame:
    """Give the correlations of embeddings with the other metrics, beside those of the report."""
    printed, report = load_report()
    recomputed = correlate(printed, PRINTED).set_index(["metric", "other"])
    rows = [
        {
            "metrics": f"{METRICS[one].label} and {METRICS[other].label}",
            "the report": f"{report['pearson'][pair]:.3f}" if name == "pearson" else "",
            "its 18 rows": f"{recomputed.loc[(one, other), name]:.3f}",
            **dict.fromkeys(results.contents, ""),
        }
        for pair in report["pearson"]
        for one, other in [pair.split()]
        if one not in results.metrics
    ]
    for one in results.metrics:
        for other in BESIDE:
            if METRICS[one].embedding is None and one in BESIDE:
                continue
            row = {"metrics": f"{METRICS[one].label} and {METRICS[other].label}"}
            row |= {"the report": "", "its 18 rows": ""}
            if (one, other) in recomputed.index:
                row["its 18 rows"] = f"{recomputed.loc[(one, other), name]:.3f}"
            found = {c: results.correlation(c, one, other) for c in results.contents}
            rows.append(row | {content: cell(found[content], name) for content in found})
    return pd.DataFrame(rows)


def lay_out_versions(results: Results) -> pd.DataFrame:
    """Give the means of PESQ, STOI and ESTOI for each version, and what the report prints."""
    printed, _ = load_report()
    rows = []
    for content in CONTENTS:
        for version in VERSIONS:
            ours = results.rows_of(content)
            theirs = printed[printed["content"] == content]
            ours, theirs = (
                table[
                    (table["degradation"] == version.degradation)
                    & (table["level"] == version.level)
                ]
                for table in (ours, theirs)
            )
            row = {"content": content, "version": version.name}
            row["PESQ, report"] = f"{theirs['pesq'].item():.2f}"
            row["PESQ"] = f"{ours['pesq'].mean():.2f} ({ours['pesq'].std():.2f})"
            row["STOI, report"] = f"{theirs['stoi'].item():.3f}"
            for name in ("stoi", "estoi"):
                label = METRICS[name].label
                row[label] = f"{ours[name].mean():.3f} ({ours[name].std():.3f})"
            rows.append(row)
    return pd.DataFrame(rows)


def lay_out_ranges(results: Results) -> pd.DataFrame:
    """Give the means at each level, and the mildest and the harshest of the nine."""
    _, report = load_report()
    rows = []
    for _, found in results.ranges.iterrows():
        content, name = found["content"], found["metric"]
        if content not in CONTENTS:
            continue
        digits = 3 if METRICS[name].embedding else 2
        row = {"content": content, "metric": METRICS[name].label}
        ends = report["ranges"][content].get(name)
        row["the report"] = "" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
        row |= {level: f"{found[level]:.{digits}f}" for level in LEVELS}
        for end in ("best", "worst"):
            row[end] = f"{found[end]:.{digits}f} {found[f'{end}_version']}"
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the folders speech and music")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument(
        "--study", type=Path, default=Path("embedding-report-study"), help="folder for the study"
    )
    parser.add_argument("-j", "--n-jobs", type=int, default=1, help="number of processes")
    arguments = parser.parse_args()
    start = perf_counter()
    values = run_study(arguments.folder, arguments.study, arguments.n_jobs)
    metrics = [name for name in METRICS if name in values.columns]
    results = summarize_study(values, metrics)
    arguments.output.mkdir(parents=True, exist_ok=True)
    tables = {
        "values": values.round(6),
        "correlations": results.correlations.round(4),
        "pearson": lay_out_correlations(results, "pearson"),
        "spearman": lay_out_correlations(results, "spearman"),
        "versions": lay_out_versions(results),
        "ranges": lay_out_ranges(results),
    }
    for name, table in tables.items():
        table.to_csv(
            arguments.output / f"embedding_report_{name}.csv", index=False, lineterminator="\n"
        )
    with pd.option_context("display.width", 250, "display.max_columns", 20):
        for name in ("pearson", "spearman", "versions", "ranges"):
            print(f"\n{name}\n{tables[name].to_string(index=False)}")
    print(f"{perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
