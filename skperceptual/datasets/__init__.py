"""Data sets: rated music, real and simulated, and a user's own recordings.

``fetch_*`` downloads what others published, ``load_*`` reads what lies on your disk, ``make_*``
synthesises. Each gives a Bunch whose fields are named alike: ``pairs`` (or ``signals``),
``target``, ``groups``, ``condition``, ``sr``, ``frame`` (all that is known of each row) and
``DESCR``.
"""

from skperceptual.datasets.audio_folder import load_audio_folder
from skperceptual.datasets.embedding_weights import fetch_openl3_weights, fetch_vggish_weights
from skperceptual.datasets.instrument_recordings import load_instrument_recordings
from skperceptual.datasets.music import make_music
from skperceptual.datasets.pmqd import fetch_pmqd
from skperceptual.datasets.rated_music import make_rated_music
from skperceptual.datasets.rated_pairs import load_rated_pairs
from skperceptual.datasets.synthetic_cellos import make_synthetic_cellos
from skperceptual.datasets.uniform_noise import make_uniform_noise
from skperceptual.datasets.visqol_models import fetch_visqol_model
from skperceptual.utils.data_home import get_data_home

__all__ = [
    "fetch_openl3_weights",
    "fetch_pmqd",
    "fetch_vggish_weights",
    "fetch_visqol_model",
    "get_data_home",
    "load_audio_folder",
    "load_instrument_recordings",
    "load_rated_pairs",
    "make_music",
    "make_rated_music",
    "make_synthetic_cellos",
    "make_uniform_noise",
]
