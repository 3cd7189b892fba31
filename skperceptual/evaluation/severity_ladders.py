"""Signals degraded at rising severities, and what a metric makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.base import clone

from skperceptual.evaluation.pair_scores import Clip, Pair, PairScorer
from skperceptual.utils.messages import in_a_line
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.validation import check_signals

__all__ = [
    "COLUMNS",
    "Ladder",
    "Scored",
    "check_clips",
    "ladder_jobs",
    "make_ladders",
    "noting",
    "row_of",
    "score_ladders",
]

COLUMNS = ["kind", "degradation", "severity", "parameter", "value", "signal", "score"]


class Ladder(NamedTuple):
    """One degradation at rising severities.

    Parameters
    ----------
    name : str
        What to call it.
    severities : list of float
        Its rungs, the mildest first.
    steps : list of Degradation
        One a rung.
    """

    name: str
    severities: list[float]
    steps: list[Any]


class Scored(NamedTuple):
    """The scores of one signal on one ladder, or against itself.

    Parameters
    ----------
    rows : list of dict
        Rows of the table of scores.
    last : dict
        The row of the strongest damage.
    pair : tuple of ndarray of shape (n_times,)
        The signal and that damage.
    """

    rows: list[dict[str, Any]]
    last: dict[str, Any]
    pair: Pair


def check_clips(signals: Any) -> list[Clip]:
    """Check clean signals, one by one.

    Parameters
    ----------
    signals : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
        What the user gave.

    Returns
    -------
    list of ndarray of shape (n_times,)
        The signals.

    Raises
    ------
    ValueError
        For anything else, and for a silent signal.
    """
    clips = [np.asarray(clip) for clip in check_signals(signals, pairs=False)]
    silent = [row for row, clip in enumerate(clips) if not clip.any()]
    if silent:
        raise ValueError(
            f"Expected sounds to degrade, got silence in signals {in_a_line(silent)}. Leave them "
            "out: what a metric does with silence is checked anyway."
        )
    return clips


def make_ladders(degradations: Any, severities: Any, *, sr: int, random_state: int) -> list[Ladder]:
    """Set up every degradation at each of its severities.

    Parameters
    ----------
    degradations : Degradation, list of them, or dict of str to Degradation
        What the user gave; those of a list are named by their class.
    severities : array-like of shape (n_severities,), or dict of str to array-like
        The rungs, for all degradations or for each by its name.
    sr : int
        Sampling rate of the signals, which has to be that of the degradations that have one.
    random_state : int
        Given to the degradations that have a ``random_state`` of None, so that all rungs of a
        ladder share one chance.

    Returns
    -------
    list of Ladder
        The ladders, of instances that nobody else holds.

    Raises
    ------
    TypeError
        For what is no degradation.
    ValueError
        For degradations of one name, one whose physical parameter overrules its severity, another
        sampling rate, and severities out of range.

    Examples
    --------
    >>> from skperceptual import PMQDLowpass
    >>> from skperceptual.evaluation.severity_ladders import make_ladders
    >>> (ladder,) = make_ladders(PMQDLowpass(), [0.0, 1.0], sr=48000, random_state=0)
    >>> ladder.name, [step.physical_value for step in ladder.steps]
    ('PMQDLowpass', [20000.0, 1000.0])
    """
    named = _name(degradations)
    if isinstance(severities, Mapping):
        missing = [name for name in named if name not in severities]
        if missing:
            raise ValueError(
                f"severities lacks {in_a_line(map(repr, missing))}. Give it one list for each of "
                f"{in_a_line(map(repr, named))}, or one list for all."
            )
    ladders = []
    for name, degradation in named.items():
        rungs = severities[name] if isinstance(severities, Mapping) else severities
        rungs = _check_severities(rungs, name)
        changes = _check_degradation(name, degradation, sr, random_state)
        steps = [clone(degradation).set_params(severity=rung, **changes) for rung in rungs]
        ladders.append(Ladder(name, rungs, steps))
    return ladders


def _name(degradations: Any) -> dict[str, Any]:
    if isinstance(degradations, Mapping):
        named = {str(name): degradation for name, degradation in degradations.items()}
    else:
        single = hasattr(degradations, "transform")
        listed = [degradations] if single else list(degradations)
        names = [type(degradation).__name__ for degradation in listed]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(
                f"Several degradations are called {repeated[0]}. Give a dict that names them, "
                f'{{"mild": {repeated[0]}(...), "harsh": {repeated[0]}(...)}}.'
            )
        named = dict(zip(names, listed, strict=True))
    if not named:
        raise ValueError("Expected at least one degradation, got none.")
    for name, degradation in named.items():
        if isinstance(degradation, type):
            raise TypeError(
                f"Expected an instance of the degradation {name!r}, got the class. Write "
                f"{degradation.__name__}()."
            )
        if not hasattr(degradation, "transform") or not hasattr(degradation, "severity"):
            raise TypeError(
                f"Expected degradations with a severity, got {type(degradation).__name__} for "
                f"{name!r}. Derive yours from skperceptual.degradations.Degradation."
            )
    return named


def _check_severities(severities: Any, name: str) -> list[float]:
    rungs = np.asarray(severities, dtype=np.float64)
    if rungs.ndim != 1 or len(rungs) == 0 or not ((rungs >= 0) & (rungs <= 1)).all():
        raise ValueError(
            f"Expected severities between 0 and 1 in a list, got {severities!r} for {name!r}."
        )
    return [float(rung) for rung in np.unique(rungs)]


def _check_degradation(name: str, degradation: Any, sr: int, random_state: int) -> dict[str, Any]:
    """Give the parameters to change, or say what cannot be audited."""
    parameters = degradation.get_params()
    physical = getattr(degradation, "physical_parameter", None)
    if physical is not None and parameters.get(physical) is not None:
        raise ValueError(
            f"The degradation {name!r} has {physical}={parameters[physical]!r}, which its "
            f"severity cannot change. Leave {physical}=None."
        )
    rate = parameters.get("sr")
    if rate is not None and rate != sr:
        raise ValueError(
            f"The degradation {name!r} is for sr={rate}, but the signals are said to have "
            f"sr={sr}. Set {type(degradation).__name__}(sr={sr})."
        )
    if "random_state" in parameters and parameters["random_state"] is None:
        return {"random_state": random_state}
    return {}


@contextmanager
def noting(note: str) -> Iterator[None]:
    """Say with an error which pair it was about."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def row_of(
    kind: str,
    degradation: str,
    *,
    signal: int,
    score: float,
    severity: float = np.nan,
    parameter: str | None = None,
    value: float = np.nan,
) -> dict[str, Any]:
    """Give one row of the table of scores."""
    given = (kind, degradation, severity, parameter, value, signal, score)
    return dict(zip(COLUMNS, given, strict=True))


def score_ladder(scorer: PairScorer, clip: Clip, signal: int, ladder: Ladder, swap: bool) -> Scored:
    """Score one signal at each rung of one ladder."""
    rows: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    degraded = clip
    for severity, step in zip(ladder.severities, ladder.steps, strict=True):
        about = f"signal {signal} with {ladder.name!r} at severity {severity:g}"
        with noting(f"This came of degrading {about}."):
            degraded = step.transform(clip[np.newaxis])[0]
        described: dict[str, Any] = {
            "severity": severity,
            "parameter": getattr(step, "physical_parameter", None),
            "value": float(getattr(step, "physical_value", np.nan)),
        }
        orders = [("degraded", (clip, degraded)), ("swapped", (degraded, clip))]
        for kind, pair in orders[: 1 + swap]:
            with noting(f"This came of scoring {about} ({kind})."):
                (score,) = scorer([pair])
            row = row_of(kind, ladder.name, signal=signal, score=score, **described)
            rows.append(row)
            last = row if kind == "degraded" else last
    return Scored(rows, last, (clip, degraded))


def score_identity(scorer: PairScorer, clip: Clip, signal: int) -> Scored:
    """Score one signal against itself."""
    with noting(f"This came of scoring signal {signal} against itself."):
        (score,) = scorer([(clip, clip)])
    row = row_of("identity", "none", signal=signal, score=score)
    return Scored([row], row, (clip, clip))


def ladder_jobs(
    scorer: PairScorer, clips: Sequence[Clip], ladders: Sequence[Ladder], *, swap: bool
) -> list[Any]:
    """Give the jobs that score every signal against itself and on each ladder."""
    jobs = []
    for signal, clip in enumerate(clips):
        jobs.append(delayed(score_identity)(scorer, clip, signal))
        jobs += [delayed(score_ladder)(scorer, clip, signal, ladder, swap) for ladder in ladders]
    return jobs


def score_ladders(
    metric: Any,
    signals: Any,
    degradations: Any,
    *,
    sr: int,
    severities: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
    method: str = "auto",
    random_state: int = 0,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> pd.DataFrame:
    """Score signals against themselves and against their versions of rising severity.

    Each pair is scored in a call of its own.

    Parameters
    ----------
    metric : estimator
        What gives one number for each pair of signals; fitted where it learns.
    signals : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
        Clean signals.
    degradations : Degradation, list of them, or dict of str to Degradation
        What to do to them.
    sr : int
        Sampling rate of the signals in Hz; degradations that have one need the same.
    severities : array-like of float in [0, 1], or dict of str to array-like
        Rungs of the ladders.
    method : str, default="auto"
        The method to call; ``"auto"`` takes ``predict`` where there is one.
    random_state : int, default=0
        Given to degradations that have none.
    n_jobs : int, default=None
        Number of processes.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        One row a score, with the columns ``kind`` (``"identity"`` or ``"degraded"``),
        ``degradation``, ``severity``, ``parameter``, ``value``, ``signal`` and ``score``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram, PMQDNoise
    >>> from skperceptual.evaluation.severity_ladders import score_ladders
    >>> signals = np.random.default_rng(0).normal(scale=0.1, size=(1, 48000))
    >>> metric = make_pipeline(MelSpectrogram(sr=48000, n_mels=16), MSE())
    >>> table = score_ladders(metric, signals, PMQDNoise(), sr=48000, severities=[0, 1])
    >>> table["score"].is_monotonic_increasing
    True
    """
    scorer = PairScorer(metric, method)
    clips = check_clips(signals)
    ladders = make_ladders(degradations, severities, sr=sr, random_state=random_state)
    jobs = ladder_jobs(scorer, clips, ladders, swap=False)
    results = run_jobs(jobs, n_jobs=n_jobs, verbose=verbose, caller="score_ladders", unit="ladder")
    return pd.DataFrame([row for scored in results for row in scored.rows], columns=COLUMNS)
