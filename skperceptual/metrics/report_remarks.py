"""What there is to say about a whole table of results, said once."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sklearn.exceptions import UndefinedMetricWarning

from skperceptual.utils.messages import as_list, in_a_line

__all__ = ["Remarks"]

# Conditions and the metrics in them, of each reason; dicts keep the order that sets forget.
_Notes = dict[str, dict[object, dict[str, None]]]


class Remarks:
    """Reasons of NaN and doubts, collected over all metrics and conditions of a table.

    Examples
    --------
    >>> import warnings
    >>> from skperceptual.metrics.report_remarks import Remarks
    >>> remarks = Remarks()
    >>> for condition in ("all", "codec"):
    ...     remarks.undefined("all values are equal", ["ssim", "mse"], condition)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     remarks.warn(stacklevel=1)
    >>> print(caught[0].message)
    Some results are NaN:
      all values are equal ('ssim', 'mse' in 'all', 'codec')
    """

    def __init__(self) -> None:
        self._undefined: _Notes = defaultdict(lambda: defaultdict(dict))
        self._doubts: _Notes = defaultdict(lambda: defaultdict(dict))

    def undefined(self, reason: str, metrics: Iterable[str], condition: object) -> None:
        """Note why some metrics have NaN in a condition."""
        self._undefined[reason][condition] |= dict.fromkeys(metrics)

    def doubt(self, about: str, metrics: Iterable[str], condition: object) -> None:
        """Note what makes results less trustworthy."""
        self._doubts[about][condition] |= dict.fromkeys(metrics)

    @contextmanager
    def collecting(self, metrics: Iterable[str], condition: object) -> Iterator[None]:
        """Take the warnings of a block for remarks about some metrics in a condition."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for entry in caught:
            text = str(entry.message).removesuffix(".")
            if issubclass(entry.category, UndefinedMetricWarning):
                self.undefined(text, metrics, condition)
            elif issubclass(entry.category, UserWarning):
                self.doubt(text, metrics, condition)
            else:
                warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)

    def warn(self, *, stacklevel: int) -> None:
        """Warn once of everything that is NaN, and once of everything doubtful.

        Parameters
        ----------
        stacklevel : int
            As in :func:`warnings.warn`, were it called in place of this.
        """
        for heading, notes, category in (
            ("Some results are doubtful", self._doubts, UserWarning),
            ("Some results are NaN", self._undefined, UndefinedMetricWarning),
        ):
            if notes:
                lines = [f"{reason} ({_where(found)})" for reason, found in notes.items()]
                warnings.warn(
                    f"{heading}:\n{as_list(lines, 'reasons')}", category, stacklevel=stacklevel + 1
                )


def _where(found: dict[object, dict[str, None]]) -> str:
    """Name conditions together in which the same metrics are concerned."""
    conditions = defaultdict(list)
    for condition, metrics in found.items():
        conditions[tuple(metrics)].append(repr(condition))
    return "; ".join(
        f"{in_a_line(map(repr, metrics))} in {in_a_line(some)}" if metrics else in_a_line(some)
        for metrics, some in conditions.items()
    )
