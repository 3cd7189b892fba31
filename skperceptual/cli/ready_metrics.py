"""The metrics that the commands know by name: one entry makes a metric available everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple

import skperceptual
from skperceptual.cli.errors import CommandError

__all__ = [
    "READY_METRICS",
    "ReadyMetric",
    "list_ready_metrics",
    "make_ready_metric",
    "matching_metrics",
]


class ReadyMetric(NamedTuple):
    """A metric that needs no ratings: a class of this package and its parameters.

    What it reads (pairs of signals or of images) the tags of the class say; which way it points
    and its range, ``higher_is_better`` and ``bounds``. The description fits a column of 22
    letters. Whether it undoes delays and differences of level by itself, ``matches_pairs``.

    Examples
    --------
    >>> from skperceptual.cli.ready_metrics import READY_METRICS
    >>> READY_METRICS["nlpd-hepburn"].make()
    NLPD(convention='hepburn')
    """

    description: str
    class_name: str
    parameters: Mapping[str, Any] = MappingProxyType({})

    def make(self) -> Any:
        """Make the metric, which imports it.

        Returns
        -------
        estimator
            Unfitted.
        """
        return getattr(skperceptual, self.class_name)(**self.parameters)


READY_METRICS = {
    "mse": ReadyMetric("mean squared error", "MSE"),
    "ssim": ReadyMetric("structural similarity", "SSIM"),
    "ms-ssim": ReadyMetric("SSIM at five scales", "MSSSIM"),
    "nlpd": ReadyMetric("Laplacian pyramid", "NLPD"),
    "nlpd-none": ReadyMetric("NLPD, not normalised", "NLPD", {"normalization": None}),
    "nlpd-ones": ReadyMetric("NLPD, equal weights", "NLPD", {"normalization": "ones"}),
    "nlpd-laparra2017": ReadyMetric("NLPD, form of 2017", "NLPD", {"convention": "laparra2017"}),
    "nlpd-hepburn": ReadyMetric("NLPD, Hepburn's form", "NLPD", {"convention": "hepburn"}),
    "visqol": ReadyMetric("ViSQOL, shipped map", "ViSQOL"),
}


def list_ready_metrics() -> str:
    """Lay out names and descriptions for the help of a command.

    Returns
    -------
    str
        One line a metric.
    """
    width = max(map(len, READY_METRICS))
    lines = [f"  {name:<{width}}  {metric.description}" for name, metric in READY_METRICS.items()]
    return "\n".join(lines)


def matching_metrics() -> str:
    """Name the metrics that undo delays and differences of level by themselves.

    Returns
    -------
    str
        Their names, for a sentence.
    """
    names = [
        name
        for name, metric in READY_METRICS.items()
        if getattr(getattr(skperceptual, metric.class_name), "matches_pairs", False)
    ]
    return ", ".join(names)


def make_ready_metric(name: str) -> Any:
    """Make the metric of a name, unfitted.

    Parameters
    ----------
    name : str
        A key of ``READY_METRICS``.

    Returns
    -------
    estimator
        A transformer from pairs of signals or of images to one score.

    Raises
    ------
    CommandError
        When there is no such metric; the message names the nearest.
    """
    if name not in READY_METRICS:
        near = get_close_matches(name.lower().replace("_", "-"), READY_METRICS, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise CommandError(
            f"there is no metric {name!r}.{guess} Use {', '.join(READY_METRICS)}, or the path "
            "of a metric saved with joblib."
        )
    return READY_METRICS[name].make()
