"""The search for masks, which follows the gradient of an objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from skperceptual.cello.mask_shapes import MaskShape
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.validation import ImageBatch

Masks = list[NDArray[np.float32]]


@dataclass(frozen=True)
class MaskObjective:
    """What a mask is to bring down: score, distance from the input, and roughness, all means.

    Parameters
    ----------
    score : callable
        Takes images, (n, n_bands, n_frames), and gives their scores with gradients.
    alpha, beta : float
        Weights of the squared mask and of its roughness.
    roughness : callable
        Takes masks and gives one value each.
    """

    score: Callable[[Tensor], Tensor]
    alpha: float
    beta: float
    roughness: Callable[[Tensor], Tensor]

    def __call__(self, images: Tensor, masks: Tensor) -> Tensor:
        """Give one value an image."""
        distance = masks.square().mean(dim=(-2, -1))
        return (
            self.score(images + masks) + self.alpha * distance + self.beta * self.roughness(masks)
        )


def search_masks(
    objective: MaskObjective,
    shape: MaskShape,
    images: Tensor,
    starts: Tensor,
    *,
    learning_rate: float,
    n_steps: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Follow the gradient of an objective, of each image by itself.

    Parameters
    ----------
    objective : MaskObjective
        What to bring down.
    shape : MaskShape
        What a mask is made of.
    images : Tensor of shape (n, n_bands, n_frames)
        Log-magnitude spectrograms.
    starts : Tensor of shape (n, ...)
        Where to begin.
    learning_rate : float
        Step size of Adam, which moves every number by itself: no image sees the others.
    n_steps : int
        Number of steps.

    Returns
    -------
    unsmoothed : Tensor of shape (n, n_bands, n_frames)
        The masks before smoothing.
    masks : Tensor of shape (n, n_bands, n_frames)
        The masks.
    history : Tensor of shape (n, n_steps)
        The objective before each step.
    """
    numbers = starts.clone().requires_grad_()
    optimizer = torch.optim.Adam([numbers], lr=learning_rate)
    size = (int(images.shape[-2]), int(images.shape[-1]))
    history = []
    with torch.enable_grad():
        for _ in range(n_steps):
            masks = shape.finish(shape.unsmoothed(numbers, size))
            values = objective(images, masks)
            # To the numbers alone: the network is frozen.
            (numbers.grad,) = torch.autograd.grad(values.sum(), [numbers])
            optimizer.step()
            history.append(values.detach())
    with torch.no_grad():
        unsmoothed = shape.unsmoothed(numbers.detach(), size)
        return unsmoothed, shape.finish(unsmoothed), torch.stack(history, dim=1)


def find_masks(
    objective: MaskObjective,
    shape: MaskShape,
    recordings: ImageBatch,
    *,
    device: torch.device,
    seed: int,
    batch_size: int,
    learning_rate: float,
    n_steps: int,
    caller: str,
    verbose: bool | int,
) -> tuple[Masks, Masks, NDArray[np.float32]]:
    """Search for the masks of recordings, those of one length side by side.

    Parameters
    ----------
    objective : MaskObjective
        What to bring down.
    shape : MaskShape
        What a mask is made of.
    recordings : sequence of ndarray of shape (n_bands, n_frames)
        Log-magnitude spectrograms.
    device : torch.device
        Where to compute.
    seed : int
        Where starts come from. They depend on the recording, too, but not on its place.
    batch_size : int
        How many to search for at once.
    learning_rate : float
        Step size of Adam.
    n_steps : int
        Number of steps.
    caller : str
        What the progress bar is called.
    verbose : bool or int
        Whether to show it.

    Returns
    -------
    unsmoothed : list of ndarray of shape (n_bands, n_frames)
        The masks before smoothing.
    masks : list of ndarray of shape (n_bands, n_frames)
        The masks.
    history : ndarray of shape (n_recordings, n_steps)
        The objective before each step.
    """
    by_size: dict[tuple[int, int], list[int]] = {}
    for row, recording in enumerate(recordings):
        by_size.setdefault((recording.shape[0], recording.shape[1]), []).append(row)
    found: dict[int, tuple[NDArray[np.float32], ...]] = {}
    batches = [
        (size, rows[first : first + batch_size])
        for size, rows in by_size.items()
        for first in range(0, len(rows), batch_size)
    ]
    with tqdm(
        total=len(recordings), desc=caller, unit="recording", disable=not verbose
    ) as progress:
        for size, chosen in batches:
            images = np.stack([recordings[row] for row in chosen]).astype(np.float32)
            starts = [
                shape.start(size, np.random.default_rng((seed, *content(image))))
                for image in images
            ]
            parts = search_masks(
                objective,
                shape,
                torch.from_numpy(images).to(device),
                torch.from_numpy(np.stack(starts)).to(device),
                learning_rate=learning_rate,
                n_steps=n_steps,
            )
            arrays = [part.cpu().numpy() for part in parts]
            found |= {row: one for row, *one in zip(chosen, *arrays, strict=True)}
            progress.update(len(chosen))
    unsmoothed, masks, history = zip(*(found[row] for row in range(len(recordings))), strict=True)
    return list(unsmoothed), list(masks), np.stack(history)


def content(image: NDArray[np.floating]) -> tuple[int, ...]:
    """Give numbers that stand for one recording, in single and in double precision alike."""
    digest = fingerprint(np.ascontiguousarray(image, dtype=np.float32))
    return tuple(np.frombuffer(digest, dtype=np.uint32).tolist())
