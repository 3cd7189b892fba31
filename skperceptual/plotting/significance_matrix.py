"""Which metrics differ in their correlation with ratings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skperceptual import metrics
from skperceptual.plotting.axes import draw_labels, import_pyplot, one_axes, without_zero

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["SignificanceMatrixDisplay"]

_COLUMNS = ("metric", "other", "difference", "p_value")


class SignificanceMatrixDisplay:
    """Differences between metrics, pair by pair: coloured where these ratings tell them apart.

    A cell holds by how much the metric of its row exceeds that of its column, and the p-value
    below it. Cells without colour are differences that chance may have made.

    It is recommended to use :meth:`from_comparisons` or :meth:`from_predictions` to create a
    display.

    Parameters
    ----------
    comparisons : DataFrame
        One row a pair of metrics: ``metric``, ``other``, ``difference`` and ``p_value``, adjusted
        for the number of pairs.
    value_name : str, default="difference in correlation"
        Label of the differences.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure with the axes.
    image_ : matplotlib image
        The coloured table.
    texts_ : ndarray of shape (n_metrics, n_metrics)
        What is written in it.
    colorbar_ : matplotlib Colorbar
        The scale of colours.

    See Also
    --------
    skperceptual.metrics.compare_correlations : Compares two metrics.
    CorrelationsDisplay : The correlations themselves.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from skperceptual.plotting import SignificanceMatrixDisplay
    >>> comparisons = pd.DataFrame(
    ...     {
    ...         "metric": ["NLPD", "NLPD", "SSIM"],
    ...         "other": ["SSIM", "MSE", "MSE"],
    ...         "difference": [0.02, 0.15, 0.13],
    ...         "p_value": [0.6, 0.002, 0.01],
    ...     }
    ... )
    >>> display = SignificanceMatrixDisplay.from_comparisons(comparisons)
    >>> display.comparisons["p_value"].tolist()
    [0.6, 0.006, 0.02]
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, *, comparisons: pd.DataFrame, value_name: str = "difference in correlation"
    ) -> None:
        self.comparisons = comparisons
        self.value_name = value_name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: Mapping[str, ArrayLike] | pd.DataFrame,
        *,
        groups: ArrayLike | None = None,
        score: Callable[..., float] = metrics.spearman_score,
        higher_is_better: bool | Mapping[str, bool] = True,
        method: str = "jackknife",
        random_state: Any = 0,
        significance_level: float = 0.05,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Compare every two metrics and draw the differences, with Holm's correction.

        Parameters
        ----------
        y_true : array of shape (n_pairs,)
            Ratings.
        y_pred : dict of str to array of shape (n_pairs,), or DataFrame
            The values of each metric.
        groups : array of shape (n_pairs,), default=None
            Source recording of each pair.
        score : callable, default=spearman_score
            Which correlation, as in :func:`skperceptual.metrics.compare_correlations`.
        higher_is_better : bool or dict of str to bool, default=True
            Whether values rise with quality; those of distances are turned. A dict says so for
            each metric.
        method : str, default="jackknife"
            Which test, as in :func:`skperceptual.metrics.compare_correlations`; any but
            ``"zou"``, which gives no p-values.
        random_state : int, RandomState or None, default=0
            Of the bootstrap.
        significance_level : float, default=0.05
            Differences with larger adjusted p-values stay without colour.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs, text_kwargs : dict, default=None
            Passed to ``imshow`` and to ``text``.

        Returns
        -------
        SignificanceMatrixDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            For fewer than two metrics, a dict that lacks one of them, a method without p-values,
            and what :func:`skperceptual.metrics.compare_correlations` refuses.
        """
        import pandas as pd

        values = {str(name): given for name, given in y_pred.items()}
        if len(values) < 2:
            raise ValueError(f"Expected two metrics or more to compare, got {len(values)}.")
        if method == "zou":
            raise ValueError("method='zou' gives no p-values. Use method='jackknife'.")
        if isinstance(higher_is_better, Mapping):
            missing = [name for name in values if name not in higher_is_better]
            if missing:
                raise ValueError(
                    f"higher_is_better lacks {missing[0]!r}. Give it one bool for each metric, or "
                    "one for all."
                )
            rises = dict(higher_is_better)
        else:
            rises = dict.fromkeys(values, higher_is_better)
        rows = []
        for one, other in combinations(values, 2):
            found = metrics.compare_correlations(
                y_true,
                values[one],
                values[other],
                groups=groups,
                score=score,
                method=method,
                higher_is_better=(rises[one], rises[other]),
                random_state=random_state,
            )
            rows.append((one, other, found.difference, found.p_value))
        return cls.from_comparisons(
            pd.DataFrame(rows, columns=list(_COLUMNS)),
            significance_level=significance_level,
            ax=ax,
            image_kwargs=image_kwargs,
            text_kwargs=text_kwargs,
        )

    @classmethod
    def from_comparisons(
        cls,
        comparisons: pd.DataFrame,
        *,
        adjusted: bool = False,
        value_name: str = "difference in correlation",
        significance_level: float = 0.05,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw comparisons that were made before.

        Parameters
        ----------
        comparisons : DataFrame
            One row a pair of metrics, in one order of the two: ``metric``, ``other``,
            ``difference`` (of the first less the second) and ``p_value``.
        adjusted : bool, default=False
            Whether p-values are adjusted already. Otherwise they are, by Holm's method over all
            rows.
        value_name : str, default="difference in correlation"
            Label of the differences.
        significance_level : float, default=0.05
            Differences with larger adjusted p-values stay without colour.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs, text_kwargs : dict, default=None
            Passed to ``imshow`` and to ``text``.

        Returns
        -------
        SignificanceMatrixDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When columns are missing, or two metrics are compared twice.
        """
        missing = [name for name in _COLUMNS if name not in comparisons]
        if missing:
            raise ValueError(
                f"The table has no column {missing[0]!r}; it has {list(comparisons.columns)}. "
                f"Name its columns {', '.join(_COLUMNS)}."
            )
        table = comparisons[list(_COLUMNS)].reset_index(drop=True)
        pairs = [frozenset(pair) for pair in zip(table["metric"], table["other"], strict=True)]
        for row, pair in enumerate(pairs):
            if len(pair) == 1 or pair in pairs[:row]:
                one, other = table.loc[row, ["metric", "other"]]
                raise ValueError(
                    f"The row of {one!r} and {other!r} compares a metric with itself, or two that "
                    "an earlier row compares. Give one row for each two metrics, such as those of "
                    "one condition."
                )
        if not adjusted:
            table = table.assign(p_value=metrics.holm_correction(table["p_value"].to_numpy()))
        display = cls(comparisons=table, value_name=value_name)
        return display.plot(
            ax,
            significance_level=significance_level,
            image_kwargs=image_kwargs,
            text_kwargs=text_kwargs,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        significance_level: float = 0.05,
        image_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the differences.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        significance_level : float, default=0.05
            Differences with larger p-values stay without colour.
        image_kwargs, text_kwargs : dict, default=None
            Passed to ``imshow`` and to ``text``.

        Returns
        -------
        SignificanceMatrixDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        pyplot = import_pyplot(self)
        pairs = self.comparisons
        names = list(dict.fromkeys([*pairs["metric"], *pairs["other"]]))
        place = {name: row for row, name in enumerate(names)}
        values = np.full((len(names), len(names)), np.nan)
        words = [["" for _ in names] for _ in names]
        for pair in pairs.to_dict("records"):
            told_apart = pair["p_value"] < significance_level
            for one, other, sign in (("metric", "other", 1), ("other", "metric", -1)):
                row, column = place[pair[one]], place[pair[other]]
                difference = sign * pair["difference"]
                values[row, column] = difference if told_apart else 0.0
                words[row][column] = _in_words(difference, pair["p_value"])
        largest = float(np.nanmax(np.abs(pairs["difference"]), initial=0.0)) or 1.0
        self.ax_ = one_axes(pyplot, ax, (2.4 + 0.75 * len(names), 1.2 + 0.6 * len(names)))
        self.figure_ = self.ax_.figure
        style = {"cmap": "RdBu", "vmin": -largest, "vmax": largest, "aspect": "auto"}
        self.image_ = self.ax_.imshow(
            np.ma.masked_invalid(values), **{**style, **(image_kwargs or {})}
        )
        self.ax_.set_facecolor("0.9")
        self.texts_ = draw_labels(
            self.image_, words, {"fontsize": "x-small", **(text_kwargs or {})}
        )
        labels = [str(name) for name in names]
        self.ax_.set_xticks(
            np.arange(len(names)), labels, rotation=45, ha="right", rotation_mode="anchor"
        )
        self.ax_.set_yticks(np.arange(len(names)), labels)
        self.ax_.tick_params(length=0)
        self.ax_.set_title("difference, and its p-value below", fontsize="small")
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=self.ax_, label=f"{self.value_name}\n(row less column)"
        )
        return self


def _in_words(difference: float, p_value: float) -> str:
    p = "<.001" if p_value < 0.001 else without_zero(f"{p_value:.3f}")
    p = p if np.isfinite(p_value) else "no p"
    return f"{without_zero(f'{difference:+.2f}')}\n{p}"
