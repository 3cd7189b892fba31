"""A network on windows: blocks change nothing, gradients pass, precision is the network's."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from skperceptual.networks import WindowedEmbedder


def embedder(block_size):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Linear(4, 3)
    return WindowedEmbedder(
        cut=lambda signals: signals.unfold(-1, 4, 2),
        to_image=torch.square,
        network=network,
        to_vector=nn.Identity(),
        block_size=block_size,
    )


@pytest.fixture
def signals():
    return torch.randn(3, 21, generator=torch.Generator().manual_seed(1))


def test_blocks_hold_what_one_block_holds(signals):
    whole = embedder(1000)(signals)
    assert whole.shape == (3, 9, 3)
    for block_size in (1, 2, 7):
        torch.testing.assert_close(embedder(block_size)(signals), whole)


def test_no_more_windows_than_a_block_are_in_memory(signals):
    sizes = []
    small = embedder(6)
    small.to_image = lambda windows: sizes.append(len(windows)) or windows
    small(signals)
    assert max(sizes) == 6
    assert sum(sizes) == 27


def test_gradient_reaches_the_signal(signals):
    module = embedder(2).double().requires_grad_(False)
    wide = signals[:, :8].double().requires_grad_(True)
    assert torch.autograd.gradcheck(module, wide)


def test_signals_may_be_more_precise_than_the_network(signals):
    found = embedder(2)(signals.double())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, embedder(2)(signals))
    assert embedder(2).double()(signals).dtype == torch.float64


@pytest.mark.parametrize(
    "wrong", [partial(torch.zeros, 5), partial(torch.zeros, 1, 2, 5), partial(torch.ones, (2, 5))]
)
def test_other_shapes_and_integers_are_refused(wrong):
    tensor = wrong()
    tensor = tensor.int() if tensor.ndim == 2 else tensor
    with pytest.raises(ValueError, match=r"of shape \(n_signals, n_times\), got torch\."):
        embedder(2)(tensor)


def test_settings_of_torch_are_those_of_before(signals):
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    embedder(2)(signals)
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == before
