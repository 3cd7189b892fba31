"""The demonstration: metrics compared on songs and ratings that are both made up."""

from skperceptual.demo.rated_songs import write_rated_songs
from skperceptual.demo.run import run_demo

__all__ = ["run_demo", "write_rated_songs"]
