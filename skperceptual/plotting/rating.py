"""Predicted ratings against ratings."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skperceptual.metrics import spearman_score
from skperceptual.plotting.axes import COLORS, MARKERS, import_pyplot, one_axes

__all__ = ["RatingDisplay"]


class RatingDisplay:
    """Ratings over predicted ratings, one point a pair, by condition.

    Points on the diagonal are predicted exactly. Conditions differ in colour and in shape.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a
    display.

    Parameters
    ----------
    y_true : ndarray of shape (n_pairs,)
        Ratings.
    y_pred : ndarray of shape (n_pairs,)
        Predictions.
    condition : ndarray of shape (n_pairs,), default=None
        Type of degradation of each pair.
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
    line_ : matplotlib line
        The diagonal.

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
        score: float | None = None,
        name: str | None = None,
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.condition = condition
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
        name: str | None = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
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
        name : str, default=None
            Name of the metric; None takes the class of the estimator, or of its last step.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs : dict, default=None
            Passed to ``scatter`` and to ``plot`` of the diagonal.

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
            name=type(last).__name__ if name is None else name,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        condition: ArrayLike | None = None,
        name: str | None = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw predictions that were made before.

        Parameters
        ----------
        y_true : array of shape (n_pairs,)
            Ratings.
        y_pred : array of shape (n_pairs,)
            Predictions, such as ``cross_val_predict`` gives for pairs held out.
        condition : array of shape (n_pairs,), default=None
            Type of degradation of each pair.
        name : str, default=None
            Name of the metric.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs : dict, default=None
            Passed to ``scatter`` and to ``plot`` of the diagonal.

        Returns
        -------
        RatingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the arrays differ in length.
        """
        score = spearman_score(y_true, y_pred)
        ratings, predictions = np.ravel(y_true), np.ravel(y_pred)
        labels = None if condition is None else np.asarray(condition)
        if labels is not None and labels.shape != ratings.shape:
            raise ValueError(
                f"Expected one condition for each of the {len(ratings)} pairs, got an array of "
                f"shape {labels.shape}."
            )
        display = cls(y_true=ratings, y_pred=predictions, condition=labels, score=score, name=name)
        return display.plot(ax, scatter_kwargs=scatter_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the ratings over the predictions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        scatter_kwargs, line_kwargs : dict, default=None
            Passed to ``scatter`` and to ``plot`` of the diagonal.

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
        everything = np.concatenate([self.y_true, self.y_pred])
        margin = 0.05 * (float(np.ptp(everything)) or 1.0)
        limits = (everything.min() - margin, everything.max() + margin)
        diagonal = {"color": "0.6", "linewidth": 1, "zorder": 0, **(line_kwargs or {})}
        (self.line_,) = self.ax_.plot(limits, limits, **diagonal)
        self.scatters_ = [
            self._draw_condition(number, label, scatter_kwargs or {})
            for number, label in enumerate(self._conditions())
        ]
        self.ax_.set(
            xlabel="predicted rating", ylabel="rating", xlim=limits, ylim=limits, aspect="equal"
        )
        score = None if self.score is None else f"Spearman {self.score:.2f}"
        if self.name is not None:
            score = self.name if score is None else f"{self.name} ({score})"
        self.ax_.set_title(score or "")
        if self.condition is not None:
            self.ax_.legend(frameon=False, loc="upper left", handletextpad=0.2)
        return self

    def _conditions(self) -> list[Any]:
        return [None] if self.condition is None else list(dict.fromkeys(self.condition.tolist()))

    def _draw_condition(self, number: int, label: Any, scatter_kwargs: dict[str, Any]) -> Any:
        rows = slice(None) if label is None else self.condition == label
        style = {
            "color": COLORS[number % len(COLORS)],
            "marker": MARKERS[number % len(MARKERS)],
            "s": 28,
            "alpha": 0.75,
            "edgecolors": "white",
            "linewidths": 0.5,
            "label": None if label is None else str(label),
            **scatter_kwargs,
        }
        return self.ax_.scatter(self.y_pred[rows], self.y_true[rows], **style)
