"""What a metric or a score heard: where its value comes from."""

from skperceptual.inspection.loss_parts import contributions
from skperceptual.inspection.saliency import SaliencyMap, saliency_maps

__all__ = ["SaliencyMap", "contributions", "saliency_maps"]
