"""Keep torch to one thread while single clips are computed.

One spectrogram is too little work to share: its threads wait for one another at the end of every
operation and, where other processes want the cores too (a grid search, a busy server), they wait
for tens of milliseconds each time. It is whole clips that are worth running side by side, which
``thread_pool`` does for compiled kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run the OpenMP operations of a block on the calling thread alone.

    Examples
    --------
    >>> from skperceptual.utils.threads import single_threaded
    >>> with single_threaded():
    ...     pass
    """
    import torch

    torch.get_num_threads()  # a thread's first such call sets its number, which would undo ours
    with _controller().limit(limits=1, user_api="openmp"):
        yield
