"""Results on disk from the first chunk on: an interruption costs the chunks in work and no others.

While the work goes on they stand in ``scores.csv.part``: a line that says what is being computed,
and one line for each chunk that is done, in the order in which chunks were done. A line is
complete or worth nothing: it begins with its own checksum. At the end a CSV file of all rows, in
their order, takes its place under the name that was asked for.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.file_locks import exclusive

__all__ = ["Finished", "PartialResults", "open_partial"]


class Finished(NamedTuple):
    """A chunk that is done.

    Parameters
    ----------
    first : int
        Its first row.
    digest : str
        What :func:`skperceptual.evaluation.row_chunks.digest_rows` says of its rows.
    values : ndarray of shape (n_rows,) or (n_rows, n_columns)
        What the method gave.
    """

    first: int
    digest: str
    values: NDArray[Any]


class PartialResults:
    """The unfinished file, open for appending.

    Parameters
    ----------
    output : Path
        The file that there will be.
    file : binary file
        The unfinished one, at its end.
    finished : list of Finished
        What an earlier call left, by row.
    """

    def __init__(self, output: Path, file: BinaryIO, finished: list[Finished]) -> None:
        self._output = output
        self._file = file
        self.finished = finished

    def append(self, chunk: Finished) -> None:
        """Write a chunk, and wait until it is on the disk."""
        entry = {
            "first": chunk.first,
            "digest": chunk.digest,
            "dtype": chunk.values.dtype.str,
            "values": chunk.values.tolist(),
        }
        try:
            line = _line(entry)
        except TypeError as error:
            raise TypeError(
                f"Only numbers and text can be written to {str(self._output)!r}; the result is of "
                f"type {chunk.values.dtype}. Leave output=None."
            ) from error
        self._file.write(line)
        _to_disk(self._file)

    def finish(self, columns: list[str], chunks: Iterable[Finished]) -> None:
        """Put the complete table in the place of the unfinished file."""
        unfinished = self._output.with_name(f".{self._output.name}.{secrets.token_hex(8)}")
        try:
            with unfinished.open("x", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["row", *columns])
                for chunk in chunks:
                    table = chunk.values.reshape(len(chunk.values), -1).tolist()
                    for row, values in enumerate(table, start=chunk.first):
                        writer.writerow([row, *map(_cell, values)])
                _to_disk(file)
            unfinished.replace(self._output)
        finally:
            unfinished.unlink(missing_ok=True)
        self._file.close()
        _part_of(self._output).unlink()


@contextmanager
def open_partial(
    output: str | os.PathLike[str], about: Mapping[str, str]
) -> Iterator[PartialResults]:
    """Begin a file of results, or go on with one that an earlier call left unfinished.

    One call at a time works on a file; others wait.

    Parameters
    ----------
    output : path-like
        The file that there will be.
    about : mapping of str to str
        What is being computed, each part under the name that an error calls it by.

    Yields
    ------
    PartialResults
        The unfinished file.

    Raises
    ------
    FileExistsError
        When the output exists.
    FileNotFoundError
        When its folder does not.
    ValueError
        When the unfinished file holds something else.
    """
    output = Path(output)
    if not output.parent.is_dir():
        raise FileNotFoundError(f"The folder of {str(output)!r} does not exist. Make it first.")
    with exclusive(output.with_name(f".{output.name}.lock"), verbose=True):
        if output.exists():
            raise FileExistsError(
                f"{str(output)!r} exists. Its results are complete; delete it to compute them "
                "again, or give another name."
            )
        part = _part_of(output)
        with part.open("r+b" if part.exists() else "x+b") as file:
            finished = _read(file, part, about)
            yield PartialResults(output, file, finished)


def _part_of(output: Path) -> Path:
    return output.with_name(f"{output.name}.part")


def _read(file: BinaryIO, part: Path, about: Mapping[str, str]) -> list[Finished]:
    """Take what is complete, cut off what is not, and leave the file at its end."""
    header = _line(dict(about))
    first = file.readline()
    if header.startswith(first) and first != header:  # empty, or interrupted in its first line
        file.seek(0)
        file.truncate()
        file.write(header)
        _to_disk(file)
        return []
    _check_header(_content(first), about, part)
    chunks = {}
    end = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        entry = _content(line)
        if entry is not None:
            values = np.array(entry["values"], dtype=np.dtype(entry["dtype"]))
            chunks[entry["first"]] = Finished(entry["first"], entry["digest"], values)
    file.seek(end)
    file.truncate()
    return _without_overlaps(chunks)


def _check_header(found: Any, about: Mapping[str, str], part: Path) -> None:
    way_out = f"Give another output, or delete {str(part)!r} to begin anew."
    if not isinstance(found, dict) or found.keys() != about.keys():
        raise ValueError(
            f"{str(part)!r} is no unfinished result of predict_chunked, or damaged. {way_out}"
        )
    changed = [name for name in about if found[name] != about[name]]
    if changed:
        raise ValueError(
            f"{str(part)!r} holds unfinished results of another {' and another '.join(changed)}. "
            f"Call predict_chunked as before to go on with it. {way_out}"
        )


def _without_overlaps(chunks: Mapping[int, Finished]) -> list[Finished]:
    # Two machines at once, on a file system without locks.
    kept: list[Finished] = []
    for first in sorted(chunks):
        if not kept or kept[-1].first + len(kept[-1].values) <= first:
            kept.append(chunks[first])
    return kept


def _line(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _content(line: bytes) -> Any:
    """Give what a line says, None where it is damaged."""
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    return json.loads(text) if checksum == b"%08x" % zlib.crc32(text) else None


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _cell(value: Any) -> Any:
    return "" if value != value else value
