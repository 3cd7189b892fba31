"""What a network is and how it learns, in plain values, and the skorch net made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from skorch import NeuralNet
from torch import nn

from skperceptual.utils.network_training.steps import iterate


@dataclass(frozen=True)
class NetworkRecipe:
    """What a network is and how it learns.

    Parameters
    ----------
    module : type
        The class of the network.
    module_parameters : mapping
        What to make it with.
    criterion : Module
        The loss, called with output and target. It has nothing to learn.
    learning_rate : float, default=1e-3
        Step size of the optimiser.
    optimizer : type, default=torch.optim.AdamW
        The class of the optimiser.
    optimizer_parameters : mapping, default={}
        What to make it with, beside the learning rate.
    draws : bool, default=True
        Whether the network or the loss draws random numbers in training, as dropout does. The
        steps of those that do are seeded, and wait for one another where threads train; others
        leave torch's generators alone.

    Examples
    --------
    >>> from torch import nn
    >>> from skperceptual.utils.network_training import NetworkRecipe
    >>> recipe = NetworkRecipe(nn.Linear, {"in_features": 3, "out_features": 2}, nn.MSELoss())
    >>> net = recipe.make_net("cpu").initialize()
    >>> net.module_, type(net.optimizer_).__name__
    (Linear(in_features=3, out_features=2, bias=True), 'AdamW')
    """

    module: type[nn.Module]
    module_parameters: Mapping[str, Any]
    criterion: nn.Module
    learning_rate: float = 1e-3
    optimizer: type[torch.optim.Optimizer] = torch.optim.AdamW
    optimizer_parameters: Mapping[str, Any] = field(default_factory=dict)
    draws: bool = True

    def make_net(
        self,
        device: str | torch.device,
        *,
        train_split: Callable[..., Any] | None = None,
        **parameters: Any,
    ) -> NeuralNet:
        """Make a skorch net, not yet initialised, without skorch's silent validation split.

        Parameters
        ----------
        device : str or torch.device
            Where it is to compute.
        train_split : callable, default=None
            skorch's ``train_split``; None validates on nothing.
        **parameters : object
            Further parameters of skorch's ``NeuralNet``.

        Returns
        -------
        NeuralNet
            The net.
        """
        return NeuralNet(
            self.module,
            criterion=self.criterion,
            optimizer=self.optimizer,
            lr=self.learning_rate,
            iterator_train=iterate,
            iterator_valid=iterate,
            train_split=train_split,
            verbose=0,
            device=device,
            **{f"module__{key}": value for key, value in self.module_parameters.items()},
            **{f"optimizer__{key}": value for key, value in self.optimizer_parameters.items()},
            **parameters,
        )
