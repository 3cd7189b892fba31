"""Pairs that are made when they are asked for: a grid of any size in the memory of its signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any, NamedTuple, overload

import numpy as np
import soundfile
from joblib import Memory, delayed
from numpy.typing import NDArray

from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.validation import Batch

__all__ = ["LazyPairs"]

_CHUNK = 64


class GridRows(NamedTuple):
    """What the rows of a grid are made of.

    Parameters
    ----------
    signal : ndarray of shape (n_pairs,), int
        Which signal.
    step : ndarray of shape (n_pairs,), int
        Which degradation.
    """

    signal: NDArray[np.intp]
    step: NDArray[np.intp]


class LazyPairs:
    """Pairs of signals and their degraded versions, made anew whenever they are asked for.

    An index gives one pair; a slice, an array of indices or a mask gives as many as it says.
    Nothing else is in memory than that and the signals. The same rows are the same every time.
    They serve as X of a pipeline, of cross-validation and of
    :func:`~skperceptual.evaluation.predict_chunked`, which asks for a few at a time.

    Parameters
    ----------
    signals : ndarray of shape (n_signals, n_times), or list of ndarrays of shape (n_times,)
        Clean signals.
    steps : list of Degradation
        What to do to them.
    rows : GridRows
        Which of both each pair is made of.
    n_jobs : int, default=None
        Number of processes that degrade, as joblib understands it.
    memory : joblib.Memory, default=None
        Where degraded signals are kept. None keeps none.
    verbose : bool or int, default=0
        Whether :meth:`load` and :meth:`fill_cache` show a progress bar.

    See Also
    --------
    skperceptual.degradations.degradation_grid : Makes them.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import MuLaw, degradation_grid
    >>> signals = np.random.default_rng(0).uniform(-0.5, 0.5, size=(2, 16000))
    >>> pairs = degradation_grid(signals, MuLaw(), [0.0, 0.5, 1.0], sr=16000).pairs
    >>> pairs
    <LazyPairs of shape (6, 2, 16000)>
    >>> pairs[0].shape, pairs[2:5].shape, pairs[[0, 3]].shape
    ((2, 16000), (3, 2, 16000), (2, 2, 16000))
    """

    def __init__(
        self,
        signals: Batch,
        steps: list[Any],
        rows: GridRows,
        *,
        n_jobs: int | None = None,
        memory: Memory | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self._signals = signals
        self._steps = steps
        self._rows = rows
        self._n_jobs = n_jobs
        self._memory = memory
        self._verbose = verbose

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floating-point type of all pairs."""
        return np.asarray(self._signals[0]).dtype

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of pairs, 2, and number of samples; missing where signals came as a list."""
        if not isinstance(self._signals, np.ndarray):
            # scikit-learn then takes the pairs for a list, and indexes them one by one.
            raise AttributeError("Pairs of signals that came as a list have no common shape.")
        return len(self), 2, self._signals.shape[1]

    def __len__(self) -> int:
        return len(self._rows.signal)

    def __repr__(self) -> str:
        if isinstance(self._signals, np.ndarray):
            return f"<{type(self).__name__} of shape {self.shape}>"
        return f"<{type(self).__name__}: {len(self)} of a list of signals>"

    @overload
    def __getitem__(self, key: int) -> NDArray[np.floating]: ...
    @overload
    def __getitem__(self, key: Any) -> Any: ...
    def __getitem__(self, key: Any) -> Any:
        """Give one pair, or several: an array where signals came as an array, or else a list."""
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # as scikit-learn indexes what has a shape
        if isinstance(key, tuple):
            raise IndexError(
                "Pairs that are made on demand are indexed by row alone. Use pairs[rows], and "
                "index the result: pairs[rows][:, 1]."
            )
        chosen = np.arange(len(self))[key]
        if isinstance(key, Integral) or chosen.ndim == 0:
            return self._make([int(chosen)], verbose=0)[0]
        return self._make(chosen.tolist(), verbose=0)

    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        for start in range(0, len(self), _CHUNK):
            yield from self[start : start + _CHUNK]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Pairs that are made on demand cannot be had without making them.")
        if not isinstance(self._signals, np.ndarray):
            raise ValueError("Pairs of signals that came as a list make no array. Use pairs[:].")
        return np.asarray(self.load(), dtype=dtype)

    def load(self) -> NDArray[np.floating] | list[NDArray[np.floating]]:
        """Make all pairs and give them.

        Returns
        -------
        ndarray of shape (n_pairs, 2, n_times), or list of ndarrays of shape (2, n_times)
            All of them, in memory: an array where signals came as an array.
        """
        return self._make(list(range(len(self))), verbose=self._verbose)

    def fill_cache(self) -> None:
        """Make all pairs that are not in the cache yet, and keep none in memory.

        After an interruption, the same call goes on where it was.

        Raises
        ------
        ValueError
            When there is no cache.
        """
        if self._memory is None:
            raise ValueError(
                "There is no cache to fill. Give degradation_grid a folder, memory='...'."
            )
        for _ in self._run(_store, range(len(self)), self._verbose):
            pass

    def _make(self, rows: list[int], *, verbose: bool | int) -> Any:
        made = self._run(_degrade_cached, rows, verbose)
        references = (self._signals[self._rows.signal[row]] for row in rows)
        if not isinstance(self._signals, np.ndarray):
            return [np.stack(pair) for pair in zip(references, made, strict=True)]
        pairs = np.empty((len(rows), 2, self._signals.shape[1]), dtype=self.dtype)
        for place, pair in enumerate(zip(references, made, strict=True)):
            pairs[place] = pair
        return pairs

    def _run(
        self, function: Callable[..., Any], rows: Sequence[int], verbose: bool | int
    ) -> Iterator[Any]:
        """Apply a function to the memory, the degradation and the signal of every row."""
        jobs = [
            delayed(_name_failure)(
                function,
                self._memory,
                self._steps[self._rows.step[row]],
                self._signals[self._rows.signal[row]],
                int(self._rows.signal[row]),
            )
            for row in rows
        ]
        return run_jobs(
            jobs,
            n_jobs=self._n_jobs if len(jobs) > 1 else 1,
            verbose=verbose,
            caller="degradation_grid",
            unit="pair",
        )


def _name_failure(
    function: Callable[..., Any], memory: Memory | None, step: Any, signal: NDArray, place: int
) -> Any:
    """Run one job; an error says which it is, also from a worker."""
    try:
        return function(memory, step, signal)
    except Exception as error:
        error.add_note(f"This was found in {step!r} of signal {place}.")
        raise


def _degrade(step: Any, signal: NDArray[np.floating], libsndfile: str) -> NDArray[np.floating]:
    """Degrade one signal; the version of libsndfile is here for the cache, which goes by it."""
    return step.transform([signal])[0]


def _degrade_cached(memory: Memory | None, step: Any, signal: NDArray) -> NDArray[np.floating]:
    function = _degrade if memory is None else memory.cache(_degrade)
    return function(step, signal, soundfile.__libsndfile_version__)


def _store(memory: Memory, step: Any, signal: NDArray) -> None:
    """Put one degraded signal into the cache unless it is there, and send nothing back."""
    memory.cache(_degrade).call_and_shelve(step, signal, soundfile.__libsndfile_version__)
