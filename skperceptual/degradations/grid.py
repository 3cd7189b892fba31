"""Every signal in every degradation at every severity, made when it is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_memory

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.lazy_pairs import GridRows, LazyPairs
from skperceptual.degradations.randomness import draw_seed
from skperceptual.degradations.registry import get_degradation
from skperceptual.utils.validation import check_signals

__all__ = ["degradation_grid"]

_DESCRIPTION = """\
Grid of degradations
--------------------
{n_signals} signals at {sr} Hz in {n_conditions} conditions, {n_pairs} pairs in all:
{conditions}
Pairs are made when they are asked for. `groups` is the source of each: rows of one signal, and of
one group, belong on the same side of a split. Severities order the rungs of one ladder and compare
no two ladders. The seed of all chance is {seed}.
"""


def degradation_grid(
    signals: Any,
    degradations: Any,
    severities: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
    *,
    sr: int,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    memory: str | os.PathLike[str] | Memory | None = None,
    verbose: bool | int = 0,
    random_state: Any = None,
) -> Bunch:
    """Pair signals with their versions in every degradation at every severity, lazily.

    Nothing is degraded before it is asked for, and nothing kept: 10 000 conditions need the memory
    of the signals, a row in a table for each pair, and the pairs that are being looked at.

    Parameters
    ----------
    signals : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
        Clean signals.
    degradations : Degradation or str, list of them, or dict of str to one of them
        What to do to them. A name stands for the one of :func:`get_degradation` with its defaults
        at this sampling rate. Those of a list are called by their name or class, those of a dict
        by their key: several of a kind need a dict.
    severities : array-like of float in [0, 1], or dict of str to array-like, or None, \
default=(0.0, 0.25, 0.5, 0.75, 1.0)
        The rungs, for all degradations or for each by its name; they are sorted, and each is taken
        once. None takes each degradation as it is, with its severity or physical parameter.
    sr : int
        Sampling rate of the signals in Hz. Degradations that have a rate need the same.
    groups : array-like of shape (n_signals,), default=None
        Where each signal comes from (song, speaker). None takes each for a source of its own.
    n_jobs : int, default=None
        Number of processes that degrade whenever several pairs are asked for. None means 1, -1 as
        many as there are processors.
    memory : str, path-like or joblib.Memory, default=None
        A folder to keep degraded signals in, so that each is made once, also by later calls.
        Another parameter, signal or seed, another version of this package or of libsndfile, is
        another entry. None keeps none.
    verbose : bool or int, default=0
        Whether to show a progress bar where all pairs are made at once.
    random_state : int, RandomState or None, default=None
        For degradations whose own ``random_state`` is None. All of them and all severities get the
        same int, so that ``WhiteNoise(random_state=0)`` by itself does what it does here under
        ``random_state=0``. None draws that int now; the pairs of one grid never change.

    Returns
    -------
    Bunch
        ``pairs`` : :class:`~skperceptual.degradations.LazyPairs` of n_pairs pairs
            Signal by signal, in each by degradation, in each by severity.
        ``condition`` : ndarray of shape (n_pairs,)
            Name of each pair's degradation.
        ``severity`` : ndarray of shape (n_pairs,)
            Its severity; NaN where a physical parameter stands in its place.
        ``groups`` : ndarray of shape (n_pairs,)
            Source of its signal.
        ``frame`` : DataFrame of n_pairs rows
            ``signal`` (its place), ``group``, ``condition``, ``severity``, ``parameter`` and
            ``value`` (the physical parameter), ``max_lag``.
        ``sr`` : int
            Sampling rate in Hz.
        ``DESCR`` : str
            What this is.

    Raises
    ------
    TypeError
        For what is no degradation.
    ValueError
        For degradations of one name, one whose physical parameter overrules the severities, one
        at another sampling rate, parameters out of range, and groups of another number.

    See Also
    --------
    Degrade : One degradation, as a step of a pipeline.
    skperceptual.evaluation.predict_chunked : Takes ``pairs`` a few at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram
    >>> from skperceptual.degradations import degradation_grid
    >>> signals = np.random.default_rng(0).uniform(-0.5, 0.5, size=(2, 16000))
    >>> grid = degradation_grid(
    ...     signals, ["white_noise", "mu_law"], [0.0, 0.5, 1.0], sr=16000, random_state=0
    ... )
    >>> grid.pairs
    <LazyPairs of shape (12, 2, 16000)>
    >>> grid.frame.loc[3:5, ["condition", "severity", "parameter", "value"]]
      condition  severity parameter  value
    3    mu_law       0.0    n_bits    8.0
    4    mu_law       0.5    n_bits    5.5
    5    mu_law       1.0    n_bits    3.0
    >>> distances = make_pipeline(MelSpectrogram(), MSE()).fit_transform(grid.pairs[:3])
    >>> bool(np.all(np.diff(distances[:, 0]) > 0))
    True
    """
    batch = check_signals(signals)
    sources = _check_groups(groups, len(batch))
    seed = draw_seed(random_state)
    if random_state is None:
        seed %= 2**32  # what scikit-learn takes for a random_state
    table, steps = _set_up(_name(degradations, sr), severities, seed)
    n_steps = len(steps)
    rows = GridRows(
        signal=np.repeat(np.arange(len(batch)), n_steps),
        step=np.tile(np.arange(n_steps), len(batch)),
    )
    frame = pd.DataFrame({"signal": rows.signal, "group": sources[rows.signal]})
    frame = frame.join(table.iloc[rows.step].reset_index(drop=True))
    pairs = LazyPairs(
        batch,
        steps,
        rows,
        n_jobs=n_jobs,
        memory=_check_memory(memory),
        verbose=verbose,
    )
    return Bunch(
        pairs=pairs,
        condition=frame["condition"].to_numpy(),
        severity=frame["severity"].to_numpy(),
        groups=frame["group"].to_numpy(),
        frame=frame,
        sr=sr,
        DESCR=_describe(table, frame, len(batch), sr, seed),
    )


def _check_groups(groups: ArrayLike | None, n_signals: int) -> Any:
    if groups is None:
        return np.arange(n_signals)
    sources = np.asarray(groups)
    if sources.shape != (n_signals,):
        raise ValueError(
            f"Expected one group for each of {n_signals} signals, got shape {sources.shape}."
        )
    return sources


def _check_memory(memory: Any) -> Memory | None:
    if memory is None:
        return None
    return check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)


def _name(degradations: Any, sr: int) -> dict[str, Any]:
    """Give all degradations by name, those that came as a name made."""
    if isinstance(degradations, Mapping):
        named = {str(name): degradation for name, degradation in degradations.items()}
    else:
        alone = isinstance(degradations, str) or hasattr(degradations, "transform")
        listed = [degradations] if alone else list(degradations)
        names = [one if isinstance(one, str) else type(one).__name__ for one in listed]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"Several degradations are called {repeated[0]}. Give a dict that names them, "
                f'{{"mild": ..., "harsh": ...}}.'
            )
        named = dict(zip(names, listed, strict=True))
    if not named:
        raise ValueError("Expected at least one degradation, got none.")
    return {name: _make(name, degradation, sr) for name, degradation in named.items()}


def _make(name: str, degradation: Any, sr: int) -> Degradation:
    if isinstance(degradation, str):
        degradation = get_degradation(degradation)
        return degradation.set_params(sr=sr) if hasattr(degradation, "sr") else degradation
    if isinstance(degradation, type) or not isinstance(degradation, Degradation):
        raise TypeError(
            f"Expected a degradation for {name!r}, got {degradation!r}. Use an instance of one, "
            "such as WhiteNoise(), or a name, such as 'white_noise'; derive your own from "
            "skperceptual.degradations.Degradation."
        )
    if getattr(degradation, "sr", sr) != sr:
        raise ValueError(
            f"The degradation {name!r} is for sr={degradation.sr}, the signals have sr={sr}. Use "
            f"set_params(sr={sr})."
        )
    return degradation


def _set_up(
    named: dict[str, Degradation], severities: Any, seed: int
) -> tuple[pd.DataFrame, list[Degradation]]:
    """Make one degradation for every rung, and a table of them."""
    steps, rows = [], []
    for name, degradation in named.items():
        given = getattr(degradation, degradation.physical_parameter)
        changes = {}
        if hasattr(degradation, "random_state"):
            own = degradation.random_state
            changes["random_state"] = seed if own is None else draw_seed(own)
        for severity in _rungs(name, given, severities):
            step = clone(degradation).set_params(**changes)
            if severity is not None:
                step.set_params(severity=severity)
            _check_step(name, step)
            steps.append(step)
            rows.append(
                {
                    "condition": name,
                    "severity": step.severity if given is None else np.nan,
                    "parameter": step.physical_parameter,
                    "value": float(step.physical_value),
                    "max_lag": step.max_lag,
                }
            )
    return pd.DataFrame(rows), steps


def _rungs(name: str, given: Any, severities: Any) -> list[Any]:
    if severities is None:
        return [None]
    if isinstance(severities, Mapping):
        if name not in severities:
            raise ValueError(
                f"severities lacks {name!r}. Give it a list for every degradation, or one list "
                "for all."
            )
        severities = severities[name]
    if given is not None:
        raise ValueError(
            f"The degradation {name!r} has a physical parameter ({given!r}), which severities "
            "cannot change. Leave it None, or use severities=None."
        )
    rungs = np.atleast_1d(np.asarray(severities, dtype=np.float64))
    if rungs.ndim != 1 or len(rungs) == 0 or not ((rungs >= 0) & (rungs <= 1)).all():
        raise ValueError(f"Expected severities from 0 to 1 in a list, got {severities!r}.")
    return [float(rung) for rung in np.unique(rungs)]


def _check_step(name: str, step: Degradation) -> None:
    """Refuse now what would fail at the first pair: wrong parameters, a missing encoder."""
    try:
        step._validate_params()
        step._check_parameters()
    except (ValueError, RuntimeError) as error:
        error.add_note(f"This was found in {step!r}, of the condition {name!r}.")
        raise


def _describe(table: pd.DataFrame, frame: pd.DataFrame, n_signals: int, sr: int, seed: int) -> str:
    lines = []
    for name, rungs in table.groupby("condition", sort=False):
        low, high = rungs["value"].iloc[0], rungs["value"].iloc[-1]
        span = f"{low:g}" if len(rungs) == 1 else f"{low:g} to {high:g} in {len(rungs)} rungs"
        lines.append(f"    {name}: {rungs['parameter'].iloc[0]} {span}")
    return _DESCRIPTION.format(
        n_signals=n_signals,
        sr=sr,
        n_conditions=len(table),
        n_pairs=len(frame),
        conditions="\n".join(lines),
        seed=seed,
    )
