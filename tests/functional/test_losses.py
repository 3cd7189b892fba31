"""The losses are the metrics: the same number an item, finite gradients, at home in any loop."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from skorch import NeuralNet
from torch import nn

from skperceptual import MSE, MSSSIM, NLPD, SSIM
from skperceptual.functional import ImageLoss, MSELoss, MSSSIMLoss, NLPDLoss, SSIMLoss, nlpd

CASES = {
    "mse": (MSELoss, MSE, {}, False),
    "nlpd": (NLPDLoss, NLPD, {}, False),
    "nlpd hepburn": (
        NLPDLoss,
        NLPD,
        {"n_levels": 4, "convention": "hepburn", "pooling": "norm0.6"},
        False,
    ),
    "nlpd laparra2017": (NLPDLoss, NLPD, {"n_levels": 4, "convention": "laparra2017"}, False),
    "ssim": (SSIMLoss, SSIM, {"window_size": 7, "sigma": 1.0}, True),
    "ms-ssim": (MSSSIMLoss, MSSSIM, {"window_size": 5, "weights": (0.3, 0.3, 0.4)}, True),
}


class Blur(nn.Sequential):
    """A network as small as they come."""

    def __init__(self):
        super().__init__(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())
        self[0].weight.data.abs_()  # it does not begin by inverting images


each_loss = pytest.mark.parametrize("name", CASES)


def images(rng, n=3, side=48):
    return rng.random((n, side, side + 5))


@each_loss
def test_items_are_what_the_metric_scores(name, rng):
    loss, metric, parameters, is_similarity = CASES[name]
    pairs = np.stack([images(rng), images(rng)], axis=1)
    scores = metric(**parameters).transform(pairs)[:, 0]
    expected = 1 - scores if is_similarity else scores
    target, output = torch.tensor(pairs).unbind(1)
    found = loss(**parameters, reduction="none")(output, target)
    np.testing.assert_allclose(found, expected, rtol=2e-5)  # the compiled metrics are float32
    assert found.shape == (3,)
    for reduction in ("mean", "sum"):
        reduced = loss(**parameters, reduction=reduction)(output, target)
        assert torch.equal(reduced, getattr(found, reduction)())
    # With a channel of its own, as networks have it.
    channels = loss(**parameters, reduction="none")(output[:, None], target[:, None])
    assert torch.equal(channels[:, 0], found)


@each_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("what", ["noise", "identical", "flat", "flat and noise", "opposite"])
def test_gradients_are_finite(name, dtype, what, rng):
    loss, _, parameters, _ = CASES[name]
    target = torch.tensor(images(rng), dtype=dtype)
    output = {
        "noise": torch.tensor(images(rng), dtype=dtype),
        "identical": target.clone(),
        "flat": torch.full_like(target, 0.5),
        "flat and noise": torch.full_like(target, 0.5),
        "opposite": 1 - target,
    }[what].requires_grad_()
    if what == "flat":
        target = torch.full_like(target, 0.25)
    value = loss(**parameters)(output, target)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(output.grad).all()
    if what == "identical":
        assert value == 0
    blind_to_offsets = parameters.get("convention") == "hepburn"
    if what == "noise" or (what == "flat" and not blind_to_offsets):
        assert output.grad.abs().max() > 0


@each_loss
def test_gradient_is_the_slope(name, rng):
    loss, _, parameters, _ = CASES[name]
    target = torch.tensor(images(rng, n=1, side=40))
    output = (target + 0.1 * torch.tensor(images(rng, n=1, side=40))).requires_grad_()
    criterion = loss(**parameters)
    criterion(output, target).backward()
    with torch.no_grad():
        direction = torch.tensor(rng.standard_normal(output.shape))
        ahead, behind = (criterion(output + h * direction, target) for h in (1e-6, -1e-6))
        expected = (ahead - behind) / 2e-6
    torch.testing.assert_close((output.grad * direction).sum(), expected, rtol=1e-5, atol=1e-9)


@each_loss
def test_a_loop_of_torch_brings_it_down(name, rng):
    loss, _, parameters, _ = CASES[name]
    target = torch.tensor(images(rng), dtype=torch.float32)
    output = torch.full_like(target, 0.5).requires_grad_()
    with torch.no_grad():
        output += 0.2 * (target - 0.5)
    criterion = loss(**parameters)
    optimizer = torch.optim.Adam([output], lr=0.01)
    before = criterion(output, target).item()
    for _ in range(20):
        optimizer.zero_grad()
        criterion(output, target).backward()
        optimizer.step()
    assert criterion(output, target).item() < 0.8 * before


@each_loss
def test_skorch_takes_it(name, rng):
    loss, _, parameters, _ = CASES[name]
    X = images(rng, n=4)[:, None].astype(np.float32)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = NeuralNet(
            Blur,
            criterion=loss,
            **{f"criterion__{key}": value for key, value in parameters.items()},
            optimizer=torch.optim.Adam,
            lr=0.05,
            max_epochs=8,
            train_split=None,
            verbose=0,
        ).fit(X, X)
    losses = net.history[:, "train_loss"]
    assert losses[-1] < losses[0]


@each_loss
def test_modules_can_be_copied_pickled_and_read(name):
    loss, _, parameters, _ = CASES[name]
    criterion = copy.deepcopy(loss(**parameters, reduction="sum"))
    for key, value in {**parameters, "reduction": "sum"}.items():
        assert f"{key}={value!r}" in repr(criterion)
    assert list(criterion.parameters()) == []


def test_normalisation_that_ratings_taught(rng):
    filters, sigmas = rng.random((3, 5, 5)), rng.random(3) + 0.1
    criterion = NLPDLoss(n_levels=3, normalization=(filters, sigmas))
    output, target = torch.tensor(images(rng)), torch.tensor(images(rng))
    expected = nlpd(target, output, n_levels=3, normalization=(filters, sigmas)).mean()
    assert torch.equal(criterion(output, target), expected)


def test_small_images_warn_with_what_is_left_out(rng):
    small = torch.tensor(images(rng, side=64))
    with pytest.warns(UserWarning, match="too small for window_size=11 at 5 scales"):
        MSSSIMLoss()(small, small)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MSSSIMLoss(weights=(0.5, 0.5))(small, small)


def test_order_is_output_and_target():
    seen = {}

    class Order(ImageLoss):
        def item_losses(self, reference, degraded):
            seen.update(reference=reference, degraded=degraded)
            return reference.mean((-2, -1))

    output, target = torch.zeros(1, 8, 8), torch.ones(1, 8, 8)
    assert Order()(output, target) == 1
    assert seen == {"reference": target, "degraded": output}


@pytest.mark.parametrize("loss", [MSELoss, NLPDLoss, SSIMLoss, MSSSIMLoss])
def test_mistakes(loss):
    with pytest.raises(ValueError, match="reduction='max' is unknown"):
        loss(reduction="max")
    with pytest.raises(ValueError, match="same shape"):
        loss()(torch.zeros(1, 32, 32), torch.zeros(2, 32, 32))
    with pytest.raises(TypeError, match=r"torch\.Tensor"):
        loss()(np.zeros((1, 32, 32)), torch.zeros(1, 32, 32))
