"""Whether a file of weights is what it should be, before anything in it is looked at."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from skperceptual.embeddings.weights import registry
from skperceptual.embeddings.weights.registry import WeightFile, files_of

_BLOCK = 2**20


class WeightsError(ValueError):
    """A file of weights is not what it should be.

    Examples
    --------
    >>> from skperceptual.embeddings.weights import WeightsError
    >>> issubclass(WeightsError, ValueError)
    True
    """


class Digests(NamedTuple):
    """What a file is recognised by.

    Parameters
    ----------
    size : int
        Bytes.
    sha256 : str
        SHA-256 in hexadecimal.
    git_blob : str
        The id that git gives it.
    """

    size: int
    sha256: str
    git_blob: str

    def belong_to(self, file: WeightFile) -> bool:
        """Say whether all that is known of a published file is true of this one.

        Parameters
        ----------
        file : WeightFile
            The published file.

        Returns
        -------
        bool
            Whether it is that file.
        """
        return (
            file.size in (None, self.size)
            and (file.sha256 is None or self.sha256.startswith(file.sha256))
            and file.git_blob in (None, self.git_blob)
        )


def digests_of(path: Path) -> Digests:
    """Read a file once and give what it is recognised by; remembered until the file changes.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Digests
        Size and hashes.
    """
    return _digests(path, *stamp_of(path))


def stamp_of(path: Path) -> tuple[int, int]:
    """Give what changes when a file is written anew: its size and the time of the last change.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of int
        Bytes, and nanoseconds.
    """
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=16)
def _digests(path: Path, size: int, changed: int) -> Digests:
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            blob.update(block)
    return Digests(size, sha256.hexdigest(), blob.hexdigest())


def verify(path: Path, model: str) -> tuple[Digests, WeightFile | None]:
    """Check that a file may be weights of a model, by its size, hash and name.

    A file under a published name has to be that file. A file under another name is the user's
    own, but must not be what was published for another model.

    Parameters
    ----------
    path : Path
        The file.
    model : str
        What it is to be used for.

    Returns
    -------
    digests : Digests
        Size and hashes.
    file : WeightFile or None
        The published file that it is, if it is one.

    Raises
    ------
    WeightsError
        When it is too large, damaged, or of another model.
    """
    largest = max(file.largest for file in files_of(model))
    size = path.stat().st_size
    if size > largest:
        raise WeightsError(
            f"{path} has {size:,} bytes, and no weights of {model} have more than {largest:,}. "
            "It is another file."
        )
    digests = digests_of(path)
    for file in registry.FILES:
        if file.name == path.name and not digests.belong_to(file):
            raise WeightsError(
                f"{path} is not the published file of that name: expected {file.identity()}, got "
                f"SHA-256 {digests.sha256}, git blob {digests.git_blob}, {size:,} bytes. It was "
                "not opened. It may be truncated or changed: download it again from "
                f"{file.url}, or give weights of your own another name."
            )
    found = [file for file in registry.FILES if _is_known(digests, file)]
    own = [file for file in found if file.model == model]
    if found and not own:
        raise WeightsError(
            f"{path} holds weights of {found[0].model} (it is {found[0].name}), and {model} was "
            f"asked for. Use {files_of(model)[0].name}."
        )
    named = [file for file in registry.FILES if file.name == path.name]
    if named and named[0].model != model:
        raise WeightsError(
            f"{path} holds weights of {named[0].model}, and {model} was asked for. Use "
            f"{files_of(model)[0].name}."
        )
    return digests, next(iter(own or named), None)


def _is_known(digests: Digests, file: WeightFile) -> bool:
    # A size alone says too little about a file of any name.
    hashed = file.sha256 is not None or file.git_blob is not None
    return hashed and digests.belong_to(file)
