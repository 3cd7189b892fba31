"""The compressive autoencoder of "Data is overrated" as a torch module."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from skperceptual.functional.quantization import check_centers, from_codes, quantize, to_codes

UPSAMPLINGS = ("transposed", "nearest")


class AutoencoderNetwork(nn.Module):
    """Convolutional autoencoder whose latent values are quantised, for images in [0, 1].

    ``n_layers`` convolutions of stride 2, each followed by batch normalisation and a leaky ReLU
    (the last one by tanh), the quantiser, as many layers back up, and one more convolution with a
    sigmoid. Images whose sides are no multiples of ``2**n_layers`` are padded at their ends, by
    repeating the last row and column, and cropped again.

    Parameters
    ----------
    n_filters : int, default=128
        Number of channels of every layer, the codes included.
    kernel_size : int, default=5
        Side of the filters, at least 2.
    n_layers : int, default=4
        How often the encoder halves the image.
    centers : sequence of float, default=(-1.0, 1.0)
        The values of the quantised latent, in rising order; see :func:`quantize`.
    scale : float, default=10.0
        How sharply the soft quantiser decides.
    quantization : {"soft", "hard", "ste"}, default="soft"
        How ``forward`` quantises; see :func:`quantize`.
    upsampling : {"transposed", "nearest"}, default="transposed"
        ``"transposed"`` convolutions of stride 2, or ``"nearest"`` neighbours followed by a
        convolution, which leave no checkerboard.
    head_kernel_size : int or None, default=None
        Side of the last filter, odd; None means ``kernel_size``, or one less where that is even.
    bias : bool, default=False
        Whether convolutions that batch normalisation follows have a bias, which it cancels.

    References
    ----------
    .. [1] T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "Data is overrated:
       perceptual metrics can lead learning in the absence of training data", 2023, section 2.2
       and figure 1.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import AutoencoderNetwork
    >>> network = AutoencoderNetwork(n_filters=8, kernel_size=3)
    >>> images = torch.rand(2, 1, 32, 50)
    >>> network(images).shape, network.encode(images).shape
    (torch.Size([2, 1, 32, 50]), torch.Size([2, 8, 2, 4]))
    """

    def __init__(
        self,
        *,
        n_filters: int = 128,
        kernel_size: int = 5,
        n_layers: int = 4,
        centers: Sequence[float] = (-1.0, 1.0),
        scale: float = 10.0,
        quantization: str = "soft",
        upsampling: str = "transposed",
        head_kernel_size: int | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if upsampling not in UPSAMPLINGS:
            raise ValueError(
                f"upsampling={upsampling!r} is unknown. Use one of {', '.join(UPSAMPLINGS)}."
            )
        if kernel_size < 2:
            raise ValueError(
                f"kernel_size={kernel_size} leaves out pixels at stride 2. Use 2 or more."
            )
        self.n_layers = n_layers
        self.centers = check_centers(centers)
        self.scale = scale
        self.quantization = quantization
        padding = (kernel_size - 1) // 2
        down: list[nn.Module] = []
        for layer in range(n_layers):
            down += [
                nn.Conv2d(
                    1 if layer == 0 else n_filters,
                    n_filters,
                    kernel_size,
                    stride=2,
                    padding=padding,
                    bias=bias,
                ),
                nn.BatchNorm2d(n_filters),
                nn.Tanh() if layer == n_layers - 1 else nn.LeakyReLU(),
            ]
        up: list[nn.Module] = []
        for _ in range(n_layers):
            if upsampling == "nearest":
                rest = kernel_size - 1 - padding
                up += [
                    nn.Upsample(scale_factor=2),
                    nn.ZeroPad2d((padding, rest, padding, rest)),
                    nn.Conv2d(n_filters, n_filters, kernel_size, bias=bias),
                ]
            else:
                up.append(
                    nn.ConvTranspose2d(
                        n_filters,
                        n_filters,
                        kernel_size,
                        stride=2,
                        padding=padding,
                        output_padding=kernel_size % 2,
                        bias=bias,
                    )
                )
            up += [nn.BatchNorm2d(n_filters), nn.LeakyReLU()]
        side = head_kernel_size or kernel_size - (kernel_size % 2 == 0)
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up, nn.Conv2d(n_filters, 1, side, padding=side // 2))

    def latent(self, images: Tensor) -> Tensor:
        """Give the latent values before they are quantised.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Images in [0, 1].

        Returns
        -------
        Tensor of shape (n, n_filters, code_bands, code_frames)
            Values in [-1, 1].
        """
        block = 2**self.n_layers
        bands, frames = images.shape[-2:]
        end = (0, -frames % block, 0, -bands % block)
        padded = functional.pad(images, end, mode="replicate") if any(end) else images
        return self.encoder(padded)

    def encode(self, images: Tensor) -> Tensor:
        """Give the codes of images: the number of the centre nearest to each latent value.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Images in [0, 1].

        Returns
        -------
        Tensor of int8 and of shape (n, n_filters, code_bands, code_frames)
            The codes, from 0 on.
        """
        return to_codes(self.latent(images), centers=self.centers)

    def decode(self, codes: Tensor, shape: tuple[int, int]) -> Tensor:
        """Give the images of codes.

        Parameters
        ----------
        codes : Tensor of integers and of shape (n, n_filters, code_bands, code_frames)
            What :meth:`encode` gave.
        shape : (int, int)
            Bands and frames of the images.

        Returns
        -------
        Tensor of shape (n, 1, n_bands, n_frames)
            Images in [0, 1].
        """
        dtype = next(self.parameters()).dtype
        return self._synthesize(from_codes(codes, centers=self.centers, dtype=dtype), shape)

    def forward(self, images: Tensor, quantization: str | None = None) -> Tensor:
        """Send images through encoder, quantiser and decoder.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Images in [0, 1].
        quantization : {"soft", "hard", "ste"}, default=None
            How to quantise; None means as the network was made.

        Returns
        -------
        Tensor of shape (n, 1, n_bands, n_frames)
            Images in [0, 1].
        """
        quantized = quantize(
            self.latent(images),
            centers=self.centers,
            scale=self.scale,
            quantization=quantization or self.quantization,
        )
        bands, frames = images.shape[-2:]
        return self._synthesize(quantized, (bands, frames))

    def _synthesize(self, quantized: Tensor, shape: tuple[int, int]) -> Tensor:
        logits = self.decoder(quantized)[..., : shape[0], : shape[1]]
        # In the full precision of the loss, also under autocast.
        return logits.float().sigmoid() if logits.itemsize < 4 else logits.sigmoid()
