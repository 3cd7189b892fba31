"""ViSQOL: alignment, patches, the search for them, their similarity, and its map to a rating."""

from skperceptual.full_reference.visqol.estimator import ViSQOL

__all__ = ["ViSQOL"]
