"""What tells one training from another, so that a checkpoint is taken up by its own alone."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import torch
from joblib.hashing import NumpyHasher


class _Hasher(NumpyHasher):
    """joblib's hash, for which equal tensors are equal."""

    def save(self, obj: Any) -> None:
        if isinstance(obj, torch.Tensor):
            obj = "tensor", obj.detach().cpu().numpy()
        super().save(obj)


def name_training(parameters: Mapping[str, Any], data: Any) -> str:
    """Give a name that differs for trainings whose steps differ.

    Parameters
    ----------
    parameters : mapping
        All that the steps depend on, beside the data: plain values, and the loss as ``"loss"``.
    data : object
        What stands for the data.

    Returns
    -------
    str
        The same in every process.

    Raises
    ------
    ValueError
        When the loss is a function that cannot be found again by its name.

    Examples
    --------
    >>> from skperceptual.autoencoder.training_name import name_training
    >>> one, other = (name_training({"loss": loss}, b"images") for loss in ("mse", "nlpd"))
    >>> one == name_training({"loss": "mse"}, b"images"), one == other
    (True, False)
    """
    try:
        return str(_Hasher(hash_name="md5").hash((dict(parameters), data)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"checkpoint needs a loss that can be pickled, got {parameters['loss']!r}: a function "
            "at the top level of a module, or functools.partial of one. Train others without a "
            "checkpoint."
        ) from error
