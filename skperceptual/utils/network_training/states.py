"""The state of networks and optimisers as NumPy arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

State = dict[str, NDArray[Any]]


def module_state(module: torch.nn.Module) -> State:
    """Copy the parameters and buffers of a module into arrays.

    Parameters
    ----------
    module : Module
        On any device.

    Returns
    -------
    dict of str to ndarray
        By the names of ``state_dict``.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.utils.network_training import module_state
    >>> {name: array.shape for name, array in module_state(torch.nn.Linear(3, 2)).items()}
    {'weight': (2, 3), 'bias': (2,)}
    """
    return to_arrays(module.state_dict())


def load_state(module: torch.nn.Module, state: Mapping[str, NDArray[Any]]) -> None:
    """Put arrays back into a module of the same structure.

    Parameters
    ----------
    module : Module
        On any device.
    state : mapping of str to ndarray
        What :func:`module_state` gave.

    Raises
    ------
    ValueError
        When names or shapes are those of another structure.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.utils.network_training import load_state, module_state
    >>> one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    >>> load_state(other, module_state(one))
    >>> torch.equal(one.weight, other.weight)
    True
    """
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: array.shape for name, array in state.items()}
    if found != expected:
        names = [*expected, *found]
        first = next(name for name in names if expected.get(name) != found.get(name))
        raise ValueError(
            f"These are not the weights of this {type(module).__name__}: {first!r} has the shape "
            f"{found.get(first)}, expected {expected.get(first)}."
        )
    # Copies: what came from a memory-mapped file cannot be written to.
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})


def to_arrays(tensors: Mapping[str, torch.Tensor]) -> State:
    """Copy tensors into arrays."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Give what an optimiser remembers of each parameter, by number and name."""
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, memory in optimizer.state_dict()["state"].items()
        for name, value in memory.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, NDArray[Any]]) -> None:
    """Put back what :func:`optimizer_tensors` gave; rates and the like stay as they are."""
    memories: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in state.items():
        number, _, name = key.partition(".")
        memories.setdefault(int(number), {})[name] = torch.tensor(np.asarray(array))
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": memories, "param_groups": groups})


def all_finite(module: torch.nn.Module) -> bool:
    """Whether no parameter or running statistic of a module is NaN or infinite."""
    tensors = [
        tensor
        for tensor in module.state_dict().values()
        if tensor.is_floating_point() and tensor.numel()
    ]
    # The largest absolute value of each: squares of finite numbers may be too large.
    return bool(torch.isfinite(torch.nn.utils.get_total_norm(tensors, norm_type=float("inf"))))
