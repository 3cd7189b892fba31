"""Noise that belongs to a clip: the same for it in every batch, order and precision."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.fingerprint import fingerprint


def draw_seed(random_state: Any) -> int:
    """Give the seed of one call, without touching the global generators.

    Parameters
    ----------
    random_state : int, RandomState or None
        An int is the seed. A RandomState draws it, and so gives another one in the next call.
        None takes it from the operating system.

    Returns
    -------
    int
        Not negative.
    """
    if random_state is None:
        return int.from_bytes(np.random.SeedSequence().generate_state(4).tobytes(), "little")
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(np.iinfo(np.int32).max))
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return int(random_state)
    raise ValueError(
        f"random_state={random_state!r} is no seed. Use an int of 0 or more, a "
        "numpy.random.RandomState, or None for other noise in each call."
    )


def clip_generator(seed: int, clip: NDArray[np.floating]) -> np.random.Generator:
    """Give the generator of one clip, from a seed and from what the clip holds.

    Parameters
    ----------
    seed : int
        What :func:`draw_seed` gave for the call.
    clip : ndarray
        The clip. Its numbers count as float32, so that both precisions of a recording have the
        same noise.

    Returns
    -------
    numpy.random.Generator
        The same for equal clips.
    """
    with np.errstate(over="ignore"):
        content = clip.astype("<f4")
    content += np.float32(0)  # -0.0 equals 0.0 and has other bits
    return np.random.default_rng([seed, int.from_bytes(fingerprint(content), "little")])
