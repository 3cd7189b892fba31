"""The metrics of the study: those that can be computed here, and how."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline

from skperceptual.cli.errors import CommandError
from skperceptual.cli.ready_metrics import make_ready_metric
from skperceptual.cli.study_request import METRICS, USUAL_METRICS
from skperceptual.embeddings import (
    EmbeddingSimilarity,
    FrechetAudioDistance,
    LogMelEmbedding,
    OpenL3,
    VGGish,
    resolve_embedding,
)
from skperceptual.embeddings.signals import embed_clips
from skperceptual.embeddings.weights import MissingWeightsError
from skperceptual.full_reference import PESQ, STOI
from skperceptual.full_reference.external import ExternalMetric
from skperceptual.spectrograms import MelSpectrogram

__all__ = ["SR", "Outcome", "choose_metrics", "make_embedding", "score_versions"]

#: Of the study, in Hz.
SR = 16000

Signal = NDArray[np.floating]

_SIGNAL_METRICS: dict[str, Callable[[], ExternalMetric]] = {
    "pesq": PESQ,
    "pesq-nb": lambda: PESQ(mode="nb"),
    "stoi": STOI,
    "estoi": lambda: STOI(extended=True),
}
# The settings of the report: VGGish with its last rectifier, whitening and 8 bits, and the front
# end of the version of OpenL3 that it used.
_EMBEDDINGS: dict[str, Callable[[], Any]] = {
    "shipped": lambda: resolve_embedding("shipped"),
    "vggish": lambda: VGGish(activation="post", pca=True),
    "openl3": lambda: OpenL3(frontend="openl3-0.4"),
    "log-mel": LogMelEmbedding,
}


class Outcome(NamedTuple):
    """What became of the versions of a recording under one metric.

    Examples
    --------
    >>> from skperceptual.cli.study_metrics import Outcome
    >>> Outcome([0.5, "the reference is silent"], []).values
    [0.5, nan]
    """

    results: list[float | str]
    remarks: list[str]

    @property
    def values(self) -> list[float]:
        """The values, NaN where there is none."""
        return [np.nan if isinstance(result, str) else result for result in self.results]


@cache
def make_embedding(name: str) -> Any:
    """Make an embedding of the study.

    Parameters
    ----------
    name : str
        ``"shipped"``, ``"vggish"``, ``"openl3"`` or ``"log-mel"``.

    Returns
    -------
    Embedding
        The same for every call.
    """
    return _EMBEDDINGS[name]()


def choose_metrics(
    asked: Sequence[str], also: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """See which metrics can be computed here.

    Parameters
    ----------
    asked : sequence of str
        Names of metrics; none for the usual ones.
    also : sequence of str, default=()
        Names of further ones.

    Returns
    -------
    chosen : list of str
        Those that can be computed, in the order in which they are shown.
    missing : dict of str to str
        What the others lack.

    Raises
    ------
    CommandError
        When one that was named cannot be computed, or none can.
    """
    chosen = []
    missing: dict[str, str] = {}
    for name in METRICS:
        if name not in (*(asked or USUAL_METRICS), *also):
            continue
        try:
            _check(name)
        except (ImportError, MissingWeightsError) as error:
            missing[name] = str(error)
        except ValueError as error:  # weights that are damaged, or of something else
            raise CommandError(f"{name}: {error}") from error
        else:
            chosen.append(name)
    for name, lacking in missing.items():
        if name in (*asked, *also):
            raise CommandError(f"the metric {name!r} cannot be computed here. {lacking}")
    if not chosen:
        raise CommandError("no metric can be computed here. " + " ".join(missing.values()))
    return chosen, missing


def _check(name: str) -> None:
    embedding = METRICS[name].embedding
    if embedding is not None:
        tried = make_embedding(embedding)
        with _remarks():
            tried.fit(np.zeros((1, tried.min_samples), dtype=np.float32))
    elif name in _SIGNAL_METRICS:
        _SIGNAL_METRICS[name]().check_package()


def score_versions(
    names: Sequence[str], reference: Signal, versions: Sequence[Signal]
) -> dict[str, Outcome]:
    """Score the versions of a recording.

    Parameters
    ----------
    names : sequence of str
        Metrics that can be computed.
    reference : ndarray of shape (n_times,)
        The recording, at 16 kHz.
    versions : sequence of ndarray of shape (n_times,)
        Degraded versions of it.

    Returns
    -------
    dict of str to Outcome
        By metric.
    """
    pairs = [(reference, version) for version in versions]
    outcomes: dict[str, Outcome] = {}
    for name in names:
        if METRICS[name].embedding is None:
            outcomes[name] = _score_pairs(name, pairs)
    for embedding in dict.fromkeys(METRICS[name].embedding for name in names):
        if embedding is not None:
            own = [name for name in names if METRICS[name].embedding == embedding]
            outcomes |= _score_frames(own, embedding, [reference, *versions])
    return outcomes


def _score_pairs(name: str, pairs: list[tuple[Signal, Signal]]) -> Outcome:
    if name in _SIGNAL_METRICS:
        return Outcome(_SIGNAL_METRICS[name]().outcomes([*pairs]), [])
    metric = make_pipeline(MelSpectrogram(sr=SR), make_ready_metric(name))
    with _remarks() as remarks:
        try:
            results: list[Any] = metric.transform(pairs)[:, 0].tolist()
        except ValueError as error:
            results = [str(error)] * len(pairs)
    return Outcome(results, remarks)


def _score_frames(names: list[str], embedding: str, clips: list[Signal]) -> dict[str, Outcome]:
    """Score with all metrics on one embedding, which runs once for each clip."""
    n_versions = len(clips) - 1
    with _remarks() as remarks:
        try:
            reference, *versions = embed_clips(clips, sr=SR, embedding=make_embedding(embedding))
        except ValueError as error:
            failed = [str(error)] * n_versions
            return {name: Outcome(list(failed), []) for name in names}
    outcomes = {}
    for name in names:
        with _remarks() as own:
            try:
                results: list[Any] = _compare(name, reference, versions)
            except ValueError as error:
                results = [str(error)] * n_versions
        outcomes[name] = Outcome(results, [*remarks, *own])
    return outcomes


def _compare(name: str, reference: Signal, versions: list[Signal]) -> list[float]:
    if name == "fad":
        with warnings.catch_warnings():
            # Frames of one recording are always few; the page has word of that.
            warnings.filterwarnings("ignore", message=".*fewer than twice as many")
            metric = FrechetAudioDistance("precomputed").fit([reference])
            return metric.transform(versions)[:, 0].tolist()
    pairs = [(reference, version) for version in versions]
    return EmbeddingSimilarity("precomputed").transform(pairs)[:, 0].tolist()


@contextmanager
def _remarks() -> Iterator[list[str]]:
    """Gather the texts of warnings, each once."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += dict.fromkeys(str(warning.message) for warning in caught)
