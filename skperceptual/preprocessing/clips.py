"""Rate, duration and level of clips."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.base import SignalTransformer
from skperceptual.utils._sklearn import Interval, StrOptions
from skperceptual.utils.resampling import resample
from skperceptual.utils.validation import Batch, Item

Clips = list[NDArray[np.floating]]

# -200 dB below full scale: what is left below it is rounding, not sound.
_SILENCE = 1e-10
# Full scale for peaks; for the mean the level of speech in ITU-T P.800 listening tests.
_DEFAULT_LEVEL_DB = {"peak": 0.0, "rms": -26.0}


def _clips_of(item: Item) -> Clips:
    """Give the one clip of a signal, or the two of a pair."""
    return [item] if isinstance(item, np.ndarray) and item.ndim == 1 else list(item)


class Resample(SignalTransformer):
    """Resample signals or pairs from one sampling rate to another.

    The numbers are those of ``librosa.resample``: soxr, and a length of
    ``ceil(n_times * target_sr / orig_sr)`` samples.

    Parameters
    ----------
    orig_sr : int
        Sampling rate of X in Hz.
    target_sr : int, default=16000
        Sampling rate of the result in Hz.
    res_type : {"soxr_vhq", "soxr_hq", "soxr_mq", "soxr_lq", "soxr_qq"}, default="soxr_hq"
        Quality, from very high to quick.

    See Also
    --------
    LoadAudio : Resamples while it reads files, each from its own rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import Resample
    >>> Resample(orig_sr=48000, target_sr=16000).fit_transform(np.zeros((3, 2, 48000))).shape
    (3, 2, 16000)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "orig_sr": [Interval(Integral, 1, None, closed="left")],
        "target_sr": [Interval(Integral, 1, None, closed="left")],
        "res_type": [
            StrOptions({f"soxr_{quality}" for quality in ("vhq", "hq", "mq", "lq", "qq")})
        ],
    }

    def __init__(self, *, orig_sr: int, target_sr: int = 16000, res_type: str = "soxr_hq") -> None:
        self.orig_sr = orig_sr
        self.target_sr = target_sr
        self.res_type = res_type

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        quality = self.res_type.removeprefix("soxr_").upper()
        return lambda clip: resample(clip, self.orig_sr, self.target_sr, quality=quality)


class FixDuration(SignalTransformer):
    """Pad or cut every clip to one duration, so that any batch becomes one array.

    Parameters
    ----------
    duration_seconds : float
        Duration of every clip of the result.
    sr : int, default=16000
        Sampling rate in Hz.
    position : {"start", "center", "end"}, default="start"
        Which part of a long clip is kept, and where a short one stands in its padding. The two
        clips of a pair keep their alignment: where the lengths differ, the reference decides for
        both.
    pad_mode : {"constant", "reflect", "wrap"}, default="constant"
        What a short clip is padded with: silence, itself mirrored, or itself repeated, as in
        :func:`numpy.pad`.

    See Also
    --------
    LoadAudio : Reads a part of fixed duration of every file, and refuses shorter ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import FixDuration
    >>> FixDuration(duration_seconds=0.5, sr=8).fit_transform([np.ones(3), np.ones(9)])
    array([[1., 1., 1., 0.],
           [1., 1., 1., 1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "duration_seconds": [Interval(Real, 0, None, closed="neither")],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "position": [StrOptions({"start", "center", "end"})],
        "pad_mode": [StrOptions({"constant", "reflect", "wrap"})],
    }

    def __init__(
        self,
        *,
        duration_seconds: float,
        sr: int = 16000,
        position: str = "start",
        pad_mode: str = "constant",
    ) -> None:
        self.duration_seconds = duration_seconds
        self.sr = sr
        self.position = position
        self.pad_mode = pad_mode

    def _validate_signals(self, X: Any, *, reset: bool) -> Batch:
        if round(self.duration_seconds * self.sr) == 0:
            raise ValueError(
                f"duration_seconds={self.duration_seconds!r} is less than one sample at "
                f"sr={self.sr}. Give a longer duration."
            )
        return super()._validate_signals(X, reset=reset)

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Pad or cut every clip.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), pairs of shape (n_pairs, 2, n_times), or a
            list of either where lengths differ, also within a pair.

        Returns
        -------
        ndarray of shape (n_signals, n_times) or (n_pairs, 2, n_times)
            The clips, also where X was a list.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        fixed = [np.stack([*self._fix(_clips_of(item))]) for item in batch]
        out = np.stack(fixed)
        return out[:, 0] if isinstance(batch[0], np.ndarray) and batch[0].ndim == 1 else out

    def _fix(self, clips: Clips) -> Clips:
        n_times = round(self.duration_seconds * self.sr)
        surplus = len(clips[0]) - n_times
        first = {"start": 0, "center": surplus // 2, "end": surplus}[self.position]
        fixed = []
        for clip in clips:
            kept = clip[max(0, first) : max(0, first + n_times)]
            before = max(0, -first)
            after = n_times - before - len(kept)
            mode: Any = self.pad_mode if len(kept) else "constant"
            fixed.append(np.pad(kept, (before, after), mode=mode))
        return fixed


class Normalize(SignalTransformer):
    """Bring clips to one level.

    Parameters
    ----------
    method : {"peak", "rms"}, default="peak"
        What is measured: the largest magnitude, or the root of the mean square.
    level_db : float, default=None
        What it becomes, in decibels relative to full scale, ``20 log10`` of the value: 0 is a
        peak, or a root mean square, of 1. None takes 0 for ``"peak"`` and -26 for ``"rms"``,
        the level of speech in listening tests.
    per : {"clip", "pair"}, default="clip"
        Whether each clip of a pair gets its own gain, which removes differences in level between
        the two, or the degraded version gets that of the reference, which keeps them.

    Warns
    -----
    UserWarning
        When clips are silent (peak below -200 dB). They stay as they are.

    Notes
    -----
    A root mean square of -26 dB leaves room for peaks of 20 times as much; at higher levels the
    result may exceed full scale, and nothing clips it.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import Normalize
    >>> pair = np.array([[[0.5, -0.25], [0.25, -0.125]]])
    >>> Normalize().fit_transform(pair)
    array([[[ 1. , -0.5],
            [ 1. , -0.5]]])
    >>> Normalize(per="pair").fit_transform(pair)
    array([[[ 1.  , -0.5 ],
            [ 0.5 , -0.25]]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "method": [StrOptions({"peak", "rms"})],
        "level_db": [Interval(Real, -200, 200, closed="both"), None],
        "per": [StrOptions({"clip", "pair"})],
    }

    def __init__(
        self, *, method: str = "peak", level_db: float | None = None, per: str = "clip"
    ) -> None:
        self.method = method
        self.level_db = level_db
        self.per = per

    def transform(self, X: Any) -> Any:
        """Scale every clip.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times), pairs of shape (n_pairs, 2, n_times), or a
            list of either where lengths differ, also within a pair.

        Returns
        -------
        ndarray or list
            The scaled clips, in the form of X.
        """
        self._validate_params()
        batch = self._validate_signals(X, reset=False)
        scaled: list[Any] = []
        silent = []
        for row, item in enumerate(batch):
            clips = _clips_of(item)
            measured = clips if self.per == "clip" else clips[:1] * len(clips)
            if any(_is_silent(clip) for clip in measured):
                silent.append(row)
            clips = [self._scale(*both) for both in zip(clips, measured, strict=True)]
            if isinstance(item, tuple):
                scaled.append(tuple(clips))
            else:
                scaled.append(np.stack(clips) if item.ndim == 2 else clips[0])
        if silent:
            warnings.warn(
                f"{len(silent)} of {len(batch)} rows hold a silent clip, which stays as it is "
                f"(the first is row {silent[0]}). Silence has no level; leave such rows out.",
                UserWarning,
                stacklevel=3,  # scikit-learn wraps transform
            )
        return np.stack(scaled) if isinstance(batch, np.ndarray) else scaled

    def _scale(self, clip: NDArray, measured: NDArray) -> NDArray:
        """Scale one clip by what another, or itself, needs to reach the level."""
        if _is_silent(measured):
            return clip
        level_db = _DEFAULT_LEVEL_DB[self.method] if self.level_db is None else self.level_db
        peak = float(np.abs(measured).max())
        gain = 10 ** (level_db / 20)
        if self.method == "rms":
            gain /= float(np.sqrt(np.square(measured / peak, dtype=np.float64).mean()))
        # Dividing by the peak first makes a peak of exactly 1, and is the same the second time.
        return clip / peak * gain


def _is_silent(clip: NDArray) -> bool:
    return bool(np.abs(clip).max() < _SILENCE)
