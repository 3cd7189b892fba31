"""Train a network step by step, and give arrays whatever ended it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from tqdm.auto import tqdm

from skperceptual.utils.messages import warn_caller
from skperceptual.utils.network_training.checkpoints import Checkpoint, CheckpointError
from skperceptual.utils.network_training.memory import fitting_batch_size, is_out_of_memory
from skperceptual.utils.network_training.recipe import NetworkRecipe
from skperceptual.utils.network_training.recorder import Diverged, Recorder, StoppedEarly
from skperceptual.utils.network_training.states import load_optimizer, load_state, to_arrays
from skperceptual.utils.network_training.steps import (
    Batch,
    TrainingSteps,
    ValidationBatches,
    generator_of_step,
    own_generators,
)

_OUT_OF_MEMORY = "out of memory"
_RATE_ADVICE = "A smaller learning rate is the usual remedy; look at that batch, too."


@dataclass(frozen=True)
class TrainedNetwork:
    """What a training came to.

    Parameters
    ----------
    state : dict of str to ndarray
        Parameters and buffers of the network: after the best epoch where there was validation,
        else after the last completed step.
    n_steps : int
        Number of steps completed.
    losses : list of float
        The loss of each step, before it was taken.
    validation_losses : list of float
        The loss on the validation batches after each epoch.
    interruption : str, default=""
        What Ctrl-C cut short, to be told.
    failure : Exception or None, default=None
        What ended the training, to be raised once the state was kept.

    Examples
    --------
    >>> from skperceptual.utils.network_training import TrainedNetwork
    >>> TrainedNetwork({}, 1, [0.5], [], failure=FloatingPointError("NaN at step 2")).tell()
    Traceback (most recent call last):
    FloatingPointError: NaN at step 2
    """

    state: dict[str, NDArray[Any]]
    n_steps: int
    losses: list[float]
    validation_losses: list[float]
    interruption: str = ""
    failure: Exception | None = None

    def tell(self) -> None:
        """Warn of an interruption and raise a failure, after the caller kept the state.

        Raises
        ------
        FloatingPointError
            When the loss or a weight became NaN or infinite.
        MemoryError
            When a batch did not fit into memory.
        """
        if self.interruption:
            warn_caller(self.interruption)
        if self.failure is not None:
            raise self.failure


def train_network(
    recipe: NetworkRecipe,
    batch: Callable[[int], Batch],
    *,
    n_steps: int,
    steps_per_epoch: int,
    seed: int,
    device: torch.device,
    validation: list[Batch] | None = None,
    patience: int | None = None,
    mixed_precision: bool = False,
    checkpoint: Checkpoint | None = None,
    describe_batch: Callable[[int], str] = "batch {}".format,
    caller: str = "train_network",
    verbose: bool | int = 0,
) -> TrainedNetwork:
    """Train a network.

    Parameters
    ----------
    recipe : NetworkRecipe
        What it is and how it learns.
    batch : callable
        Takes the number of a step, from 0 on, and gives its ``(inputs, targets)``: float32
        tensors on the CPU that follow from that number alone.
    n_steps : int
        Number of steps.
    steps_per_epoch : int
        After how many of them validation takes place.
    seed : int
        Of the initial weights and of what the network draws in training. To go on from a
        checkpoint, take :meth:`Checkpoint.seed`.
    device : torch.device
        Where to compute.
    validation : list of (Tensor, Tensor), default=None
        Batches whose loss is taken after each epoch, without gradients; the best epoch is kept.
    patience : int, default=None
        Epochs without a better validation loss before training stops; None never stops it.
    mixed_precision : bool, default=False
        Whether the network computes in bfloat16 where torch finds it safe. Weights and the loss
        stay in single precision.
    checkpoint : Checkpoint, default=None
        Where to keep what was reached, and to go on from.
    describe_batch : callable, default="batch {}".format
        Takes the number of a step and names its batch in a message.
    caller : str, default="train_network"
        Who trains, for messages and the progress bar.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    TrainedNetwork
        What was reached, also after an interruption or a failure: call its ``tell`` then.

    Raises
    ------
    CheckpointError
        When the checkpoint is damaged, of another training, or further than ``n_steps``.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.utils.network_training import NetworkRecipe, train_network
    >>> recipe = NetworkRecipe(
    ...     torch.nn.Linear, {"in_features": 1, "out_features": 1}, torch.nn.MSELoss(), 0.1
    ... )
    >>> def batch(step):
    ...     inputs = torch.linspace(-1, 1, 16)[:, None]
    ...     return inputs, 2 * inputs + 1
    >>> trained = train_network(
    ...     recipe, batch, n_steps=100, steps_per_epoch=10, seed=0, device=torch.device("cpu")
    ... )
    >>> {name: array.round(1).ravel().tolist() for name, array in trained.state.items()}
    {'weight': [2.0], 'bias': [1.0]}
    """
    progress = None if checkpoint is None else checkpoint.load()
    if checkpoint is not None and progress is not None:
        if progress.seed != seed:
            raise CheckpointError(
                f"{str(checkpoint.path)!r} has the seed {progress.seed}, and not {seed}."
            )
        if progress.step > n_steps:
            raise CheckpointError(
                f"{str(checkpoint.path)!r} has {progress.step} steps already, more than the "
                f"{n_steps} asked for. Ask for more, remove it, or name another file."
            )
    start = 0 if progress is None else progress.step
    steps = TrainingSteps(batch, n_steps, steps_per_epoch, start)
    held_out = None if validation is None else ValidationBatches(validation)
    with _progress_bar(steps, caller, verbose) as report:
        recorder = Recorder(steps, seed, patience=patience, checkpoint=checkpoint, report=report)
        net = recipe.make_net(
            device,
            train_split=None if held_out is None else lambda dataset, y=None: (dataset, held_out),
            callbacks=[("recorder", recorder)],
            callbacks__print_log=None,
            max_epochs=steps.n_epochs,
        )
        with own_generators(device, seed):
            net.initialize()
        if progress is None:
            recorder.keep(net, 0)
        else:
            load_state(net.module_, progress.module)
            load_optimizer(net.optimizer_, progress.optimizer)
            recorder.resume(net, progress)
        drawing = _own_draws(net, steps, seed) if recipe.draws else nullcontext()
        with drawing, _precision(net, mixed=mixed_precision):
            problem = "" if recorder.out_of_patience else _run(net, steps)
            if problem == _OUT_OF_MEMORY:
                advice = _batch_advice(net, batch, steps.position)
            else:
                advice = _RATE_ADVICE
        if recorder.kept[0] > start:
            recorder.save()
    return _outcome(recorder, problem, advice, caller, describe_batch)


def _outcome(
    recorder: Recorder,
    problem: str,
    advice: str,
    caller: str,
    describe_batch: Callable[[int], str],
) -> TrainedNetwork:
    """Put what was reached, and what came in between, together."""
    n_done, last, _ = recorder.kept
    n_steps = recorder.steps.n_steps
    ended = n_done == n_steps or recorder.out_of_patience
    where = f"in step {n_done + 1} of {n_steps} ({describe_batch(n_done)})"
    kept = f"The weights after {n_done} steps are kept."
    interruption = ""
    failure: Exception | None = None
    if problem == _OUT_OF_MEMORY:
        failure = MemoryError(f"{caller} ran {problem} {where}. {advice} {kept}")
    elif problem:
        failure = FloatingPointError(f"{caller}: {problem} {where}. {kept} {advice}")
    elif not ended:
        interruption = f"{caller} was interrupted {where}. {kept}"
    return TrainedNetwork(
        to_arrays(recorder.best or last),
        n_done,
        recorder.losses[:n_done],
        recorder.validation_losses,
        interruption,
        failure,
    )


def _run(net: NeuralNet, steps: TrainingSteps) -> str:
    """Train to the end, or until something comes in between: give what it was."""
    try:
        net.partial_fit(steps)  # which ends in silence when somebody presses Ctrl-C
    except StoppedEarly:
        return ""
    except Diverged as divergence:
        return str(divergence)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return _OUT_OF_MEMORY  # and with the frames of the error go the tensors that they held
    return ""


def _batch_advice(net: NeuralNet, batch: Callable[[int], Batch], step: int) -> str:
    try:
        failed = batch(step)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return "Not even the batch itself fits: use a smaller batch_size."
    fitting = fitting_batch_size(net, failed)
    if fitting is None:
        return "Not even a batch of one would fit: use smaller images or fewer filters."
    return f"batch_size={fitting} would fit, {len(failed[0])} does not."


@contextmanager
def _own_draws(net: NeuralNet, steps: TrainingSteps, seed: int) -> Iterator[None]:
    """Let each step draw what follows from its number, in one thread at a time."""
    device = torch.device(net.device)

    def seeded(take: Callable[..., Any]) -> Callable[..., Any]:
        def take_seeded(*args: Any, **kwargs: Any) -> Any:
            of_step = int(generator_of_step(seed, steps.position).integers(2**63))
            with own_generators(device, of_step):
                return take(*args, **kwargs)

        return take_seeded

    names = ("train_step_single", "validation_step")
    for name in names:
        setattr(net, name, seeded(getattr(net, name)))
    try:
        yield
    finally:
        for name in names:
            del vars(net)[name]


@contextmanager
def _precision(net: NeuralNet, *, mixed: bool) -> Iterator[None]:
    """Let the network compute in bfloat16; its results are single precision again."""
    if not mixed:
        yield
        return
    module = net.module_
    forward = torch.autocast(torch.device(net.device).type, dtype=torch.bfloat16)(module.forward)
    module.forward = lambda *inputs: forward(*inputs).float()
    try:
        yield
    finally:
        del module.forward


@contextmanager
def _progress_bar(
    steps: TrainingSteps, caller: str, verbose: bool | int
) -> Iterator[Callable[[float], None]]:
    with tqdm(
        total=steps.n_steps,
        initial=steps.position,
        desc=caller,
        unit="step",
        disable=not verbose,
    ) as bar:

        def report(loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
            bar.update()

        yield report
