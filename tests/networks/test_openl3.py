"""OpenL3's network: counts and shapes as published, values as an independent calculation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from skperceptual.networks import OpenL3Network

SHAPES = {"linear": (257, 197), "mel128": (128, 199), "mel256": (256, 199)}


@pytest.mark.parametrize("input_repr", SHAPES)
@pytest.mark.parametrize("embedding_size", [512, 6144])
def test_sizes_and_number_of_parameters(input_repr, embedding_size):
    with torch.device("meta"):
        network = OpenL3Network(input_repr, embedding_size)
        images = torch.zeros(2, *SHAPES[input_repr])
    assert network(images).shape == (2, embedding_size)
    assert sum(tensor.numel() for tensor in network.parameters()) == 4_687_042
    statistics = [b for b in network.buffers() if b.is_floating_point()]
    assert sum(tensor.numel() for tensor in statistics) == 2_818
    assert [n.num_features for n in network.norms] == [1, 64, 64, 128, 128, 256, 256, 512]
    assert [n.eps for n in network.norms] == [1e-3] * 8


def small_network(input_repr, embedding_size, seed=0):
    rng = np.random.default_rng(seed)
    network = OpenL3Network(input_repr, embedding_size, channels=(2, 2, 3, 4)).double().eval()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.tensor(rng.uniform(0.1, 1.0, size=tensor.shape) - 0.3)
    for norm in network.norms:
        norm.running_var.data = norm.running_var.data.abs() + 0.1
    return network.requires_grad_(False)


def pool(maps, height, width):
    rows, columns = maps.shape[0] // height, maps.shape[1] // width
    cut = maps[: rows * height, : columns * width]
    return cut.reshape(rows, height, columns, width, -1).max(axis=(1, 3))


def as_keras_computes(network, image, last_pool):
    """Compute with channels last, layer by layer as the original lists them."""
    norms, convolutions = iter(network.norms), iter(network.convolutions)

    def normalize(maps):
        norm = next(norms)
        scale = norm.weight.numpy() / np.sqrt(norm.running_var.numpy() + 1e-3)
        return (maps - norm.running_mean.numpy()) * scale + norm.bias.numpy()

    def convolve(maps):
        layer = next(convolutions)
        kernels = layer.weight.permute(2, 3, 1, 0).numpy()
        n_in, n_out = kernels.shape[2:]
        return np.stack(
            [
                sum(correlate(maps[..., i], kernels[..., i, o], mode="same") for i in range(n_in))
                + float(layer.bias[o])
                for o in range(n_out)
            ],
            axis=-1,
        )

    maps = normalize(image[:, :, np.newaxis])
    for _ in range(3):
        for _ in range(2):
            maps = np.maximum(normalize(convolve(maps)), 0)
        maps = pool(maps, 2, 2)
    maps = convolve(np.maximum(normalize(convolve(maps)), 0))
    return pool(maps, *last_pool).reshape(-1)


@pytest.mark.parametrize(
    ("input_repr", "embedding_size", "last_pool"),
    [
        ("linear", 6144, (8, 8)),
        ("linear", 512, (32, 24)),
        ("mel128", 6144, (4, 8)),
        ("mel128", 512, (16, 24)),
        ("mel256", 6144, (8, 8)),
        ("mel256", 512, (32, 24)),
    ],
)
def test_values_are_those_of_an_independent_calculation(input_repr, embedding_size, last_pool):
    network = small_network(input_repr, embedding_size)
    image = np.random.default_rng(1).uniform(-80, 0, size=SHAPES[input_repr])
    expected = as_keras_computes(network, image, last_pool)
    found = network(torch.tensor(image)[None])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert len(found) == 4 * embedding_size // 512


def test_the_short_vector_is_the_largest_of_twelve_cells():
    image = torch.tensor(np.random.default_rng(1).uniform(-80, 0, size=(1, 256, 199)))
    long = small_network("mel256", 6144)(image)
    short = small_network("mel256", 512)(image)
    assert torch.equal(long.reshape(12, 4).amax(dim=0), short[0])
