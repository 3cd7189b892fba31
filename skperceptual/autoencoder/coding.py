"""Images through a fitted network, as a rule one at a time, so that none depends on another."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import nn

from skperceptual.functional.losses import ImageLoss


def encode(net: NeuralNet, images: NDArray[np.floating]) -> NDArray[np.int8]:
    """Give the codes of each image in a row.

    Parameters
    ----------
    net : NeuralNet
        Whose module is an :class:`AutoencoderNetwork`.
    images : ndarray of shape (n_images, n_bands, n_frames)
        Checked images.

    Returns
    -------
    ndarray of shape (n_images, n_codes)
        The codes.
    """
    with torch.inference_mode():
        codes = [net.module_.encode(_to_tensor(net, image[np.newaxis])) for image in images]
    return np.stack([code.cpu().numpy().ravel() for code in codes])


def decode(
    net: NeuralNet,
    codes: NDArray[np.int8],
    code_shape: tuple[int, int, int],
    image_shape: tuple[int, int],
) -> NDArray[np.float32]:
    """Give the image of each row of codes.

    Parameters
    ----------
    net : NeuralNet
        Whose module is an :class:`AutoencoderNetwork`.
    codes : ndarray of shape (n_images, n_codes)
        Checked codes.
    code_shape : tuple of int
        Channels, bands and frames of the codes of one image.
    image_shape : tuple of int
        Bands and frames of one image.

    Returns
    -------
    ndarray of shape (n_images, n_bands, n_frames)
        The images.
    """
    tensors = (torch.tensor(row.reshape(1, *code_shape), device=net.device) for row in codes)
    with torch.inference_mode():
        images = [net.module_.decode(tensor, image_shape) for tensor in tensors]
    return np.stack([image[0, 0].cpu().numpy() for image in images])


def reconstruct(
    net: NeuralNet, images: NDArray[np.floating], quantization: str, n_batches: int | None = None
) -> NDArray[np.floating]:
    """Send images through the whole network.

    Parameters
    ----------
    net : NeuralNet
        Whose module is an :class:`AutoencoderNetwork`; it stays as it is.
    images : ndarray of shape (n_images, n_bands, n_frames)
        Checked images.
    quantization : {"hard", "soft"}
        How to quantise.
    n_batches : int, default=None
        Normalise by the statistics of that many batches, as equal in size as they can be; None
        means those of training, image by image.

    Returns
    -------
    ndarray of shape (n_images, n_bands, n_frames)
        The images, in the precision of those given.
    """
    network = net.module_
    if n_batches is not None:
        network = copy.deepcopy(network)  # whose running statistics may change
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.train()
    with torch.inference_mode():
        batches = [
            network(_to_tensor(net, batch), quantization).cpu().numpy()
            for batch in np.array_split(images, n_batches or len(images))
        ]
    return np.concatenate(batches)[:, 0].astype(images.dtype)


def mean_loss(
    loss: ImageLoss, references: NDArray[np.floating], versions: NDArray[np.floating]
) -> float:
    """Average a loss over pairs of images, in double precision as metrics do."""
    loss = loss.to("cpu", torch.float64)
    with torch.inference_mode():
        losses = [
            loss.item_losses(*(torch.tensor(image, dtype=torch.float64) for image in pair)).item()
            for pair in zip(references, versions, strict=True)
        ]
    return float(np.mean(losses))


def _to_tensor(net: NeuralNet, images: NDArray[np.floating]) -> torch.Tensor:
    return torch.tensor(images[:, np.newaxis], dtype=torch.float32, device=net.device)
