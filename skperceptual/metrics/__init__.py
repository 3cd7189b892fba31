"""Ratings against predictions: correlations, their intervals and scorers, also by condition."""

from skperceptual.metrics.agreement import (
    intraclass_correlation,
    kendall_w,
    krippendorff_alpha,
)
from skperceptual.metrics.correlations import (
    concordance_index,
    kendall_score,
    pearson_score,
    spearman_score,
)
from skperceptual.metrics.dependent_correlations import (
    CorrelationDifference,
    compare_correlations,
    holm_correction,
)
from skperceptual.metrics.errors import outlier_ratio, rmse, rmse_interval, rmse_star
from skperceptual.metrics.interval_coverage import interval_coverage
from skperceptual.metrics.intervals import correlation_interval
from skperceptual.metrics.krasula import KrasulaAnalysis, krasula_analysis
from skperceptual.metrics.krasula_comparison import compare_krasula
from skperceptual.metrics.noise_ceiling import (
    NoiseCeiling,
    noise_ceiling_from_errors,
    noise_ceiling_from_votes,
)
from skperceptual.metrics.report import compare_metrics, rating_report
from skperceptual.metrics.scorers import (
    WithinConditionScorer,
    kendall_scorer,
    pearson_scorer,
    spearman_scorer,
    within_condition_score,
    within_condition_scorer,
)
from skperceptual.metrics.significance import (
    Significance,
    compare_independent_correlations,
    compare_outlier_ratios,
    compare_rmse,
)
from skperceptual.metrics.two_afc import (
    JNDPrecision,
    TwoAFC,
    jnd_average_precision,
    two_afc_agreement,
)
from skperceptual.metrics.votes import (
    condition_opinion_scores,
    crowd_opinion_scores,
    interval_weights,
    mean_opinion_scores,
    median_opinion_scores,
    mos_half_width,
    recover_opinion_scores,
    remove_rater_bias,
    screen_bs1116,
    screen_bt500,
    screen_mushra,
    sos_parameter,
    trimmed_mean_opinion_scores,
    votes_from_table,
    zrec_opinion_scores,
)

__all__ = [
    "CorrelationDifference",
    "JNDPrecision",
    "KrasulaAnalysis",
    "NoiseCeiling",
    "Significance",
    "TwoAFC",
    "WithinConditionScorer",
    "compare_correlations",
    "compare_independent_correlations",
    "compare_krasula",
    "compare_metrics",
    "compare_outlier_ratios",
    "compare_rmse",
    "concordance_index",
    "condition_opinion_scores",
    "correlation_interval",
    "crowd_opinion_scores",
    "holm_correction",
    "interval_coverage",
    "interval_weights",
    "intraclass_correlation",
    "jnd_average_precision",
    "kendall_score",
    "kendall_scorer",
    "kendall_w",
    "krasula_analysis",
    "krippendorff_alpha",
    "mean_opinion_scores",
    "median_opinion_scores",
    "mos_half_width",
    "noise_ceiling_from_errors",
    "noise_ceiling_from_votes",
    "outlier_ratio",
    "pearson_score",
    "pearson_scorer",
    "rating_report",
    "recover_opinion_scores",
    "remove_rater_bias",
    "rmse",
    "rmse_interval",
    "rmse_star",
    "screen_bs1116",
    "screen_bt500",
    "screen_mushra",
    "sos_parameter",
    "spearman_score",
    "spearman_scorer",
    "trimmed_mean_opinion_scores",
    "two_afc_agreement",
    "votes_from_table",
    "within_condition_score",
    "within_condition_scorer",
    "zrec_opinion_scores",
]
