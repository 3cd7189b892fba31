"""Score the pairs of a table, a chunk of rows at a time."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from skperceptual.cli.audio_files import FileProblem, look_at_pairs
from skperceptual.cli.errors import CommandError
from skperceptual.cli.messages import Summary, list_lines, summarize
from skperceptual.cli.metrics import Metric, make_metrics
from skperceptual.cli.options import Reading
from skperceptual.cli.scoring import Message, learn, plain_text, score_pairs
from skperceptual.cli.tables import PairTable, open_output, read_table, write_table
from skperceptual.utils.audio_files import AudioHeader
from skperceptual.utils.messages import counted

__all__ = ["plan_chunks", "score_table"]

# What is decoded at the same time, as signals: ten minutes at 16 kHz are 38 MB.
_MAX_ROWS = 32
_MAX_SECONDS = 600.0
_LISTED = 100
_TOLERATED_SECONDS = 0.05


class _Rows(NamedTuple):
    """The rows of a table that can be scored."""

    table: PairTable
    numbers: list[int]
    pairs: list[tuple[str, str]]
    seconds: list[float]

    def line(self, row: int) -> int:
        """Give the line of the table that a row (of those that can be scored) is."""
        return self.table.lines[self.numbers[row]]


def score_table(
    path: Path,
    output: Path | None,
    metrics: Sequence[str],
    reading: Reading,
    *,
    folder: Path | None = None,
    keep_going: bool = False,
    n_jobs: int = 1,
    quiet: bool = False,
) -> None:
    """Score the pairs of a table and write the table with the scores.

    Parameters
    ----------
    path : Path
        The table.
    output : Path or None
        Where to write; None is the standard output.
    metrics : sequence of str
        Names of ready-made metrics, and paths of saved ones.
    reading : Reading
        How files are read.
    folder : Path, default=None
        Where relative file names start; None is the folder of the table.
    keep_going : bool, default=False
        Leave the cells of pairs that cannot be scored empty, instead of stopping.
    n_jobs : int, default=1
        Number of processes.
    quiet : bool, default=False
        Show no progress and no summary.

    Raises
    ------
    CommandError
        For whatever the user can put right.
    """
    table = read_table(path)
    _check_output(path, output)
    made = make_metrics(metrics, reading)
    for metric in made:
        for note in metric.notes:
            _say(f"note: {metric.name}: {note}")
    taken = [metric.name for metric in made if metric.name in table.header]
    if taken:
        raise CommandError(
            f"the table has a column {taken[0]!r} already. Rename it in the table, or leave that "
            "metric out (the column of a saved metric is named after its file)."
        )
    if folder is not None and not folder.is_dir():
        raise CommandError(f"there is no folder {str(folder)!r}, which --folder names.")
    rows = _check_files(table, folder or path.parent, reading, keep_going=keep_going)
    with open_output(output) as file:
        scores = _score_rows(rows, made, keep_going=keep_going, n_jobs=n_jobs, quiet=quiet)
        write_table(file, table, {name: values.tolist() for name, values in scores.items()})
    if output is not None and not quiet:
        _say(f"{output}: {counted(len(rows.pairs), 'pair')}, {', '.join(scores)}")


def _check_output(path: Path, output: Path | None) -> None:
    if output is not None and output.exists() and output.samefile(path):
        raise CommandError(
            f"the output would replace the table {str(path)!r} itself. Give another name with -o."
        )


def _check_files(table: PairTable, folder: Path, reading: Reading, *, keep_going: bool) -> _Rows:
    """Look at all files before any is decoded; tell those that cannot be used, all at once."""
    pairs = [
        (_join(folder, reference), _join(folder, degraded)) for reference, degraded in table.pairs
    ]
    headers, problems = look_at_pairs(pairs, reading)
    if problems:
        listed = _list_problems(problems, table)
        if not keep_going:
            raise CommandError(
                f"{listed}\nRelative names start in {str(folder.absolute())!r}; --folder names "
                "another folder. Repair the files, leave their lines out, or leave the cells "
                "empty with --on-error nan."
            )
        _say(f"note: {listed}")
    part = reading.duration_seconds
    rows, usable, seconds = [], [], []
    for row, (pair, found) in enumerate(zip(pairs, headers, strict=True)):
        known = [header.duration_seconds for header in found if header is not None]
        if len(known) == 2:
            rows.append(row)
            usable.append(pair)
            seconds.append(sum(known) if part is None else 2 * part)
    if not rows:
        raise CommandError("no pair of the table can be scored.")
    checked = _Rows(table, rows, usable, seconds)
    if part is None:
        _tell_lengths(checked, [headers[row] for row in rows], reading)
    return checked


def _join(folder: Path, name: str) -> str:
    return str(folder / name) if name else name


def _list_problems(problems: Sequence[FileProblem], table: PairTable) -> str:
    lines = []
    for problem in problems[:_LISTED]:
        row, role = next(iter(problem.rows.items()))
        more = f" (and {len(problem.rows) - 1} more)" if len(problem.rows) > 1 else ""
        name = table.pairs[row][role == "degraded"]
        lines.append(f"  line {table.lines[row]}, {role}{more}: {name!r} {problem.reason}")
    if len(problems) > _LISTED:
        lines.append(f"  and {len(problems) - _LISTED} more files")
    n_files = len({name for pair in table.pairs for name in pair})
    return "\n".join([f"{len(problems)} of {n_files} files cannot be used:", *lines])


def _tell_lengths(
    rows: _Rows,
    headers: Sequence[tuple[AudioHeader | None, AudioHeader | None]],
    reading: Reading,
) -> None:
    lines = []
    for row, (reference, degraded) in enumerate(headers):
        if reference is None or degraded is None:
            continue
        if abs(reference.duration_seconds - degraded.duration_seconds) > _TOLERATED_SECONDS:
            lines.append(rows.line(row))
    if lines:
        _say(
            f"note: {len(lines)} of {len(headers)} pairs differ in length by more than "
            f"{_TOLERATED_SECONDS * 1000:g} ms, and are cut to the part that both cover "
            f"({list_lines(lines)})."
            f"{'' if reading.align else ' If one is late, --align removes the delay.'}"
        )


def plan_chunks(seconds: Sequence[float]) -> Iterator[slice]:
    """Divide rows into chunks that are decoded together.

    Parameters
    ----------
    seconds : sequence of float
        How much audio each row holds.

    Yields
    ------
    slice
        A chunk, of bounded length unless it is one row.

    Examples
    --------
    >>> from skperceptual.cli.score_table import plan_chunks
    >>> [(chunk.start, chunk.stop) for chunk in plan_chunks([200, 300, 200, 9000, 10])]
    [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    start, total = 0, 0.0
    for row, duration in enumerate(seconds):
        if row > start and (row - start == _MAX_ROWS or total + duration > _MAX_SECONDS):
            yield slice(start, row)
            start, total = row, 0.0
        total += duration
    yield slice(start, len(seconds))


def _score_rows(
    rows: _Rows, metrics: Sequence[Metric], *, keep_going: bool, n_jobs: int, quiet: bool
) -> dict[str, NDArray[np.float64]]:
    chunks = list(plan_chunks(rows.seconds))
    metrics = [_learn(metric, rows) if metric.is_late else metric for metric in metrics]
    values = {metric.name: np.full(len(rows.table.rows), np.nan) for metric in metrics}
    messages: list[Message] = []
    parallel = Parallel(n_jobs=min(n_jobs, len(chunks)), return_as="generator")
    with _children_ignore_interrupts():
        results = parallel(delayed(score_pairs)(metrics, rows.pairs[chunk]) for chunk in chunks)
    hidden = quiet or not sys.stderr.isatty()
    try:
        with tqdm(total=len(rows.pairs), unit="pair", disable=hidden) as progress:
            for chunk, scores in zip(chunks, results, strict=True):
                here = [
                    message._replace(row=message.row + chunk.start) for message in scores.messages
                ]
                if not keep_going and any(message.is_failure for message in here):
                    raise CommandError(_list_failures(here, rows, len(metrics)))
                messages += here
                for name, column in scores.values.items():
                    values[name][rows.numbers[chunk]] = column
                progress.update(len(column))
    finally:
        results.close()
    for summary in summarize(messages):
        effect = "left empty: " if summary.is_failure else ""
        _say(f"note: {effect}{_tell_one(summary, rows, len(metrics))}")
    if all(np.isnan(column).all() for column in values.values()):
        raise CommandError("no pair of the table could be scored.")
    return values


@contextmanager
def _children_ignore_interrupts() -> Iterator[None]:
    """Leave Ctrl-C, which a terminal sends to all processes, to this one: it ends the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes started now inherit this
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _learn(metric: Metric, rows: _Rows) -> Metric:
    try:
        return learn(metric, rows.pairs, chunks=plan_chunks(rows.seconds))
    except ValueError as error:
        raise CommandError(
            f"{metric.name} learns from references, and cannot: {plain_text(error)}"
        ) from error


def _list_failures(messages: Sequence[Message], rows: _Rows, n_metrics: int) -> str:
    failures = [message for message in messages if message.is_failure]
    lines = [f"  {_tell_one(summary, rows, n_metrics)}" for summary in summarize(failures)]
    return "\n".join(
        [
            "some pairs cannot be scored:",
            *lines,
            "Leave their lines out, or leave the cells empty with --on-error nan.",
        ]
    )


def _tell_one(summary: Summary, rows: _Rows, n_metrics: int) -> str:
    names = "" if len(summary.metrics) == n_metrics else f"{', '.join(sorted(summary.metrics))}: "
    text = summary.tell(len(rows.pairs), lambda row: f"line {rows.line(row)}")
    return f"{names}{text} [{list_lines(map(rows.line, summary.rows))}]"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
