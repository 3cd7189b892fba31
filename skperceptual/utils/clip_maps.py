"""One function for every clip of a batch: an array or a list, of signals or of pairs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.thread_pool import ordered_map
from skperceptual.utils.validation import Batch


def map_clips(
    function: Callable[[NDArray], NDArray], X: Batch, *, in_threads: bool = False
) -> Batch:
    """Apply a function to every clip of checked signals or pairs, one 1-D clip at a time.

    Parameters
    ----------
    function : callable
        Takes one clip of shape (n_times,) and gives an array.
    X : ndarray or list
        What :func:`skperceptual.utils.validation.check_signals` returned.
    in_threads : bool, default=False
        Run the function for several clips at the same time. It has to let go of the interpreter's
        lock, and to do without torch. The result is the same.

    Returns
    -------
    ndarray or list
        An array for an array, a list for a list. A pair gives one array where its two results
        have one shape, and a tuple where they do not.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.base import map_clips
    >>> map_clips(lambda clip: clip[:2], np.zeros((3, 2, 5))).shape
    (3, 2, 2)
    """
    run = ordered_map if in_threads else _loop
    if isinstance(X, np.ndarray):
        table = _Table(X.reshape(-1, X.shape[-1]), function)
        run(table.fill, range(len(table.clips)))
        return table.results.reshape(*X.shape[:-1], *table.results.shape[1:])
    # Taken out one by one, so that joining pairs does not hold everything twice.
    results = deque(run(function, [clip for item in X for clip in _clips_of(item)]))
    return [_join_clips(item, results) for item in X]


def _loop(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [function(item) for item in items]


class _Table:
    """The results for clips of one length, made when the first of them shows its shape."""

    def __init__(self, clips: NDArray, function: Callable[[NDArray], NDArray]) -> None:
        self.clips = clips
        self.function = function
        self.results: Any = None
        self._lock = Lock()

    def fill(self, row: int) -> None:
        result = self.function(self.clips[row])
        with self._lock:
            if self.results is None:
                self.results = np.empty((len(self.clips), *result.shape), dtype=result.dtype)
        self.results[row] = result


def _clips_of(item: Any) -> Iterable[NDArray]:
    return (item,) if isinstance(item, np.ndarray) and item.ndim == 1 else item


def _join_clips(item: Any, results: deque[NDArray]) -> Any:
    if isinstance(item, np.ndarray) and item.ndim == 1:
        return results.popleft()
    reference, degraded = results.popleft(), results.popleft()
    if isinstance(item, np.ndarray) and reference.shape == degraded.shape:
        return np.stack([reference, degraded])
    return reference, degraded
