"""The weights of divisive normalisations, drawn level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError

from skperceptual.plotting.axes import grid_of_axes, import_pyplot

__all__ = ["DivisiveNormDisplay"]

_COLOR_SCALES = ("row", "all", "panel")


class DivisiveNormDisplay:
    """Filters of divisive normalisations: one column a level, one row a normalisation.

    Figure 2 of [1]_. Each panel shows how much the neighbours of a coefficient weigh in the
    denominator that divides it. The centre of a panel is the coefficient itself; up are higher
    frequency bands, right are later frames. At level k the neighbours are ``2**k`` bands and
    frames of the image apart.

    It is recommended to use :meth:`from_estimator` or :meth:`from_filters` to create a display.

    Parameters
    ----------
    filters : list of ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights, one array a row of the figure. ``filters[row][level, i, j]`` weighs the
        neighbour ``i - kernel_size // 2`` bands higher and ``j - kernel_size // 2`` frames
        later, so that row 0 of a filter, the lowest band, is drawn at the bottom. Rows may
        differ in the number of levels.
    sigmas : list of ndarray of shape (n_levels,), default=None
        Constants of the denominators, shown above the panels; None shows none.
    names : list of str, default=None
        Names of the rows; None names none.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_columns)
        Matplotlib axes of the panels. Where a row has fewer levels, its last axes are empty.
    images_ : ndarray of shape (n_rows, n_columns)
        Matplotlib images, None in empty axes.
    colorbars_ : list
        Matplotlib colour bars.
    bounding_ax_ : matplotlib Axes or None
        The axes given to ``plot`` whose place the panels took.
    figure_ : matplotlib Figure
        The figure with the panels.

    See Also
    --------
    skperceptual.DivisiveNorm : Learns filters from references.
    skperceptual.NLPDRegressor : Learns filters from ratings.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import NLPD, DivisiveNormDisplay
    >>> references = np.random.default_rng(0).random((4, 64, 64))
    >>> pairs = np.stack([references, references**2], axis=1)
    >>> metrics = {
    ...     "photographs": NLPD(n_levels=3),
    ...     "statistical": NLPD(n_levels=3, normalization="statistical"),
    ... }
    >>> for metric in metrics.values():
    ...     _ = metric.fit(pairs)
    >>> display = DivisiveNormDisplay.from_estimator(metrics)
    >>> display.axes_.shape
    (2, 3)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        filters: Sequence[NDArray[np.floating]],
        sigmas: Sequence[NDArray[np.floating]] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.filters = filters
        self.sigmas = sigmas
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        color_scale: str = "row",
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the filters of fitted estimators.

        Parameters
        ----------
        estimator : estimator, or dict of str to estimator
            What has ``filters_`` and ``sigmas_``: :class:`DivisiveNorm`, :class:`NLPD` or
            :class:`NLPDRegressor`, fitted; a Pipeline with one of them among its steps; or a
            fitted search over such. A dict gives one row each, named by its keys; the row of a
            single estimator is named by its ``normalization``.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        color_scale : {"row", "all", "panel"}, default="row"
            Which panels share one scale of colours, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        DivisiveNormDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            When an estimator that learns filters is not fitted.
        ValueError
            When an estimator has no such step.
        """
        if isinstance(estimator, Mapping):
            names: list[str] | None = [str(name) for name in estimator]
            steps = [_find_normalization(one) for one in estimator.values()]
        else:
            steps = [_find_normalization(estimator)]
            normalization = getattr(steps[0], "normalization", None)
            names = [normalization] if isinstance(normalization, str) else None
        if not steps:
            raise ValueError("Expected at least one estimator, got an empty dict.")
        display = cls(
            filters=[step.filters_ for step in steps],
            sigmas=[step.sigmas_ for step in steps],
            names=names,
        )
        return display.plot(ax, color_scale=color_scale, image_kwargs=image_kwargs)

    @classmethod
    def from_filters(
        cls,
        filters: ArrayLike | Mapping[str, ArrayLike],
        *,
        sigmas: ArrayLike | Mapping[str, ArrayLike] | None = None,
        ax: Any = None,
        color_scale: str = "row",
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw filters of your own.

        Parameters
        ----------
        filters : array of shape (n_levels, kernel_size, kernel_size), or dict of str to array
            Weights; a dict gives one row each, named by its keys.
        sigmas : array of shape (n_levels,), or dict of str to array, default=None
            Constants; for a dict of filters a dict with the same keys.
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        color_scale : {"row", "all", "panel"}, default="row"
            Which panels share one scale of colours, as in :meth:`plot`.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        DivisiveNormDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the arrays have other shapes.
        """
        sets: Any = filters if isinstance(filters, Mapping) else {"": filters}
        constants: Any = sigmas if isinstance(sigmas, Mapping) else {"": sigmas}
        if not sets:
            raise ValueError("Expected at least one set of filters, got an empty dict.")
        if sigmas is not None and constants.keys() != sets.keys():
            raise ValueError(
                "Expected sigmas in the form of the filters: an array for an array, a dict with "
                f"the same keys for a dict, got {type(sigmas).__name__}."
            )
        rows = [_check_filters(row) for row in sets.values()]
        checked = None
        if sigmas is not None:
            checked = [
                _check_sigmas(constants[name], len(row))
                for name, row in zip(sets, rows, strict=True)
            ]
        names = [str(name) for name in sets] if isinstance(filters, Mapping) else None
        display = cls(filters=rows, sigmas=checked, names=names)
        return display.plot(ax, color_scale=color_scale, image_kwargs=image_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        color_scale: str = "row",
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, default=None
            Where to draw: None makes a figure, a single axes gives up its place to the panels,
            an array holds one axes a panel.
        color_scale : {"row", "all", "panel"}, default="row"
            Which panels share one scale of colours, and its colour bar. It begins at 0; with
            negative weights it is symmetric about 0.
        image_kwargs : dict, default=None
            Passed to ``imshow``.

        Returns
        -------
        DivisiveNormDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For an unknown ``color_scale`` or a wrong number of axes.
        """
        pyplot = import_pyplot(self)
        if color_scale not in _COLOR_SCALES:
            raise ValueError(
                f"color_scale={color_scale!r} is unknown. Use one of {', '.join(_COLOR_SCALES)}."
            )
        n_rows, n_columns = len(self.filters), max(len(row) for row in self.filters)
        width = 1.3 if color_scale != "panel" else 1.9
        figsize = (width * n_columns + 1.2, 1.45 * n_rows + 0.6)
        self.axes_, self.bounding_ax_ = grid_of_axes(pyplot, ax, (n_rows, n_columns), figsize)
        self.figure_ = self.axes_[0, 0].figure
        self.images_ = np.full(self.axes_.shape, None, dtype=object)
        for row, filters in enumerate(self.filters):
            for level in range(n_columns):
                if level < len(filters):
                    limits = _color_limits(self._sharing(color_scale, row, level))
                    style = {**limits, **(image_kwargs or {})}
                    self._draw_panel(row, level, style)
                else:
                    self.axes_[row, level].set_axis_off()
            self._label_row(row)
        self._draw_colorbars(color_scale)
        return self

    def _sharing(self, color_scale: str, row: int, level: int) -> NDArray[np.floating]:
        """Give the weights of all panels that share the scale of one."""
        if color_scale == "all":
            return np.concatenate([np.ravel(filters) for filters in self.filters])
        return self.filters[row] if color_scale == "row" else self.filters[row][level]

    def _draw_panel(self, row: int, level: int, style: dict[str, Any]) -> None:
        axes, weights = self.axes_[row, level], self.filters[row][level]
        reach = weights.shape[0] // 2
        edges = (-reach - 0.5, reach + 0.5)
        image = axes.imshow(
            weights, **{"origin": "lower", "extent": edges * 2, "aspect": "equal", **style}
        )
        # Where the coefficient itself is, legible on every colour.
        axes.plot(0, 0, marker="o", markersize=4, color="white", markeredgecolor="black")
        ticks = sorted({-reach, 0, reach})
        axes.set(xticks=ticks, yticks=ticks, xlim=edges, ylim=edges)
        axes.tick_params(labelleft=level == 0, labelbottom=self._is_lowest(row, level))
        if self._is_lowest(row, level):
            axes.set_xlabel("frames later")
        lines = [f"level {level}"] if row == 0 else []
        if self.sigmas is not None:
            lines.append(f"σ = {self.sigmas[row][level]:.2g}")
        axes.set_title("\n".join(lines), fontsize="medium")
        self.images_[row, level] = image

    def _is_lowest(self, row: int, level: int) -> bool:
        return all(len(filters) <= level for filters in self.filters[row + 1 :])

    def _label_row(self, row: int) -> None:
        axes = self.axes_[row, 0]
        axes.set_ylabel("bands higher")
        if self.names is not None:
            axes.annotate(
                self.names[row],
                xy=(0, 0.5),
                xycoords=axes.yaxis.label,
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                rotation="vertical",
                fontweight="bold",
            )

    def _draw_colorbars(self, color_scale: str) -> None:
        if color_scale == "all":
            everywhere = {"ax": list(self.axes_.flat), "aspect": 14 * len(self.axes_), "pad": 0.02}
            self.colorbars_ = [self._draw_colorbar(self.images_[0, 0], everywhere)]
            return
        self.colorbars_ = []
        for row, filters in enumerate(self.filters):
            last = len(filters) - 1
            for level in range(last + 1) if color_scale == "panel" else [last]:
                # As high as the panel, whatever the layout makes of it.
                beside = {"cax": self.axes_[row, level].inset_axes((1.08, 0.0, 0.08, 1.0))}
                bar = self._draw_colorbar(self.images_[row, level], beside)
                if level < last:
                    bar.set_label("")
                self.colorbars_.append(bar)

    def _draw_colorbar(self, image: Any, place: dict[str, Any]) -> Any:
        return self.figure_.colorbar(image, label="weight", **place)


def _find_normalization(estimator: Any) -> Any:
    """Give the fitted step that has filters, or say what is missing."""
    step = _search_normalization(estimator)
    if step is None:
        raise ValueError(
            "Expected a DivisiveNorm, an NLPD, an NLPDRegressor or a Pipeline with one of them, "
            f"got {type(estimator).__name__}. Draw filters of your own with "
            "DivisiveNormDisplay.from_filters."
        )
    if not hasattr(step, "filters_"):
        raise NotFittedError(
            f"This {type(step).__name__} has no filters yet. Call fit before you draw it."
        )
    return step


def _search_normalization(estimator: Any) -> Any:
    """Give the step with a divisive normalisation, the last one of a Pipeline, or None."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if hasattr(estimator, "filters_") or hasattr(estimator, "normalization"):
        return estimator
    for _, step in reversed(getattr(estimator, "steps", [])):
        found = _search_normalization(step)
        if found is not None:
            return found
    return None


def _check_filters(filters: ArrayLike) -> NDArray[np.floating]:
    array = np.asarray(filters, dtype=float)
    if array.ndim != 3 or 0 in array.shape or array.shape[1] != array.shape[2]:
        raise ValueError(
            "Expected filters of shape (n_levels, kernel_size, kernel_size), got an array of "
            f"shape {array.shape}."
        )
    return array


def _check_sigmas(sigmas: ArrayLike, n_levels: int) -> NDArray[np.floating]:
    array = np.asarray(sigmas, dtype=float)
    if array.shape != (n_levels,):
        raise ValueError(
            f"Expected one sigma a level, an array of shape ({n_levels},), got {array.shape}."
        )
    return array


def _color_limits(weights: NDArray[np.floating]) -> dict[str, Any]:
    """Give the colours for weights: from 0, or around 0 where some are negative."""
    top = float(np.abs(weights).max()) or 1.0
    if weights.min() < 0:
        return {"cmap": "PuOr", "vmin": -top, "vmax": top}
    return {"cmap": "Blues", "vmin": 0.0, "vmax": top}
