"""Results on disk from the first chunk on: an interruption costs the chunks in work and no others.

While the work goes on they stand in ``scores.csv.part``: a line that says what is being computed,
and one line for each chunk that is done, in the order in which chunks were done. A line is
complete or worth nothing: it begins with its own checksum. At the end a file of all rows, in their
order, takes its place under the name that was asked for.
"""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.file_locks import exclusive

__all__ = ["Finished", "PartialResults", "UnfinishedError", "open_partial"]


class UnfinishedError(ValueError):
    """The unfinished file holds other results than those that are asked for.

    Parameters
    ----------
    message : str
        What it holds, and the ways out.
    rows : (int, int), default=None
        The first and the last of some rows that have changed since.
    """

    def __init__(self, message: str, rows: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.rows = rows


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

    Attributes
    ----------
    path : Path
        The unfinished file.
    n_rows : int
        How many rows it holds.
    """

    def __init__(self, output: Path, file: BinaryIO, finished: list[Finished]) -> None:
        self._output = output
        self._file = file
        self.finished = finished
        self.path = _part_of(output)
        self.n_rows = sum(len(chunk.values) for chunk in finished)

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
        self._file.flush()
        self.n_rows += len(chunk.values)  # from here on it outlives this process
        _to_disk(self._file)

    @contextmanager
    def finish(self) -> Iterator[IO[str]]:
        """Open the file that, if all goes well, takes the place of the unfinished one."""
        unfinished = self._output.with_name(f".{self._output.name}.{secrets.token_hex(8)}")
        try:
            with unfinished.open("x", encoding="utf-8", newline="") as file:
                yield file
                _to_disk(file)
            unfinished.replace(self._output)
        finally:
            unfinished.unlink(missing_ok=True)
        self._file.close()
        self.path.unlink()


@contextmanager
def open_partial(
    output: str | os.PathLike[str], about: Mapping[str, str], *, replace: bool = False
) -> Iterator[PartialResults]:
    """Begin a file of results, or go on with one that an earlier call left unfinished.

    One call at a time works on a file; others wait. An unfinished file without results is not
    left behind.

    Parameters
    ----------
    output : path-like
        The file that there will be.
    about : mapping of str to str
        What is being computed, each part under the name that an error calls it by.
    replace : bool, default=False
        Whether the results may take the place of an output that exists.

    Yields
    ------
    PartialResults
        The unfinished file.

    Raises
    ------
    FileExistsError
        When the output exists, and is not to be replaced.
    FileNotFoundError
        When its folder does not.
    UnfinishedError
        When the unfinished file holds something else.
    """
    output = Path(output)
    if not output.parent.is_dir():
        raise FileNotFoundError(f"The folder of {str(output)!r} does not exist. Make it first.")
    with exclusive(output.with_name(f".{output.name}.lock"), verbose=True):
        if output.exists() and not replace:
            raise FileExistsError(
                f"{str(output)!r} exists. Its results are complete; delete it to compute them "
                "again, or give another name."
            )
        part = _part_of(output)
        with part.open("r+b" if part.exists() else "x+b") as file:
            partial = PartialResults(output, file, _read(file, part, about))
            try:
                yield partial
            finally:
                file.close()
                if partial.n_rows == 0:
                    part.unlink(missing_ok=True)


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
    if not isinstance(found, dict) or found.keys() != about.keys():
        raise UnfinishedError(
            f"{str(part)!r} holds no unfinished results of this kind, or is damaged. Give another "
            "output, or delete it to begin anew."
        )
    changed = [name for name in about if found[name] != about[name]]
    if changed:
        raise UnfinishedError(
            f"{str(part)!r} holds unfinished results of another {' and another '.join(changed)}. "
            "Ask for the same as before to go on with it. Give another output, or delete it to "
            "begin anew."
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
