"""What a mask is made of: where a search for one begins, and what it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from skperceptual.functional.masks import smooth_masks

STARTS = ("blocks", "grid", "random", "flat")

# Of the largest gain: beyond, its hyperbolic tangent hardly moves.
_FARTHEST = 0.95


def whole_pair(name: str, value: Sequence[int], *, ordered: bool = False) -> tuple[int, int]:
    """Check a parameter that is two whole numbers of at least 1, perhaps the smaller one first."""
    pair = tuple(value)
    whole = all(isinstance(number, Integral) and number >= 1 for number in pair)
    if len(pair) != 2 or not whole or (ordered and pair[0] > pair[1]):
        order = ", the smaller one first" if ordered else ""
        raise ValueError(f"{name}={value!r} should be two integers of at least 1{order}.")
    return int(pair[0]), int(pair[1])


def real_pair(name: str, value: Sequence[float]) -> tuple[float, float]:
    """Check a parameter that is two numbers that are not negative."""
    pair = tuple(value)
    if len(pair) != 2 or not all(isinstance(n, Real) and float(n) >= 0 for n in pair):
        raise ValueError(f"{name}={value!r} should be two numbers of at least 0.")
    return float(pair[0]), float(pair[1])


@dataclass(frozen=True)
class MaskShape:
    """How a mask comes from the numbers that the search moves.

    Parameters
    ----------
    init : {"blocks", "grid", "random", "flat"}
        Where the search begins.
    max_gain : float
        Largest gain or cut, as a natural logarithm.
    start_gain : float
        Largest gain or cut of a block, as a natural logarithm.
    n_blocks : int
        Number of blocks.
    block_bands, block_frames : (int, int)
        Least and largest height and width of a block.
    cell : (int, int)
        Bands and frames of a cell of the grid.
    smoothing : (float, float)
        Standard deviations, in bands and frames, of the Gaussian that averages blocks.
    """

    init: str
    max_gain: float
    start_gain: float
    n_blocks: int
    block_bands: tuple[int, int]
    block_frames: tuple[int, int]
    cell: tuple[int, int]
    smoothing: tuple[float, float]

    def start(self, shape: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float32]:
        """Draw the numbers that the search for one mask begins with."""
        if self.init == "grid":
            sizes = zip(shape, self.cell, strict=True)
            return np.zeros([-(-side // cell) + 1 for side, cell in sizes], dtype=np.float32)
        if self.init == "flat":
            return np.zeros(shape, dtype=np.float32)
        if self.init == "random":
            # Of the energy of a block
            gains = self.start_gain / np.sqrt(3) * generator.standard_normal(shape)
        else:
            gains = self._draw_blocks(shape, generator)
        inside = np.clip(gains / self.max_gain, -_FARTHEST, _FARTHEST)
        return np.arctanh(inside).astype(np.float32)

    def unsmoothed(self, numbers: Tensor, shape: tuple[int, int]) -> Tensor:
        """Make masks of the numbers, (n, ...), before any smoothing."""
        gains = self.max_gain * torch.tanh(numbers)
        if self.init != "grid":
            return gains
        return functional.interpolate(
            gains[:, None], size=shape, mode="bilinear", align_corners=True
        )[:, 0]

    def finish(self, unsmoothed: Tensor) -> Tensor:
        """Smooth what was made of blocks."""
        return smooth_masks(unsmoothed, self.smoothing) if self.init == "blocks" else unsmoothed

    def _draw_blocks(
        self, shape: tuple[int, int], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Stick notes on a spectrogram, one over the other."""
        gains = np.zeros(shape)
        for _ in range(self.n_blocks):
            window = []
            for side, (least, most) in zip(
                shape, (self.block_bands, self.block_frames), strict=True
            ):
                length = min(int(generator.integers(least, most, endpoint=True)), side)
                start = int(generator.integers(side - length, endpoint=True))
                window.append(slice(start, start + length))
            gains[tuple(window)] += generator.uniform(-self.start_gain, self.start_gain)
        return gains
