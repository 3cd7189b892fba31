"""Training networks inside estimators: skorch's loop, and what it leaves to its users.

An estimator composes this, it never subclasses skorch. It describes its network in a
:class:`NetworkRecipe`, says which batch belongs to which step, and gets arrays back:

* A step's batch and its random numbers follow from the seed and the number of the step alone. So
  a training that is resumed gives what it would have given without the interruption, torch's
  global generators are what they were, and threads that train at once do not disturb one another.
* Nothing is split off for validation, shuffled or converted behind the caller's back.
* Every step that was completed is kept. When the loss is no longer a number, when somebody
  presses Ctrl-C, or when memory runs out, the last of them is what remains.
* The fitted state is a dict of NumPy arrays; :class:`FittedNetworkMixin` rebuilds the network from
  it on whatever device there is, as it was when it was fitted, and leaves it out of pickles.
"""

from skperceptual.utils.network_training.checkpoints import Checkpoint, CheckpointError
from skperceptual.utils.network_training.fitted import FittedNetworkMixin
from skperceptual.utils.network_training.recipe import NetworkRecipe
from skperceptual.utils.network_training.states import load_state, module_state
from skperceptual.utils.network_training.steps import TrainingSteps, generator_of_step
from skperceptual.utils.network_training.training import TrainedNetwork, train_network

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "FittedNetworkMixin",
    "NetworkRecipe",
    "TrainedNetwork",
    "TrainingSteps",
    "generator_of_step",
    "load_state",
    "module_state",
    "train_network",
]
