"""Images to Laplacian pyramids, and pyramids to normalised pyramids."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.base import PerceptualEstimator
from skperceptual.functional.divisive_normalization import (
    Normalization,
    divisive_normalization,
    normalization_border,
    normalization_tensors,
)
from skperceptual.functional.pyramid import (
    CONVENTIONS,
    invert_laplacian_pyramid,
    laplacian_pyramid,
    minimum_side,
)
from skperceptual.functional.statistical_fit import fit_normalization
from skperceptual.utils._sklearn import Interval, Options, StrOptions, _fit_context
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.threads import single_threaded
from skperceptual.utils.validation import ImageBatch, check_images

__all__ = ["DivisiveNorm", "LaplacianPyramid", "Pyramid"]


class Pyramid:
    """A batch of multi-resolution images that travels between the steps of a Pipeline.

    It counts and indexes samples, as cross-validation does, while its ``levels`` hold one array
    a scale.

    Parameters
    ----------
    levels : list
        One entry a level, the finest first: an array of shape (n, ..., n_bands_k, n_frames_k),
        or a list of n arrays where the images differ in size.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid, see :class:`LaplacianPyramid`.

    Attributes
    ----------
    levels : list
        As given.
    convention : str
        As given.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import LaplacianPyramid
    >>> pyramid = LaplacianPyramid(n_levels=3).fit_transform(np.random.rand(5, 16, 32))
    >>> pyramid
    Pyramid(5 samples, levels 16x32, 8x16, 4x8, convention='laparra2016')
    >>> len(pyramid[1:3]), np.asarray(pyramid).shape
    (2, (5, 672))
    """

    def __init__(self, levels: list[Any], *, convention: str = "laparra2016") -> None:
        if not levels or len({len(level) for level in levels}) > 1:
            raise ValueError(
                "A Pyramid needs at least one level and the same number of samples in each, got "
                f"{[len(level) for level in levels]}."
            )
        if convention not in CONVENTIONS:
            raise ValueError(
                f"convention={convention!r} is unknown. Use one of {', '.join(CONVENTIONS)}."
            )
        self.levels = levels
        self.convention = convention

    def __len__(self) -> int:
        return len(self.levels[0])

    @property
    def shape(self) -> tuple[int]:
        """Number of samples, as the one axis that cross-validation may index."""
        return (len(self),)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floating-point type of the coefficients."""
        return np.dtype(self.levels[0][0].dtype) if len(self) else np.dtype(np.float64)

    @property
    def has_pairs(self) -> bool:
        """Whether each sample is a pair of images, the reference first."""
        return len(self) > 0 and self.levels[0][0].ndim == 3

    def __getitem__(self, key: Any) -> Pyramid:
        if isinstance(key, tuple):  # scikit-learn indexes with (rows, ...)
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError("A Pyramid is indexed by sample only; its levels are in .levels.")
            key = key[0]
        if isinstance(key, (int, np.integer)):
            key = [int(key)]
        rows = np.arange(len(self))[key]
        picked = [
            level[rows] if isinstance(level, np.ndarray) else [level[row] for row in rows]
            for level in self.levels
        ]
        return Pyramid(picked, convention=self.convention)

    def __iter__(self) -> Iterator[list[NDArray[np.floating]]]:
        """Go through the samples; each gives the list of its levels."""
        for row in range(len(self)):
            yield [level[row] for level in self.levels]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if any(len({image.shape for image in level}) > 1 for level in self.levels):
            raise ValueError(
                "A Pyramid of images of different size does not fit into one array. Cut the "
                "clips to one length with FixDuration() first."
            )
        if copy is False:
            raise ValueError("A Pyramid cannot become an array without a copy.")
        levels = [np.asarray(level, dtype=self.dtype) for level in self.levels]
        flat = np.concatenate(
            [level.reshape(len(self), math.prod(level.shape[1:])) for level in levels], axis=1
        )
        return flat if dtype is None else flat.astype(dtype)

    def __repr__(self) -> str:
        ragged = not isinstance(self.levels[0], np.ndarray)
        sizes = ", ".join(
            "ragged" if ragged else f"{level.shape[-2]}x{level.shape[-1]}" for level in self.levels
        )
        pairs = "pairs" if len(self) and self.has_pairs else "samples"
        return f"Pyramid({len(self)} {pairs}, levels {sizes}, convention={self.convention!r})"


def _stack_samples(samples: list[list[NDArray]], *, ragged: bool, convention: str) -> Pyramid:
    levels = [list(level) if ragged else np.stack(level) for level in zip(*samples, strict=True)]
    return Pyramid(levels, convention=convention)


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
        return _stack_samples(samples, ragged=isinstance(batch, list), convention=self.convention)

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


def check_pyramid(X: Any, *, n_levels: int | None = None, pairs: bool = False) -> Pyramid:
    """Check that X is a Pyramid of finite floating-point images.

    Parameters
    ----------
    X : Pyramid
        What the user gave.
    n_levels : int, optional
        The number of levels that it must have.
    pairs : bool, default=False
        Whether its samples must be pairs.

    Returns
    -------
    Pyramid
        The same levels.

    Raises
    ------
    ValueError
        When it is something else, or its levels hold integers, NaN or infinity.
    """
    if not isinstance(X, Pyramid):
        raise ValueError(
            f"Expected a Pyramid, got {type(X).__name__}. Put LaplacianPyramid() before this step."
        )
    if len(X) == 0:
        raise ValueError("Found a Pyramid with 0 sample(s) while a minimum of 1 is required.")
    if n_levels is not None and len(X.levels) != n_levels:
        raise ValueError(
            f"This step was fitted to {n_levels} levels, got a Pyramid of {len(X.levels)}."
        )
    if pairs and not X.has_pairs:
        raise ValueError(
            "Expected a Pyramid of pairs, whose levels have the shape (n_pairs, 2, n_bands, "
            f"n_frames), got levels of shape {np.shape(X.levels[0])}. Give LaplacianPyramid "
            "pairs of images, reference first."
        )
    levels = [check_images(level, pairs=X.has_pairs) for level in X.levels]
    return Pyramid(levels, convention=X.convention)


class DivisiveNorm(TransformerMixin, PerceptualEstimator):
    """Normalise each coefficient of a pyramid by the activity around it.

    ``y = z / (sigma_k + sum_j p_kj |z_j|)`` at level k, over a neighbourhood of
    ``kernel_size x kernel_size`` coefficients.

    Parameters
    ----------
    normalization : {"image", "ones", "statistical"}, None or (filters, sigmas), default="image"
        ``"image"``: the published weights for photographs. ``"ones"``: all weights 1, sigma the
        mean magnitude of the level (equation 3). ``"statistical"``: weights that predict each
        coefficient's magnitude from its neighbours (equations 2 to 4), learned in ``fit`` from
        the references; the centre weight is 0 and no weight is negative, so denominators stay
        positive. None: division by 1. A pair of arrays of shape (n_levels, k, k) and
        (n_levels,): weights and constants of your own.
    kernel_size : int, default=5
        Side of the neighbourhood, odd and at least 3.

    Attributes
    ----------
    filters_ : ndarray of shape (n_levels, kernel_size, kernel_size)
        Weights: ``filters_[level, i, j]`` weighs the neighbour ``i - kernel_size // 2`` bands
        and ``j - kernel_size // 2`` frames away.
    sigmas_ : ndarray of shape (n_levels,)
        Constants.
    convention_ : str
        Form of the pyramids that the step was fitted to.

    See Also
    --------
    NLPDRegressor : Also fits the normalisation to ratings.
    DivisiveNormDisplay : Draws the weights.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is
       what you see: audio quality from image quality metrics", 2023, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skperceptual import DivisiveNorm, LaplacianPyramid
    >>> images = np.random.default_rng(0).random((4, 32, 32))
    >>> steps = make_pipeline(LaplacianPyramid(3), DivisiveNorm("statistical"))
    >>> steps.fit_transform(images)
    Pyramid(4 samples, levels 32x32, 16x16, 8x8, convention='laparra2016')
    >>> steps[-1].filters_.shape
    (3, 5, 5)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "normalization": [StrOptions({"image", "ones", "statistical"}), tuple, list, None],
        "kernel_size": [Options(Integral, set(range(3, 33, 2)))],
    }

    def __init__(self, normalization: Normalization = "image", *, kernel_size: int = 5) -> None:
        self.normalization = normalization
        self.kernel_size = kernel_size

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Pyramid, y: ArrayLike | None = None) -> Self:
        """Learn, or look up, the weights and constants.

        Parameters
        ----------
        X : Pyramid
            Pyramids of images, or of pairs, of which only the references are used.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The fitted step.
        """
        X = self._validate_pyramid(X, reset=True)
        references = _distinct_references(X)
        with single_threaded():
            self.filters_, self.sigmas_ = fit_normalization(
                references,
                self.normalization,
                len(X.levels),
                kernel_size=self.kernel_size,
                convention=X.convention,
            )
        self.convention_ = X.convention
        return self

    def transform(self, X: Pyramid) -> Pyramid:
        """Normalise the pyramids.

        Parameters
        ----------
        X : Pyramid
            Pyramids of images or of pairs of images.

        Returns
        -------
        Pyramid
            The normalised levels, of the same shapes.
        """
        check_is_fitted(self)
        X = self._validate_pyramid(X, reset=False)
        if X.convention != self.convention_:
            raise ValueError(
                f"This step was fitted to convention={self.convention_!r}, got a Pyramid of "
                f"convention={X.convention!r}. Fit and transform with one LaplacianPyramid."
            )
        border = normalization_border(X.convention)
        samples = []
        with single_threaded(), torch.inference_mode():
            for bands in X:
                levels = [torch.tensor(band) for band in bands]
                filters, sigmas = normalization_tensors(self.filters_, self.sigmas_, like=levels[0])
                normalized = map(
                    partial(divisive_normalization, border=border), levels, filters, sigmas
                )
                samples.append([level.numpy() for level in normalized])
        ragged = not isinstance(X.levels[0], np.ndarray)
        return _stack_samples(samples, ragged=ragged, convention=X.convention)

    def _validate_pyramid(self, X: Any, *, reset: bool) -> Pyramid:
        return check_pyramid(X, n_levels=None if reset else len(self.filters_))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.pyramids = True
        tags.input_tags.pyramid_pairs = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _distinct_references(pyramids: Pyramid) -> Iterator[list[torch.Tensor]]:
    """Give each distinct reference once, however many pairs it is in."""
    seen = set()
    for bands in pyramids:
        reference = [band[0] if pyramids.has_pairs else band for band in bands]
        key = fingerprint(*reference)
        if key not in seen:
            seen.add(key)
            yield [torch.tensor(band) for band in reference]
