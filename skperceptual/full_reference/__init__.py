"""Full-reference metrics: pairs in, features out; one metric a file."""

from skperceptual.full_reference.ms_ssim import MSSSIM
from skperceptual.full_reference.mse import MSE
from skperceptual.full_reference.nlpd import NLPD
from skperceptual.full_reference.pyramid_distance import PyramidDistance
from skperceptual.full_reference.ssim import SSIM

__all__ = ["MSE", "MSSSIM", "NLPD", "SSIM", "PyramidDistance"]
