"""The audio network of OpenL3 (Cramer et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

# The last pool: its window for vectors of 6144 and of 512 numbers, by what the network reads.
_POOLS = {
    "linear": {6144: (8, 8), 512: (32, 24)},
    "mel128": {6144: (4, 8), 512: (16, 24)},
    "mel256": {6144: (8, 8), 512: (32, 24)},
}
_EPSILON = 1e-3  # of Keras's batch normalisation


class OpenL3Network(nn.Module):
    """Eight convolutions with batch normalisation, from images of a second to vectors.

    Parameters
    ----------
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        What an image is, which says how large the last pool is.
    embedding_size : {512, 6144}, default=512
        Length of a vector. Both come from the same weights: 512 is the largest of the 12 cells
        of 6144.
    channels : sequence of int, default=(64, 128, 256, 512)
        Channels of the four stages, two convolutions each.

    Notes
    -----
    With the default channels there are 4,687,042 parameters and 2,818 statistics. ``norms`` and
    ``convolutions`` are in the order of the original: each convolution reads what the
    normalisation of its number gave.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import OpenL3Network
    >>> network = OpenL3Network("mel128", 6144, channels=(1, 1, 2, 4)).eval()
    >>> network(torch.zeros(3, 128, 199)).shape
    torch.Size([3, 48])
    """

    def __init__(
        self,
        input_repr: str = "mel256",
        embedding_size: int = 512,
        channels: Sequence[int] = (64, 128, 256, 512),
    ) -> None:
        super().__init__()
        widths = [1, *(width for width in channels for _ in range(2))]
        pairs = list(pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, eps=_EPSILON) for width, _ in pairs)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, padding=1) for n_in, n_out in pairs
        )
        self.pool = nn.MaxPool2d(_POOLS[input_repr][embedding_size])

    def forward(self, images: Tensor) -> Tensor:
        """Embed images.

        Parameters
        ----------
        images : Tensor of shape (n_images, n_bands, n_frames)
            Decibels; see :func:`skperceptual.functional.openl3_spectrogram`.

        Returns
        -------
        Tensor of shape (n_images, n_dims)
            Vectors, of the last convolution without a rectifier.
        """
        maps = images.unsqueeze(1)
        for place, (norm, convolution) in enumerate(
            zip(self.norms, self.convolutions, strict=True)
        ):
            maps = norm(maps)
            if place:
                maps = maps.relu()
            if place in (2, 4, 6):
                maps = torch.nn.functional.max_pool2d(maps, 2)
            maps = convolution(maps)
        # (frequency, time, channel), as TensorFlow lays out what it flattens.
        return self.pool(maps).permute(0, 2, 3, 1).flatten(1)
