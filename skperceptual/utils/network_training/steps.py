"""Steps of training, each of which knows its batch and its random numbers by its number alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

Batch = tuple[Tensor, Tensor]

# All threads draw from the same generators of torch: who seeds them has them to himself until they
# are put back.
_GENERATORS = RLock()


def generator_of_step(seed: int, step: int) -> np.random.Generator:
    """Give the generator of one step of training.

    Parameters
    ----------
    seed : int
        Of the whole training, not negative.
    step : int
        Number of the step, from 0 on.

    Returns
    -------
    Generator
        The same for the same two numbers.

    Examples
    --------
    >>> from skperceptual.utils.network_training import generator_of_step
    >>> one, other = (generator_of_step(3, step).random() for step in (0, 1))
    >>> one == generator_of_step(3, 0).random(), one == other
    (True, False)
    """
    return np.random.default_rng((seed, step))


class TrainingSteps(Dataset):
    """The steps of a training, for skorch a data set that iterates over batches.

    Parameters
    ----------
    batch : callable
        Takes the number of a step and gives its ``(inputs, targets)``, which have to follow from
        that number alone.
    n_steps : int
        How many there are.
    steps_per_epoch : int
        After how many of them validation takes place.
    start : int, default=0
        The first one to take.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.utils.network_training import TrainingSteps
    >>> steps = TrainingSteps(lambda step: (torch.ones(1) * step,) * 2, 5, steps_per_epoch=3)
    >>> [inputs.item() for inputs, _ in steps], [inputs.item() for inputs, _ in steps]
    ([0.0, 1.0, 2.0], [3.0, 4.0])
    """

    def __init__(
        self, batch: Callable[[int], Batch], n_steps: int, steps_per_epoch: int, start: int = 0
    ) -> None:
        self.batch = batch
        self.n_steps = n_steps
        self.steps_per_epoch = steps_per_epoch
        self.position = start

    def __len__(self) -> int:
        return self.n_steps

    def __iter__(self) -> Iterator[Batch]:
        """Iterate to the end of the epoch."""
        while self.position < self.n_steps:
            yield self.batch(self.position)
            self.position += 1
            if self.position % self.steps_per_epoch == 0:
                return

    @property
    def n_epochs(self) -> int:
        """How many epochs are left, whole or not."""
        if self.position >= self.n_steps:
            return 0
        return -(-self.n_steps // self.steps_per_epoch) - self.position // self.steps_per_epoch

    @property
    def ends_epoch(self) -> bool:
        """Whether the present step is the last one of its epoch."""
        following = self.position + 1
        return following % self.steps_per_epoch == 0 or following == self.n_steps


class ValidationBatches(Dataset):
    """Batches to validate with, the same ones after every epoch."""

    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over all of them."""
        return iter(self.batches)


def iterate(dataset: Dataset, batch_size: int) -> Dataset:
    """Stand in for torch's DataLoader: the data set makes its own batches."""
    return dataset


@contextmanager
def own_generators(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch's generators for what is drawn inside, and put them back at the end.

    One thread at a time comes in.
    """
    devices = [device] if device.type == "cuda" else []
    with _GENERATORS, torch.random.fork_rng(devices=devices):
        before = torch.mps.get_rng_state() if device.type == "mps" else None
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        elif device.type == "mps":
            torch.mps.manual_seed(seed)
        try:
            yield
        finally:
            if before is not None:
                torch.mps.set_rng_state(before)
