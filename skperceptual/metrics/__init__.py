"""Ratings against predictions: correlations, their intervals and scorers, also by condition."""

from skperceptual.metrics.correlations import (
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.intervals import correlation_interval
from skperceptual.metrics.scorers import (
    WithinConditionScorer,
    kendall_scorer,
    pearson_scorer,
    spearman_scorer,
    within_condition_score,
    within_condition_scorer,
)

__all__ = [
    "WithinConditionScorer",
    "concordance_index",
    "correlation_interval",
    "kendall_score",
    "kendall_scorer",
    "pearson_score",
    "pearson_scorer",
    "spearman_score",
    "spearman_scorer",
    "within_condition_score",
    "within_condition_scorer",
]
