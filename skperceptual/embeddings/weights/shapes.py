"""Names and shapes of the weights of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skperceptual.embeddings.weights.registry import FILES

if TYPE_CHECKING:
    from torch import nn

VGGISH_PCA_SHAPES = {"pca_eigen_vectors": (128, 128), "pca_means": (128,)}


def shapes_of_network(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Give the shapes of what a network has to be given, in the order of its layers.

    Parameters
    ----------
    network : torch.nn.Module
        The network; it may be without memory, on the device ``meta``.

    Returns
    -------
    dict of str to tuple of int
        Parameters and statistics, layer by layer: ``norms`` and ``convolutions`` of one number
        follow one another.
    """
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }
    if not any(name.startswith("norms.") for name in shapes):
        return shapes
    # Each normalisation stands before the convolution of its number.
    return dict(
        sorted(shapes.items(), key=lambda item: (int(item[0].split(".")[1]), _kind(item[0])))
    )


def _kind(name: str) -> bool:
    return name.startswith("convolutions.")


def shapes_of(model: str) -> dict[str, tuple[int, ...]]:
    """Give the shapes of the weights of a published model.

    Parameters
    ----------
    model : str
        One of the registry.

    Returns
    -------
    dict of str to tuple of int
        Shapes by name.

    Raises
    ------
    ValueError
        When the model is not known.

    Examples
    --------
    >>> from skperceptual.embeddings.weights.shapes import shapes_of
    >>> len(shapes_of("vggish")), len(shapes_of("openl3_mel256_music"))
    (18, 48)
    """
    import torch

    from skperceptual.networks import OpenL3Network, VGGishNetwork

    if model == "vggish_pca":
        return dict(VGGISH_PCA_SHAPES)
    known = sorted({file.model for file in FILES})
    if model not in known:
        raise ValueError(f"model={model!r} is not one of {', '.join(map(repr, known))}.")
    with torch.device("meta"):
        network = VGGishNetwork() if model == "vggish" else OpenL3Network()
    return shapes_of_network(network)
