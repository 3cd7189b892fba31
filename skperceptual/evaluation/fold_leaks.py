"""Folds for comparing metrics, and whether one recording lies on both sides of a split."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupKFold

from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.messages import as_list, counted

__all__ = ["Split", "describe_leaks", "make_splits", "source_of_rows"]

Split = tuple[NDArray[np.intp], NDArray[np.intp]]

_N_FOLDS = 5


def make_splits(cv: Any, n_rows: int, y: ArrayLike, groups: NDArray[Any] | None) -> list[Split]:
    """Split the rows into folds, each row being tested at most once.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test), or None
        How to split: None or a number makes that many folds of whole groups.
    n_rows : int
        Number of rows.
    y : array-like of shape (n_rows,)
        Ratings, for splitters that look at them.
    groups : ndarray of shape (n_rows,) or None
        Source recording of each row.

    Returns
    -------
    list of (ndarray, ndarray)
        Rows to fit to, and rows to predict.

    Raises
    ------
    ValueError
        Without groups where folds are to be made of them, for fewer than two groups, and for
        rows that are tested twice, or fitted to and tested.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.evaluation.fold_leaks import make_splits
    >>> make_splits(None, 4, np.zeros(4), np.array(["a", "a", "b", "b"]))[0]
    (array([0, 1]), array([2, 3]))
    """
    rows = np.arange(n_rows)
    if cv is None or isinstance(cv, Integral):
        if groups is None:
            raise ValueError(
                "Folds of whole recordings need groups=, the source recording of each row. If "
                "every row is a recording of its own, give groups=np.arange(len(y))."
            )
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            raise ValueError(
                f"Cross-validation by group takes two groups or more, and there is {n_groups}, of "
                f"n_samples={n_rows}."
            )
        cv = GroupKFold(min(_N_FOLDS if cv is None else int(cv), n_groups))
    with warnings.catch_warnings():
        # What comes of that is looked at, and named.
        warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
        splits = list(cv.split(rows, y, groups)) if hasattr(cv, "split") else list(cv)
    if not splits:
        raise ValueError(f"cv={cv!r} gives no split.")
    splits = [(rows[np.asarray(train)], rows[np.asarray(test)]) for train, test in splits]
    for train, test in splits:
        if np.isin(train, test).any():
            raise ValueError(
                f"cv has row {np.intersect1d(train, test)[0]} in both parts of a split: what is "
                "predicted may not be fitted to."
            )
    tested = np.bincount(np.concatenate([test for _, test in splits]), minlength=n_rows)
    if (tested > 1).any():
        raise ValueError(
            f"cv tests row {int(np.argmax(tested > 1))} more than once, and would count it as "
            "often. Take one repetition at a time."
        )
    return splits


def source_of_rows(X: Any) -> list[Hashable] | None:
    """Recognise the recording that each row comes from, by what X itself says.

    Parameters
    ----------
    X : array, list, DataFrame or Pyramid
        What pipelines read.

    Returns
    -------
    list or None
        Of pairs the content of the reference, or its file name; of single signals and file names
        themselves; None for anything else, such as tables of numbers.

    Examples
    --------
    >>> from skperceptual.evaluation.fold_leaks import source_of_rows
    >>> names = source_of_rows([("a.wav", "a_16k.mp3"), ("b.wav", "b_16k.mp3")])
    >>> len(set(names))
    2
    """
    if hasattr(X, "columns"):
        column = next((name for name in ("reference", "file") if name in X.columns), None)
        return None if column is None else _names(X[column])
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufc":
        is_pairs = X.ndim in (3, 4) and X.shape[1] == 2
        return [fingerprint(row[0]) for row in X] if is_pairs else None
    if not isinstance(X, (list, tuple, np.ndarray)) and not hasattr(X, "iloc"):
        return None
    return _names(X)


def describe_leaks(
    splits: list[Split], groups: NDArray[Any] | None, sources: list[Hashable] | None
) -> str:
    """Say which recordings lie on both sides of a split.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        Rows to fit to, and rows to predict.
    groups : ndarray of shape (n_rows,) or None
        Source recording of each row, as the user says.
    sources : list or None
        The same, as X says.

    Returns
    -------
    str
        What is wrong, and what to do; empty if nothing is.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.evaluation.fold_leaks import describe_leaks
    >>> split = (np.array([0, 1]), np.array([2]))
    >>> describe_leaks([split], np.array(["a", "b", "c"]), None)
    ''
    >>> print(describe_leaks([split], np.array(["a", "b", "b"]), None).splitlines()[0])
    1 group on both sides of a split:
    """
    problems = []
    for labels, what, fix in (
        (
            None if groups is None else groups.tolist(),
            "group",
            "Choose a cv that keeps groups together, such as GroupKFold(5).",
        ),
        (sources, "reference", "Give all pairs of one recording the same group."),
    ):
        found = {} if labels is None else _on_both_sides(splits, labels)
        if found:
            entries = [
                f"{_named(label)} in rows {train} (fitted to) and {test} (predicted)"
                for label, (train, test) in found.items()
            ]
            problems.append(
                f"{counted(len(found), what)} on both sides of a split:\n"
                f"{as_list(entries, what + 's')}\n{fix}"
            )
    if problems:
        problems.append(
            "Predictions for recordings that a model was fitted to look better than they are."
        )
    return "\n".join(problems)


def _on_both_sides(splits: list[Split], labels: list[Any]) -> dict[Hashable, tuple[int, int]]:
    """Give an example, a row fitted to and a row predicted, of each label on both sides."""
    found: dict[Hashable, tuple[int, int]] = {}
    for train, test in splits:
        first: dict[Hashable, int] = {}
        for row in train.tolist():
            first.setdefault(labels[row], row)
        for row in test.tolist():
            label = labels[row]
            if label in first and label is not None:
                found.setdefault(label, (first[label], row))
    return found


def _names(X: Any) -> list[Hashable] | None:
    """Give the source of each entry of a list; None where one has none that can be told."""
    sources: list[Hashable] = []
    known: dict[int, bytes] = {}  # of arrays that stand in many rows, and live as long as X
    for row in np.asarray(X, dtype=object) if hasattr(X, "iloc") else X:
        is_tuple = isinstance(row, (tuple, list))
        is_pair = isinstance(row, (tuple, list, np.ndarray)) and len(row) == 2
        source = row[0] if is_pair else row
        if isinstance(source, (str, os.PathLike)):
            sources.append(os.path.realpath(source))
        elif isinstance(source, np.ndarray) and source.ndim > 0 and source.dtype.kind in "biufc":
            digest = known.get(id(source)) or fingerprint(source)
            if is_tuple:
                known[id(source)] = digest
            sources.append(digest)
        else:
            return None
    return sources


def _named(label: Any) -> str:
    return "one of the same content" if isinstance(label, bytes) else repr(label)
