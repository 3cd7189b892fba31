"""The compressive autoencoder as a scikit-learn transformer."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skperceptual.autoencoder.batches import ImageBatches, NoiseBatches
from skperceptual.autoencoder.fitted import FittedCoder
from skperceptual.autoencoder.images import check_statistics, crop_shape
from skperceptual.autoencoder.losses import LOSSES, Loss, describe_shrinking, make_loss
from skperceptual.autoencoder.training_name import name_training
from skperceptual.functional.quantization import QUANTIZATIONS, check_centers
from skperceptual.networks.autoencoder import UPSAMPLINGS, AutoencoderNetwork
from skperceptual.utils._sklearn import Interval, StrOptions, _fit_context
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.fingerprint import fingerprint
from skperceptual.utils.messages import warn_caller
from skperceptual.utils.network_training import Checkpoint, NetworkRecipe, train_network
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.validation import is_ragged

__all__ = ["CompressiveAutoencoder"]


class CompressiveAutoencoder(FittedCoder):
    """Autoencoder with a quantised latent space, trained with a perceptual loss.

    Images go through convolutions of stride 2 to a few channels of bits and back, as in [1]_.
    ``transform`` gives the bits, ``inverse_transform`` images; behind a front end such as
    :class:`MelSpectrogram`, audio goes to bits and back to audio.

    Parameters
    ----------
    loss : {"nlpd", "ms-ssim", "ssim", "mse"} or callable, default="nlpd"
        What training brings down: NLPD, mean squared error, or one minus a similarity. A function
        of torch tensors, called with reference and degraded images, gives one loss an image; make
        it with :func:`functools.partial` of one of :mod:`skperceptual.functional` to change
        parameters. Of an :class:`~skperceptual.functional.ImageLoss`, its losses of items are
        taken and averaged, whatever its ``reduction``.
    training : {"data", "noise"}, default="data"
        What to train on: the images that ``fit`` is given, or fresh uniform noise of their size
        in every iteration.
    n_filters : int, default=128
        Channels of every layer, the codes included.
    kernel_size : int, default=5
        Side of the filters. The paper shows it in a figure alone.
    n_layers : int, default=4
        How often the encoder halves the image. Sides that are no multiples of ``2**n_layers`` are
        padded, and cropped again.
    centers : tuple of float, default=(-1.0, 1.0)
        The values that a latent value can be quantised to, in rising order.
    scale : float, default=10.0
        How sharply the soft quantiser decides.
    quantization : {"soft", "hard", "ste"}, default="soft"
        How training quantises; see :func:`skperceptual.functional.quantize`. ``"hard"`` leaves
        the encoder as it was drawn, as no gradient passes. Codes are hard in any case.
    upsampling : {"transposed", "nearest"}, default="transposed"
        How the decoder doubles the image: by transposed convolutions, or by repeating pixels in
        front of a convolution, which leaves no checkerboard.
    learning_rate : float, default=1e-3
        Step size of AdamW, constant.
    batch_size : int, default=64
        Images in a batch; all images where there are fewer.
    max_iter : int, default=425
        Number of batches.
    crop_size : int, default=None
        Train on squares of this side, cut from the images at random (or noise of this size), and
        use the network on whole images. None trains on whole images.
    packed : bool, default=False
        Whether ``transform`` packs the codes into bytes, eight bits in each.
    mixed_precision : bool or "auto", default="auto"
        Whether training computes in bfloat16. ``"auto"`` does so on GPUs that have it.
    checkpoint : path-like, default=None
        A file in which an unfinished training is kept. ``fit`` with the same data and parameters
        goes on from there, and ends with the same bits on the same device; a larger ``max_iter``
        goes on from a finished one. A loss of your own has to be one that can be pickled.
    checkpoint_every : int, default=50
        Iterations between two writings of it.
    random_state : int, RandomState instance or None, default=None
        Draws weights, noise, the order of images and crops.
    device : str, default="auto"
        Where to compute: ``"auto"`` or a torch device.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    state_ : dict of str to ndarray
        Weights and running statistics of the network.
    module_parameters_ : dict
        What the network was made with. Parameters that are set after ``fit`` change neither the
        network nor its codes until the next ``fit``.
    image_shape_ : tuple of int
        Bands and frames of the images.
    code_shape_ : tuple of int
        Channels, bands and frames of the codes of one image.
    entropy_bound_ : float
        The bits of one image at most: number of codes times ``log2(len(centers))``, equation 2
        of the paper.
    bits_per_pixel_ : float
        ``entropy_bound_`` over the number of pixels.
    history_ : list of dict
        One entry an iteration: ``iteration`` and ``loss``, of the batch before its step.
    n_iter_ : int
        Number of iterations that were completed.
    n_features_in_ : int
        Number of bands; absent when ``fit`` got a list.

    See Also
    --------
    skperceptual.networks.AutoencoderNetwork : The network.
    skperceptual.functional.NLPDLoss : The loss as a module, for networks of your own.

    Notes
    -----
    The bound counts hard codes. The soft quantiser, which the paper describes for training and
    test alike, lets values between the centres pass, so that what it reconstructs came through
    more than one bit a value: ``reconstruct(X, quantization="soft")`` does so.

    Batch normalisation uses the running statistics of training, which for noise are far from
    those of spectrograms; ``reconstruct(X, batch_norm="batch")`` takes those of X.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "Data is overrated:
       perceptual metrics can lead learning in the absence of training data", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual import CompressiveAutoencoder
    >>> images = np.random.default_rng(0).random((6, 32, 48))
    >>> coder = CompressiveAutoencoder(
    ...     n_filters=8, kernel_size=3, n_layers=3, max_iter=3, random_state=0
    ... )
    >>> codes = coder.fit_transform(images)
    >>> codes.shape, coder.code_shape_, coder.entropy_bound_, coder.bits_per_pixel_
    ((6, 192), (8, 4, 6), 192.0, 0.125)
    >>> coder.inverse_transform(codes).shape
    (6, 32, 48)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions(set(LOSSES)), callable],
        "training": [StrOptions({"data", "noise"})],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 2, 31, closed="both")],
        "n_layers": [Interval(Integral, 1, 10, closed="both")],
        "centers": [tuple, list],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "quantization": [StrOptions(set(QUANTIZATIONS))],
        "upsampling": [StrOptions(set(UPSAMPLINGS))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "crop_size": [Interval(Integral, 1, None, closed="left"), None],
        "packed": ["boolean"],
        "mixed_precision": ["boolean", StrOptions({"auto"})],
        "checkpoint": [str, os.PathLike, None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        loss: Loss = "nlpd",
        training: str = "data",
        n_filters: int = 128,
        kernel_size: int = 5,
        n_layers: int = 4,
        centers: tuple[float, ...] = (-1.0, 1.0),
        scale: float = 10.0,
        quantization: str = "soft",
        upsampling: str = "transposed",
        learning_rate: float = 1e-3,
        batch_size: int = 64,
        max_iter: int = 425,
        crop_size: int | None = None,
        packed: bool = False,
        mixed_precision: bool | str = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 50,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool | int = 0,
    ) -> None:
        self.loss = loss
        self.training = training
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.n_layers = n_layers
        self.centers = centers
        self.scale = scale
        self.quantization = quantization
        self.upsampling = upsampling
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.crop_size = crop_size
        self.packed = packed
        self.mixed_precision = mixed_precision
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Train the network.

        Ctrl-C ends the training with a warning, and keeps what was reached.

        Parameters
        ----------
        X : array of shape (n_images, n_bands, n_frames), or list of (n_bands, n_frames)
            Images in [0, 1], all of one size. With ``training="noise"`` their size alone
            matters.
        y : ignored
            Present for the conventions of scikit-learn.

        Returns
        -------
        self
            The fitted autoencoder.

        Raises
        ------
        ValueError
            When values lie outside [0, 1], sizes differ, the checkpoint is of another training,
            or the loss cannot be pickled for one.
        FloatingPointError
            When the loss becomes NaN or infinite. The weights before that step are kept.
        MemoryError
            When a batch does not fit into memory; the message names a size that does.
        """
        if len(check_centers(self.centers)) < 2:
            raise ValueError(
                f"centers={self.centers!r} leaves nothing to tell apart. Give two centres or more."
            )
        device = resolve_device(self.device)
        mixed_precision = self._is_mixed(device)
        images = self._validate_images(X, reset=True).astype(np.float32, copy=False)
        image_shape = images.shape[1], images.shape[2]
        shape = crop_shape(image_shape, self.crop_size)
        self._report_shrinking(shape)
        recipe = self._describe_training(image_shape)
        seed = int(own_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        checkpoint = self._open_checkpoint(
            recipe, images, shape, seed, mixed_precision=mixed_precision
        )
        if checkpoint is not None:
            seed = checkpoint.seed(default=seed)
        batches: NoiseBatches | ImageBatches
        if self.training == "noise":
            batches = NoiseBatches(shape, self.batch_size, seed)
        else:
            batches = ImageBatches(images, shape, self.batch_size, seed)
        check_statistics(batches.batch_size, shape, self.n_layers)
        trained = train_network(
            recipe,
            batches,
            n_steps=self.max_iter,
            steps_per_epoch=batches.steps_per_epoch,
            seed=seed,
            device=device,
            mixed_precision=mixed_precision,
            checkpoint=checkpoint,
            describe_batch=batches.describe,
            caller=type(self).__name__,
            verbose=self.verbose,
        )
        # Whatever fails until here leaves a former fit whole.
        self._keep_state(trained.state, recipe)
        self._keep_shapes(image_shape)
        self._record_features(X, list(images) if is_ragged(X) else images, reset=True)
        self.n_iter_ = trained.n_steps
        self.history_ = [
            {"iteration": number, "loss": loss}
            for number, loss in enumerate(trained.losses, start=1)
        ]
        trained.tell()
        return self

    def _make_recipe(self) -> NetworkRecipe:
        return self._describe_training(self.image_shape_)

    def _describe_training(self, image_shape: tuple[int, int]) -> NetworkRecipe:
        module_parameters = {
            "n_filters": int(self.n_filters),
            "kernel_size": int(self.kernel_size),
            "n_layers": int(self.n_layers),
            "centers": check_centers(self.centers),
            "scale": float(self.scale),
            "quantization": self.quantization,
            "upsampling": self.upsampling,
        }
        return NetworkRecipe(
            AutoencoderNetwork,
            module_parameters,
            make_loss(self.loss, crop_shape(image_shape, self.crop_size)),
            float(self.learning_rate),
            draws=callable(self.loss),  # of the network itself, nothing does
        )

    def _report_shrinking(self, shape: tuple[int, int]) -> None:
        if shrunk := describe_shrinking(self.loss, shape):
            warn_caller(
                f"Training images of {shape[0]} bands and {shape[1]} frames leave the loss "
                f"{self.loss!r} {shrunk}, whose values do not compare with those of larger images."
            )

    def _open_checkpoint(
        self,
        recipe: NetworkRecipe,
        images: NDArray[np.float32],
        shape: tuple[int, int],
        seed: int,
        *,
        mixed_precision: bool,
    ) -> Checkpoint | None:
        if self.checkpoint is None:
            return None
        noise = self.training == "noise"
        parameters = {
            **recipe.module_parameters,
            "loss": self.loss,
            "learning_rate": recipe.learning_rate,
            "batch_size": int(self.batch_size if noise else min(self.batch_size, len(images))),
            "training_shape": shape,
            "mixed_precision": mixed_precision,
            # One from the operating system is another each time; the checkpoint holds the first.
            "random_state": None if self.random_state is None else seed,
        }
        data = b"noise" if noise else fingerprint(images)
        return Checkpoint(self.checkpoint, name_training(parameters, data), self.checkpoint_every)

    def _is_mixed(self, device: torch.device) -> bool:
        if self.mixed_precision == "auto":
            return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return bool(self.mixed_precision)
