"""How alike metrics are, and how like ratings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.metrics import kendall_score, pearson_score, spearman_score
from skperceptual.plotting.axes import draw_labels, import_pyplot, one_axes, without_zero

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MetricCorrelationsDisplay"]

_SCORES = {"spearman": spearman_score, "pearson": pearson_score, "kendall": kendall_score}


class MetricCorrelationsDisplay:
    """Correlations among metrics, and of metrics with ratings, as a table in colours.

    Two metrics that correlate with each other far more than either does with ratings say the same
    thing twice. Signs are those of the values: a distance and a similarity correlate negatively.

    It is recommended to use :meth:`from_predictions` to create a display.

    Parameters
    ----------
    correlations : DataFrame of shape (n, n)
        Correlations, with the same names as index and as columns.
    value_name : str, default="Spearman correlation"
        Label of the values.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure with the axes.
    image_ : matplotlib image
        The coloured table.
    texts_ : ndarray of shape (n, n)
        The numbers in it.
    colorbar_ : matplotlib Colorbar
        The scale of colours.

    See Also
    --------
    SignificanceMatrixDisplay : Which metrics differ in their correlation with ratings.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual.plotting import MetricCorrelationsDisplay
    >>> display = MetricCorrelationsDisplay.from_predictions(
    ...     {"MSE": [0.1, 0.2, 0.4, 0.3], "SSIM": [0.9, 0.8, 0.5, 0.6]}, y_true=[5, 4, 1, 3]
    ... )
    >>> display.correlations.round(2)
             ratings  MSE  SSIM
    ratings      1.0 -1.0   1.0
    MSE         -1.0  1.0  -1.0
    SSIM         1.0 -1.0   1.0
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, *, correlations: pd.DataFrame, value_name: str = "Spearman correlation"
    ) -> None:
        self.correlations = correlations
        self.value_name = value_name

    @classmethod
    def from_predictions(
        cls,
        predictions: Mapping[str, ArrayLike] | pd.DataFrame,
        *,
        y_true: ArrayLike | None = None,
        score: str = "spearman",
        order: str = "given",
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Correlate the values of metrics with each other, and with ratings.

        Parameters
        ----------
        predictions : dict of str to array of shape (n_pairs,), or DataFrame
            The values of each metric for the same pairs.
        y_true : array of shape (n_pairs,), default=None
            Ratings of the pairs, which become a row and a column of their own, ``"ratings"``.
        score : {"spearman", "pearson", "kendall"}, default="spearman"
            Which correlation.
        order : {"given", "alike"}, default="given"
            Whether metrics stand as they were given, or those that are alike, whatever their
            sign, beside each other. Ratings come first in either case.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs, text_kwargs : dict, default=None
            Passed to ``imshow`` and to ``text`` of the numbers.

        Returns
        -------
        MetricCorrelationsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            For fewer than two columns, columns of unequal length, and unknown options.
        """
        import pandas as pd

        if score not in _SCORES:
            raise ValueError(
                f"score={score!r} is unknown. Use one of {', '.join(map(repr, _SCORES))}."
            )
        if order not in ("given", "alike"):
            raise ValueError(f"order={order!r} is unknown. Use 'given' or 'alike'.")
        columns = {str(name): np.asarray(values) for name, values in predictions.items()}
        names = list(columns)
        if y_true is not None:
            if "ratings" in columns:
                raise ValueError("A metric is called 'ratings', as y_true is. Rename it.")
            columns = {"ratings": np.asarray(y_true), **columns}
        shapes = {values.shape for values in columns.values()}
        if len(columns) < 2 or len(shapes) > 1 or len(next(iter(shapes))) != 1:
            found = ", ".join(f"{name} {values.shape}" for name, values in columns.items())
            raise ValueError(
                "Expected the values of two metrics or more, or of one and ratings, each of shape "
                f"(n_pairs,), got {found or 'none'}."
            )
        between = _SCORES[score]
        values = list(columns.values())
        matrix = np.eye(len(values))
        for row, column in combinations(range(len(values)), 2):
            matrix[row, column] = matrix[column, row] = between(values[row], values[column])
        table = pd.DataFrame(matrix, index=list(columns), columns=list(columns))
        if order == "alike" and len(names) > 2:
            names = [names[place] for place in _alike(table.loc[names, names].to_numpy())]
        shown = [*([] if y_true is None else ["ratings"]), *names]
        display = cls(
            correlations=table.loc[shown, shown],
            value_name=f"{score.capitalize()} correlation",
        )
        return display.plot(ax, image_kwargs=image_kwargs, text_kwargs=text_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        image_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs, text_kwargs : dict, default=None
            Passed to ``imshow`` and to ``text`` of the numbers.

        Returns
        -------
        MetricCorrelationsDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        pyplot = import_pyplot(self)
        values = self.correlations.to_numpy()
        names = [str(name) for name in self.correlations.columns]
        side = 1.2 + 0.52 * len(names)
        self.ax_ = one_axes(pyplot, ax, (side + 1.2, side))
        self.figure_ = self.ax_.figure
        style = {"cmap": "RdBu_r", "vmin": -1.0, "vmax": 1.0, **(image_kwargs or {})}
        self.image_ = self.ax_.imshow(values, **style)
        words = [[without_zero(f"{value:.2f}") for value in row] for row in values]
        self.texts_ = draw_labels(self.image_, words, text_kwargs or {})
        self.ax_.set_xticks(
            np.arange(len(names)), names, rotation=45, ha="right", rotation_mode="anchor"
        )
        self.ax_.set_yticks(np.arange(len(names)), names)
        self.ax_.tick_params(length=0)
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_, label=self.value_name)
        return self


def _alike(correlations: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order metrics so that those whose correlation is strong, of either sign, are neighbours."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    distances = 1 - np.abs(np.nan_to_num(correlations))
    np.fill_diagonal(distances, 0)
    condensed = squareform(np.clip(distances, 0, None), checks=False)
    return leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))
