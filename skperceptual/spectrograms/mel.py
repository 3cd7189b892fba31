"""The mel spectrogram."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.inversion import mel_to_spectrogram
from skperceptual.functional.mel import mel_edges, nonzero_weights
from skperceptual.functional.scaling import (
    from_decibels,
    from_log,
    from_log01,
    full_scale_peak,
    to_decibels,
    to_log,
    to_log01,
)
from skperceptual.functional.spectrogram import mel_spectrogram
from skperceptual.spectrograms.compiled_mel import (
    compiled_mel_spectrogram,
    is_compiled,
    quietest,
    scaling_of,
)
from skperceptual.spectrograms.short_time import ShortTimeTransformer
from skperceptual.utils._sklearn import Interval, StrOptions
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.validation import Batch

# A peak this far above full scale is no loud recording but a wrong scale.
_BEYOND_FULL_SCALE = 2.0
# Empty filters that a warning names one by one.
_MOST_LISTED = 20


class MelSpectrogram(ShortTimeTransformer):
    """Mel spectrogram of signals, scaled for image metrics, with a way back.

    Frames, padding, windows and filters are librosa's. Everything is computed in double precision
    (single on Apple's GPU, which has no other) and returned in the precision of the signals.

    Parameters
    ----------
    sr : float, default=16000
        Sampling rate of the signals in Hz.
    n_fft : int, default=1024
        Length of a frame and of its Fourier transform in samples.
    hop_length : int, default=260
        Distance between frames in samples.
    win_length : int, default=None
        Length of the window, which zeros on both sides fill up to ``n_fft``; None means
        ``n_fft``.
    window : str or tuple, default="hann"
        Window, periodic, as :func:`scipy.signal.get_window` names it.
    center : bool, default=False
        Pad the clip by ``n_fft // 2`` samples on both sides, so that frame ``t`` is centred on
        sample ``t * hop_length``, for ``1 + n_times // hop_length`` frames (of even length).
        Otherwise it starts there, for ``1 + (n_times - n_fft) // hop_length`` frames, and a clip
        needs ``n_fft`` samples at least.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}, default="constant"
        How to pad, as :func:`numpy.pad` names it; ``"constant"`` pads with zeros.
    n_mels : int, default=256
        Number of bands.
    fmin : float, default=0.0
        Lowest corner of the filters in Hz.
    fmax : float, default=None
        Highest corner of the filters in Hz; None means half the sampling rate.
    htk : bool, default=False
        Use the HTK mel scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        ``"slaney"`` gives every triangular filter the area 1, None the height 1.
    power : float, default=1.0
        Exponent of the magnitude, before the bands are formed: 1 for magnitude, 2 for power.
    scale : {"log01", "log", "db"} or None, default="log01"
        What becomes of the bands ``S``. ``"log01"``: ``ln(S + eps)``, mapped linearly from
        ``data_range`` to [0, 1] and clipped. ``"log"``: ``ln(S + eps)``. ``"db"``: decibels as
        :func:`librosa.power_to_db` gives them for power 2 and :func:`librosa.amplitude_to_db`
        for power 1, re 1, no lower than -100 and than ``top_db`` below the clip's own maximum.
        None: ``S``.
    eps : float, default=1e-3
        The floor of ``"log"`` and ``"log01"``.
    data_range : (float, float), default=None
        The natural logarithms that ``"log01"`` maps to 0 and 1. None means silence and the
        largest value that a full-scale sine gives; see :meth:`log_range`.
    top_db : float, default=80.0
        The dynamic range of ``"db"``; None leaves all of it.
    n_iter : int, default=32
        Iterations of the Griffin-Lim algorithm in ``inverse_transform``.
    momentum : float, default=0.99
        Its momentum, in [0, 1]; 0 gives the original algorithm.
    random_state : int, RandomState instance or None, default=None
        Its initial phase; an integer gives the same signals every time.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.

    See Also
    --------
    Spectrogram : The linear frequency axis.
    skperceptual.functional.mel_spectrogram : The bands as a function, differentiable.
    skperceptual.functional.mel_to_spectrogram : The first step of ``inverse_transform``.

    Notes
    -----
    Images have ``n_mels`` rows, low frequencies first. A clip of a single frame gives an image of
    one column, which metrics with a window or a pyramid refuse.

    On a CPU and with ``n_fft`` a power of two, 16 at least, one compiled function computes an image
    from a clip, and clips run side by side. Elsewhere torch computes it.

    ``"log01"`` never looks at the data: the same clip gives the same image in every batch, and a
    quieter version of a clip a darker image. A square wave or loud noise at full scale can exceed
    a sine in one band, and is clipped to 1 there.

    The settings of two papers: [1]_ resamples to 16050 Hz and uses ``sr=16050, n_fft=2048,
    hop_length=64, n_mels=512``, which gives 512 x 1024 values for 67520 to 67583 samples (4.208 s
    are 67538), or for 65472 to 65535 with ``center=True``; [2]_ uses ``n_fft=1024,
    hop_length=260, n_mels=256, htk=True, norm=None`` at 16000 Hz, which gives 256 x 256 values
    for 4.208 s, and whose lowest filter is empty.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023.
    .. [2] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "Data is overrated:
       perceptual metrics can lead learning in the absence of training data", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import MelSpectrogram
    >>> time = np.arange(67328) / 16000
    >>> signals = np.stack([np.sin(2 * np.pi * f * time) for f in (440.0, 4400.0)])
    >>> images = MelSpectrogram(sr=16000).fit_transform(signals)
    >>> images.shape
    (2, 256, 256)
    >>> bands = images[:, :, 100].argmax(axis=1)
    >>> MelSpectrogram(sr=16000).band_frequencies()[bands].round()
    array([ 434., 4421.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ShortTimeTransformer._parameter_constraints,
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "htk": ["boolean"],
        "norm": [StrOptions({"slaney"}), None],
        "power": [Interval(Real, 0, None, closed="neither")],
        "scale": [StrOptions({"log", "db", "log01"}), None],
        "data_range": [tuple, list, None],
    }

    def __init__(
        self,
        *,
        sr: float = 16000,
        n_fft: int = 1024,
        hop_length: int = 260,
        win_length: int | None = None,
        window: str | tuple[Any, ...] = "hann",
        center: bool = False,
        pad_mode: str = "constant",
        n_mels: int = 256,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
        norm: str | None = "slaney",
        power: float = 1.0,
        scale: str | None = "log01",
        eps: float = 1e-3,
        data_range: tuple[float, float] | None = None,
        top_db: float | None = 80.0,
        n_iter: int = 32,
        momentum: float = 0.99,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
    ) -> None:
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.norm = norm
        self.power = power
        self.scale = scale
        self.eps = eps
        self.data_range = data_range
        self.top_db = top_db
        self.n_iter = n_iter
        self.momentum = momentum
        self.random_state = random_state
        self.device = device

    def band_frequencies(self) -> NDArray[np.float64]:
        """Give the centre frequency of each row of an image.

        Returns
        -------
        ndarray of shape (n_mels,)
            Frequencies in Hz, equally spaced in mels.
        """
        return mel_edges(
            sr=self.sr, n_mels=self.n_mels, fmin=self.fmin, fmax=self.fmax, htk=self.htk
        )[1:-1]

    def log_range(self) -> tuple[float, float]:
        """Give the natural logarithms that ``scale="log01"`` maps to 0 and 1.

        ``data_range`` or, where that is None, ``(ln eps, ln(eps + peak))``, where ``peak`` is the
        largest value that a full-scale sine of any frequency puts into any band; see
        :func:`skperceptual.functional.full_scale_peak`.

        Returns
        -------
        (float, float)
            The range, from the parameters alone.
        """
        if self.data_range is None:
            peak = full_scale_peak(
                **self._filter_parameters(),
                n_mels=self.n_mels,
                win_length=self.win_length,
                window=self.window,
                power=self.power,
            )
            return math.log(self.eps), math.log(self.eps + peak)
        if len(self.data_range) != 2 or not self.data_range[0] < self.data_range[1]:
            raise ValueError(
                f"Expected data_range=(low, high), natural logarithms with low < high, got "
                f"{self.data_range!r}."
            )
        return float(self.data_range[0]), float(self.data_range[1])

    def _filter_parameters(self) -> dict[str, Any]:
        return {
            "sr": self.sr,
            "n_fft": self.n_fft,
            "fmin": self.fmin,
            "fmax": self.fmax,
            "htk": self.htk,
            "norm": self.norm,
        }

    def _releases_gil(self, batch: Batch) -> bool:
        return self._is_compiled()

    def _is_compiled(self) -> bool:
        smallest = {"log": self.eps, "log01": self.eps, "db": quietest(self.power), None: 1.0}
        on_cpu = resolve_device(self.device).type == "cpu"
        return on_cpu and is_compiled(self.n_fft, smallest[self.scale])

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        self._report_empty_filters()
        if not self._is_compiled():
            return super()._prepare()
        compute = compiled_mel_spectrogram(
            frames=self._frame_parameters(),
            filters={**self._filter_parameters(), "n_mels": self.n_mels},
            power=self.power,
            scaling=scaling_of(
                self.scale, power=self.power, eps=self.eps, data_range=self._range_in_use()
            ),
        )
        if self.scale != "db" or self.top_db is None:
            return lambda clip: compute(clip, clip.dtype.type)

        def to_decibel_image(clip: NDArray) -> NDArray:
            # The maximum in double precision too, and only the result rounded.
            image = compute(clip, np.float64)
            return np.maximum(image, image.max() - self.top_db).astype(clip.dtype)

        return to_decibel_image

    def _range_in_use(self) -> tuple[float, float]:
        """Give the range of ``"log01"``, which other scales do without."""
        return self.log_range() if self.scale == "log01" else (0.0, 1.0)

    def _image_function(self) -> Callable[[Tensor], Tensor]:
        parameters = {
            **self._frame_parameters(),
            **self._filter_parameters(),
            "n_mels": self.n_mels,
            "power": self.power,
        }
        data_range = self._range_in_use()

        def to_image(signal: Tensor) -> Tensor:
            bands = mel_spectrogram(signal, **parameters)
            if self.scale == "log01":
                return to_log01(bands, data_range=data_range, eps=self.eps)
            if self.scale == "log":
                return to_log(bands, eps=self.eps)
            if self.scale == "db":
                return to_decibels(bands, power=self.power, top_db=self.top_db)
            return bands

        return to_image

    def _magnitude_function(self) -> Callable[[Tensor], Tensor]:
        filters = self._filter_parameters()
        to_bands = {
            None: lambda image: image.clamp(min=0.0),
            "log": lambda image: from_log(image, eps=self.eps),
            "log01": lambda image: from_log01(image, data_range=self.log_range(), eps=self.eps),
            "db": lambda image: from_decibels(image, power=self.power),
        }[self.scale]
        return lambda image: mel_to_spectrogram(to_bands(image), **filters) ** (1 / self.power)

    def _validate_signals(self, X: Any, *, reset: bool) -> Batch:
        batch = super()._validate_signals(X, reset=reset)
        if self.scale == "log01" and not reset:
            _warn_beyond_full_scale(batch)
        return batch

    def _report_empty_filters(self) -> None:
        (filters, _), _ = nonzero_weights(**self._filter_parameters(), n_mels=self.n_mels)
        empty = np.flatnonzero(np.bincount(filters, minlength=self.n_mels) == 0)
        if not empty.size:
            return
        if empty.size == self.n_mels:
            raise ValueError(
                f"No mel filter holds a bin of the Fourier transform, whose bins are "
                f"{self.sr / self.n_fft:g} Hz apart. Raise n_fft, or widen fmin to fmax."
            )
        centers = self.band_frequencies()
        listed = ", ".join(f"{row} ({centers[row]:.1f} Hz)" for row in empty[:_MOST_LISTED])
        more = ", ..." if empty.size > _MOST_LISTED else ""
        warnings.warn(
            f"{empty.size} of {self.n_mels} mel filters hold no bin of the Fourier transform, so "
            f"that their rows say nothing: filter {listed}{more}. Raise n_fft or fmin, lower "
            "n_mels, or use htk=False.",
            UserWarning,
            stacklevel=5,
        )


def _warn_beyond_full_scale(batch: Batch) -> None:
    parts = (part for clip in batch for part in (clip if isinstance(clip, tuple) else (clip,)))
    peak = max(max(part.max(), -part.min()) for part in parts)
    if peak > _BEYOND_FULL_SCALE:
        warnings.warn(
            f"The largest sample is {peak:.4g}, where full scale is 1: scale='log01' clips what is "
            "louder than a full-scale sine. Divide PCM values by their full scale, or put "
            "Normalize() first.",
            UserWarning,
            stacklevel=5,
        )
