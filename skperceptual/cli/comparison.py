"""Compare two files: what the files are, what every metric gives, what else differs."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.cli.audio_files import look_at
from skperceptual.cli.delays import tell_delay
from skperceptual.cli.errors import CommandError
from skperceptual.cli.messages import summarize
from skperceptual.cli.metrics import Metric, ready_metric
from skperceptual.cli.options import Reading
from skperceptual.cli.ready_metrics import READY_METRICS, matching_metrics
from skperceptual.cli.scoring import Message, learn, plain_text, score_pairs
from skperceptual.io import AudioFileError, load_audio
from skperceptual.utils.audio_files import AudioHeader, name_in_full

__all__ = ["ComparedFile", "Comparison", "MetricValue", "compare_files"]

# Differences that are worth a note: what one hears, and what is more than rounding.
_LEVEL_DB = 1.0
_LENGTH_SECONDS = 0.001


class ComparedFile(NamedTuple):
    """One of the two files; the level is that of the part that is read.

    Examples
    --------
    >>> from skperceptual.cli.comparison import ComparedFile
    >>> ComparedFile("a.wav", 2.5, 48000, 2, -20.0).sr
    48000
    """

    file: str
    seconds: float
    sr: int
    n_channels: int
    level_dbfs: float


class MetricValue(NamedTuple):
    """What one metric gives, NaN where it cannot be computed.

    Examples
    --------
    >>> from skperceptual.cli.comparison import MetricValue
    >>> MetricValue("mse", 0.01, 0.0, False, (0.0, float("inf")), "mean squared error").identical
    0.0
    """

    name: str
    value: float
    identical: float
    higher_is_better: bool
    bounds: tuple[float, float]
    description: str


class Comparison(NamedTuple):
    """Two files compared: by all metrics, and in what metrics do not tell.

    Examples
    --------
    >>> from skperceptual.cli.comparison import Comparison
    >>> "notes" in Comparison._fields
    True
    """

    reference: ComparedFile
    degraded: ComparedFile
    reading: Reading
    seconds: float
    values: list[MetricValue]
    notes: list[str]
    failures: dict[str, list[str]]

    @property
    def has_scores(self) -> bool:
        """Whether at least one metric could be computed."""
        return any(not math.isnan(metric.value) for metric in self.values)


class _Clip(NamedTuple):
    """A file and the part of it that is compared, at its own rate."""

    file: ComparedFile
    signal: NDArray[np.float32]

    @property
    def is_silent(self) -> bool:
        return bool(np.ptp(self.signal) == 0)

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.file.sr


def compare_files(reference: str, degraded: str, reading: Reading) -> Comparison:
    """Compare two files by every ready-made metric.

    Parameters
    ----------
    reference : str
        Name of the reference.
    degraded : str
        Name of the degraded version.
    reading : Reading
        How files are read, and the parameters of the front end.

    Returns
    -------
    Comparison
        Everything that there is to say.

    Raises
    ------
    CommandError
        When a file cannot be used, or the reference is silent.
    """
    names = reference, degraded
    headers = _look_at_both(names, reading)
    clips = [_read_clip(name, header, reading) for name, header in zip(names, headers, strict=True)]
    if clips[0].is_silent:
        raise CommandError(
            f"the reference {reference!r} is silent, so there is nothing to compare with. Give "
            "the original first, and the degraded version second."
        )
    try:
        signals, delay_notes, told = tell_delay(reference, degraded, reading)
    except AudioFileError as error:  # a rate may make a part too short by a sample
        raise CommandError(str(error)) from error
    values, messages = _score(reference, degraded, reading)
    failures: dict[str, list[str]] = {}
    notes = [
        *_tell_differences(clips[0], clips[1], reading),
        *_tell_levels(signals),
        *delay_notes,
        *_tell_rates(clips[0].file.sr, clips[1].file.sr, reading),
    ]
    # What AlignPairs warns of is among the notes on the delay.
    for summary in summarize(message for message in messages if message.text not in told):
        told_by = [value.name for value in values if value.name in summary.metrics]
        if summary.is_failure:
            failures[summary.text] = told_by
        else:
            of = "" if len(told_by) == len(values) else f"{', '.join(told_by)}: "
            notes.append(of + re.sub(r" in 1 of 1 pairs| \(row 0[^)]*\)", "", summary.text))
    return Comparison(
        clips[0].file,
        clips[1].file,
        reading,
        signals.shape[1] / reading.sr,
        values,
        notes,
        failures,
    )


def _look_at_both(names: tuple[str, str], reading: Reading) -> list[AudioHeader]:
    headers, problems = [], []
    for name in names:
        try:
            headers.append(look_at(name, reading))
        except AudioFileError as error:
            problems.append(f"{name_in_full(name)} {error}.")
    if len(set(problems)) == 2:
        problems = ["two files cannot be used:", *(f"  {problem}" for problem in problems)]
    if problems:
        raise CommandError("\n".join(dict.fromkeys(problems)))
    return headers


def _read_clip(name: str, header: AudioHeader, reading: Reading) -> _Clip:
    try:
        signal, sr = load_audio(
            name,
            offset_seconds=reading.offset_seconds,
            duration_seconds=reading.duration_seconds,
        )
    except ValueError as error:  # headers do not tell everything
        raise CommandError(str(error)) from error
    file = ComparedFile(name, header.duration_seconds, sr, header.channels, _level(signal))
    return _Clip(file, signal)


def _level(signal: NDArray[np.float32]) -> float:
    """Give the RMS level in dB re full scale, that of a square wave of amplitude 1."""
    power = float(np.mean(np.square(signal, dtype=np.float64)))
    return 10 * math.log10(power) if power else -math.inf


def _score(
    reference: str, degraded: str, reading: Reading
) -> tuple[list[MetricValue], list[Message]]:
    """Compute all metrics, for the pair and for the reference against itself."""
    metrics: list[Metric] = []
    messages: list[Message] = []
    points = {}
    for name in READY_METRICS:
        metric = ready_metric(name, reading)
        points[name] = metric.last
        try:
            if metric.is_late:
                metric = learn(metric, [[(reference, degraded)]])
        except ValueError as error:
            messages.append(Message(0, name, plain_text(error), is_failure=True))
        else:
            metrics.append(metric)
    scores = score_pairs(metrics, [(reference, degraded), (reference, reference)])
    messages += [message for message in scores.messages if message.row == 0]
    values = []
    for name, metric in points.items():
        value, identical = scores.values.get(name, (math.nan, math.nan))
        values.append(
            MetricValue(
                name,
                float(value),
                float(identical),
                metric.higher_is_better,
                metric.bounds,
                READY_METRICS[name].description,
            )
        )
    return values, messages


def _tell_differences(reference: _Clip, degraded: _Clip, reading: Reading) -> list[str]:
    """Say in what the two files differ besides their content, and what becomes of it."""
    notes = []
    if np.array_equal(reference.signal, degraded.signal):
        notes.append("The two files hold the same samples.")
    if degraded.is_silent:
        notes.append("The degraded file is silent.")
    longer = degraded.seconds - reference.seconds
    if abs(longer) >= _LENGTH_SECONDS:
        notes.append(
            f"The degraded file is {abs(longer):.3f} s {'longer' if longer > 0 else 'shorter'} "
            f"than the reference. Both were cut to {'their' if reading.align else 'the'} "
            f"{'common part' if reading.align else 'shorter'}, but for {matching_metrics()}."
        )
    if max(reference.file.n_channels, degraded.file.n_channels) > 1:
        notes.append("Channels were averaged to one.")
    return notes


def _tell_levels(signals: NDArray[np.float32]) -> list[str]:
    """Compare the levels of the parts that metrics compare."""
    reference, degraded = map(_level, signals)
    louder = degraded - reference
    if not _LEVEL_DB <= abs(louder) < math.inf:
        return []
    way = "louder" if louder > 0 else "quieter"
    counts = f"which every metric but {matching_metrics()} counts"
    return [f"The degraded file is {abs(louder):.1f} dB {way}, {counts}."]


def _tell_rates(reference: int, degraded: int, reading: Reading) -> list[str]:
    """Say which frequencies are not compared, or are in one of the two alone."""
    lower = min(reference, degraded)
    if lower > reading.sr:
        frame, hop = (round(n * lower / reading.sr) for n in (reading.n_fft, reading.hop_length))
        options = f"--sr {lower} --n-fft {frame} --hop-length {hop}"
        limit = (
            f"At {reading.sr} Hz no metric but {matching_metrics()} compares anything above "
            f"{reading.sr // 2} Hz."
        )
        return [f"{limit} To compare up to {lower // 2} Hz: {options}"]
    if lower < reading.sr and reference != degraded:
        which = "reference" if reference == lower else "degraded file"
        return [f"The {which} holds nothing above {lower // 2} Hz."]
    return []
