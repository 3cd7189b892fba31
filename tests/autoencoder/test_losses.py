"""Losses by name, as functions and as modules, and the names of trainings with them."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pytest
import torch

from skperceptual import CompressiveAutoencoder
from skperceptual.autoencoder.losses import make_loss
from skperceptual.autoencoder.training_name import name_training
from skperceptual.functional import ImageLoss, NLPDLoss, nlpd


class Lost(ImageLoss):
    """What of the reference is gone: its arguments are no equals."""

    def __init__(self, weight=1.0, **parameters):
        super().__init__(**parameters)
        self.register_buffer("weight", torch.tensor(weight))

    def item_losses(self, reference, degraded):
        return self.weight * (reference - degraded).clamp(min=0).mean(dim=(-2, -1))


def lost(reference, degraded):
    return (reference - degraded).clamp(min=0).mean(dim=(-2, -1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_module_keeps_its_order_and_loses_its_reduction(reduction, rng):
    target, output = (torch.tensor(rng.random((3, 1, 8, 8)), dtype=torch.float32) for _ in "ab")
    expected = lost(target, output).mean()
    assert not torch.isclose(expected, lost(output, target).mean(), rtol=1e-3)
    made = make_loss(Lost(reduction=reduction), (8, 8))
    torch.testing.assert_close(made(output, target), expected)
    torch.testing.assert_close(make_loss(lost, (8, 8))(output, target), expected)


def test_training_and_score_with_a_module(rng):
    images = rng.random((6, 16, 16))
    size = {"n_filters": 4, "n_layers": 2, "max_iter": 3, "random_state": 0}
    given = Lost(reduction="sum")
    one, other = (CompressiveAutoencoder(loss=f, **size).fit(images) for f in (given, lost))
    assert one.history_ == other.history_
    assert one.score(images) == pytest.approx(other.score(images))
    assert given.weight.dtype == torch.float32  # a copy went to double precision
    dark = np.zeros_like(images)  # of which nothing can be lost
    assert one.score(dark) == 0


def test_the_made_loss_moves_what_it_holds():
    made = make_loss(Lost(), (8, 8)).to(torch.float64)
    assert made.function.__self__.weight.dtype == torch.float64


def test_names_of_trainings_with_modules_and_tensors():
    def name(loss):
        return name_training({"loss": loss, "n_filters": 8}, b"images")

    loss = Lost(2.0)
    assert name(loss) == name(copy.deepcopy(loss)) == name(Lost(2.0)) != name(Lost(3.0))
    assert name(NLPDLoss()) == name(NLPDLoss()) != name(NLPDLoss(convention="hepburn"))
    weighted = [partial(nlpd, weights=torch.tensor([1.0, last])) for last in (2.0, 2.0, 3.0)]
    assert name(weighted[0]) == name(weighted[1]) != name(weighted[2])


def test_losses_that_cannot_be_pickled_have_no_name():
    with pytest.raises(ValueError, match=r"checkpoint needs a loss that can be pickled, got <fun"):
        name_training({"loss": lambda reference, degraded: 0}, b"images")
