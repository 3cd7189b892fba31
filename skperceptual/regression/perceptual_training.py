"""From pairs and ratings to a perceptual fit: batches, validation split, progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from tqdm.auto import tqdm

from skperceptual.regression.band_cache import BandCache
from skperceptual.regression.correlation_objective import (
    Batches,
    CorrelationObjective,
    Parameters,
)
from skperceptual.regression.solvers import FitMonitor, fit_adam, fit_lbfgs
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import ImageBatch

if TYPE_CHECKING:
    from skperceptual.regression.nlpd_regressor import NLPDRegressor

# Fewer pairs than this have a correlation, but not one that says anything.
_FEWEST_PAIRS = 3


def train_on_ratings(
    regressor: NLPDRegressor,
    pairs: ImageBatch,
    ratings: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
    condition: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    start: Parameters,
) -> FitMonitor:
    """Run the perceptual fit that a regressor's parameters describe.

    Parameters
    ----------
    regressor : NLPDRegressor
        Whose parameters to follow.
    pairs : ndarray or list
        Checked pairs of images.
    ratings : ndarray of shape (n_pairs,)
        What people said.
    sample_weight : ndarray of shape (n_pairs,)
        Weight of each pair.
    condition, groups : ndarray of shape (n_pairs,) or None
        Type of degradation and source recording of each pair.
    start : tuple of ndarray
        Filters and sigmas to start from.

    Returns
    -------
    FitMonitor
        With the best parameters, the history and the objective.
    """
    random_state = own_random_state(regressor.random_state)
    batches, validation = _split(regressor, ratings, condition, groups, random_state)
    with (
        single_threaded(),
        BandCache(
            pairs,
            regressor.n_levels,
            convention=regressor.convention,
            kernel_size=regressor.kernel_size,
            max_bytes=regressor.max_cache_bytes,
        ) as cache,
    ):
        objective = CorrelationObjective(
            cache,
            ratings,
            sample_weight,
            direction=1,
            pooling=regressor.pooling,
            convention=regressor.convention,
            n_jobs=regressor.n_jobs,
        )
        objective.direction = _direction(regressor.increasing, objective, start, batches)
        with _progress(regressor) as report:
            monitor = FitMonitor(
                objective,
                max_epochs=regressor.max_epochs,
                validation=validation,
                patience=regressor.n_iter_no_change,
                report=report,
            )
            if regressor.solver == "adam":
                fit_adam(
                    monitor,
                    start,
                    batches,
                    learning_rate=regressor.learning_rate,
                    random_state=random_state,
                )
            else:
                fit_lbfgs(monitor, start, batches, alpha=regressor.alpha)
    return monitor


def _split(
    regressor: NLPDRegressor,
    ratings: NDArray[np.float64],
    condition: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    random_state: np.random.RandomState,
) -> tuple[Batches, Batches | None]:
    """Give training batches and validation batches, whole groups apart where they are known."""
    rows = np.arange(len(ratings))
    everything = _batches(rows, ratings, condition)
    if not everything:
        within = " within every condition" if condition is not None else ""
        raise ValueError(
            "The perceptual fit correlates distances with ratings, but the ratings of these "
            f"{len(rows)} pairs are constant{within}, or fewer than {_FEWEST_PAIRS} are left (1 "
            "sample has no correlation). Use normalization='statistical', rate more pairs, or "
            "leave out condition."
        )
    _report_left_out(everything, rows, condition)
    wanted = regressor.early_stopping
    if wanted is False or (wanted == "auto" and groups is None):
        return everything, None
    if groups is None:
        warnings.warn(
            "early_stopping=True without groups holds out single pairs: versions of one recording "
            "then lie on both sides of the split. Pass groups=, one label a source recording.",
            UserWarning,
            stacklevel=4,
        )
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    if len(rows if groups is None else np.unique(groups)) > 1:
        split = splitter(
            n_splits=1, test_size=regressor.validation_fraction, random_state=random_state
        )
        train, held_out = next(split.split(rows, groups=groups))
        batches, validation = (_batches(part, ratings, condition) for part in (train, held_out))
        if batches and validation:
            return batches, validation
    problem = (
        f"These {len(rows)} pairs are too few to hold out a validation split of "
        f"{regressor.validation_fraction:.0%}: training and validation pairs each need at least "
        f"{_FEWEST_PAIRS} pairs with ratings that differ"
        f"{', within one condition' if condition is not None else ''}."
    )
    if wanted is True:
        raise ValueError(f"{problem} Use early_stopping=False.")
    warnings.warn(f"{problem} Fitting without early stopping.", UserWarning, stacklevel=4)
    return everything, None


def _batches(
    rows: NDArray[np.intp], ratings: NDArray[np.float64], condition: NDArray[Any] | None
) -> list[NDArray[np.intp]]:
    """Group rows by condition and leave out what has no correlation worth climbing."""
    candidates = [rows]
    if condition is not None:
        candidates = [rows[condition[rows] == label] for label in np.unique(condition[rows])]
    return [
        batch for batch in candidates if len(batch) >= _FEWEST_PAIRS and np.ptp(ratings[batch]) > 0
    ]


def _report_left_out(
    batches: Batches, rows: NDArray[np.intp], condition: NDArray[Any] | None
) -> None:
    left_out = np.setdiff1d(rows, np.concatenate(batches))
    if condition is not None and len(left_out):
        names = ", ".join(map(str, np.unique(condition[left_out])))
        warnings.warn(
            f"The perceptual fit leaves out {len(left_out)} pairs whose condition ({names}) has "
            f"fewer than {_FEWEST_PAIRS} pairs or constant ratings.",
            UserWarning,
            stacklevel=5,
        )


def _direction(
    increasing: bool | str,
    objective: CorrelationObjective,
    start: Parameters,
    batches: Batches,
) -> int:
    if increasing != "auto":
        return 1 if increasing else -1
    if objective.value(start, batches) <= 0:
        return -1
    warnings.warn(
        "Before the fit the ratings rise with the distance, so they are taken as dissimilarities. "
        "If they are ratings of quality, set increasing=False.",
        UserWarning,
        stacklevel=4,
    )
    return 1


@contextmanager
def _progress(regressor: NLPDRegressor) -> Iterator[Callable[[dict[str, float]], None]]:
    with tqdm(
        total=regressor.max_epochs,
        desc=f"NLPDRegressor({regressor.solver})",
        unit="epoch",
        disable=not regressor.verbose,
    ) as bar:

        def report(entry: dict[str, float]) -> None:
            shown = {name: value for name, value in entry.items() if name != "epoch"}
            bar.set_postfix(shown, refresh=False)
            bar.update()

        yield report
