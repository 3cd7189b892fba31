"""What the front ends on short-time Fourier transforms share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skperceptual.base import SignalTransformer
from skperceptual.functional.spectrogram import PAD_MODES
from skperceptual.utils._sklearn import Interval, StrOptions
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import check_images, is_ragged

# Where the squared windows of all frames sum to less than this share of their maximum, at the ends
# of a clip that was not padded, an estimated signal fades out: it is divided by that sum, and what
# the frames disagree about would grow a thousandfold.
_FADE_BELOW = 0.1


class ShortTimeTransformer(SignalTransformer):
    """What the front ends on short-time Fourier transforms share.

    Frames and their times, computation in double precision on a device, and the way back from a
    magnitude to a signal. A subclass says how a signal becomes an image and how an image becomes
    the magnitude of the transform again.
    """

    sr: float
    n_fft: int
    hop_length: int
    win_length: int | None
    window: str | tuple[Any, ...]
    center: bool
    pad_mode: str
    n_iter: int
    momentum: float
    random_state: int | np.random.RandomState | None
    device: str

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sr": [Interval(Real, 0, None, closed="neither")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "window": [str, tuple],
        "center": ["boolean"],
        "pad_mode": [StrOptions(set(PAD_MODES))],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "top_db": [Interval(Real, 0, None, closed="neither"), None],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
        "device": [str],
    }

    @abstractmethod
    def _image_function(self) -> Callable[[Tensor], Tensor]:
        """Give the function from a signal to its image."""

    @abstractmethod
    def _magnitude_function(self) -> Callable[[Tensor], Tensor]:
        """Give the function from an image to the magnitude (n_fft // 2 + 1, n_frames)."""

    @abstractmethod
    def band_frequencies(self) -> NDArray[np.float64]:
        """Give the frequency of each row of an image in Hz."""

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
        first = 0.0 if self.center else self.n_fft / 2
        return (first + self.hop_length * np.arange(n_frames, dtype=np.float64)) / self.sr

    def inverse_transform(self, X: Any, phase: Any = None) -> Any:
        """Find signals whose images come close to those given.

        Images hold no phase. Without one, it is estimated by the fast Griffin-Lim algorithm [1]_
        from a random start, the same for every clip. Sample ``k`` of a result stands at sample
        ``k`` of the clip that the image was made of; the result has
        ``n_fft + hop_length * (n_frames - 1)`` samples, ``2 * (n_fft // 2)`` fewer with
        ``center=True``, so a clip may lose up to ``hop_length - 1`` samples at its end. With
        ``center=False`` it fades in and out over the few milliseconds at either end that hardly
        any window covers.

        Parameters
        ----------
        X : array or list
            Images of shape (n_images, n_bands, n_frames), pairs of images of shape
            (n_pairs, 2, n_bands, n_frames), or a list where lengths differ, as ``transform``
            gives them.
        phase : array or list, default=None
            Phase of the short-time Fourier transform with the same frames, angles in radians or
            complex numbers, of shape (..., n_fft // 2 + 1, n_frames) with the leading axes of X.
            Complex images bring their own.

        Returns
        -------
        ndarray or list
            Signals with the leading axes of X; a list for a list.

        References
        ----------
        .. [1] N. Perraudin, P. Balazs, P. L. Søndergaard, "A fast Griffin-Lim algorithm",
           WASPAA 2013.
        """
        self._validate_params()
        if is_ragged(X) and any(isinstance(item, tuple) for item in X):
            # Pairs of unequal length: the references, the degraded, and together again.
            parts = [
                self.inverse_transform(
                    [item[part] for item in X],
                    None if phase is None else [item[part] for item in phase],
                )
                for part in (0, 1)
            ]
            return list(zip(*parts, strict=True))
        images = self._validate_images(X)
        if phase is None:
            phases = [None] * len(images)
        else:
            self._check_phase(phase, images)
            phases = phase
        invert = self._inversion()
        with single_threaded():
            signals = [_map_images(invert, *item) for item in zip(images, phases, strict=True)]
        return np.stack(signals) if isinstance(images, np.ndarray) else signals

    def _min_samples(self) -> int:
        return 1 if self.center else self.n_fft

    def _frame_parameters(self) -> dict[str, Any]:
        return {
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "win_length": self.win_length,
            "window": self.window,
            "center": self.center,
            "pad_mode": self.pad_mode,
        }

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        compute = self._in_double(self._image_function())

        def transform_clip(clip: NDArray) -> NDArray:
            image = compute(clip)
            complex_type = np.result_type(clip.dtype, np.complex64)
            return image.astype(complex_type if np.iscomplexobj(image) else clip.dtype)

        return transform_clip

    def _in_double(self, function: Callable[[Tensor], Tensor]) -> Callable[[NDArray], NDArray]:
        """Run a function of tensors on arrays, in double precision where the device has it."""
        device = resolve_device(self.device)
        dtype = torch.float32 if device.type == "mps" else torch.float64

        def run(array: NDArray) -> NDArray:
            with torch.no_grad():
                result = function(
                    torch.tensor(np.ascontiguousarray(array), dtype=dtype, device=device)
                )
            return result.cpu().numpy()

        return run

    def _validate_images(self, X: Any) -> Any:
        images = check_images(X, pairs=None)
        self._check_shapes(images)
        return images

    def _check_shapes(self, images: Any) -> None:
        n_bands = len(self.band_frequencies())
        for row, image in enumerate(images):
            if image.shape[-2] != n_bands:
                raise ValueError(
                    f"Expected images of {n_bands} bands, but image {row} has "
                    f"{image.shape[-2]}. Give this step the parameters of the one that made them."
                )
            if self._n_times(image.shape[-1]) < 1:
                raise ValueError(
                    f"Image {row} has {image.shape[-1]} frame, which with center=True spans no "
                    "sample. Use a longer clip or center=False."
                )

    def _check_phase(self, phase: Any, images: Any) -> None:
        n_bins = self.n_fft // 2 + 1
        expected = [(*image.shape[:-2], n_bins, image.shape[-1]) for image in images]
        shapes = [np.shape(angles) for angles in phase]
        if shapes != expected:
            raise ValueError(
                f"Expected one phase of shape (n_fft // 2 + 1, n_frames) for each image, "
                f"{expected[0]} for the first, got {len(shapes)} of shape {shapes[0]}, for "
                f"{len(expected)} images. Take it from Spectrogram(output='complex') with the "
                "same frames."
            )

    def _n_times(self, n_frames: int) -> int:
        padding = 2 * (self.n_fft // 2) if self.center else 0
        return self.n_fft + self.hop_length * (n_frames - 1) - padding

    def _inversion(self) -> Callable[[NDArray, Any], NDArray]:
        """Give the function from one image, and its phase or None, to the signal."""
        to_magnitude = self._in_double(self._magnitude_function())
        generator = self.random_state
        if not isinstance(generator, np.random.RandomState):
            generator = np.random.RandomState(generator)
        seed = int(generator.randint(np.iinfo(np.int32).max))

        def invert(image: NDArray, phase: Any) -> NDArray:
            magnitude = to_magnitude(image).astype(np.float64)
            if phase is None:
                signal = self._griffin_lim(magnitude, seed)
            else:
                angles = np.angle(phase) if np.iscomplexobj(phase) else np.asarray(phase)
                signal = self._overlap_add(magnitude * np.exp(1j * angles))
            return (signal * self._fade(image.shape[-1])).astype(image.dtype)

        return invert

    def _griffin_lim(self, magnitude: NDArray, seed: int) -> NDArray:
        import librosa

        return librosa.griffinlim(
            magnitude,
            **self._frame_parameters(),
            n_iter=self.n_iter,
            momentum=self.momentum,
            random_state=seed,
        )

    def _overlap_add(self, coefficients: NDArray) -> NDArray:
        import librosa

        parameters = self._frame_parameters()
        del parameters["pad_mode"]
        return librosa.istft(coefficients, **parameters)

    def _fade(self, n_frames: int) -> NDArray:
        """Give a weight for each sample, below 1 where the windows leave it nearly uncovered."""
        from librosa.filters import window_sumsquare

        coverage = window_sumsquare(
            window=self.window,
            n_frames=n_frames,
            hop_length=self.hop_length,
            win_length=self.win_length,
            n_fft=self.n_fft,
            dtype=np.float64,
        )
        start = self.n_fft // 2 if self.center else 0
        covered = coverage[start : start + self._n_times(n_frames)]
        return np.minimum(covered / (_FADE_BELOW * coverage.max()), 1.0)


def _map_images(invert: Callable[[NDArray, Any], NDArray], images: Any, phase: Any) -> NDArray:
    """Apply a function of image and phase over the leading axes of both."""
    if images.ndim == 2:
        return invert(images, phase)
    phases = [None] * len(images) if phase is None else phase
    return np.stack([_map_images(invert, *item) for item in zip(images, phases, strict=True)])
