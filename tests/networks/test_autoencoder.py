"""The network: its size, its shapes, and that it sees what it should."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from skperceptual.networks import AutoencoderNetwork


@pytest.mark.parametrize(
    ("kernel_size", "head_kernel_size", "with_bias", "without"),
    [
        (3, 1, 1_036_545, 1_035_521),
        (3, 3, 1_037_569, 1_036_545),
        (3, 5, 1_039_617, 1_038_593),
        (4, 1, 1_840_257, 1_839_233),
        (4, 3, 1_841_281, 1_840_257),
        (5, 1, 2_873_601, 2_872_577),
        (5, 3, 2_874_625, 2_873_601),
        (5, 5, 2_876_673, 2_875_649),
    ],
)
def test_number_of_parameters(kernel_size, head_kernel_size, with_bias, without):
    for bias, expected in ((True, with_bias), (False, without)):
        network = AutoencoderNetwork(
            kernel_size=kernel_size, head_kernel_size=head_kernel_size, bias=bias
        )
        assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_number_of_parameters_by_part():
    network = AutoencoderNetwork(kernel_size=3, bias=True)
    head = network.decoder[-1]
    counts = [sum(p.numel() for p in part.parameters()) for part in (network.encoder, head)]
    assert counts == [445_056, 1_153]
    default = AutoencoderNetwork()
    assert default.decoder[-1].kernel_size == (5, 5)
    assert AutoencoderNetwork(kernel_size=4).decoder[-1].kernel_size == (3, 3)


@settings(max_examples=25)
@given(
    kernel_size=st.integers(2, 7),
    n_layers=st.integers(1, 4),
    bands=st.integers(17, 40),
    frames=st.integers(17, 40),
    upsampling=st.sampled_from(["transposed", "nearest"]),
)
def test_any_size_comes_back(kernel_size, n_layers, bands, frames, upsampling):
    network = AutoencoderNetwork(
        n_filters=2, kernel_size=kernel_size, n_layers=n_layers, upsampling=upsampling
    ).eval()
    images = torch.rand(2, 1, bands, frames)
    found = network(images)
    assert found.shape == images.shape
    assert 0 <= found.min() <= found.max() <= 1
    block = 2**n_layers
    codes = network.encode(images)
    assert codes.shape == (2, 2, -(-bands // block), -(-frames // block))
    decoded = network.decode(codes, (bands, frames))
    assert torch.equal(decoded, network(images, "hard"))


def test_padding_repeats_the_edge():
    network = AutoencoderNetwork(n_filters=2, kernel_size=3, n_layers=3).eval()
    image = torch.rand(1, 1, 13, 24)
    padded = torch.cat([image, image[:, :, -1:].expand(-1, -1, 3, -1)], dim=2)
    assert torch.equal(network.latent(image), network.latent(padded))


def test_latent_values_lie_between_the_outer_centers():
    network = AutoencoderNetwork(n_filters=4, kernel_size=3, n_layers=2)
    latent = network.latent(torch.rand(4, 1, 32, 32))
    assert latent.abs().max() <= 1
    hard = network(torch.rand(4, 1, 32, 32), "hard")
    assert hard.shape == (4, 1, 32, 32)


@pytest.mark.parametrize("quantization", ["soft", "ste"])
def test_gradients_reach_the_first_layer(quantization):
    network = AutoencoderNetwork(n_filters=4, kernel_size=3, n_layers=2, quantization=quantization)
    network(torch.rand(2, 1, 16, 16)).square().sum().backward()
    assert network.encoder[0].weight.grad.abs().max() > 0


def test_hard_quantisation_stops_gradients():
    network = AutoencoderNetwork(n_filters=4, kernel_size=3, n_layers=2, quantization="hard")
    network(torch.rand(2, 1, 16, 16)).sum().backward()
    assert network.encoder[0].weight.grad is None
    assert network.decoder[0].weight.grad is not None


def test_layers_are_those_of_the_paper():
    network = AutoencoderNetwork()
    assert [type(layer).__name__ for layer in network.encoder] == [
        *["Conv2d", "BatchNorm2d", "LeakyReLU"] * 3,
        *["Conv2d", "BatchNorm2d", "Tanh"],
    ]
    assert [type(layer).__name__ for layer in network.decoder] == [
        *["ConvTranspose2d", "BatchNorm2d", "LeakyReLU"] * 4,
        "Conv2d",
    ]


def test_mistakes():
    with pytest.raises(ValueError, match="upsampling='bilinear' is unknown"):
        AutoencoderNetwork(upsampling="bilinear")
    with pytest.raises(ValueError, match="kernel_size=1 leaves out pixels"):
        AutoencoderNetwork(kernel_size=1)
    with pytest.raises(ValueError, match="rising order"):
        AutoencoderNetwork(centers=(1, -1))
