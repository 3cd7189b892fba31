"""Download a file whose size and hash are known, and trust nothing else about it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
import time
from http.client import HTTPException, HTTPResponse
from io import FileIO
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tqdm import tqdm

from skperceptual.utils.file_locks import exclusive
from skperceptual.utils.http_requests import (
    SCHEMES,
    DownloadError,
    TemporaryFailure,
    describe,
    first_byte,
    open_url,
)

_BLOCK = 2**18
# Attempts without a byte of progress, and the waits between them: 1, 2, 4, 8 s.
_ATTEMPTS = 5
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0


def download(
    url: str,
    path: str | os.PathLike[str],
    *,
    size: int,
    sha256: str,
    verbose: bool | int = 0,
) -> Path:
    """Download a file of known size and hash, going on where an earlier attempt ended.

    What has arrived is kept beside the file, in ``<name>.part``, until it is complete and its
    hash is right; then it is renamed. So ``path`` never holds anything but the whole file. An
    interrupted or broken download is continued by the next call. Calls for one path, by several
    threads or processes, wait for one another, and the first one downloads for all.

    Parameters
    ----------
    url : str
        Where the file is: http or https. Redirections are followed, but from https to nothing
        else.
    path : path-like
        Where to put it. Missing folders are made. A file that is there already is left as it is
        if size and hash are right, without any request, and replaced if they are not.
    size : int
        The file's size in bytes. Not one byte more is written.
    sha256 : str
        The file's SHA-256, in hexadecimal.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    DownloadError
        An OSError: the server cannot be reached or refuses, the connection breaks again and
        again (what has arrived is kept), or size or hash are wrong (it is deleted, so that the
        next call starts anew).
    OSError
        The file cannot be written: a full disk (what has arrived is kept), or no permission.
    ValueError
        ``url`` is neither http nor https, or ``size`` or ``sha256`` cannot be right.

    Examples
    --------
    >>> from skperceptual.utils.downloads import download
    >>> download("file:///etc/hosts", "hosts", size=100, sha256=64 * "0")
    Traceback (most recent call last):
    ValueError: Expected an http or https URL; got 'file:///etc/hosts'.
    """
    if urlsplit(url).scheme not in SCHEMES:
        raise ValueError(f"Expected an http or https URL; got {url!r}.")
    if size < 0:
        raise ValueError(f"Expected a size of 0 bytes or more; got {size}.")
    if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"Expected a SHA-256 of 64 hexadecimal digits; got {sha256!r}.")
    path = Path(path)
    if not is_intact(path, size=size, sha256=sha256):
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(path.with_name(f"{path.name}.lock"), verbose=verbose):
            if not is_intact(path, size=size, sha256=sha256):
                _download(url, path, size, sha256, verbose)
    return path


def is_intact(path: str | os.PathLike[str], *, size: int, sha256: str) -> bool:
    """Say whether a file is there and has this size and hash.

    Parameters
    ----------
    path : path-like
        The file.
    size : int
        The expected size in bytes.
    sha256 : str
        The expected SHA-256, in hexadecimal.

    Returns
    -------
    bool
        False too where there is no file, or none that can be read.

    Examples
    --------
    >>> from skperceptual.utils.downloads import is_intact
    >>> is_intact("missing.bin", size=0, sha256=64 * "0")
    False
    """
    path = Path(path)
    try:
        return path.stat().st_size == size and _sha256(path) == sha256.lower()
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(url: str, path: Path, size: int, sha256: str, verbose: bool | int) -> None:
    part = path.with_name(f"{path.name}.part")
    # What an earlier attempt left is of no use if nothing can be appended to it and it is wrong.
    if (
        part.exists()
        and part.stat().st_size >= size
        and not is_intact(part, size=size, sha256=sha256)
    ):
        part.unlink()
    try:
        # Unbuffered: what has arrived is in the file, however this ends.
        with part.open("ab", buffering=0) as file:
            _check_space(part, size - file.tell())
            with tqdm(
                desc=path.name,
                total=size,
                initial=file.tell(),
                unit="B",
                unit_scale=True,
                disable=not verbose,
            ) as bar:
                _receive_all(url, file, size, bar)
            os.fsync(file.fileno())
    except BaseException:
        if part.exists() and part.stat().st_size == 0:
            part.unlink()
        raise
    # Of what is on the disk, not of what passed by on its way there.
    found = _sha256(part)
    if found != sha256.lower():
        part.unlink()
        raise DownloadError(
            f"What came from {url} is not the expected file: expected SHA-256 {sha256.lower()}, "
            f"got {found}. It was deleted. Try again; if that does not help, the file has changed "
            "at its source, or something between here and there changes it."
        )
    part.replace(path)


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"{needed / 1e6:.1f} MB are still to come and {free / 1e6:.1f} MB are free on this "
            "disk. Make room, then call again",
            str(part),
        )


def _receive_all(url: str, file: FileIO, size: int, bar: tqdm[Any]) -> None:
    """Append to the file until it has its size, over as many connections as that takes."""
    furthest = file.tell()
    n_failed = 0
    resume = True
    while file.tell() < size:
        try:
            _receive(url, file, size, bar, start=file.tell() if resume else 0)
        except TemporaryFailure as failure:
            # A server that cannot resume starts anew each time: only what was never reached
            # before is progress, or this might go on for ever.
            n_failed = 1 if file.tell() > furthest else n_failed + 1
            furthest = max(furthest, file.tell())
            resume = not failure.restart
            if n_failed >= _ATTEMPTS:
                raise DownloadError(
                    f"Cannot download {url}: {failure}, at the last of {n_failed} attempts. Check "
                    "the connection to the internet (and the proxy, if there is one), then call "
                    f"again: {file.tell()} of {size} bytes are kept."
                ) from failure
            if not bar.disable:
                bar.write(f"{failure}; trying again", file=sys.stderr)
            wait = max(failure.wait_seconds, _FIRST_WAIT_SECONDS * 2 ** (n_failed - 1))
            time.sleep(min(wait, _LONGEST_WAIT_SECONDS))


def _receive(url: str, file: FileIO, size: int, bar: tqdm[Any], *, start: int) -> None:
    """Append what one connection brings, or replace what is there if it brings everything."""
    with open_url(url, start=start) as response:
        # Before anything is given up for it: networks that want a login answer with a page.
        if response.headers.get_content_type() == "text/html":
            _refuse(url, size, "a web page came")
        begin, announced = first_byte(response)
        if announced not in (size, None):
            _refuse(url, size, f"the server has {announced} bytes")
        if begin not in (0, file.tell()):
            raise TemporaryFailure("the server sends another part than it was asked", restart=True)
        if begin != file.tell():
            _empty(file)
            bar.reset(size)
        remaining = size - begin
        # Where no length is announced, one byte too many tells that there are too many.
        beyond = 0 if response.length == remaining else 1
        while remaining + beyond > 0:
            block = _read(response, min(_BLOCK, remaining + beyond))
            if not block:
                break
            if len(block) > remaining:
                _empty(file)
                _refuse(url, size, "more came")
            _write(file, block)
            remaining -= len(block)
            bar.update(len(block))
    if remaining:
        raise TemporaryFailure(f"the connection ended {remaining} bytes too early")


def _read(response: HTTPResponse, n_bytes: int) -> bytes:
    """Read what is there, at most ``n_bytes``; nothing at the end."""
    try:
        return response.read1(n_bytes)
    except (OSError, HTTPException) as error:
        raise TemporaryFailure(describe(error)) from error


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}; what has arrived is kept. Put that right, then call again",
            str(file.name),
        ) from error


def _empty(file: FileIO) -> None:
    file.truncate(0)
    file.seek(0)


def _refuse(url: str, size: int, found: str) -> NoReturn:
    raise DownloadError(
        f"What {url} brings is not the expected file: expected {size} bytes, but {found}. Open "
        "the address in a browser: a network may want a login first; or the file has changed."
    )
