"""The pyramids of many pairs, computed once for a fit that reads them hundreds of times."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skperceptual.functional.divisive_normalization import (
    normalization_border,
    pad_neighborhood,
)
from skperceptual.functional.pyramid import laplacian_pyramid
from skperceptual.utils.fingerprint import fingerprint


class BandCache:
    """Band-pass levels of pairs of images, in memory or, past a bound, in a temporary file.

    An image that occurs in several pairs, as a reference usually does, is kept once. Levels are
    float32 and extended at their edges as the divisive normalisation needs them, so that one
    image takes about ``4 / 3 * 4`` bytes a pixel: 0.35 MB at 256 x 256, 2.8 MB at 512 x 1024.

    Parameters
    ----------
    pairs : sequence of ndarray of shape (2, n_bands, n_frames)
        Pairs of images, the reference first; they may differ in size.
    n_levels : int
        Number of levels.
    convention : {"laparra2016", "laparra2017", "hepburn"}
        Form of the pyramid.
    kernel_size : int
        Side of the neighbourhood.
    max_bytes : int
        Above this the levels live in a memory-mapped temporary file, which ``close`` removes.

    Attributes
    ----------
    n_bytes : int
        Size of the levels.
    in_memory : bool
        Whether they are in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.regression.band_cache import BandCache
    >>> pairs = np.random.default_rng(0).random((3, 2, 16, 16))
    >>> with BandCache(pairs, 2, convention="laparra2016", kernel_size=5, max_bytes=2**20) as cache:
    ...     [level.shape for level in cache.levels(row=0, which=0)]
    [(20, 20), (12, 12)]
    """

    def __init__(
        self,
        pairs: Sequence[NDArray[np.floating]] | NDArray[np.floating],
        n_levels: int,
        *,
        convention: str,
        kernel_size: int,
        max_bytes: int,
    ) -> None:
        self.n_levels = n_levels
        margin = kernel_size // 2
        slots: dict[bytes, int] = {}
        images: list[tuple[int, int]] = []  # where each distinct image was first seen
        self._slot_of = np.empty((len(pairs), 2), dtype=np.int64)
        for row, pair in enumerate(pairs):
            for which in (0, 1):
                key = fingerprint(pair[which])
                if key not in slots:
                    slots[key] = len(images)
                    images.append((row, which))
                self._slot_of[row, which] = slots[key]
        self._shapes = [
            _level_shapes(pairs[row][which].shape, n_levels, margin) for row, which in images
        ]
        sizes = np.array([[h * w for h, w in shapes] for shapes in self._shapes])
        self._starts = np.cumsum(sizes.ravel()) - sizes.ravel()
        self.n_bytes = 4 * int(sizes.sum())
        self.in_memory = self.n_bytes <= max_bytes
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        if self.in_memory:
            self._values: NDArray[np.float32] = np.empty(sizes.sum(), dtype=np.float32)
        else:
            self._directory = tempfile.TemporaryDirectory(prefix="skperceptual-")
            path = Path(self._directory.name) / "levels.float32"
            self._values = np.memmap(path, dtype=np.float32, mode="w+", shape=(sizes.sum(),))
        try:
            self._fill(pairs, images, convention, margin)
        except BaseException:  # an interrupt too must leave no file behind
            self.close()
            raise

    def _fill(
        self,
        pairs: Sequence[NDArray[np.floating]] | NDArray[np.floating],
        images: list[tuple[int, int]],
        convention: str,
        margin: int,
    ) -> None:
        for slot, (row, which) in enumerate(images):
            image = np.ascontiguousarray(pairs[row][which])
            if convention == "laparra2016" and image.dtype == np.float32:
                self._fill_compiled(slot, image, margin)
            else:
                self._fill_any(slot, image, convention, margin)

    def _fill_compiled(self, slot: int, image: NDArray[np.float32], margin: int) -> None:
        from skperceptual.kernels.nlpd import extended_laplacian_levels

        start = self._starts[slot * self.n_levels]
        size = sum(height * width for height, width in self._shapes[slot])
        extended_laplacian_levels(image, self.n_levels, margin, self._values[start : start + size])

    def _fill_any(
        self, slot: int, image: NDArray[np.floating], convention: str, margin: int
    ) -> None:
        border = normalization_border(convention)
        with torch.inference_mode():
            bands = laplacian_pyramid(torch.tensor(image), self.n_levels, convention=convention)
            for view, band in zip(self._views(slot), bands, strict=True):
                # |pad(z)| == pad(|z|) under both border rules, so the sign can stay.
                view[:] = pad_neighborhood(band, margin, border=border).numpy()

    def levels(self, row: int, which: int) -> list[NDArray[np.float32]]:
        """Give the extended levels of one image.

        Parameters
        ----------
        row : int
            Which pair.
        which : {0, 1}
            Its reference or its degraded image.

        Returns
        -------
        list of ndarray of shape (n_bands_k + kernel_size - 1, n_frames_k + kernel_size - 1)
            One array a level.
        """
        return self._views(int(self._slot_of[row, which]))

    def _views(self, slot: int) -> list[NDArray[np.float32]]:
        starts = self._starts[slot * self.n_levels : (slot + 1) * self.n_levels]
        return [
            self._values[start : start + height * width].reshape(height, width)
            for start, (height, width) in zip(starts, self._shapes[slot], strict=True)
        ]

    def close(self) -> None:
        """Let go of the levels and remove the temporary file."""
        self._values = np.empty(0, dtype=np.float32)
        if self._directory is not None:
            self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _level_shapes(shape: tuple[int, ...], n_levels: int, margin: int) -> list[tuple[int, int]]:
    height, width = shape
    shapes = []
    for _ in range(n_levels):
        shapes.append((height + 2 * margin, width + 2 * margin))
        height, width = (height + 1) // 2, (width + 1) // 2
    return shapes
