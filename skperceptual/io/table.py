"""A table of file names to signals or pairs: the first step of a pipeline."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.utils._sklearn import Interval, StrOptions, _fit_context
from skperceptual.utils.audio_files import AudioFileError, name_in_full, read_clip
from skperceptual.utils.file_names import FileNames, check_file_names
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.validation import Batch

__all__ = ["LoadAudio"]

_TOLERATED_SECONDS = 0.05
_LISTED = 20


class _Cell(NamedTuple):
    """One place in a table of file names, and the name as it stands there."""

    row: int
    column: int
    file: str


class LoadAudio(TransformerMixin, PerceptualEstimator):
    """Read audio files: the first step of a pipeline whose X is a table of file names.

    Every format, depth, rate and number of channels that libsndfile reads becomes mono float32
    at one rate (WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF and more), full scale 1. Where a
    file's rate differs, soxr resamples it (HQ), to the same numbers as ``librosa.load``. A file
    that several rows name is decoded once.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the result in Hz.
    channels : {"mean", "left", "right", "side"}, default="mean"
        What becomes of channels: the mean of all of them, the first, the second, or
        ``(left - right) / 2``. A mono file is the same on both sides; its side signal would be
        silence, so ``"side"`` refuses it.
    offset_seconds : float, default=0.0
        Where to begin in every file.
    duration_seconds : float, default=None
        How much of every file to read. Only that part is decoded, and resampled as it would be
        within the whole file. None reads to the end.
    unequal : {"cut", "keep", "error"}, default="cut"
        What to do with pairs of different length. ``"cut"``: cut the longer at its end, and warn
        when the two differ by more than 50 ms. ``"keep"``: leave both as they are. ``"error"``:
        refuse any difference.
    folder : path-like, default=None
        The folder that relative file names start from, so that a table can move with its files.
        None means the current one. Names are used as they are: ``..`` leads out of the folder,
        and absolute names pass it by.
    n_jobs : int, default=None
        Number of files that are read at the same time, in threads, as decoding and resampling
        do not hold the interpreter's lock. None means 1, -1 as many as there are processors.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    See Also
    --------
    load_audio : Reads one file.
    FixDuration : Brings clips of different length to one.
    AlignPairs : Removes a delay between reference and degraded.

    Notes
    -----
    ``fit`` looks at the form of the table alone and reads no file. A table without
    ``duration_seconds`` always gives a list, even where all files happen to be equally long, so
    that the type of the result never depends on the data.

    A WAV file that is shorter than its header says, or a FLAC file that breaks off, is reported;
    a truncated Ogg file cannot be told from a shorter one. Files are taken as untrusted: sizes
    in headers are checked before memory is allocated, and one clip holds at most 2**29 samples.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import LoadAudio, save_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clean, noisy = Path(folder, "clean.wav"), Path(folder, "noisy.wav")
    ...     tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    ...     save_audio(clean, tone, 48000)
    ...     save_audio(noisy, tone + 0.01 * np.random.default_rng(0).normal(size=48000), 48000)
    ...     pairs = LoadAudio(sr=16000, duration_seconds=0.5).fit_transform([(clean, noisy)])
    >>> pairs.shape, pairs.dtype
    ((1, 2, 8000), dtype('float32'))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sr": [Interval(Integral, 1, None, closed="left")],
        "channels": [StrOptions({"mean", "left", "right", "side"})],
        "offset_seconds": [Interval(Real, 0, None, closed="left")],
        "duration_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "unequal": [StrOptions({"cut", "keep", "error"})],
        "folder": [str, os.PathLike, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        sr: int = 16000,
        channels: str = "mean",
        offset_seconds: float = 0.0,
        duration_seconds: float | None = None,
        unequal: str = "cut",
        folder: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.sr = sr
        self.channels = channels
        self.offset_seconds = offset_seconds
        self.duration_seconds = duration_seconds
        self.unequal = unequal
        self.folder = folder
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the form of the table; no file is read.

        Parameters
        ----------
        X : array, list, Series or DataFrame of file names, (n_files,) or (n_pairs, 2)
            The files, the reference first where they are pairs. A DataFrame needs the columns
            ``reference`` and ``degraded``, or ``file``; other columns are ignored.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        check_file_names(X)
        self._n_times()
        return self

    def transform(self, X: Any) -> Batch:
        """Read the files.

        Parameters
        ----------
        X : array, list, Series or DataFrame of file names, (n_files,) or (n_pairs, 2)
            The files, the reference first where they are pairs. A DataFrame needs the columns
            ``reference`` and ``degraded``, or ``file``; other columns are ignored.

        Returns
        -------
        ndarray or list
            With ``duration_seconds`` one float32 array, of shape (n_files, n_times) or
            (n_pairs, 2, n_times). Without it a list: of 1-D arrays for files; for pairs of
            arrays of shape (2, n_times), or of (reference, degraded) tuples of 1-D arrays with
            ``unequal="keep"``.

        Raises
        ------
        AudioFileError
            A ValueError that names every file of the table that cannot be used, its rows and the
            reason: missing, unreadable, damaged, empty, with NaN or infinite samples, or too
            short for the part that is asked for. Its attribute ``rows`` lists the rows.
        """
        self._validate_params()
        names = check_file_names(X)
        if self.folder is not None:
            names = [tuple(str(Path(self.folder, name)) for name in row) for row in names]
        n_times = self._n_times()
        clips: Any = [[None] * len(row) for row in names]
        # One file under two spellings is still one file.
        cells: dict[str, list[_Cell]] = {}
        for row, files in enumerate(names):
            for column, file in enumerate(files):
                cells.setdefault(os.path.realpath(file), []).append(_Cell(row, column, file))
        problems = []
        for places, clip in zip(cells.values(), self._read(cells), strict=True):
            if isinstance(clip, AudioFileError):
                problems.append((clip, places))
                continue
            if n_times is not None and isinstance(clips, list):
                # Not before one file proved that long: a slip of the pen must not fill memory.
                clips = np.empty((len(names), len(names[0]), n_times), dtype=np.float32)
            for copies, (row, column, _) in enumerate(places):
                # Every row owns its samples, whatever is done to them later.
                clips[row][column] = clip.copy() if copies else clip
        if problems:
            raise _file_error(problems, n_files=len(cells), pairs=len(names[0]) == 2)
        if len(names[0]) == 1:
            return [clip for (clip,) in clips] if n_times is None else clips[:, 0]
        return self._pair_up(clips, names) if n_times is None else clips

    def _n_times(self) -> int | None:
        """Give the samples of every clip, None where they differ."""
        if self.duration_seconds is None:
            return None
        n_times = round(self.duration_seconds * self.sr)
        if n_times == 0:
            raise ValueError(
                f"duration_seconds={self.duration_seconds!r} is less than one sample at "
                f"sr={self.sr}. Give a longer duration."
            )
        return n_times

    def _read(self, files: Iterable[str]) -> Iterator[NDArray[np.float32] | AudioFileError]:
        """Read distinct files, in order; a file that cannot be used gives its error."""
        jobs = [
            delayed(_read_or_error)(
                file, self.sr, self.channels, self.offset_seconds, self.duration_seconds
            )
            for file in files
        ]
        return run_jobs(
            jobs,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            caller="LoadAudio",
            unit="file",
            in_threads=True,
        )

    def _pair_up(self, clips: list[list[Any]], names: FileNames) -> Batch:
        if self.unequal == "keep":
            return [(reference, degraded) for reference, degraded in clips]
        lengths = np.array([[len(clip) for clip in pair] for pair in clips])
        _check_lengths(lengths / self.sr, names, refuse=self.unequal == "error")
        pairs: list[Any] = []
        for row, shorter in enumerate(lengths.min(axis=1)):
            pairs.append(np.stack([clip[:shorter] for clip in clips[row]]))
            clips[row] = []  # a large set need not be in memory twice
        return pairs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


def _read_or_error(
    file: str, sr: int, channels: str, offset_seconds: float, duration_seconds: float | None
) -> NDArray[np.float32] | AudioFileError:
    try:
        return read_clip(
            file,
            sr=sr,
            channels=channels,
            offset_seconds=offset_seconds,
            duration_seconds=duration_seconds,
        )[0]
    except AudioFileError as error:
        return error


def _file_error(
    problems: list[tuple[AudioFileError, list[_Cell]]], *, n_files: int, pairs: bool
) -> AudioFileError:
    """Name every file that cannot be used and the rows that name it."""
    lines = []
    for reason, places in problems[:_LISTED]:
        first = places[0]
        column = f", {('reference', 'degraded')[first.column]}" if pairs else ""
        more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        lines.append(f"  row {first.row}{column}{more}: {name_in_full(first.file)} {reason}")
    if len(problems) > _LISTED:
        lines.append(f"  and {len(problems) - _LISTED} more files")
    return AudioFileError(
        f"{len(problems)} of {n_files} files cannot be used:\n"
        + "\n".join(lines)
        + "\nRepair them or leave their rows out; the attribute `rows` of this error lists them.",
        sorted({cell.row for _, places in problems for cell in places}),
    )


def _check_lengths(seconds: NDArray[np.floating], names: FileNames, *, refuse: bool) -> None:
    """Refuse pairs of different length, or warn of those that differ a lot."""
    differences = np.abs(seconds[:, 0] - seconds[:, 1])
    rows = np.flatnonzero(differences > (0 if refuse else _TOLERATED_SECONDS))
    if not len(rows):
        return
    worst = int(differences.argmax())
    (reference, degraded), (first, second) = names[worst], seconds[worst]
    listed = ", ".join(map(str, rows[:_LISTED])) + ", ..." * (len(rows) > _LISTED)
    found = (
        f"{len(rows)} of {len(names)} pairs differ in length{{}} (rows {listed}). The worst is row "
        f"{worst}: {reference!r} lasts {first:.3f} s, {degraded!r} {second:.3f} s."
    )
    if refuse:
        raise ValueError(
            f"{found.format('')} Use unequal='cut' or unequal='keep', or set duration_seconds."
        )
    warnings.warn(
        f"{found.format(f' by more than {_TOLERATED_SECONDS * 1000:g} ms')} They were cut to the "
        "shorter. Check that they belong together, and let AlignPairs() follow if one is late.",
        UserWarning,
        stacklevel=5,  # scikit-learn wraps transform
    )
