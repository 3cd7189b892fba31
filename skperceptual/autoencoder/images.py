"""What images have to be for an autoencoder: of one size, in the unit interval, large enough."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.validation import ImageBatch


def stack_images(batch: ImageBatch, shape: tuple[int, int] | None) -> NDArray[np.floating]:
    """Give checked images as one array.

    Parameters
    ----------
    batch : ndarray or list
        What :func:`skperceptual.utils.validation.check_images` returned.
    shape : (int, int) or None
        Bands and frames that ``fit`` saw; None takes those of the first image.

    Returns
    -------
    ndarray of shape (n_images, n_bands, n_frames)
        The images.

    Raises
    ------
    ValueError
        For other sizes, and values outside [0, 1].
    """
    wanted = batch[0].shape if shape is None else shape
    for row, image in enumerate(batch):
        if image.shape != wanted:
            others = "the first one has" if shape is None else "fit saw"
            raise ValueError(
                f"Image {row} has {image.shape[0]} bands and {image.shape[1]} frames, {others} "
                f"{wanted[0]} and {wanted[1]}: codes have one length. Bring all clips to one "
                "duration with FixDuration in front of one front end."
            )
        low, high = float(image.min()), float(image.max())
        if low < 0 or high > 1:
            raise ValueError(
                f"Expected images in [0, 1], but image {row} has values from {low:.4g} to "
                f"{high:.4g}. Use MelSpectrogram(scale='log01'), or scale them."
            )
    return np.stack(list(batch))


def crop_shape(shape: tuple[int, int], crop_size: int | None) -> tuple[int, int]:
    """Give the bands and frames of the squares that are cut out, or of whole images."""
    if crop_size is None:
        return shape
    return min(int(crop_size), shape[0]), min(int(crop_size), shape[1])


def code_sides(shape: tuple[int, int], n_layers: int) -> tuple[int, int]:
    """Give the bands and frames of the codes of one image."""
    block = 2**n_layers
    return -(-shape[0] // block), -(-shape[1] // block)


def check_statistics(batch_size: int, shape: tuple[int, int], n_layers: int) -> None:
    """Refuse batches of whose latent values nothing can be said about the variance."""
    if batch_size * math.prod(code_sides(shape, n_layers)) < 2:
        raise ValueError(
            f"Batches of {batch_size} image of {shape[0]} bands and {shape[1]} frames leave "
            "batch normalisation a single latent value in each channel, and no variance. Use more "
            "or larger images, larger batches, or fewer layers."
        )
