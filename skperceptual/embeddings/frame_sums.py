"""Fréchet distances of many parts of one set of frames, from sums over them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.embeddings.frame_statistics import FrameStatistics
from skperceptual.embeddings.precomputed import Frames
from skperceptual.utils.threads import single_threaded


class FrameSums:
    """What the distance of a part of the frames from a reference needs, as sums over its frames.

    A distance needs of a part its number of frames, their sum, their energy, and the sum and the
    products of their projections onto the root of the reference's covariance. All of them add up,
    so that those of a part that is drawn again and again are computed once. They are one row of
    numbers each, to be added and weighted.

    Parameters
    ----------
    reference : FrameStatistics
        Of the reference set.
    frames : ndarray of shape (n_frames, dim)
        All frames of the measured set.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FrameStatistics
    >>> from skperceptual.embeddings.frame_sums import FrameSums
    >>> frames = np.random.default_rng(0).standard_normal((200, 3))
    >>> reference = FrameStatistics.from_frames(frames[:100])
    >>> with FrameSums.over(reference, frames[100:] + 1) as sums:
    ...     halves = sums.of(slice(0, 50)), sums.of(slice(50, 100))
    ...     bool(np.isclose(sums.distance(sum(halves)), sums.distance(sums.of(slice(None)))))
    True
    """

    def __init__(self, reference: FrameStatistics, frames: Frames) -> None:
        root = torch.tensor(reference.covariance_root)
        everything = torch.tensor(frames, dtype=torch.float64)
        # About the mean of all of them, where little is lost when a part's own mean is taken away.
        centre = everything.mean(dim=0)
        self._between = centre - torch.tensor(reference.mean)
        self._reference_trace = root.square().sum()
        self._offsets = everything - centre
        self._energies = self._offsets.square().sum(-1)
        projected = self._offsets @ root.mT
        if len(projected) < projected.shape[1]:  # they span no more dimensions than that
            projected = torch.linalg.qr(projected.mT, mode="r").R.mT
        self._projected = projected

    @classmethod
    @contextmanager
    def over(cls, reference: FrameStatistics, frames: Frames) -> Iterator[Self]:
        """Give the sums of a set, to be computed on one thread and without gradients.

        Parameters
        ----------
        reference : FrameStatistics
            Of the reference set.
        frames : ndarray of shape (n_frames, dim)
            All frames of the measured set.

        Yields
        ------
        FrameSums
            The sums.
        """
        with single_threaded(), torch.inference_mode():
            yield cls(reference, frames)

    @property
    def width(self) -> int:
        """How many numbers the sums of a part are."""
        rank = self._projected.shape[1]
        return 2 + self._offsets.shape[1] + rank + rank**2

    def of(self, rows: slice | NDArray[np.intp]) -> Tensor:
        """Give the sums of a part.

        Parameters
        ----------
        rows : slice or ndarray of int
            Its frames.

        Returns
        -------
        Tensor of shape (width,)
            What is added for the sums of several parts.
        """
        chosen: Any = rows if isinstance(rows, slice) else torch.tensor(rows)
        projected = self._projected[chosen]
        return torch.cat(
            [
                torch.tensor([len(projected)], dtype=torch.float64),
                self._energies[chosen].sum().reshape(1),
                self._offsets[chosen].sum(0),
                projected.sum(0),
                (projected.mT @ projected).flatten(),
            ]
        )

    def distance(self, sums: Tensor) -> float:
        """Give the distance of a part from the reference.

        Parameters
        ----------
        sums : Tensor of shape (width,)
            Its sums, of two frames or more.

        Returns
        -------
        float
            The distance, 0 or more.
        """
        rank = self._projected.shape[1]
        n_frames, energy = sums[0], sums[1]
        offset, projected, products = sums[2:].split([self._offsets.shape[1], rank, rank**2])
        mean = offset / n_frames
        trace = energy - n_frames * mean.square().sum()
        # The singular values of the frames' root times the reference's, by their squares.
        products = products.reshape(rank, rank) - torch.outer(projected, projected) / n_frames
        squares = torch.linalg.eigvalsh(products).clamp(min=0)
        shared = (squares / (n_frames - 1)).sqrt().sum()
        between = (self._between + mean).square().sum()
        total = between + trace / (n_frames - 1) + self._reference_trace - 2 * shared
        return max(0.0, total.item())
