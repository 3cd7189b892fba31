"""Score the degraded versions of all recordings, and keep what is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skperceptual._version import __version__
from skperceptual.cli.errors import CommandError
from skperceptual.cli.messages import say, summarize
from skperceptual.cli.scoring import Message
from skperceptual.cli.study_degradations import VERSIONS, degrade
from skperceptual.cli.study_metrics import SR, score_versions
from skperceptual.cli.study_recordings import Recording
from skperceptual.cli.study_request import METRICS, Request
from skperceptual.evaluation.chunked_prediction import finish_chunks
from skperceptual.evaluation.partial_results import PartialResults, UnfinishedError, open_partial
from skperceptual.evaluation.row_chunks import Rows
from skperceptual.io import AudioFileError, load_audio, save_audio
from skperceptual.utils.messages import counted

__all__ = ["StudyScores", "VersionScorer", "scored_versions"]

_AUDIO_FOLDER = "audio"


class StudyScores(NamedTuple):
    """All values, what else there is to say, and the file that keeps them until they are written.

    Examples
    --------
    >>> import pandas as pd
    >>> from skperceptual.cli.study_scores import StudyScores
    >>> StudyScores(pd.DataFrame({"pesq": [4.1]}), [], None).table["pesq"].item()
    4.1
    """

    table: pd.DataFrame
    notes: list[str]
    partial: PartialResults | None


class VersionScorer:
    """The study as an estimator, for machinery that calls a method with a few rows at a time.

    Parameters
    ----------
    metrics : sequence of str
        Names of metrics that can be computed.
    seed : int
        Seed of the noise.
    audio : Path or None
        Where recordings and versions are written; None for nowhere.

    Examples
    --------
    >>> from skperceptual.cli.study_scores import VersionScorer
    >>> scorer = VersionScorer(["stoi"], seed=42, audio=None)
    >>> values = scorer.transform([(0, "no.wav", 1.0, ())])
    >>> values.shape, values[0, -1]["failures"][0][-1]
    ((1, 10), "'no.wav' (...) does not exist.")
    """

    def __init__(self, metrics: Sequence[str], *, seed: int, audio: Path | None) -> None:
        self.metrics = list(metrics)
        self.seed = seed
        self.audio = audio

    def transform(self, X: Sequence[tuple[int, str, float | None, Any]]) -> NDArray[np.object_]:
        """Degrade recordings and score their versions.

        Parameters
        ----------
        X : sequence of (int, str, float or None, object)
            Of each recording its number, its file, how many seconds of it are taken (None for all),
            and what changes with the file.

        Returns
        -------
        ndarray of shape (n_recordings, n_versions * n_metrics + 1)
            The values, metric by metric; in the last column what there is to say.
        """
        n_versions = len(VERSIONS)
        rows = np.full((len(X), n_versions * len(self.metrics) + 1), np.nan, dtype=object)
        for row, (number, file, seconds, _) in enumerate(X):
            told: dict[str, list[Any]] = {"failures": [], "remarks": []}
            rows[row, -1] = told
            try:
                reference, _ = load_audio(file, sr=SR, duration_seconds=seconds)
            except AudioFileError as error:
                told["failures"].append(["", -1, str(error)])
                continue
            versions = [degrade(reference, one, sr=SR, seed=self.seed) for one in VERSIONS]
            self._keep(number, file, reference, versions)
            outcomes = score_versions(self.metrics, reference, versions)
            for place, name in enumerate(self.metrics):
                outcome = outcomes[name]
                rows[row, place * n_versions : (place + 1) * n_versions] = outcome.values
                told["remarks"] += [[name, -1, text] for text in outcome.remarks]
                told["failures"] += [
                    [name, version, text]
                    for version, text in enumerate(outcome.results)
                    if isinstance(text, str)
                ]
        return rows

    def _keep(self, number: int, file: str, reference: NDArray, versions: list[NDArray]) -> None:
        if self.audio is None:
            return
        name = f"{number + 1:04}_{Path(file).stem}"
        save_audio(self.audio / f"{name}.flac", np.clip(reference, -1, 1), SR)
        for version, signal in zip(VERSIONS, versions, strict=True):
            save_audio(
                self.audio / f"{name}_{version.degradation}_{version.level}.flac", signal, SR
            )


@contextmanager
def scored_versions(
    recordings: Sequence[Recording], metrics: Sequence[str], request: Request, output: Path
) -> Iterator[StudyScores]:
    """Score all recordings, or go on after an interruption, and keep what is done.

    Parameters
    ----------
    recordings : sequence of Recording
        The recordings.
    metrics : sequence of str
        Names of metrics that can be computed.
    request : Request
        What was asked for.
    output : Path
        The file that there will be; values are kept beside it (``.part``) until then.

    Yields
    ------
    StudyScores
        The values, while what keeps them is open.

    Raises
    ------
    CommandError
        When nothing can be scored, or the unfinished values are of something else.
    """
    audio = output.parent / _AUDIO_FOLDER if request.keep_audio else None
    if audio is not None:
        audio.mkdir(exist_ok=True)
    scorer = VersionScorer(metrics, seed=request.seed, audio=audio)
    rows = [
        (number, one.file, _seconds(one, request.duration_seconds), _state_of(one.file))
        for number, one in enumerate(recordings)
    ]
    about = {
        "version of skperceptual": __version__,
        "set of metrics and options": joblib.hash([list(metrics), request.seed, audio is None]),
    }
    try:
        with open_partial(output.resolve(), about, replace=True) as partial:
            try:
                values = _score(scorer, rows, partial, request)
                table = _tabulate(recordings, metrics, values)
                notes = _tell(recordings, metrics, values)
                if table[list(metrics)].isna().all(axis=None):
                    raise CommandError("no version of any recording could be scored.")
                yield StudyScores(table, notes, partial)
            except KeyboardInterrupt as interruption:
                if partial.n_rows and partial.path.exists():
                    interruption.add_note(
                        f"{partial.n_rows} of {counted(len(rows), 'recording')} are done, and "
                        f"kept in {str(partial.path)!r}. The same command goes on from there."
                    )
                raise
    except UnfinishedError as error:
        if error.rows is None:
            raise CommandError(str(error)) from error
        raise CommandError(
            "the unfinished scores are of other recordings, or the files have changed since. Name "
            "the same recordings to go on, give another folder with -o, or delete the unfinished "
            "file (.part) to begin anew."
        ) from error


def _state_of(file: str) -> tuple[int, int]:
    """Give what changes with a file: its size and its time."""
    status = Path(file).stat()
    return status.st_size, status.st_mtime_ns


def _seconds(recording: Recording, at_most: float | None) -> float | None:
    return at_most if at_most is not None and recording.seconds(None) > at_most else None


def _score(
    scorer: VersionScorer, rows: list[Any], partial: PartialResults, request: Request
) -> NDArray[np.object_]:
    known = list(partial.finished)
    if known and not request.quiet:
        done = counted(partial.n_rows, "recording")
        say(f"note: going on after {done}, whose scores are in {str(partial.path)!r}")
    values = np.full((len(rows), len(scorer.metrics) * len(VERSIONS) + 1), None)
    new = finish_chunks(
        scorer,
        Rows(rows),
        "transform",
        chunk_size=lambda row: 1,
        finished=known,
        n_jobs=min(request.n_jobs, len(rows)),
        verbose=not request.quiet and sys.stderr.isatty(),
        unit="recording",
    )
    with closing(new):
        for chunk in new:
            values[chunk.first : chunk.first + len(chunk.values)] = chunk.values
            partial.append(chunk)
    for chunk in known:
        values[chunk.first : chunk.first + len(chunk.values)] = chunk.values
    return values


def _tabulate(
    recordings: Sequence[Recording], metrics: Sequence[str], values: NDArray[np.object_]
) -> pd.DataFrame:
    """Give one row for each version of each recording, one column for each metric."""
    n_versions = len(VERSIONS)
    by_metric = values[:, :-1].astype(np.float64).reshape(len(recordings), -1, n_versions)
    table = pd.DataFrame(
        {
            "file": np.repeat([one.file for one in recordings], n_versions),
            "content": np.repeat([one.content for one in recordings], n_versions),
            "degradation": [one.degradation for one in VERSIONS] * len(recordings),
            "level": [one.level for one in VERSIONS] * len(recordings),
        }
    )
    for place, name in enumerate(metrics):
        table[name] = by_metric[:, place].ravel()
    return table


def _tell(
    recordings: Sequence[Recording], metrics: Sequence[str], values: NDArray[np.object_]
) -> list[str]:
    """Put what metrics had to say into a few sentences."""
    n_versions = len(VERSIONS)
    messages = []
    for number, told in enumerate(values[:, -1]):
        for kind in ("failures", "remarks"):
            for name, version, text in told[kind]:
                place = number * n_versions + max(version, 0)
                messages.append(Message(place, name, text, is_failure=kind == "failures"))
    notes = []
    for summary in summarize(messages):
        files = {recordings[row // n_versions].file for row in summary.rows}
        labels = ", ".join(METRICS[name].label for name in metrics if name in summary.metrics)
        first = min(summary.rows)
        where = recordings[first // n_versions].file
        if summary.is_failure and labels:
            where += f", {VERSIONS[first % n_versions].name}"
        how_many = (
            f"{counted(len(summary.rows), 'version')} of {counted(len(files), 'recording')}"
            if summary.is_failure and labels
            else counted(len(files), "recording")
        )
        head = f"{labels}, {how_many}" if labels else how_many
        effect = "no value" if summary.is_failure else "note"
        notes.append(f"{head}: {effect} ({summary.text.rstrip('.')}). First: {where}.")
    return notes
