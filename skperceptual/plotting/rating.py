"""Ratings against predicted ratings, or against the values of a metric."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skperceptual.calibration import RatingMapping
from skperceptual.metrics import spearman_score
from skperceptual.plotting.axes import COLORS, MARKERS, import_pyplot, one_axes

__all__ = ["RatingDisplay"]


class RatingDisplay:
    """Ratings over predicted ratings, one point a pair, by condition.

    Points on the diagonal are predicted exactly. With a mapping, points lie over the values of a
    metric in its own unit, and its curve takes the place of the diagonal. Conditions differ in
    colour and in shape.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a
    display.

    Parameters
    ----------
    y_true : ndarray of shape (n_pairs,)
        Ratings.
    y_pred : ndarray of shape (n_pairs,)
        Predictions, or values of a metric.
    condition : ndarray of shape (n_pairs,), default=None
        Type of degradation of each pair.
    half_width : ndarray of shape (n_pairs,), default=None
        Half the width of the interval of each rating.
    mapping : RatingMapping, default=None
        The fitted map from values of the metric to ratings.
    score : float, default=None
        Spearman correlation, shown above.
    name : str, default=None
        Name of the metric, shown above.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure with the axes.
    scatters_ : list
        Matplotlib scatters, one a condition in order of appearance.
    errorbars_ : list or None
        Matplotlib error-bar containers, one a condition; None without intervals.
    line_ : matplotlib line
        The diagonal or, with a mapping, its curve.

    See Also
    --------
    skperceptual.metrics.spearman_score : The score shown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skperceptual.plotting import RatingDisplay
    >>> display = RatingDisplay.from_predictions(
    ...     [1.0, 2.0, 4.0, 5.0],
    ...     [1.3, 2.5, 3.6, 4.4],
    ...     condition=["noise", "codec", "noise", "codec"],
    ...     name="NLPD",
    ... )
    >>> display.ax_.get_title()
    'NLPD (Spearman 1.00)'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        y_true: NDArray[np.floating],
        y_pred: NDArray[np.floating],
        condition: NDArray[Any] | None = None,
        half_width: NDArray[np.floating] | None = None,
        mapping: RatingMapping | None = None,
        score: float | None = None,
        name: str | None = None,
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.condition = condition
        self.half_width = half_width
        self.mapping = mapping
        self.score = score
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        condition: ArrayLike | None = None,
        half_width: ArrayLike | None = None,
        name: str | None = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Predict the ratings of pairs and draw them.

        Parameters
        ----------
        estimator : fitted estimator
            What has ``predict``: a regressor or a Pipeline that ends in one.
        X : array, list or DataFrame
            Pairs in the form that the estimator reads. Take pairs that it was not fitted to.
        y : array of shape (n_pairs,)
            Their ratings.
        condition : array of shape (n_pairs,), default=None
            Type of degradation of each pair.
        half_width : array of shape (n_pairs,), default=None
            Half the width of the interval of each rating, drawn as a line through its point; NaN
            where there is none.
        name : str, default=None
            Name of the metric; None takes the class of the estimator, or of its last step.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``scatter``, to ``plot`` of the diagonal or curve, and to ``errorbar``.

        Returns
        -------
        RatingDisplay
            The display, drawn.
        """
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        return cls.from_predictions(
            y,
            estimator.predict(X),
            condition=condition,
            half_width=half_width,
            name=type(last).__name__ if name is None else name,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
            errorbar_kwargs=errorbar_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        condition: ArrayLike | None = None,
        half_width: ArrayLike | None = None,
        mapping: str | RatingMapping | None = None,
        name: str | None = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw predictions that were made before.

        Parameters
        ----------
        y_true : array of shape (n_pairs,)
            Ratings.
        y_pred : array of shape (n_pairs,)
            Predictions, such as ``cross_val_predict`` gives for pairs held out, or, with a
            mapping, the values of a metric.
        condition : array of shape (n_pairs,), default=None
            Type of degradation of each pair.
        half_width : array of shape (n_pairs,), default=None
            Half the width of the interval of each rating, drawn as a line through its point; NaN
            where there is none.
        mapping : str or RatingMapping, default=None
            The map from values of the metric to ratings that is to be drawn: a kind of
            :class:`RatingMapping`, which is fitted to these very pairs, or a fitted one. The
            predictions may then be in any unit.
        name : str, default=None
            Name of the metric.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``scatter``, to ``plot`` of the diagonal or curve, and to ``errorbar``.

        Returns
        -------
        RatingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the arrays differ in length, or half a width is negative.
        """
        score = spearman_score(y_true, y_pred)
        ratings, predictions = np.ravel(y_true), np.ravel(y_pred)
        labels = None if condition is None else np.asarray(condition)
        if labels is not None and labels.shape != ratings.shape:
            raise ValueError(
                f"Expected one condition for each of the {len(ratings)} pairs, got an array of "
                f"shape {labels.shape}."
            )
        widths = None if half_width is None else np.asarray(half_width, dtype=np.float64)
        if widths is not None and (widths.shape != ratings.shape or (widths < 0).any()):
            raise ValueError(
                f"Expected half_width to be 0 or more for each of the {len(ratings)} pairs, got "
                f"an array of shape {widths.shape}"
                + (" with negative values." if (widths < 0).any() else ".")
            )
        fitted: Any = mapping
        if isinstance(mapping, str):
            fitted = RatingMapping(mapping).fit(predictions, ratings)
        elif mapping is not None:
            check_is_fitted(mapping)
        display = cls(
            y_true=ratings,
            y_pred=predictions,
            condition=labels,
            half_width=widths,
            mapping=fitted,
            score=score,
            name=name,
        )
        return display.plot(
            ax,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
            errorbar_kwargs=errorbar_kwargs,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        errorbar_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the ratings over the predictions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs, errorbar_kwargs : dict, default=None
            Passed to ``scatter``, to ``plot`` of the diagonal or curve, and to ``errorbar``.

        Returns
        -------
        RatingDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = one_axes(import_pyplot(self), ax, (4.6, 4.4))
        self.figure_ = self.ax_.figure
        self._draw_line(line_kwargs or {})
        self.errorbars_: list[Any] | None = None if self.half_width is None else []
        self.scatters_: list[Any] = []
        for number, label in enumerate(self._conditions()):
            self._draw_condition(number, label, scatter_kwargs or {}, errorbar_kwargs or {})
        self.ax_.set_ylabel("rating")
        score = None if self.score is None else f"Spearman {self.score:.2f}"
        if self.name is not None:
            score = self.name if score is None else f"{self.name} ({score})"
        self.ax_.set_title(score or "")
        if self.condition is not None:
            place = "upper left" if self.mapping is None else "best"
            self.ax_.legend(frameon=False, loc=place, handletextpad=0.2)
        return self

    def _conditions(self) -> list[Any]:
        return [None] if self.condition is None else list(dict.fromkeys(self.condition.tolist()))

    def _draw_line(self, line_kwargs: dict[str, Any]) -> None:
        style = {"color": "0.6", "linewidth": 1, "zorder": 0, **line_kwargs}
        if self.mapping is None:
            width = 0.0 if self.half_width is None else np.nan_to_num(self.half_width)
            everything = np.concatenate([self.y_pred, self.y_true - width, self.y_true + width])
            margin = 0.05 * (float(np.ptp(everything)) or 1.0)
            limits = (everything.min() - margin, everything.max() + margin)
            (self.line_,) = self.ax_.plot(limits, limits, **style)
            self.ax_.set(xlim=limits, ylim=limits, aspect="equal", xlabel="predicted rating")
            return
        values = np.linspace(self.y_pred.min(), self.y_pred.max(), 201)
        style = {"color": "0.3", "linewidth": 1.5, **line_kwargs}
        (self.line_,) = self.ax_.plot(values, self.mapping.predict(values), **style)
        self.ax_.set_xlabel("value of the metric")

    def _draw_condition(
        self,
        number: int,
        label: Any,
        scatter_kwargs: dict[str, Any],
        errorbar_kwargs: dict[str, Any],
    ) -> None:
        rows = slice(None) if label is None else self.condition == label
        color = COLORS[number % len(COLORS)]
        if self.half_width is not None and self.errorbars_ is not None:
            style: dict[str, Any] = {"fmt": "none", "ecolor": color, "alpha": 0.35, "zorder": 1}
            self.errorbars_.append(
                self.ax_.errorbar(
                    self.y_pred[rows],
                    self.y_true[rows],
                    yerr=self.half_width[rows],
                    **{**style, "elinewidth": 1, **errorbar_kwargs},
                )
            )
        style = {
            "color": color,
            "marker": MARKERS[number % len(MARKERS)],
            "s": 28,
            "alpha": 0.75,
            "edgecolors": "white",
            "linewidths": 0.5,
            "label": None if label is None else str(label),
            "zorder": 2,
            **scatter_kwargs,
        }
        self.scatters_.append(self.ax_.scatter(self.y_pred[rows], self.y_true[rows], **style))
