"""The mathematics: pure, batched, unreduced per item, differentiable torch."""

from skperceptual.functional.band_cache import BandCache
from skperceptual.functional.correlation import pearson_correlation
from skperceptual.functional.divisive_normalization import (
    divisive_normalization,
    neighborhood_sum,
    normalization_border,
    normalization_tensors,
    pad_neighborhood,
    resolve_normalization,
)
from skperceptual.functional.ms_ssim import MSSSIMTerms, combine_terms, ms_ssim, ms_ssim_terms
from skperceptual.functional.mse import mse
from skperceptual.functional.nlpd import (
    level_distances,
    nlpd,
    nlpd_differences,
    pool_levels,
    safe_power,
)
from skperceptual.functional.pyramid import (
    invert_laplacian_pyramid,
    laplacian_pyramid,
    minimum_side,
)
from skperceptual.functional.reduction import stable_mean
from skperceptual.functional.ssim import ssim, ssim_map
from skperceptual.functional.statistical_fit import NeighborhoodMoments, fit_normalization

__all__ = [
    "BandCache",
    "MSSSIMTerms",
    "NeighborhoodMoments",
    "combine_terms",
    "divisive_normalization",
    "fit_normalization",
    "invert_laplacian_pyramid",
    "laplacian_pyramid",
    "level_distances",
    "minimum_side",
    "ms_ssim",
    "ms_ssim_terms",
    "mse",
    "neighborhood_sum",
    "nlpd",
    "nlpd_differences",
    "normalization_border",
    "normalization_tensors",
    "pad_neighborhood",
    "pearson_correlation",
    "pool_levels",
    "resolve_normalization",
    "safe_power",
    "ssim",
    "ssim_map",
    "stable_mean",
]
