"""What X may be, beyond what scikit-learn's tags can say."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.utils import InputTags


@dataclass(slots=True)
class PerceptualInputTags(InputTags):
    """Tags of scikit-learn for X, and those for audio; the estimator checks read them.

    Parameters
    ----------
    signals : bool, default=False
        Whether X can be signals, (n_signals, n_times), or a list of them.
    signal_pairs : bool, default=False
        Whether X can be pairs of signals, (n_pairs, 2, n_times), reference first, or a list.
    images : bool, default=False
        Whether X can be images, (n_images, n_bands, n_frames), or a list.
    image_pairs : bool, default=False
        Whether X can be pairs of images, (n_pairs, 2, n_bands, n_frames), or a list.
    pyramids : bool, default=False
        Whether X can be a :class:`~skperceptual.Pyramid` of images.
    pyramid_pairs : bool, default=False
        Whether X can be a :class:`~skperceptual.Pyramid` of pairs of images.
    unit_range : bool, default=False
        Whether the values of images have to lie in [0, 1].
    fixed_shape : bool, default=False
        Whether samples have to keep the shape that ``fit`` saw.
    any_shape : bool, default=False
        Whether X can be all of these and more, as long as samples keep the shape that ``fit``
        saw: they are plain numbers to the estimator.

    Examples
    --------
    >>> from sklearn.utils import get_tags
    >>> from skperceptual import MSE, MelSpectrogram
    >>> get_tags(MSE()).input_tags.image_pairs, get_tags(MelSpectrogram()).input_tags.image_pairs
    (True, False)
    """

    signals: bool = False
    signal_pairs: bool = False
    images: bool = False
    image_pairs: bool = False
    pyramids: bool = False
    pyramid_pairs: bool = False
    unit_range: bool = False
    fixed_shape: bool = False
    any_shape: bool = False
