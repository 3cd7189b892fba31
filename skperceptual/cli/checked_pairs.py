"""The pairs of a table whose files can be used, found out before anything is decoded."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.cli.audio_files import FileProblem, look_at_pairs
from skperceptual.cli.errors import CommandError
from skperceptual.cli.messages import list_lines, say
from skperceptual.cli.options import Reading
from skperceptual.cli.tables import PairTable

__all__ = ["CheckedPairs", "PairFiles", "check_pairs"]

_LISTED = 100
_TOLERATED_SECONDS = 0.05


class PairFiles(NamedTuple):
    """The two files of a pair, and what changes when they are replaced: sizes and times.

    Examples
    --------
    >>> from skperceptual.cli.checked_pairs import PairFiles
    >>> PairFiles(("/a.wav", "/b.wav"), ((44, 0), (44, 0))).names
    ('/a.wav', '/b.wav')
    """

    names: tuple[str, str]
    states: tuple[tuple[int, int] | None, tuple[int, int] | None]


class CheckedPairs:
    r"""The pairs that can be scored, in order; a few bytes each are in memory.

    Parameters
    ----------
    table : PairTable
        The table.
    folder : Path
        Where relative file names start.

    Attributes
    ----------
    rows : array of int
        The rows of the table that they are.
    seconds : array of float
        How much audio each holds.

    Examples
    --------
    >>> from array import array
    >>> from pathlib import Path
    >>> from skperceptual.cli.checked_pairs import CheckedPairs
    >>> from skperceptual.cli.tables import PairTable
    >>> content = b"reference,degraded\na.wav,b.wav\n"
    >>> table = PairTable(content, ",", ["reference", "degraded"], array("Q", [2]))
    >>> len(CheckedPairs(table, Path("there")))
    0
    """

    def __init__(self, table: PairTable, folder: Path) -> None:
        self.table = table
        self.folder = folder.absolute()
        self.rows = array("Q")
        self.seconds = array("d")

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[PairFiles]:
        pair = 0
        for row, names in enumerate(self.names()):
            if pair < len(self) and self.rows[pair] == row:
                yield PairFiles(names, (_state(names[0]), _state(names[1])))
                pair += 1

    def names(self) -> Iterator[tuple[str, str]]:
        """Give the file names of all rows of the table, also of those that cannot be scored.

        Yields
        ------
        (str, str)
            Absolute, the reference first; an empty cell stays empty.
        """
        for reference, degraded in self.table.pairs():
            yield self._join(reference), self._join(degraded)

    def spread(self, scores: NDArray[np.float64]) -> Iterator[list[float]]:
        """Give the scores of all rows of the table.

        Parameters
        ----------
        scores : ndarray of shape (n_pairs, n_metrics)
            Those of these pairs.

        Yields
        ------
        list of float
            One a metric, NaN in rows that cannot be scored.
        """
        pair = 0
        for row in range(len(self.table.lines)):
            if pair < len(self) and self.rows[pair] == row:
                yield scores[pair].tolist()
                pair += 1
            else:
                yield [np.nan] * scores.shape[1]

    def line(self, pair: int) -> int:
        """Give the line of the table that a pair comes from.

        Parameters
        ----------
        pair : int
            Its place among those that can be scored.

        Returns
        -------
        int
            The line.
        """
        return self.table.lines[self.rows[pair]]

    def _join(self, name: str) -> str:
        return str(self.folder / name) if name else name


def _state(file: str) -> tuple[int, int] | None:
    try:
        status = Path(file).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def check_pairs(
    table: PairTable, folder: Path, reading: Reading, *, keep_going: bool
) -> CheckedPairs:
    """Look at all files of a table; tell those that cannot be used, all at once.

    Parameters
    ----------
    table : PairTable
        The table.
    folder : Path
        Where relative file names start.
    reading : Reading
        What is going to be read of each file.
    keep_going : bool
        Leave pairs that cannot be scored out, instead of stopping.

    Returns
    -------
    CheckedPairs
        The others.

    Raises
    ------
    CommandError
        When a file cannot be used, or none can.
    """
    pairs = CheckedPairs(table, folder)
    problems: dict[str, FileProblem] = {}
    differ = []
    for row, headers in enumerate(look_at_pairs(pairs.names(), reading, problems)):
        if headers is None:
            continue
        reference, degraded = (header.duration_seconds for header in headers)
        pairs.rows.append(row)
        if reading.duration_seconds is not None:
            pairs.seconds.append(2 * reading.duration_seconds)
            continue
        pairs.seconds.append(reference + degraded)
        if abs(reference - degraded) > _TOLERATED_SECONDS:
            differ.append(table.lines[row])
    if problems:
        listed = _list_problems(list(problems.values()), table)
        if not keep_going:
            raise CommandError(
                f"{listed}\nRelative names start in {str(pairs.folder)!r}; --folder names "
                "another folder. Repair the files, leave their lines out, or leave the cells "
                "empty with --on-error nan."
            )
        say(f"note: {listed}")
    if not pairs:
        raise CommandError("no pair of the table can be scored.")
    if differ:
        say(
            f"note: {len(differ)} of {len(pairs)} pairs differ in length by more than "
            f"{_TOLERATED_SECONDS * 1000:g} ms, and are cut to the part that both cover "
            f"({list_lines(differ)})."
            f"{'' if reading.align else ' If one is late, --align removes the delay.'}"
        )
    return pairs


def _list_problems(problems: Sequence[FileProblem], table: PairTable) -> str:
    shown = {next(iter(problem.rows)) for problem in problems[:_LISTED]}
    names = {row: pair for row, pair in enumerate(table.pairs()) if row in shown}
    lines = []
    for problem in problems[:_LISTED]:
        row, role = next(iter(problem.rows.items()))
        more = f" (and {len(problem.rows) - 1} more)" if len(problem.rows) > 1 else ""
        name = names[row][role == "degraded"]
        lines.append(f"  line {table.lines[row]}, {role}{more}: {name!r} {problem.reason}")
    if len(problems) > _LISTED:
        lines.append(f"  and {len(problems) - _LISTED} more files")
    n_files = len({name for pair in table.pairs() for name in pair})
    return "\n".join([f"{len(problems)} of {n_files} files cannot be used:", *lines])
