"""Masks on audio: magnitudes are multiplied, phases stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window
from sklearn.base import clone

from skperceptual.spectrograms import Spectrogram
from skperceptual.utils.validation import Batch, check_signals

# Of the squared windows over a sample, where most of them meet.
_LEAST_COVERAGE = 1e-3


def apply_masks(front_end: Any, X: Any, masks: Any) -> Batch:
    """Multiply the short-time Fourier transform of signals by gains, and go back.

    Parameters
    ----------
    front_end : Spectrogram
        What makes the spectrograms that the masks are for, with ``output="log"``.
    X : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
        Signals.
    masks : array of shape (n_signals, n_bands, n_frames), or list
        Natural logarithms of gains.

    Returns
    -------
    ndarray or list
        Signals of the same lengths.

    Raises
    ------
    ValueError
        When the front end is another, or a mask has another size than its spectrogram, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import Spectrogram
    >>> from skperceptual.cello.masked_audio import apply_masks
    >>> signals = np.random.default_rng(0).standard_normal((1, 1000))
    >>> louder = apply_masks(Spectrogram(), signals, np.full((1, 257, 7), np.log(2)))
    >>> bool(np.allclose(louder, 2 * signals))
    True
    """
    check_invertible(front_end)
    signals = check_signals(X, min_samples=1 if front_end.center else front_end.n_fft)
    if len(masks) != len(signals):
        raise ValueError(f"Expected {len(signals)} masks, one a signal, got {len(masks)}.")
    transform = clone(front_end).set_params(output="complex")
    equalized: list[Any] = [
        _apply_mask(transform, signal, np.asarray(mask), row)
        for row, (signal, mask) in enumerate(zip(signals, masks, strict=True))
    ]
    return np.stack(equalized) if isinstance(signals, np.ndarray) else equalized


def check_invertible(front_end: Any) -> None:
    """Check that signals come back from what a front end makes of them, but for logarithms.

    Parameters
    ----------
    front_end : transformer
        What makes the spectrograms that masks are for.

    Raises
    ------
    ValueError
        When it is no Spectrogram of logarithms, or its windows leave gaps.
    """
    if not isinstance(front_end, Spectrogram) or front_end.output != "log":
        raise ValueError(
            "Masks become audio through a Spectrogram with output='log', got "
            f"{front_end!r}. Mel bands and decibels have no way back with the phase of the input."
        )
    hop, length = front_end.hop_length, front_end.win_length or front_end.n_fft
    window = get_window(front_end.window, length)
    coverage = np.square(np.pad(window, (0, -length % hop))).reshape(-1, hop).sum(axis=0)
    if coverage.min() < _LEAST_COVERAGE * coverage.max():
        raise ValueError(
            f"hop_length={hop} leaves samples that hardly any window of {length} covers, and that "
            "do not come back. Use a hop of at most half the window."
        )


def _apply_mask(
    transform: Spectrogram, signal: NDArray[np.floating], mask: NDArray[np.floating], row: int
) -> NDArray[np.floating]:
    expected = transform.transform(signal[np.newaxis]).shape[1:]
    if mask.shape != expected:
        raise ValueError(
            f"Mask {row} has the shape {mask.shape}, but the spectrogram of signal {row} has "
            f"{expected}."
        )
    if not np.isfinite(mask).all():
        raise ValueError(f"Mask {row} contains NaN or infinity. Leave its signal out.")
    # Padded, so that as many windows cover every sample: where there is but the tail of one, a
    # gain that changes with time would be divided by next to nothing. The pads get the mask's ends.
    hop = transform.hop_length
    n_before = -(-transform.n_fft // hop)
    padded = np.pad(signal.astype(np.float64), (n_before * hop, (n_before + 1) * hop))
    coefficients = transform.transform(padded[np.newaxis])[0]
    n_after = coefficients.shape[1] - mask.shape[1] - n_before
    gains = np.exp(np.pad(mask, ((0, 0), (n_before, n_after)), mode="edge"))
    whole = transform.inverse_transform((coefficients * gains)[np.newaxis])[0]
    start = n_before * hop
    return whole[start : start + len(signal)].astype(signal.dtype)
