"""The gammatone spectrogram."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.base import SignalTransformer
from skperceptual.functional.gammatone import (
    FILTERINGS,
    gammatone_filters,
    gammatone_frequencies,
    symmetric_hann,
)
from skperceptual.functional.scaling import QUIETEST_MAGNITUDE
from skperceptual.utils._sklearn import Interval, StrOptions
from skperceptual.utils.validation import Batch

# ViSQOL's frames last 80 ms and come every 20 ms; its floor lies at -45 dB.
_WINDOW_SECONDS, _HOPS_IN_A_WINDOW = 0.08, 4
_FLOOR_DB = -45.0


def visqol_frames(sr: float) -> tuple[int, int]:
    """Give the length of ViSQOL's frames and the distance between them.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.

    Returns
    -------
    (int, int)
        In samples.

    Examples
    --------
    >>> from skperceptual.spectrograms.gammatone import visqol_frames
    >>> visqol_frames(48000)
    (3840, 960)
    """
    win_length = int(np.floor(_WINDOW_SECONDS * sr + 0.5))
    return win_length, win_length // _HOPS_IN_A_WINDOW


class GammatoneSpectrogram(SignalTransformer):
    """Spectrogram of a gammatone filterbank, a model of the cochlea.

    Levels of gammatone filters of fourth order [1]_, equally spaced on the scale of equivalent
    rectangular bandwidths. The defaults are ViSQOL's: frames of 80 ms, each filtered by itself.

    Parameters
    ----------
    sr : float, default=48000
        Sampling rate of the signals in Hz.
    n_bands : int, default=32
        Number of bands.
    fmin : float, default=50.0
        The lowest centre frequency in Hz.
    fmax : float, default=None
        The frequency in Hz one step above the highest centre; None means half the sampling
        rate.
    win_length : int, default=None
        Length of a frame in samples; None means 80 ms.
    hop_length : int, default=None
        Distance between frames in samples; None means a quarter of ``win_length``.
    filtering : {"frame", "signal"}, default="frame"
        ``"frame"`` multiplies every frame by a symmetric Hann window and filters it by itself,
        from rest, as ViSQOL does [2]_: what rings on after a frame is cut off. ``"signal"``
        filters the signal as a whole, and frames have no window, as most filterbanks do.
    scale : {"visqol", "db"} or None, default="visqol"
        What becomes of the levels, root mean squares. ``"visqol"``: ``10 log10`` of them, no
        lower than -45, and 45 added, for images from 0 to about 45. ``"db"``: ``20 log10`` of
        them, no lower than -100 and than ``top_db`` below the clip's own maximum. None: as they
        are.
    top_db : float, default=80.0
        The dynamic range of ``"db"``; None leaves all of it.

    See Also
    --------
    MelSpectrogram : Triangular filters, with a way back.
    ViSQOL : The metric that compares such images, patch by patch.
    skperceptual.functional.gammatone_levels : The levels as a function, differentiable.

    Notes
    -----
    Images have ``n_bands`` rows, low frequencies first. Everything is computed in double
    precision by compiled loops and returned in the precision of the signals.

    ``"visqol"`` is what ViSQOL compares wherever no sample exceeds full scale and some band of
    the pair is silent at some time: it also raises, in both images of a pair, what lies 45 dB
    below the loudest band of a frame, and takes away the least value of both, which are then no
    changes. (Its decibels are 10 times, not 20 times, the logarithm of an amplitude.)

    References
    ----------
    .. [1] M. Slaney, "An efficient implementation of the Patterson-Holdsworth auditory filter
       bank", Apple Computer technical report 35, 1993.
    .. [2] M. Chinen, F. S. C. Lim, J. Skoglund, N. Gureev, F. O'Gorman, A. Hines, "ViSQOL v3: an
       open source production ready objective speech and audio metric", QoMEX 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import GammatoneSpectrogram
    >>> time = np.arange(48000) / 48000
    >>> signals = np.stack([0.5 * np.sin(2 * np.pi * f * time) for f in (440.0, 4400.0)])
    >>> front_end = GammatoneSpectrogram(sr=48000)
    >>> images = front_end.fit_transform(signals)
    >>> images.shape
    (2, 32, 47)
    >>> front_end.band_frequencies()[images[:, :, 20].argmax(axis=1)].round()
    array([ 415., 4313.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sr": [Interval(Real, 0, None, closed="neither")],
        "n_bands": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "hop_length": [Interval(Integral, 1, None, closed="left"), None],
        "filtering": [StrOptions(set(FILTERINGS))],
        "scale": [StrOptions({"visqol", "db"}), None],
        "top_db": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        *,
        sr: float = 48000,
        n_bands: int = 32,
        fmin: float = 50.0,
        fmax: float | None = None,
        win_length: int | None = None,
        hop_length: int | None = None,
        filtering: str = "frame",
        scale: str | None = "visqol",
        top_db: float | None = 80.0,
    ) -> None:
        self.sr = sr
        self.n_bands = n_bands
        self.fmin = fmin
        self.fmax = fmax
        self.win_length = win_length
        self.hop_length = hop_length
        self.filtering = filtering
        self.scale = scale
        self.top_db = top_db

    def band_frequencies(self) -> NDArray[np.float64]:
        """Give the centre frequency of each row of an image.

        Returns
        -------
        ndarray of shape (n_bands,)
            Frequencies in Hz.
        """
        fmax = self.sr / 2 if self.fmax is None else self.fmax
        return gammatone_frequencies(n_bands=self.n_bands, fmin=self.fmin, fmax=fmax)

    def frame_times(self, n_frames: int) -> NDArray[np.float64]:
        """Give the time of each column of an image, the middle of its frame.

        Parameters
        ----------
        n_frames : int
            Number of columns.

        Returns
        -------
        ndarray of shape (n_frames,)
            Seconds from the first sample of the clip.
        """
        win_length, hop_length = self._frames()
        return (win_length / 2 + hop_length * np.arange(n_frames, dtype=np.float64)) / self.sr

    def _frames(self) -> tuple[int, int]:
        win_length = visqol_frames(self.sr)[0] if self.win_length is None else self.win_length
        hop_length = self.hop_length
        if hop_length is None:
            hop_length = win_length // _HOPS_IN_A_WINDOW
        if win_length < (2 if self.filtering == "frame" else 1) or hop_length < 1:
            raise ValueError(
                f"Frames of {win_length} samples every {hop_length} are too short at sr="
                f"{self.sr:g}. Give win_length, at least 2 with filtering='frame', and "
                "hop_length, at least 1."
            )
        return int(win_length), int(hop_length)

    def _min_samples(self) -> int:
        return self._frames()[0]

    def _releases_gil(self, batch: Batch) -> bool:
        return True

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        from skperceptual.kernels.gammatone import frame_levels, signal_levels

        win_length, hop_length = self._frames()
        filters = gammatone_filters(self.band_frequencies(), sr=self.sr)
        by_frame = self.filtering == "frame"
        window = symmetric_hann(win_length) if by_frame else np.empty(0)

        def transform_clip(clip: NDArray) -> NDArray:
            signal = np.ascontiguousarray(clip, dtype=np.float64)
            n_frames = 1 + (len(signal) - win_length) // hop_length
            levels = np.empty((len(filters), n_frames))
            if by_frame:
                starts = hop_length * np.arange(n_frames, dtype=np.int64)
                frame_levels(signal, starts, window, filters, levels)
            else:
                signal_levels(signal, win_length, hop_length, filters, levels)
            return self._scaled(levels).astype(clip.dtype)

        return transform_clip

    def _scaled(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.scale is None:
            return levels
        if self.scale == "visqol":
            return 10 * np.log10(np.maximum(levels, 10 ** (_FLOOR_DB / 10))) - _FLOOR_DB
        decibels = 20 * np.log10(np.maximum(levels, QUIETEST_MAGNITUDE))
        if self.top_db is None:
            return decibels
        return np.maximum(decibels, decibels.max() - self.top_db)


def band_names(frequencies: ArrayLike) -> list[str]:
    """Name bands by their centre frequencies.

    Parameters
    ----------
    frequencies : array-like of shape (n_bands,)
        Frequencies in Hz.

    Returns
    -------
    list of str
        One name a band, with as many digits as tell them apart.

    Examples
    --------
    >>> from skperceptual.spectrograms.gammatone import band_names
    >>> band_names([50.0, 91.7, 139.7])
    ['50hz', '92hz', '140hz']
    """
    for digits in range(16):
        names = [f"{frequency:.{digits}f}hz" for frequency in np.asarray(frequencies)]
        if len(set(names)) == len(names):
            break
    return names
