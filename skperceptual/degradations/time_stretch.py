"""Stretched in time and back again: what a phase vocoder leaves of a sound."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.ladders import geometrically
from skperceptual.utils._sklearn import Interval

__all__ = ["TimeStretch"]


class TimeStretch(Degradation):
    """Speed signals up by a phase vocoder, at their pitch, and slow them down again.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: the factor grows from 1.01 to 2.5, its part above 1 in equal ratios.
    rate : float, default=None
        How many times faster signals become, in place of ``severity``. Below 1 they are slowed
        down first, which does less harm.
    window_seconds : float, default=0.064
        Duration of the window of the phase vocoder. Long ones blur onsets, short ones roughen low
        notes.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.

    Notes
    -----
    Metrics that compare two signals cannot compare one with its stretched version. Stretched twice,
    by a factor and by its inverse, everything is in its place again and only the artefacts are
    left: blurred onsets, and the hollow sound of partials whose phases have come apart. The
    spectrum between two frames is interpolated in magnitude, and its phases advance as they did
    there (J. Flanagan and R. Golden, Phase vocoder, Bell System Technical Journal 45, 1966), as
    ``librosa.effects.time_stretch`` does it; frames overlap by three quarters.

    Since phases come apart, the waveform of the result is not that of the signal: their
    cross-correlation follows whatever partial is strongest, and the ratio of signal to error is
    about 0 dB at any factor. What keeps its place is the envelope, within ``max_lag``, half a
    window. Most of the harm is done by the first per cent. Larger factors add to the log-spectral
    distance, except where all frames needed are there anyway, as at a factor of 2: the ladder does
    not rise with every step.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import TimeStretch
    >>> step = TimeStretch(rate=1.5)
    >>> step.transform(np.sin(np.arange(16000.0) / 10)[np.newaxis]).shape
    (1, 16000)
    """

    physical_parameter = "rate"
    graded_by = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "rate": [Interval(Real, 0.1, 10, closed="both"), None],
        "window_seconds": [Interval(Real, 0, 1, closed="right")],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        rate: float | None = None,
        window_seconds: float = 0.064,
        sr: int = 16000,
        match: str = "none",
    ) -> None:
        self.severity = severity
        self.rate = rate
        self.window_seconds = window_seconds
        self.sr = sr
        self.match = match

    @property
    def max_lag(self) -> int:
        """Half the window, in samples."""
        return 2 * self._hop()

    def _hop(self) -> int:
        return max(1, round(self.window_seconds * self.sr / 4))

    def _value_at(self, severity: float) -> float:
        return 1 + geometrically(severity, 0.01, 1.5)

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        hop = self._hop()
        rate = self.physical_value

        def degrade(clip: NDArray) -> NDArray:
            between = stretch(clip, rate, max(1, round(len(clip) / rate)), hop)
            return stretch(between, len(between) / len(clip), len(clip), hop)

        return degrade


def stretch(clip: NDArray, rate: float, n_times: int, hop: int) -> NDArray[np.float64]:
    """Play a clip faster at its pitch.

    Parameters
    ----------
    clip : ndarray of shape (n_times_before,), float64
        The clip.
    rate : float
        How many times faster.
    n_times : int
        Samples of the result.
    hop : int
        Samples from frame to frame, a quarter of a frame.

    Returns
    -------
    ndarray of shape (n_times,)
        The faster clip.
    """
    n_fft = 4 * hop
    window = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
    spectra = _analyze(clip, window, hop)
    places = np.arange(0, len(spectra), rate)
    spectra = np.concatenate([spectra, np.zeros((2, spectra.shape[1]))])
    before = places.astype(int)
    share = (places - before)[:, np.newaxis]
    magnitude = (1 - share) * np.abs(spectra[before]) + share * np.abs(spectra[before + 1])
    # From frame to frame a partial turns by about what its bin would; what is seen is that, but
    # for whole turns.
    turn = 2 * np.pi * hop / n_fft * np.arange(spectra.shape[1])
    seen = np.angle(spectra[before + 1]) - np.angle(spectra[before]) - turn
    advance = turn + seen - 2 * np.pi * np.round(seen / (2 * np.pi))
    phase = np.angle(spectra[0]) + np.cumsum(advance, axis=0) - advance
    return _synthesize(magnitude * np.exp(1j * phase), window, hop, n_times)


def _analyze(clip: NDArray, window: NDArray, hop: int) -> NDArray[np.complex128]:
    """Give the spectra of frames whose centres are at the multiples of the hop."""
    n_frames = len(clip) // hop + 1
    padded = np.pad(clip, (len(window) // 2, len(window)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[: n_frames * hop : hop]
    return np.fft.rfft(frames * window)


def _synthesize(
    spectra: NDArray[np.complex128], window: NDArray, hop: int, n_times: int
) -> NDArray[np.float64]:
    """Add frames up, weighted such that those of a clip would give the clip back."""
    frames = np.fft.irfft(spectra, len(window)) * window
    total = np.zeros(max(len(frames) * hop, n_times) + len(window))
    weight = np.zeros_like(total)
    for row, frame in enumerate(frames):
        total[row * hop : row * hop + len(window)] += frame
        weight[row * hop : row * hop + len(window)] += np.square(window)
    kept = slice(len(window) // 2, len(window) // 2 + n_times)
    return total[kept] / np.maximum(weight[kept], 1e-3)
