"""Images that hold nothing: uniform noise."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skperceptual.utils._sklearn import Interval, validate_params
from skperceptual.utils.random_states import own_random_state

_DESCRIPTION = """\
Uniform noise
-------------
{n_images} images of {n_bands} x {n_frames} pixels, each pixel drawn by itself between 0 and 1: the
data that say nothing about sound, U(x) of "Data is overrated" (arXiv:2312.03455).
"""


@validate_params(
    {
        "n_images": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, list],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_uniform_noise(
    *,
    n_images: int = 64,
    image_shape: tuple[int, int] = (256, 256),
    random_state: Any = None,
) -> Bunch:
    """Make images of uniform noise, for networks that are to learn from their loss alone.

    A :class:`~skperceptual.CompressiveAutoencoder` with ``training="noise"`` makes fresh noise by
    itself. These images are for other networks, and to test with: what a metric, a code or a
    network does to images in which nothing is worth keeping.

    Parameters
    ----------
    n_images : int, default=64
        Number of images; the default is a batch of [1]_.
    image_shape : (int, int), default=(256, 256)
        Bands and frames.
    random_state : int, RandomState instance or None, default=None
        Where the noise comes from. Image number ``i`` does not depend on how many there are.

    Returns
    -------
    Bunch
        ``images`` : float32 ndarray of shape (n_images, n_bands, n_frames)
            The noise, in [0, 1).
        ``frame`` : DataFrame of n_images rows
            ``image``, the number of each.
        ``DESCR`` : str
            What this is.

    Raises
    ------
    ValueError
        For parameters out of range.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra and J. Malo, "Data is
       overrated: perceptual metrics can lead learning in the absence of training data",
       arXiv:2312.03455, 2023.

    Examples
    --------
    >>> from skperceptual.datasets import make_uniform_noise
    >>> noise = make_uniform_noise(n_images=2, image_shape=(64, 80), random_state=0)
    >>> noise.images.shape, noise.images.dtype
    ((2, 64, 80), dtype('float32'))
    """
    shape = tuple(image_shape)
    if len(shape) != 2 or not all(isinstance(size, Integral) and size > 0 for size in shape):
        raise ValueError(
            f"Expected image_shape as (n_bands, n_frames), two positive integers, got {shape}."
        )
    seed = int(own_random_state(random_state).randint(2**31))
    generator = np.random.default_rng(seed)
    n_bands, n_frames = shape
    return Bunch(
        images=generator.random((n_images, *shape), dtype=np.float32),
        frame=pd.DataFrame({"image": np.arange(n_images)}),
        DESCR=_DESCRIPTION.format(n_images=n_images, n_bands=n_bands, n_frames=n_frames),
    )
