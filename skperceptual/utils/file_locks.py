"""One at a time, among threads and processes: locks that end with whoever holds them."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

_POLL_SECONDS = 0.1
# What flock says on network file systems without locks. Whoever works there works alone, or
# finds out by other means (a hash) that somebody interfered.
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def exclusive(path: str | os.PathLike[str], *, verbose: bool | int = 0) -> Iterator[None]:
    """Hold a lock, and wait for it while another thread or process does.

    The operating system ends the lock with the process, so that a crash leaves nothing locked.

    Parameters
    ----------
    path : path-like
        The lock: an empty file in a folder that exists, gone when nobody holds it.
    verbose : bool or int, default=0
        Whether to say on standard error that another one has to be waited for.

    Yields
    ------
    None
        While the lock is held.
    """
    path = Path(path)
    file = _open_locked(path, verbose)
    try:
        yield
    finally:
        # Windows deletes no open file; elsewhere it must go before others can lock it.
        if sys.platform == "win32":
            file.close()
            with suppress(OSError):
                path.unlink()
        else:
            path.unlink(missing_ok=True)
            file.close()


def _open_locked(path: Path, verbose: bool | int) -> BinaryIO:
    told = not verbose
    while True:
        file = path.open("ab")
        try:
            while not _try_lock(file):
                if not told:
                    told = True
                    tqdm.write(f"Waiting for whoever holds {path}", file=sys.stderr)
                time.sleep(_POLL_SECONDS)
            # Whoever held it deleted the file; a lock on that one excludes nobody.
            if _is_at(path, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise
        return True
