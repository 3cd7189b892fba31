"""A batch of multi-resolution images that travels between the steps of a pipeline."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skperceptual.functional.pyramid import (
    CONVENTIONS,
)
from skperceptual.utils.validation import check_images

__all__ = ["Pyramid", "check_pyramid", "stack_samples"]


class Pyramid:
    """A batch of multi-resolution images that travels between the steps of a Pipeline.

    It counts and indexes samples, as cross-validation does, while its ``levels`` hold one array
    a scale.

    Parameters
    ----------
    levels : list
        One entry a level, the finest first: an array of shape (n, ..., n_bands_k, n_frames_k),
        or a list of n arrays where the images differ in size.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid, see :class:`LaplacianPyramid`.

    Attributes
    ----------
    levels : list
        As given.
    convention : str
        As given.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import LaplacianPyramid
    >>> pyramid = LaplacianPyramid(n_levels=3).fit_transform(np.random.rand(5, 16, 32))
    >>> pyramid
    Pyramid(5 samples, levels 16x32, 8x16, 4x8, convention='laparra2016')
    >>> len(pyramid[1:3]), np.asarray(pyramid).shape
    (2, (5, 672))
    """

    def __init__(self, levels: list[Any], *, convention: str = "laparra2016") -> None:
        if not levels or len({len(level) for level in levels}) > 1:
            raise ValueError(
                "A Pyramid needs at least one level and the same number of samples in each, got "
                f"{[len(level) for level in levels]}."
            )
        if convention not in CONVENTIONS:
            raise ValueError(
                f"convention={convention!r} is unknown. Use one of {', '.join(CONVENTIONS)}."
            )
        self.levels = levels
        self.convention = convention

    def __len__(self) -> int:
        return len(self.levels[0])

    @property
    def shape(self) -> tuple[int]:
        """Number of samples, as the one axis that cross-validation may index."""
        return (len(self),)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floating-point type of the coefficients."""
        return np.dtype(self.levels[0][0].dtype) if len(self) else np.dtype(np.float64)

    @property
    def has_pairs(self) -> bool:
        """Whether each sample is a pair of images, the reference first."""
        return len(self) > 0 and self.levels[0][0].ndim == 3

    def __getitem__(self, key: Any) -> Pyramid:
        if isinstance(key, tuple):  # scikit-learn indexes with (rows, ...)
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError("A Pyramid is indexed by sample only; its levels are in .levels.")
            key = key[0]
        if isinstance(key, (int, np.integer)):
            key = [int(key)]
        rows = np.arange(len(self))[key]
        picked = [
            level[rows] if isinstance(level, np.ndarray) else [level[row] for row in rows]
            for level in self.levels
        ]
        return Pyramid(picked, convention=self.convention)

    def __iter__(self) -> Iterator[list[NDArray[np.floating]]]:
        """Go through the samples; each gives the list of its levels."""
        for row in range(len(self)):
            yield [level[row] for level in self.levels]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if any(len({image.shape for image in level}) > 1 for level in self.levels):
            raise ValueError(
                "A Pyramid of images of different size does not fit into one array. Cut the "
                "clips to one length with FixDuration() first."
            )
        if copy is False:
            raise ValueError("A Pyramid cannot become an array without a copy.")
        levels = [np.asarray(level, dtype=self.dtype) for level in self.levels]
        flat = np.concatenate(
            [level.reshape(len(self), math.prod(level.shape[1:])) for level in levels], axis=1
        )
        return flat if dtype is None else flat.astype(dtype)

    def __repr__(self) -> str:
        ragged = not isinstance(self.levels[0], np.ndarray)
        sizes = ", ".join(
            "ragged" if ragged else f"{level.shape[-2]}x{level.shape[-1]}" for level in self.levels
        )
        pairs = "pairs" if len(self) and self.has_pairs else "samples"
        return f"Pyramid({len(self)} {pairs}, levels {sizes}, convention={self.convention!r})"


def stack_samples(samples: list[list[NDArray]], *, ragged: bool, convention: str) -> Pyramid:
    """Turn samples, each a list of its levels, into a Pyramid."""
    levels = [list(level) if ragged else np.stack(level) for level in zip(*samples, strict=True)]
    return Pyramid(levels, convention=convention)


def check_pyramid(X: Any, *, n_levels: int | None = None, pairs: bool = False) -> Pyramid:
    """Check that X is a Pyramid of finite floating-point images.

    Parameters
    ----------
    X : Pyramid
        What the user gave.
    n_levels : int, optional
        The number of levels that it must have.
    pairs : bool, default=False
        Whether its samples must be pairs.

    Returns
    -------
    Pyramid
        The same levels.

    Raises
    ------
    ValueError
        When it is something else, or its levels hold integers, NaN or infinity.
    """
    if not isinstance(X, Pyramid):
        raise ValueError(
            f"Expected a Pyramid, got {type(X).__name__}. Put LaplacianPyramid() before this step."
        )
    if len(X) == 0:
        raise ValueError("Found a Pyramid with 0 sample(s) while a minimum of 1 is required.")
    if n_levels is not None and len(X.levels) != n_levels:
        raise ValueError(
            f"This step was fitted to {n_levels} levels, got a Pyramid of {len(X.levels)}."
        )
    if pairs and not X.has_pairs:
        raise ValueError(
            "Expected a Pyramid of pairs, whose levels have the shape (n_pairs, 2, n_bands, "
            f"n_frames), got levels of shape {np.shape(X.levels[0])}. Give LaplacianPyramid "
            "pairs of images, reference first."
        )
    levels = [check_images(level, pairs=X.has_pairs) for level in X.levels]
    return Pyramid(levels, convention=X.convention)
