"""Encode a clip with libsndfile and decode it again, in memory and on every version supported."""

from __future__ import annotations

import inspect
import io
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

Signal = NDArray[np.floating]

# What libsndfile's sf_command takes; soundfile names them only since 0.13.
_SET_COMPRESSION_LEVEL = 0x1301
_SET_BITRATE_MODE = 0x1305
_AVERAGE = 1

# Samples by which LAME and a decoder that does not know of it are late together: 576 and 529.
_MP3_DELAY = 1105


class Encoder(NamedTuple):
    """An encoder of libsndfile.

    Parameters
    ----------
    format, subtype : str
        Its names in libsndfile.
    since : str
        The first version of libsndfile that has it.
    sets_average : bool
        Whether it has to be told that the bit rate is an average.
    """

    format: str
    subtype: str
    since: str
    sets_average: bool = False


MP3 = Encoder("MP3", "MPEG_LAYER_III", "1.1.0", sets_average=True)
VORBIS = Encoder("OGG", "VORBIS", "1.0.18")
OPUS = Encoder("OGG", "OPUS", "1.0.29")


def check_encoder(encoder: Encoder, user: str) -> None:
    """Refuse to go on without an encoder.

    Parameters
    ----------
    encoder : Encoder
        What is needed.
    user : str
        Who needs it.

    Raises
    ------
    RuntimeError
        When the installed libsndfile lacks it; the message names the version that has it.
    """
    formats = soundfile.available_formats()
    if encoder.format in formats and encoder.subtype in soundfile.available_subtypes(
        encoder.format
    ):
        return
    raise RuntimeError(
        f"{user} needs libsndfile {encoder.since} or newer, built with {encoder.subtype}; the one "
        f"that soundfile {soundfile.__version__} found is {soundfile.__libsndfile_version__} and "
        "lacks it. The wheels of soundfile bring one that has it: pip install --upgrade soundfile."
    )


def encode(clip: Signal, sr: int, encoder: Encoder, level: float) -> bytes:
    """Encode a clip.

    Parameters
    ----------
    clip : ndarray of shape (n_times,)
        Within full scale.
    sr : int
        Its sampling rate in Hz, one that the encoder takes.
    encoder : Encoder
        What to encode it with.
    level : float
        Compression from 0 (best) to 1, as libsndfile counts it.

    Returns
    -------
    bytes
        The whole file.
    """
    data = io.BytesIO()
    with _open_to_write(data, sr, encoder, level) as file:
        file.write(clip)
    return data.getvalue()


def decode(data: bytes, n_times: int, encoder: Encoder) -> NDArray[np.float64]:
    """Decode what :func:`encode` gave, and take out what the codec put before and behind it.

    Parameters
    ----------
    data : bytes
        The whole file.
    n_times : int
        Samples before encoding.
    encoder : Encoder
        What it was encoded with.

    Returns
    -------
    ndarray of shape (n_times,)
        The decoded clip.
    """
    decoded, _ = soundfile.read(io.BytesIO(data), dtype="float64")
    if encoder.format == "MP3" and len(decoded) > n_times:
        # A decoder that does not read LAME's tag, which says how much of it is no signal.
        decoded = decoded[_MP3_DELAY:]
    whole = np.zeros(n_times)
    whole[: len(decoded)] = decoded[:n_times]
    return whole


def _open_to_write(
    data: io.BytesIO, sr: int, encoder: Encoder, level: float
) -> soundfile.SoundFile:
    arguments = (data, "w", sr, 1, encoder.subtype)
    if "compression_level" in inspect.signature(soundfile.SoundFile).parameters:
        mode = "AVERAGE" if encoder.sets_average else None
        return soundfile.SoundFile(
            *arguments, format=encoder.format, compression_level=level, bitrate_mode=mode
        )
    # soundfile below 0.13, which will not change any more, passes no settings on.
    file = soundfile.SoundFile(*arguments, format=encoder.format)
    # In this order: LAME knows what a level means once it has been given one.
    _command(file, _SET_COMPRESSION_LEVEL, "double", level)
    if encoder.sets_average:
        _command(file, _SET_BITRATE_MODE, "int", _AVERAGE)
    return file


def _command(file: soundfile.SoundFile, command: int, kind: str, value: float) -> None:
    argument = soundfile._ffi.new(f"{kind}[1]", [value])
    size = soundfile._ffi.sizeof(argument)
    if not soundfile._snd.sf_command(file._file, command, argument, size):
        file.close()
        raise RuntimeError(
            f"libsndfile {soundfile.__libsndfile_version__} cannot set the compression of "
            f"{file.subtype}. Version 1.1.0 can, which comes with soundfile 0.11."
        )
