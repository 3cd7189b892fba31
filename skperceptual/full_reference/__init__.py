"""Full-reference metrics: pairs in, features out; one metric a file."""

from skperceptual.full_reference.ms_ssim import MSSSIM
from skperceptual.full_reference.mse import MSE
from skperceptual.full_reference.nlpd import NLPD
from skperceptual.full_reference.nsim import NSIM
from skperceptual.full_reference.pesq import PESQ
from skperceptual.full_reference.pyramid_distance import PyramidDistance
from skperceptual.full_reference.ssim import SSIM
from skperceptual.full_reference.stoi import STOI
from skperceptual.full_reference.visqol import ViSQOL

__all__ = ["MSE", "MSSSIM", "NLPD", "NSIM", "PESQ", "SSIM", "STOI", "PyramidDistance", "ViSQOL"]
