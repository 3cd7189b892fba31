"""Ratings and predictions by condition and level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from skperceptual.plotting.axes import COLORS, MARKERS, import_pyplot, one_axes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DegradationBarsDisplay"]

_COLUMNS = ("series", "condition", "level", "mean", "low", "high")
_SHADES = (0.2, 0.7)  # of the colour map: dark enough for paper, light enough for what is on top
_INCHES_A_LETTER = 0.12


class DegradationBarsDisplay:
    """Mean ratings by condition and level as bars, with intervals; predictions as points on them.

    It is recommended to use :meth:`from_predictions` or :meth:`from_estimator` to create a
    display.

    Parameters
    ----------
    means : DataFrame
        One row for each series, condition and level: ``series``, ``condition``, ``level``,
        ``mean``, ``low`` and ``high``. The first series is drawn as bars, the others as points.
    value_name : str, default="rating"
        Label of the values.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure with the axes.
    bars_ : list
        Matplotlib bar containers, one a level.
    errorbars_ : list
        Matplotlib error-bar containers, one a series, that of the bars first.

    See Also
    --------
    RatingDisplay : Every rating over its prediction.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual.plotting import DegradationBarsDisplay
    >>> display = DegradationBarsDisplay.from_predictions(
    ...     [4.5, 4.1, 2.5, 2.1, 3.9, 3.7, 1.5, 1.1],
    ...     condition=["noise"] * 4 + ["codec"] * 4,
    ...     level=["mild", "mild", "harsh", "harsh"] * 2,
    ... )
    >>> display.means["mean"].tolist()
    [4.3, 2.3, 3.8, 1.3]
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, means: pd.DataFrame, value_name: str = "rating") -> None:
        self.means = means
        self.value_name = value_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        condition: ArrayLike,
        level: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        name: str | None = None,
        confidence_level: float = 0.95,
        value_name: str = "rating",
        bottom: float = 0.0,
        ax: Any = None,
        bar_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Predict ratings and draw them beside the real ones.

        Parameters
        ----------
        estimator : fitted estimator, or dict of str to fitted estimator
            What has ``predict``. A dict names several.
        X : array, list or DataFrame
            Pairs in the form that the estimator reads, to which it was not fitted.
        y : array of shape (n_pairs,)
            Their ratings.
        condition : array of shape (n_pairs,)
            Type of degradation of each pair.
        level : array of shape (n_pairs,), default=None
            Its strength.
        groups : array of shape (n_pairs,), default=None
            Source recording of each pair.
        name : str, default=None
            Name of a single estimator; None takes the class of the estimator, or of its last
            step.
        confidence_level : float, default=0.95
            Of the intervals of the means, as in :meth:`from_predictions`.
        value_name : str, default="rating"
            Label of the values.
        bottom : float, default=0.0
            Where bars begin, as in :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``bar`` and to ``errorbar`` of the predictions.

        Returns
        -------
        DegradationBarsDisplay
            The display, drawn.
        """
        named = estimator
        if not isinstance(estimator, Mapping):
            last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
            named = {type(last).__name__ if name is None else name: estimator}
        return cls.from_predictions(
            y,
            {str(label): one.predict(X) for label, one in named.items()},
            condition=condition,
            level=level,
            groups=groups,
            confidence_level=confidence_level,
            value_name=value_name,
            bottom=bottom,
            ax=ax,
            bar_kwargs=bar_kwargs,
            errorbar_kwargs=errorbar_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike | Mapping[str, ArrayLike] | None = None,
        *,
        condition: ArrayLike,
        level: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        confidence_level: float = 0.95,
        value_name: str = "rating",
        bottom: float = 0.0,
        ax: Any = None,
        bar_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw means of ratings, or of scores, and of predictions that were made before.

        Parameters
        ----------
        y_true : array of shape (n_pairs,)
            Ratings, or the scores of a metric.
        y_pred : array of shape (n_pairs,), or dict of str to array, default=None
            Predictions on the same scale; a dict names several. None draws the ratings alone.
        condition : array of shape (n_pairs,)
            Type of degradation of each pair; conditions are drawn in order of appearance.
        level : array of shape (n_pairs,), default=None
            Its strength. Numbers are drawn in their order, names in order of appearance. None
            draws one bar a condition.
        groups : array of shape (n_pairs,), default=None
            Source recording of each pair. Ratings of one recording go together, so that the
            intervals are then those of independent recordings instead of independent pairs.
        confidence_level : float, default=0.95
            Of the intervals of the means, by Student's t. A single pair, or group, has none.
        value_name : str, default="rating"
            Label of the values.
        bottom : float, default=0.0
            Where bars begin, as in :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``bar`` and to ``errorbar`` of the predictions.

        Returns
        -------
        DegradationBarsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the arrays differ in length, or hold no finite values.
        """
        import pandas as pd

        if not 0 < confidence_level < 1:
            raise ValueError(f"Expected confidence_level between 0 and 1, got {confidence_level}.")
        if y_pred is None:
            y_pred = {}
        elif not isinstance(y_pred, Mapping):
            y_pred = {"predicted": y_pred}
        ratings = np.asarray(column_or_1d(y_true), dtype=np.float64)
        table: dict[str, Any] = {
            "condition": condition,
            "level": np.full(len(ratings), "") if level is None else level,
            "groups": np.arange(len(ratings)) if groups is None else groups,
        }
        series = {"ratings": ratings, **{str(name): values for name, values in y_pred.items()}}
        for name, values in {**table, **series}.items():
            if np.shape(values) != ratings.shape:
                raise ValueError(
                    f"Expected one value for each of the {len(ratings)} pairs in {name}, got an "
                    f"array of shape {np.shape(values)}."
                )
        if "ratings" in y_pred:
            raise ValueError("A prediction is called 'ratings', as y_true is. Rename it.")
        labels = pd.DataFrame({name: np.asarray(values) for name, values in table.items()})
        if labels.isna().to_numpy().any():
            raise ValueError(
                "Expected a condition, level and group for each pair, got missing ones."
            )
        rows = []
        for name, values in series.items():
            data = labels.assign(value=np.asarray(values, dtype=np.float64))
            if not np.isfinite(data["value"]).all():
                raise ValueError(f"Expected finite values, got NaN or infinity in {name}.")
            for (one, strength), cell in data.groupby(["condition", "level"], sort=False):
                interval = _mean_interval(
                    cell["value"].to_numpy(), cell["groups"].to_numpy(), confidence_level
                )
                rows.append((name, one, strength, *interval))
        display = cls(means=pd.DataFrame(rows, columns=list(_COLUMNS)), value_name=value_name)
        return display.plot(
            ax, bottom=bottom, bar_kwargs=bar_kwargs, errorbar_kwargs=errorbar_kwargs
        )

    def plot(
        self,
        ax: Any = None,
        *,
        bottom: float = 0.0,
        bar_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bottom : float, default=0.0
            Where bars begin: 1 for ratings from 1 to 5.
        bar_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``bar`` and to ``errorbar`` of the predictions.

        Returns
        -------
        DegradationBarsDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        pyplot = import_pyplot(self)
        names = list(dict.fromkeys(self.means["series"]))
        conditions = list(dict.fromkeys(self.means["condition"]))
        levels = list(dict.fromkeys(self.means["level"]))
        if np.asarray(levels).dtype.kind in "iuf":
            levels = sorted(levels)
        n_bars = len(conditions) * (len(levels) + 1)
        self.ax_ = one_axes(pyplot, ax, (max(4.0, 2.0 + 0.34 * n_bars), 3.4))
        self.figure_ = self.ax_.figure
        width = 0.8 / len(levels)
        place = {
            (one, strength): row + width * (column - (len(levels) - 1) / 2)
            for row, one in enumerate(conditions)
            for column, strength in enumerate(levels)
        }
        bars = self.means[self.means["series"] == names[0]]
        shades = pyplot.get_cmap("Blues")(np.linspace(*_SHADES, len(levels)))
        shades = shades if len(levels) > 1 else pyplot.get_cmap("Blues")([0.5])
        self.bars_ = []
        for strength, shade in zip(levels, shades, strict=True):
            rows = bars[bars["level"] == strength]
            where = [place[key] for key in zip(rows["condition"], rows["level"], strict=True)]
            style: dict[str, Any] = {
                "width": 0.92 * width,
                "color": shade,
                "label": str(strength),
            }
            style |= {"bottom": bottom, **(bar_kwargs or {})}
            self.bars_.append(self.ax_.bar(where, rows["mean"] - bottom, **style))
        self.errorbars_ = [
            self._draw_points(number, names, place, width, errorbar_kwargs or {})
            for number in range(len(names))
        ]
        labels = [str(one) for one in conditions]
        self.ax_.set_xticks(np.arange(len(labels)), labels)
        self.ax_.tick_params(axis="x", length=0)
        room = self.ax_.get_position().width * self.figure_.get_figwidth()
        if _INCHES_A_LETTER * len("".join(labels)) > room:
            for text in self.ax_.get_xticklabels():
                text.set(rotation=25, ha="right", rotation_mode="anchor")
        self.ax_.set_ylabel(self.value_name)
        self.ax_.spines[["top", "right"]].set_visible(False)
        self._add_legend(names, levels)
        return self

    def _draw_points(
        self,
        number: int,
        names: list[str],
        place: dict[tuple[Any, Any], float],
        width: float,
        errorbar_kwargs: dict[str, Any],
    ) -> Any:
        """Draw the means of one series with their intervals; those of the bars without a mark."""
        rows = self.means[self.means["series"] == names[number]]
        where = np.array([place[key] for key in zip(rows["condition"], rows["level"], strict=True)])
        where += 0.8 * width * ((number + 0.5) / len(names) - 0.5)  # side by side on their bar
        reach = np.clip([rows["mean"] - rows["low"], rows["high"] - rows["mean"]], 0, None)
        style: dict[str, Any] = {"fmt": "none", "ecolor": "black", "elinewidth": 1.2}
        if number > 0:
            style = {
                "fmt": MARKERS[(number - 1) % len(MARKERS)],
                "color": COLORS[number % len(COLORS)],
                "markeredgecolor": "white",
                "markeredgewidth": 0.5,
                "markersize": 6,
                "elinewidth": 1.2,
                "label": names[number],
                **errorbar_kwargs,
            }
        return self.ax_.errorbar(where, rows["mean"], yerr=reach, **style)

    def _add_legend(self, names: list[str], levels: list[Any]) -> None:
        handles: list[Any] = list(self.bars_) if len(levels) > 1 else []
        labels = [str(level) for level in levels] if len(levels) > 1 else []
        handles += self.errorbars_[1:]
        labels += names[1:]
        if handles:
            self.ax_.legend(
                handles, labels, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)
            )


def _mean_interval(
    values: NDArray[np.float64], groups: NDArray[Any], confidence_level: float
) -> tuple[float, float, float]:
    """Give a mean and its interval, from how far the sums of groups are from what they would be."""
    from scipy.stats import t as student

    mean = float(values.mean())
    _, members = np.unique(groups, return_inverse=True)
    excess = np.bincount(members, weights=values - mean)
    n_groups = len(excess)
    if n_groups < 2:
        return mean, mean, mean
    error = np.sqrt(n_groups / (n_groups - 1) * np.sum(excess**2)) / len(values)
    reach = float(student.ppf(0.5 + confidence_level / 2, n_groups - 1) * error)
    return mean, mean - reach, mean + reach
