"""The metrics as modules to train with: one number an item, then reduced.

Every module computes, item by item, what the function of the same name gives and the estimator
scores with; a similarity becomes one minus itself. Gradients are finite everywhere, also on noise
and where both images are the same.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from skperceptual.functional.divisive_normalization import Normalization
from skperceptual.functional.ms_ssim import WANG_2003_WEIGHTS, ms_ssim
from skperceptual.functional.mse import mse
from skperceptual.functional.nlpd import nlpd
from skperceptual.functional.ssim import ssim

REDUCTIONS = ("mean", "sum", "none")


class ImageLoss(nn.Module):
    """Base of the losses that compare two batches of images item by item.

    A subclass defines ``item_losses``.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the items of a batch.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import ImageLoss
    >>> class LargestError(ImageLoss):
    ...     def item_losses(self, reference, degraded):
    ...         return (reference - degraded).abs().amax(dim=(-2, -1))
    >>> LargestError()(torch.zeros(2, 8, 8), torch.ones(2, 8, 8))
    tensor(1.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"reduction={reduction!r} is unknown. Use one of {', '.join(REDUCTIONS)}."
            )
        self.reduction = reduction

    @abstractmethod
    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Compare each image with its reference.

        Parameters
        ----------
        reference, degraded : Tensor of shape (..., n_bands, n_frames)
            Images.

        Returns
        -------
        Tensor of shape (...)
            One loss an item, which falls with quality.
        """

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare what a network gave with what it should give, in torch's order of the two.

        Parameters
        ----------
        output : Tensor of shape (..., n_bands, n_frames)
            Images that are being learned, the degraded ones.
        target : Tensor of shape (..., n_bands, n_frames)
            What they should be, the references.

        Returns
        -------
        Tensor
            One number, or with ``reduction="none"`` one an item, of shape (...).
        """
        losses = self.item_losses(target, output)
        if self.reduction == "none":
            return losses
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def extra_repr(self) -> str:
        """Say what the module was made with.

        Returns
        -------
        str
            Names and values.
        """
        own = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return ", ".join(f"{name}={value!r}" for name, value in own.items() if name != "training")


class MSELoss(ImageLoss):
    """Mean squared error as a loss, over :func:`mse`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the items of a batch.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import MSELoss
    >>> MSELoss()(torch.zeros(2, 8, 8), torch.full((2, 8, 8), 0.5))
    tensor(0.2500)
    """

    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Give the mean squared error of each image.

        Parameters
        ----------
        reference, degraded : Tensor of shape (..., n_bands, n_frames)
            Images.

        Returns
        -------
        Tensor of shape (...)
            One loss an item.
        """
        return mse(reference, degraded)


class NLPDLoss(ImageLoss):
    """Normalised Laplacian pyramid distance as a loss, over :func:`nlpd`.

    Parameters
    ----------
    n_levels : int, default=6
        Number of levels of the pyramid.
    normalization : {"image"}, None or (filters, sigmas), default="image"
        Divisive normalisation, as in :func:`nlpd`. ``(metric.filters_, metric.sigmas_)`` of a
        fitted :class:`~skperceptual.NLPDRegressor` trains with what people's ratings taught it.
    kernel_size : int, default=5
        Side of the neighbourhood of ``"image"``.
    pooling : {"mean", "norm0.6"}, default="mean"
        How levels are pooled. The gradient of ``"norm0.6"`` grows without bound as the error of
        one level, but not its own, goes to 0.
    convention : {"laparra2016", "laparra2017", "hepburn"}, default="laparra2016"
        Form of the pyramid.
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the items of a batch.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import NLPDLoss
    >>> image = torch.rand(2, 64, 64, requires_grad=True)
    >>> loss = NLPDLoss()(image, image.detach().clone())
    >>> loss.backward()
    >>> loss.item(), image.grad.abs().max().item()
    (0.0, 0.0)
    """

    def __init__(
        self,
        *,
        n_levels: int = 6,
        normalization: Normalization = "image",
        kernel_size: int = 5,
        pooling: str = "mean",
        convention: str = "laparra2016",
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.n_levels = n_levels
        self.normalization = normalization
        self.kernel_size = kernel_size
        self.pooling = pooling
        self.convention = convention

    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Give the distance of each image from its reference.

        Parameters
        ----------
        reference, degraded : Tensor of shape (..., n_bands, n_frames)
            Images.

        Returns
        -------
        Tensor of shape (...)
            One loss an item.
        """
        return nlpd(
            reference,
            degraded,
            n_levels=self.n_levels,
            normalization=self.normalization,
            kernel_size=self.kernel_size,
            pooling=self.pooling,
            convention=self.convention,
        )


class SSIMLoss(ImageLoss):
    """One minus the structural similarity as a loss, over :func:`ssim`.

    Parameters
    ----------
    data_range : float, default=1.0
        Largest possible value less the smallest.
    window_size : int, default=11
        Side of the Gaussian window, odd.
    sigma : float, default=1.5
        Standard deviation of the window.
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the items of a batch.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import SSIMLoss
    >>> image = torch.rand(2, 32, 32)
    >>> SSIMLoss(reduction="none")(image, image)
    tensor([0., 0.])
    """

    def __init__(
        self,
        *,
        data_range: float = 1.0,
        window_size: int = 11,
        sigma: float = 1.5,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.data_range = data_range
        self.window_size = window_size
        self.sigma = sigma

    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Give one minus the similarity of each image to its reference.

        Parameters
        ----------
        reference, degraded : Tensor of shape (..., n_bands, n_frames)
            Images.

        Returns
        -------
        Tensor of shape (...)
            One loss an item, from 0 to 2.
        """
        return 1 - ssim(
            reference,
            degraded,
            data_range=self.data_range,
            window_size=self.window_size,
            sigma=self.sigma,
        )


class MSSSIMLoss(ImageLoss):
    """One minus the multi-scale structural similarity as a loss, over :func:`ms_ssim`.

    Parameters
    ----------
    data_range : float, default=1.0
        Largest possible value less the smallest.
    window_size : int, default=11
        Side of the Gaussian window, odd.
    sigma : float, default=1.5
        Standard deviation of the window.
    weights : sequence of float, default=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
        One exponent a scale, the finest first. Images whose smaller side is 160 or less have room
        for fewer than five, and warn.
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the items of a batch.

    Notes
    -----
    Where the structure of an image is the negative of its reference's on average, a term is
    clipped to 0 and the item's loss is 1, with gradient 0.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import MSSSIMLoss
    >>> image = torch.rand(2, 176, 176)
    >>> MSSSIMLoss()(image, image)
    tensor(0.)
    """

    def __init__(
        self,
        *,
        data_range: float = 1.0,
        window_size: int = 11,
        sigma: float = 1.5,
        weights: Sequence[float] = WANG_2003_WEIGHTS,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.data_range = data_range
        self.window_size = window_size
        self.sigma = sigma
        self.weights = weights

    def item_losses(self, reference: Tensor, degraded: Tensor) -> Tensor:
        """Give one minus the similarity of each image to its reference.

        Parameters
        ----------
        reference, degraded : Tensor of shape (..., n_bands, n_frames)
            Images.

        Returns
        -------
        Tensor of shape (...)
            One loss an item, from 0 to 1.
        """
        return 1 - ms_ssim(
            reference,
            degraded,
            data_range=self.data_range,
            window_size=self.window_size,
            sigma=self.sigma,
            weights=self.weights,
        )
