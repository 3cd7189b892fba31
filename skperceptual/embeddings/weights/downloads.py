"""Download a published file of weights, and keep nothing but that file."""

from __future__ import annotations

import os
from http.client import HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from tqdm import tqdm

from skperceptual.embeddings.weights.identity import digests_of
from skperceptual.embeddings.weights.location import weights_home
from skperceptual.embeddings.weights.registry import SHA256_DIGITS, WeightFile
from skperceptual.utils.downloads import download
from skperceptual.utils.file_locks import exclusive
from skperceptual.utils.http_requests import (
    DownloadError,
    TemporaryFailure,
    describe,
    open_url,
)

_BLOCK = 2**18


def fetch_file(
    file: WeightFile,
    *,
    data_home: str | os.PathLike[str] | None,
    download_if_missing: bool,
    verbose: bool | int,
) -> Path:
    """Give the path of a published file, after it was downloaded if need be.

    Parameters
    ----------
    file : WeightFile
        The file.
    data_home : path-like or None
        The folder for data.
    download_if_missing : bool
        Whether to download what is not there.
    verbose : bool or int
        Whether to show a progress bar.

    Returns
    -------
    Path
        A file whose hash was checked.

    Raises
    ------
    OSError
        The file is missing and not to be downloaded, or the download failed.
    """
    path = weights_home(data_home) / file.name
    if _is_intact(path, file):
        return path
    if not download_if_missing:
        raise OSError(
            f"There is no {file.name} with the expected identity ({file.identity()}) in "
            f"{path.parent}. Use download_if_missing=True to download it from {file.url}, or "
            "data_home to name the folder that has it."
        )
    if file.size is not None and file.sha256 is not None and len(file.sha256) == SHA256_DIGITS:
        return download(file.url, path, size=file.size, sha256=file.sha256, verbose=verbose)
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.with_name(f"{path.name}.lock"), verbose=verbose):
        if not _is_intact(path, file):
            _download(file, path, verbose)
    return path


def _is_intact(path: Path, file: WeightFile) -> bool:
    return path.is_file() and digests_of(path).belong_to(file)


def _download(file: WeightFile, path: Path, verbose: bool | int) -> None:
    """Download a small file whose size nobody published: all of it or nothing."""
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        arrived = Path(part.name)
        try:
            _receive(file, part, verbose)
            part.close()
            found = digests_of(arrived)
            if not found.belong_to(file):
                raise DownloadError(
                    f"What came from {file.url} is not the expected file: expected "
                    f"{file.identity()}, got SHA-256 {found.sha256}, git blob {found.git_blob}, "
                    f"{found.size:,} bytes. It was deleted. Try again; if that does not help, the "
                    "file has changed at its source, or something between here and there changes "
                    "it."
                )
            arrived.replace(path)
        except (TemporaryFailure, HTTPException) as failure:
            raise DownloadError(
                f"Cannot download {file.url}: {describe(failure)}. Check the connection to the "
                "internet (and the proxy, if there is one), then call again."
            ) from failure
        finally:
            part.close()
            arrived.unlink(missing_ok=True)


def _receive(file: WeightFile, part: IO[bytes], verbose: bool | int) -> None:
    with (
        open_url(file.url) as response,
        tqdm(
            desc=file.name, total=response.length, unit="B", unit_scale=True, disable=not verbose
        ) as bar,
    ):
        announced = response.length
        remaining = file.largest if announced is None else announced
        if remaining > file.largest:
            raise DownloadError(
                f"What {file.url} brings is not the expected file: {remaining:,} bytes, expected "
                f"{file.largest:,} at most."
            )
        while remaining and (block := response.read1(min(_BLOCK, remaining))):
            part.write(block)
            bar.update(len(block))
            remaining -= len(block)
        if announced is not None and remaining:
            raise TemporaryFailure(f"the connection ended {remaining} bytes too early")
