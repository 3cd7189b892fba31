"""The convolutional network that scores the sound of an instrument."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from skperceptual.functional.masks import image_level, remove_level

FREQUENCY_CUES = ("coordinate", "bands")

# In nepers. A band that hardly varies among the training excerpts is not blown up further.
_LEAST_SCALE = 0.05


class InstrumentNetwork(nn.Module):
    """Small convolutional network from log-magnitude spectrograms to one number each.

    The level of an image is removed, each band standardised, and blocks of convolution, batch
    normalisation, ReLU and max-pooling follow. The last feature maps are weighted and summed to
    the *activation map*, whose mean over bands and frames is the output. So the map is an exact
    account of the output, the class activation map of [1]_, and images may have any length.

    Parameters
    ----------
    n_bands : int
        Rows of the images.
    n_filters : sequence of int, default=(16, 32, 64, 64)
        Channels of the blocks.
    kernel_size : int, default=3
        Side of the filters, odd.
    dropout : float, default=0.3
        Probability with which a feature map of the last block is left out in training.
    time_poolings : int, default=3
        In how many blocks pooling halves the frames, besides the bands. Three leave 80 ms at a
        hop of 10 ms, less than half a period of vibrato.
    frequency_cue : {"coordinate", "bands"} or None, default=None
        How the network knows which band it looks at, which convolutions do not: by a second
        input channel that holds the place of the band, by weights of the last feature maps that
        differ between bands, or not at all.
    dynamic_range_db : float, default=60.0
        Where the floor under the image lies, in dB below the root mean square of its magnitudes.
    band_means, band_scales : array-like of shape (n_bands,), default=None
        What the bands are standardised by; None leaves them as they are.

    Raises
    ------
    ValueError
        For an unknown cue or an even ``kernel_size``.

    References
    ----------
    .. [1] B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning deep features for
       discriminative localization", CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import InstrumentNetwork
    >>> network = InstrumentNetwork(257).eval()
    >>> images = torch.randn(2, 1, 257, 301)
    >>> network(images).shape, network.activation_map(images).shape
    (torch.Size([2]), torch.Size([2, 16, 37]))
    >>> sum(weights.numel() for weights in network.parameters())
    60641
    """

    band_means: Tensor
    band_scales: Tensor

    def __init__(
        self,
        n_bands: int,
        *,
        n_filters: Sequence[int] = (16, 32, 64, 64),
        kernel_size: int = 3,
        dropout: float = 0.3,
        time_poolings: int = 3,
        frequency_cue: str | None = None,
        dynamic_range_db: float = 60.0,
        band_means: ArrayLike | None = None,
        band_scales: ArrayLike | None = None,
    ) -> None:
        super().__init__()
        if frequency_cue not in (*FREQUENCY_CUES, None):
            raise ValueError(
                f"frequency_cue={frequency_cue!r} is unknown. Use 'coordinate', 'bands' or None."
            )
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size} should be odd, so that it has a middle.")
        self.dynamic_range_db = dynamic_range_db
        self.has_coordinate = frequency_cue == "coordinate"
        for name, values, default in (
            ("band_means", band_means, 0.0),
            ("band_scales", band_scales, 1.0),
        ):
            column = torch.full((n_bands, 1), default)
            if values is not None:
                column = torch.as_tensor(values, dtype=torch.float32).reshape(n_bands, 1).clone()
            self.register_buffer(name, column)
        channels = [2 if self.has_coordinate else 1, *n_filters]
        n_rows = n_bands
        blocks = []
        for place, (before, after) in enumerate(itertools.pairwise(channels)):
            pooling = (2 if n_rows > 1 else 1), (2 if place < time_poolings else 1)
            n_rows //= pooling[0]
            blocks.append(_Block(before, after, kernel_size, pooling))
        self.blocks = nn.ModuleList(blocks)
        self.dropout = nn.Dropout2d(dropout)
        n_weighted = n_rows if frequency_cue == "bands" else 1
        self.weights = nn.Parameter(torch.empty(channels[-1], n_weighted))
        self.bias = nn.Parameter(torch.zeros(()))
        limit = 1 / math.sqrt(channels[-1])
        nn.init.uniform_(self.weights, -limit, limit)
        # Channels last in memory, which takes convolutions of few channels two thirds of the time.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Give one number an image, not limited to any range.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        Tensor of shape (n,)
            The means of the activation maps.
        """
        return self.activation_map(images).mean(dim=(-2, -1))

    def activation_map(self, images: Tensor) -> Tensor:
        """Give the maps whose means are the outputs.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        Tensor of shape (n, n_rows, n_columns)
            One value for each cell that is left after pooling.
        """
        return self.weigh(self.features(images))

    def features(self, images: Tensor, *, n_blocks: int | None = None) -> Tensor:
        """Give the feature maps after the first blocks.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Natural logarithms of magnitudes.
        n_blocks : int, default=None
            How many blocks; None means all of them.

        Returns
        -------
        Tensor of shape (n, n_channels, n_rows, n_columns)
            The feature maps.
        """
        relative = remove_level(images, dynamic_range_db=self.dynamic_range_db)
        maps = (relative - self.band_means) / self.band_scales.clamp(min=_LEAST_SCALE)
        if self.has_coordinate:
            place = torch.linspace(-1, 1, maps.shape[-2], dtype=maps.dtype, device=maps.device)
            maps = torch.cat([maps, place[:, None].expand_as(maps)], dim=1)
        return self.continue_from(maps, blocks=slice(n_blocks))

    def continue_from(self, maps: Tensor, *, blocks: slice) -> Tensor:
        """Send feature maps through further blocks.

        Parameters
        ----------
        maps : Tensor of shape (n, n_channels, n_rows, n_columns)
            What the blocks before gave.
        blocks : slice
            Which blocks to go through.

        Returns
        -------
        Tensor of shape (n, n_channels, n_rows, n_columns)
            Feature maps.
        """
        with nullcontext() if self.training else _exact_convolutions():
            for block in list(self.blocks)[blocks]:
                maps = block(maps)
        return maps

    def weigh(self, maps: Tensor) -> Tensor:
        """Weigh the last feature maps and sum them.

        Parameters
        ----------
        maps : Tensor of shape (n, n_channels, n_rows, n_columns)
            What the last block gave.

        Returns
        -------
        Tensor of shape (n, n_rows, n_columns)
            The activation maps.
        """
        weights = self.weights.expand(-1, maps.shape[-2])
        return torch.einsum("nkft,kf->nft", self.dropout(maps), weights) + self.bias

    def neutral(self, images: Tensor) -> Tensor:
        """Give images of the same level that hold what the training excerpts have on average.

        Parameters
        ----------
        images : Tensor of shape (n, 1, n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        Tensor of shape (n, 1, n_bands, n_frames)
            Every frame the mean of its band, raised to the level of the image.
        """
        return (self.band_means + image_level(images)).expand_as(images)


def _exact_convolutions() -> AbstractContextManager[None]:
    """Keep TensorFloat-32 out, which would make of a GPU's scores something else than the CPU's."""
    cudnn = torch.backends.cudnn
    return cudnn.flags(enabled=cudnn.enabled, deterministic=True, allow_tf32=False)


class _Block(nn.Module):
    """Convolution, batch normalisation, ReLU, and pooling as far as there is something to pool."""

    def __init__(self, before: int, after: int, kernel_size: int, pooling: tuple[int, int]) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2)
        self.normalization = nn.BatchNorm2d(after)
        self.pooling = pooling

    def forward(self, maps: Tensor) -> Tensor:
        maps = torch.relu(self.normalization(self.convolution(maps)))
        frames = min(self.pooling[1], maps.shape[-1])  # a single frame cannot be halved
        return functional.max_pool2d(maps, (self.pooling[0], frames))


class SigmoidSquaredError(nn.Module):
    """Mean squared error between the logistic function of an output and its target.

    The loss of the paper, whose scores lie between 0 and 1.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks.instrument import SigmoidSquaredError
    >>> SigmoidSquaredError()(torch.zeros(2), torch.ones(2))
    tensor(0.2500)
    """

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the mean over a batch."""
        return functional.mse_loss(torch.sigmoid(outputs), targets)
