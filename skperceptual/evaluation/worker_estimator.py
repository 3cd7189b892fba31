"""A fitted estimator that travels to each worker once, and not with every task."""

from __future__ import annotations

import pickle
import threading
from functools import cached_property
from typing import Any
from uuid import uuid4

import numpy as np
from joblib import wrap_non_picklable_objects
from numpy.typing import NDArray

__all__ = ["WorkerEstimator"]

# The last one that this process opened, by its key.
_opened: dict[str, Any] = {}
_lock = threading.Lock()


class WorkerEstimator:
    """A fitted estimator as an argument of tasks.

    Threads get the estimator itself. For processes it is pickled once, into an array, which
    joblib writes to a memory-mapped file when it is large, and Dask sends to each worker once;
    a worker opens it at its first task and keeps it for those that follow.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """

    def __init__(self, estimator: Any) -> None:
        self._key = uuid4().hex
        self._estimator = estimator

    @cached_property
    def _pickled(self) -> NDArray[np.uint8]:
        # By value where a name leads nowhere, as for what was defined in a notebook.
        wrapped = wrap_non_picklable_objects(self._estimator, keep_wrapper=False)
        return np.frombuffer(pickle.dumps(wrapped), dtype=np.uint8)

    def get(self) -> Any:
        """Give the estimator.

        Returns
        -------
        estimator
            The same object for all tasks of a process.
        """
        if self._estimator is not None:
            return self._estimator
        with _lock:
            if self._key not in _opened:
                estimator = pickle.loads(self._pickled.data)
                _opened.clear()
                _opened[self._key] = estimator
            return _opened[self._key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_key": self._key, "_estimator": None, "_pickled": self._pickled}

    def __sizeof__(self) -> int:
        # Dask asks, and shares what is large between tasks.
        return self._pickled.nbytes
