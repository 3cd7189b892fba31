"""Images to Laplacian pyramids, and pyramids to normalised pyramids."""

from skperceptual.pyramids.container import Pyramid
from skperceptual.pyramids.divisive_norm import DivisiveNorm
from skperceptual.pyramids.laplacian import LaplacianPyramid

__all__ = ["DivisiveNorm", "LaplacianPyramid", "Pyramid"]
