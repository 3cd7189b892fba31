"""What an equaliser made of a recording, and what it would have made without restraint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skperceptual.cello.frozen_scorer import find_front_end, unwrap_scorer
from skperceptual.plotting.axes import grid_of_axes, import_pyplot
from skperceptual.plotting.image_axes import (
    DB_A_NEPER,
    add_colorbar,
    around_zero,
    check_axis,
    draw_image,
)

__all__ = ["EqualizerDisplay"]


class EqualizerDisplay:
    """A recording before and after, its mask, and an adversarial one: the paper's figure 1.

    Top left the spectrogram, top right the equalised one. Bottom left the mask in dB, bottom
    right the mask of the same search begun with noise and without the terms that hold it back
    (``init="random", alpha=0, beta=0``): red is louder, blue is softer.

    It is recommended to use :meth:`from_estimator` or :meth:`from_masks` to create a display.

    Parameters
    ----------
    image : ndarray of shape (n_bands, n_frames)
        The spectrogram, natural logarithms of magnitudes.
    mask : ndarray of shape (n_bands, n_frames)
        Its mask, natural logarithms of gains.
    unrestrained_mask : ndarray of shape (n_bands, n_frames)
        The mask that nothing held back.
    frequencies : ndarray of shape (n_bands,), default=None
        Frequency of each band in Hz; None counts bands.
    times : ndarray of shape (n_frames,), default=None
        Times of the frames in seconds; None counts frames.
    scores : dict of str to float, default=None
        Scores to write over the panels: ``"input"``, ``"equalised"`` and ``"unrestrained"``.

    Attributes
    ----------
    axes_ : ndarray of shape (2, 2)
        Matplotlib axes.
    images_ : ndarray of shape (2, 2)
        Matplotlib images.
    colorbars_ : list
        Matplotlib colour bars, one a row.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.SpectralMaskEqualizer : Finds the masks.
    MaskSmoothingDisplay : Masks before and after smoothing.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import SpectralMaskEqualizer
    >>> from skperceptual.plotting import EqualizerDisplay
    >>> from skperceptual.utils.estimator_checks.scorers import TiltScorer
    >>> images = np.random.default_rng(0).standard_normal((1, 40, 60))
    >>> equalizer = SpectralMaskEqualizer(TiltScorer(), max_iter=5).fit(images)
    >>> display = EqualizerDisplay.from_estimator(equalizer, images)
    >>> display.axes_.shape
    (2, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        image: NDArray[np.floating],
        mask: NDArray[np.floating],
        unrestrained_mask: NDArray[np.floating],
        frequencies: NDArray[np.floating] | None = None,
        times: NDArray[np.floating] | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> None:
        self.image = image
        self.mask = mask
        self.unrestrained_mask = unrestrained_mask
        self.frequencies = frequencies
        self.times = times
        self.scores = scores

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample: int = 0,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        mask_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Equalise one recording, with and without restraint, and draw it.

        Parameters
        ----------
        estimator : SpectralMaskEqualizer
            A fitted equaliser.
        X : array or list
            Spectrograms as its ``transform`` reads them.
        sample : int, default=0
            Which row of X to draw.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        mask_kwargs : dict, default=None
            Passed to ``imshow`` for masks.

        Returns
        -------
        EqualizerDisplay
            The display, drawn.
        """
        image = np.asarray(X[range(len(X))[sample]])
        mask = estimator.transform(image[np.newaxis])[0] - image
        scorer, _ = unwrap_scorer(estimator.estimator)
        unrestrained = clone(estimator).set_params(
            estimator=FrozenEstimator(scorer),
            init="random",
            alpha=0.0,
            beta=0.0,
            random_state=estimator.seed_,
        )
        other_mask = unrestrained.fit(image[np.newaxis]).masks_[0]
        versions = np.stack([image, image + mask, image + other_mask.astype(image.dtype)])
        scores = scorer.predict_proba(versions)[:, 1].tolist()
        front_end = find_front_end(estimator.estimator, estimator.front_end)
        return cls.from_masks(
            image,
            mask,
            other_mask,
            frequencies=None if front_end is None else front_end.band_frequencies(),
            times=None if front_end is None else front_end.frame_times(image.shape[1]),
            scores=dict(zip(("input", "equalised", "unrestrained"), scores, strict=True)),
            ax=ax,
            image_kwargs=image_kwargs,
            mask_kwargs=mask_kwargs,
        )

    @classmethod
    def from_masks(
        cls,
        image: ArrayLike,
        mask: ArrayLike,
        unrestrained_mask: ArrayLike,
        *,
        frequencies: ArrayLike | None = None,
        times: ArrayLike | None = None,
        scores: Mapping[str, float] | None = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        mask_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw masks that were found before.

        Parameters
        ----------
        image : array of shape (n_bands, n_frames)
            The spectrogram, natural logarithms of magnitudes.
        mask, unrestrained_mask : array of shape (n_bands, n_frames)
            Its masks, natural logarithms of gains.
        frequencies : array of shape (n_bands,), default=None
            Frequency of each band in Hz.
        times : array of shape (n_frames,), default=None
            Times of the frames in seconds.
        scores : dict of str to float, default=None
            Scores to write over the panels: ``"input"``, ``"equalised"``, ``"unrestrained"``.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        mask_kwargs : dict, default=None
            Passed to ``imshow`` for masks.

        Returns
        -------
        EqualizerDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When spectrogram, masks and axes differ in size.
        """
        arrays = [np.asarray(array) for array in (image, mask, unrestrained_mask)]
        if arrays[0].ndim != 2 or len({array.shape for array in arrays}) > 1:
            raise ValueError(
                "Expected a spectrogram and two masks of its size, (n_bands, n_frames), got "
                f"{[array.shape for array in arrays]}."
            )
        display = cls(
            image=arrays[0],
            mask=arrays[1],
            unrestrained_mask=arrays[2],
            frequencies=check_axis(frequencies, "frequencies", arrays[0].shape[0]),
            times=check_axis(times, "times", arrays[0].shape[1]),
            scores=scores,
        )
        return display.plot(ax, image_kwargs=image_kwargs, mask_kwargs=mask_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        image_kwargs: dict[str, Any] | None = None,
        mask_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the four panels.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a panel.
        image_kwargs : dict, default=None
            Passed to ``imshow`` for spectrograms.
        mask_kwargs : dict, default=None
            Passed to ``imshow`` for masks.

        Returns
        -------
        EqualizerDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        self.axes_, self.bounding_ax_ = grid_of_axes(pyplot, ax, (2, 2), (9.2, 5.6))
        self.figure_ = self.axes_[0, 0].figure
        rows = [
            [self.image, self.image + self.mask],
            [DB_A_NEPER * self.mask, DB_A_NEPER * self.unrestrained_mask],
        ]
        styles = [
            {
                "cmap": "magma",
                "vmin": self.image.min(),
                "vmax": max(picture.max() for picture in rows[0]),
                **(image_kwargs or {}),
            },
            {**around_zero(*rows[1]), **(mask_kwargs or {})},
        ]
        titles = [["input", "equalised"], ["mask", "mask without restraint"]]
        scored = [["input", "equalised"], ["equalised", "unrestrained"]]
        self.images_ = np.empty((2, 2), dtype=object)
        for row, column in np.ndindex(2, 2):
            axes: Any = self.axes_[row, column]
            self.images_[row, column] = draw_image(
                axes,
                rows[row][column],
                frequencies=self.frequencies,
                times=self.times,
                style=styles[row],
            )
            title = titles[row][column]
            if self.scores is not None:
                title += f" (score {self.scores[scored[row][column]]:.2f})"
            axes.set_title(title)
            axes.tick_params(labelleft=column == 0)
            if column > 0:
                axes.set_ylabel("")
            if row == 0:
                axes.set_xlabel("")
        labels = "log magnitude", "gain (dB)"
        self.colorbars_ = [
            add_colorbar(self.axes_[row, 1], self.images_[row, 1], labels[row]) for row in (0, 1)
        ]
        return self
