"""Files of weights: where they are, whether they are what they should be, and what is in them."""

from skperceptual.embeddings.weights.identity import WeightsError
from skperceptual.embeddings.weights.location import (
    ENVIRONMENT_VARIABLE,
    MissingWeightsError,
    weights_home,
)

__all__ = ["ENVIRONMENT_VARIABLE", "MissingWeightsError", "WeightsError", "weights_home"]
