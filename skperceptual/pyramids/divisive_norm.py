"""Pyramids to normalised pyramids."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
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
from skperceptual.functional.statistical_fit import fit_normalization
from skperceptual.pyramids.container import Pyramid, check_pyramid, stack_samples
from skperceptual.utils._sklearn import Options, StrOptions, _fit_context
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.threads import single_threaded

__all__ = ["DivisiveNorm"]


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
        return stack_samples(samples, ragged=ragged, convention=X.convention)

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
