"""Recordings of any length as excerpts of a few seconds, for training and for scoring."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.masks import image_level
from skperceptual.utils.messages import in_a_line
from skperceptual.utils.network_training import generator_of_step

# An excerpt this far below the loudest one of its recording is a pause, and says nothing.
PAUSE_DB = 60.0


def excerpt_slices(n_frames: int, excerpt_frames: int) -> list[slice]:
    """Divide a recording into excerpts without gap or overlap.

    Parameters
    ----------
    n_frames : int
        Frames of the recording.
    excerpt_frames : int
        The fewest frames of an excerpt.

    Returns
    -------
    list of slice
        As many as there is room for, whose lengths differ by one frame at most.

    Examples
    --------
    >>> from skperceptual.cello.excerpts import excerpt_slices
    >>> excerpt_slices(7, 3)
    [slice(0, 3, None), slice(3, 7, None)]
    """
    n_excerpts = n_frames // excerpt_frames
    edges = [place * n_frames // n_excerpts for place in range(n_excerpts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def sounding_slices(image: Tensor, excerpt_frames: int) -> list[slice]:
    """Divide a recording into excerpts and leave out those that are pauses.

    Parameters
    ----------
    image : Tensor of shape (n_bands, n_frames)
        Natural logarithms of magnitudes.
    excerpt_frames : int
        The fewest frames of an excerpt.

    Returns
    -------
    list of slice
        At least one.
    """
    slices = excerpt_slices(image.shape[-1], excerpt_frames)
    if len(slices) == 1:
        return slices
    with torch.no_grad():
        levels = torch.cat([image_level(image[..., frames]).reshape(1) for frames in slices])
    sounding = levels > levels.max() - PAUSE_DB * math.log(10) / 20
    return [frames for frames, is_heard in zip(slices, sounding.tolist(), strict=True) if is_heard]


class ExcerptBatches:
    """Batches of excerpts of one length, in random order and cut at random places.

    Every pass over the excerpts is in another order and leaves out what does not fill a batch.

    Parameters
    ----------
    images : sequence of ndarray of shape (n_bands, n_frames)
        Recordings, float32.
    targets : ndarray of shape (n_images,)
        What the network is to give for each.
    rows : ndarray of int
        Which of them to take.
    excerpt_frames : int
        Length of the excerpts.
    batch_size : int
        Excerpts in a batch, or all there are if these are fewer.
    seed : int
        Where order and places come from.
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.float32]],
        targets: NDArray[np.float32],
        rows: NDArray[np.intp],
        excerpt_frames: int,
        batch_size: int,
        seed: int,
    ) -> None:
        self.images = images
        self.targets = targets
        self.excerpt_frames = excerpt_frames
        self.excerpts = [
            (int(row), frames)
            for row in rows
            for frames in sounding_slices(torch.from_numpy(images[row]), excerpt_frames)
        ]
        self.batch_size = min(batch_size, len(self.excerpts))
        self.seed = seed

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in one pass over the excerpts."""
        return len(self.excerpts) // self.batch_size

    def places(self, step: int) -> NDArray[np.intp]:
        """Give the numbers of the excerpts of one batch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.seed, epoch, 1)).permutation(len(self.excerpts))
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Make a batch."""
        generator = generator_of_step(self.seed, step)
        return self._batch(
            self.places(step),
            lambda spare: int(generator.integers(spare, endpoint=True)),
        )

    def fixed(self) -> list[tuple[Tensor, Tensor]]:
        """Give all excerpts once, cut from their middles."""
        places = np.arange(len(self.excerpts))
        starts = range(0, len(places), self.batch_size)
        return [
            self._batch(places[start : start + self.batch_size], lambda spare: spare // 2)
            for start in starts
        ]

    def describe(self, step: int) -> str:
        """Name a batch by its recordings."""
        rows = sorted({self.excerpts[place][0] for place in self.places(step)})
        return f"a batch of the recordings {in_a_line(rows)}"

    def _batch(
        self, places: NDArray[np.intp], start_of: Callable[[int], int]
    ) -> tuple[Tensor, Tensor]:
        n_bands = self.images[0].shape[0]
        batch = np.empty((len(places), 1, n_bands, self.excerpt_frames), dtype=np.float32)
        rows = []
        for item, place in enumerate(places):
            row, frames = self.excerpts[place]
            spare = frames.stop - frames.start - self.excerpt_frames
            start = frames.start + start_of(spare)
            batch[item, 0] = self.images[row][:, start : start + self.excerpt_frames]
            rows.append(row)
        return torch.from_numpy(batch), torch.from_numpy(self.targets[rows])
