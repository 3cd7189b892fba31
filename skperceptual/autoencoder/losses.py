"""The losses that an autoencoder is trained with, by name."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import Tensor, nn

from skperceptual.functional.losses import ImageLoss, MSELoss, MSSSIMLoss, NLPDLoss, SSIMLoss
from skperceptual.functional.ms_ssim import WANG_2003_WEIGHTS, fit_scales
from skperceptual.functional.ssim import fit_window

Loss = str | Callable[[Tensor, Tensor], Tensor]

LOSSES = ("mse", "nlpd", "ssim", "ms-ssim")
# Those that are one minus a similarity.
SIMILARITIES = ("ssim", "ms-ssim")

_WINDOW, _SIGMA = 11, 1.5


class FunctionLoss(ImageLoss):
    """A function of reference and degraded images that gives one loss an item."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        # What a method belongs to moves with this module from device to device.
        owner = getattr(function, "__self__", None)
        self.owner = owner if isinstance(owner, nn.Module) else None

    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Call the function."""
        losses = self.function(reference, degraded)
        if losses.shape != reference.shape[:-2]:
            raise ValueError(
                f"loss should give one number an image, of shape {tuple(reference.shape[:-2])}, "
                f"got {tuple(losses.shape)}."
            )
        return losses


def make_loss(loss: Loss, shape: tuple[int, int]) -> ImageLoss:
    """Give the module of a loss for images of this size.

    Where they are too small for the window of the structural similarity or for all its scales,
    the largest window and the first scales that fit are taken, as :func:`ssim` and
    :func:`ms_ssim` would take them with a warning in every step.

    Parameters
    ----------
    loss : str or callable
        One of ``LOSSES``; a function of reference and degraded images that gives one loss an
        image; or an ``ImageLoss``, whose reduction is disregarded. Of modules a copy is taken.
    shape : (int, int)
        Bands and frames.

    Returns
    -------
    ImageLoss
        The module, which takes means over batches.
    """
    if isinstance(loss, nn.Module):
        loss = copy.deepcopy(loss)  # which moves to other devices and precisions
    if isinstance(loss, ImageLoss):
        return FunctionLoss(loss.item_losses)
    if callable(loss):
        return FunctionLoss(loss)
    if loss == "mse":
        return MSELoss()
    if loss == "nlpd":
        return NLPDLoss()
    if loss == "ssim":
        taps = fit_window(_WINDOW, _SIGMA, min(shape))
        return SSIMLoss(window_size=len(taps), sigma=_SIGMA * len(taps) / _WINDOW)
    taps, weights = fit_scales(min(shape), _WINDOW, _SIGMA, WANG_2003_WEIGHTS)
    return MSSSIMLoss(window_size=len(taps), sigma=_SIGMA * len(taps) / _WINDOW, weights=weights)


def describe_shrinking(loss: Loss, shape: tuple[int, int]) -> str:
    """Say what a loss leaves out on images of this size; nothing where it has room for all."""
    made = make_loss(loss, shape)
    if isinstance(made, MSSSIMLoss) and len(made.weights) < len(WANG_2003_WEIGHTS):
        left = f"{len(made.weights)} of {len(WANG_2003_WEIGHTS)} scales"
    elif isinstance(made, SSIMLoss):
        left = ""
    else:
        return ""
    window = f"a window of {made.window_size} instead of {_WINDOW}"
    parts = [left] * bool(left) + [window] * (made.window_size < _WINDOW)
    return " and ".join(parts)
