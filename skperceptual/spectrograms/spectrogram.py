"""The spectrogram on the linear frequency axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.functional.scaling import from_decibels, from_log, to_decibels, to_log
from skperceptual.functional.spectrogram import spectrogram, stft
from skperceptual.spectrograms.short_time import ShortTimeTransformer
from skperceptual.utils._sklearn import StrOptions
from skperceptual.utils.validation import check_images, is_ragged


class Spectrogram(ShortTimeTransformer):
    """Short-time Fourier transform of signals, with a way back.

    Frames, padding and windows are librosa's. Everything is computed in double precision (single
    on Apple's GPU, which has no other) and returned in the precision of the signals.

    Parameters
    ----------
    sr : float, default=16000
        Sampling rate of the signals in Hz; it scales :meth:`band_frequencies` and
        :meth:`frame_times`, not the values.
    n_fft : int, default=512
        Length of a frame and of its Fourier transform in samples.
    win_length : int, default=None
        Length of the window, which zeros on both sides fill up to ``n_fft``; None means
        ``n_fft``.
    hop_length : int, default=160
        Distance between frames in samples.
    window : str or tuple, default="hann"
        Window, periodic, as :func:`scipy.signal.get_window` names it.
    center : bool, default=True
        Pad the clip by ``n_fft // 2`` samples on both sides, so that frame ``t`` is centred on
        sample ``t * hop_length``, for ``1 + n_times // hop_length`` frames (of even length).
        Otherwise it starts there, for ``1 + (n_times - n_fft) // hop_length`` frames, and a clip
        needs ``n_fft`` samples at least.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}, default="constant"
        How to pad, as :func:`numpy.pad` names it; ``"constant"`` pads with zeros.
    output : {"complex", "magnitude", "power", "log", "db"}, default="log"
        The coefficients ``Z`` themselves, ``|Z|``, ``|Z|**2``, ``ln(|Z| + eps)``, or decibels
        as :func:`librosa.amplitude_to_db` gives them: ``20 log10 |Z|``, no lower than -100 and
        than ``top_db`` below the clip's maximum.
    eps : float, default=1e-3
        The floor of ``"log"``.
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
    MelSpectrogram : Mel bands, scaled for image metrics.
    skperceptual.functional.stft : The transform as a function, differentiable.

    Notes
    -----
    Images have ``n_fft // 2 + 1`` rows, low frequencies first. ``inverse_transform`` of
    ``output="complex"`` divides by the sum of the squared windows and is exact wherever a window
    covers a sample. A *modified* transform is best made with ``center=True``: without padding, the
    first and last samples are divided by the tail of a single window.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import Spectrogram
    >>> signals = np.random.default_rng(0).standard_normal((2, 16000))
    >>> front_end = Spectrogram(output="complex")
    >>> coefficients = front_end.fit_transform(signals)
    >>> coefficients.shape
    (2, 257, 101)
    >>> bool(np.allclose(front_end.inverse_transform(coefficients), signals))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ShortTimeTransformer._parameter_constraints,
        "output": [StrOptions({"complex", "magnitude", "power", "log", "db"})],
    }

    def __init__(
        self,
        *,
        sr: float = 16000,
        n_fft: int = 512,
        win_length: int | None = None,
        hop_length: int = 160,
        window: str | tuple[Any, ...] = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        output: str = "log",
        eps: float = 1e-3,
        top_db: float | None = 80.0,
        n_iter: int = 32,
        momentum: float = 0.99,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
    ) -> None:
        self.sr = sr
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.output = output
        self.eps = eps
        self.top_db = top_db
        self.n_iter = n_iter
        self.momentum = momentum
        self.random_state = random_state
        self.device = device

    def band_frequencies(self) -> NDArray[np.float64]:
        """Give the frequency of each row of an image.

        Returns
        -------
        ndarray of shape (n_fft // 2 + 1,)
            Frequencies in Hz.
        """
        return np.arange(self.n_fft // 2 + 1, dtype=np.float64) * (self.sr / self.n_fft)

    def _image_function(self) -> Callable[[Tensor], Tensor]:
        frames = self._frame_parameters()
        if self.output == "complex":
            return lambda signal: stft(signal, **frames)
        power = 2.0 if self.output == "power" else 1.0

        def to_image(signal: Tensor) -> Tensor:
            values = spectrogram(signal, **frames, power=power)
            if self.output == "log":
                return to_log(values, eps=self.eps)
            return to_decibels(values, top_db=self.top_db) if self.output == "db" else values

        return to_image

    def _magnitude_function(self) -> Callable[[Tensor], Tensor]:
        return {
            "magnitude": lambda image: image.clamp(min=0.0),
            "power": lambda image: image.clamp(min=0.0).sqrt(),
            "log": lambda image: from_log(image, eps=self.eps),
            "db": from_decibels,
        }[self.output]

    def _validate_images(self, X: Any) -> Any:
        if self.output != "complex":
            return super()._validate_images(X)
        items = X if is_ragged(X) else np.asarray(X)
        if not all(np.iscomplexobj(item) for item in items):
            raise ValueError(
                "Expected complex coefficients, as output='complex' gives them, got real "
                "numbers. Use output='magnitude' for magnitudes."
            )
        for part in (np.real, np.imag):
            self._check_shapes(
                check_images([part(x) for x in X] if items is X else part(items), pairs=None)
            )
        return items

    def _inversion(self) -> Callable[[NDArray, Any], NDArray]:
        if self.output != "complex":
            return super()._inversion()

        def invert(coefficients: NDArray, phase: Any) -> NDArray:
            if phase is not None:
                raise ValueError("Complex coefficients hold their own phase: leave phase=None.")
            single = coefficients.dtype == np.complex64
            signal = self._overlap_add(coefficients.astype(np.complex128))
            return signal.astype(np.float32 if single else np.float64)

        return invert
