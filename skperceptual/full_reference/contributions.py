"""How a loss measured on coarse rows is told in the bands of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread_over_bands", "spread_window"]


def spread_over_bands(parts: NDArray[np.floating], n_bands: int, level: int) -> NDArray:
    """Share the parts of a coarse level's rows evenly among the bands that each row covers.

    Parameters
    ----------
    parts : ndarray of shape (n_rows,)
        One part a row of the level.
    n_bands : int
        Number of bands of the image.
    level : int
        How often the image was halved.

    Returns
    -------
    ndarray of shape (n_bands,)
        The same total, band by band.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.contributions import spread_over_bands
    >>> spread_over_bands(np.array([4.0, 2.0, 1.0]), n_bands=5, level=1)
    array([2., 2., 1., 1., 1.])
    """
    rows = np.minimum(np.arange(n_bands) >> level, len(parts) - 1)
    return parts[rows] / np.bincount(rows, minlength=len(parts))[rows]


def spread_window(parts: NDArray[np.floating], taps: NDArray[np.floating]) -> NDArray:
    """Share the part of each position of a window among the rows that it looked at.

    Parameters
    ----------
    parts : ndarray of shape (n_positions,)
        One part for each position of the window inside the image.
    taps : ndarray of shape (window_size,)
        The window; it adds up to 1.

    Returns
    -------
    ndarray of shape (n_positions + window_size - 1,)
        The same total, row by row.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.full_reference.contributions import spread_window
    >>> spread_window(np.array([4.0, 0.0]), np.array([0.25, 0.5, 0.25]))
    array([1., 2., 1., 0.])
    """
    return np.convolve(parts, taps)
