"""The networks, as modules of torch: they know nothing of scikit-learn."""

from skperceptual.networks.autoencoder import AutoencoderNetwork
from skperceptual.networks.encoder import AuditoryEncoder
from skperceptual.networks.instrument import InstrumentNetwork
from skperceptual.networks.openl3 import OpenL3Network
from skperceptual.networks.vggish import VGGishNetwork
from skperceptual.networks.windowed import WindowedEmbedder

__all__ = [
    "AuditoryEncoder",
    "AutoencoderNetwork",
    "InstrumentNetwork",
    "OpenL3Network",
    "VGGishNetwork",
    "WindowedEmbedder",
]
