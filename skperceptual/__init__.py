"""Perceptual audio quality as scikit-learn estimators.

The public names are imported at first use, so that ``import skperceptual`` costs next to
nothing; ``__init__.pyi`` beside this file is both their typing and the table of contents.
"""

import lazy_loader

from skperceptual._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
