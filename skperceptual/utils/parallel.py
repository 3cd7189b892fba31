"""Many jobs of one kind, side by side and with a progress bar where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from joblib import Parallel


def run_jobs(
    jobs: list[Any],
    *,
    n_jobs: int | None,
    verbose: bool | int,
    caller: str,
    unit: str,
    in_threads: bool = False,
) -> Iterator[Any]:
    """Run jobs and give their results in order, each as soon as it is there.

    Parameters
    ----------
    jobs : list
        What :func:`joblib.delayed` makes.
    n_jobs : int or None
        How many run at the same time, as joblib counts them.
    verbose : bool or int
        Whether to show a progress bar.
    caller : str
        Whose bar it is.
    unit : str
        What a job is about, such as ``"file"``.
    in_threads : bool, default=False
        Whether they share memory, which suits jobs that mostly wait for a disk.

    Yields
    ------
    Any
        The result of each job.

    Examples
    --------
    >>> from joblib import delayed
    >>> from skperceptual.utils.parallel import run_jobs
    >>> jobs = [delayed(abs)(number) for number in (-1, 2)]
    >>> list(run_jobs(jobs, n_jobs=None, verbose=0, caller="abs", unit="number"))
    [1, 2]
    """
    results = Parallel(
        n_jobs=n_jobs, require="sharedmem" if in_threads else None, return_as="generator"
    )(jobs)
    if verbose:
        from tqdm import tqdm

        results = tqdm(results, total=len(jobs), desc=caller, unit=unit)
    yield from results
