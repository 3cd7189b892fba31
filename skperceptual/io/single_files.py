"""One audio file in, one signal out, and back."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import ArrayLike, NDArray

from skperceptual.io.table import LoadAudio
from skperceptual.utils.audio_files import AudioFileError, name_in_full, read_clip
from skperceptual.utils.file_names import check_file_names
from skperceptual.utils.validation import check_signals

__all__ = ["load_audio", "save_audio"]

_FLOAT_SUBTYPES = ("FLOAT", "DOUBLE")
# A peak of 1 that float32 rounding has lifted by half a step of PCM_16 is not clipped.
_FULL_SCALE = 1 + 2**-16
# The Vorbis encoder keeps what it is given at once on the stack, and crashes with a minute of it.
_BLOCK = 2**16


def _check_parameters(caller: str, **parameters: Any) -> None:
    """Check a function's parameters, which mean what they mean in LoadAudio, in its own name."""
    try:
        LoadAudio(**parameters)._validate_params()
    except ValueError as error:
        raise type(error)(str(error).replace(LoadAudio.__name__, caller)) from None


def load_audio(
    path: str | os.PathLike[str],
    *,
    sr: int | None = None,
    channels: str = "mean",
    offset_seconds: float = 0.0,
    duration_seconds: float | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Read one audio file, or a part of it, as a mono signal.

    Parameters
    ----------
    path : path-like
        The file, in any format that libsndfile reads.
    sr : int, default=None
        Sampling rate of the result in Hz. None keeps the file's own.
    channels : {"mean", "left", "right", "side"}, default="mean"
        What becomes of channels, as in :class:`LoadAudio`.
    offset_seconds : float, default=0.0
        Where to begin.
    duration_seconds : float, default=None
        How much to read. None reads to the end.

    Returns
    -------
    signal : ndarray of shape (n_times,), float32
        The signal, full scale 1.
    sr : int
        Its sampling rate in Hz.

    Raises
    ------
    AudioFileError
        A ValueError that names the file and the reason why it cannot be used.

    See Also
    --------
    LoadAudio : Reads a table of files, as a step of a pipeline.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import load_audio, save_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_audio(Path(folder, "a.flac"), np.zeros(48000), 48000)
    ...     signal, sr = load_audio(Path(folder, "a.flac"), sr=16000)
    >>> signal.shape, sr
    ((16000,), 16000)
    """
    _check_parameters(
        "load_audio",
        sr=1 if sr is None else sr,
        channels=channels,
        offset_seconds=offset_seconds,
        duration_seconds=duration_seconds,
    )
    ((name,),) = check_file_names([path])
    try:
        return read_clip(
            name,
            sr=sr,
            channels=channels,
            offset_seconds=offset_seconds,
            duration_seconds=duration_seconds,
        )
    except AudioFileError as error:
        raise AudioFileError(f"{name_in_full(name)} {error}.") from error


def save_audio(
    path: str | os.PathLike[str], signal: ArrayLike, sr: int, *, subtype: str | None = None
) -> None:
    """Write a mono signal to an audio file, whole or not at all.

    The file appears under its name only once it is complete; what stood there before is
    replaced at that moment.

    Parameters
    ----------
    path : path-like
        The file; its suffix names the format (``.wav``, ``.flac``, ``.ogg``, ``.mp3`` ...).
    signal : array of shape (n_times,)
        The signal, floating point, full scale 1.
    sr : int
        Its sampling rate in Hz.
    subtype : str, default=None
        Coding of the samples, as :func:`soundfile.available_subtypes` lists them for the format:
        ``"PCM_24"``, ``"FLOAT"``, ``"VORBIS"`` ... None means ``"PCM_16"`` where the format has
        it, and the format's own default elsewhere (Vorbis in ``.ogg``, layer III in ``.mp3``).

    Raises
    ------
    FileNotFoundError
        When the folder does not exist.
    ValueError
        When the signal exceeds full scale and the subtype would clip it, is not one finite,
        floating-point channel, or the format or subtype is unknown.

    See Also
    --------
    Normalize : Brings signals below full scale.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skperceptual import load_audio, save_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_audio(Path(folder, "a.wav"), np.array([0.0, 0.5, -0.5]), 8000)
    ...     print(load_audio(Path(folder, "a.wav")))
    (array([ 0. ,  0.5, -0.5], dtype=float32), 8000)
    """
    _check_parameters("save_audio", sr=sr)
    ((name,),) = check_file_names([path])
    path = Path(name)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder of {name!r} does not exist. Make it first.")
    clip = np.asarray(check_signals(np.asarray(signal)[np.newaxis])[0])
    file_format = path.suffix[1:].upper()
    known = soundfile.available_formats()
    if file_format not in known or file_format == "RAW":
        raise ValueError(
            f"The suffix {path.suffix!r} of {name!r} names no format that can be written. "
            f"Use one of .{', .'.join(name.lower() for name in known if name != 'RAW')}."
        )
    subtypes = soundfile.available_subtypes(file_format)
    if subtype is None:
        subtype = "PCM_16" if "PCM_16" in subtypes else soundfile.default_subtype(file_format)
    if subtype not in subtypes:
        raise ValueError(
            f"subtype={subtype!r} is unknown in {file_format}. Use one of {', '.join(subtypes)}."
        )
    peak = np.abs(clip).max()
    if subtype not in _FLOAT_SUBTYPES and peak > _FULL_SCALE:
        other = ", or subtype='FLOAT'" if "FLOAT" in subtypes else ""
        raise ValueError(
            f"The signal's peak of {peak:.4g} exceeds full scale, and {subtype} would clip it. "
            f"Use Normalize() first{other}."
        )
    # libsndfile rounds down, which would add an offset of half a step.
    if integer := re.fullmatch(r"PCM_[US]?(8|16|24|32)", subtype):
        steps = 2.0 ** (int(integer[1]) - 1)
        clip = np.rint(clip.astype(np.float64) * steps) / steps
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with soundfile.SoundFile(unfinished, "w", sr, 1, subtype, format=file_format) as file:
            for start in range(0, len(clip), _BLOCK):
                file.write(clip[start : start + _BLOCK])
        unfinished.replace(path)
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".")
        raise ValueError(f"{name!r} cannot be written ({reason}).") from error
    finally:
        unfinished.unlink(missing_ok=True)
