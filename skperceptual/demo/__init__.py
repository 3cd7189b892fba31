"""The demonstration: the first paper's tables on music and ratings that are both made up."""

from skperceptual.demo.rated_files import write_rated_music
from skperceptual.demo.run import run_demo

__all__ = ["run_demo", "write_rated_music"]
