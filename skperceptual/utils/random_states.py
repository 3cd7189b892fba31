"""Random states as users give them, without a hand on the global generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def own_random_state(random_state: Any) -> np.random.RandomState:
    """Give a generator, as :func:`sklearn.utils.check_random_state` does, but a new one for None.

    There, None is the global generator: to draw from it would change what other code draws.

    Parameters
    ----------
    random_state : int, RandomState or None
        What the user gave. None takes a seed from the operating system.

    Returns
    -------
    RandomState
        The generator to draw from.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> from skperceptual.utils.random_states import own_random_state
    >>> own_random_state(0).randint(100) == own_random_state(0).randint(100)
    True
    """
    return check_random_state(np.random.RandomState() if random_state is None else random_state)
