"""Signals to frames of vectors: cut, turn into images, and run a network on them, in blocks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class WindowedEmbedder(nn.Module):
    """A network on pieces of signals, few enough at a time to bound its memory.

    Parameters
    ----------
    cut : callable
        Maps signals (n, n_times) to windows (n, n_windows, n_samples), as a view.
    to_image : callable
        Maps windows (n, n_samples) to images, in the precision of the signals.
    network : torch.nn.Module
        Maps images, in its own precision, to vectors (n, n_dims).
    to_vector : callable
        What becomes of the vectors.
    block_size : int
        How many windows are in memory at a time, where no gradient is asked for.

    Attributes
    ----------
    signal_dtype : torch.dtype
        float64, in which signals are best given: images are computed in their precision. Apple's
        GPU has float32 only.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import WindowedEmbedder
    >>> embedder = WindowedEmbedder(
    ...     cut=lambda signals: signals.unfold(-1, 4, 2),
    ...     to_image=torch.abs,
    ...     network=torch.nn.Linear(4, 3),
    ...     to_vector=torch.relu,
    ...     block_size=2,
    ... )
    >>> embedder(torch.zeros(5, 10)).shape
    torch.Size([5, 4, 3])
    """

    signal_dtype = torch.float64

    def __init__(
        self,
        *,
        cut: Callable[[Tensor], Tensor],
        to_image: Callable[[Tensor], Tensor],
        network: nn.Module,
        to_vector: Callable[[Tensor], Tensor],
        block_size: int,
    ) -> None:
        super().__init__()
        self.cut = cut
        self.to_image = to_image
        self.network = network
        self.to_vector = to_vector
        self.block_size = block_size

    def forward(self, signals: Tensor) -> Tensor:
        """Embed signals.

        Parameters
        ----------
        signals : Tensor of shape (n_signals, n_times)
            Signals at the rate of the network.

        Returns
        -------
        Tensor of shape (n_signals, n_windows, n_dims)
            Vectors, in the precision of the network.
        """
        if signals.ndim != 2 or not signals.is_floating_point():
            raise ValueError(
                f"Expected floating-point signals of shape (n_signals, n_times), got "
                f"{signals.dtype} of shape {tuple(signals.shape)}. Use signals.unsqueeze(0) for "
                "a single one."
            )
        dtype = next(self.network.parameters()).dtype
        blocks = self.cut(signals).split(max(1, self.block_size // len(signals)), dim=1)
        # TensorFloat-32 would make of a GPU's convolutions something else than the CPU's.
        with torch.backends.cudnn.flags(
            enabled=torch.backends.cudnn.enabled, deterministic=True, allow_tf32=False
        ):
            vectors = [self._embed(block, dtype) for block in blocks]
        return torch.cat(vectors, dim=1)

    def _embed(self, windows: Tensor, dtype: torch.dtype) -> Tensor:
        images = self.to_image(windows.flatten(0, 1)).to(dtype)
        return self.to_vector(self.network(images)).unflatten(0, windows.shape[:2])
