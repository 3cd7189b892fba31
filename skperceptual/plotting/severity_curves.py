"""What a metric makes of damage that grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skperceptual.evaluation.severity_ladders import score_ladders
from skperceptual.plotting.axes import COLORS, MARKERS, grid_of_axes, import_pyplot

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SeverityCurvesDisplay"]

_COLUMNS = ("kind", "degradation", "severity", "parameter", "value", "signal", "score")
_SPREADS = ("range", "quartiles", "signals", None)
# A physical parameter whose last value is this many times its first has a logarithmic axis.
_WIDE = 10


class SeverityCurvesDisplay:
    """Scores over the severity of degradations: the mean over signals, and their spread.

    With one panel a metric and one line a degradation, the panels show which damage a metric
    thinks worse. With one panel a degradation and one line a metric, metrics of different units
    share an axis, so that their scores are drawn as losses relative to their worst.

    It is recommended to use :meth:`from_estimator` or :meth:`from_audit` to create a display.

    Parameters
    ----------
    scores : DataFrame
        One row a score: ``metric``, ``kind`` (``"identity"`` or ``"degraded"``),
        ``degradation``, ``severity``, ``parameter`` and ``value`` (the physical one), ``signal``
        and ``score``.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_panels,)
        The panels.
    bounding_ax_ : matplotlib Axes or None
        The axes whose place the panels share, if one was given.
    figure_ : matplotlib Figure
        The figure with the panels.
    lines_ : list of list
        Matplotlib lines of the means, those of one panel in a list.
    spreads_ : list of list
        What shows the signals: filled areas, or lists of lines; empty without.
    identity_lines_ : list
        Matplotlib lines at the mean score of signals against themselves, one a panel; None where
        there is no such finite score.

    See Also
    --------
    skperceptual.evaluation.audit_metric : Says which ladders go back.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import MSE, MelSpectrogram, PMQDNoise
    >>> from skperceptual.plotting import SeverityCurvesDisplay
    >>> signals = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000))
    >>> metric = make_pipeline(MelSpectrogram(sr=16000, n_mels=32), MSE())
    >>> noise = PMQDNoise(sr=16000)
    >>> display = SeverityCurvesDisplay.from_estimator(metric, signals, noise, sr=16000)
    >>> bool(np.all(np.diff(display.lines_[0][0].get_ydata()) > 0))
    True
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, scores: pd.DataFrame) -> None:
        self.scores = scores

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        signals: Any,
        degradations: Any,
        *,
        sr: int,
        severities: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
        random_state: int = 0,
        n_jobs: int | None = None,
        panels: str = "metric",
        x: str = "severity",
        spread: str | None = "range",
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        spread_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Degrade signals, score them and draw the scores.

        Parameters
        ----------
        estimator : estimator, or dict of str to estimator
            What gives one number for each pair of signals: a pipeline of a front end and a
            metric, or a regressor, fitted where it learns. A dict names several.
        signals : array of shape (n_signals, n_times), or list of arrays of shape (n_times,)
            Clean signals.
        degradations : Degradation, list of them, or dict of str to Degradation
            What to do to them; those of a list are named by their class.
        sr : int
            Sampling rate of the signals in Hz; degradations that have one need the same.
        severities : array-like of float in [0, 1], or dict of str to array-like, \
default=(0.0, 0.25, 0.5, 0.75, 1.0)
            Where to score, for all degradations or for each by its name.
        random_state : int, default=0
            Given to degradations whose ``random_state`` is None.
        n_jobs : int, default=None
            Number of processes.
        panels, x, spread : str, default="metric", "severity", "range"
            What to draw, as in :meth:`plot`.
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        line_kwargs, spread_kwargs : dict, default=None
            Passed to ``plot`` and, for the spread, to ``fill_between`` or ``plot``.

        Returns
        -------
        SeverityCurvesDisplay
            The display, drawn.
        """
        import pandas as pd

        named = estimator if isinstance(estimator, Mapping) else {_name_of(estimator): estimator}
        if not named:
            raise ValueError("Expected at least one estimator, got an empty dict.")
        tables = [
            score_ladders(
                one,
                signals,
                degradations,
                sr=sr,
                severities=severities,
                random_state=random_state,
                n_jobs=n_jobs,
            ).assign(metric=str(name))
            for name, one in named.items()
        ]
        return cls(scores=pd.concat(tables, ignore_index=True)).plot(
            ax,
            panels=panels,
            x=x,
            spread=spread,
            line_kwargs=line_kwargs,
            spread_kwargs=spread_kwargs,
        )

    @classmethod
    def from_audit(
        cls,
        audit: Any,
        *,
        panels: str = "metric",
        x: str = "severity",
        spread: str | None = "range",
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        spread_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the ladders of audits that were made before.

        Parameters
        ----------
        audit : MetricAudit, or dict of str to MetricAudit
            What :func:`skperceptual.evaluation.audit_metric` gave. A dict names several metrics.
        panels, x, spread : str, default="metric", "severity", "range"
            What to draw, as in :meth:`plot`.
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        line_kwargs, spread_kwargs : dict, default=None
            Passed to ``plot`` and, for the spread, to ``fill_between`` or ``plot``.

        Returns
        -------
        SeverityCurvesDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            For anything else than audits.
        """
        import pandas as pd

        named = (
            audit if isinstance(audit, Mapping) else {str(getattr(audit, "name", "metric")): audit}
        )
        tables = []
        for name, one in named.items():
            scores = getattr(one, "scores", None)
            if scores is None or not set(_COLUMNS) <= set(scores.columns):
                raise ValueError(
                    "Expected what skperceptual.evaluation.audit_metric gives, or a dict of such, "
                    f"got {type(one).__name__}."
                )
            drawn = scores["kind"].isin(["identity", "degraded"])
            tables.append(scores[drawn].assign(metric=str(name)))
        if not tables:
            raise ValueError("Expected at least one audit, got an empty dict.")
        return cls(scores=pd.concat(tables, ignore_index=True)).plot(
            ax,
            panels=panels,
            x=x,
            spread=spread,
            line_kwargs=line_kwargs,
            spread_kwargs=spread_kwargs,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        panels: str = "metric",
        x: str = "severity",
        spread: str | None = "range",
        line_kwargs: dict[str, Any] | None = None,
        spread_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: one axes whose place the panels share, or one a panel. None makes a
            figure.
        panels : {"metric", "degradation"}, default="metric"
            ``"metric"`` makes one panel a metric, with one line a degradation, of the scores as
            they are. ``"degradation"`` makes one panel a degradation, with one line a metric. A
            single metric keeps its scores; of several, each score becomes its distance to that of
            the signal itself, relative to the largest mean distance of its metric.
        x : {"severity", "physical"}, default="severity"
            What to draw over; ``"physical"`` is the physical parameter of the degradation, and
            needs panels with one degradation.
        spread : {"range", "quartiles", "signals"} or None, default="range"
            How to show that signals differ: the area from the lowest to the highest, between the
            quartiles, one thin line a signal, or not at all.
        line_kwargs, spread_kwargs : dict, default=None
            Passed to ``plot`` and, for the spread, to ``fill_between`` or ``plot``.

        Returns
        -------
        SeverityCurvesDisplay
            The display itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For unknown options, for a physical parameter where a panel has several, and for
            several metrics in a panel where one of them gives no finite score to a signal itself.
        """
        pyplot = import_pyplot(self)
        degraded = self.scores[self.scores["kind"] == "degraded"]
        metrics = list(dict.fromkeys(degraded["metric"]))
        degradations = list(dict.fromkeys(degraded["degradation"]))
        _check_options(panels, x, spread, len(degradations))
        inside = "degradation" if panels == "metric" else "metric"
        titles, lines = (metrics, degradations) if panels == "metric" else (degradations, metrics)
        relative = panels == "degradation" and len(metrics) > 1
        scores = _relative(self.scores) if relative else self.scores
        size = (2.5 * len(titles) + 1.5, 2.9)
        axes, self.bounding_ax_ = grid_of_axes(pyplot, ax, (1, len(titles)), size)
        self.axes_ = axes[0]
        self.figure_ = self.axes_[0].figure
        self.lines_: list[list[Any]] = []
        self.spreads_: list[list[Any]] = []
        self.identity_lines_: list[Any] = []
        for panel, title in zip(self.axes_, titles, strict=True):
            shown = scores[(scores[panels] == title) & (scores["kind"] == "degraded")]
            self.lines_.append([])
            self.spreads_.append([])
            for number, name in enumerate(lines):
                rows = shown[shown[inside] == name]
                style = {
                    "color": COLORS[number % len(COLORS)],
                    "marker": MARKERS[number % len(MARKERS)],
                    "markersize": 4,
                    "label": str(name),
                    **(line_kwargs or {}),
                }
                self._draw_line(panel, rows, x, spread, style, spread_kwargs or {})
            itself = scores[scores["kind"] == "identity"]
            if panels == "metric":
                itself = itself[itself["metric"] == title]
            self.identity_lines_.append(_draw_identity(panel, itself["score"].mean()))
            panel.set_title(str(title))
            panel.set_xlabel(x if x == "severity" else _parameter_of(shown))
        self._label(lines, relative)
        return self

    def _draw_line(
        self,
        panel: Any,
        rows: pd.DataFrame,
        x: str,
        spread: str | None,
        style: dict[str, Any],
        spread_kwargs: dict[str, Any],
    ) -> None:
        if rows.empty:
            return
        over = "severity" if x == "severity" else "value"
        table = rows.pivot_table(index=over, columns="signal", values="score")
        table = table.where(np.isfinite(table))  # the line breaks off where a signal has no score
        where = table.index.to_numpy()
        if x == "physical" and where[0] > 0 and where[-1] >= _WIDE * where[0]:
            panel.set_xscale("log")
        ends = {"range": (0.0, 1.0), "quartiles": (0.25, 0.75)}.get(spread or "")
        shade = {"color": style["color"], **spread_kwargs}
        if ends is not None and table.shape[1] > 1:
            edges = (table.quantile(end, axis=1) for end in ends)
            shade = {"alpha": 0.15, "linewidth": 0, **shade}
            self.spreads_[-1].append(panel.fill_between(where, *edges, **shade))
        elif spread == "signals":
            shade = {"alpha": 0.3, "linewidth": 0.8, **shade}
            self.spreads_[-1].append(panel.plot(where, table.to_numpy(), **shade))
        self.lines_[-1] += panel.plot(where, table.mean(axis=1, skipna=False), **style)

    def _label(self, names: list[Any], relative: bool) -> None:
        self.axes_[0].set_ylabel("loss, relative to the worst" if relative else "score")
        if relative:  # one unit, one axis
            low = min(panel.get_ylim()[0] for panel in self.axes_)
            high = max(panel.get_ylim()[1] for panel in self.axes_)
            for panel in self.axes_:
                panel.set_ylim(low, high)
            for panel in self.axes_[1:]:
                panel.tick_params(labelleft=False)
        handles = {}
        if len(names) > 1:
            handles = {line.get_label(): line for lines in self.lines_ for line in lines}
        itself = [line for line in self.identity_lines_ if line is not None]
        if itself:
            handles["signal itself"] = itself[0]
        if handles:
            self.axes_[-1].legend(
                handles.values(),
                handles.keys(),
                frameon=False,
                loc="upper left",
                bbox_to_anchor=(1.0, 1.0),
            )


def _check_options(panels: str, x: str, spread: str | None, n_degradations: int) -> None:
    if panels not in ("metric", "degradation"):
        raise ValueError(f"panels={panels!r} is unknown. Use 'metric' or 'degradation'.")
    if x not in ("severity", "physical"):
        raise ValueError(f"x={x!r} is unknown. Use 'severity' or 'physical'.")
    if spread not in _SPREADS:
        known = ", ".join(map(repr, _SPREADS))
        raise ValueError(f"spread={spread!r} is unknown. Use one of {known}.")
    if x == "physical" and panels == "metric" and n_degradations > 1:
        raise ValueError(
            f"The {n_degradations} degradations have no physical parameter in common. Use "
            "panels='degradation', which gives each a panel of its own, or x='severity'."
        )


def _relative(scores: pd.DataFrame) -> pd.DataFrame:
    """Turn scores into distances to the signal itself, 1 at the worst mean of each metric."""
    itself = scores[scores["kind"] == "identity"].set_index(["metric", "signal"])["score"]
    base = itself.reindex(list(zip(scores["metric"], scores["signal"], strict=True))).to_numpy()
    if not np.isfinite(base).all():
        raise ValueError(
            "Metrics in one panel are drawn relative to the score of a signal against itself, "
            "which is not finite here. Use panels='metric'."
        )
    scores = scores.assign(score=scores["score"] - base)
    keys = ["metric", "degradation", "severity"]
    means = scores[scores["kind"] == "degraded"].groupby(keys)["score"].mean().reset_index()
    means = means.loc[means["score"].abs().groupby(means["metric"]).idxmax()]
    worst = means.set_index("metric")["score"]
    return scores.assign(score=scores["score"] / worst.loc[scores["metric"]].to_numpy())


def _draw_identity(panel: Any, score: float) -> Any:
    if not np.isfinite(score):
        return None
    return panel.axhline(score, color="0.6", linewidth=1, linestyle="--", zorder=0)


def _parameter_of(rows: pd.DataFrame) -> str:
    parameter = str(rows["parameter"].iloc[0])
    for unit, written in (("_hz", " (Hz)"), ("_db", " (dB)"), ("_ms", " (ms)")):
        if parameter.endswith(unit):
            parameter = parameter.removesuffix(unit) + written
    return parameter.replace("_", " ")


def _name_of(estimator: Any) -> str:
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return type(last).__name__
