"""The folder of a report: all of its files or none, and none of anybody else's."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from skperceptual.cli.errors import CommandError
from skperceptual.evaluation.partial_results import PartialResults

__all__ = [
    "CORRELATIONS",
    "DIFFERENCES",
    "FILES",
    "PAGE",
    "SCORES",
    "report_folder",
    "write_report",
]

PAGE = "report.html"
SCORES = "scores.csv"
CORRELATIONS = "correlations.csv"
DIFFERENCES = "differences.csv"
FILES = (PAGE, SCORES, CORRELATIONS, DIFFERENCES)


@contextmanager
def report_folder(
    folder: Path, inputs: Iterable[Path], *, files: Sequence[str], overwrite: bool
) -> Iterator[None]:
    """Make a folder, and take it away if nothing comes into it.

    Parameters
    ----------
    folder : Path
        The folder.
    inputs : iterable of Path
        What the report is about, which no report replaces.
    files : sequence of str
        Names of the files that a report has.
    overwrite : bool
        Whether a report that is in it may be replaced.

    Yields
    ------
    None
        While there is a folder.

    Raises
    ------
    CommandError
        When it cannot be made, or holds a report.
    """
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{str(folder)!r} is a file. Name a folder with -o.")
    if not folder.absolute().parent.is_dir():
        raise CommandError(f"the folder of {str(folder)!r} does not exist. Make it first.")
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise CommandError(
            f"{str(folder)!r} holds {', '.join(there)} already. Name another folder with -o, or "
            "replace them with --overwrite."
        )
    replaced = [path for path in inputs for name in there if (folder / name).samefile(path)]
    if replaced:
        raise CommandError(
            f"the report would replace {str(replaced[0])!r} itself. Name another folder with -o."
        )
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):  # of a folder that is not empty
                folder.rmdir()


def write_report(
    folder: Path, contents: Mapping[str, str], partial: PartialResults | None, *, kept: str
) -> None:
    """Write all files beside their places, and only then put them there.

    Parameters
    ----------
    folder : Path
        Where they go.
    contents : mapping of str to str
        What each file holds, by name.
    partial : PartialResults or None
        What has kept the scores so far, and ends with this.
    kept : str
        The name of the file whose scores it has kept.
    """
    staging = folder / f".{secrets.token_hex(8)}"
    staging.mkdir()
    try:
        for name, content in contents.items():
            with (staging / name).open("x", encoding="utf-8", newline="") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        with partial.finish() if partial is not None else nullcontext() as file:
            if file is not None:
                file.write(contents[kept])
                (staging / kept).unlink()
            for path in sorted(staging.iterdir()):
                path.replace(folder / path.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
