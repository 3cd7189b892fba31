"""The network of VGGish (Hershey et al. 2017), with the names of torchvggish for its weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from skperceptual.functional.vggish import VGGISH_BANDS, VGGISH_FRAMES

# Convolutions of each stage; a pool that halves both axes follows every stage.
_STAGES = (1, 1, 2, 2)


class VGGishNetwork(nn.Module):
    """Six convolutions and three full layers, from log-mel examples to vectors.

    Parameters
    ----------
    channels : sequence of int, default=(64, 128, 256, 512)
        Channels of the four stages.
    n_hidden : int, default=4096
        Units of the first two full layers.
    n_dims : int, default=128
        Length of a vector.

    Notes
    -----
    With the default sizes there are 72,141,184 parameters, of the names and shapes of
    torchvggish. The last layer is linear, as in Google's code since 2020; torchvggish puts a
    rectifier after it.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import VGGishNetwork
    >>> network = VGGishNetwork(channels=(2, 2, 4, 4), n_hidden=8, n_dims=3)
    >>> network(torch.zeros(5, 96, 64)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 128, 256, 512),
        n_hidden: int = 4096,
        n_dims: int = 128,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in = 1
        for n_out, n_convolutions in zip(channels, _STAGES, strict=True):
            for _ in range(n_convolutions):
                layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU()]
                n_in = n_out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        shrink = 2 ** len(_STAGES)
        n_features = n_in * (VGGISH_FRAMES // shrink) * (VGGISH_BANDS // shrink)
        self.embeddings = nn.Sequential(
            nn.Linear(n_features, n_hidden),
            nn.ReLU(),
            nn.Linear(n_hidden, n_hidden),
            nn.ReLU(),
            nn.Linear(n_hidden, n_dims),
        )

    def forward(self, examples: Tensor) -> Tensor:
        """Embed examples.

        Parameters
        ----------
        examples : Tensor of shape (n_examples, 96, 64)
            Log-mel spectrograms, time first.

        Returns
        -------
        Tensor of shape (n_examples, n_dims)
            Vectors, before any rectifier.
        """
        maps = self.features(examples.unsqueeze(1))
        # Channels last, as TensorFlow lays out what it flattens.
        return self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
