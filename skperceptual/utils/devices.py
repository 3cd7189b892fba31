"""Where torch computes: ``device="auto"`` resolved when work starts, never before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def resolve_device(device: str) -> torch.device:
    """Turn a ``device`` parameter into a device that exists here.

    Parameters
    ----------
    device : str
        ``"auto"`` takes an accelerator where torch sees one and the CPU otherwise; anything
        else is given to :class:`torch.device` as it is.

    Returns
    -------
    torch.device
        The device to compute on.

    Raises
    ------
    ValueError
        When torch does not know the device, or it is not present on this machine.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        return torch.device("cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is not a device that torch knows. Use 'auto', 'cpu', 'cuda', "
            "'cuda:1' or 'mps'."
        ) from error
    missing = (resolved.type == "cuda" and not torch.cuda.is_available()) or (
        resolved.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise ValueError(
            f"device={device!r} was asked for, but torch sees no such device on this machine. "
            "Use device='auto' to take whatever is there."
        )
    return resolved
