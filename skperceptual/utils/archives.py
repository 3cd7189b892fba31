"""Unpack archives from untrusted sources: regular files and folders, below one folder, all or none.

``tarfile`` is used to parse headers alone. Its own way of unpacking follows links, sets owners and
permissions, and refuses what is dangerous only in versions that have filters.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from skperceptual.utils.file_locks import exclusive

# Files are copied in such blocks; tarfile reads a header in one go, and none needs more.
_BLOCK = 2**16
# What headers, padding and the end of the archive may add to each member.
_OVERHEAD = 2**13
_LONGEST_NAME = 1000
# What no file can be called on some system, or leads elsewhere there.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]|[. ]$')
_DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
}


class _Refusal(Exception):
    """Why an archive is not unpacked, to be read after its name."""


class _Limits(NamedTuple):
    members: int
    bytes: int
    file_bytes: int


class ArchiveError(ValueError):
    """An archive is damaged, or holds what is not unpacked.

    Examples
    --------
    >>> from skperceptual.utils.archives import ArchiveError
    >>> issubclass(ArchiveError, ValueError)
    True
    """


def extract_tar_gz(
    archive: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    folder: str | None = None,
    max_members: int,
    max_bytes: int,
    max_file_bytes: int,
    verbose: bool | int = 0,
) -> Path:
    """Unpack a ``.tar.gz`` archive of regular files and folders.

    Everything is written into ``.<name>.unpacking`` beside the destination and renamed at the
    end: the destination is there as a whole or not at all. Owners, permissions and times of the
    archive are not taken over. The archive is refused if any member has an absolute name, a name
    with ``..`` or one that is no file name on some system, is anything but a regular file or a
    folder, or has the name of another one, upper and lower case being the same.

    Parameters
    ----------
    archive : path-like
        The archive.
    destination : path-like
        The folder that is made of it. It must not exist yet.
    folder : str, default=None
        The folder at the top of the archive that becomes the destination; what lies beside it is
        checked and left out. None makes the whole archive the destination.
    max_members : int
        How many files and folders the archive may hold.
    max_bytes : int
        How many bytes they may have together.
    max_file_bytes : int
        How many bytes one file may have.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    ArchiveError
        The archive is damaged, exceeds a limit, holds something that is not unpacked (the message
        names it), or lacks the folder. Nothing is left behind.
    FileExistsError
        The destination exists.
    OSError
        The files cannot be written. Nothing is left behind.

    Examples
    --------
    >>> import tarfile, tempfile
    >>> from pathlib import Path
    >>> from skperceptual.utils.archives import extract_tar_gz
    >>> with tempfile.TemporaryDirectory() as home:
    ...     home = Path(home)
    ...     _ = (home / "note.txt").write_text("hello")
    ...     with tarfile.open(home / "a.tar.gz", "w:gz") as archive:
    ...         archive.add(home / "note.txt", "data/note.txt")
    ...     limits = {"max_members": 9, "max_bytes": 1000, "max_file_bytes": 1000}
    ...     folder = extract_tar_gz(home / "a.tar.gz", home / "a", folder="data", **limits)
    ...     (folder / "note.txt").read_text()
    'hello'
    """
    archive, destination = Path(archive), Path(destination)
    limits = _Limits(max_members, max_bytes, max_file_bytes)
    unpacking = destination.with_name(f".{destination.name}.unpacking")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(destination.with_name(f".{destination.name}.lock"), verbose=verbose):
        if os.path.lexists(destination):
            raise FileExistsError(f"{destination} exists already. Remove it to unpack it again.")
        if unpacking.exists():  # left by a process that was killed
            shutil.rmtree(unpacking)
        try:
            unpacking.mkdir()
            _unpack(archive, unpacking, folder, limits, verbose)
            unpacking.rename(destination)
        except BaseException as error:
            shutil.rmtree(unpacking, ignore_errors=True)
            if isinstance(error, _Refusal):
                raise ArchiveError(f"{archive} {error}. Nothing was unpacked.") from error
            raise
    return destination


def _unpack(
    archive: Path, target: Path, folder: str | None, limits: _Limits, verbose: bool | int
) -> None:
    n_written = 0
    with (
        archive.open("rb") as packed,
        gzip.open(packed) as unpacked,
        tqdm(
            desc=f"unpacking {archive.name}",
            total=archive.stat().st_size,
            unit="B",
            unit_scale=True,
            disable=not verbose,
        ) as bar,
    ):
        stream = _Stream(unpacked, limits.bytes + (limits.members + 2) * _OVERHEAD)
        for parts, member in _members(stream, limits):
            if folder is not None:
                if parts[0] != folder or (len(parts) == 1 and not member.isdir()):
                    continue
                parts = parts[1:]
            n_written += 1
            path = target.joinpath(*parts)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for block in stream.content(member):
                    file.write(block)
                    bar.update(packed.tell() - bar.n)
    if not n_written:
        raise _Refusal("is empty" if folder is None else f"holds no folder {folder!r}")


class _Stream(io.RawIOBase):
    """What tarfile reads from: the unpacked bytes, counted, and few of them at a time."""

    def __init__(self, unpacked: gzip.GzipFile, limit: int) -> None:
        super().__init__()
        self._unpacked = unpacked
        self._limit = limit
        self.last = b""

    def tell(self) -> int:
        return self._unpacked.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._check(offset)
        with _damage():
            return self._unpacked.seek(offset, whence)

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= _BLOCK:
            raise _Refusal(f"is damaged: it holds a header of {size} bytes")
        self._check(self.tell() + size)
        with _damage():
            self.last = self._unpacked.read(size)
        return self.last

    def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        """Give what is in a file, block by block."""
        self.seek(member.offset_data)
        remaining = member.size
        while remaining:
            block = self.read(min(_BLOCK, remaining))
            if not block:
                raise _Refusal(f"is damaged: it ends within {member.name!r}")
            yield block
            remaining -= len(block)

    def _check(self, position: int) -> None:
        if position > self._limit + _BLOCK:
            raise _Refusal(f"unpacks to more than {self._limit} bytes")


@contextmanager
def _damage() -> Iterator[None]:
    """Call by one name what gzip, zlib and tarfile say of damaged archives."""
    try:
        yield
    except (
        EOFError,
        OverflowError,
        RecursionError,  # headers of headers of headers
        ValueError,
        gzip.BadGzipFile,
        tarfile.TarError,
        zlib.error,
    ) as error:
        raise _Refusal(f"is damaged: {error}") from error


def _members(stream: _Stream, limits: _Limits) -> Iterator[tuple[tuple[str, ...], tarfile.TarInfo]]:
    """Give the members of an archive with the parts of their names, each one checked."""
    seen: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}
    n_members = n_bytes = 0
    with _damage(), tarfile.open(fileobj=stream, mode="r:") as tar:
        while member := tar.next():
            n_members += 1
            n_bytes += member.size
            parts = _checked_name(member)
            _check_kind(member)
            if n_members > limits.members:
                raise _Refusal(f"holds more than {limits.members} files and folders")
            if member.size > limits.file_bytes:
                raise _Refusal(
                    f"holds {member.name!r} of {member.size} bytes, more than {limits.file_bytes}"
                )
            if n_bytes > limits.bytes:
                raise _Refusal(f"unpacks to more than {limits.bytes} bytes")
            if parts:
                _claim(seen, parts, member)
                yield parts, member
    # tarfile takes a damaged header for the end, which is a block of zeros.
    if stream.last.strip(b"\0"):
        raise _Refusal("is damaged: it holds something that is no header")
    # The checksum of all of it stands at the end.
    while stream.read(_BLOCK):
        pass


def _check_kind(member: tarfile.TarInfo) -> None:
    if member.size < 0:
        raise _Refusal(f"is damaged: {member.name!r} has {member.size} bytes")
    ordinary = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.isdir()
    if ordinary and not member.issparse():
        return
    kind = "a sparse file" if member.issparse() else _KINDS.get(member.type, "of unknown kind")
    raise _Refusal(f"holds {member.name!r}, which is {kind}; only files and folders are unpacked")


def _checked_name(member: tarfile.TarInfo) -> tuple[str, ...]:
    """Give the parts of a member's name, none for the archive's own folder."""
    name = member.name
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if len(name) > _LONGEST_NAME:
        reason = "is too long"
    elif name.startswith("/"):
        reason = "is absolute"
    elif ".." in parts:
        reason = "leads out of the folder"
    elif any(_FORBIDDEN.search(part) or _DEVICE_NAME.fullmatch(part) for part in parts):
        reason = "is not allowed on every system"
    elif not parts and not member.isdir():
        reason = "is empty"
    else:
        return parts
    raise _Refusal(f"holds a member whose name {reason}: {name[:_LONGEST_NAME]!r}")


def _claim(
    seen: dict[tuple[str, ...], tuple[tuple[str, ...], bool]],
    parts: tuple[str, ...],
    member: tarfile.TarInfo,
) -> None:
    """Note a name and its folders, and refuse what some file system takes for one seen before."""
    key = tuple(unicodedata.normalize("NFC", part).casefold() for part in parts)
    for depth in range(1, len(parts) + 1):
        entry = parts[:depth], depth < len(parts) or member.isdir()
        # A folder may be named again, by itself and by all that is in it.
        first = seen.setdefault(key[:depth], entry)
        if first is not entry and not (first == entry and entry[1]):
            raise _Refusal(f"holds {member.name!r}, which collides with {'/'.join(first[0])!r}")
