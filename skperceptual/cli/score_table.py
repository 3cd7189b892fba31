"""Score the pairs of a table, a chunk of rows at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from errno import EISDIR
from pathlib import Path
from typing import IO, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from skperceptual._version import __version__
from skperceptual.cli.checked_pairs import CheckedPairs, check_pairs
from skperceptual.cli.errors import CommandError
from skperceptual.cli.messages import Summary, list_lines, say, summarize
from skperceptual.cli.metrics import Metric, make_metrics
from skperceptual.cli.options import Reading
from skperceptual.cli.scoring import Message, PairScorer, learn, plain_text
from skperceptual.cli.tables import read_table, write_table
from skperceptual.evaluation.chunked_prediction import finish_chunks
from skperceptual.evaluation.partial_results import (
    Finished,
    PartialResults,
    UnfinishedError,
    open_partial,
)
from skperceptual.evaluation.row_chunks import Rows
from skperceptual.utils.messages import counted

__all__ = ["ScoredPairs", "plan_chunks", "score_table", "scored"]

# What is decoded at the same time, as signals: ten minutes at 16 kHz are 38 MB.
_MAX_ROWS = 32
_MAX_SECONDS = 600.0


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
        Where to write; None is the standard output. Scores on their way to a file are kept
        beside it (``.part``), and the same call after an interruption goes on from there.
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
            say(f"note: {metric.name}: {note}")
    names = [metric.name for metric in made]
    taken = [name for name in names if name in table.header]
    if taken:
        raise CommandError(
            f"the table has a column {taken[0]!r} already. Rename it in the table, or leave that "
            "metric out (the column of a saved metric is named after its file)."
        )
    if folder is not None and not folder.is_dir():
        raise CommandError(f"there is no folder {str(folder)!r}, which --folder names.")
    pairs = check_pairs(table, folder or path.parent, reading, keep_going=keep_going)
    with (
        scored(pairs, made, output, keep_going=keep_going, n_jobs=n_jobs, quiet=quiet) as results,
        _destination(output, results.partial) as file,
    ):
        write_table(file, table, names, pairs.spread(results.scores))
    if output is not None and not quiet:
        say(f"{output}: {counted(len(pairs), 'pair')}, {', '.join(names)}")


class ScoredPairs(NamedTuple):
    """The scores of pairs, and the file that keeps them until they are written.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cli.score_table import ScoredPairs
    >>> ScoredPairs(np.array([[0.5]]), None, []).scores.shape
    (1, 1)
    """

    scores: NDArray[np.float64]
    partial: PartialResults | None
    notes: list[str]


@contextmanager
def scored(
    pairs: CheckedPairs,
    metrics: Sequence[Metric],
    output: Path | None,
    *,
    keep_going: bool = False,
    n_jobs: int = 1,
    quiet: bool = False,
) -> Iterator[ScoredPairs]:
    """Score pairs, or go on after an interruption, and keep the scores until they are written.

    Parameters
    ----------
    pairs : CheckedPairs
        The pairs.
    metrics : sequence of Metric
        Those that learn from references do so first.
    output : Path or None
        The file that there will be; scores are kept beside it (``.part``) until ``finish`` of
        ``partial`` has replaced it.
    keep_going : bool, default=False
        Give NaN to pairs that cannot be scored, instead of stopping.
    n_jobs : int, default=1
        Number of processes.
    quiet : bool, default=False
        Show no progress.

    Yields
    ------
    ScoredPairs
        ``scores``, a row for each pair and a column for each metric; ``partial``, None where
        nothing is kept; ``notes``, what metrics had to say, which has been told already.

    Raises
    ------
    CommandError
        When a metric cannot learn, pairs cannot be scored, or the unfinished scores are of
        something else.
    """
    learned = [_learn(metric, pairs) if metric.is_late else metric for metric in metrics]
    try:
        with _saving(output, _about(metrics, learned)) as partial:
            if partial is not None and partial.finished and not quiet:
                done = counted(partial.n_rows, "pair")
                say(f"note: going on after {done}, whose scores are in {str(partial.path)!r}")
            try:
                scores, notes = _score(
                    pairs, learned, partial, keep_going=keep_going, n_jobs=n_jobs, quiet=quiet
                )
                yield ScoredPairs(scores, partial, notes)
            except KeyboardInterrupt as interruption:
                if partial is not None and partial.n_rows and partial.path.exists():
                    interruption.add_note(
                        f"{partial.n_rows} of {len(pairs)} pairs are scored, and their scores "
                        f"kept in {str(partial.path)!r}. The same command goes on from there."
                    )
                raise
    except UnfinishedError as error:
        raise CommandError(_tell_other_pairs(error, pairs)) from error


# -- where scores go -----------------------------------------------------------------------------


def _check_output(path: Path, output: Path | None) -> None:
    if output is None:
        return
    if not output.resolve().parent.is_dir():
        raise CommandError(f"the folder of {str(output)!r} does not exist. Make it first.")
    if not output.exists():
        return
    if output.is_dir():
        raise IsADirectoryError(EISDIR, "Is a directory", str(output))
    if output.samefile(path):
        raise CommandError(
            f"the output would replace the table {str(path)!r} itself. Give another name with -o."
        )


def _saving(
    output: Path | None, about: Mapping[str, str]
) -> AbstractContextManager[PartialResults | None]:
    """Keep scores beside the output, where that is a file, and not the terminal, a device or pipe.

    A link keeps pointing where it does.
    """
    if output is None or (output.exists() and not output.is_file()):
        return nullcontext()
    return open_partial(output.resolve(), about, replace=True)


def _destination(
    output: Path | None, partial: PartialResults | None
) -> AbstractContextManager[IO[str]]:
    if partial is not None:
        return partial.finish()
    if output is not None:
        return output.open("w", encoding="utf-8", newline="")
    return nullcontext(sys.stdout)


def _about(made: Sequence[Metric], learned: Sequence[Metric]) -> dict[str, str]:
    """Say what is computed, so that scores of something else are not mixed in."""
    late = [metric for metric, before in zip(learned, made, strict=True) if before.is_late]
    return {
        "version of skperceptual": __version__,
        "set of metrics and options": _fingerprint(made),
        "table, from which a metric learns": _fingerprint(late),
    }


def _fingerprint(metrics: Sequence[Metric]) -> str:
    return joblib.hash([(metric.name, [step.key for step in metric.steps]) for metric in metrics])


def _tell_other_pairs(error: UnfinishedError, pairs: CheckedPairs) -> str:
    if error.rows is None:
        return str(error)
    first, last = (pairs.line(min(row, len(pairs) - 1)) for row in error.rows)
    return (
        f"the unfinished scores are of other pairs: lines {first} to {last} of the table, or the "
        "files that they name, have changed since. Score the same pairs to go on, give another "
        "name with -o, or delete the unfinished file (.part) to begin anew."
    )


# -- scores --------------------------------------------------------------------------------------


def plan_chunks(seconds: Sequence[float], start: int = 0) -> Iterator[slice]:
    """Divide rows into chunks that are decoded together.

    Parameters
    ----------
    seconds : sequence of float
        How much audio each row holds.
    start : int, default=0
        Where to begin.

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
    total = 0.0
    for row in range(start, len(seconds)):
        if row > start and (row - start == _MAX_ROWS or total + seconds[row] > _MAX_SECONDS):
            yield slice(start, row)
            start, total = row, 0.0
        total += seconds[row]
    yield slice(start, len(seconds))


def _learn(metric: Metric, pairs: CheckedPairs) -> Metric:
    rows = Rows(pairs)
    chunks = (rows.take(chunk.stop - chunk.start) for chunk in plan_chunks(pairs.seconds))
    try:
        return learn(metric, ([pair.names for pair in chunk] for chunk in chunks))
    except ValueError as error:
        raise CommandError(
            f"{metric.name} learns from references, and cannot: {plain_text(error)}"
        ) from error


def _score(
    pairs: CheckedPairs,
    metrics: Sequence[Metric],
    partial: PartialResults | None,
    *,
    keep_going: bool,
    n_jobs: int,
    quiet: bool,
) -> tuple[NDArray[np.float64], list[str]]:
    """Give the scores, a row for each pair, and what else there is to say, which is told."""
    known = [] if partial is None else partial.finished
    if not keep_going:  # what failed may have been put right, and is tried again
        known = [chunk for chunk in known if not _failures(chunk)]
    new = finish_chunks(
        PairScorer(metrics),
        Rows(pairs),
        "transform",
        chunk_size=lambda row: _length(next(plan_chunks(pairs.seconds, row))),
        finished=known,
        n_jobs=min(n_jobs, sum(1 for _ in plan_chunks(pairs.seconds))),
        verbose=not quiet and sys.stderr.isatty(),
        unit="pair",
    )
    scores = np.full((len(pairs), len(metrics)), np.nan)
    messages: list[Message] = []

    def take(chunk: Finished) -> bool:
        part = scores[chunk.first : chunk.first + len(chunk.values)]
        part[:] = chunk.values[:, :-1]
        messages.extend(_messages(chunk))
        return not np.isnan(part).all()

    with closing(new):
        for chunk in new:
            if not keep_going:
                _refuse_failures(chunk, pairs, len(metrics), partial)
            if take(chunk) and partial is not None:
                partial.append(chunk)
    for chunk in known:  # only now all of them have been compared with the pairs
        take(chunk)
    notes = []
    for summary in summarize(messages):
        effect = "left empty: " if summary.is_failure else ""
        notes.append(f"{effect}{_tell_one(summary, pairs, len(metrics))}")
        say(f"note: {notes[-1]}")
    if np.isnan(scores).all():
        raise CommandError("no pair of the table could be scored.")
    return scores, notes


def _length(chunk: slice) -> int:
    return chunk.stop - chunk.start


def _messages(chunk: Finished) -> list[Message]:
    return [
        message
        for row, told in enumerate(chunk.values[:, -1], start=chunk.first)
        for message in PairScorer.messages(row, told)
    ]


def _failures(chunk: Finished) -> list[Message]:
    return [message for message in _messages(chunk) if message.is_failure]


def _refuse_failures(
    chunk: Finished, pairs: CheckedPairs, n_metrics: int, partial: PartialResults | None
) -> None:
    failures = _failures(chunk)
    if not failures:
        return
    lines = [f"  {_tell_one(summary, pairs, n_metrics)}" for summary in summarize(failures)]
    ways_out = "Leave their lines out, or leave the cells empty with --on-error nan."
    if partial is not None and partial.n_rows:
        ways_out = (
            f"Leave the cells empty with --on-error nan, which goes on after the "
            f"{counted(partial.n_rows, 'pair')} whose scores are kept in {str(partial.path)!r}; "
            "or delete that file and leave their lines out."
        )
    raise CommandError("\n".join(["some pairs cannot be scored:", *lines, ways_out]))


def _tell_one(summary: Summary, pairs: CheckedPairs, n_metrics: int) -> str:
    names = "" if len(summary.metrics) == n_metrics else f"{', '.join(sorted(summary.metrics))}: "
    text = summary.tell(len(pairs), lambda row: f"line {pairs.line(row)}")
    return f"{names}{text} [{list_lines(map(pairs.line, summary.rows))}]"
