"""Any fitted pipeline over any number of files, a few rows at a time."""

from __future__ import annotations

import csv
import os
import re
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import islice
from numbers import Integral
from typing import IO, Any

import joblib
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn import config_context, get_config
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from skperceptual._version import __version__
from skperceptual.evaluation.partial_results import Finished, UnfinishedError, open_partial
from skperceptual.evaluation.row_chunks import Rows, digest_rows
from skperceptual.evaluation.worker_estimator import WorkerEstimator
from skperceptual.io import AudioFileError

__all__ = ["finish_chunks", "predict_chunked"]

# What a metric or a classifier may have; suggested where a method is missing.
_METHODS = ("predict", "transform", "predict_proba", "decision_function", "score_samples")
_Chunk = tuple[int, Any]


def predict_chunked(
    fitted: Any,
    X: Any,
    *,
    chunk_size: int = 64,
    n_jobs: int | None = None,
    method: str = "predict",
    output: str | os.PathLike[str] | None = None,
    verbose: bool | int = 0,
) -> NDArray[Any]:
    """Predict for any number of rows, a few at a time and side by side.

    The result is that of one call on all rows, since no clip's result depends on its neighbours.
    What is held in memory is the result, and the audio of a few chunks for each worker.

    Parameters
    ----------
    fitted : estimator
        A fitted estimator, as a rule a Pipeline that begins with :class:`LoadAudio`, so that
        each worker reads its own files.
    X : array, list, DataFrame, Series, Pyramid or iterable
        What the estimator reads: a table of file names, or signals, pairs or images in memory.
        An iterable without a length, such as a generator of names, is taken a chunk at a time,
        and each chunk given to the estimator as a list.
    chunk_size : int, default=64
        Number of rows that are read and worked on together.
    n_jobs : int, default=None
        Number of workers, as joblib understands it: None means 1 unless
        :func:`joblib.parallel_config` says otherwise, -1 all processors. Any backend of joblib
        will do, also Dask's, which goes over several machines.
    method : str, default="predict"
        The method to call: ``"predict"``, ``"transform"``, ``"predict_proba"`` or any other that
        gives one number, or one row of numbers, for each row of X.
    output : path-like, default=None
        A CSV file for the results, with a column ``row`` and one or more for the values, in full
        precision; an empty cell is NaN. Each chunk is written as soon as it is done, to a file
        beside it (``.part``). The same call after an interruption goes on from there; chunks may
        then have another size, and X further rows. File names count by their text: what the
        files hold is not compared.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_columns)
        What the method gives for all rows, in the order of X.

    Raises
    ------
    NotFittedError
        When the estimator is not fitted.
    ValueError
        When the estimator lacks the method, the method gives something else than numbers for each
        row, X is empty, or the unfinished file holds results for another estimator, method or X.
    FileExistsError
        When the output exists.
    Exception
        What the estimator raises about a chunk, with a note that says which rows it had. An
        :class:`~skperceptual.io.AudioFileError` counts rows from the beginning of X.

    See Also
    --------
    joblib.parallel_config : Chooses where workers run.

    Notes
    -----
    The estimator is sent to each worker once where the backend allows it, not with every chunk.
    Chunks are handed out as workers become free; a slow one holds nobody up.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, RatingMapping
    >>> from skperceptual.evaluation import predict_chunked
    >>> references = np.random.default_rng(0).random((100, 8, 8))
    >>> gains = np.linspace(1, 0.5, 100)[:, None, None]
    >>> pairs = np.stack([references, gains * references], axis=1)
    >>> metric = make_pipeline(MSE(), RatingMapping()).fit(pairs[::10], np.linspace(5, 1, 10))
    >>> ratings = predict_chunked(metric, pairs, chunk_size=16)
    >>> bool(np.array_equal(ratings, metric.predict(pairs)))
    True
    """
    if not isinstance(chunk_size, Integral) or chunk_size < 1:
        raise ValueError(f"Expected chunk_size to be a whole number above 0, got {chunk_size!r}.")
    _check_method(fitted, method)
    rows = Rows(X)
    saving = nullcontext() if output is None else open_partial(output, _about(fitted, method))
    with saving as partial:
        chunks = [] if partial is None else partial.finished
        new = finish_chunks(
            fitted,
            rows,
            method,
            chunk_size=lambda position: int(chunk_size),
            finished=chunks[:],
            n_jobs=n_jobs,
            verbose=verbose,
        )
        with closing(new):
            for chunk in new:
                if partial is not None:
                    partial.append(chunk)
                chunks.append(chunk)
        table = _join(chunks, method)
        if partial is not None:
            with partial.finish() as file:
                _write(file, table, method)
    return table


def finish_chunks(
    fitted: Any,
    rows: Rows,
    method: str,
    *,
    chunk_size: Callable[[int], int],
    finished: Sequence[Finished] = (),
    n_jobs: int | None = None,
    verbose: bool | int = 0,
    unit: str = "row",
) -> Generator[Finished, None, None]:
    """Work on all chunks but those that are done, and give each when it is done.

    Parameters
    ----------
    fitted : estimator
        What has the method.
    rows : Rows
        All rows, none of them taken.
    method : str
        The method to call with each chunk.
    chunk_size : callable
        Takes a row, and gives how many from there on, at most, are read and worked on together.
    finished : sequence of Finished, default=()
        The chunks that are done, by row: compared with the rows, and left out.
    n_jobs : int, default=None
        Number of workers, as joblib understands it.
    verbose : bool or int, default=0
        Whether to show a progress bar.
    unit : str, default="row"
        What it calls a row.

    Yields
    ------
    Finished
        A chunk, in the order in which they are done.

    Raises
    ------
    UnfinishedError
        When the rows of a chunk that is done are others now.
    """
    digests: dict[int, str] = {}
    waiting = _chunks(rows, chunk_size, finished, digests)
    known = sum(len(chunk.values) for chunk in finished)
    with (
        closing(_work_on(waiting, WorkerEstimator(fitted), method, n_jobs)) as results,
        tqdm(total=rows.n_rows, initial=known, unit=unit, disable=not verbose) as progress,
    ):
        for first, values in results:
            yield Finished(first, digests.pop(first), values)
            progress.update(len(values))


def _check_method(fitted: Any, method: str) -> None:
    check_is_fitted(fitted)
    if not isinstance(method, str) or not callable(getattr(fitted, method, None)):
        has = [name for name in _METHODS if hasattr(fitted, name)]
        raise ValueError(
            f"{type(fitted).__name__} has no method {method!r}. Use one that gives numbers for "
            f"each row of X; it has {', '.join(map(repr, has)) or 'none of the usual ones'}."
        )


def _about(fitted: Any, method: str) -> dict[str, str]:
    """Say what is computed, so that results of something else are not mixed in."""
    try:
        fingerprint = joblib.hash(fitted, coerce_mmap=True)
    except Exception as error:
        raise ValueError(
            "The estimator cannot be recognised by a later call, as output needs, since it cannot "
            "be pickled. Use functions and classes that have a name in a module, or output=None."
        ) from error
    return {
        "version of skperceptual": __version__,
        "estimator (parameters or fitted state)": fingerprint,
        "method": method,
    }


def _chunks(
    rows: Rows,
    chunk_size: Callable[[int], int],
    finished: Sequence[Finished],
    digests: dict[int, str],
) -> Iterator[_Chunk]:
    """Give the chunks that are still to be worked on, and compare the others with X."""
    position = 0
    for known in (*finished, None):
        while known is None or position < known.first:
            n_rows = chunk_size(position)
            chunk = rows.take(n_rows if known is None else min(n_rows, known.first - position))
            if len(chunk) == 0:
                break
            digests[position] = digest_rows(chunk)
            yield position, chunk
            position += len(chunk)
        if known is not None:
            if digest_rows(rows.take(len(known.values))) != known.digest:
                last = known.first + len(known.values) - 1
                raise UnfinishedError(
                    f"The unfinished results are of another X: rows {known.first} to {last} have "
                    "changed since. Ask for the same X, give another output, or delete the "
                    "unfinished file (.part) to begin anew.",
                    rows=(known.first, last),
                )
            position += len(known.values)
    if position == 0:
        raise ValueError("Found X with 0 sample(s) while a minimum of 1 is required.")


def _work_on(
    chunks: Iterator[_Chunk], estimator: WorkerEstimator, method: str, n_jobs: int | None
) -> Generator[tuple[int, NDArray[Any]], None, None]:
    """Give the results of all chunks as they are done, and their first rows."""
    config = get_config()
    tasks = (
        delayed(_work_on_one)(estimator, method, first, chunk, config) for first, chunk in chunks
    )
    try:
        # One chunk a task, so that none waits for others to be done before it is saved.
        parallel = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator_unordered")
    except ValueError:
        # Backends that give all results at the end, such as "multiprocessing": a few at a time.
        at_once = 4 * joblib.effective_n_jobs(n_jobs)
        with Parallel(n_jobs=n_jobs, batch_size=1) as parallel:
            while some := list(islice(tasks, at_once)):
                yield from parallel(some)
    else:
        with _workers_ignore_interrupts():
            results = parallel(tasks)
        try:
            for result in results:  # noqa: UP028 (would close them as well, and not silently)
                yield result
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that chunks are given up
                results.close()


@contextmanager
def _workers_ignore_interrupts() -> Iterator[None]:
    """Leave Ctrl-C, which a terminal sends to all processes, to this one: it ends the others."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is None  # not Python's
    ):
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes started now inherit this
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _work_on_one(
    estimator: WorkerEstimator, method: str, first: int, chunk: Any, config: Mapping[str, Any]
) -> tuple[int, NDArray[Any]]:
    try:
        with config_context(**config):
            result = getattr(estimator.get(), method)(chunk)
        shape = getattr(result, "shape", None)
        values = None if shape is None else np.asarray(result)
        if values is None or values.shape != shape or shape[:1] != (len(chunk),) or len(shape) > 2:
            came = type(result).__name__ if shape is None else f"an array of shape {shape}"
            raise ValueError(
                f"Expected {method!r} to give one number, or one row of numbers, for each of "
                f"{len(chunk)} rows, got {came}. Let the pipeline end in a metric, a regressor or "
                "a classifier."
            )
    except Exception as error:
        _name_rows(error, first, len(chunk))
        raise
    return first, values


def _name_rows(error: Exception, first: int, n_rows: int) -> None:
    which = f"rows {first} to {first + n_rows - 1} of X"
    if isinstance(error, AudioFileError):
        error.rows = tuple(first + row for row in error.rows)
        lines = re.sub(r"(?m)^  row (\d+)", lambda m: f"  row {first + int(m[1])}", str(error))
        error.args = (lines, *error.args[1:])
        error.add_note(f"This was found in {which}.")
    else:
        error.add_note(
            f"This was found in {which}: what the message may call the first (row, item, clip, "
            f"image or pair 0) is row {first}."
        )


def _join(chunks: list[Finished], method: str) -> NDArray[Any]:
    chunks.sort(key=lambda chunk: chunk.first)
    shapes = {chunk.values.shape[1:]: chunk.first for chunk in chunks}
    if len(shapes) > 1:
        (first, at), (second, then) = list(shapes.items())[:2]
        raise ValueError(
            f"{method!r} gives rows of shape {first} in the chunk from row {at}, and of shape "
            f"{second} in the one from row {then}. Every row needs the same number of values."
        )
    return np.concatenate([chunk.values for chunk in chunks])


def _write(file: IO[str], table: NDArray[Any], method: str) -> None:
    columns = table.reshape(len(table), -1)
    n_columns = columns.shape[1]
    names = [method] if n_columns == 1 else [f"{method}_{column}" for column in range(n_columns)]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", *names])
    for row, values in enumerate(columns):
        writer.writerow([row, *map(_cell, values.tolist())])


def _cell(value: Any) -> Any:
    return "" if value != value else value
