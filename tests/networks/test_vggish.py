"""VGGish's network: counts and shapes as published, values as an independent calculation."""

from __future__ import annotations

import numpy as np
import torch
from scipy.signal import correlate

from skperceptual.networks import VGGishNetwork

SHAPES = {
    "features.0": (64, 1, 3, 3),
    "features.3": (128, 64, 3, 3),
    "features.6": (256, 128, 3, 3),
    "features.8": (256, 256, 3, 3),
    "features.11": (512, 256, 3, 3),
    "features.13": (512, 512, 3, 3),
    "embeddings.0": (4096, 12288),
    "embeddings.2": (4096, 4096),
    "embeddings.4": (128, 4096),
}


def test_names_shapes_and_number_of_parameters():
    with torch.device("meta"):
        network = VGGishNetwork()
    state = network.state_dict()
    expected = {f"{layer}.weight": shape for layer, shape in SHAPES.items()}
    expected |= {f"{layer}.bias": shape[:1] for layer, shape in SHAPES.items()}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected
    assert sum(tensor.numel() for tensor in state.values()) == 72_141_184


def test_shapes_on_the_way():
    with torch.device("meta"):
        network = VGGishNetwork()
        maps = torch.zeros(2, 1, 96, 64)
    seen = []
    for layer in network.features:
        maps = layer(maps)
        if isinstance(layer, torch.nn.MaxPool2d):
            seen.append(tuple(maps.shape[1:]))
    assert seen == [(64, 48, 32), (128, 24, 16), (256, 12, 8), (512, 6, 4)]
    assert network.embeddings(torch.zeros(2, 12288, device="meta")).shape == (2, 128)


def as_tensorflow_computes(network, example):
    """Compute with channels last, loops and SciPy, from the weights as a checkpoint has them."""
    maps = example[:, :, np.newaxis]
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            kernels = layer.weight.permute(2, 3, 1, 0).numpy()  # height, width, in, out
            maps = np.stack(
                [
                    sum(
                        correlate(maps[..., i], kernels[..., i, o], mode="same")
                        for i in range(maps.shape[-1])
                    )
                    + float(layer.bias[o])
                    for o in range(kernels.shape[-1])
                ],
                axis=-1,
            )
        elif isinstance(layer, torch.nn.ReLU):
            maps = np.maximum(maps, 0)
        else:
            height, width, channels = maps.shape
            maps = maps.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
    vector = maps.reshape(-1)
    for layer in network.embeddings:
        if isinstance(layer, torch.nn.Linear):
            vector = vector @ layer.weight.numpy().T + layer.bias.numpy()
        else:
            vector = np.maximum(vector, 0)
    return vector


def test_values_are_those_of_an_independent_calculation():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VGGishNetwork((2, 3, 4, 5), n_hidden=7, n_dims=6).double().requires_grad_(False)
        examples = torch.randn(2, 96, 64, dtype=torch.float64)
    found = network(examples)
    for row in range(2):
        expected = as_tensorflow_computes(network, examples[row].numpy())
        np.testing.assert_allclose(found[row], expected, rtol=1e-10, atol=1e-12)
    assert (found < 0).any()  # no rectifier at the end
