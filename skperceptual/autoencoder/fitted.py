"""A fitted autoencoder at work: images to codes and back, and what that is worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skperceptual.autoencoder.codes import (
    channel_entropy,
    check_codes,
    n_packed_bytes,
    pack_codes,
    ratios,
)
from skperceptual.autoencoder.coding import decode, encode, mean_loss, reconstruct
from skperceptual.autoencoder.images import check_statistics, code_sides, stack_images
from skperceptual.autoencoder.losses import SIMILARITIES, Loss, make_loss
from skperceptual.base import PerceptualEstimator
from skperceptual.functional.quantization import max_entropy_bits
from skperceptual.utils.network_training import FittedNetworkMixin
from skperceptual.utils.validation import check_images


class FittedCoder(
    FittedNetworkMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, PerceptualEstimator
):
    """What an autoencoder does once its network has been trained.

    A subclass has the parameters below, and trains.
    """

    loss: Loss
    batch_size: int
    packed: bool
    image_shape_: tuple[int, int]
    code_shape_: tuple[int, int, int]
    entropy_bound_: float
    bits_per_pixel_: float

    def transform(self, X: Any) -> NDArray[np.int8] | NDArray[np.uint8]:
        """Give the codes of images.

        Parameters
        ----------
        X : array of shape (n_images, n_bands, n_frames), or list of (n_bands, n_frames)
            Images in [0, 1] of the size that ``fit`` saw.

        Returns
        -------
        ndarray of int8 and of shape (n_images, n_codes)
            The number of the centre of each latent value, from 0 on, channel by channel; reshape
            to ``(-1, *code_shape_)``. With ``packed=True`` bytes, uint8, of shape
            (n_images, n_bytes).
        """
        codes = encode(self.net_, self._validate_fitted(X))
        return pack_codes(codes, self._n_centers) if self.packed else codes

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Give the images that codes stand for.

        Parameters
        ----------
        X : array of shape (n_images, n_codes)
            Codes as ``transform`` gives them; packed with ``packed=True``.

        Returns
        -------
        ndarray of shape (n_images, n_bands, n_frames)
            Images in [0, 1], float32.

        Raises
        ------
        ValueError
            When these are no such codes.
        """
        check_is_fitted(self, "state_")
        codes = check_codes(X, math.prod(self.code_shape_), self._n_centers, packed=self.packed)
        return decode(self.net_, codes, self.code_shape_, self.image_shape_)

    def reconstruct(
        self, X: Any, *, quantization: str = "hard", batch_norm: str = "running"
    ) -> NDArray[np.floating]:
        """Send images through the whole network.

        Parameters
        ----------
        X : array of shape (n_images, n_bands, n_frames), or list of (n_bands, n_frames)
            Images in [0, 1] of the size that ``fit`` saw.
        quantization : {"hard", "soft"}, default="hard"
            ``"hard"`` is ``inverse_transform(transform(X))``; ``"soft"`` lets through what lies
            between the centres, as the paper's equation 1 does, and is no longer worth
            ``entropy_bound_`` bits.
        batch_norm : {"running", "batch"}, default="running"
            Statistics of batch normalisation: those of training, or those of X itself, so that
            every image changes the others. X is taken in the fewest batches of at most
            ``batch_size`` images, in their order and as equal in number as they can be.

        Returns
        -------
        ndarray of shape (n_images, n_bands, n_frames)
            Images in [0, 1], in the precision of X.

        Raises
        ------
        ValueError
            When an option is unknown, or a batch has a single latent value in each channel.
        """
        if quantization not in ("hard", "soft") or batch_norm not in ("running", "batch"):
            raise ValueError(
                "Expected quantization='hard' or 'soft' and batch_norm='running' or 'batch', got "
                f"{quantization!r} and {batch_norm!r}."
            )
        images = self._validate_fitted(X)
        if batch_norm == "running":
            return reconstruct(self.net_, images, quantization)
        n_batches = -(-len(images) // self.batch_size)
        smallest = len(images) // n_batches
        check_statistics(smallest, self.image_shape_, self.module_parameters_["n_layers"])
        return reconstruct(self.net_, images, quantization, n_batches)

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """Say how well images come back from their codes, in terms of ``loss``.

        Parameters
        ----------
        X : array of shape (n_images, n_bands, n_frames), or list of (n_bands, n_frames)
            Images in [0, 1] of the size that ``fit`` saw.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        float
            The mean over images of the similarity for ``"ssim"`` and ``"ms-ssim"``, and of minus
            the loss for all others: higher is better. Codes are hard.
        """
        images = self._validate_fitted(X)
        loss = make_loss(self.loss, self.image_shape_)
        mean = mean_loss(loss, images, reconstruct(self.net_, images, "hard"))
        return 1 - mean if self.loss in SIMILARITIES else -mean

    def code_entropy(self, X: Any) -> float:
        """Estimate the entropy that the codes of images really have.

        Parameters
        ----------
        X : array of shape (n_images, n_bands, n_frames), or list of (n_bands, n_frames)
            Images in [0, 1] of the size that ``fit`` saw.

        Returns
        -------
        float
            Bits an image, never more than ``entropy_bound_``: what an ideal arithmetic coder would
            need that knows how often each channel takes each value in X, and nothing else.
        """
        codes = encode(self.net_, self._validate_fitted(X))
        return channel_entropy(codes.reshape(-1, *self.code_shape_), self._n_centers)

    def compression_ratios(self, duration_seconds: float | None = None) -> dict[str, float]:
        """Say what ``entropy_bound_`` bits an image mean, beside several uncompressed forms.

        The bound is also what packed codes take where the number of centres is a power of two; of
        three centres, each code has ``log2(3)`` bits but takes two of them.

        A ratio says nothing without what it relates to. The paper's 48:1 relates half a bit a
        pixel of a spectrogram to 24 bits a pixel of a colour photograph; audio of as many samples
        as the spectrogram has pixels comes close to that by chance. No ratio counts the phase,
        which is not coded but estimated.

        Parameters
        ----------
        duration_seconds : float, default=None
            The length of the audio behind one image. None leaves audio out.

        Returns
        -------
        dict of str to float
            ``"bits a pixel"``, of the bound; ``"bits a pixel, packed"``, of the bytes that
            ``transform`` gives with ``packed=True``; the ratios of the bound for images of 8 and 24
            bits a pixel; with a duration ``"bits a second"``, of the bound, and the ratios for
            formats of audio.

        Examples
        --------
        >>> import numpy as np
        >>> from skperceptual import CompressiveAutoencoder
        >>> coder = CompressiveAutoencoder(
        ...     training="noise", kernel_size=2, max_iter=1, batch_size=2, crop_size=32
        ... )
        >>> ratios = coder.fit(np.zeros((1, 256, 256))).compression_ratios(4.208)
        >>> coder.entropy_bound_, coder.bits_per_pixel_, round(ratios["bits a second"])
        (32768.0, 0.5, 7787)
        >>> round(ratios["images, 24 bit a pixel"]), round(ratios["16 kHz mono, 16 bit"], 1)
        (48, 32.9)
        """
        check_is_fitted(self, "state_")
        n_packed = 8 * n_packed_bytes(math.prod(self.code_shape_), self._n_centers)
        n_pixels = math.prod(self.image_shape_)
        return ratios(self.entropy_bound_, n_packed, n_pixels, duration_seconds)

    def _keep_shapes(self, image_shape: tuple[int, int]) -> None:
        """Take over the sizes of images and codes, and what follows from them."""
        n_filters, n_layers = (self.module_parameters_[k] for k in ("n_filters", "n_layers"))
        self.image_shape_ = image_shape
        self.code_shape_ = n_filters, *code_sides(image_shape, n_layers)
        self.entropy_bound_ = max_entropy_bits(
            n_bands=image_shape[0],
            n_frames=image_shape[1],
            n_layers=n_layers,
            n_filters=n_filters,
            n_centers=self._n_centers,
        )
        self.bits_per_pixel_ = self.entropy_bound_ / math.prod(image_shape)

    @property
    def _n_centers(self) -> int:
        return len(self.module_parameters_["centers"])

    def _validate_fitted(self, X: Any) -> NDArray[np.floating]:
        check_is_fitted(self, "state_")
        return self._validate_images(X, reset=False)

    def _validate_images(self, X: Any, *, reset: bool) -> NDArray[np.floating]:
        """Check images, and give them as one array; ``fit`` itself records what is kept of them."""
        batch = check_images(X)
        if reset:
            return stack_images(batch, None)
        self._record_features(X, batch, reset=False)
        return stack_images(batch, self.image_shape_)

    @property
    def _n_features_out(self) -> int:
        n_codes = math.prod(self.code_shape_)
        return n_packed_bytes(n_codes, self._n_centers) if self.packed else n_codes

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.images = True
        tags.input_tags.unit_range = True
        tags.input_tags.fixed_shape = True
        tags.transformer_tags.preserves_dtype = []
        return tags
