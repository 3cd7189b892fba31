"""Full-reference metrics fitted to ratings."""

from skperceptual.regression.nlpd_regressor import NLPDRegressor

__all__ = ["NLPDRegressor"]
