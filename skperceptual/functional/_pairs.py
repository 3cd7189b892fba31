"""The check that the functions on pairs of images share."""

from __future__ import annotations

from torch import Tensor


def check_image_pair(reference: Tensor, degraded: Tensor) -> None:
    """Refuse anything but two floating-point tensors of one shape, type and device."""
    for name, images in (("reference", reference), ("degraded", degraded)):
        if not isinstance(images, Tensor):
            raise TypeError(
                f"{name} should be a torch.Tensor, got {type(images).__name__}. Convert it with "
                "torch.as_tensor, or use the estimators, which take NumPy arrays."
            )
        if not images.is_floating_point():
            raise TypeError(
                f"{name} should be floating point, got {images.dtype}. Convert it with "
                f"{name}.float() and scale it to the data range."
            )
        if images.ndim < 2 or 0 in images.shape[-2:]:
            raise ValueError(
                f"{name} should have shape (..., n_bands, n_frames) with at least one band and "
                f"one frame, got {tuple(images.shape)}."
            )
    if reference.shape != degraded.shape:
        raise ValueError(
            f"reference and degraded should have the same shape, got {tuple(reference.shape)} "
            f"and {tuple(degraded.shape)}. Cut both to one length, or expand one of them."
        )
    if reference.dtype != degraded.dtype or reference.device != degraded.device:
        raise ValueError(
            f"reference and degraded should share type and device, got {reference.dtype} on "
            f"{reference.device} and {degraded.dtype} on {degraded.device}. Convert one with "
            "degraded.to(reference)."
        )
