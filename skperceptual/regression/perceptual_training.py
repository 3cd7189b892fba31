"""From pairs and ratings to a perceptual fit: batches, validation split, progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.utils import check_random_state
from tqdm.auto import tqdm

from skperceptual.functional.band_cache import BandCache
from skperceptual.functional.perceptual_fit import (
    CorrelationObjective,
    FitMonitor,
    Parameters,
    fit_adam,
    fit_lbfgs,
)
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
    random_state = check_random_state(regressor.random_state)
    train, validation = _split(regressor, ratings, groups, random_state)
    batches = _batches(train, ratings, sample_weight, condition)
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
        objective.direction = _direction(regressor.increasing, objective, start, train)
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
    groups: NDArray[Any] | None,
    random_state: np.random.RandomState,
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """Hold out validation pairs, whole groups of them where groups are known."""
    rows = np.arange(len(ratings))
    wanted = regressor.early_stopping
    if wanted is False or (wanted == "auto" and groups is None):
        return rows, None
    if groups is None:
        warnings.warn(
            "early_stopping=True without groups holds out single pairs: versions of one recording "
            "then lie on both sides of the split. Pass groups=, one label a source recording.",
            UserWarning,
            stacklevel=4,
        )
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    n_units = len(rows if groups is None else np.unique(groups))
    if n_units > 1:
        split = splitter(
            n_splits=1, test_size=regressor.validation_fraction, random_state=random_state
        )
        train, validation = next(split.split(rows, groups=groups))
        enough = min(len(train), len(validation)) >= _FEWEST_PAIRS
        if enough and np.ptp(ratings[validation]) > 0:
            return train, validation
    problem = (
        f"{len(rows)} pairs in {n_units} {'pairs' if groups is None else 'groups'} are too few to "
        f"hold out a validation split of {regressor.validation_fraction:.0%} with at least "
        f"{_FEWEST_PAIRS} pairs and ratings that differ."
    )
    if wanted is True:
        raise ValueError(f"{problem} Use early_stopping=False.")
    warnings.warn(f"{problem} Fitting without early stopping.", UserWarning, stacklevel=4)
    return rows, None


def _batches(
    train: NDArray[np.intp],
    ratings: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
    condition: NDArray[Any] | None,
) -> list[NDArray[np.intp]]:
    """Group the training rows by condition and leave out batches without a correlation."""
    if condition is None:
        candidates = [train]
    else:
        candidates = [train[condition[train] == label] for label in np.unique(condition[train])]
    batches = []
    for rows in candidates:
        counted = ratings[rows][sample_weight[rows] > 0]
        if len(counted) >= 2 and np.ptp(counted) > 0:
            batches.append(rows)
    if not batches:
        raise ValueError(
            f"The perceptual fit correlates distances with ratings, but the {len(train)} training "
            f"ratings are constant{' within every condition' if condition is not None else ''} (or "
            "there is just 1 sample). Use normalization='statistical', or rate more pairs."
        )
    return batches


def _direction(
    increasing: bool | str,
    objective: CorrelationObjective,
    start: Parameters,
    train: NDArray[np.intp],
) -> int:
    if increasing != "auto":
        return 1 if increasing else -1
    if objective(start, [train])[0] <= 0:
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
