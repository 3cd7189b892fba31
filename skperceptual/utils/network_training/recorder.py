"""What happens after each step: a look at the loss, keeping what was reached."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback

from skperceptual.utils.network_training.checkpoints import Checkpoint, Progress
from skperceptual.utils.network_training.states import all_finite, optimizer_tensors, to_arrays
from skperceptual.utils.network_training.steps import TrainingSteps

Tensors = dict[str, torch.Tensor]


class Diverged(Exception):
    """The loss or a weight is no longer a number."""


class StoppedEarly(Exception):
    """Validation has not become better for too long."""


class Recorder(Callback):
    """Keep every completed step of a training, for what comes in between it and the next one.

    Parameters
    ----------
    steps : TrainingSteps
        What is being trained with.
    seed : int
        Of the training.
    patience : int or None
        Epochs without a better validation loss before training stops.
    checkpoint : Checkpoint or None
        Where to write.
    report : callable
        Called with the loss of each step.
    """

    def __init__(
        self,
        steps: TrainingSteps,
        seed: int,
        *,
        patience: int | None,
        checkpoint: Checkpoint | None,
        report: Callable[[float], None],
    ) -> None:
        self.steps = steps
        self.seed = seed
        self.patience = patience
        self.checkpoint = checkpoint
        self.report = report
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self.best: Tensors = {}
        # Replaced as one, so that an interruption never leaves half of a step.
        self.kept: tuple[int, Tensors, Tensors] = 0, {}, {}

    def resume(self, net: NeuralNet, progress: Progress) -> None:
        """Take over what a checkpoint held, which the net was given before."""
        self.losses = list(progress.losses)
        self.validation_losses = list(progress.validation_losses)
        self.best = {name: torch.tensor(array) for name, array in progress.best.items()}
        self.keep(net, progress.step)

    def keep(self, net: NeuralNet, n_steps: int) -> None:
        """Copy the state of the net after that many steps."""
        module = {name: tensor.clone() for name, tensor in net.module_.state_dict().items()}
        optimizer: Tensors = {}
        if self.checkpoint is not None:
            remembered = optimizer_tensors(net.optimizer_)
            optimizer = {name: tensor.clone() for name, tensor in remembered.items()}
        self.kept = n_steps, module, optimizer

    def progress(self) -> Progress:
        """Give what was kept, in arrays."""
        n_steps, module, optimizer = self.kept
        n_epochs = n_steps // self.steps.steps_per_epoch
        if n_steps == self.steps.n_steps:
            n_epochs = len(self.validation_losses)
        return Progress(
            self.seed,
            n_steps,
            to_arrays(module),
            to_arrays(optimizer),
            self.losses[:n_steps],
            self.validation_losses[:n_epochs],
            to_arrays(self.best),
        )

    def save(self) -> None:
        """Write what was kept."""
        if self.checkpoint is not None:
            self.checkpoint.save(self.progress())

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool | None = None, **kwargs: Any
    ) -> None:
        """Look at the loss, and keep the step."""
        if not training:
            return
        loss = net.history[-1, "batches", -1, "train_loss"]
        if not math.isfinite(loss):
            raise Diverged(f"the loss became {loss}")
        if not all_finite(net.module_):
            raise Diverged("a weight became NaN or infinite")
        self.losses.append(loss)
        self.report(loss)
        # The last step of an epoch is complete once the epoch was validated.
        if not self.steps.ends_epoch:
            self._complete(net)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Note the validation, keep the step, and stop where nothing gets better."""
        row = net.history[-1]
        if "valid_loss" in row:
            loss = row["valid_loss"]
            better = not self.validation_losses or loss < min(self.validation_losses)
            self.validation_losses.append(loss)
            if better:
                state = net.module_.state_dict()
                self.best = {name: tensor.clone() for name, tensor in state.items()}
        self._complete(net)
        if self.out_of_patience:
            raise StoppedEarly

    @property
    def out_of_patience(self) -> bool:
        """Whether validation has not become better for as many epochs as were granted."""
        losses = self.validation_losses
        if self.patience is None or not losses:
            return False
        return len(losses) - 1 - losses.index(min(losses)) >= self.patience

    def _complete(self, net: NeuralNet) -> None:
        n_steps = len(self.losses)
        self.keep(net, n_steps)
        if self.checkpoint is not None and n_steps % self.checkpoint.every == 0:
            self.save()
