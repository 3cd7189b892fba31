"""Which recordings to validate with: never some of a group whose others are trained with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skperceptual.utils.messages import warn_caller

Rows = NDArray[np.intp]


def hold_out_groups(
    labels: NDArray[np.generic],
    groups: NDArray[np.generic] | None,
    fraction: float,
    generator: np.random.RandomState,
) -> tuple[Rows, Rows]:
    """Divide rows into those to train with and those to validate with, whole groups at a time.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Classes, each of which has to stand on both sides; all alike where there are none.
    groups : ndarray of shape (n,) or None
        The instrument or piece of each row; None takes every row for a group of its own.
    fraction : float
        The share of the groups to validate with, of each class.
    generator : RandomState
        Draws the groups.

    Returns
    -------
    (ndarray of int, ndarray of int)
        Rows to train and to validate with. The second is empty for a fraction of 0, and where
        too few groups leave nothing to hold out.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.cello.held_out import hold_out_groups
    >>> groups = np.repeat(np.arange(6), 2)
    >>> train, held_out = hold_out_groups(groups % 2, groups, 0.4, np.random.RandomState(0))
    >>> sorted(set(groups[held_out].tolist())), set(groups[train]) & set(groups[held_out])
    ([4, 5], set())
    """
    everything = np.arange(len(labels))
    if fraction == 0:
        return everything, everything[:0]
    strata = np.unique(labels, return_inverse=True)[1]
    numbers = everything if groups is None else np.unique(groups, return_inverse=True)[1]
    classes = [set(numbers[strata == stratum].tolist()) for stratum in range(strata.max() + 1)]
    held: set[int] = set()
    for own in classes:
        wanted = min(max(1, round(fraction * len(own))), len(own) - 1)
        # Pieces, which both classes play, may be held out already for the class before.
        for number in generator.permutation(sorted(own - held)).tolist():
            leaves_some = all(some - held - {number} for some in classes)
            if len(held & own) < wanted and leaves_some:
                held.add(number)
    if not all(held & own for own in classes):
        return everything, everything[:0]
    is_held = np.isin(numbers, list(held))
    return everything[~is_held], everything[is_held]


def check_groups(groups: ArrayLike | None, n: int) -> NDArray[np.generic] | None:
    """Check the instruments of recordings.

    Parameters
    ----------
    groups : array of shape (n,) or None
        What the user gave.
    n : int
        Number of recordings.

    Returns
    -------
    ndarray of shape (n,) or None
        The same as an array.

    Raises
    ------
    ValueError
        When there is not one for each recording.

    Examples
    --------
    >>> from skperceptual.cello.held_out import check_groups
    >>> check_groups(["Amati", "Amati", "factory"], 3)
    array(['Amati', 'Amati', 'factory'], dtype='<U7')
    """
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(
            f"Expected one group for each of the {n} recordings, an array of shape ({n},), got "
            f"{labels.shape}."
        )
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(
            f"groups has no label for recording {int(np.argmax(missing))}. Name its instrument, "
            "or leave it out."
        )
    return labels


def warn_of_groups(
    estimator: Any,
    groups: NDArray[np.generic] | None,
    labels: NDArray[np.generic],
    names: list[str],
) -> None:
    """Warn where groups are missing, or where a class is a single one.

    Parameters
    ----------
    estimator : estimator
        Whose ``fit`` it is.
    groups : ndarray of shape (n,) or None
        The instrument of each recording.
    labels : ndarray of shape (n,)
        Classes; all alike where there are none.
    names : list of str
        What to call them; empty where there are none.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skperceptual import CelloQualityClassifier
    >>> from skperceptual.cello.held_out import warn_of_groups
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_groups(CelloQualityClassifier(), np.arange(2), np.arange(2), ["'A'", "'B'"])
    >>> str(caught[0].message)[:44]
    "The groups are 1 in class 'A' and 1 in class"
    """
    if groups is None:
        if estimator.validation_fraction > 0:
            warn_caller(
                "Without groups, excerpts of one instrument stand on both sides of the validation "
                "split, and training stops when it knows the instruments, which says little about "
                "others. Give fit the instrument of each recording, "
                f"{type(estimator).__name__.lower()}__groups=... in a Pipeline, or set "
                "validation_fraction=0."
            )
        return
    counts = [len(np.unique(groups[labels == label])) for label in np.unique(labels)]
    if min(counts) > 1:
        return
    if names:
        listed = " and ".join(
            f"{count} in class {name}" for count, name in zip(counts, names, strict=True)
        )
        told = f"The groups are {listed}. With one instrument in a class"
    else:
        told = f"All recordings are of one group, {groups[0]!s}. With one instrument"
    warn_caller(
        f"{told}, nobody can tell quality from the identity of that instrument (or its room, its "
        "microphone), and there is none to validate with: record several instruments"
        f"{' a class' if names else ''}."
    )
