"""Timings that can be compared: in turns, warm, in one process; memory in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl
import torch

SHORTEST = 0.2  # seconds; a shorter call is repeated until it takes that long


@dataclass
class Comparison:
    """Seconds a call takes, ours and theirs, and the ratios within each turn."""

    ours: float
    theirs: float
    ratios: np.ndarray

    def summary(self) -> dict[str, float]:
        """Give what a row of a table says: milliseconds, median ratio and its quartiles."""
        low, middle, high = np.quantile(self.ratios, [0.25, 0.5, 0.75])
        return {
            "ours_ms": 1e3 * self.ours,
            "theirs_ms": 1e3 * self.theirs,
            "times_faster": middle,
            "low": low,
            "high": high,
        }


def compare(
    ours: Callable[[], object], theirs: Callable[[], object], n_turns: int = 7
) -> Comparison:
    """Time two calls in turns, after one call of each that does not count."""
    repeats = [max(1, round(SHORTEST / seconds(call, 1))) for call in (ours, theirs)]
    turns = np.array(
        [
            [seconds(call, n) for call, n in zip((ours, theirs), repeats, strict=True)]
            for _ in range(n_turns)
        ]
    )
    return Comparison(*np.median(turns, axis=0), turns[:, 1] / turns[:, 0])


def seconds(call: Callable[[], object], n_repeats: int) -> float:
    """Give the mean duration of one call."""
    begin = time.perf_counter()
    for _ in range(n_repeats):
        call()
    return (time.perf_counter() - begin) / n_repeats


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Give everybody the same number of threads: torch, BLAS, and the compiled kernels."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    os.environ["NUMBA_NUM_THREADS"] = str(n)
    try:
        with threadpoolctl.threadpool_limits(n, user_api="blas"):
            yield
    finally:
        del os.environ["NUMBA_NUM_THREADS"]
        torch.set_num_threads(before)


def extra_megabytes(prepare: Callable[..., Callable[[], object]], *arguments: object) -> float:
    """Give by how much one call raises the peak memory of a fresh process.

    ``prepare``, called there with the arguments, imports what it needs, makes the inputs, and
    returns the call.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(sender, prepare, arguments))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return float(result)


def _measure(sender: object, prepare: Callable, arguments: tuple) -> None:
    call = prepare(*arguments)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
    before = peak_megabytes()
    call()
    sender.send(peak_megabytes() - before)  # type: ignore[attr-defined]


def peak_megabytes() -> float:
    """Give the most memory that this process has had, on Linux."""
    # ru_maxrss begins with what the parent process had; this does not.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell the peak memory of a process")
