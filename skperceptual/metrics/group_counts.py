"""Whether there are groups enough for an interval."""

from __future__ import annotations

import warnings

from sklearn.exceptions import UndefinedMetricWarning

_FEW_GROUPS = 10


def enough_groups_to_draw(n_groups: int, *, stacklevel: int) -> bool:
    """Warn of few groups, and say whether there are enough for an interval.

    Parameters
    ----------
    n_groups : int
        Number of groups that a bootstrap draws from.
    stacklevel : int
        As in :func:`warnings.warn`, were it called in place of this.

    Returns
    -------
    bool
        False for fewer than two.

    Examples
    --------
    >>> from skperceptual.metrics.group_counts import enough_groups_to_draw
    >>> enough_groups_to_draw(12, stacklevel=1)
    True
    """
    if n_groups < 2:
        warnings.warn(
            f"The interval is NaN: it needs at least two groups to tell apart, and there are "
            f"{n_groups}.",
            UndefinedMetricWarning,
            stacklevel=stacklevel + 1,
        )
    elif n_groups < _FEW_GROUPS:
        warnings.warn(
            f"The interval rests on {n_groups} groups: how much they differ is known only "
            f"roughly from fewer than {_FEW_GROUPS}.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
    return n_groups >= 2
