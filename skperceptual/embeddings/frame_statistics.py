"""Number, mean and covariance of frames, to be computed in parts, merged, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skperceptual.embeddings.statistics_file import read_statistics, write_statistics
from skperceptual.functional.frechet_distance import covariance_root
from skperceptual.utils.threads import single_threaded

# Frames that are gathered before they are worked into the root of the scatter matrix.
_BLOCK_FRAMES = 4096


@dataclass(frozen=True, eq=False, repr=False)
class FrameStatistics:
    """Number, mean and covariance of frames.

    Statistics of parts of the frames are added to give those of all, in any order and to rounding
    the same as from all frames at once. The covariance is kept as a root of the scatter matrix, the
    triangular factor of a QR decomposition: it has all digits that the frames had, where sums of
    squares lose half of them.

    Parameters
    ----------
    n_frames : int
        Number of frames, 1 or more.
    mean : ndarray of shape (dim,)
        Mean frame.
    scatter_root : ndarray of shape (any, dim)
        A matrix with ``scatter_root.T @ scatter_root`` the sum of the outer products of the frames
        less their mean.
    embedding : str, default=""
        What the frames are vectors of. Statistics of different embeddings are not merged; an empty
        name goes with any other.

    Raises
    ------
    ValueError
        When the parts do not fit together or hold what is not finite.

    See Also
    --------
    skperceptual.FrechetAudioDistance : Takes statistics wherever it takes signals.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FrameStatistics
    >>> frames = np.random.default_rng(0).random((100, 3))
    >>> parts = [FrameStatistics.from_frames(part) for part in (frames[:30], frames[30:])]
    >>> merged = sum(parts)
    >>> merged
    FrameStatistics(n_frames=100, dim=3, embedding='')
    >>> bool(np.allclose(merged.covariance, np.cov(frames.T), rtol=1e-12))
    True
    """

    n_frames: int
    mean: NDArray[np.float64]
    scatter_root: NDArray[np.float64]
    embedding: str = ""

    def __post_init__(self) -> None:
        mean, root = np.asarray(self.mean), np.asarray(self.scatter_root)
        if self.n_frames < 1 or mean.ndim != 1 or len(mean) < 1:
            raise ValueError(
                f"Expected one frame or more and a mean of shape (dim,), got {self.n_frames} and "
                f"{mean.shape}."
            )
        if root.ndim != 2 or root.shape[1] != len(mean):
            raise ValueError(
                f"Expected a root of the scatter matrix of shape (any, {len(mean)}), got "
                f"{root.shape}."
            )
        if not (np.isfinite(mean).all() and np.isfinite(root).all()):
            raise ValueError("Statistics hold NaN or infinity. Compute them anew.")

    @property
    def dim(self) -> int:
        """Length of the frames' vectors."""
        return len(self.mean)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance of shape (dim, dim), with divisor ``n_frames - 1``.

        Raises
        ------
        ValueError
            When there is one frame only.
        """
        root = self.covariance_root
        return root.T @ root

    @property
    def covariance_root(self) -> NDArray[np.float64]:
        """A root of the covariance, of shape (any, dim).

        Raises
        ------
        ValueError
            When there is one frame only.
        """
        if self.n_frames < 2:
            raise ValueError(
                "A covariance needs at least two frames, got one. Use longer clips or more of "
                "them, or a shorter hop."
            )
        return self.scatter_root / np.sqrt(self.n_frames - 1)

    @classmethod
    def from_frames(
        cls, frames: NDArray[Any] | Iterable[ArrayLike], *, embedding: str = ""
    ) -> FrameStatistics:
        """Compute statistics of frames.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, dim), or iterable of such
            Frames; an iterable, such as a generator, is taken in part by part.
        embedding : str, default=""
            What the frames are vectors of.

        Returns
        -------
        FrameStatistics
            The statistics.

        Raises
        ------
        ValueError
            When there are no frames, their vectors differ in length, or a value is not finite.
        """
        parts = [frames] if isinstance(frames, np.ndarray) else frames
        total: FrameStatistics | None = None
        waiting: list[NDArray[np.float64]] = []
        n_waiting = 0
        for part in parts:
            array = _as_frames(part)
            waiting.append(array)
            n_waiting += len(array)
            if n_waiting >= _BLOCK_FRAMES:
                total = _join(total, waiting, embedding)
                waiting, n_waiting = [], 0
        if waiting:
            total = _join(total, waiting, embedding)
        if total is None:
            raise ValueError("Found 0 frame(s) while a minimum of 1 is required.")
        return total

    @classmethod
    def from_moments(
        cls, mean: ArrayLike, covariance: ArrayLike, n_frames: int, *, embedding: str = ""
    ) -> FrameStatistics:
        """Take over a mean and a covariance that others computed.

        Parameters
        ----------
        mean : array-like of shape (dim,)
            Mean frame.
        covariance : array-like of shape (dim, dim)
            Covariance with divisor ``n_frames - 1``.
        n_frames : int
            Number of frames, 2 or more.
        embedding : str, default=""
            What the frames are vectors of.

        Returns
        -------
        FrameStatistics
            The statistics, to about half of a double's digits where the covariance has not full
            rank.

        Raises
        ------
        ValueError
            When the covariance is not one.
        """
        if n_frames < 2:
            raise ValueError(f"A covariance needs at least two frames, got n_frames={n_frames!r}.")
        with single_threaded():
            root = covariance_root(torch.tensor(np.asarray(covariance, np.float64))).numpy()
        return cls(
            int(n_frames), np.asarray(mean, np.float64), root * np.sqrt(n_frames - 1), embedding
        )

    def __add__(self, other: Any) -> FrameStatistics:
        if not isinstance(other, FrameStatistics):
            return NotImplemented
        self.check_alike(other)
        n_frames = self.n_frames + other.n_frames
        offset = other.mean - self.mean
        # The mean and the cross term of Chan, Golub and LeVeque's merge, the latter as a row.
        between = np.sqrt(self.n_frames / n_frames * other.n_frames) * offset
        root = np.concatenate([self.scatter_root, other.scatter_root, between[np.newaxis]])
        mean = self.mean + offset * (other.n_frames / n_frames)
        return FrameStatistics(n_frames, mean, _triangle(root), self.embedding or other.embedding)

    def __radd__(self, other: Any) -> Self:
        return self if other == 0 else NotImplemented

    def __repr__(self) -> str:
        return (
            f"FrameStatistics(n_frames={self.n_frames}, dim={self.dim}, "
            f"embedding={self.embedding!r})"
        )

    def check_alike(self, other: FrameStatistics) -> None:
        """Check that other statistics are about the same embedding.

        Parameters
        ----------
        other : FrameStatistics
            The others.

        Raises
        ------
        ValueError
            When they are not.
        """
        if self.dim != other.dim:
            raise ValueError(
                f"These statistics are of vectors of {self.dim} and of {other.dim} numbers. Use "
                "one embedding for all."
            )
        if self.embedding and other.embedding and self.embedding != other.embedding:
            raise ValueError(
                f"These statistics are of different embeddings, {self.embedding} and "
                f"{other.embedding}. Compute all of them with one."
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the statistics to a file of NumPy's, without pickle.

        Parameters
        ----------
        path : path-like
            Where to; what is there is replaced. The usual ending is ``.npz``, and none is added.
        """
        write_statistics(
            path,
            n_frames=self.n_frames,
            mean=self.mean,
            scatter_root=self.scatter_root,
            embedding=self.embedding,
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FrameStatistics:
        """Read statistics that ``save`` wrote.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        FrameStatistics
            The statistics.

        Raises
        ------
        ValueError
            When the file is damaged or holds something else. Sizes and types are looked at before
            anything is read, and nothing in the file is ever executed.
        """
        arrays = read_statistics(path)
        return cls(
            int(arrays["n_frames"]),
            arrays["mean"],
            arrays["scatter_root"],
            str(arrays["embedding"]),
        )


def _as_frames(part: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(part, np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"Expected frames of shape (n_frames, dim), got {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError("Frames hold NaN or infinity. Leave out the clip that they are of.")
    return array


def _join(
    total: FrameStatistics | None, parts: list[NDArray[np.float64]], embedding: str
) -> FrameStatistics:
    dims = sorted({part.shape[1] for part in parts})
    if len(dims) > 1:
        raise ValueError(
            f"Expected vectors of one length, got {dims[0]} and {dims[1]} numbers. Frames come "
            "first: (n_frames, dim)."
        )
    frames = np.concatenate(parts)
    mean = frames.mean(axis=0)
    new = FrameStatistics(len(frames), mean, _triangle(frames - mean), embedding)
    return new if total is None else total + new


def _triangle(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give a matrix of the same product with itself that has no more rows than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    with single_threaded():
        return torch.linalg.qr(torch.tensor(rows), mode="r").R.numpy()
