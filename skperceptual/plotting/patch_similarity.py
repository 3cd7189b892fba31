"""Where in time and frequency a degraded recording departs from its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.plotting.axes import COLORS, grid_of_axes, import_pyplot
from skperceptual.plotting.frequency_axis import frequency_ticks
from skperceptual.utils.pipelines import flat_steps

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PatchSimilarityDisplay"]

_TIMES = ["reference_start", "reference_end", "degraded_start", "degraded_end"]


class PatchSimilarityDisplay:
    """Similarities that ViSQOL found, patch by patch and band by band.

    Above, the mean similarity of each patch over the time of the reference; below, that of each
    of its bands. A patch that the degraded signal lacks is 0 in all bands, and hatched. What lies
    between patches was not compared.

    It is recommended to use :meth:`from_estimator` or :meth:`from_patches` to create a display.

    Parameters
    ----------
    patches : DataFrame
        What :meth:`skperceptual.ViSQOL.patches` gives for one pair.
    frequencies : ndarray of shape (n_bands,)
        Centre frequencies of the bands in Hz.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Matplotlib axes of the means and of the bands.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    colorbar_ : matplotlib Colorbar
        The scale of colours.
    figure_ : matplotlib Figure
        The figure with the panels.
    lines_ : list
        Matplotlib lines of the means, one a patch.
    meshes_ : list
        Matplotlib images of the bands, one a patch.
    missing_ : list
        Matplotlib patches that hatch what the degraded signal lacks.

    See Also
    --------
    skperceptual.ViSQOL : Compares the patches.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skperceptual import ViSQOL
    >>> from skperceptual.datasets import make_music
    >>> from skperceptual.plotting import PatchSimilarityDisplay
    >>> music = make_music(n_songs=1, duration_seconds=3.0, sr=48000, random_state=0).signals[0]
    >>> damaged = music.copy()
    >>> damaged[60000:90000] = np.round(damaged[60000:90000] * 16) / 16
    >>> display = PatchSimilarityDisplay.from_estimator(ViSQOL(), [(music, damaged)])
    >>> display.axes_[1].get_xlabel()
    'time in the reference (s)'
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, patches: pd.DataFrame, frequencies: NDArray[np.floating]) -> None:
        self.patches = patches
        self.frequencies = frequencies

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample: int = 0,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Compare one pair, and draw its patches.

        Parameters
        ----------
        estimator : ViSQOL or Pipeline
            The metric, or a Pipeline that ends in it.
        X : array, list or DataFrame
            Pairs of signals, or of file names, as the estimator reads them.
        sample : int, default=0
            Which row of X to draw.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        line_kwargs, image_kwargs : dict, default=None
            Passed to ``hlines`` and to ``pcolormesh``.

        Returns
        -------
        PatchSimilarityDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            When the estimator has no patches.
        IndexError
            When X has no such row.
        """
        steps = flat_steps(estimator)
        if not hasattr(steps[-1], "patches"):
            raise TypeError(
                "Expected a ViSQOL, or a Pipeline that ends in one, got "
                f"{type(steps[-1]).__name__}, which has no patches."
            )
        row = range(len(X))[sample]
        batch = (X.iloc if hasattr(X, "iloc") else X)[row : row + 1]
        for step in steps[:-1]:
            batch = step.transform(batch)
        return cls.from_patches(
            steps[-1].patches(batch),
            steps[-1].band_frequencies(),
            ax=ax,
            line_kwargs=line_kwargs,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_patches(
        cls,
        patches: pd.DataFrame,
        frequencies: ArrayLike,
        *,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw patches that were compared before.

        Parameters
        ----------
        patches : DataFrame
            What :meth:`skperceptual.ViSQOL.patches` gives, of one pair.
        frequencies : array of shape (n_bands,)
            What its ``band_frequencies`` gives.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        line_kwargs, image_kwargs : dict, default=None
            Passed to ``hlines`` and to ``pcolormesh``.

        Returns
        -------
        PatchSimilarityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the table holds other columns, no pair or several, or other bands.
        """
        hertz = np.asarray(frequencies, dtype=float)
        missing = [name for name in ("pair", *_TIMES, "similarity") if name not in patches]
        if missing:
            raise ValueError(
                f"Expected a table of ViSQOL.patches, but there is no column {missing[0]!r}."
            )
        if patches["pair"].nunique() != 1:
            raise ValueError(
                f"Expected the patches of one pair, got {patches['pair'].nunique()} pairs. Choose "
                "one: patches[patches['pair'] == 0]."
            )
        n_bands = len(patches.columns) - len(_TIMES) - 2
        if hertz.shape != (n_bands,):
            raise ValueError(
                f"Expected one frequency for each of the {n_bands} bands, got {hertz.shape}."
            )
        display = cls(patches=patches, frequencies=hertz)
        return display.plot(ax, line_kwargs=line_kwargs, image_kwargs=image_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the similarities.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to both panels,
            an array holds the two.
        line_kwargs, image_kwargs : dict, default=None
            Passed to ``hlines`` and to ``pcolormesh``.

        Returns
        -------
        PatchSimilarityDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        grid, self.bounding_ax_ = grid_of_axes(pyplot, ax, (2, 1), (7.0, 4.6))
        self.axes_ = grid[:, 0]
        self.figure_ = self.axes_[0].figure
        above, below = self.axes_
        style = {"cmap": "viridis", "vmin": 0.0, "vmax": 1.0, **(image_kwargs or {})}
        edges = np.arange(len(self.frequencies) + 1) - 0.5
        self.lines_: list[Any] = []
        self.meshes_: list[Any] = []
        self.missing_: list[Any] = []
        for patch in self.patches.itertuples(index=False):
            _, start, end, degraded_start, _, similarity, *bands = patch
            line = {"color": COLORS[0], "linewidth": 2, **(line_kwargs or {})}
            self.lines_.append(above.hlines(similarity, start, end, **line))
            column = np.asarray(bands, dtype=float)[:, np.newaxis]
            self.meshes_.append(below.pcolormesh([start, end], edges, column, **style))
            if np.isnan(degraded_start):
                hatching = {"facecolor": "none", "edgecolor": "white", "hatch": "//"}
                self.missing_.append(below.axvspan(start, end, **hatching))
        above.set(ylabel="similarity", ylim=(min(0.0, *self.patches["similarity"]), 1.02))
        above.tick_params(labelbottom=False)
        limits = self.patches["reference_start"].min(), self.patches["reference_end"].max()
        for panel in self.axes_:
            panel.set_xlim(*limits)
        below.set_yticks(*frequency_ticks(self.frequencies))
        below.set(xlabel="time in the reference (s)", ylabel="frequency (Hz)")
        place = below.inset_axes((1.03, 0.0, 0.03, 1.0))
        self.colorbar_ = self.figure_.colorbar(self.meshes_[0], cax=place, label="similarity")
        return self
