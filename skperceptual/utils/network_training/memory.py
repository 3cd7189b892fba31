"""Memory that did not suffice, and the batch for which it would."""

from __future__ import annotations

import torch
from skorch import NeuralNet

from skperceptual.utils.network_training.steps import Batch

_ON_CPU = ("not enough memory", "can't allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, on any device, or Python ran out of memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _ON_CPU)


def fitting_batch_size(net: NeuralNet, batch: Batch) -> int | None:
    """Try ever smaller parts of a batch, forward and backward, until one fits.

    Parameters
    ----------
    net : NeuralNet
        Initialised; its gradients are lost, and its running statistics change.
    batch : (Tensor, Tensor)
        The one that did not fit.

    Returns
    -------
    int or None
        The size that fits; None where not even a single item does.
    """
    size = len(batch[0]) // 2
    while size:
        _release(net)
        if _fits(net, (batch[0][:size], batch[1][:size])):
            _release(net)
            return size
        size //= 2
    return None


def _fits(net: NeuralNet, batch: Batch) -> bool:
    try:
        net.train_step_single(batch)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return False
        raise
    except ValueError:  # batch normalisation has no statistics of a single value
        return False
    return True


def _release(net: NeuralNet) -> None:
    net.module_.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
