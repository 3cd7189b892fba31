"""What a score goes by, under the spectrogram that it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skperceptual.inspection import SaliencyMap, saliency_maps
from skperceptual.plotting.axes import grid_of_axes, import_pyplot
from skperceptual.plotting.image_axes import add_colorbar, around_zero, draw_image

__all__ = ["SaliencyDisplay"]


class SaliencyDisplay:
    """Spectrograms, and under each what speaks for a class in it: the paper's figure 3.

    Red speaks for the class that the title names, blue against it. All maps share one scale of
    colours, and all spectrograms another.

    It is recommended to use :meth:`from_estimator` or :meth:`from_maps` to create a display.

    Parameters
    ----------
    maps : list of SaliencyMap
        What :func:`skperceptual.inspection.saliency_maps` gave.

    Attributes
    ----------
    axes_ : ndarray of shape (2, n_maps)
        Matplotlib axes: spectrograms in the first row, maps in the second.
    images_ : ndarray of shape (2, n_maps)
        Matplotlib images.
    colorbars_ : list
        Matplotlib colour bars, one a row.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.inspection.saliency_maps : Makes the maps.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import CelloQualityClassifier
    >>> from skperceptual.plotting import SaliencyDisplay
    >>> images = np.random.default_rng(0).standard_normal((8, 16, 20))
    >>> scorer = CelloQualityClassifier(
    ...     n_filters=(4, 4), excerpt_frames=20, max_epochs=1, validation_fraction=0
    ... ).fit(images, ["A", "B"] * 4)
    >>> display = SaliencyDisplay.from_estimator(scorer, images, sample=[0, 2], target="A")
    >>> display.axes_.shape, display.axes_[1, 0].get_title()
    ((2, 2), 'what speaks for A')
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, maps: Sequence[SaliencyMap]) -> None:
        self.maps = maps

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample: int | Sequence[int] = 0,
        method: str = "cam",
        target: Any = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        map_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Trace the scores of recordings and draw where they come from.

        Parameters
        ----------
        estimator : estimator
            A fitted scorer, or a Pipeline that ends in one, as in
            :func:`skperceptual.inspection.saliency_maps`.
        X : array or list
            Recordings in the form that the estimator reads.
        sample : int or sequence of int, default=0
            Which rows of X to draw.
        method : {"cam", "grad-cam", "gradient", "occlusion"}, default="cam"
            How to trace.
        target : label, default=None
            The class to explain; None takes the predicted ones.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        map_kwargs : dict, default=None
            Passed to ``imshow`` for maps.

        Returns
        -------
        SaliencyDisplay
            The display, drawn.
        """
        rows = [range(len(X))[row] for row in np.atleast_1d(sample).tolist()]
        maps = saliency_maps(estimator, [X[row] for row in rows], method=method, target=target)
        return cls.from_maps(maps, ax=ax, image_kwargs=image_kwargs, map_kwargs=map_kwargs)

    @classmethod
    def from_maps(
        cls,
        maps: Sequence[SaliencyMap],
        *,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        map_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw maps that were made before.

        Parameters
        ----------
        maps : sequence of SaliencyMap
            What :func:`skperceptual.inspection.saliency_maps` gave.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        map_kwargs : dict, default=None
            Passed to ``imshow`` for maps.

        Returns
        -------
        SaliencyDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When these are no maps.
        """
        if len(maps) == 0 or not all(isinstance(one, SaliencyMap) for one in maps):
            raise ValueError(
                "Expected a list of SaliencyMap, as skperceptual.inspection.saliency_maps gives "
                f"it, got {type(maps).__name__} of {len(maps)}."
            )
        return cls(maps=maps).plot(ax, image_kwargs=image_kwargs, map_kwargs=map_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        image_kwargs: dict[str, Any] | None = None,
        map_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the spectrograms and the maps.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a panel.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        map_kwargs : dict, default=None
            Passed to ``imshow`` for maps.

        Returns
        -------
        SaliencyDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        n = len(self.maps)
        self.axes_, self.bounding_ax_ = grid_of_axes(pyplot, ax, (2, n), (4.4 * n + 1.0, 5.2))
        self.figure_ = self.axes_[0, 0].figure
        pictures = [one.image for one in self.maps]
        styles = [
            {
                "cmap": "magma",
                "vmin": min(picture.min() for picture in pictures),
                "vmax": max(picture.max() for picture in pictures),
                **(image_kwargs or {}),
            },
            {**around_zero(*(one.map for one in self.maps)), **(map_kwargs or {})},
        ]
        self.images_ = np.empty((2, n), dtype=object)
        for column, one in enumerate(self.maps):
            for row, picture in enumerate((one.image, one.map)):
                axes = self.axes_[row, column]
                fits = one.frequencies is not None and len(one.frequencies) == len(picture)
                in_time = one.times is not None and len(one.times) == picture.shape[1]
                self.images_[row, column] = draw_image(
                    axes,
                    picture,
                    frequencies=one.frequencies if fits else None,
                    times=one.times if in_time else None,
                    style=styles[row],
                )
                axes.tick_params(labelleft=column == 0)
                if column > 0:
                    axes.set_ylabel("")
            what = "a higher rating" if one.target is None else str(one.target)
            self.axes_[0, column].set(title="spectrogram", xlabel="")
            self.axes_[1, column].set_title(f"what speaks for {what}")
        labels = "log magnitude", "evidence"
        self.colorbars_ = [
            add_colorbar(self.axes_[row, -1], self.images_[row, -1], labels[row]) for row in (0, 1)
        ]
        return self
