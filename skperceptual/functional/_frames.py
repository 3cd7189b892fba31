"""The checks that the functions on frames of embeddings share."""

from __future__ import annotations

import torch
from torch import Tensor


def check_frames(reference: Tensor, degraded: Tensor) -> None:
    """Refuse anything but two floating-point tensors of frames of one length and type."""
    for name, frames in (("reference", reference), ("degraded", degraded)):
        check_one_set(name, frames)
    if reference.shape[-1] != degraded.shape[-1]:
        swapped = reference.shape[-1] == degraded.shape[-2]
        raise ValueError(
            "reference and degraded should have frames of one dimension, got shapes "
            f"{tuple(reference.shape)} and {tuple(degraded.shape)}. "
            + (
                "The axes of one of them look swapped: use degraded.transpose(-1, -2)."
                if swapped
                else "Take both from one embedding."
            )
        )
    if reference.dtype != degraded.dtype or reference.device != degraded.device:
        raise ValueError(
            f"reference and degraded should share type and device, got {reference.dtype} on "
            f"{reference.device} and {degraded.dtype} on {degraded.device}. Convert one with "
            "degraded.to(reference)."
        )


def check_one_set(name: str, frames: Tensor) -> None:
    """Refuse anything but a floating-point tensor of at least one frame, all of it finite."""
    if not isinstance(frames, Tensor):
        raise TypeError(
            f"{name} should be a torch.Tensor, got {type(frames).__name__}. Convert it with "
            "torch.as_tensor, or use the estimators, which take NumPy arrays."
        )
    if not frames.is_floating_point():
        raise TypeError(
            f"{name} should be floating point, got {frames.dtype}. Convert it with {name}.double()."
        )
    if frames.ndim < 2 or 0 in frames.shape[-2:]:
        raise ValueError(
            f"{name} should have shape (..., n_frames, dim) with at least one frame, got "
            f"{tuple(frames.shape)}."
        )
    if not torch.isfinite(frames.detach()).all():
        raise ValueError(
            f"{name} holds NaN or infinity. Look for the clip whose embedding is not finite."
        )
