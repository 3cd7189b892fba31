"""Find and remove the delay between a reference and its degraded version."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.utils._sklearn import Interval, _fit_context
from skperceptual.utils.validation import Batch, check_signals

# Mirrored samples on either side of a clip, so that its ends do not ring when it is shifted.
_MIRRORED = 1024
# Newton's method needs three or four steps from the nearest sample.
_MAX_STEPS = 20
# Below this normalised correlation a peak may be chance (the Notes of AlignPairs say why).
_TRUSTED_PEAK = 0.6
_LISTED = 5
# A millionth of a sample: smaller lags are rounding, and filter a clip for nothing.
_LAG_DIGITS = 6


class _Delay(NamedTuple):
    """The delay of a pair in samples, positive when the degraded version is late.

    ``peak`` is the magnitude of the correlation coefficient of the two where they overlap.
    """

    lag: float
    is_silent: bool
    is_at_limit: bool
    peak: float


class AlignPairs(TransformerMixin, PerceptualEstimator):
    """Remove the delay between each reference and its degraded version.

    The delay is where the cross-correlation of the two, without their means, is largest in
    magnitude (so a degraded version of inverted polarity is aligned too; it stays inverted).
    Of equal maxima the one nearest to no delay counts. The reference keeps its place, the
    degraded version moves.

    Parameters
    ----------
    max_lag_seconds : float, default=0.1
        Largest delay that is looked for, in either direction. The two must overlap by at least
        half of the shorter clip.
    subsample : bool, default=False
        Whether to find and remove fractions of a sample as well.
    sr : int, default=16000
        Sampling rate in Hz.

    Warns
    -----
    UserWarning
        When a clip is silent (its pair stays as it is), a delay lies at the limit, so that the
        true one may lie beyond it, or the two are so unlike at a delay other than zero that it
        may be chance (see the Notes).

    See Also
    --------
    LoadAudio : With ``unequal="keep"`` it leaves the ends of both for this step to choose from.

    Notes
    -----
    What happens at the ends follows from the form of X. In an array every pair keeps its shape:
    the samples of the reference that have no counterpart, and their places in the degraded
    version, become zero, in both alike, so that no metric sees a difference there. In a list
    every pair is cut to the part that both cover.

    With ``subsample=True`` the maximum of the correlation's band-limited interpolation is found
    by Newton's method, and the fraction is removed by a linear phase in the Fourier domain. For a
    pure delay of a band-limited signal the result is good to 0.01 samples; noise limits it
    otherwise. Codecs and resamplers often delay by fractions; metrics on spectrograms hardly
    notice these, metrics on waveforms do.

    A delay means something only where the degraded version still is the reference's waveform.
    The measure is the magnitude of the correlation coefficient of the two once they are aligned
    to the sample, over the part that both cover. Where it is below 0.6, and the delay found is
    not zero, a warning names the rows and the values; the clips are moved all the same. What was
    measured, with the default limit:

    - speech and music with a known delay and white noise: 0.95 at a signal-to-noise ratio of
      10 dB, 0.71 at 0 dB, and every delay right; still right at -5 dB, with 0.49;
    - a speech codec at 3 to 6 kbit/s that keeps the waveform (Lyra): 0.82 to 0.93, one delay;
    - neural codecs that make up a waveform of their own: AudioDec 0.21 to 0.59, with delays of 3
      to 17 ms for one codec, others 0.15 to 0.42, with delays from -23 to 39 ms.
      What scatters so is not the delay of a codec;
    - recordings that do not belong together: below 0.1;
    - a delay of twice the limit: below 0.13 for speech, but up to 0.83 for music that repeats
      itself, whose wrong delay nothing gives away.

    Where the warning comes, align such pairs by hand (a codec's delay is one number for all its
    clips), leave AlignPairs out, or raise ``max_lag_seconds`` if the delay may be longer.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import AlignPairs
    >>> reference = np.random.default_rng(0).normal(size=1000)
    >>> late = np.concatenate([np.zeros(25), reference])
    >>> step = AlignPairs(max_lag_seconds=0.01, sr=8000)
    >>> step.lags([(reference, late)])
    array([25])
    >>> [aligned] = step.fit_transform([(reference, late)])
    >>> bool(np.array_equal(aligned[0], aligned[1]))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_lag_seconds": [Interval(Real, 0, None, closed="left")],
        "subsample": ["boolean"],
        "sr": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, max_lag_seconds: float = 0.1, subsample: bool = False, sr: int = 16000
    ) -> None:
        self.max_lag_seconds = max_lag_seconds
        self.subsample = subsample
        self.sr = sr

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the pairs; there is nothing to learn.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list
            Pairs, the reference first; a list of arrays of shape (2, n_times) or of (reference,
            degraded) tuples where lengths differ.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        self._validate_pairs(X, reset=True)
        return self

    def transform(self, X: Any) -> Batch:
        """Align every pair.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list
            Pairs, the reference first; a list of arrays of shape (2, n_times) or of (reference,
            degraded) tuples where lengths differ.

        Returns
        -------
        ndarray of shape (n_pairs, 2, n_times), or list of (2, n_times) arrays
            An array for an array, with zeros where the two do not overlap; for a list the parts
            that do.
        """
        batch = self._validate_pairs(X, reset=False)
        delays = self._find_delays(batch, stacklevel=4)  # scikit-learn wraps transform
        if isinstance(batch, list):
            return [
                _common_part(reference, degraded, delay.lag)[1]
                for (reference, degraded), delay in zip(batch, delays, strict=True)
            ]
        aligned = np.zeros_like(batch)
        for row, ((reference, degraded), delay) in enumerate(zip(batch, delays, strict=True)):
            first, common = _common_part(reference, degraded, delay.lag)
            aligned[row, :, first : first + common.shape[1]] = common
        return aligned

    def lags(self, X: Any) -> NDArray[Any]:
        """Find the delays without removing them.

        Parameters
        ----------
        X : array of shape (n_pairs, 2, n_times), or list
            Pairs, the reference first.

        Returns
        -------
        ndarray of shape (n_pairs,), int or (with ``subsample``) float
            The delays in samples, positive when the degraded version is late:
            ``degraded[n + lag]`` corresponds to ``reference[n]``.
        """
        delays = self._find_delays(self._validate_pairs(X, reset=False), stacklevel=3)
        return np.array([delay.lag for delay in delays], dtype=float if self.subsample else int)

    def _validate_pairs(self, X: Any, *, reset: bool) -> Batch:
        self._validate_params()
        batch = check_signals(X, pairs=True)
        self._record_features(X, batch, reset=reset)
        return batch

    def _find_delays(self, batch: Batch, *, stacklevel: int) -> list[_Delay]:
        max_lag = round(self.max_lag_seconds * self.sr)
        delays = [
            _find_delay(reference, degraded, max_lag, subsample=self.subsample)
            for reference, degraded in batch
        ]
        silent = [row for row, delay in enumerate(delays) if delay.is_silent]
        if silent:
            warnings.warn(
                f"{len(silent)} of {len(delays)} pairs hold a silent clip and stay as they are "
                f"(the first is row {silent[0]}). Silence has no delay; leave such rows out.",
                UserWarning,
                stacklevel=stacklevel,
            )
        limited = [row for row, delay in enumerate(delays) if delay.is_at_limit]
        if limited:
            warnings.warn(
                f"The delays of {len(limited)} of {len(delays)} pairs lie at the limit (the first "
                f"is row {limited[0]}: {delays[limited[0]].lag:g} samples), the true ones perhaps "
                f"beyond it. Raise max_lag_seconds={self.max_lag_seconds!r}, or check that the "
                "two belong together.",
                UserWarning,
                stacklevel=stacklevel,
            )
        doubtful = [
            row for row, delay in enumerate(delays) if delay.lag and delay.peak < _TRUSTED_PEAK
        ]
        if doubtful:
            listed = ", ".join(
                f"row {row}: {delays[row].peak:.2f} at {delays[row].lag:g} samples"
                for row in doubtful[:_LISTED]
            )
            warnings.warn(
                f"The delays of {len(doubtful)} of {len(delays)} pairs may be chance: even so "
                f"aligned, the two correlate by less than {_TRUSTED_PEAK} ({listed}"
                f"{', ...' * (len(doubtful) > _LISTED)}). Align these by hand, leave AlignPairs "
                f"out, or raise max_lag_seconds={self.max_lag_seconds!r} if they may be later.",
                UserWarning,
                stacklevel=stacklevel,
            )
        return delays

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.signal_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _find_delay(
    reference: NDArray[np.floating],
    degraded: NDArray[np.floating],
    max_lag: int,
    *,
    subsample: bool,
) -> _Delay:
    """Find by how many samples, up to a limit, the degraded version is late."""
    if _is_constant(reference) or _is_constant(degraded):
        return _Delay(0, is_silent=True, is_at_limit=False, peak=0.0)
    clips = [clip.astype(np.float64) for clip in (reference, degraded)]
    clips = [clip - clip.mean() for clip in clips]
    n_reference, n_degraded = map(len, clips)
    half = -(-min(n_reference, n_degraded) // 2)
    latest = min(max_lag, n_degraded - half)
    earliest = -min(max_lag, n_reference - half)
    # Long enough that no lag of interest wraps around.
    size = fft.next_fast_len(max(n_reference + latest, n_degraded - earliest), real=True)
    spectrum = fft.rfft(clips[0], size).conj() * fft.rfft(clips[1], size)
    correlation = fft.irfft(spectrum, size)
    lags = np.arange(earliest, latest + 1)
    lags = lags[np.argsort(np.abs(lags), kind="stable")]
    lag = int(lags[np.abs(correlation[lags]).argmax()])
    is_at_limit = lag != 0 and lag in (earliest, latest)
    _, (first, second) = _common_part(clips[0], clips[1], lag)
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    peak = float(abs(first @ second) / scale) if scale else 0.0
    best = _refine(np.sign(correlation[lag]) * spectrum, size, lag) if subsample else lag
    return _Delay(best, is_silent=False, is_at_limit=is_at_limit, peak=peak)


def _is_constant(clip: NDArray[np.floating]) -> bool:
    return bool(np.ptp(clip) <= np.finfo(clip.dtype).eps * np.abs(clip).max())


def _refine(spectrum: NDArray[np.complexfloating], size: int, lag: int) -> float:
    """Find the maximum between samples of the correlation that a cross-spectrum stands for."""
    omega = 2 * np.pi / size * np.arange(len(spectrum))
    if size % 2 == 0:
        omega[-1] = 0.0  # the phase of the Nyquist frequency cannot be known
    spectrum = spectrum * np.exp(1j * omega * lag)
    fraction = 0.0
    for _ in range(_MAX_STEPS):
        turned = spectrum * np.exp(1j * omega * fraction)
        slope = -(omega * turned.imag).sum()
        curvature = -(omega**2 * turned.real).sum()
        if curvature >= 0:  # no maximum near this sample
            break
        step = slope / curvature
        fraction = float(np.clip(fraction - step, -1, 1))
        if abs(step) < 10.0**-_LAG_DIGITS:
            break
    return round(lag + fraction, _LAG_DIGITS) + 0.0  # no negative zero


def _common_part(
    reference: NDArray[np.floating], degraded: NDArray[np.floating], lag: float
) -> tuple[int, NDArray[np.floating]]:
    """Cut an aligned pair to what both cover; also say where in the reference that begins."""
    whole = round(lag)
    if lag != whole:
        degraded = _advance(degraded, lag - whole)
    first = max(0, -whole)
    late = max(0, whole)
    n_times = min(len(reference) - first, len(degraded) - late)
    common = [reference[first : first + n_times], degraded[late : late + n_times]]
    return first, np.stack(common)


def _advance(clip: NDArray[np.floating], fraction: float) -> NDArray[np.floating]:
    """Move a clip ahead by a fraction of a sample."""
    n_mirrored = min(_MIRRORED, len(clip) - 1)
    padded = np.pad(clip.astype(np.float64), n_mirrored, mode="reflect")
    size = fft.next_fast_len(len(padded), real=True)
    spectrum = fft.rfft(padded, size)
    omega = 2 * np.pi / size * np.arange(len(spectrum))
    moved = fft.irfft(spectrum * np.exp(1j * omega * fraction), size)
    return moved[n_mirrored : n_mirrored + len(clip)].astype(clip.dtype)
