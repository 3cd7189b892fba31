"""Where something else is heard than the signal, and how it comes and goes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def raised_mask(gaps: Iterable[tuple[int, int]], n_times: int, n_fade: int) -> NDArray[np.float64]:
    """Give 1 within gaps, 0 far from them, and raised cosines on both sides of each.

    Parameters
    ----------
    gaps : iterable of (int, int)
        First sample of each gap, and the one after its last.
    n_times : int
        Samples of the clip; gaps may end behind it.
    n_fade : int
        Samples of a fade. It lies outside of the gap.

    Returns
    -------
    ndarray of shape (n_times,)
        The mask. Where fades of two gaps meet, it is the larger of the two.
    """
    mask = np.zeros(n_times)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, n_fade + 1) / (n_fade + 1))
    for start, stop in gaps:
        shape = np.concatenate([rise, np.ones(stop - start), rise[::-1]])
        first = max(0, start - n_fade)
        last = min(n_times, stop + n_fade)
        shape = shape[first - start + n_fade : last - start + n_fade]
        mask[first:last] = np.maximum(mask[first:last], shape)
    return mask
