"""What OpenL3 sees of a signal: windows of a second, each as an image in decibels.

Published versions disagree about the image, by more than most degradations change it. The weights
were trained on that of kapre 0.1 (OpenL3 0.1 to 0.3); OpenL3 0.4 computes another one.

References
----------
.. [1] J. Cramer, H.-H. Wu, J. Salamon, J. P. Bello, "Look, listen, and learn more: design choices
   for deep audio embeddings", ICASSP 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor

from skperceptual.functional.spectrogram import mel_spectrogram, spectrogram

OPENL3_SR = 48000
OPENL3_SAMPLES = 48000
OPENL3_FRONTENDS = ("kapre-0.1", "openl3-0.4")
# Bands of each representation.
OPENL3_BANDS = {"linear": 257, "mel128": 128, "mel256": 256}

_HOP_LENGTH = 242
_LINEAR_N_FFT, _MEL_N_FFT = 512, 2048
_DYNAMIC_RANGE_DB = 80.0
_SMALLEST = 1e-10


def openl3_windows(signals: Tensor, *, hop_seconds: float = 0.1, center: bool = True) -> Tensor:
    """Cut signals into the windows of OpenL3, one second each.

    Parameters
    ----------
    signals : Tensor of shape (..., n_times)
        Signals at 48 kHz, of any length.
    hop_seconds : float, default=0.1
        Distance between windows, cut to whole samples as OpenL3 does it.
    center : bool, default=True
        Put half a second of zeros in front, so that window ``k`` is centred on ``k`` times the
        hop. Otherwise it starts there.

    Returns
    -------
    Tensor of shape (..., n_windows, 48000)
        A view of the padded signals: zeros at the end fill the last window.

    Raises
    ------
    ValueError
        When the signals are empty, or the hop is less than a sample.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import openl3_windows
    >>> openl3_windows(torch.zeros(2, 96000)).shape
    torch.Size([2, 16, 48000])
    """
    hop = int(hop_seconds * OPENL3_SR)
    if hop < 1:
        raise ValueError(f"hop_seconds={hop_seconds} is less than one sample at {OPENL3_SR} Hz.")
    if signals.shape[-1] == 0:
        raise ValueError("Expected signals of at least one sample, got none.")
    before = OPENL3_SAMPLES // 2 if center else 0
    n_times = signals.shape[-1] + before
    missing = OPENL3_SAMPLES - n_times
    after = missing if missing > 0 else missing % hop
    return torch.nn.functional.pad(signals, (before, after)).unfold(-1, OPENL3_SAMPLES, hop)


def openl3_spectrogram(
    windows: Tensor, *, input_repr: str = "mel256", frontend: str = "kapre-0.1"
) -> Tensor:
    """Turn windows into the images that OpenL3 reads.

    With ``|X|`` the magnitude of the short-time Fourier transform and ``M`` the mel filters, a
    linear image has ``|X|``, of frames of 512 samples without padding. A mel image, of frames of
    2048, has ``sqrt(M |X|**2)`` with the HTK scale and padding on both sides in ``"kapre-0.1"``,
    and ``M |X|`` with Slaney's scale and padding at the end in ``"openl3-0.4"``. Filters have
    area 1, and frames are 242 samples apart. Values become ``10 log10``, relative to the largest
    of the window and no less than -80.

    Parameters
    ----------
    windows : Tensor of shape (..., 48000)
        Windows; see :func:`openl3_windows`.
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        Linear frequency axis, or 128 or 256 mel bands.
    frontend : {"kapre-0.1", "openl3-0.4"}, default="kapre-0.1"
        What the weights were trained on, or what OpenL3 computes since its version 0.4. The same
        for ``"linear"``.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        Decibels from -80 to 0: 257 x 197, 128 x 199 or 256 x 199.

    Raises
    ------
    ValueError
        For a representation or front end that is not known.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import openl3_spectrogram
    >>> noise = torch.randn(2, 48000, generator=torch.Generator().manual_seed(0))
    >>> openl3_spectrogram(noise, input_repr="mel128").shape
    torch.Size([2, 128, 199])
    """
    if input_repr not in OPENL3_BANDS or frontend not in OPENL3_FRONTENDS:
        raise ValueError(
            f"Expected input_repr to be one of {', '.join(map(repr, OPENL3_BANDS))} and frontend "
            f"one of {', '.join(map(repr, OPENL3_FRONTENDS))}; got {input_repr!r} and "
            f"{frontend!r}."
        )
    if input_repr == "linear":
        squared = spectrogram(windows, n_fft=_LINEAR_N_FFT, hop_length=_HOP_LENGTH, power=2.0)
        return _relative_decibels(_decibels_of_root(squared))
    n_frames = -(-windows.shape[-1] // _HOP_LENGTH)
    padding = (n_frames - 1) * _HOP_LENGTH + _MEL_N_FFT - windows.shape[-1]
    is_first = frontend == "kapre-0.1"
    left = padding // 2 if is_first else 0
    bands = mel_spectrogram(
        torch.nn.functional.pad(windows, (left, padding - left)),
        sr=OPENL3_SR,
        n_fft=_MEL_N_FFT,
        hop_length=_HOP_LENGTH,
        n_mels=OPENL3_BANDS[input_repr],
        htk=is_first,
        power=2.0 if is_first else 1.0,
    )
    if is_first:
        return _relative_decibels(_decibels_of_root(bands))
    return _relative_decibels(10.0 * bands.clamp(min=_SMALLEST).log10())


def _decibels_of_root(squared: Tensor) -> Tensor:
    # Of the root, without computing it: its slope would be infinite at 0.
    return 5.0 * squared.clamp(min=_SMALLEST**2).log10()


def _relative_decibels(decibels: Tensor) -> Tensor:
    relative = decibels - decibels.amax(dim=(-2, -1), keepdim=True)
    return relative.clamp(min=-_DYNAMIC_RANGE_DB)
