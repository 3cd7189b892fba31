"""The images that image metrics compare, on axes of Hz and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.plotting.axes import grid_of_axes, import_pyplot
from skperceptual.plotting.image_axes import add_colorbar, around_zero, check_axis, draw_image
from skperceptual.utils.pipelines import flat_steps

__all__ = ["SpectrogramDisplay"]


class SpectrogramDisplay:
    """The spectrograms of a pair beside their difference, or that of a single signal.

    Reference and degraded share one scale of colours. The difference is degraded less reference,
    drawn around 0: what was added is red, what was taken away is blue.

    It is recommended to use :meth:`from_estimator` or :meth:`from_images` to create a display.

    Parameters
    ----------
    images : list of ndarray of shape (n_bands, n_frames)
        One image, or reference and degraded; low frequencies first.
    frequencies : ndarray of shape (n_bands,), default=None
        Frequency of each band in Hz; None counts bands.
    times : list of ndarray of shape (n_frames,), default=None
        Times of the frames of each image in seconds; None counts frames.

    Attributes
    ----------
    axes_ : ndarray of shape (n_panels,)
        Matplotlib axes: of the image, or of reference, degraded and difference. The difference
        is left out where the two have different sizes.
    images_ : ndarray of shape (n_panels,)
        Matplotlib images.
    colorbars_ : list
        Matplotlib colour bars.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.MelSpectrogram : Makes such images.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import MelSpectrogram
    >>> from skperceptual.plotting import SpectrogramDisplay
    >>> reference = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> degraded = np.clip(reference, -0.5, 0.5)
    >>> pairs = np.stack([reference, degraded])[np.newaxis]
    >>> display = SpectrogramDisplay.from_estimator(MelSpectrogram(sr=16000), pairs)
    >>> [ax.get_title() for ax in display.axes_]
    ['reference', 'degraded', 'difference']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        images: Sequence[NDArray[np.floating]],
        frequencies: NDArray[np.floating] | None = None,
        times: Sequence[NDArray[np.floating]] | None = None,
    ) -> None:
        self.images = images
        self.frequencies = frequencies
        self.times = times

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample: int = 0,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw what a front end makes of one signal or pair.

        Parameters
        ----------
        estimator : transformer
            A front end with ``band_frequencies`` and ``frame_times``, such as
            :class:`MelSpectrogram`, or a Pipeline with one among its steps; later steps are left
            aside.
        X : array, list or DataFrame
            Signals, pairs of signals, or file names, as the estimator reads them.
        sample : int, default=0
            Which row of X to draw.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``, but not for the difference.

        Returns
        -------
        SpectrogramDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the estimator has no front end.
        IndexError
            When X has no such row.
        """
        row = range(len(X))[sample]
        rows = X.iloc if hasattr(X, "iloc") else X
        batch = rows[row : row + 1]
        for step in flat_steps(estimator):
            batch = step.transform(batch)
            if hasattr(step, "band_frequencies"):
                break
        else:
            raise ValueError(
                "Expected a front end such as MelSpectrogram, or a Pipeline with one as a step, "
                f"got {type(estimator).__name__}. Draw images of your own with "
                "SpectrogramDisplay.from_images."
            )
        images = _as_images(batch[0])
        display = cls(
            images=images,
            frequencies=step.band_frequencies(),
            times=[step.frame_times(image.shape[-1]) for image in images],
        )
        return display.plot(ax, image_kwargs=image_kwargs)

    @classmethod
    def from_images(
        cls,
        images: ArrayLike,
        *,
        frequencies: ArrayLike | None = None,
        times: ArrayLike | None = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw one image, or a pair of images.

        Parameters
        ----------
        images : array of shape (n_bands, n_frames) or (2, n_bands, n_frames)
            The image, or reference and degraded.
        frequencies : array of shape (n_bands,), default=None
            Frequency of each band in Hz.
        times : array of shape (n_frames,), default=None
            Times of the frames in seconds.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``, but not for the difference.

        Returns
        -------
        SpectrogramDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the shapes are others.
        """
        pictures = _as_images(images)
        display = cls(
            images=pictures,
            frequencies=check_axis(frequencies, "frequencies", pictures[0].shape[0]),
            times=None
            if times is None
            else [check_axis(times, "times", picture.shape[1]) for picture in pictures],
        )
        return display.plot(ax, image_kwargs=image_kwargs)

    def plot(self, ax: Any = None, *, image_kwargs: dict[str, Any] | None = None) -> Self:
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a panel.
        image_kwargs : dict, default=None
            Passed to ``imshow``, but not for the difference.

        Returns
        -------
        SpectrogramDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        same_size = len(self.images) == 2 and self.images[0].shape == self.images[1].shape
        n_panels = len(self.images) + same_size
        size = (3.1 * n_panels + 1.2, 3.0)
        grid, self.bounding_ax_ = grid_of_axes(pyplot, ax, (1, n_panels), size)
        self.axes_ = grid[0]
        self.figure_ = self.axes_[0].figure
        style = {
            "cmap": "magma",
            "vmin": min(image.min() for image in self.images),
            "vmax": max(image.max() for image in self.images),
            **(image_kwargs or {}),
        }
        drawn = [self._draw(panel, image, style) for panel, image in enumerate(self.images)]
        self.colorbars_ = [add_colorbar(self.axes_[len(drawn) - 1], drawn[-1], "value")]
        if len(self.images) == 2:
            self.axes_[0].set_title("reference")
            self.axes_[1].set_title("degraded")
        if same_size:
            difference = self.images[1] - self.images[0]
            drawn.append(self._draw(2, difference, around_zero(difference)))
            self.axes_[2].set_title("difference")
            self.colorbars_.append(add_colorbar(self.axes_[2], drawn[-1], "degraded − reference"))
        self.images_ = np.array(drawn, dtype=object)
        return self

    def _draw(self, panel: int, image: NDArray[np.floating], style: dict[str, Any]) -> Any:
        axes = self.axes_[panel]
        times = None if self.times is None else self.times[min(panel, 1, len(self.times) - 1)]
        drawn = draw_image(axes, image, frequencies=self.frequencies, times=times, style=style)
        axes.tick_params(labelleft=panel == 0)
        if panel > 0:
            axes.set_ylabel("")
        return drawn


def _as_images(item: Any) -> list[NDArray[np.floating]]:
    """Give one image, or those of a pair, which may differ in length."""
    parts = [np.asarray(part) for part in item] if isinstance(item, tuple) else np.asarray(item)
    if isinstance(parts, np.ndarray) and parts.ndim == 2:
        return [parts]
    if len(parts) != 2 or any(part.ndim != 2 for part in parts):
        raise ValueError(
            "Expected an image of shape (n_bands, n_frames) or a pair of shape (2, n_bands, "
            f"n_frames), got {[np.shape(part) for part in parts]}."
        )
    return list(parts)
