"""Make the table of a report: check, average, map, score every condition, correct p-values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skperceptual.metrics.dependent_correlations import holm_correction
from skperceptual.metrics.report_items import ALL, RatedItems, average_items, lay_out
from skperceptual.metrics.report_remarks import Remarks
from skperceptual.metrics.report_scores import SCORES, ReportOptions, score_items
from skperceptual.metrics.score_intervals import check_interval_parameters
from skperceptual.utils.messages import counted
from skperceptual.utils.random_states import own_random_state

if TYPE_CHECKING:
    from skperceptual.calibration import RatingMapping

__all__ = ["make_table"]

Floats = NDArray[np.float64]

_PER = ("file", "condition", "group")
_METHODS = ("jackknife", "fisher", "percentile", "bca")
_COLUMNS = [
    "metric",
    "condition",
    "n",
    "n_groups",
    *(f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")),
    *("rmse", "rmse_low", "rmse_high", "rmse_star", "outlier_ratio"),
    "ceiling",
    *("difference", "difference_low", "difference_high", "p_value", "p_value_holm"),
]


def make_table(
    y_true: ArrayLike,
    y_pred: Mapping[str, ArrayLike] | pd.DataFrame,
    *,
    groups: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    baseline: str | None = None,
    higher_is_better: bool | Mapping[str, bool] = True,
    compared: str = "srcc",
    per: str | ArrayLike = "file",
    mapping: str | None = "cubic",
    mapped: Mapping[str, ArrayLike] | pd.DataFrame | None = None,
    ddof: float | str = "auto",
    half_width: ArrayLike | None = None,
    votes: Any = None,
    method: str = "jackknife",
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: Any = 0,
    nan_policy: str = "raise",
    stacklevel: int = 3,
) -> pd.DataFrame:
    """Make the table that :func:`skperceptual.metrics.compare_metrics` gives.

    All parameters are its own but ``stacklevel``, whom warnings name, counted from here.
    """
    _check_choices(method, confidence_level, n_resamples, compared, mapping, ddof)
    if isinstance(per, str) and per not in _PER:
        raise ValueError(f"per={per!r} is unknown. Use one of {_PER}, or an array of labels.")
    if isinstance(per, str) and (
        (per == "condition" and condition is None) or (per == "group" and groups is None)
    ):
        needed = {"condition": "condition", "group": "groups"}[per]
        raise ValueError(f"per={per!r} needs {needed}=, the label of each item.")
    averages_conditions = isinstance(per, str) and per == "condition"
    pools = condition if averages_conditions else None if isinstance(per, str) else per
    items = lay_out(
        y_true,
        y_pred,
        mapped=mapped,
        groups=groups,
        condition=None if averages_conditions else condition,
        pools=pools,
        half_width=half_width,
        votes=votes,
        nan_policy=nan_policy,
    )
    if pools is not None:
        items = average_items(items)
    if baseline is not None and baseline not in items.names:
        raise ValueError(f"baseline={baseline!r} is none of the metrics {items.names}.")
    options = ReportOptions(
        within_groups=isinstance(per, str) and per == "group",
        method=method,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        seed=_seed(random_state),
        compared=compared,
        baseline=None if baseline is None else items.names.index(baseline),
        signs=_signs(higher_is_better, items.names),
    )
    remarks = Remarks()
    items, freedom = _map(items, mapping, ddof, remarks)
    rows = score_items(items, freedom, options, remarks, condition=ALL)
    _note_wrong_signs(rows, items.names, options, remarks)
    for number, name in enumerate(items.condition_names):
        some = items.take(items.condition == number)
        if len(some.ratings):  # a condition may be without ratings
            rows += score_items(some, freedom, options, remarks, condition=name)
    table = pd.DataFrame(
        [{"metric": name} | cells for name, cells in zip(_cycle(items, rows), rows, strict=True)],
        columns=_COLUMNS,
    )
    holm = table.groupby("condition", sort=False)["p_value"].transform(holm_correction)
    table["p_value_holm"] = holm.to_numpy(dtype=np.float64)
    remarks.warn(stacklevel=stacklevel)
    texts = ["metric", "condition", "n", "n_groups"]
    return table.astype({name: np.float64 for name in _COLUMNS if name not in texts})


def _cycle(items: RatedItems, rows: list[Any]) -> list[str]:
    return items.names * (len(rows) // len(items.names))


def _check_choices(
    method: str,
    confidence_level: float,
    n_resamples: int,
    compared: str,
    mapping: str | None,
    ddof: float | str,
) -> None:
    check_interval_parameters(method, _METHODS, confidence_level, n_resamples)
    if compared not in SCORES:
        raise ValueError(f"compared={compared!r} is unknown. Use one of {tuple(SCORES)}.")
    kinds = ("linear", "cubic", "logistic", "logistic5", "isotonic")
    if mapping is not None and mapping not in kinds:
        raise ValueError(f"mapping={mapping!r} is unknown. Use one of {kinds}, or None.")
    if ddof != "auto" and not (isinstance(ddof, Real) and np.isfinite(ddof) and ddof >= 0):
        raise ValueError(f"ddof={ddof!r} should be 'auto', or a number of 0 or more.")


def _seed(random_state: Any) -> int:
    """Give one seed for all metrics and conditions."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(own_random_state(random_state).randint(2**31))


def _signs(higher_is_better: Any, names: list[str]) -> Floats:
    if isinstance(higher_is_better, Mapping):
        missing = [name for name in names if name not in higher_is_better]
        if missing:
            raise ValueError(
                f"higher_is_better lacks {missing[0]!r}. Give it one bool for each metric, or one "
                "for all."
            )
        rises = [higher_is_better[name] for name in names]
    else:
        rises = [higher_is_better] * len(names)
    if not all(isinstance(one, (bool, np.bool_)) for one in rises):
        raise ValueError(
            f"higher_is_better should be True, False or one of them for each metric, got "
            f"{higher_is_better!r}."
        )
    return np.where(rises, 1.0, -1.0)


def _map(
    items: RatedItems, mapping: str | None, ddof: float | str, remarks: Remarks
) -> tuple[RatedItems, Floats]:
    """Bring all metrics to the scale of the ratings, and give what each item owes to ddof."""
    n_metrics = len(items.names)
    if items.mapped is not None or mapping is None:
        n_parameters = np.full(n_metrics, 1.0 if items.mapped is None else 0.0)
        mapped = items.values if items.mapped is None else items.mapped
    else:
        mapped = np.full(items.values.shape, np.nan)
        n_parameters = np.full(n_metrics, np.nan)
        for column, name in enumerate(items.names):
            known = items.given[:, column]
            fitted = _fit_mapping(
                items.values[known, column], items.ratings[known], mapping, name, remarks
            )
            if fitted is not None:
                mapped[known, column] = fitted.predict(items.values[known, column])
                n_parameters[column] = fitted.n_parameters_
    if ddof != "auto":
        n_parameters = np.full(n_metrics, float(ddof))
    share = n_parameters / np.maximum(items.given.sum(axis=0), 1)
    return replace(items, mapped=mapped), share


def _fit_mapping(
    values: Floats, ratings: Floats, mapping: str, name: str, remarks: Remarks
) -> RatingMapping | None:
    # Which reads correlations from this package, and so cannot be imported with it.
    from skperceptual.calibration import RatingMapping

    if not len(values):
        return None
    with remarks.collecting([name], ALL):
        try:
            return RatingMapping(mapping).fit(values, ratings)
        except ValueError:
            n_values = len(np.unique(values))
            remarks.undefined(
                f"mapping={mapping!r} cannot be fitted to {counted(len(values), 'item')} with "
                f"{counted(n_values, 'different value')}: use mapping='linear' or None",
                [name],
                ALL,
            )
            return None


def _note_wrong_signs(
    rows: list[dict[str, Any]], names: list[str], options: ReportOptions, remarks: Remarks
) -> None:
    """Doubt what is compared although it surely falls where it is said to rise."""
    if options.baseline is None:
        return
    for name, cells, sign in zip(names, rows, options.signs, strict=True):
        ends = [sign * cells.get(f"srcc_{end}", np.nan) for end in ("low", "high")]
        if max(ends) < 0:
            said, found = ("rise", "fall") if sign > 0 else ("fall", "rise")
            remarks.doubt(
                f"values are said to {said} with quality, but {found} with the ratings (see "
                "higher_is_better)",
                [name],
                ALL,
            )
