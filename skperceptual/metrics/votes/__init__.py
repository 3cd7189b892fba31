"""From single votes to ratings: opinion scores, screening, and what raters add of their own.

Votes are a matrix of shape (n_items, n_raters) with NaN where a rater did not vote; a DataFrame
keeps the names of items and raters.
"""

from skperceptual.metrics.votes.bias import remove_rater_bias
from skperceptual.metrics.votes.condition_scores import (
    condition_opinion_scores,
    crowd_opinion_scores,
)
from skperceptual.metrics.votes.matrix import votes_from_table
from skperceptual.metrics.votes.opinion_scores import (
    mean_opinion_scores,
    median_opinion_scores,
    mos_half_width,
    trimmed_mean_opinion_scores,
)
from skperceptual.metrics.votes.recovery import recover_opinion_scores
from skperceptual.metrics.votes.scatter import sos_parameter
from skperceptual.metrics.votes.screening import screen_bs1116, screen_bt500, screen_mushra
from skperceptual.metrics.votes.weights import interval_weights
from skperceptual.metrics.votes.zrec import zrec_opinion_scores

__all__ = [
    "condition_opinion_scores",
    "crowd_opinion_scores",
    "interval_weights",
    "mean_opinion_scores",
    "median_opinion_scores",
    "mos_half_width",
    "recover_opinion_scores",
    "remove_rater_bias",
    "screen_bs1116",
    "screen_bt500",
    "screen_mushra",
    "sos_parameter",
    "trimmed_mean_opinion_scores",
    "votes_from_table",
    "zrec_opinion_scores",
]
