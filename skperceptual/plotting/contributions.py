"""What levels or frequency bands have in the loss of each pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skperceptual.inspection import contributions as tabulate
from skperceptual.plotting.axes import COLORS, import_pyplot, one_axes
from skperceptual.plotting.frequency_axis import frequency_ticks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ContributionsDisplay"]

_LABELS = {"contribution": "part of the loss", "share": "share of the loss"}


class ContributionsDisplay:
    """Parts of each pair's loss: stacked bars by level, or lines over frequency by band.

    It is recommended to use :meth:`from_estimator` or :meth:`from_contributions` to create a
    display.

    Parameters
    ----------
    contributions : DataFrame
        What :func:`skperceptual.inspection.contributions` gave.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure with the axes.
    bars_ : list
        Matplotlib bar containers, one a level; None for a table by band.
    lines_ : list
        Matplotlib lines, one a pair and, where there are many pairs, their median; None for a
        table by level.

    See Also
    --------
    skperceptual.inspection.contributions : Makes the table.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual import NLPD
    >>> from skperceptual.plotting import ContributionsDisplay
    >>> references = np.random.default_rng(0).random((3, 64, 64))
    >>> pairs = np.stack([references, references**2], axis=1)
    >>> display = ContributionsDisplay.from_estimator(NLPD(n_levels=4), pairs)
    >>> len(display.bars_)
    4
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, contributions: pd.DataFrame) -> None:
        self.contributions = contributions

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        by: str = "level",
        value: str = "contribution",
        ax: Any = None,
        artist_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Split the loss of pairs and draw the parts.

        Parameters
        ----------
        estimator : estimator
            A metric, or a Pipeline with one among its steps, as in
            :func:`skperceptual.inspection.contributions`.
        X : array, list or DataFrame
            Pairs in the form that the estimator reads.
        by : {"level", "band"}, default="level"
            What to split by.
        value : {"contribution", "share"}, default="contribution"
            What to draw, as in :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        artist_kwargs : dict, default=None
            Passed to ``barh`` or, by band, to ``plot``.

        Returns
        -------
        ContributionsDisplay
            The display, drawn.
        """
        return cls.from_contributions(
            tabulate(estimator, X, by=by), value=value, ax=ax, artist_kwargs=artist_kwargs
        )

    @classmethod
    def from_contributions(
        cls,
        contributions: pd.DataFrame,
        *,
        value: str = "contribution",
        ax: Any = None,
        artist_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw parts that were computed before.

        Parameters
        ----------
        contributions : DataFrame
            What :func:`skperceptual.inspection.contributions` gave.
        value : {"contribution", "share"}, default="contribution"
            What to draw, as in :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        artist_kwargs : dict, default=None
            Passed to ``barh`` or, by band, to ``plot``.

        Returns
        -------
        ContributionsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the table has other columns.
        """
        columns = set(getattr(contributions, "columns", ()))
        by_band = {"band", "frequency_hz"} <= columns
        if not {"pair", *_LABELS} <= columns or not ("level" in columns or by_band):
            raise ValueError(
                "Expected the table that skperceptual.inspection.contributions gives, got "
                f"{type(contributions).__name__} with the columns {sorted(map(str, columns))}."
            )
        display = cls(contributions=contributions)
        return display.plot(ax, value=value, artist_kwargs=artist_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        value: str = "contribution",
        artist_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the parts.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        value : {"contribution", "share"}, default="contribution"
            Whether to draw parts that add up to the loss, or to 1.
        artist_kwargs : dict, default=None
            Passed to ``barh`` or, by band, to ``plot``.

        Returns
        -------
        ContributionsDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For an unknown ``value``.
        """
        pyplot = import_pyplot(self)
        if value not in _LABELS:
            raise ValueError(f"value={value!r} is unknown. Use 'contribution' or 'share'.")
        by = "level" if "level" in self.contributions else "band"
        table = self.contributions.pivot(index="pair", columns=by, values=value)
        # pivot sorts the pairs; they belong in the order in which they came
        table = table.loc[list(dict.fromkeys(self.contributions["pair"]))]
        height = 1.0 + 0.28 * len(table) if by == "level" else 3.4
        self.ax_ = one_axes(pyplot, ax, (6.4, height))
        self.figure_ = self.ax_.figure
        self.bars_: list[Any] | None = None
        self.lines_: list[Any] | None = None
        if by == "level":
            self._draw_bars(pyplot, table, _LABELS[value], artist_kwargs or {})
        else:
            self._draw_lines(table, _LABELS[value], artist_kwargs or {})
        return self

    def _draw_bars(
        self, pyplot: Any, table: pd.DataFrame, label: str, artist_kwargs: dict[str, Any]
    ) -> None:
        colors = pyplot.get_cmap("viridis")(np.linspace(0.05, 0.95, len(table.columns)))
        values = np.nan_to_num(table.to_numpy())
        starts = np.cumsum(values, axis=1) - values
        rows = np.arange(len(table))
        self.bars_ = [
            self.ax_.barh(
                rows,
                values[:, column],
                **{
                    "left": starts[:, column],
                    "color": colors[column],
                    "label": f"{level}",
                    **artist_kwargs,
                },
            )
            for column, level in enumerate(table.columns)
        ]
        self.ax_.set_yticks(rows, [str(pair) for pair in table.index])
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel=label, ylabel="pair")
        self.ax_.legend(title="level", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    def _draw_lines(self, table: pd.DataFrame, label: str, artist_kwargs: dict[str, Any]) -> None:
        bands, values = table.columns.to_numpy(), table.to_numpy()
        few = len(table) <= len(COLORS)
        lines: list[Any] = []
        for row, pair in enumerate(table.index):
            style: dict[str, Any] = {"color": "0.8"}
            if few:
                style = {"color": COLORS[row], "label": str(pair)}
            lines += self.ax_.plot(
                bands, values[row], **{"linewidth": 1.2, **style, **artist_kwargs}
            )
        if not few:
            style = {"color": COLORS[0], "linewidth": 2, "label": f"median of {len(table)} pairs"}
            lines += self.ax_.plot(bands, np.nanmedian(values, axis=0), **style)
        self.lines_ = lines
        first_pair = self.contributions["pair"] == table.index[0]
        frequencies = self.contributions.loc[first_pair, "frequency_hz"].to_numpy()
        self.ax_.set(xlabel="band", ylabel=f"{label} per band", xlim=(bands[0], bands[-1]))
        self.ax_.set_ylim(bottom=0)
        if np.isfinite(frequencies).all():
            self.ax_.set_xticks(*frequency_ticks(frequencies))
            self.ax_.set_xlabel("frequency (Hz)")
        self.ax_.legend(title="pair" if few else None, frameon=False)
