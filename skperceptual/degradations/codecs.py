"""Lossy codecs for files and streams: MP3, Vorbis and Opus at given bit rates."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.encoding import (
    MP3,
    OPUS,
    VORBIS,
    Encoder,
    check_encoder,
    decode,
    encode,
)
from skperceptual.degradations.ladders import geometrically
from skperceptual.utils._sklearn import Interval
from skperceptual.utils.resampling import resample

__all__ = ["MP3Codec", "OpusCodec", "VorbisCodec"]


class _Codec(Degradation):
    """What the three have in common: a bit rate, and a sampling rate that they may not take."""

    physical_parameter = "bitrate_kbps"
    _encoder: ClassVar[Encoder]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "bitrate_kbps": [Interval(Real, 0, None, closed="neither"), None],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        bitrate_kbps: float | None = None,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.bitrate_kbps = bitrate_kbps
        self.sr = sr
        self.match = match

    @property
    @abstractmethod
    def codec_sr(self) -> int:
        """Sampling rate in Hz that the codec works at; where it is not ``sr``, clips are resampled.

        It is the lowest one that the codec takes and that loses nothing, or else its highest.
        """

    @abstractmethod
    def _bitrates(self) -> tuple[float, float]:
        """Give the lowest and the highest bit rate at the codec's sampling rate, in kbit/s."""

    @abstractmethod
    def _level(self, bitrate_kbps: float) -> float:
        """Give what libsndfile calls the compression level."""

    def _check_parameters(self) -> None:
        lowest, highest = self._bitrates()
        if not lowest <= self.physical_value <= highest:
            raise ValueError(
                f"{self._encoder.subtype} has bit rates from {lowest:g} to {highest:g} kbit/s for "
                f"mono at {self.codec_sr} Hz, got bitrate_kbps={self.physical_value!r}."
            )
        check_encoder(self._encoder, type(self).__name__)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        def degrade(clip: NDArray) -> NDArray:
            data, n_times = self._encode(clip)
            decoded = decode(data, n_times, self._encoder)
            return resample(decoded, self.codec_sr, self.sr, quality="VHQ")[: len(clip)]

        return degrade

    def _encode(self, clip: NDArray) -> tuple[bytes, int]:
        """Give the file, and how many samples went into it."""
        taken = resample(clip, self.sr, self.codec_sr, quality="VHQ")
        level = self._level(self.physical_value)
        return encode(np.clip(taken, -1, 1), self.codec_sr, self._encoder, level), len(taken)

    def encoded_kbps(self, X: Any) -> NDArray[np.float64]:
        """Measure the bit rates that signals really get.

        Parameters
        ----------
        X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Signals.

        Returns
        -------
        ndarray of shape (n_signals,)
            Size of each encoded file, its headers included, over the duration, in kbit/s.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        clips = [np.asarray(clip, dtype=np.float64) for clip in batch]
        sizes = [len(self._encode(clip)[0]) / len(clip) for clip in clips]
        return 8e-3 * self.sr * np.array(sizes)


class MP3Codec(_Codec):
    """Encode signals as MP3 and decode them again, at a given average bit rate.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the bit rate falls in equal ratios, from 128 to 32 kbit/s at sampling rates
        of 32 kHz and more, from 64 to 8 kbit/s above 12 kHz, and from 32 to 8 kbit/s below.
    bitrate_kbps : float, default=None
        Average bit rate of the mono signal in kbit/s, in place of ``severity``, rounded to whole
        ones: 32 to 320 at 32 kHz and more, 8 to 160 above 12 kHz, 8 to 64 below.
    sr : int, default=16000
        Sampling rate of the signals in Hz. MP3 takes 8000, 11025, 12000, 16000, 22050, 24000,
        32000, 44100 and 48000. At others, clips are resampled before and after, to ``codec_sr``:
        the next higher one of these, or 48000.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When the codec has no such bit rate at this sampling rate.
    RuntimeError
        When the installed libsndfile has no MP3 encoder, which came with version 1.1.0.

    See Also
    --------
    VorbisCodec, OpusCodec : Other codecs.

    Notes
    -----
    LAME encodes and mpg123 decodes, both within libsndfile. The bit rate is LAME's average (ABR):
    at a constant one, low rates leave no room for the tag that says how much delay there is to
    remove. What this removes is exact, ``max_lag`` is 0. What exceeds full scale is clipped first,
    as in every file that MP3 is made of. The same version of libsndfile gives the same samples
    every time; another one may not.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import MP3Codec
    >>> sound = np.random.default_rng(0).uniform(-0.5, 0.5, size=(1, 32000))
    >>> codec = MP3Codec(bitrate_kbps=24)
    >>> codec.transform(sound).shape
    (1, 32000)
    >>> bool(20 < codec.encoded_kbps(sound)[0] < 28)
    True
    """

    _encoder = MP3
    _rates = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

    @property
    def codec_sr(self) -> int:
        """Sampling rate in Hz that the codec works at."""
        return _rate_taken(self.sr, self._rates)

    def _bitrates(self) -> tuple[float, float]:
        if self.codec_sr >= 32000:
            return 32, 320
        return 8, 160 if self.codec_sr >= 16000 else 64

    def _value_at(self, severity: float) -> float:
        mildest = 128 if self.codec_sr >= 32000 else 64 if self.codec_sr >= 16000 else 32
        return geometrically(severity, mildest, self._bitrates()[0])

    def _level(self, bitrate_kbps: float) -> float:
        # libsndfile goes back to a bit rate, and cuts it to a whole one: aim between two.
        lowest, highest = self._bitrates()
        return max(0.0, (highest - round(bitrate_kbps) - 0.5) / (highest - lowest))


# Nominal bit rates of libvorbis in kbit/s for mono, at its quality from 0 to 1, by the lowest and
# the highest sampling rate that they are for. Between two, both are interpolated.
_VORBIS_RATES: tuple[tuple[int, int, tuple[float, ...], tuple[float, ...]], ...] = (
    (8000, 8999, (0, 1), (14, 42)),
    (9000, 14999, (0, 1), (20, 50)),
    (15000, 18999, (0, 0.05, 0.5, 1), (24, 28, 64, 100)),
    (19000, 25999, (0, 0.05, 0.5, 1), (24, 28, 50, 90)),
    (
        26000,
        39999,
        (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
        (42, 52, 64, 72, 78, 86, 92, 110, 120, 140, 190),
    ),
    (
        40000,
        50000,
        (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
        (48, 60, 70, 80, 86, 96, 110, 120, 140, 160, 240),
    ),
)


class VorbisCodec(_Codec):
    """Encode signals as Ogg Vorbis and decode them again, at a given nominal bit rate.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the encoder's quality falls in equal steps from 9 to 0, of 10. That is from
        160 to 48 kbit/s at 44.1 and 48 kHz, from 92.8 to 24 at 16 kHz.
    bitrate_kbps : float, default=None
        Nominal bit rate of the mono signal in kbit/s, in place of ``severity``: 48 to 240 at 40
        kHz and more, 42 to 190 above 26 kHz, 24 to 90 above 19 kHz, 24 to 100 above 15 kHz, 20 to
        50 above 9 kHz, 14 to 42 below.
    sr : int, default=16000
        Sampling rate of the signals in Hz. Vorbis takes 8000 to 50000. Above and below, clips are
        resampled before and after, to the ``codec_sr`` of 48000 or 8000.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When the codec has no such bit rate at this sampling rate.
    RuntimeError
        When the installed libsndfile has no Vorbis encoder.

    See Also
    --------
    MP3Codec, OpusCodec : Other codecs.

    Notes
    -----
    The bit rate varies with the sound, around the nominal one for music of average density; it is
    what ``oggenc -b`` would take. ``encoded_kbps`` tells what came of it. libvorbis both encodes
    and decodes. Nothing is delayed, ``max_lag`` is 0. What exceeds full scale is clipped first.
    The lowest quality that libsndfile offers is 0, which is not far down: Vorbis is the mildest of
    the three codecs.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import VorbisCodec
    >>> VorbisCodec(severity=0.0, sr=44100).physical_value
    160.0
    >>> sound = np.random.default_rng(0).uniform(-0.5, 0.5, size=(1, 32000))
    >>> VorbisCodec(bitrate_kbps=32).transform(sound).shape
    (1, 32000)
    """

    _encoder = VORBIS

    @property
    def codec_sr(self) -> int:
        """Sampling rate in Hz that the codec works at."""
        if self.sr < 8000:
            return 8000
        return self.sr if self.sr <= 50000 else 48000

    def _qualities(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Give qualities, and the nominal bit rates in kbit/s that go with them."""
        return next(row[2:] for row in _VORBIS_RATES if row[0] <= self.codec_sr <= row[1])

    def _bitrates(self) -> tuple[float, float]:
        bitrates = self._qualities()[1]
        return bitrates[0], bitrates[-1]

    def _value_at(self, severity: float) -> float:
        return float(np.interp(0.9 * (1 - severity), *self._qualities()))

    def _level(self, bitrate_kbps: float) -> float:
        qualities, bitrates = self._qualities()
        return 1 - float(np.interp(bitrate_kbps, bitrates, qualities))


class OpusCodec(_Codec):
    """Encode signals as Opus and decode them again, at a given bit rate.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the bit rate falls in equal ratios to 8 kbit/s, from 64 at sampling rates of
        24 kHz and more, and from 32 below.
    bitrate_kbps : float, default=None
        Average bit rate of the mono signal in kbit/s, from 6 to 256, in place of ``severity``.
    sr : int, default=16000
        Sampling rate of the signals in Hz. Opus takes 8000, 12000, 16000, 24000 and 48000. At
        others, clips are resampled before and after, to ``codec_sr``: the next higher one of
        these, or 48000. Clips at 44.1 kHz thus are coded at 48.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Raises
    ------
    ValueError
        When the codec has no such bit rate.
    RuntimeError
        When the installed libsndfile has no Opus encoder, which came with version 1.0.29.

    See Also
    --------
    MP3Codec, VorbisCodec : Other codecs.

    Notes
    -----
    libopus encodes and decodes in frames of 20 ms, at a bit rate that varies a little (VBR). The
    delay that its header states is removed. What is left comes from its speech mode, which it goes
    over to at low bit rates: up to 104 microseconds, or 5 samples at 48 kHz, to either side.
    Below 8 kbit/s the waveform is hardly followed any more. What exceeds full scale is clipped
    first.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import OpusCodec
    >>> codec = OpusCodec(bitrate_kbps=16, sr=44100)
    >>> codec.codec_sr
    48000
    >>> sound = np.random.default_rng(0).uniform(-0.5, 0.5, size=(1, 44100))
    >>> codec.transform(sound).shape
    (1, 44100)
    """

    _encoder = OPUS
    _rates = (8000, 12000, 16000, 24000, 48000)

    @property
    def max_lag(self) -> int:
        """What differs between the modes of Opus: 5 samples of 48 kHz, in those of ``sr``."""
        return math.ceil(5 * self.sr / 48000)

    @property
    def codec_sr(self) -> int:
        """Sampling rate in Hz that the codec works at."""
        return _rate_taken(self.sr, self._rates)

    def _bitrates(self) -> tuple[float, float]:
        return 6, 256

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 64 if self.codec_sr >= 24000 else 32, 8)

    def _level(self, bitrate_kbps: float) -> float:
        return (256 - bitrate_kbps) / 250


def _rate_taken(sr: int, rates: tuple[int, ...]) -> int:
    return next((rate for rate in rates if rate >= sr), rates[-1])
