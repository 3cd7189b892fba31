"""Read one audio file, or its header, from an untrusted source: checked, mono, at any rate."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from math import gcd
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from skperceptual.utils.resampling import resample, resampled_length

# A header can claim what it likes. Nothing is allocated on its word: files are decoded block by
# block, and beyond these limits not at all.
MAX_SAMPLES = 2**29
MIN_RATE, MAX_RATE = 1_000, 1_000_000

_BLOCK = 2**18
# libsndfile reports SF_COUNT_MAX for a FLAC stream whose header leaves the length open.
_UNKNOWN_LENGTH = 2**62
_SEEKABLE_SUBTYPES = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS")
# Without an Info tag the length of an MP3 file is an estimate, late by a few frames of 1152.
_MP3_SLACK = 4 * 1152
# Programs that write WAV into a pipe cannot know its size; they claim 2 or 4 GiB, or 0.
_WAV_PIPE = 0x7FFF0000
# Others count their own headers among the samples.
_WAV_SLACK = 64
_TOO_LONG = (
    f"has, or claims to have, more than the {MAX_SAMPLES} samples that are read at once; read a "
    "part of it with duration_seconds"
)
# soxr's filters reach 100 samples of the lower of the two rates to either side.
_REACH = 256


class AudioFileError(ValueError):
    """An audio file cannot be used: missing, unreadable, damaged, empty or too short.

    Parameters
    ----------
    message : str
        What is wrong with which files.
    rows : iterable of int, default=()
        The rows of the table that name such a file.

    Attributes
    ----------
    rows : tuple of int
        The same rows, in order: what to leave out.

    Examples
    --------
    >>> from skperceptual.io import AudioFileError, LoadAudio
    >>> try:
    ...     LoadAudio().fit_transform(["missing.wav"])
    ... except AudioFileError as error:
    ...     print(error.rows)
    (0,)
    """

    def __init__(self, message: str, rows: Iterable[int] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


class _Stream(soundfile.SoundFile):
    """A sound file that is read in one go: soundfile seeks after every block otherwise.

    That seek fails behind the end of FLAC files whose header promises more than there is.
    """

    def seekable(self) -> bool:
        return False

    def knows_its_length(self) -> bool:
        """Whether the header says how long the file is, rightly or wrongly."""
        return self.frames < _UNKNOWN_LENGTH

    def seeks_exactly(self) -> bool:
        """Whether a seek ends up where it should; in MP3 files it may be off by a frame."""
        exact = self.subtype.startswith(_SEEKABLE_SUBTYPES)
        return exact and super().seekable() and self.knows_its_length()


def read_clip(
    path: str | os.PathLike[str],
    *,
    sr: int | None,
    channels: str,
    offset_seconds: float,
    duration_seconds: float | None,
) -> tuple[NDArray[np.float32], int]:
    """Read one file, or a part of it, as a mono signal.

    Parameters
    ----------
    path : path-like
        The file.
    sr : int or None
        Sampling rate of the result in Hz; None keeps the file's.
    channels : {"mean", "left", "right", "side"}
        What becomes the one channel.
    offset_seconds : float
        Where to begin.
    duration_seconds : float or None
        How much to read; None reads to the end.

    Returns
    -------
    signal : ndarray of shape (n_times,), float32
        The clip.
    sr : int
        Its sampling rate in Hz.

    Raises
    ------
    AudioFileError
        When the file cannot be used. The message is the reason alone, without the file's name.
    """
    with _open(path) as file:
        _check_header(file)
        if channels == "side" and file.channels == 1:
            raise AudioFileError("is mono, whose side signal (left - right) / 2 is silence")
        target = file.samplerate if sr is None else sr
        start = round(offset_seconds * target)
        stop = None if duration_seconds is None else start + round(duration_seconds * target)
        if stop == start:
            raise ValueError(
                f"duration_seconds={duration_seconds!r} is less than one sample at {target} Hz. "
                "Give a longer duration."
            )
        clip = _read_part(file, start, stop, target, channels)
    return clip, target


class AudioHeader(NamedTuple):
    """What a file says of itself: its samples per channel, rate in Hz, channels and coding."""

    n_times: int
    sr: int
    channels: int
    format: str
    subtype: str

    @property
    def duration_seconds(self) -> float:
        """How long the file is, at its own rate."""
        return self.n_times / self.sr


def read_header(path: str | os.PathLike[str]) -> AudioHeader:
    """Read the header of one file; its samples only where the header leaves their number open.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    AudioHeader
        What the file says of itself.

    Raises
    ------
    AudioFileError
        When the file cannot be used. The message is the reason alone, without the file's name.
    """
    with _open(path) as file:
        _check_header(file)
        n_times = file.frames
        if not file.knows_its_length():
            _, n_times = _decode(file, 0, None, "left")
        if n_times == 0:
            raise AudioFileError("holds no samples")
        return AudioHeader(n_times, file.samplerate, file.channels, file.format, file.subtype)


def _open(path: str | os.PathLike[str]) -> _Stream:
    _check_regular_file(Path(path))
    try:
        return _Stream(os.fspath(path))
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".")
        raise AudioFileError(f"is no audio file that libsndfile can read ({reason})") from error
    except TypeError as error:  # soundfile asks for the rate of files named .raw
        raise AudioFileError("has no header; give it one by converting it to WAV") from error


def _check_regular_file(path: Path) -> None:
    """Refuse what is not a file before opening it: a named pipe would block for ever."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioFileError("is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise AudioFileError("is not a regular file")
        if status.st_size == 0:
            raise AudioFileError("is empty (0 bytes)")
        missing = _missing_wav_bytes(path, status.st_size)
    except FileNotFoundError as error:
        raise AudioFileError("does not exist") from error
    except OSError as error:
        raise AudioFileError(f"cannot be opened ({error.strerror})") from error
    if missing > _WAV_SLACK:
        raise AudioFileError(f"is truncated: its last {missing} bytes are missing")


def _missing_wav_bytes(path: Path, size: int) -> int:
    """Count what a RIFF WAVE file lacks of the audio it announces; libsndfile hides it."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
            return 0
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                return max(0, file.tell() + length - size) if length < _WAV_PIPE else 0
            file.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _check_header(file: _Stream) -> None:
    if not MIN_RATE <= file.samplerate <= MAX_RATE:
        raise AudioFileError(
            f"has a damaged header: it claims a sampling rate of {file.samplerate} Hz, outside "
            f"{MIN_RATE} to {MAX_RATE} Hz"
        )
    if file.frames == 0:
        raise AudioFileError("holds no samples")


def _read_part(
    file: _Stream, start: int, stop: int | None, target: int, channels: str
) -> NDArray[np.float32]:
    """Read samples ``start`` to ``stop``, counted at the target rate.

    They are the samples that resampling the whole file would give: a little more is read to
    either side than the filter reaches, from a place that both rates have in common.
    """
    rate = file.samplerate
    needed = start + 1 if stop is None else stop
    if file.knows_its_length() and resampled_length(file.frames, rate, target) < needed:
        raise AudioFileError(_too_short(file.frames / rate, start, stop, target))
    common = gcd(rate, target)
    step = target // common
    reach = 0 if rate == target else _REACH * max(target, rate) // rate
    skipped = max(0, start - reach) // step
    begin = skipped * (rate // common)
    end = None
    if stop is not None:
        end = resampled_length(stop + reach, target, rate)
    if file.knows_its_length():
        end = file.frames if end is None else min(end, file.frames)
    with np.errstate(over="ignore", invalid="ignore"):
        clip, reached = _decode(file, begin, end, channels)
        if not np.isfinite(clip.sum(dtype=np.float64)):  # finite only if every sample is
            raise AudioFileError("holds NaN or infinite samples")
    if resampled_length(reached, rate, target) < needed:
        raise AudioFileError(_too_short(reached / rate, start, stop, target))
    first = start - skipped * step
    last = None if stop is None else stop - skipped * step
    return resample(clip, rate, target)[first:last]


def _too_short(seconds: float, start: int, stop: int | None, target: int) -> str:
    wanted = (
        f"offset_seconds={start / target:g}"
        if stop is None
        else f"{(stop - start) / target:g} s from {start / target:g} s on"
    )
    return f"lasts {seconds:g} s, too short for {wanted}"


def _decode(
    file: _Stream, begin: int, end: int | None, channels: str
) -> tuple[NDArray[np.float32], int]:
    """Decode frames ``begin`` to ``end`` in blocks, each mixed down to mono at once.

    Also give the frame that decoding reached.
    """
    if end is not None and end - begin > MAX_SAMPLES:
        raise AudioFileError(_TOO_LONG)
    position = begin if file.seeks_exactly() else 0
    blocks = [np.empty(0, dtype=np.float32)]
    n_decoded = 0
    try:
        if position:
            file.seek(position)
        while end is None or position < end:
            n_frames = max(1, _BLOCK // file.channels)
            if end is not None:
                n_frames = min(n_frames, end - position)
            block = file.read(n_frames, dtype="float32", always_2d=True)
            if len(block) == 0:
                break
            blocks.append(to_mono(block[max(0, begin - position) :], channels))
            position += len(block)
            n_decoded += len(blocks[-1])
            if n_decoded > MAX_SAMPLES:
                raise AudioFileError(_TOO_LONG)
    except soundfile.LibsndfileError as error:
        raise AudioFileError(f"is damaged ({error.error_string.rstrip('.')})") from error
    slack = _MP3_SLACK if file.format == "MP3" else 0
    if end is not None and position < end - slack and file.knows_its_length():
        raise AudioFileError(
            f"is truncated: its header promises {file.frames} samples, but decoding ends after "
            f"{position}"
        )
    return np.concatenate(blocks), position


def to_mono(block: NDArray[Any], channels: str) -> NDArray[Any]:
    """Make one channel of several.

    Parameters
    ----------
    block : ndarray of shape (n_frames, n_channels)
        Floating-point samples. Where there is one channel, it is on both sides.
    channels : {"mean", "left", "right", "side"}
        What becomes the one channel; ``"side"`` is ``(left - right) / 2``.

    Returns
    -------
    ndarray of shape (n_frames,)
        Of the type of the block.
    """
    left, right = block[:, 0], block[:, min(1, block.shape[1] - 1)]
    if channels == "left" or block.shape[1] == 1:
        return left.copy()
    if channels == "right":
        return right.copy()
    if channels == "side":
        return (left - right) * block.dtype.type(0.5)
    mean = left + right
    for column in range(2, block.shape[1]):
        mean += block[:, column]
    return mean / block.dtype.type(block.shape[1])


def name_in_full(file: str) -> str:
    """Give a name as it stands, and where a relative one leads."""
    path = Path(file)
    return f"{file!r}" if path.is_absolute() else f"{file!r} (that is {str(path.absolute())!r})"
