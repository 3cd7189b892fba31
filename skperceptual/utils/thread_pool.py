"""One pool of threads for the whole process, for functions that let go of the interpreter's lock.

Compiled kernels never start threads: they run one clip at a time, and this pool runs clips side
by side. There is one for everybody, so that several Python threads at once (joblib's "threading",
a server, Dask) share the processor instead of each claiming all of it, and a forked child makes
its own, since threads do not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import pairwise
from typing import Any, TypeVar

import joblib
from numpy.typing import NDArray

__all__ = ["count_threads", "ordered_map"]

_Result = TypeVar("_Result")

_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
# A few for each thread: one that the system holds up, or a long clip, then keeps the others
# waiting for less, while handing a chunk over still costs next to nothing.
_CHUNKS_PER_THREAD = 4


def count_threads() -> int:
    """Give the number of threads that this process may use.

    ``NUMBA_NUM_THREADS`` or, where that is not set, ``OMP_NUM_THREADS``; joblib's and Dask's
    workers are started with their share of the processors in them. Otherwise 1 in a daemonic
    process, as a worker of :mod:`multiprocessing` is, which is one of many; and otherwise
    :func:`joblib.cpu_count`, which knows of affinities and of the limits of containers.

    Returns
    -------
    int
        At least 1. The environment is read anew every time.

    Examples
    --------
    >>> from skperceptual.utils.thread_pool import count_threads
    >>> count_threads() >= 1
    True
    """
    for variable in _VARIABLES:
        # OpenMP takes a list, one number for each level of nesting.
        number = os.environ.get(variable, "").partition(",")[0].strip()
        if number.isdecimal() and int(number) > 0:
            return int(number)
    if multiprocessing.current_process().daemon:
        return 1
    return joblib.cpu_count()


def ordered_map(
    function: Callable[[Any], _Result], items: Sequence[Any] | NDArray[Any]
) -> list[_Result]:
    """Apply a function to every item, on all threads that the process may use.

    With one thread or one item, and within a call that the pool itself runs, it is a plain loop.
    So it is where no thread can be started: while the interpreter shuts down, or at the limit of
    a container.

    Parameters
    ----------
    function : callable
        Takes one item. It should let go of the interpreter's lock for most of its time, and must
        not use torch, which each thread would give a set of threads of its own.
    items : sequence
        What to apply it to.

    Returns
    -------
    list
        The results, in the order of the items.

    Raises
    ------
    Exception
        What the function raised for the first item that it failed on, as a loop would have raised
        it. When it is raised, or on an interrupt, no call is running any more.

    Examples
    --------
    >>> from skperceptual.utils.thread_pool import ordered_map
    >>> ordered_map(abs, [-2, 1, -3])
    [2, 1, 3]
    """
    n_threads = 1 if len(items) < 2 or _pool.runs_this() else count_threads()
    if n_threads > 1:
        run = _Run(function, items)
        if run.complete(_pool.executor(n_threads), min(len(items), n_threads * _CHUNKS_PER_THREAD)):
            return run.results
    return [function(item) for item in items]


class _Run:
    """One call of ``ordered_map``, divided into chunks of neighbouring items."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any] | NDArray[Any]) -> None:
        self.function = function
        self.items = items
        self.results: list[Any] = [None] * len(items)
        self.futures: list[Future[None]] = []
        self.last_wanted = len(items)

    def complete(self, executor: ThreadPoolExecutor, n_chunks: int) -> bool:
        """Fill the results; False, and nothing is running, where there are no threads."""
        try:
            if not self._submit(executor, n_chunks):
                self._stop()
                return False
            for future in self.futures:
                future.result()
        except BaseException:
            self._stop()
            raise
        return True

    def _submit(self, executor: ThreadPoolExecutor, n_chunks: int) -> bool:
        edges = [len(self.items) * chunk // n_chunks for chunk in range(n_chunks + 1)]
        try:
            for start, stop in pairwise(edges):
                # np.errstate and the like hold in the threads as they do here.
                context = copy_context()
                self.futures.append(executor.submit(context.run, self._work, start, stop))
        except RuntimeError:
            return False
        return True

    def _work(self, start: int, stop: int) -> None:
        try:
            for row in range(start, stop):
                # A failure makes what comes after it pointless. What comes before goes on: it may
                # fail as well, and then first.
                if start > self.last_wanted:
                    return
                self.results[row] = self.function(self.items[row])
        except BaseException:
            self.last_wanted = min(self.last_wanted, start)
            raise

    def _stop(self) -> None:
        """End after the items that are being worked on, and wait for those."""
        self.last_wanted = -1
        wait([future for future in self.futures if not future.cancel()])


class _Pool:
    """The one pool, begun anew in a forked child, where its threads are gone."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()  # another thread may hold the old one, and never come back
        self._thread = threading.local()
        self._n_threads = 0
        self._executor: ThreadPoolExecutor | None = None

    def executor(self, n_threads: int) -> ThreadPoolExecutor:
        """Give the pool; one of another size ends with what it was still given to do."""
        with self._lock:
            if self._executor is None or self._n_threads != n_threads:
                self._executor = ThreadPoolExecutor(
                    n_threads, thread_name_prefix="skperceptual", initializer=self._mark
                )
                self._n_threads = n_threads
            return self._executor

    def runs_this(self) -> bool:
        """Say whether the current thread is one of the pool."""
        return getattr(self._thread, "is_of_pool", False)

    def _mark(self) -> None:
        self._thread.is_of_pool = True


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_pool.forget)
