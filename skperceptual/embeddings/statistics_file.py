"""Statistics of frames as a file: arrays in NumPy's form, looked at before they are read."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# More than ten times the dimension of the largest embedding known, and the longest description.
_LARGEST_DIM = 2**16
_LONGEST_NAME = 1000
# Of each array the kind of its numbers and of its axes: so many of length 1 or more.
_MEMBERS = {"n_frames": ("i", 0), "mean": ("f", 1), "scatter_root": ("f", 2), "embedding": ("U", 0)}


def write_statistics(
    path: str | os.PathLike[str],
    *,
    n_frames: int,
    mean: NDArray[np.float64],
    scatter_root: NDArray[np.float64],
    embedding: str,
) -> None:
    """Write statistics.

    Parameters
    ----------
    path : path-like
        Where to; what is there is replaced.
    n_frames : int
        Number of frames.
    mean : ndarray of shape (dim,)
        Mean frame.
    scatter_root : ndarray of shape (any, dim)
        Root of the scatter matrix.
    embedding : str
        What the frames are vectors of.
    """
    with Path(path).open("wb") as file:
        np.savez(
            file,
            n_frames=np.int64(n_frames),
            mean=mean,
            scatter_root=scatter_root,
            embedding=np.str_(embedding),
        )


def read_statistics(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays, each of the type and rank that it has to be of.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict of str to ndarray
        ``n_frames``, ``mean``, ``scatter_root`` and ``embedding``.

    Raises
    ------
    ValueError
        When the file is damaged or holds something else.
    OSError
        When it cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_sizes(archive, os.fstat(file.fileno()).st_size)
                arrays = {name: _read_array(archive, name) for name in _MEMBERS}
            _check_rows(arrays)
            return arrays
        except Exception as error:  # of damage there are as many kinds as of readers within
            raise ValueError(
                f"{os.fspath(path)} holds no statistics of frames, or is damaged. Write it anew "
                f"with FrameStatistics.save. ({error})"
            ) from error


def _check_sizes(archive: zipfile.ZipFile, n_bytes: int) -> None:
    """Refuse what unpacks to more than the file itself has, by the sizes that bound all reading."""
    if sum(info.file_size for info in archive.infolist()) > n_bytes:
        raise ValueError("it is compressed, and save does not compress")


def _check_rows(arrays: dict[str, NDArray[Any]]) -> None:
    n_rows, dim = len(arrays["scatter_root"]), len(arrays["mean"])
    if n_rows > max(dim, int(arrays["n_frames"])):
        raise ValueError(
            f"scatter_root has {n_rows} rows, more than there are frames or dimensions"
        )


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        shape, dtype = _read_header(member)
    # What the header asks for is allocated at once, so it has to be there.
    n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    if not _is_expected(name, shape, dtype) or n_bytes > info.file_size:
        raise ValueError(f"{name} has shape {shape} and type {dtype}")
    with archive.open(info) as member:
        return npy.read_array(member, allow_pickle=False)


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if npy.read_magic(member) != (1, 0):
        raise ValueError("unknown version")
    shape, _, dtype = npy.read_array_header_1_0(member)
    return shape, dtype


def _is_expected(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    kind, rank = _MEMBERS[name]
    longest = 4 * _LONGEST_NAME if kind == "U" else 8
    return (
        dtype.kind == kind
        and dtype.itemsize <= longest
        and len(shape) == rank
        and max(shape, default=0) <= _LARGEST_DIM
    )
