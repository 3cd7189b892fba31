"""The log-spectral distance of two spectrograms."""

from __future__ import annotations

import math

from torch import Tensor

from skperceptual.functional._pairs import check_image_pair
from skperceptual.functional.nlpd import safe_power
from skperceptual.functional.reduction import stable_mean

_DECIBELS_PER_NEPER = 20 / math.log(10)


def log_spectral_distance(
    reference: Tensor, degraded: Tensor, *, remove_level: bool = False
) -> Tensor:
    """Average over frames how far two log-magnitude spectrograms are apart, in decibels.

    In each frame it is the root mean square over bands of the difference [1]_.

    Parameters
    ----------
    reference, degraded : Tensor of shape (..., n_bands, n_frames)
        Natural logarithms of magnitudes, as ``Spectrogram(output="log")`` gives them.
    remove_level : bool, default=False
        Whether to disregard by what gain the two differ as a whole: the mean of their difference.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, 0 for identical images.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When the shapes differ or are not those of images.

    References
    ----------
    .. [1] A. Gray, J. Markel, "Distance measures for speech processing", IEEE Transactions on
       Acoustics, Speech, and Signal Processing 24(5), 380-391, 1976.

    Examples
    --------
    Twice the amplitude everywhere:

    >>> import torch
    >>> from skperceptual.functional import log_spectral_distance
    >>> louder = torch.full((8, 5), 2.0).log()
    >>> log_spectral_distance(torch.zeros(8, 5), louder)
    tensor(6.0206)
    """
    check_image_pair(reference, degraded)
    difference = degraded - reference
    if remove_level:
        level = stable_mean(stable_mean(difference))
        difference = difference - level[..., None, None]
    by_frame = stable_mean(difference.square().transpose(-2, -1))
    return _DECIBELS_PER_NEPER * stable_mean(safe_power(by_frame, 0.5))
