"""Score a few pairs with several metrics: steps that metrics have in common run once."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skperceptual.cli.metrics import Metric, Step
from skperceptual.full_reference.nlpd import reference_pyramids
from skperceptual.functional import fit_normalization
from skperceptual.io import AudioFileError

__all__ = ["Message", "PairScorer", "Scores", "learn", "plain_text", "score_pairs"]

Pairs = Sequence[tuple[str, str]]

# What is wrong with the audio, or missing from the installation; anything else is a bug.
_EXPECTED = (ValueError, ImportError)


# The fix as a step of a pipeline, and as an option.
_ADVICE = (
    "Pad it with FixDuration(), or leave it out.",
    "Use longer recordings, or a smaller --n-fft.",
)


class Message(NamedTuple):
    """What a metric had to say about a pair: a warning, or why there is no score.

    Examples
    --------
    >>> from skperceptual.cli.scoring import Message
    >>> Message(0, "nlpd", "the image is too small", is_failure=True).row
    0
    """

    row: int
    metric: str
    text: str
    is_failure: bool


class Scores(NamedTuple):
    """The scores of a few pairs by metric, NaN where there is none, and all messages.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cli.scoring import Scores
    >>> Scores({"mse": np.array([0.5])}, []).values["mse"]
    array([0.5])
    """

    values: dict[str, NDArray[np.float64]]
    messages: list[Message]


class PairScorer:
    """Metrics as an estimator, for machinery that calls a method with a few rows at a time.

    Parameters
    ----------
    metrics : sequence of Metric
        Fitted where they learn.

    Examples
    --------
    >>> from skperceptual.cli.metrics import ready_metric
    >>> from skperceptual.cli.options import Reading
    >>> from skperceptual.cli.scoring import PairScorer
    >>> scorer = PairScorer([ready_metric("mse", Reading())])
    >>> ((score, told),) = scorer.transform([(("no.wav", "no.wav"), ())])
    >>> (message,) = PairScorer.messages(0, told)
    >>> score, message.is_failure
    (nan, True)
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = metrics

    def transform(self, X: Sequence[tuple[tuple[str, str], Any]]) -> NDArray[np.object_]:
        """Score pairs.

        Parameters
        ----------
        X : sequence of ((str, str), object)
            File names, the reference first, and what else tells their rows from others.

        Returns
        -------
        ndarray of shape (n_pairs, n_metrics + 1)
            The scores, NaN where there is none, and what :meth:`messages` reads.
        """
        scores = score_pairs(self.metrics, [pair for pair, _ in X])
        rows = np.full((len(X), len(self.metrics) + 1), None)
        for column, metric in enumerate(self.metrics):
            rows[:, column] = scores.values[metric.name]
        for row, *content in scores.messages:
            if rows[row, -1] is None:
                rows[row, -1] = {"messages": []}
            rows[row, -1]["messages"].append(content)
        return rows

    @staticmethod
    def messages(row: int, told: Mapping[str, Any] | None) -> Iterator[Message]:
        """Read what metrics had to say about a pair.

        Parameters
        ----------
        row : int
            The row of the pair among all.
        told : dict or None
            The last of its columns.

        Yields
        ------
        Message
            In the order in which they came up.
        """
        for metric, text, is_failure in told["messages"] if told is not None else ():
            # Of one kind there may be as many as there are pairs.
            yield Message(row, metric, sys.intern(text), is_failure)


def score_pairs(metrics: Sequence[Metric], pairs: Pairs) -> Scores:
    """Score pairs of files.

    Each file is decoded once for all metrics that read it in the same way; every later step runs
    pair by pair, so that a score, a warning or a failure is that of one pair.

    Parameters
    ----------
    metrics : sequence of Metric
        Fitted where they learn.
    pairs : sequence of (str, str)
        File names, the reference first.

    Returns
    -------
    Scores
        One value a metric and pair.
    """
    scores = Scores({metric.name: np.full(len(pairs), np.nan) for metric in metrics}, [])
    saved = {metric.name for metric in metrics if metric.is_saved}
    for load, branches in _by_first_step({metric.name: metric.steps for metric in metrics}):
        for row, signals in enumerate(_load(load, pairs)):
            pair = _Pair(row, scores, saved)
            if isinstance(signals, ValueError):
                pair.fail(branches, signals)
            else:
                pair.follow(branches, signals)
    return scores


class _Pair(NamedTuple):
    """One pair on its way through the steps of all metrics."""

    row: int
    scores: Scores
    saved: set[str]

    def follow(self, branches: Mapping[str, Sequence[Step]], X: Any) -> None:
        """Run the remaining steps of several metrics, shared ones once."""
        for step, rest in _by_first_step(branches):
            is_last = any(not steps for steps in rest.values())
            method = step.predict if is_last and hasattr(step, "predict") else step.transform
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    Y = method(X)
                    value = _one_number(Y) if is_last else np.nan
            except _EXPECTED as error:
                self.fail(rest, error)
                continue
            except Exception as error:
                if not self.saved.issuperset(rest):
                    raise
                # The pipeline is the user's, and may have been fitted by another version.
                self.fail(rest, error)
                continue
            self._tell(rest, {str(warning.message) for warning in caught}, is_failure=False)
            for name, steps in rest.items():
                if not steps:
                    self.scores.values[name][self.row] = value
            self.follow({name: steps for name, steps in rest.items() if steps}, Y)

    def fail(self, names: Mapping[str, Any], error: Exception) -> None:
        """Leave the scores of several metrics out."""
        self._tell(names, {plain_text(error)}, is_failure=True)

    def _tell(self, names: Mapping[str, Any], texts: set[str], *, is_failure: bool) -> None:
        self.scores.messages.extend(
            Message(self.row, name, text, is_failure) for name in names for text in sorted(texts)
        )


def _by_first_step(
    branches: Mapping[str, Sequence[Step]],
) -> Iterator[tuple[Any, dict[str, Sequence[Step]]]]:
    """Give each distinct first step, and what is left of the metrics that begin with it."""
    # A metric may end where another goes on, so whether a step is somebody's last counts too.
    groups: dict[tuple[str, bool], dict[str, Sequence[Step]]] = {}
    for name, steps in branches.items():
        groups.setdefault((steps[0].key, len(steps) == 1), {})[name] = steps
    for members in groups.values():
        first = next(iter(members.values()))[0]
        yield first.estimator, {name: steps[1:] for name, steps in members.items()}


def _load(load: Any, pairs: Pairs) -> Iterator[Any]:
    """Give every pair as a batch of one, or why it cannot be read."""
    with warnings.catch_warnings():
        # The lengths of all files were compared before.
        warnings.simplefilter("ignore", UserWarning)
        try:
            loaded = load.transform(list(pairs))
        except ValueError as error:
            if len(pairs) == 1:
                yield error
                return
            loaded = None
    for row, pair in enumerate(pairs):
        if loaded is None:
            yield from _load(load, [pair])
        else:
            yield loaded[row : row + 1]


def _one_number(Y: Any) -> float:
    values = np.ravel(Y).tolist()
    if len(values) != 1:
        raise ValueError(f"It gives {len(values)} values a pair, where one is expected.")
    try:
        return float(values[0])
    except (TypeError, ValueError) as error:
        raise ValueError(f"It gives {values[0]!r}, where a number is expected.") from error


def learn(metric: Metric, chunks: Iterable[Pairs]) -> Metric:
    """Let a metric learn its normalisation from the references of a table, a few at a time.

    The result is that of ``fit`` on all pairs at once, in little memory. Pairs that cannot be
    read are left out: scoring reports them.

    Parameters
    ----------
    metric : Metric
        One that ``is_late``.
    chunks : iterable of sequence of (str, str)
        File names, the reference first; those of a chunk are decoded together.

    Returns
    -------
    Metric
        The same, fitted.

    Raises
    ------
    ValueError
        When no pair can be read, or the references are silent.
    """
    nlpd = metric.last
    failures: list[ValueError] = []
    # Read one at a time, whatever the type of what is read.
    images: Any = _images(metric, chunks, failures)
    first = next(images, None)
    if first is None:
        raise failures[0]
    images = chain([first], images)
    pyramids = reference_pyramids(images, nlpd.n_levels, nlpd.convention)
    learned = fit_normalization(
        pyramids,
        nlpd.normalization,
        nlpd.n_levels,
        kernel_size=nlpd.kernel_size,
        convention=nlpd.convention,
    )
    fitted = clone(nlpd).set_params(normalization=learned)
    return metric._replace(steps=(*metric.steps[:-1], Step.of(fitted)))


def _images(
    metric: Metric, chunks: Iterable[Pairs], failures: list[ValueError]
) -> Iterator[NDArray[np.floating]]:
    """Give what the last step of a metric reads, pair by pair."""
    load, *between = [step.estimator for step in metric.steps[:-1]]
    usable = clone(metric.last).set_params(normalization=None)
    for pairs in chunks:
        for X in _load(load, pairs):
            try:
                if isinstance(X, ValueError):
                    raise X
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # scoring shows them
                    for step in between:
                        X = step.transform(X)
                    usable.fit(X)
            except ValueError as error:
                if not failures:  # one will do, as each keeps its images alive
                    failures.append(error)
            else:
                yield X[0]


def plain_text(error: Exception) -> str:
    """Say what went wrong with one pair, without the place that it had in a batch of one.

    Parameters
    ----------
    error : Exception
        What a step raised.

    Returns
    -------
    str
        Its message.
    """
    text = str(error).replace(*_ADVICE)
    if isinstance(error, AudioFileError):
        listed = [line.strip() for line in text.splitlines() if line.startswith("  ")]
        return "; ".join(line.removeprefix("row 0, ") for line in listed) or text
    if not isinstance(error, _EXPECTED):
        text = f"{type(error).__name__}: {text}"
    return re.sub("^(Image|Clip) 0 ", lambda match: f"The {match[1].lower()} ", text)
