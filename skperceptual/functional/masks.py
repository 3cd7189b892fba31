"""Level and masks of log-magnitude spectrograms."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

ROUGHNESSES = ("variance", "tv", "tikhonov")


def remove_level(images: Tensor, *, dynamic_range_db: float = 60.0) -> Tensor:
    """Make spectrograms relative to their own level, above a floor relative to it, too.

    A gain adds a constant to a log-magnitude spectrogram, which this takes out: the level is the
    root mean square of the magnitudes. What lies further below it than ``dynamic_range_db`` sinks
    into a floor without an edge, so that gradients pass everywhere, and so that the floor of the
    front end (``eps``) does not betray the level.

    Parameters
    ----------
    images : Tensor of shape (..., n_bands, n_frames)
        Natural logarithms of magnitudes.
    dynamic_range_db : float, default=60.0
        How far below the level the floor lies.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        Natural logarithms relative to the level.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import remove_level
    >>> image = torch.tensor([[0.0, 1.0], [2.0, -90.0]])
    >>> remove_level(image)
    tensor([[-1.3744, -0.3769],
            [ 0.6222, -6.9078]])
    >>> torch.allclose(remove_level(image + 3), remove_level(image), atol=1e-6)
    True
    """
    floor = images.new_tensor(-dynamic_range_db * math.log(10) / 20)
    return torch.logaddexp(images - image_level(images), floor)


def image_level(images: Tensor) -> Tensor:
    """Give the level of spectrograms, the logarithm of the root mean square of magnitudes.

    Parameters
    ----------
    images : Tensor of shape (..., n_bands, n_frames)
        Natural logarithms of magnitudes.

    Returns
    -------
    Tensor of shape (..., 1, 1)
        Natural logarithms.
    """
    n_values = images.shape[-2] * images.shape[-1]
    energy = torch.logsumexp(2 * images, dim=(-2, -1), keepdim=True) - math.log(n_values)
    return energy / 2


def mask_roughness(masks: Tensor, kind: str = "tv") -> Tensor:
    """Say how rough masks are that are added to log-magnitude spectrograms.

    Parameters
    ----------
    masks : Tensor of shape (..., n_bands, n_frames)
        Natural logarithms of gains.
    kind : {"variance", "tv", "tikhonov"}, default="tv"
        ``"variance"`` is that of all values, the paper's term: 0 for one gain everywhere alone,
        and blind to the order of values. ``"tv"``, the total variation, is the mean absolute
        step from band to band plus that from frame to frame; ``"tikhonov"`` takes mean squares.

    Returns
    -------
    Tensor of shape (...,)
        One value a mask.

    Raises
    ------
    ValueError
        For an unknown kind.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import mask_roughness
    >>> ramp = torch.arange(4.0).expand(4, 4)
    >>> [mask_roughness(ramp, kind).item() for kind in ("variance", "tv", "tikhonov")]
    [1.25, 1.0, 1.0]
    """
    if kind == "variance":
        return masks.var(dim=(-2, -1), correction=0)
    if kind not in ROUGHNESSES:
        raise ValueError(f"kind={kind!r} is unknown. Use one of {', '.join(ROUGHNESSES)}.")
    total = masks.new_zeros(masks.shape[:-2])
    for axis in (-2, -1):
        steps = masks.diff(dim=axis)
        if steps.numel():  # a single band or frame has no steps
            sizes = steps.abs() if kind == "tv" else steps.square()
            total = total + sizes.mean(dim=(-2, -1))
    return total


def smooth_masks(masks: Tensor, sigma: tuple[float, float]) -> Tensor:
    """Average masks with a Gaussian, repeating their edges.

    Parameters
    ----------
    masks : Tensor of shape (n_masks, n_bands, n_frames)
        Natural logarithms of gains.
    sigma : (float, float)
        Standard deviations in bands and frames; 0 averages nothing.

    Returns
    -------
    Tensor of shape (n_masks, n_bands, n_frames)
        The averages, no larger and no smaller than what is averaged.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import smooth_masks
    >>> mask = torch.zeros(1, 1, 7)
    >>> mask[0, 0, 3] = 1
    >>> smooth_masks(mask, (0.0, 1.0))
    tensor([[[0.0044, 0.0540, 0.2420, 0.3991, 0.2420, 0.0540, 0.0044]]])
    """
    smoothed = masks[:, None]
    for axis, deviation in enumerate(sigma):
        if deviation == 0:
            continue
        reach = math.ceil(3 * deviation)
        places = torch.arange(-reach, reach + 1).to(masks)
        taps = torch.exp(-0.5 * (places / deviation).square())
        shape = (1, 1, -1, 1) if axis == 0 else (1, 1, 1, -1)
        padding = (0, 0, reach, reach) if axis == 0 else (reach, reach, 0, 0)
        smoothed = functional.conv2d(
            functional.pad(smoothed, padding, mode="replicate"), (taps / taps.sum()).reshape(shape)
        )
    return smoothed[:, 0]
