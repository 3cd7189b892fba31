"""What the displays share: matplotlib at first use, and axes made or taken over."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def without_zero(text: str) -> str:
    """Write a number below 1 as tables do, -.25, with a minus sign."""
    return re.sub(r"^([+-]?)0\.", r"\1.", text).replace("-", "−")


def draw_labels(
    image: Any, words: Sequence[Sequence[str]], text_kwargs: dict[str, Any]
) -> NDArray[np.object_]:
    """Write words on the cells of an image, dark on light colours and light on dark ones.

    Parameters
    ----------
    image : matplotlib image
        What ``imshow`` gave.
    words : list of list of str
        One string a cell.
    text_kwargs : dict
        Passed to ``text``.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Matplotlib texts.
    """
    colors = image.cmap(image.norm(image.get_array()))
    # Relative luminance, ITU-R BT.709.
    light = colors[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    texts = np.empty(light.shape, dtype=object)
    for row, column in np.ndindex(light.shape):
        color = "white" if light[row, column] < 0.45 else "black"
        style = {"ha": "center", "va": "center", "color": color, "fontsize": "small"}
        texts[row, column] = image.axes.text(
            column, row, words[row][column], **{**style, **text_kwargs}
        )
    return texts
