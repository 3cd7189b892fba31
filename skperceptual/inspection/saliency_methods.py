"""Ways to trace the output of an instrument network back to its input, one excerpt at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from skperceptual.networks.instrument import InstrumentNetwork

# Occluded versions of an excerpt that go through the network at once.
_AT_ONCE = 32


def activation_map(network: InstrumentNetwork, excerpt: Tensor, **others: Any) -> Tensor:
    """Give the class activation map: what each cell adds to the mean that is the output."""
    with torch.no_grad():
        return network.activation_map(excerpt)[0]


def gradient_weighted_map(
    network: InstrumentNetwork, excerpt: Tensor, *, layer: int, **others: Any
) -> Tensor:
    """Give feature maps of a block, weighted by the mean gradient of the output."""
    with torch.no_grad():
        maps = network.features(excerpt, n_blocks=layer)
    maps.requires_grad_()
    with torch.enable_grad():
        last = network.continue_from(maps, blocks=slice(layer, None))
        output = network.weigh(last).mean()
        (gradient,) = torch.autograd.grad(output, [maps])
    return (gradient.mean(dim=(-2, -1), keepdim=True) * maps.detach()).sum(dim=1)[0]


def gradient_map(network: InstrumentNetwork, excerpt: Tensor, **others: Any) -> Tensor:
    """Give the gradient of the output with respect to the spectrogram."""
    excerpt = excerpt.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(network(excerpt).sum(), [excerpt])
    return gradient[0, 0]


def occlusion_map(
    network: InstrumentNetwork, excerpt: Tensor, *, patch: tuple[int, int], **others: Any
) -> Tensor:
    """Give how far the output falls when patches are replaced by the average recording."""
    _, _, n_bands, n_frames = excerpt.shape
    windows = [
        (slice(band, band + patch[0]), slice(frame, frame + patch[1]))
        for band in _starts(n_bands, patch[0])
        for frame in _starts(n_frames, patch[1])
    ]
    total = excerpt.new_zeros(n_bands, n_frames)
    count = torch.zeros_like(total)
    with torch.no_grad():
        neutral = network.neutral(excerpt)[0, 0]
        output = network(excerpt)
        for first in range(0, len(windows), _AT_ONCE):
            chosen = windows[first : first + _AT_ONCE]
            occluded = excerpt.repeat(len(chosen), 1, 1, 1)
            for version, window in zip(occluded, chosen, strict=True):
                version[0][window] = neutral[window]
            falls = output - network(occluded)
            for window, fall in zip(chosen, falls, strict=True):
                total[window] += fall
                count[window] += 1
    return total / count


def cell_size(n: int, n_cells: int) -> int:
    """Give how many bands (or frames) pooling joined in each cell; a rest that fills none is lost.

    Pooling halves, and rounds down: the largest power of two that leaves that many cells.
    """
    return 1 << (n // n_cells).bit_length() - 1


def enlarge(saliency: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge a map of cells, bilinearly, each to where it looked at; the rest is like the last."""
    n_rows, n_columns = saliency.shape
    covered = cell_size(size[0], n_rows) * n_rows, cell_size(size[1], n_columns) * n_columns
    enlarged = functional.interpolate(
        saliency[None, None], size=covered, mode="bilinear", align_corners=False
    )
    rest = (0, size[1] - covered[1], 0, size[0] - covered[0])
    return functional.pad(enlarged, rest, mode="replicate")[0, 0]


def _starts(length: int, window: int) -> list[int]:
    """Give where windows start that overlap by half and reach the end."""
    last = max(length - window, 0)
    return sorted({*range(0, last, max(window // 2, 1)), last})


METHODS: dict[str, Callable[..., Tensor]] = {
    "cam": activation_map,
    "grad-cam": gradient_weighted_map,
    "gradient": gradient_map,
    "occlusion": occlusion_map,
}
