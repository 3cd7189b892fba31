"""A spectrogram beside what came of it, once for each way through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.plotting.axes import grid_of_axes, import_pyplot
from skperceptual.plotting.image_axes import add_colorbar, check_axis, draw_image
from skperceptual.utils.pipelines import flat_steps

__all__ = ["ReconstructionDisplay"]

_INPUT = "input"


class ReconstructionDisplay:
    """An image and its reconstructions, all in one scale of colours.

    The first panel is the input; the reconstructions follow in rows, as in figure 2 of [1]_.

    It is recommended to use :meth:`from_estimator` or :meth:`from_images` to create a display.

    Parameters
    ----------
    images : dict of str to ndarray of shape (n_bands, n_frames)
        The input, and its reconstructions by name; low frequencies first.
    frequencies : ndarray of shape (n_bands,), default=None
        Frequency of each band in Hz; None counts bands.
    times : ndarray of shape (n_frames,), default=None
        Times of the frames in seconds; None counts frames.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_columns + 1)
        Matplotlib axes; the input has the first column to itself, whose other places are empty.
    images_ : list
        Matplotlib images, in the order of the panels.
    colorbar_ : matplotlib Colorbar
        The colour bar.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.CompressiveAutoencoder : Makes such reconstructions.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "Data is overrated:
       perceptual metrics can lead learning in the absence of training data", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import CompressiveAutoencoder
    >>> from skperceptual.plotting import ReconstructionDisplay
    >>> images = np.random.default_rng(0).random((4, 32, 32))
    >>> coder = CompressiveAutoencoder(n_filters=4, n_layers=2, max_iter=2, random_state=0)
    >>> display = ReconstructionDisplay.from_estimator({"NLPD": coder.fit(images)}, images)
    >>> [panel.axes.get_title() for panel in display.images_]
    ['input', 'NLPD']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        images: Mapping[str, NDArray[np.floating]],
        frequencies: NDArray[np.floating] | None = None,
        times: NDArray[np.floating] | None = None,
    ) -> None:
        self.images = images
        self.frequencies = frequencies
        self.times = times

    @classmethod
    def from_estimator(
        cls,
        estimators: Any,
        X: Any,
        *,
        sample: int = 0,
        n_columns: int | None = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw a sample and what autoencoders make of it.

        Parameters
        ----------
        estimators : estimator or dict of str to estimator
            Fitted :class:`CompressiveAutoencoder`, or pipelines that end in one, by names other
            than "input". All pipelines begin with the same front end.
        X : array, list or DataFrame
            What the estimators read.
        sample : int, default=0
            Which row of X to draw.
        n_columns : int, default=None
            Reconstructions in a row, as in :meth:`plot`.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When an estimator cannot reconstruct images, or is called "input".
        IndexError
            When X has no such row.
        """
        if not isinstance(estimators, Mapping):
            estimators = {"reconstruction": estimators}
        if _INPUT in estimators:
            raise ValueError(
                f"Expected estimators of other names than {_INPUT!r}, which is the panel beside "
                "theirs. Give that one another name."
            )
        row = range(len(X))[sample]
        rows = X.iloc if hasattr(X, "iloc") else X
        images: dict[str, NDArray[np.floating]] = {}
        frequencies = times = None
        for name, estimator in estimators.items():
            *before, coder = flat_steps(estimator)
            if not hasattr(coder, "reconstruct"):
                raise ValueError(
                    "Expected a CompressiveAutoencoder, or a Pipeline that ends in one, got "
                    f"{type(coder).__name__}. Draw images of your own with "
                    "ReconstructionDisplay.from_images."
                )
            batch = rows[row : row + 1]
            for step in before:
                batch = step.transform(batch)
                if hasattr(step, "band_frequencies"):
                    frequencies = step.band_frequencies()
                    times = step.frame_times(batch[0].shape[-1])
            images.setdefault(_INPUT, np.asarray(batch[0]))
            images[name] = coder.reconstruct(batch)[0]
        display = cls(images=images, frequencies=frequencies, times=times)
        return display.plot(ax, n_columns=n_columns, image_kwargs=image_kwargs)

    @classmethod
    def from_images(
        cls,
        images: Mapping[str, ArrayLike],
        *,
        frequencies: ArrayLike | None = None,
        times: ArrayLike | None = None,
        n_columns: int | None = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw images by name, the input first.

        Parameters
        ----------
        images : dict of str to array of shape (n_bands, n_frames)
            The input, and at least one reconstruction.
        frequencies : array of shape (n_bands,), default=None
            Frequency of each band in Hz.
        times : array of shape (n_frames,), default=None
            Times of the frames in seconds.
        n_columns : int, default=None
            Reconstructions in a row, as in :meth:`plot`.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When there are fewer than two images, or their shapes differ.
        """
        pictures = {name: np.asarray(image) for name, image in images.items()}
        shapes = {picture.shape for picture in pictures.values()}
        if len(pictures) < 2 or len(shapes) > 1 or len(next(iter(shapes))) != 2:
            raise ValueError(
                "Expected an input and its reconstructions, images of one shape (n_bands, "
                f"n_frames), got {len(pictures)} of shapes {sorted(shapes)}."
            )
        n_bands, n_frames = next(iter(shapes))
        display = cls(
            images=pictures,
            frequencies=check_axis(frequencies, "frequencies", n_bands),
            times=check_axis(times, "times", n_frames),
        )
        return display.plot(ax, n_columns=n_columns, image_kwargs=image_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int | None = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a place of the grid.
        n_columns : int, default=None
            Reconstructions in a row, beside the column of the input; None puts all in one row.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        ReconstructionDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        names = list(self.images)
        width = min(n_columns or len(names) - 1, len(names) - 1)
        n_rows = -(-(len(names) - 1) // width)
        size = (2.3 * (width + 1) + 1.2, 2.4 * n_rows + 0.4)
        self.axes_, self.bounding_ax_ = grid_of_axes(pyplot, ax, (n_rows, width + 1), size)
        self.figure_ = self.axes_[0, 0].figure
        pictures = self.images.values()
        style = {
            "cmap": "magma",
            "vmin": min(picture.min() for picture in pictures),
            "vmax": max(picture.max() for picture in pictures),
            **(image_kwargs or {}),
        }
        # The input has the first place of the first column, reconstructions fill the others.
        places = [(row, column) for row in range(n_rows) for column in range(1, width + 1)]
        used = [(0, 0), *places[: len(names) - 1]]
        for place, axes in np.ndenumerate(self.axes_):
            if place not in used:
                axes.set_axis_off()
        self.images_ = [
            self._draw(place, name, style) for place, name in zip(used, names, strict=True)
        ]
        self.colorbar_ = add_colorbar(self.axes_[0, width], self.images_[0], "value")
        return self

    def _draw(self, place: tuple[int, int], name: str, style: dict[str, Any]) -> Any:
        axes = self.axes_[place]
        drawn = draw_image(
            axes,
            self.images[name],
            frequencies=self.frequencies,
            times=self.times,
            style=style,
        )
        axes.set_title(name, fontsize="medium")
        is_left = place[1] == 0 or (place[1] == 1 and place[0] > 0)
        axes.tick_params(labelleft=is_left)
        if not is_left:
            axes.set_ylabel("")
        return drawn
