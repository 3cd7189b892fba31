"""The Laplacian pyramid in the three forms that published NLPD code uses.

Every form halves an image with the five-tap filter of Burt and Adelson and subtracts what the
coarse image predicts of the fine one. They differ in the borders, in how the coarse image is
enlarged, in what happens to the last low-pass image, and in the units of the input:

``"laparra2016"``
    The authors' own code [1]_: symmetric border, polyphase expansion with the coarse edge
    repeated, the low-pass residual as the last level. Runs from 8x8.
``"laparra2017"``
    The perceptually optimised rendering form [2]_: images in [0, 1] are shown on a display of
    5 to 180 cd/m2 with gamma 2.4 and compressed by the exponent 1/2.6, reflected border, the
    residual as the last level.
``"hepburn"``
    The torch class of the audio papers' co-author [3]_: reflected border, bilinear enlargement
    followed by the same filter, and no residual, so that a constant offset is invisible.

References
----------
.. [1] V. Laparra, J. Ballé, A. Berardino, E. P. Simoncelli, "Perceptual image quality assessment
   using a normalized Laplacian pyramid", Electronic Imaging 2016(16), 1-6.
.. [2] V. Laparra, A. Berardino, J. Ballé, E. P. Simoncelli, "Perceptually optimized image
   rendering", JOSA A 34(9), 1511-1525, 2017.
.. [3] A. Hepburn, "Normalised Laplacian pyramid", 2020, software.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CONVENTIONS = ("laparra2016", "laparra2017", "hepburn")

# Burt & Adelson (1983) with a = 0.4.
_TAPS = (0.05, 0.25, 0.4, 0.25, 0.05)

# The display of "laparra2017": luminance = 175 x**2.4 + 5 cd/m2, response = luminance**(1/2.6).
_LUMINANCE_RANGE, _LUMINANCE_BLACK, _DISPLAY_GAMMA, _RESPONSE_EXPONENT = 175.0, 5.0, 2.4, 1 / 2.6

_ADVICE = "Use fewer levels or convention='laparra2016', which runs from 8x8."

# A little below black is noise on an image in [0, 1]; this far below, it is no such image.
_DARKEST = -1.0


def minimum_side(n_levels: int, convention: str = "laparra2016") -> int:
    """Give the smallest number of bands and frames that a pyramid can be built on.

    Parameters
    ----------
    n_levels : int
        Number of levels.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid.

    Returns
    -------
    int
        8 for ``"laparra2016"``; ``2**n_levels + 1`` for the two with a reflected border, from
        which their published code runs.

    Examples
    --------
    >>> from skperceptual.functional import minimum_side
    >>> minimum_side(6), minimum_side(6, "hepburn")
    (8, 65)
    """
    return 8 if convention == "laparra2016" else 2**n_levels + 1


def laplacian_pyramid(
    images: Tensor, n_levels: int = 6, *, convention: str = "laparra2016"
) -> list[Tensor]:
    """Split images into band-pass levels, the finest first.

    Parameters
    ----------
    images : Tensor of shape (..., n_bands, n_frames)
        Images in [0, 1], floating point.
    n_levels : int, default=6
        Number of levels, the low-pass residual included where the convention keeps it.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid; see :mod:`skperceptual.functional.pyramid`.

    Returns
    -------
    list of Tensor
        ``n_levels`` tensors; both sides of level k + 1 are half of level k's, rounded up.

    Raises
    ------
    ValueError
        When the convention is unknown or the images are smaller than :func:`minimum_side`.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import laplacian_pyramid
    >>> [tuple(level.shape) for level in laplacian_pyramid(torch.rand(1, 20, 33), 3)]
    [(1, 20, 33), (1, 10, 17), (1, 5, 9)]
    """
    _check_convention(convention)
    side = minimum_side(n_levels, convention)
    if min(images.shape[-2:]) < side:
        raise ValueError(
            f"Images of {images.shape[-2]} bands and {images.shape[-1]} frames are too small: "
            f"convention={convention!r} with n_levels={n_levels} needs at least {side} of each. "
            f"{'Use larger images.' if convention == 'laparra2016' else _ADVICE}"
        )
    if convention == "laparra2017":
        if images.min() < _DARKEST:
            raise ValueError(
                f"convention='laparra2017' shows images in [0, 1] on a display, got values down "
                f"to {images.min().item():.3g}. Use MelSpectrogram(scale='log01') or scale them."
            )
        images = _luminance_response(images)
    levels = []
    n_reductions = n_levels if convention == "hepburn" else n_levels - 1
    for _ in range(n_reductions):
        coarse = _reduce(images, convention)
        levels.append(images - _expand(coarse, images.shape[-2:], convention))
        images = coarse
    if convention != "hepburn":
        levels.append(images)
    return levels


def invert_laplacian_pyramid(levels: list[Tensor], *, convention: str = "laparra2016") -> Tensor:
    """Put the levels of a pyramid together again.

    Parameters
    ----------
    levels : list of Tensor
        What :func:`laplacian_pyramid` gave.
    convention : {"laparra2016", "laparra2017"}, default="laparra2016"
        Form of the pyramid.

    Returns
    -------
    Tensor of shape (..., n_bands, n_frames)
        The images, exact up to rounding; for ``"laparra2017"`` rounding near black is amplified
        by the display's inverse gamma.

    Raises
    ------
    ValueError
        For ``"hepburn"``, which throws the low-pass residual away.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import invert_laplacian_pyramid, laplacian_pyramid
    >>> images = torch.rand(2, 16, 16, dtype=torch.float64)
    >>> torch.allclose(invert_laplacian_pyramid(laplacian_pyramid(images)), images)
    True
    """
    _check_convention(convention)
    if convention == "hepburn":
        raise ValueError(
            "convention='hepburn' discards the low-pass residual, so its pyramid has no inverse. "
            "Use convention='laparra2016'."
        )
    images = levels[-1]
    for band in reversed(levels[:-1]):
        images = band + _expand(images, band.shape[-2:], convention)
    if convention == "laparra2017":
        luminance = images.clamp(min=0) ** (1 / _RESPONSE_EXPONENT)
        linear = (luminance - _LUMINANCE_BLACK).clamp(min=0) / _LUMINANCE_RANGE
        images = linear ** (1 / _DISPLAY_GAMMA)
    return images


def _check_convention(convention: str) -> None:
    if convention not in CONVENTIONS:
        raise ValueError(
            f"convention={convention!r} is unknown. Use one of {', '.join(CONVENTIONS)}."
        )


def _luminance_response(images: Tensor) -> Tensor:
    luminance = _LUMINANCE_RANGE * images.clamp(min=0) ** _DISPLAY_GAMMA + _LUMINANCE_BLACK
    return luminance**_RESPONSE_EXPONENT


def _reduce(images: Tensor, convention: str) -> Tensor:
    """Low-pass filter and keep every second sample, on both image axes."""
    for axis in (-2, -1):
        n = images.shape[axis]
        # The published torch class splits its padding as TensorFlow does: an even side keeps
        # the odd samples.
        before = 1 if convention == "hepburn" and n % 2 == 0 else 2
        mode = "symmetric" if convention == "laparra2016" else "reflect"
        padded = _pad(images, axis, before, 2, mode)
        images = _filter(padded, axis, stride=2, n_out=(n + 1) // 2)
    return images


def _expand(coarse: Tensor, shape: torch.Size, convention: str) -> Tensor:
    """Enlarge a coarse image to the size of the fine one that it predicts."""
    if convention == "hepburn":
        leading = coarse.shape[:-2]
        fine = functional.interpolate(
            coarse.reshape(-1, 1, *coarse.shape[-2:]),
            size=tuple(shape),
            mode="bilinear",
            align_corners=True,
        ).reshape(*leading, *shape)
        for axis in (-2, -1):
            fine = _filter(_pad(fine, axis, 2, 2, "reflect"), axis, stride=1, n_out=shape[axis])
        return fine
    for axis in (-2, -1):
        coarse = _expand_axis(coarse, axis, shape[axis], convention)
    return coarse


def _expand_axis(coarse: Tensor, axis: int, n: int, convention: str) -> Tensor:
    """Insert zeros at the odd samples and filter with gain 2, as its two phases."""
    m = coarse.shape[axis]
    if convention == "laparra2016":
        before, after = 0, m - 1
    else:
        before, after = 1, m - 2 if n % 2 else m - 1
    padded = torch.cat(
        [coarse.narrow(axis, before, 1), coarse, coarse.narrow(axis, after, 1)], dim=axis
    )
    left, right = padded.narrow(axis, 0, m), padded.narrow(axis, 2, m)
    even = 2 * _TAPS[0] * (left + right) + 2 * _TAPS[2] * coarse
    odd = 2 * _TAPS[1] * (coarse + right)
    axis = axis % coarse.ndim
    fine = torch.stack([even, odd], dim=axis + 1).flatten(axis, axis + 1)
    return fine.narrow(axis, 0, n)


def _pad(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    """Pad one axis; "symmetric" repeats the edge sample, "reflect" does not, as in NumPy."""
    n = x.shape[axis]
    positions = [*range(-before, 0), *range(n, n + after)]
    if mode == "symmetric":
        mirrored = [p % (2 * n) for p in positions]
        sources = [p if p < n else 2 * n - 1 - p for p in mirrored]
    else:
        sources = [abs(p) if p < n else 2 * (n - 1) - p for p in positions]
    edges = x.index_select(axis, torch.tensor(sources, device=x.device))
    return torch.cat(
        [edges.narrow(axis, 0, before), x, edges.narrow(axis, before, after)], dim=axis
    )


def _filter(padded: Tensor, axis: int, *, stride: int, n_out: int) -> Tensor:
    """Correlate one padded axis with the five taps, keeping every stride-th sample."""
    axis = axis % padded.ndim

    def shifted(start: int) -> Tensor:
        index = [slice(None)] * padded.ndim
        index[axis] = slice(start, start + stride * (n_out - 1) + 1, stride)
        return padded[tuple(index)]

    outer = _TAPS[0] * (shifted(0) + shifted(4))
    return outer + _TAPS[1] * (shifted(1) + shifted(3)) + _TAPS[2] * shifted(2)
