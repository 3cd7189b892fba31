"""What the displays share: matplotlib at first use, and axes made or taken over."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.optional import import_optional

# Okabe and Ito's palette, which people with any of the common colour deficiencies can tell
# apart, less its black and yellow; shapes repeat what the colours say.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")


def import_pyplot(display: object) -> ModuleType:
    """Import pyplot for a display, or say which extra brings it."""
    return import_optional(
        "matplotlib.pyplot", extra="plot", purpose=f"{type(display).__name__}.plot"
    )


def one_axes(pyplot: ModuleType, ax: Any, figsize: tuple[float, float]) -> Any:
    """Give the axes to draw in: the given one, or that of a new figure."""
    if ax is None:
        _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
    return ax


def grid_of_axes(
    pyplot: ModuleType, ax: Any, shape: tuple[int, int], figsize: tuple[float, float]
) -> tuple[NDArray[np.object_], Any]:
    """Give a grid of axes: of a new figure, inside one given axes, or the given ones.

    Parameters
    ----------
    pyplot : module
        ``matplotlib.pyplot``.
    ax : None, Axes or array of Axes
        None makes a figure. A single axes gives up its place to the grid. An array (or list) of
        as many axes as the grid has places is used row by row.
    shape : tuple of int
        Rows and columns.
    figsize : tuple of float
        Size of a new figure in inches.

    Returns
    -------
    axes : ndarray of Axes of the given shape
        The grid.
    bounding_ax : Axes or None
        The axes that gave up its place.

    Raises
    ------
    ValueError
        When the number of axes is another, or a single axes has no place in a grid.
    """
    if ax is None:
        _, axes = pyplot.subplots(*shape, figsize=figsize, squeeze=False, layout="constrained")
        return axes, None
    if hasattr(ax, "get_subplotspec"):
        spec = ax.get_subplotspec()
        if spec is None:
            raise ValueError(
                "This axes has no place in a grid that panels could share. Make it with "
                f"plt.subplots(), or give {shape[0]} x {shape[1]} axes."
            )
        ax.set_axis_off()
        inner = spec.subgridspec(*shape)
        return inner.subplots(squeeze=False), ax
    axes = np.asarray(ax, dtype=object)
    if axes.size != shape[0] * shape[1]:
        raise ValueError(
            f"This display has {shape[0]} x {shape[1]} panels and needs as many axes, or a single "
            f"one whose place they share; got {axes.size}."
        )
    return axes.reshape(shape), None
