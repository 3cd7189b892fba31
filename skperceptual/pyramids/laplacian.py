"""Images to Laplacian pyramids and back."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from skperceptual.base import PerceptualEstimator
from skperceptual.functional.pyramid import (
    CONVENTIONS,
    invert_laplacian_pyramid,
    laplacian_pyramid,
    minimum_side,
)
from skperceptual.pyramids.container import Pyramid, check_pyramid, stack_samples
from skperceptual.utils._sklearn import Interval, StrOptions, _fit_context
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import ImageBatch, check_images

__all__ = ["LaplacianPyramid"]


class LaplacianPyramid(TransformerMixin, PerceptualEstimator):
    """Split images in [0, 1] into the levels of a Laplacian pyramid.

    Parameters
    ----------
    n_levels : int, default=6
        Number of levels.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Which published form to build; see :mod:`skperceptual.functional.pyramid`.

    See Also
    --------
    DivisiveNorm : Normalises the levels.
    NLPD : The whole distance in one step.

    References
    ----------
    .. [1] P. Burt, E. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
       Communications 31(4), 532-540, 1983.
    .. [2] V. Laparra, J. Ballé, A. Berardino, E. P. Simoncelli, "Perceptual image quality
       assessment using a normalized Laplacian pyramid", Electronic Imaging 2016(16), 1-6.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import LaplacianPyramid
    >>> images = np.random.rand(2, 16, 16)
    >>> step = LaplacianPyramid(n_levels=2)
    >>> np.allclose(step.inverse_transform(step.fit_transform(images)), images)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_levels": [Interval(Integral, 1, 16, closed="both")],
        "convention": [StrOptions(set(CONVENTIONS))],
    }

    def __init__(self, n_levels: int = 6, *, convention: str = "laparra2016") -> None:
        self.n_levels = n_levels
        self.convention = convention

    def _validate_images(self, X: Any, *, reset: bool) -> ImageBatch:
        side = minimum_side(self.n_levels, self.convention)
        batch = check_images(X, pairs=None, min_side=side)
        self._record_features(X, batch, reset=reset)
        return batch

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the images; there is nothing to learn.

        Parameters
        ----------
        X : array or list
            Images of shape (n_images, n_bands, n_frames), pairs of images of shape
            (n_pairs, 2, n_bands, n_frames), or a list where sizes differ.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The step itself.
        """
        self._validate_images(X, reset=True)
        return self

    def transform(self, X: Any) -> Pyramid:
        """Build the pyramids.

        Parameters
        ----------
        X : array or list
            Images of shape (n_images, n_bands, n_frames), pairs of images of shape
            (n_pairs, 2, n_bands, n_frames), or a list where sizes differ.

        Returns
        -------
        Pyramid
            The levels, with the leading axes of X.
        """
        self._validate_params()
        batch = self._validate_images(X, reset=False)
        samples = []
        with single_threaded(), torch.inference_mode():
            for item in batch:
                bands = [
                    self._transform_image(image) for image in item.reshape(-1, *item.shape[-2:])
                ]
                samples.append(
                    bands[0]
                    if item.ndim == 2
                    else [np.stack(level) for level in zip(*bands, strict=True)]
                )
        return stack_samples(samples, ragged=isinstance(batch, list), convention=self.convention)

    def _transform_image(self, image: NDArray) -> list[NDArray]:
        levels = laplacian_pyramid(torch.tensor(image), self.n_levels, convention=self.convention)
        return [level.numpy() for level in levels]

    def inverse_transform(self, X: Pyramid) -> Any:
        """Put the images together again.

        Parameters
        ----------
        X : Pyramid
            What ``transform`` gave.

        Returns
        -------
        ndarray or list
            The images, exact up to rounding.

        Raises
        ------
        ValueError
            When X is no Pyramid, or of the convention ``"hepburn"``, which has no inverse.
        """
        X = check_pyramid(X)
        images = []
        with single_threaded(), torch.inference_mode():
            for bands in X:
                levels = [torch.tensor(band) for band in bands]
                images.append(invert_laplacian_pyramid(levels, convention=X.convention).numpy())
        return np.stack(images) if isinstance(X.levels[0], np.ndarray) else images

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.images = True
        tags.input_tags.image_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
