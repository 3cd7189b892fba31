"""Time everything, and write the tables that README and documentation show.

Run it with: python benchmarks/speed/run.py [--only kernels ...] [--turns 7] [--visqol FOLDER]
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

import chunked_memory
import degradations
import floors
import from_files
import image_metrics
import joblib
import numba
import numpy as np
import pandas as pd
import perceptual_fit
import torch

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PARTS = ("kernels", "files", "fit", "memory", "degradations", "visqol", "floors")
BEGIN, END = "<!-- speed-table -->", "<!-- /speed-table -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--turns", type=int, default=7, help="how often each pair is timed")
    parser.add_argument(
        "--visqol",
        type=Path,
        metavar="FOLDER",
        help="recordings and model of ViSQOL's conformance tests; its part is left out without",
    )
    arguments = parser.parse_args()
    for part in arguments.only:
        if part == "visqol" and arguments.visqol is None:
            continue
        print(f"{part}:", flush=True)
        if part == "kernels":
            rows = [row for n in (2, 1) for row in image_metrics.run(n, arguments.turns)]
        elif part == "files":
            rows = from_files.run(arguments.turns)
        elif part == "fit":
            rows = perceptual_fit.run()
        elif part == "memory":
            rows = chunked_memory.run()
        elif part == "degradations":
            rows = degradations.run()
        elif part == "visqol":
            time_visqol(arguments.visqol, arguments.turns)
            continue
        else:
            rows = [row for n in (2, 1) for row in floors.run(n)]
        pd.DataFrame(rows).to_csv(RESULTS / f"speed_{part}.csv", index=False, float_format="%.4g")
    (RESULTS / "speed_machine.txt").write_text(machine() + "\n", encoding="utf-8")
    write_tables()


def time_visqol(folder: Path, turns: int) -> None:
    """Run its script in a process of its own, whose threads nothing has started before."""
    script = Path(__file__).with_name("visqol_pairs.py")
    command = [sys.executable, script, folder, "--output", RESULTS, "--turns", str(turns)]
    subprocess.run(command, check=True)


def machine() -> str:
    """Say in a line what the timings were taken on."""
    return (
        f"{joblib.cpu_count()} {platform.machine()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}, numba {numba.__version__}, torch {torch.__version__}"
    )


def write_tables() -> None:
    """Write the short table, for the documentation as CSV and into README as Markdown."""
    table = short_table()
    table.to_csv(RESULTS / "speed.csv", index=False)
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n{markdown(table)}\n{END}{after}", encoding="utf-8")


def short_table() -> pd.DataFrame:
    """Choose what a reader wants to know first: two threads, sixteen clips, per clip or pair.

    Of ViSQOL the pair on which it gains least.
    """
    kernels = pd.read_csv(RESULTS / "speed_kernels.csv")
    kernels = kernels[(kernels["threads"] == 2) & (kernels["items"] > 1)]
    files = pd.read_csv(RESULTS / "speed_files.csv")
    visqol = pd.read_csv(RESULTS / "speed_visqol.csv")
    visqol = visqol.loc[[visqol["times_faster"].idxmin()]]
    seconds = visqol["seconds_of_audio"].map("{:.1f} s".format)
    in_batches = kernels["items"].to_numpy()
    table = pd.concat(
        [
            kernels.assign(
                ours_ms=kernels["ours_ms"] / in_batches, theirs_ms=kernels["theirs_ms"] / in_batches
            ),
            files,
            visqol.assign(what=visqol["what"] + ", " + seconds + ", 1 thread"),
        ]
    )
    spread = zip(table["times_faster"], table["low"], table["high"], strict=True)
    return pd.DataFrame(
        {
            "What": table["what"],
            "Compared with": table["peer"],
            "Ours, ms": table["ours_ms"].map(three_digits),
            "Theirs, ms": table["theirs_ms"].map(three_digits),
            "Times faster": [f"{x:.3g} ({low:.3g} to {high:.3g})" for x, low, high in spread],
            "Memory, MB": [
                f"{ours:.0f} against {theirs:.0f}" if np.isfinite(ours) else ""
                for ours, theirs in zip(table["ours_mb"], table["theirs_mb"], strict=True)
            ],
        }
    )


def three_digits(number: float) -> str:
    return f"{float(f'{number:.3g}'):g}"


def markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()
