"""Quantisation of latent values, soft enough for gradients or hard as a bit, and what it costs.

The soft assignment is equation 1 of "Data is overrated", the entropy bound its equation 2.

References
----------
.. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "Data is overrated:
   perceptual metrics can lead learning in the absence of training data", 2023.
.. [2] E. Agustsson, M. Tschannen, F. Mentzer, R. Timofte, L. Van Gool, "Generative adversarial
   networks for extreme learned image compression", ICCV 2019.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

QUANTIZATIONS = ("soft", "hard", "ste")


def quantize(
    z: Tensor,
    *,
    centers: Sequence[float] = (-1.0, 1.0),
    scale: float = 10.0,
    quantization: str = "soft",
) -> Tensor:
    """Draw values towards a few centres.

    Parameters
    ----------
    z : Tensor
        Values of any shape.
    centers : sequence of float, default=(-1.0, 1.0)
        The centres, in rising order.
    scale : float, default=10.0
        How sharply the soft assignment decides, s in equation 1 of [1]_.
    quantization : {"soft", "hard", "ste"}, default="soft"
        ``"soft"`` is equation 1: the mean of the centres, weighted by
        ``softmax(-scale * (z - center)**2)``. Values between two centres pass through, so an
        entropy in bits is not yet bounded by it. ``"hard"`` takes the nearest centre, the upper
        one of two equally near, and has gradient 0. ``"ste"`` has the values of ``"hard"`` and
        the gradient of ``"soft"``, as in [2]_.

    Returns
    -------
    Tensor
        The quantised values, in the shape of ``z``.

    Raises
    ------
    ValueError
        When the quantisation is unknown, or the centres are not in rising order.

    Notes
    -----
    With the centres -1 and 1 the soft assignment is ``tanh(2 * scale * z)``.

    References
    ----------
    .. [1] T. Namgyal et al., "Data is overrated: perceptual metrics can lead learning in the
       absence of training data", 2023, equation 1.
    .. [2] E. Agustsson et al., "Generative adversarial networks for extreme learned image
       compression", ICCV 2019.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import quantize
    >>> z = torch.tensor([-0.5, 0.0, 0.02])
    >>> quantize(z)
    tensor([-1.0000,  0.0000,  0.3799])
    >>> quantize(z, quantization="hard")
    tensor([-1.,  1.,  1.])
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"quantization={quantization!r} is unknown. Use one of {', '.join(QUANTIZATIONS)}."
        )
    if quantization == "hard":
        return from_codes(to_codes(z, centers=centers), centers=centers, dtype=z.dtype)
    soft = _soft(z, check_centers(centers), scale)
    if quantization == "soft":
        return soft
    hard = from_codes(to_codes(z.detach(), centers=centers), centers=centers, dtype=z.dtype)
    return hard + (soft - soft.detach())


def _soft(z: Tensor, centers: tuple[float, ...], scale: float) -> Tensor:
    # Squares are expanded around the middle of the centres and what they share is left out: it
    # cancels in the softmax, but not in its rounding.
    middle = (centers[0] + centers[-1]) / 2
    offsets = [center - middle for center in centers]
    nearest = min(offset**2 for offset in offsets)
    centered = z - middle
    exponents = torch.stack(
        [2 * scale * offset * centered - scale * (offset**2 - nearest) for offset in offsets]
    )
    weights = torch.softmax(exponents, dim=0)
    return sum(
        (weight * center for weight, center in zip(weights, centers, strict=True)),
        start=torch.zeros_like(z),
    )


def to_codes(z: Tensor, *, centers: Sequence[float] = (-1.0, 1.0)) -> Tensor:
    """Number the nearest centre of each value.

    Parameters
    ----------
    z : Tensor
        Values of any shape.
    centers : sequence of float, default=(-1.0, 1.0)
        The centres, in rising order, 127 at most.

    Returns
    -------
    Tensor of int8
        From 0 for the lowest centre; the upper one of two equally near.

    Raises
    ------
    ValueError
        When the centres are not in rising order, or too many.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import to_codes
    >>> to_codes(torch.tensor([-3.0, 0.0, 0.4]), centers=(-1, 0, 1))
    tensor([0, 1, 1], dtype=torch.int8)
    """
    checked = check_centers(centers)
    middles = [(low + high) / 2 for low, high in itertools.pairwise(checked)]
    borders = torch.tensor(middles, dtype=z.dtype, device=z.device)
    return torch.bucketize(z.contiguous(), borders, right=True).to(torch.int8)


def from_codes(
    codes: Tensor,
    *,
    centers: Sequence[float] = (-1.0, 1.0),
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Give the centres that :func:`to_codes` numbered.

    Parameters
    ----------
    codes : Tensor of integers
        Numbers of centres.
    centers : sequence of float, default=(-1.0, 1.0)
        The centres, in rising order.
    dtype : torch.dtype, default=torch.float32
        The type of the result.

    Returns
    -------
    Tensor
        The centres, in the shape of ``codes``.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import from_codes
    >>> from_codes(torch.tensor([0, 1], dtype=torch.int8))
    tensor([-1.,  1.])
    """
    values = torch.tensor(check_centers(centers), dtype=dtype, device=codes.device)
    return values[codes.long()]


def check_centers(centers: Sequence[float]) -> tuple[float, ...]:
    """Refuse centres that are not 1 to 127 finite numbers in rising order."""
    checked = tuple(float(center) for center in centers)
    rising = all(low < high for low, high in itertools.pairwise(checked))
    if not (1 <= len(checked) <= 127 and rising and all(map(math.isfinite, checked))):
        raise ValueError(
            "centers should be finite numbers in rising order, 127 at most so that their numbers "
            f"fit into int8; got {tuple(centers)!r}."
        )
    return checked


def max_entropy_bits(
    *, n_bands: int, n_frames: int, n_layers: int, n_filters: int, n_centers: int
) -> float:
    """Give the largest entropy that the codes of one image can have, equation 2 of [1]_.

    Parameters
    ----------
    n_bands, n_frames : int
        Height and width of the image; rounded up to multiples of ``2**n_layers``.
    n_layers : int
        How often the encoder halves the image.
    n_filters : int
        Number of channels of the codes.
    n_centers : int
        Number of values that a code can take.

    Returns
    -------
    float
        Bits. It bounds hard codes; softly quantised values lie between centres and carry more.

    References
    ----------
    .. [1] T. Namgyal et al., "Data is overrated: perceptual metrics can lead learning in the
       absence of training data", 2023, equation 2.

    Examples
    --------
    >>> from skperceptual.functional import max_entropy_bits
    >>> max_entropy_bits(n_bands=256, n_frames=256, n_layers=4, n_filters=128, n_centers=2)
    32768.0
    """
    block = 2**n_layers
    n_codes = math.ceil(n_bands / block) * math.ceil(n_frames / block) * n_filters
    return n_codes * math.log2(n_centers)
