"""One spectrogram-like image on axes of Hz and seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.plotting.frequency_axis import frequency_ticks

DB_A_NEPER = 20 / np.log(10)


def draw_image(
    axes: Any,
    image: NDArray[np.floating],
    *,
    frequencies: NDArray[np.floating] | None,
    times: NDArray[np.floating] | None,
    style: dict[str, Any],
) -> Any:
    """Draw an image with low frequencies at the bottom.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    image : ndarray of shape (n_bands, n_frames)
        What to draw.
    frequencies : ndarray of shape (n_bands,) or None
        Frequency of each band in Hz; None counts bands.
    times : ndarray of shape (n_frames,) or None
        Times of the frames in seconds; None counts frames.
    style : dict
        Passed to ``imshow``.

    Returns
    -------
    matplotlib image
        What was drawn.
    """
    start, stop = -0.5, image.shape[1] - 0.5
    if times is not None:
        half = (times[-1] - times[0]) / max(len(times) - 1, 1) / 2
        start, stop = times[0] - half, times[-1] + half
    extent = (start, stop, -0.5, image.shape[0] - 0.5)
    drawn = axes.imshow(
        image,
        **{
            "origin": "lower",
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": extent,
            **style,
        },
    )
    axes.set_xlabel("frame" if times is None else "time (s)")
    axes.set_ylabel("band" if frequencies is None else "frequency (Hz)")
    if frequencies is not None:
        axes.set_yticks(*frequency_ticks(frequencies))
    return drawn


def add_colorbar(axes: Any, drawn: Any, label: str) -> Any:
    """Add a colour bar to the right of an image, which keeps its size.

    Parameters
    ----------
    axes : matplotlib Axes
        The axes of the image.
    drawn : matplotlib image
        The image.
    label : str
        What the colours mean.

    Returns
    -------
    matplotlib colour bar
        The colour bar.
    """
    place = axes.inset_axes((1.03, 0.0, 0.04, 1.0))
    return axes.figure.colorbar(drawn, cax=place, label=label)


def around_zero(*images: NDArray[np.floating]) -> dict[str, Any]:
    """Give a style in which 0 is white, what is above it red, and what is below it blue."""
    top = max((float(np.abs(image).max()) for image in images), default=0.0) or 1.0
    return {"cmap": "RdBu_r", "vmin": -top, "vmax": top}


def check_axis(values: ArrayLike | None, name: str, length: int) -> Any:
    """Check that an axis has one value for each row or column, where it is given at all."""
    array = None if values is None else np.asarray(values, dtype=float)
    if array is not None and array.shape != (length,):
        raise ValueError(f"Expected {name} of shape ({length},), got {array.shape}.")
    return array
