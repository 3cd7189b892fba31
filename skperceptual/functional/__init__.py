"""The mathematics: pure, batched, unreduced per item, differentiable torch."""

from skperceptual.functional.correlation import pearson_correlation
from skperceptual.functional.divisive_normalization import (
    divisive_normalization,
    neighborhood_sum,
    normalization_border,
    normalization_tensors,
    pad_neighborhood,
    resolve_normalization,
)
from skperceptual.functional.embedding_distance import embedding_distance
from skperceptual.functional.embedding_loss import EmbeddingLoss
from skperceptual.functional.frechet_distance import (
    covariance_root,
    frechet_distance,
    gaussian_frechet_distance,
    gaussian_root,
)
from skperceptual.functional.gammatone import (
    gammatone_filters,
    gammatone_frequencies,
    gammatone_levels,
)
from skperceptual.functional.inversion import mel_to_spectrogram
from skperceptual.functional.kernel_distance import (
    kernel_distance,
    mean_kernel,
    median_distance,
)
from skperceptual.functional.log_spectral_distance import log_spectral_distance
from skperceptual.functional.losses import ImageLoss, MSELoss, MSSSIMLoss, NLPDLoss, SSIMLoss
from skperceptual.functional.masks import mask_roughness, remove_level, smooth_masks
from skperceptual.functional.mel import hz_to_mel, mel_edges, mel_filterbank, mel_to_hz
from skperceptual.functional.ms_ssim import MSSSIMTerms, combine_terms, ms_ssim, ms_ssim_terms
from skperceptual.functional.mse import mse
from skperceptual.functional.nlpd import (
    level_distances,
    nlpd,
    nlpd_differences,
    pool_levels,
    safe_power,
)
from skperceptual.functional.nsim import nsim, nsim_map
from skperceptual.functional.openl3 import openl3_spectrogram, openl3_windows
from skperceptual.functional.pyramid import (
    invert_laplacian_pyramid,
    laplacian_pyramid,
    minimum_side,
)
from skperceptual.functional.quantization import (
    from_codes,
    max_entropy_bits,
    quantize,
    to_codes,
)
from skperceptual.functional.reduction import stable_mean
from skperceptual.functional.scaling import (
    from_decibels,
    from_log,
    from_log01,
    full_scale_peak,
    to_decibels,
    to_log,
    to_log01,
)
from skperceptual.functional.spectrogram import (
    mel_spectrogram,
    padded_window,
    spectrogram,
    stft,
)
from skperceptual.functional.ssim import ssim, ssim_map
from skperceptual.functional.statistical_fit import NeighborhoodMoments, fit_normalization
from skperceptual.functional.vggish import (
    vggish_log_mel,
    vggish_mel_matrix,
    vggish_postprocess,
    vggish_windows,
)

__all__ = [
    "EmbeddingLoss",
    "ImageLoss",
    "MSELoss",
    "MSSSIMLoss",
    "MSSSIMTerms",
    "NLPDLoss",
    "NeighborhoodMoments",
    "SSIMLoss",
    "combine_terms",
    "covariance_root",
    "divisive_normalization",
    "embedding_distance",
    "fit_normalization",
    "frechet_distance",
    "from_codes",
    "from_decibels",
    "from_log",
    "from_log01",
    "full_scale_peak",
    "gammatone_filters",
    "gammatone_frequencies",
    "gammatone_levels",
    "gaussian_frechet_distance",
    "gaussian_root",
    "hz_to_mel",
    "invert_laplacian_pyramid",
    "kernel_distance",
    "laplacian_pyramid",
    "level_distances",
    "log_spectral_distance",
    "mask_roughness",
    "max_entropy_bits",
    "mean_kernel",
    "median_distance",
    "mel_edges",
    "mel_filterbank",
    "mel_spectrogram",
    "mel_to_hz",
    "mel_to_spectrogram",
    "minimum_side",
    "ms_ssim",
    "ms_ssim_terms",
    "mse",
    "neighborhood_sum",
    "nlpd",
    "nlpd_differences",
    "normalization_border",
    "normalization_tensors",
    "nsim",
    "nsim_map",
    "openl3_spectrogram",
    "openl3_windows",
    "pad_neighborhood",
    "padded_window",
    "pearson_correlation",
    "pool_levels",
    "quantize",
    "remove_level",
    "resolve_normalization",
    "safe_power",
    "smooth_masks",
    "spectrogram",
    "ssim",
    "ssim_map",
    "stable_mean",
    "stft",
    "to_codes",
    "to_decibels",
    "to_log",
    "to_log01",
    "vggish_log_mel",
    "vggish_mel_matrix",
    "vggish_postprocess",
    "vggish_windows",
]
