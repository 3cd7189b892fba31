"""From a name or a saved file to a metric that reads pairs of file names."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.cli.errors import CommandError
from skperceptual.cli.options import Reading
from skperceptual.cli.ready_metrics import READY_METRICS, make_ready_metric
from skperceptual.io import LoadAudio
from skperceptual.preprocessing import AlignPairs
from skperceptual.spectrograms import MelSpectrogram

__all__ = [
    "Metric",
    "Step",
    "make_metrics",
    "open_saved",
    "reading_steps",
    "ready_metric",
    "saved_metric",
]

_SUFFIXES = (".joblib", ".pkl", ".pickle")


class Step(NamedTuple):
    """One step of a metric; steps of equal key do the same.

    Examples
    --------
    >>> from skperceptual import MSE
    >>> from skperceptual.cli.metrics import Step
    >>> Step.of(MSE()).key == Step.of(MSE()).key
    True
    """

    key: str
    estimator: Any

    @classmethod
    def of(cls, estimator: Any) -> Step:
        """Give the step of an estimator.

        Parameters
        ----------
        estimator : estimator
            A step of a pipeline, fitted where it learns.

        Returns
        -------
        Step
            The same with its key.
        """
        return cls(joblib.hash(estimator), estimator)


class Metric(NamedTuple):
    """A metric taken apart into the steps of its pipeline, the first of which reads file names.

    Examples
    --------
    >>> from skperceptual.cli.metrics import ready_metric
    >>> from skperceptual.cli.options import Reading
    >>> [type(step.estimator).__name__ for step in ready_metric("mse", Reading()).steps]
    ['LoadAudio', 'MelSpectrogram', 'MSE']
    """

    name: str
    steps: tuple[Step, ...]
    is_saved: bool = False
    notes: tuple[str, ...] = ()

    @property
    def last(self) -> Any:
        """The step that gives the score."""
        return self.steps[-1].estimator

    @property
    def is_late(self) -> bool:
        """Whether it still has to learn from references."""
        return not self.is_saved and get_tags(self.last).requires_fit


def make_metrics(names: Iterable[str], reading: Reading) -> list[Metric]:
    """Make the metrics that ``--metric`` asks for.

    Parameters
    ----------
    names : iterable of str
        Names of ready-made metrics, and paths of saved ones.
    reading : Reading
        How files are read.

    Returns
    -------
    list of Metric
        In the same order.

    Raises
    ------
    CommandError
        When one is unknown, cannot be opened or used, or two have one name.
    """
    metrics: dict[str, Metric] = {}
    for name in names:
        is_path = name not in READY_METRICS and (
            name.endswith(_SUFFIXES) or Path(name).name != name or Path(name).is_file()
        )
        metric = saved_metric(Path(name), reading) if is_path else ready_metric(name, reading)
        if metric.name in metrics:
            raise CommandError(
                f"two metrics are named {metric.name!r}. Give each --metric once, and saved "
                "metrics files of different names."
            )
        metrics[metric.name] = metric
    return list(metrics.values())


def ready_metric(name: str, reading: Reading) -> Metric:
    """Make a metric that is known by name, with everything before it.

    Parameters
    ----------
    name : str
        A key of ``READY_METRICS``.
    reading : Reading
        How files are read, and the parameters of the front end.

    Returns
    -------
    Metric
        Unfitted.
    """
    metric = make_ready_metric(name)
    steps = [metric]
    if not _reads(metric, "signal_pairs"):
        front_end = MelSpectrogram(
            sr=reading.sr,
            n_mels=reading.n_mels,
            n_fft=reading.n_fft,
            hop_length=reading.hop_length,
        )
        steps.insert(0, front_end)
    return _metric(name, [*_steps_before(steps, reading), *steps])


def saved_metric(path: Path, reading: Reading) -> Metric:
    """Open a fitted metric that was saved with joblib; this runs code from the file.

    Parameters
    ----------
    path : Path
        The file; its stem names the metric.
    reading : Reading
        How files are read for a metric whose first step takes signals. The rate is then that of
        its own steps, where they have one.

    Returns
    -------
    Metric
        Fitted.

    Raises
    ------
    CommandError
        When the file holds no fitted metric that can begin with files.
    """
    model, notes = open_saved(path)
    model = getattr(model, "best_estimator_", model)  # a search, fitted
    what = f"the metric in {str(path)!r}"
    if not isinstance(model, BaseEstimator) or not (
        hasattr(model, "predict") or hasattr(model, "transform")
    ):
        raise CommandError(
            f"{what} is of type {type(model).__name__}, and neither predicts nor transforms. "
            "Save a fitted pipeline with joblib.dump(pipeline, path)."
        )
    try:
        check_is_fitted(model)
    except ValueError as error:
        raise CommandError(f"{what} is not fitted. Save it after fit.") from error
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    steps = [step for step in steps if step not in (None, "passthrough")]
    first = type(steps[0]).__name__
    if get_tags(steps[0]).input_tags.string:
        before = []
    elif _reads(steps[0], "signal_pairs"):
        before = _steps_before(steps, reading)
    else:
        raise CommandError(
            f"{what} begins with {first}, which reads neither file names nor pairs of signals. "
            "Save the whole pipeline, make_pipeline(LoadAudio(...), MelSpectrogram(...), ...), "
            "so that it brings the front end that it was fitted with."
        )
    return _metric(path.stem, [*before, *steps])._replace(is_saved=True, notes=notes)


def reading_steps(reading: Reading, sr: int) -> list[Any]:
    """Make the steps from pairs of file names to pairs of signals.

    Parameters
    ----------
    reading : Reading
        How files are read.
    sr : int
        Sampling rate of the signals in Hz.

    Returns
    -------
    list of estimator
        ``LoadAudio`` and, if asked for, ``AlignPairs``.
    """
    if not reading.align:
        return [_load_step(reading, sr, unequal="cut")]
    # The end that would be cut off may hold what belongs to the end of the other.
    return [_load_step(reading, sr, unequal="keep"), AlignPairs(sr=sr)]


def _load_step(reading: Reading, sr: int, *, unequal: str) -> LoadAudio:
    return LoadAudio(
        sr=sr,
        offset_seconds=reading.offset_seconds,
        duration_seconds=reading.duration_seconds,
        unequal=unequal,
    )


def _steps_before(steps: list[Any], reading: Reading) -> list[Any]:
    """Make the steps from file names to what the first step reads."""
    sr = _rate(steps, reading.sr)
    if getattr(steps[0], "matches_pairs", False):
        return [_load_step(reading, sr, unequal="keep")]
    return reading_steps(reading, sr)


def _metric(name: str, steps: list[Any]) -> Metric:
    return Metric(name, tuple(map(Step.of, steps)))


def _reads(estimator: Any, kind: str) -> bool:
    return bool(getattr(get_tags(estimator).input_tags, kind, False))


def _rate(steps: list[Any], default: int) -> int:
    """Give the rate that the first step that has one expects."""
    for step in steps:
        for name in ("orig_sr", "resample_from", "sr"):
            rate = getattr(step, name, None)
            if isinstance(rate, tuple) and len(set(rate)) > 1:
                raise CommandError(
                    f"{type(step).__name__}(resample_from={rate}) wants references and degraded "
                    "signals at two rates, and files are read at one. Save a metric without it: "
                    "files are resampled when they are read."
                )
            if rate is not None:
                return round(rate[0] if isinstance(rate, tuple) else rate)
    return default


def open_saved(path: Path, kind: str = "metric") -> tuple[Any, tuple[str, ...]]:
    """Open what was saved with joblib; this runs code from the file.

    Parameters
    ----------
    path : Path
        The file.
    kind : str, default="metric"
        What it should hold, for messages.

    Returns
    -------
    model : object
        What it holds.
    notes : tuple of str
        What it warned of when it was opened.

    Raises
    ------
    CommandError
        When it cannot be opened.
    """
    with path.open("rb"):  # its errors are the plainest: missing, a folder, not permitted
        pass
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", ResourceWarning)  # joblib leaves broken files open
            model = joblib.load(path)
    except Exception as error:  # whatever bytes that are no pickle, or its code, may lead to
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise CommandError(
            f"{str(path)!r} cannot be opened as a {kind} saved with joblib ({reason})."
        ) from error
    # Every step warns of the version that wrote it; the first speaks for all.
    kinds = {warning.category: str(warning.message) for warning in reversed(caught)}
    return model, tuple(kinds.values())
