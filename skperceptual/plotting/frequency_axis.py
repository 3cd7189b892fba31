"""The frequency axis of images whose rows are not equally spaced in Hz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The nominal octave frequencies of ISO 266.
_OCTAVES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000])
_LEAST_SPACING = 1 / 20  # of the axis, so that labels do not overlap


def frequency_ticks(frequencies: NDArray[np.floating]) -> tuple[NDArray[np.floating], list[str]]:
    """Place round frequencies on an axis that counts bands.

    Parameters
    ----------
    frequencies : ndarray of shape (n_bands,)
        Frequency of each band in Hz, rising.

    Returns
    -------
    positions : ndarray
        Bands, with fractions.
    labels : list of str
        The frequencies there, ``"500"`` or ``"2k"``: octaves, or equal steps where the bands are
        equally spaced.
    """
    rows = np.arange(len(frequencies))
    if len(rows) == 1:
        return rows.astype(float), [_label(round(float(frequencies[0])))]
    steps = np.diff(frequencies)
    values = _OCTAVES
    if np.allclose(steps, steps[0]):
        top = float(frequencies[-1])
        decade = 10.0 ** np.floor(np.log10(top))
        step = decade * next(size for size in (5, 2, 1, 0.5, 0.2) if top >= 3 * size * decade)
        values = step * np.arange(100)
    # Half a band belongs to the image at either end. The end of the scale itself, such as half
    # the sampling rate, lies a band beyond the last centre: it is written at the edge.
    corners = [frequencies[0] - steps[0], *frequencies, frequencies[-1] + 1.2 * steps[-1]]
    positions = np.interp(values, corners, [-1, *rows, len(rows)], left=-np.inf, right=np.inf)
    inside = (positions >= -0.5) & (positions <= len(rows))
    values, positions = values[inside], np.minimum(positions[inside], len(rows) - 0.5)
    kept: list[int] = []
    for place in reversed(range(len(values))):
        if not kept or positions[kept[0]] - positions[place] >= _LEAST_SPACING * len(rows):
            kept.insert(0, place)
    return positions[kept], [_label(value) for value in values[kept]]


def _label(hertz: float) -> str:
    return f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz:g}"
