"""Masks made of blocks, before and after they were smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skperceptual.cello.frozen_scorer import find_front_end
from skperceptual.plotting.axes import grid_of_axes, import_pyplot
from skperceptual.plotting.image_axes import (
    DB_A_NEPER,
    add_colorbar,
    around_zero,
    check_axis,
    draw_image,
)

__all__ = ["MaskSmoothingDisplay"]


class MaskSmoothingDisplay:
    """Masks before smoothing on the left, after it on the right: the paper's figure 2.

    It is recommended to use :meth:`from_estimator` or :meth:`from_masks` to create a display.

    Parameters
    ----------
    unsmoothed_masks, masks : list of ndarray of shape (n_bands, n_frames)
        Natural logarithms of gains.
    frequencies : ndarray of shape (n_bands,), default=None
        Frequency of each band in Hz; None counts bands.
    times : list of ndarray of shape (n_frames,), default=None
        Times of the frames of each mask in seconds; None counts frames.

    Attributes
    ----------
    axes_ : ndarray of shape (n_masks, 2)
        Matplotlib axes.
    images_ : ndarray of shape (n_masks, 2)
        Matplotlib images.
    colorbars_ : list
        Matplotlib colour bars, one a mask.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.SpectralMaskEqualizer : Finds the masks.
    EqualizerDisplay : What a mask does to a recording.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import SpectralMaskEqualizer
    >>> from skperceptual.plotting import MaskSmoothingDisplay
    >>> from skperceptual.utils.estimator_checks.scorers import TiltScorer
    >>> images = np.random.default_rng(0).standard_normal((2, 40, 60))
    >>> equalizer = SpectralMaskEqualizer(TiltScorer(), max_iter=5).fit(images)
    >>> display = MaskSmoothingDisplay.from_estimator(equalizer, sample=[0, 1])
    >>> display.axes_.shape
    (2, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        unsmoothed_masks: Sequence[NDArray[np.floating]],
        masks: Sequence[NDArray[np.floating]],
        frequencies: NDArray[np.floating] | None = None,
        times: Sequence[NDArray[np.floating]] | None = None,
    ) -> None:
        self.unsmoothed_masks = unsmoothed_masks
        self.masks = masks
        self.frequencies = frequencies
        self.times = times

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        sample: int | Sequence[int] = 0,
        ax: Any = None,
        mask_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw masks of the recordings that an equaliser was fitted to.

        Parameters
        ----------
        estimator : SpectralMaskEqualizer
            A fitted equaliser.
        sample : int or sequence of int, default=0
            Which of its masks to draw.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        mask_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        MaskSmoothingDisplay
            The display, drawn.
        """
        check_is_fitted(estimator, "masks_")
        rows = [range(len(estimator.masks_))[row] for row in np.atleast_1d(sample).tolist()]
        masks = [estimator.masks_[row] for row in rows]
        front_end = find_front_end(estimator.estimator, estimator.front_end)
        known = front_end is not None
        return cls.from_masks(
            [estimator.unsmoothed_masks_[row] for row in rows],
            masks,
            frequencies=front_end.band_frequencies() if known else None,
            times=[front_end.frame_times(mask.shape[1]) for mask in masks] if known else None,
            ax=ax,
            mask_kwargs=mask_kwargs,
        )

    @classmethod
    def from_masks(
        cls,
        unsmoothed_masks: Sequence[NDArray[np.floating]] | NDArray[np.floating],
        masks: Sequence[NDArray[np.floating]] | NDArray[np.floating],
        *,
        frequencies: Any = None,
        times: Any = None,
        ax: Any = None,
        mask_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw masks that were found before.

        Parameters
        ----------
        unsmoothed_masks, masks : array of shape (n_masks, n_bands, n_frames), or list
            Natural logarithms of gains.
        frequencies : array of shape (n_bands,), default=None
            Frequency of each band in Hz.
        times : list of array of shape (n_frames,), default=None
            Times of the frames of each mask in seconds.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        mask_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        MaskSmoothingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the masks before and after differ in number or size, or the axes do.
        """
        before, after = ([np.asarray(mask) for mask in some] for some in (unsmoothed_masks, masks))
        shapes = [[mask.shape for mask in some] for some in (before, after)]
        if not after or shapes[0] != shapes[1] or any(len(shape) != 2 for shape in shapes[1]):
            raise ValueError(
                "Expected as many masks before as after smoothing, of the same sizes (n_bands, "
                f"n_frames), got {shapes[0]} and {shapes[1]}."
            )
        display = cls(
            unsmoothed_masks=before,
            masks=after,
            frequencies=check_axis(frequencies, "frequencies", len(after[0])),
            times=None
            if times is None
            else [
                check_axis(own, "times", mask.shape[1])
                for own, mask in zip(times, after, strict=True)
            ],
        )
        return display.plot(ax, mask_kwargs=mask_kwargs)

    def plot(self, ax: Any = None, *, mask_kwargs: dict[str, Any] | None = None) -> Self:
        """Draw the masks.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a panel.
        mask_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        MaskSmoothingDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        n = len(self.masks)
        self.axes_, self.bounding_ax_ = grid_of_axes(pyplot, ax, (n, 2), (9.2, 2.8 * n))
        self.figure_ = self.axes_[0, 0].figure
        self.images_ = np.empty((n, 2), dtype=object)
        self.colorbars_ = []
        for row, pair in enumerate(zip(self.unsmoothed_masks, self.masks, strict=True)):
            pictures = [DB_A_NEPER * mask for mask in pair]
            style = {**around_zero(*pictures), **(mask_kwargs or {})}
            for column, picture in enumerate(pictures):
                axes = self.axes_[row, column]
                self.images_[row, column] = draw_image(
                    axes,
                    picture,
                    frequencies=self.frequencies,
                    times=None if self.times is None else self.times[row],
                    style=style,
                )
                axes.tick_params(labelleft=column == 0)
                if column > 0:
                    axes.set_ylabel("")
                if row < n - 1:
                    axes.set_xlabel("")
            self.colorbars_.append(
                add_colorbar(self.axes_[row, 1], self.images_[row, 1], "gain (dB)")
            )
        self.axes_[0, 0].set_title("before smoothing")
        self.axes_[0, 1].set_title("after smoothing")
        return self
