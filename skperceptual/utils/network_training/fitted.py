"""A fitted network: arrays that are kept, and a net that is rebuilt from them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet

from skperceptual.utils.devices import resolve_device
from skperceptual.utils.network_training.recipe import NetworkRecipe
from skperceptual.utils.network_training.states import load_state
from skperceptual.utils.network_training.steps import own_generators


class FittedNetworkMixin:
    """Fitted weights as arrays in ``state_``, and the network made of them where it is needed.

    A subclass has a parameter ``device`` and defines ``_make_recipe``. Its ``fit`` hands the
    trained state to ``_keep_state``, and what the network was made with, so that parameters which
    are set afterwards wait for the next ``fit``. The network is no part of pickles, so that what
    was fitted on a GPU opens wherever there is none.

    Examples
    --------
    >>> import pickle
    >>> import torch
    >>> from sklearn.base import BaseEstimator
    >>> from skperceptual.utils.network_training import (
    ...     FittedNetworkMixin,
    ...     NetworkRecipe,
    ...     module_state,
    ... )
    >>> class Line(FittedNetworkMixin, BaseEstimator):
    ...     device = "cpu"
    ...
    ...     def _make_recipe(self):
    ...         size = {"in_features": 1, "out_features": 1}
    ...         return NetworkRecipe(torch.nn.Linear, size, torch.nn.MSELoss())
    ...
    ...     def fit(self, X, y=None):
    ...         self._keep_state(module_state(torch.nn.Linear(1, 1)), self._make_recipe())
    ...         return self
    >>> line = Line().fit(None)
    >>> line.net_.module_, sorted(line.__getstate__())
    (Linear(in_features=1, out_features=1, bias=True), ['module_parameters_', 'state_'])
    """

    device: str
    state_: dict[str, NDArray[Any]]
    module_parameters_: dict[str, Any]

    @abstractmethod
    def _make_recipe(self) -> NetworkRecipe:
        """Describe the network that the parameters ask for, and how it learns."""

    @property
    def net_(self) -> NeuralNet:
        """The skorch net with the fitted weights, in evaluation mode.

        It is made of ``state_`` and ``module_parameters_`` at first use, on the device that
        ``device`` names then, and left out of pickles. ``state_`` is what counts: whoever trains
        this net further has a net of their own.

        Returns
        -------
        NeuralNet
            The net.
        """
        check_is_fitted(self, "state_")
        device = resolve_device(self.device)
        net = getattr(self, "_net", None)
        if net is None or torch.device(net.device) != device:
            recipe = replace(self._make_recipe(), module_parameters=self.module_parameters_)
            net = self._net = _rebuild(recipe, device, self.state_)
        net.module_.eval()
        return net

    def _keep_state(self, state: dict[str, NDArray[Any]], recipe: NetworkRecipe) -> None:
        """Take over the weights that a training ended with, and what its network was made with."""
        net = _rebuild(recipe, resolve_device(self.device), state)
        # All that can fail lies behind: from here on the former fit is gone.
        self._net = net
        self.module_parameters_ = dict(recipe.module_parameters)
        self.state_ = state

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_net"}


def _rebuild(
    recipe: NetworkRecipe, device: torch.device, state: dict[str, NDArray[Any]]
) -> NeuralNet:
    with own_generators(torch.device("cpu"), 0):  # weights are drawn there, and replaced
        net = recipe.make_net(device).initialize()
    load_state(net.module_, state)
    return net
