"""The two files of every row in a table of pairs."""

from __future__ import annotations

import filecmp
from typing import NamedTuple

import pandas as pd

from skperceptual.datasets.named_files import NamedFile, find_files

SIDES = ("reference", "degraded")


class Pair(NamedTuple):
    """A row of the table, by its position, and the files that it names."""

    row: int
    reference: NamedFile
    degraded: NamedFile

    @property
    def files(self) -> tuple[NamedFile, NamedFile]:
        """Both files."""
        return self.reference, self.degraded

    def is_usable(self) -> bool:
        """Whether both files are there and can be read."""
        return not any(file.problem for file in self.files)

    def is_hidden_reference(self) -> bool:
        """Whether the degraded file of a usable pair is the reference, or a copy of it."""
        reference, degraded = self.reference.real, self.degraded.real
        # Files of different size are not opened, others up to their first difference.
        return reference == degraded or filecmp.cmp(reference, degraded, shallow=False)


def find_pairs(
    table: pd.DataFrame, folder: str, *, n_jobs: int | None, verbose: bool | int, caller: str
) -> list[Pair]:
    """Find the files that a table names, and read their headers.

    Parameters
    ----------
    table : DataFrame
        References in the first column, degraded files in the second; the index is the position.
    folder : str
        Where relative names start from, absolute.
    n_jobs, verbose, caller : Any
        As :func:`~skperceptual.datasets.file_headers.read_headers` takes them.

    Returns
    -------
    list of Pair
        One entry a row.
    """
    cells = [cell for column in table.columns for cell in table[column].tolist()]
    files = find_files(cells, folder, n_jobs=n_jobs, verbose=verbose, caller=caller)
    references, degraded = files[: len(table)], files[len(table) :]
    return [Pair(*row) for row in zip(table.index.tolist(), references, degraded, strict=True)]
