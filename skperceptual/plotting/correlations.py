"""Correlations of several metrics with ratings, and how sure they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skperceptual.plotting.axes import COLORS, grid_of_axes, import_pyplot

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CorrelationsDisplay"]


class CorrelationsDisplay:
    """Correlations with ratings: one panel a condition, one line a metric, with intervals.

    Metrics whose intervals overlap widely are not told apart by these ratings.

    It is recommended to use :meth:`from_correlations` to create a display.

    Parameters
    ----------
    correlations : DataFrame
        The columns ``metric``, ``condition``, ``value``, ``low`` and ``high``: one row for each
        metric and condition. A column ``reference``, if there is one, holds values to compare
        with, NaN where there are none.
    value_name : str, default="Spearman correlation"
        Label of the values.
    reference_name : str, default="reference"
        Name of the values to compare with.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_conditions,)
        The panels.
    bounding_ax_ : matplotlib Axes or None
        The axes whose place the panels share, if one was given.
    figure_ : matplotlib Figure
        The figure with the panels.
    errorbars_ : list
        Matplotlib error-bar containers, one a panel.
    references_ : list
        Matplotlib scatters of the values to compare with, one a panel; None where a panel has
        none.

    See Also
    --------
    skperceptual.metrics.correlation_interval : Computes such intervals.
    RatingDisplay : The ratings and predictions behind one correlation.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from skperceptual.plotting import CorrelationsDisplay
    >>> correlations = pd.DataFrame(
    ...     {
    ...         "metric": ["MSE", "NLPD"],
    ...         "condition": ["noise", "noise"],
    ...         "spearman": [0.5, 0.6],
    ...         "low": [0.2, 0.4],
    ...         "high": [0.7, 0.8],
    ...     }
    ... )
    >>> display = CorrelationsDisplay.from_correlations(correlations)
    >>> [label.get_text() for label in display.axes_[0].get_yticklabels()]
    ['MSE', 'NLPD']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        correlations: pd.DataFrame,
        value_name: str = "Spearman correlation",
        reference_name: str = "reference",
    ) -> None:
        self.correlations = correlations
        self.value_name = value_name
        self.reference_name = reference_name

    @classmethod
    def from_correlations(
        cls,
        correlations: pd.DataFrame,
        *,
        value: str = "spearman",
        low: str = "low",
        high: str = "high",
        reference: str | None = None,
        value_name: str | None = None,
        reference_name: str | None = None,
        ax: Any = None,
        errorbar_kwargs: dict[str, Any] | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw correlations that were computed before.

        Parameters
        ----------
        correlations : DataFrame
            One row for each metric and condition. The columns ``metric`` and ``condition`` name
            them; metrics and conditions are drawn in order of appearance.
        value : str, default="spearman"
            Column of the correlation.
        low, high : str, default="low", "high"
            Columns of the ends of its interval.
        reference : str, default=None
            Column of values to compare with, such as those of a paper; drawn where they are
            not NaN.
        value_name : str, default=None
            Label of the values; None takes the column's name, ``"spearman correlation"``.
        reference_name : str, default=None
            Name of the values to compare with; None takes the column's name.
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: one axes whose place the panels share, or one a condition. None makes
            a figure.
        errorbar_kwargs, scatter_kwargs : dict, default=None
            Passed to ``errorbar`` and, for the values to compare with, to ``scatter``.

        Returns
        -------
        CorrelationsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When columns are missing, or a metric has several rows in one condition.
        """
        names = {value: "value", low: "low", high: "high"}
        if reference is not None:
            names[reference] = "reference"
        missing = [name for name in ("metric", "condition", *names) if name not in correlations]
        if missing:
            raise ValueError(
                f"The table has no column {missing[0]!r}; it has {list(correlations.columns)}. "
                "Name its columns by value, low, high and reference."
            )
        repeated = correlations.duplicated(["metric", "condition"])
        if repeated.any():
            row = correlations[repeated].iloc[0]
            raise ValueError(
                f"The metric {row['metric']!r} has several rows in the condition "
                f"{row['condition']!r}. Select one of them first."
            )
        columns = ["metric", "condition", *names]
        display = cls(
            correlations=correlations[columns].rename(columns=names),
            value_name=f"{value.capitalize()} correlation" if value_name is None else value_name,
            reference_name=(reference or "reference") if reference_name is None else reference_name,
        )
        return display.plot(ax, errorbar_kwargs=errorbar_kwargs, scatter_kwargs=scatter_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        errorbar_kwargs: dict[str, Any] | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the correlations.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: one axes whose place the panels share, or one a condition. None makes
            a figure.
        errorbar_kwargs, scatter_kwargs : dict, default=None
            Passed to ``errorbar`` and, for the values to compare with, to ``scatter``.

        Returns
        -------
        CorrelationsDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        pyplot = import_pyplot(self)
        metrics = list(dict.fromkeys(self.correlations["metric"]))
        conditions = list(dict.fromkeys(self.correlations["condition"]))
        size = (1.6 + 1.7 * len(conditions), 1.3 + 0.28 * len(metrics))
        axes, self.bounding_ax_ = grid_of_axes(pyplot, ax, (1, len(conditions)), size)
        self.axes_ = axes[0]
        self.figure_ = self.axes_[0].figure
        self.errorbars_: list[Any] = []
        self.references_: list[Any] = []
        for panel, condition in zip(self.axes_, conditions, strict=True):
            rows = self.correlations[self.correlations["condition"] == condition]
            rows = rows.set_index("metric").reindex(metrics)
            self._draw_panel(panel, rows, errorbar_kwargs or {}, scatter_kwargs or {})
            panel.set_title(str(condition))
        self.axes_[0].set_yticks(np.arange(len(metrics)), [str(name) for name in metrics])
        for panel in self.axes_[1:]:
            panel.set_yticks(np.arange(len(metrics)), [])
        self.axes_[len(conditions) // 2].set_xlabel(self.value_name)
        self._add_legend()
        return self

    def _draw_panel(
        self,
        panel: Any,
        rows: pd.DataFrame,
        errorbar_kwargs: dict[str, Any],
        scatter_kwargs: dict[str, Any],
    ) -> None:
        positions = np.arange(len(rows))
        # Clipped, since rounding may leave a value a hair outside of its own interval.
        reach = np.clip([rows["value"] - rows["low"], rows["high"] - rows["value"]], 0, None)
        panel.axvline(0, color="0.8", linewidth=1, zorder=0)
        style: dict[str, Any] = {"fmt": "o", "color": COLORS[0], "markersize": 5}
        self.errorbars_.append(
            panel.errorbar(rows["value"], positions, xerr=reach, **{**style, **errorbar_kwargs})
        )
        scatter = None
        if "reference" in rows and rows["reference"].notna().any():
            style = {"marker": "D", "facecolors": "none", "edgecolors": COLORS[1], "zorder": 3}
            scatter = panel.scatter(
                rows["reference"], positions, **{**style, "s": 28, **scatter_kwargs}
            )
        self.references_.append(scatter)
        panel.set(xlim=(-1.05, 1.05), ylim=(len(rows) - 0.5, -0.5), xticks=[-1, 0, 1])

    def _add_legend(self) -> None:
        scatters = [scatter for scatter in self.references_ if scatter is not None]
        if scatters:
            self.axes_[-1].legend(
                [self.errorbars_[0], scatters[0]],
                ["with interval", self.reference_name],
                frameon=False,
                loc="upper left",
                bbox_to_anchor=(1.0, 1.0),
            )
