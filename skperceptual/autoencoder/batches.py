"""The batches that an autoencoder is trained with, each one by its number alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.utils.messages import in_a_line
from skperceptual.utils.network_training import generator_of_step

Batch = tuple[Tensor, Tensor]


class NoiseBatches:
    """Fresh uniform noise in every step.

    Parameters
    ----------
    shape : (int, int)
        Bands and frames.
    batch_size : int
        Images in a batch.
    seed : int
        Where they come from.
    """

    def __init__(self, shape: tuple[int, int], batch_size: int, seed: int) -> None:
        self.shape = shape
        self.batch_size = batch_size
        self.seed = seed
        self.steps_per_epoch = 1

    def __call__(self, step: int) -> Batch:
        """Make a batch."""
        generator = generator_of_step(self.seed, step)
        noise = generator.random((self.batch_size, 1, *self.shape), dtype=np.float32)
        images = torch.from_numpy(noise)
        return images, images

    def describe(self, step: int) -> str:
        """Name a batch."""
        return f"a batch of {self.batch_size} noise images"


class ImageBatches:
    """Images in random order, whole or cut at random places.

    Every pass over the images is in another order and leaves out what does not fill a batch.

    Parameters
    ----------
    images : ndarray of shape (n_images, n_bands, n_frames)
        All images, float32.
    shape : (int, int)
        Bands and frames to cut out.
    batch_size : int
        Images in a batch, or all there are if these are fewer.
    seed : int
        Where order and places come from.
    """

    def __init__(
        self, images: NDArray[np.float32], shape: tuple[int, int], batch_size: int, seed: int
    ) -> None:
        self.images = images
        self.shape = shape
        self.batch_size = min(batch_size, len(images))
        self.seed = seed

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in one pass over the images."""
        return len(self.images) // self.batch_size

    def rows(self, step: int) -> NDArray[np.intp]:
        """Give the images of one batch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.seed, epoch, 1)).permutation(len(self.images))
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    def __call__(self, step: int) -> Batch:
        """Make a batch."""
        generator = generator_of_step(self.seed, step)
        rows = self.rows(step)
        batch = np.empty((len(rows), 1, *self.shape), dtype=np.float32)
        last = [whole - cut for whole, cut in zip(self.images.shape[1:], self.shape, strict=True)]
        for place, row in enumerate(rows):
            band, frame = (int(generator.integers(limit, endpoint=True)) for limit in last)
            window = slice(band, band + self.shape[0]), slice(frame, frame + self.shape[1])
            batch[place, 0] = self.images[row][window]
        images = torch.from_numpy(batch)
        return images, images

    def describe(self, step: int) -> str:
        """Name a batch by its images."""
        return f"a batch of the images {in_a_line(np.sort(self.rows(step)))}"
