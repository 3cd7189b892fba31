"""Unfinished trainings on disk: arrays and a little JSON, without pickles."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that is of no use to a training: damaged, of another one, or too far ahead.

    Examples
    --------
    >>> from skperceptual.utils.network_training import CheckpointError
    >>> raise CheckpointError("no checkpoint")
    Traceback (most recent call last):
    skperceptual.utils.network_training.checkpoints.CheckpointError: no checkpoint
    """


@dataclass
class Progress:
    """How far a training has come: all that the next step depends on.

    Parameters
    ----------
    seed : int
        Of the training.
    step : int
        Number of steps completed.
    module : dict of str to ndarray
        State of the network.
    optimizer : dict of str to ndarray
        State of the optimiser.
    losses : list of float
        One for each step.
    validation_losses : list of float
        One for each epoch that was validated.
    best : dict of str to ndarray
        State of the network after the best of these; empty without validation.
    """

    seed: int
    step: int
    module: dict[str, NDArray[Any]]
    optimizer: dict[str, NDArray[Any]]
    losses: list[float]
    validation_losses: list[float]
    best: dict[str, NDArray[Any]]


_ARRAYS = ("module", "optimizer", "best")


class Checkpoint:
    """A file in which a training is kept, so that it can go on after an interruption.

    The file appears whole or not at all, and what stood there before is replaced at that moment.

    Parameters
    ----------
    path : path-like
        The file.
    training : str
        What tells this training from others: all that its steps depend on, beside the seed.
    every : int, default=50
        Number of steps between two writings.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skperceptual.utils.network_training import Checkpoint
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Checkpoint(Path(folder, "training.npz"), "mine").load() is None
    True
    """

    def __init__(self, path: str | os.PathLike[str], training: str, every: int = 50) -> None:
        self.path = Path(path)
        self.training = training
        self.every = every
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"The folder of the checkpoint {str(path)!r} does not exist. Make it first."
            )

    def save(self, progress: Progress) -> None:
        """Write how far the training has come.

        Parameters
        ----------
        progress : Progress
            What to write.
        """
        header = {
            "format": _FORMAT,
            "training": self.training,
            "seed": progress.seed,
            "step": progress.step,
        }
        arrays = {
            "header": np.array(json.dumps(header)),
            "losses": np.array(progress.losses, dtype=np.float64),
            "validation_losses": np.array(progress.validation_losses, dtype=np.float64),
        }
        for kind in _ARRAYS:
            state = getattr(progress, kind)
            arrays |= {f"{kind}/{name}": array for name, array in state.items()}
        unfinished = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        try:
            with unfinished.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)

    def seed(self, *, default: int) -> int:
        """Give the seed of the training that the file holds.

        Parameters
        ----------
        default : int
            The seed where there is no file yet.

        Returns
        -------
        int
            The seed to train with.
        """
        progress = self.load()
        return default if progress is None else progress.seed

    def load(self) -> Progress | None:
        """Read how far the training has come.

        Returns
        -------
        Progress or None
            None where there is no file yet.

        Raises
        ------
        CheckpointError
            When the file is damaged, or of another training.
        """
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            header = json.loads(str(arrays.pop("header")))
            known = header["format"], header["training"], header["seed"], header["step"]
            losses, validation_losses = arrays.pop("losses"), arrays.pop("validation_losses")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(
                f"{str(self.path)!r} is no checkpoint, or a damaged one. Remove it to begin anew."
            ) from error
        if known[:2] != (_FORMAT, self.training):
            raise CheckpointError(
                f"{str(self.path)!r} is the checkpoint of another training: other data, or other "
                "parameters. Remove it to begin anew, or name another file."
            )
        states: dict[str, dict[str, NDArray[Any]]] = {kind: {} for kind in _ARRAYS}
        for key, array in arrays.items():
            kind, _, name = key.partition("/")
            states[kind][name] = array
        return Progress(
            int(known[2]),
            int(known[3]),
            losses=losses.tolist(),
            validation_losses=validation_losses.tolist(),
            **states,
        )
