"""The network is the one of the facts: its size, its exact map, its blindness to level."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skperceptual.networks import InstrumentNetwork
from skperceptual.networks.instrument import SigmoidSquaredError

IMAGES = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 1, 257, 301))).float()


def make(n_bands=257, **parameters) -> InstrumentNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return InstrumentNetwork(n_bands, **parameters).eval()


@pytest.mark.parametrize(
    ("cue", "expected"),
    [(None, 60641), ("coordinate", 60641 + 9 * 16), ("bands", 60641 + 64 * 15)],
)
def test_number_of_parameters(cue, expected):
    # 160 + 4640 + 18496 + 36928 of the convolutions, 352 of the normalisations, 65 of the head
    assert sum(weights.numel() for weights in make(frequency_cue=cue).parameters()) == expected


@pytest.mark.parametrize("cue", [None, "coordinate", "bands"])
def test_output_is_the_mean_of_the_weighted_feature_maps(cue):
    network = make(frequency_cue=cue)
    with torch.no_grad():
        network.bias.fill_(0.3)
        features = network.features(IMAGES)
        weights = network.weights if cue == "bands" else network.weights.expand(-1, 16)
        by_hand = (features * weights[None, :, :, None]).sum(dim=1).mean(dim=(1, 2)) + 0.3
        torch.testing.assert_close(network(IMAGES), by_hand)
        torch.testing.assert_close(network.activation_map(IMAGES).mean(dim=(1, 2)), by_hand)


def test_cells_are_80_ms_wide():
    assert make().activation_map(IMAGES).shape == (3, 16, 37)
    assert make(time_poolings=4).activation_map(IMAGES).shape == (3, 16, 18)


def test_a_gain_changes_nothing():
    network = make()
    with torch.no_grad():
        torch.testing.assert_close(network(IMAGES + 1.7), network(IMAGES), atol=1e-5, rtol=0)


def test_only_a_cue_tells_bands_apart():
    # A pattern far from the edges, moved by a multiple of what pooling joins
    pattern = torch.zeros(1, 1, 128, 64)
    pattern[..., 40:44, 20:40] = 3
    moved = pattern.roll(32, dims=2)

    def difference(cue):
        network = make(128, frequency_cue=cue)
        with torch.no_grad():
            return abs((network(pattern) - network(moved)).item())

    assert difference(None) < 1e-6
    assert difference("coordinate") > 1e-4
    assert difference("bands") > 1e-4


def test_bands_are_standardised():
    means, scales = np.linspace(-1, 1, 257), np.linspace(0.5, 2, 257)
    plain, standardising = make(), make(band_means=means, band_scales=scales)
    with torch.no_grad():
        neutral = standardising.features(standardising.neutral(IMAGES))
        # What is like the average recording is 0 to the network, wherever its level lies
        level = standardising.neutral(IMAGES)[0, 0, :, 0] - torch.from_numpy(means).float()
        assert level.std() < 1e-6
        assert neutral.isfinite().all()
        assert not torch.allclose(plain(IMAGES), standardising(IMAGES))


def test_small_images_pass():
    assert make(3)(torch.randn(1, 1, 3, 1)).shape == (1,)


def test_blocks_can_be_entered_in_between():
    network = make()
    with torch.no_grad():
        halfway = network.features(IMAGES, n_blocks=2)
        rest = network.continue_from(halfway, blocks=slice(2, None))
        torch.testing.assert_close(rest, network.features(IMAGES))


def test_squared_error_is_that_of_the_scores():
    outputs, targets = torch.tensor([-1.0, 0.5]), torch.tensor([0.0, 1.0])
    expected = np.mean((1 / (1 + np.exp(-outputs.numpy())) - targets.numpy()) ** 2)
    assert SigmoidSquaredError()(outputs, targets).item() == pytest.approx(expected)


def test_mistakes():
    with pytest.raises(ValueError, match=r"frequency_cue='band' is unknown. Use 'coordinate'"):
        make(frequency_cue="band")
    with pytest.raises(ValueError, match="kernel_size=4 should be odd"):
        make(kernel_size=4)


def test_settings_of_convolutions_are_put_back():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    make()(IMAGES)
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == before
